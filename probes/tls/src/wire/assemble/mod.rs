//! From what was heard to the facts. No I/O.

mod answer;
mod identity;
mod legacy;
mod rows;

use super::{
    Contact, Survey,
    interview::Findings,
    reply::{End, Reply},
    topic::Topic,
};

/// Puts a survey together.
pub struct Assembly<'a> {
    findings: &'a Findings,
    /// Whether anything was answered by a ServerHello: else nothing was refused.
    spoke: bool,
}

impl<'a> Assembly<'a> {
    pub fn new(findings: &'a Findings) -> Self {
        let mut replies = findings.asked.values().map(|a| &a.reply);
        let spoke = replies.any(|r| r.hello.is_some());
        Self { findings, spoke }
    }

    /// The survey; the caller knows the address, the name and the time.
    pub fn survey(&self) -> Survey {
        Survey {
            address: String::new(),
            name: None,
            contact: self.contact(),
            versions: self.versions(),
            families: self.families(),
            groups: self.groups(),
            preference: self.preference(),
            dh: self.dh(),
            compression: self.compression(),
            secure_renegotiation: self.flag(|h| h.renegotiation),
            extended_master_secret: self.flag(|h| h.extended_master_secret),
            session_tickets: self.flag(|h| h.ticket),
            alpn: self.flag(|h| h.alpn.clone()),
            fallback: self.fallback(),
            chain: self.chain(),
            other_chain: self.other_chain(),
            client_certificate: self.client_certificate(),
            without_name: self.without_name(),
            wrong_name: self.identity(Topic::WrongName),
            connections: self.findings.log.clone(),
            seconds: 0.0,
        }
    }

    fn contact(&self) -> Contact {
        if self.spoke {
            return Contact::Tls;
        }
        let replies = || self.findings.asked.values().map(|a| &a.reply);
        let alert = replies().find_map(|r| match r.end {
            End::Alert(alert) => Some(alert),
            _ => None,
        });
        if let Some(alert) = alert {
            return Contact::OnlyAlerts { alert };
        }
        // What says most about the peer first.
        let telling = replies().max_by_key(|r| match r.end {
            End::NotTls(..) | End::Declined => 5,
            End::Malformed(_) | End::TooLong => 4,
            End::Silent => 3,
            End::Reset => 2,
            _ => 1,
        });
        telling.map_or_else(
            || Contact::Silent {
                phase: "connecting".to_owned(),
            },
            foreign_contact,
        )
    }
}

/// The contact of a peer that did not speak TLS.
fn foreign_contact(reply: &Reply) -> Contact {
    let phase = reply.phase.to_owned();
    match &reply.end {
        End::NotTls(foreign, excerpt) => Contact::NotTls {
            foreign: *foreign,
            excerpt: excerpt.clone(),
        },
        End::Declined => Contact::TlsDeclined,
        End::Malformed(message) => Contact::Malformed {
            message: message.clone(),
        },
        End::TooLong => Contact::Malformed {
            message: "the answer is longer than what is read".to_owned(),
        },
        End::Reset => Contact::Reset { phase },
        End::Closed => Contact::Closed { phase },
        _ => Contact::Silent { phase },
    }
}
