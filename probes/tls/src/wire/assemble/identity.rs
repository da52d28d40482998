//! Certificates and names, and what a fallback gets.

use super::Assembly;
use crate::wire::{
    Alert, Answer, ClientCertificateRequest, Fallback, Identity, Known, Presented, Version,
    reply::End, topic::Topic,
};

impl Assembly<'_> {
    pub(super) fn fallback(&self) -> Known<Fallback> {
        let topic = Topic::Fallback;
        let Some(reply) = self.findings.reply(topic) else {
            let modern = Version::ALL.into_iter().filter(|v| *v > Version::Ssl2);
            let known = self.spoke && modern.clone().all(|v| self.version(v).accepted().is_some());
            return if known && modern.filter(|v| self.findings.accepts(*v)).count() < 2 {
                Known::Moot {
                    why: "there is only one version".to_owned(),
                }
            } else {
                let doubt = self.unasked("asking for a fallback");
                Known::Unknown { doubt }
            };
        };
        let value = match (&reply.hello, &reply.end) {
            (Some(hello), _) => Fallback::Accepted {
                version: hello.version,
            },
            (None, End::Alert(alert)) => match *alert {
                Alert::INAPPROPRIATE_FALLBACK | Alert::PROTOCOL_VERSION => {
                    Fallback::Noticed { alert: *alert }
                }
                alert => Fallback::OtherAlert { alert },
            },
            _ => {
                let doubt = self.trouble(topic);
                return Known::Unknown { doubt };
            }
        };
        Known::Known { value }
    }

    pub(super) fn chain(&self) -> Known<Presented> {
        let topics = [Topic::Retrieval, Topic::RetrievalAgain];
        let found = topics.into_iter().find_map(|t| self.presented(t));
        match found {
            Some(value) => Known::Known { value },
            None => self.legacy_only(self.retrieved()),
        }
    }

    pub(super) fn other_chain(&self) -> Known<Option<Presented>> {
        let topic = Topic::OtherKey;
        let value = match self.answer(topic) {
            Answer::Refused { .. } => None,
            Answer::Accepted(_) => match self.presented(topic) {
                Some(presented) => Some(presented),
                None => return self.legacy_only(topic),
            },
            Answer::Unknown { .. } => return self.legacy_only(topic),
        };
        Known::Known { value }
    }

    /// A chain, if it is known whether a staple came with it.
    pub(super) fn presented(&self, topic: Topic) -> Option<Presented> {
        let reply = self.findings.reply(topic)?;
        let hello = reply.hello.as_ref()?;
        let chain = reply.chain.clone().filter(|c| !c.is_empty())?;
        let later = reply.exchange.is_some() || reply.request.is_some() || reply.complete;
        (later || reply.staple.is_some()).then_some(())?;
        Some(Presented {
            version: hello.version,
            suite: hello.suite?,
            chain,
            staple: reply.staple.clone(),
        })
    }

    pub(super) fn client_certificate(&self) -> Known<Option<ClientCertificateRequest>> {
        let topics = [Topic::Retrieval, Topic::RetrievalAgain];
        let heard = |t: Topic| {
            let reply = self.findings.reply(t)?;
            let sure = reply.request.is_some() || reply.complete;
            sure.then(|| reply.request.clone())
        };
        match topics.into_iter().find_map(heard) {
            Some(value) => Known::Known { value },
            None => self.legacy_only(self.retrieved()),
        }
    }

    pub(super) fn without_name(&self) -> Known<Identity> {
        let asked = self.findings.asked.contains_key(&Topic::WithoutName);
        let wrong = self.findings.asked.contains_key(&Topic::WrongName);
        if wrong && !asked {
            let why = "no server name was sent in the first place".to_owned();
            return Known::Moot { why };
        }
        self.identity(Topic::WithoutName)
    }

    pub(super) fn identity(&self, topic: Topic) -> Known<Identity> {
        let Some(reply) = self.findings.reply(topic) else {
            let doubt = self.unasked("asking under another name");
            return Known::Unknown { doubt };
        };
        let own = self.findings.reply(self.retrieved());
        let own = own.and_then(|r| r.chain.as_ref()?.first());
        let value = match (&reply.hello, reply.chain.as_deref(), &reply.end) {
            (_, Some([leaf, ..]), _) => Identity::Certificate {
                leaf: leaf.clone(),
                same: own == Some(leaf),
            },
            (Some(hello), ..) if hello.version == Version::Tls13 => Identity::Encrypted,
            (None, _, End::Alert(alert)) => Identity::Alert { alert: *alert },
            (None, ..) if self.is_steady_close(topic) => Identity::Close,
            _ => {
                let doubt = self.trouble(topic);
                return Known::Unknown { doubt };
            }
        };
        Known::Known { value }
    }

    /// The question by which the chain was got, or should have been.
    pub(super) fn retrieved(&self) -> Topic {
        let first = self.findings.reply(Topic::Retrieval);
        let again = self.findings.asked.contains_key(&Topic::RetrievalAgain);
        if again && first.is_none_or(|r| r.hello.is_none()) {
            Topic::RetrievalAgain
        } else {
            Topic::Retrieval
        }
    }
}
