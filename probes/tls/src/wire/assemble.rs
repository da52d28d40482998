//! From what was heard to the facts. No I/O.

use super::{
    Accepted, Alert, Answer, Contact, Dh, Doubt, DoubtKind, Fallback, Family, FamilyAnswer, Group,
    GroupAnswer, Identity, Known, Preference, Presented, Refusal, Suite, Survey, Version,
    VersionAnswer,
    dial::Asked,
    interview::Findings,
    messages::{KeyExchange, ServerHello},
    reply::{End, Reply},
    topic::{GROUPS_12, GROUPS_13, Topic},
};

const NO_LEGACY: &str = "no version up to TLS 1.2 is accepted";
const NO_TLS: &str = "nobody answered in TLS";

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

    fn versions(&self) -> Vec<VersionAnswer> {
        let row = |version| VersionAnswer {
            version,
            answer: self.version(version),
        };
        Version::ALL.into_iter().map(row).collect()
    }

    fn version(&self, version: Version) -> Answer {
        let own = self.answer(Topic::Version(version));
        if version != Version::Tls12 || own.accepted() == Some(true) {
            return own;
        }
        // TLS 1.2 is asked with all suites only if the hello for the certificate did not settle it.
        let retrieval = self.answer(Topic::Retrieval);
        let asked = self.findings.asked.contains_key(&Topic::Version(version));
        match retrieval.accepted() {
            Some(true) => retrieval,
            _ if asked => own,
            _ => retrieval,
        }
    }

    /// Whether it is known that no version below TLS 1.3 is accepted.
    fn only_modern(&self) -> bool {
        let refused = |v| self.version(v).accepted() == Some(false);
        let old = [
            Version::Ssl3,
            Version::Tls10,
            Version::Tls11,
            Version::Tls12,
        ];
        self.version(Version::Ssl2).accepted() != Some(true) && old.into_iter().all(refused)
    }

    fn families(&self) -> Vec<FamilyAnswer> {
        let row = |family| FamilyAnswer {
            family,
            answer: self.family(family),
        };
        Family::ALL.into_iter().map(row).collect()
    }

    fn family(&self, family: Family) -> Answer {
        if self.findings.base.is_none() {
            return if self.only_modern() {
                let by = Refusal::NoVersion;
                Answer::Refused { by }
            } else {
                let doubt = self.unasked("asking for cipher suites");
                Answer::Unknown { doubt }
            };
        }
        let own = self.answer(Topic::Family(family));
        if own.accepted() == Some(true) {
            return own;
        }
        // Any other ServerHello that picked a suite of the family says so, too. It may be of the
        // questions that offer everything, in an older version.
        let seen = self.findings.asked.values().find_map(|a| {
            let hello = a.reply.hello.as_ref()?;
            let suite = hello.suite.filter(|s| family.contains(*s))?;
            let offered = a.question.hello.suites.contains(&suite);
            offered.then(|| accepted(hello, &a.reply))
        });
        seen.map_or(own, Answer::Accepted)
    }

    fn groups(&self) -> Vec<GroupAnswer> {
        let modern = self.findings.accepts(Version::Tls13);
        let row = |group| GroupAnswer {
            group,
            answer: if modern {
                self.group13(group)
            } else {
                self.group12(group)
            },
        };
        if modern || self.findings.base.is_none() {
            GROUPS_13.into_iter().map(row).collect()
        } else {
            // Hybrids and X448 are of TLS 1.3.
            let only13 = GROUPS_13.into_iter().filter(|g| !GROUPS_12.contains(g));
            let absent = only13.map(|group| GroupAnswer {
                group,
                answer: self.absent13(),
            });
            absent.chain(GROUPS_12.into_iter().map(row)).collect()
        }
    }

    /// A group that TLS 1.3 alone has, where it is not accepted.
    fn absent13(&self) -> Answer {
        match self.version(Version::Tls13) {
            Answer::Refused { .. } => Answer::Refused {
                by: Refusal::NoVersion,
            },
            other => other,
        }
    }

    fn group13(&self, group: Group) -> Answer {
        let first = self.answer(Topic::Version(Version::Tls13));
        if matches!(&first, Answer::Accepted(a) if a.group == Some(group)) {
            return first;
        }
        self.picked_group(Topic::Group(group), group, DoubtKind::Malformed)
    }

    fn group12(&self, group: Group) -> Answer {
        let beside = Topic::GroupBeside(group);
        if self.findings.asked.contains_key(&beside) {
            return self.picked_group(beside, group, DoubtKind::Ambiguous);
        }
        self.picked_group(Topic::Group(group), group, DoubtKind::Malformed)
    }

    /// The answer, if it is this group that was picked.
    fn picked_group(&self, topic: Topic, group: Group, otherwise: DoubtKind) -> Answer {
        let answer = self.answer(topic);
        let Answer::Accepted(accepted) = &answer else {
            return answer;
        };
        let doubt = match accepted.group {
            Some(picked) if picked == group => return answer,
            Some(picked) => self.doubt(topic, otherwise, &format!("it picked {picked} instead")),
            None => self.trouble(topic),
        };
        Answer::Unknown { doubt }
    }

    fn preference(&self) -> Known<Preference> {
        let suite = |topic| self.findings.reply(topic)?.hello.as_ref()?.suite;
        let first = suite(Topic::Retrieval).or_else(|| suite(Topic::RetrievalAgain));
        let (Some(first), Some(second)) = (first, suite(Topic::Reversed)) else {
            return self.legacy_only(Topic::Reversed);
        };
        if first != second {
            let value = Preference::Client;
            return Known::Known { value };
        }
        match self.answer(Topic::WithoutFirst) {
            Answer::Accepted(_) => Known::Known {
                value: Preference::Server,
            },
            Answer::Refused { .. } => Known::Known {
                value: Preference::SingleSuite,
            },
            Answer::Unknown { doubt } => Known::Unknown { doubt },
        }
    }

    fn dh(&self) -> Known<Dh> {
        let topic = Topic::Family(Family::Dhe);
        match self.family(Family::Dhe) {
            Answer::Refused { .. } => Known::Moot {
                why: "no suite with finite-field Diffie-Hellman is accepted".to_owned(),
            },
            Answer::Unknown { doubt } => Known::Unknown { doubt },
            Answer::Accepted(_) => {
                // Whichever hello it was, as long as its key exchange was read.
                let replies = self.findings.asked.values().map(|a| &a.reply);
                let smallest = replies.filter_map(finite_field).min_by_key(|dh| dh.bits);
                match smallest {
                    Some(value) => Known::Known { value },
                    None => Known::Unknown {
                        doubt: self.trouble(topic),
                    },
                }
            }
        }
    }

    fn compression(&self) -> Known<bool> {
        let replies = self.findings.asked.values();
        let mut hellos = replies.filter_map(|a| a.reply.hello.as_ref());
        if hellos.any(|h| h.compression != 0) {
            return Known::Known { value: true };
        }
        match self.answer(Topic::Compression) {
            Answer::Accepted(_) => Known::Known { value: false },
            _ => self.legacy_only(Topic::Compression),
        }
    }

    /// A fact of the ServerHello of the best version up to TLS 1.2.
    fn flag<T>(&self, fact: impl Fn(&ServerHello) -> T) -> Known<T> {
        let base = self.findings.base;
        let topics = [Topic::Retrieval, Topic::RetrievalAgain];
        let topics = topics.into_iter().chain(base.map(Topic::Version));
        let hello = |t| self.findings.reply(t)?.hello.as_ref();
        let legacy = |h: &&ServerHello| h.version < Version::Tls13;
        match topics.filter_map(hello).find(legacy) {
            Some(hello) if base.is_some() => Known::Known { value: fact(hello) },
            _ => self.legacy_only(Topic::Retrieval),
        }
    }

    fn fallback(&self) -> Known<Fallback> {
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

    fn chain(&self) -> Known<Presented> {
        let topics = [Topic::Retrieval, Topic::RetrievalAgain];
        let found = topics.into_iter().find_map(|t| self.presented(t));
        match found {
            Some(value) => Known::Known { value },
            None => self.legacy_only(self.retrieved()),
        }
    }

    fn other_chain(&self) -> Known<Option<Presented>> {
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
    fn presented(&self, topic: Topic) -> Option<Presented> {
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

    fn client_certificate(&self) -> Known<Option<super::ClientCertificateRequest>> {
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

    fn without_name(&self) -> Known<Identity> {
        let asked = self.findings.asked.contains_key(&Topic::WithoutName);
        let wrong = self.findings.asked.contains_key(&Topic::WrongName);
        if wrong && !asked {
            let why = "no server name was sent in the first place".to_owned();
            return Known::Moot { why };
        }
        self.identity(Topic::WithoutName)
    }

    fn identity(&self, topic: Topic) -> Known<Identity> {
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
    fn retrieved(&self) -> Topic {
        let first = self.findings.reply(Topic::Retrieval);
        let again = self.findings.asked.contains_key(&Topic::RetrievalAgain);
        if again && first.is_none_or(|r| r.hello.is_none()) {
            Topic::RetrievalAgain
        } else {
            Topic::Retrieval
        }
    }

    /// Moot without an old version, else the trouble with `topic`.
    fn legacy_only<T>(&self, topic: Topic) -> Known<T> {
        if self.findings.base.is_none() && self.only_modern() {
            let why = NO_LEGACY.to_owned();
            return Known::Moot { why };
        }
        let doubt = self.trouble(topic);
        Known::Unknown { doubt }
    }

    /// What became of a question.
    fn answer(&self, topic: Topic) -> Answer {
        let Some(asked) = self.findings.asked.get(&topic) else {
            let doubt = self.unasked("asking");
            return Answer::Unknown { doubt };
        };
        let reply = &asked.reply;
        match (&reply.hello, &reply.end) {
            (Some(hello), _) => self.agreed(asked, hello),
            (None, End::Alert(alert)) if self.is_refusal(*alert) => Answer::Refused {
                by: Refusal::Alert { alert: *alert },
            },
            (None, _) if self.is_steady_close(topic) => Answer::Refused { by: Refusal::Close },
            _ => Answer::Unknown {
                doubt: self.trouble(topic),
            },
        }
    }

    /// A ServerHello: is it what was asked for?
    fn agreed(&self, asked: &Asked, hello: &ServerHello) -> Answer {
        let offered = &asked.question.hello;
        let topic = asked.question.topic;
        let exact = matches!(topic, Topic::Version(_) | Topic::Retrieval);
        if hello.version < offered.version && exact {
            let version = hello.version;
            let by = Refusal::OtherVersion { version };
            return Answer::Refused { by };
        }
        let odd = if hello.version > offered.version {
            Some(format!(
                "it picked {}, which was not offered",
                hello.version
            ))
        } else {
            let foreign = |s: &Suite| !offered.suites.contains(s);
            let suite = hello.suite.filter(foreign);
            suite.map(|s| format!("it picked {s}, which was not offered"))
        };
        match odd {
            None => Answer::Accepted(accepted(hello, &asked.reply)),
            Some(message) => Answer::Unknown {
                doubt: self.doubt(topic, DoubtKind::Malformed, &message),
            },
        }
    }

    /// Whether an alert says no to the question, and not to the name or to everything.
    fn is_refusal(&self, alert: Alert) -> bool {
        let about_else = [Alert::UNRECOGNIZED_NAME, Alert::NO_APPLICATION_PROTOCOL];
        self.spoke && !about_else.contains(&alert)
    }

    /// Closed twice without a byte, while others are answered.
    fn is_steady_close(&self, topic: Topic) -> bool {
        self.findings.asked.get(&topic).is_some_and(|a| {
            let clean = a.reply.end == End::Closed && !a.reply.partial;
            clean && a.reply.hello.is_none() && a.attempts > 1 && self.findings.control
        })
    }

    /// Why `topic` has no answer.
    fn trouble(&self, topic: Topic) -> Doubt {
        let Some(asked) = self.findings.asked.get(&topic) else {
            return self.unasked("asking");
        };
        let (kind, message) = match &asked.reply.end {
            End::Enough => (
                DoubtKind::Ambiguous,
                "the answer does not contain it".to_owned(),
            ),
            End::Alert(alert) => (DoubtKind::Alert, format!("the answer is alert {alert}")),
            End::Closed => (
                DoubtKind::Closed,
                "the connection was closed before an answer".to_owned(),
            ),
            End::Reset => (DoubtKind::Reset, "the connection was reset".to_owned()),
            End::Silent => (DoubtKind::Silent, "no answer in time".to_owned()),
            End::NotTls(foreign, excerpt) => (
                DoubtKind::NotTls,
                format!("the answer is {}: {excerpt}", foreign.name()),
            ),
            End::Malformed(message) => (DoubtKind::Malformed, message.clone()),
            End::TooLong => (
                DoubtKind::TooLong,
                "the answer is longer than what is read".to_owned(),
            ),
            End::Connect(message) => (DoubtKind::Connect, message.clone()),
            End::Declined => (DoubtKind::NotTls, "TLS was declined".to_owned()),
            End::NotAsked => (DoubtKind::NotAsked, "there was no time to ask".to_owned()),
        };
        self.doubt(topic, kind, &message)
    }

    fn doubt(&self, topic: Topic, kind: DoubtKind, message: &str) -> Doubt {
        let asked = self.findings.asked.get(&topic);
        Doubt {
            kind,
            phase: asked.map_or("asking", |a| a.reply.phase).to_owned(),
            message: message.to_owned(),
            attempts: asked.map_or(0, |a| a.attempts),
            others_answered: self.findings.control,
        }
    }

    fn unasked(&self, phase: &str) -> Doubt {
        let message = match self.spoke {
            true => "not asked, as what it rests upon is not known",
            false => NO_TLS,
        };
        Doubt {
            kind: DoubtKind::NotAsked,
            phase: phase.to_owned(),
            message: message.to_owned(),
            attempts: 0,
            others_answered: false,
        }
    }
}

fn accepted(hello: &ServerHello, reply: &Reply) -> Accepted {
    let curve = match reply.exchange {
        Some(KeyExchange::Curve(group)) => Some(group),
        _ => None,
    };
    Accepted {
        version: hello.version,
        suite: hello.suite,
        group: hello.group.or(curve),
    }
}

fn finite_field(reply: &Reply) -> Option<Dh> {
    let suite = reply.hello.as_ref()?.suite?;
    match reply.exchange? {
        KeyExchange::FiniteField(bits) if Family::Dhe.contains(suite) => Some(Dh { bits, suite }),
        _ => None,
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
