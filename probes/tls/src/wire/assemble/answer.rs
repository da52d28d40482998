//! What one question got: accepted, refused, or why that is not known.

use super::Assembly;
use crate::wire::{
    Accepted, Alert, Answer, Doubt, DoubtKind, Known, Refusal, Suite,
    dial::Asked,
    messages::{KeyExchange, ServerHello},
    reply::{End, Reply},
    topic::Topic,
};

const NO_LEGACY: &str = "no version up to TLS 1.2 is accepted";
const NO_TLS: &str = "nobody answered in TLS";

impl Assembly<'_> {
    /// Moot without an old version, else the trouble with `topic`.
    pub(super) fn legacy_only<T>(&self, topic: Topic) -> Known<T> {
        if self.findings.base.is_none() && self.only_modern() {
            let why = NO_LEGACY.to_owned();
            return Known::Moot { why };
        }
        let doubt = self.trouble(topic);
        Known::Unknown { doubt }
    }

    /// What became of a question.
    pub(super) fn answer(&self, topic: Topic) -> Answer {
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
    pub(super) fn agreed(&self, asked: &Asked, hello: &ServerHello) -> Answer {
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
    pub(super) fn is_refusal(&self, alert: Alert) -> bool {
        let about_else = [Alert::UNRECOGNIZED_NAME, Alert::NO_APPLICATION_PROTOCOL];
        self.spoke && !about_else.contains(&alert)
    }

    /// Closed each of three times without an answer, while others are answered.
    pub(super) fn is_steady_close(&self, topic: Topic) -> bool {
        let reply = self.findings.reply(topic);
        reply.is_some_and(|r| r.end == End::Closed) && self.is_steady_drop(topic)
    }

    /// Dropped three times before a byte of an answer came, while others are answered.
    fn is_steady_drop(&self, topic: Topic) -> bool {
        self.findings.asked.get(&topic).is_some_and(|a| {
            let mute = a.reply.hello.is_none() && !a.reply.partial;
            let dropped = matches!(a.reply.end, End::Closed | End::Reset);
            dropped && mute && a.attempts > 2 && self.findings.control
        })
    }

    /// Why `topic` has no answer.
    pub(super) fn trouble(&self, topic: Topic) -> Doubt {
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

    pub(super) fn doubt(&self, topic: Topic, kind: DoubtKind, message: &str) -> Doubt {
        let asked = self.findings.asked.get(&topic);
        Doubt {
            kind,
            phase: asked.map_or("asking", |a| a.reply.phase).to_owned(),
            message: message.to_owned(),
            attempts: asked.map_or(0, |a| a.attempts),
            others_answered: self.is_steady_drop(topic),
        }
    }

    pub(super) fn unasked(&self, phase: &str) -> Doubt {
        let message = if self.spoke {
            "not asked, as what it rests upon is not known"
        } else {
            NO_TLS
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

pub(super) fn accepted(hello: &ServerHello, reply: &Reply) -> Accepted {
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
