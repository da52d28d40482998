//! Facts that the ServerHello and the key exchange show up to TLS 1.2.

use super::Assembly;
use crate::wire::{
    Answer, Dh, Family, Known, Preference, Version,
    messages::{KeyExchange, ServerHello},
    reply::Reply,
    topic::Topic,
};

impl Assembly<'_> {
    pub(super) fn preference(&self) -> Known<Preference> {
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

    pub(super) fn dh(&self) -> Known<Dh> {
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

    pub(super) fn compression(&self) -> Known<bool> {
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
    pub(super) fn flag<T>(&self, fact: impl Fn(&ServerHello) -> T) -> Known<T> {
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
}

fn finite_field(reply: &Reply) -> Option<Dh> {
    let suite = reply.hello.as_ref()?.suite?;
    match reply.exchange? {
        KeyExchange::FiniteField(bits) if Family::Dhe.contains(suite) => Some(Dh { bits, suite }),
        _ => None,
    }
}
