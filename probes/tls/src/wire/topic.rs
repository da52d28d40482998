//! The questions, each with the hello that asks it.

use std::fmt;

use super::{Family, Group, Options, Suite, Version, hello::Hello, reply::Until};

/// A name that nobody can have (RFC 2606).
const NOBODY: &str = "readygate-wrong-name.invalid";

/// Families offered where the certificate is wanted: with NULL a server may, and with an anonymous
/// suite it must, leave it out.
const WITH_CERTIFICATE: [Family; 6] = [
    Family::EcdheAead,
    Family::Dhe,
    Family::Cbc,
    Family::StaticKeyExchange,
    Family::TripleDes,
    Family::Rc4,
];

/// Groups offered where any will do, best first.
const ANY_GROUP: [Group; 9] = [
    Group::X25519_MLKEM768,
    Group::X25519,
    Group::P256,
    Group::P384,
    Group::P521,
    Group::X448,
    Group(0x11eb),
    Group(0x11ed),
    Group(0x0100),
];

/// Groups asked about one by one in TLS 1.3.
pub const GROUPS_13: [Group; 6] = [
    Group::X25519_MLKEM768,
    Group::X25519,
    Group::P256,
    Group::P384,
    Group::P521,
    Group::X448,
];

/// Groups asked about one by one in TLS 1.2 and older.
pub const GROUPS_12: [Group; 4] = [Group::X25519, Group::P256, Group::P384, Group::P521];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The chain and the other facts of the best version up to TLS 1.2.
    Retrieval,
    /// The same at the older version that was found, if `Retrieval` found none.
    RetrievalAgain,
    /// Is this version accepted, whatever the suite?
    Version(Version),
    /// Is a suite of this family accepted?
    Family(Family),
    /// Is this group accepted?
    Group(Group),
    /// The same in TLS 1.2, with the curve beside it that the certificate needs.
    GroupBeside(Group),
    /// Is DEFLATE?
    Compression,
    /// Which suite, of the same ones in reversed order?
    Reversed,
    /// Which suite, without the first choice?
    WithoutFirst,
    /// The chain of the other key type.
    OtherKey,
    /// Without SNI?
    WithoutName,
    /// With somebody else's SNI?
    WrongName,
    /// A downgrade?
    Fallback,
    /// Do you still answer?
    Control,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retrieval => f.write_str("TLS 1.2, certificate"),
            Self::RetrievalAgain => f.write_str("certificate"),
            Self::Version(version) => write!(f, "{version}"),
            Self::Family(family) => write!(f, "cipher suites: {}", family.name()),
            Self::Group(group) | Self::GroupBeside(group) => write!(f, "group: {group}"),
            Self::Compression => f.write_str("compression"),
            Self::Reversed => f.write_str("cipher suites in reversed order"),
            Self::WithoutFirst => f.write_str("cipher suites without the first choice"),
            Self::OtherKey => f.write_str("certificate of the other key type"),
            Self::WithoutName => f.write_str("no server name"),
            Self::WrongName => f.write_str("wrong server name"),
            Self::Fallback => f.write_str("fallback"),
            Self::Control => f.write_str("control: an earlier question again"),
        }
    }
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    pub topic: Topic,
    pub hello: Hello,
    pub until: Until,
}

/// Writes the questions for one server.
#[derive(Debug, Clone)]
pub struct Asker<'a> {
    pub name: Option<&'a str>,
    pub options: &'a Options,
}

impl Asker<'_> {
    fn hello(&self, version: Version, suites: Vec<Suite>) -> Hello {
        Hello {
            version,
            suites,
            name: self.name.map(str::to_owned),
            groups: ANY_GROUP.to_vec(),
            alpn: Vec::new(),
            compression: false,
            fallback: false,
        }
    }

    fn question(&self, topic: Topic, version: Version, suites: Vec<Suite>) -> Question {
        Question {
            topic,
            hello: self.hello(version, suites),
            until: Until::Hello,
        }
    }

    /// The certificate and everything that comes in one flight.
    pub fn retrieval(&self, topic: Topic, version: Version, alpn: bool) -> Question {
        let mut question = self.question(topic, version, with_certificate());
        if alpn {
            question.hello.alpn.clone_from(&self.options.alpn);
        }
        question.until = Until::Done;
        question
    }

    /// Any suite of a version.
    pub fn version(&self, version: Version) -> Question {
        let suites = match version {
            Version::Ssl2 => Suite::ssl2().collect(),
            Version::Tls13 => Suite::tls13().collect(),
            _ => Suite::legacy().collect(),
        };
        self.question(Topic::Version(version), version, suites)
    }

    /// Only the suites of a family.
    pub fn family(&self, version: Version, family: Family) -> Question {
        let suites = family.suites().collect();
        let mut question = self.question(Topic::Family(family), version, suites);
        if family == Family::Dhe {
            question.until = Until::KeyExchange;
            // Of the named finite-field groups none is offered: the server shows its own.
            question.hello.groups.clear();
        }
        question
    }

    /// Only one group, in TLS 1.3.
    pub fn group13(&self, group: Group) -> Question {
        let suites = Suite::tls13().collect();
        let mut question = self.question(Topic::Group(group), Version::Tls13, suites);
        question.hello.groups = vec![group];
        question
    }

    /// Only one group, or it and the curve that the certificate needs, up to TLS 1.2.
    pub fn group12(&self, version: Version, group: Group, beside: Option<Group>) -> Question {
        let topic = match beside {
            None => Topic::Group(group),
            Some(_) => Topic::GroupBeside(group),
        };
        let suites = Suite::legacy().filter(|s| {
            let named = s.name().is_some_and(|n| n.starts_with("TLS_ECDHE_"));
            named && s.families().any(|f| WITH_CERTIFICATE.contains(&f))
        });
        let mut question = self.question(topic, version, suites.collect());
        question.hello.groups = vec![group];
        question.hello.groups.extend(beside);
        question.until = Until::KeyExchange;
        question
    }

    /// DEFLATE first, none second.
    pub fn compression(&self, version: Version) -> Question {
        let mut question = self.question(Topic::Compression, version, with_certificate());
        question.hello.compression = true;
        question
    }

    /// The order of preference upside down.
    pub fn reversed(&self, version: Version) -> Question {
        let suites = with_certificate().into_iter().rev().collect();
        self.question(Topic::Reversed, version, suites)
    }

    /// All but one.
    pub fn without(&self, version: Version, first: Suite) -> Question {
        let suites = with_certificate().into_iter().filter(|s| *s != first);
        self.question(Topic::WithoutFirst, version, suites.collect())
    }

    /// Only suites that need another kind of key than that of `picked`.
    pub fn other_key(&self, version: Version, picked: Suite) -> Option<Question> {
        let kind = picked.authentication()?;
        let other = |s: &Suite| s.authentication().is_some_and(|k| k != kind);
        let suites = with_certificate().into_iter().filter(other).collect();
        let mut question = self.question(Topic::OtherKey, version, suites);
        question.until = Until::Done;
        Some(question)
    }

    /// With no name, or a wrong one.
    pub fn identity(&self, topic: Topic, version: Version) -> Question {
        let suites = match version {
            Version::Tls13 => Suite::tls13().collect(),
            _ => with_certificate(),
        };
        let mut question = self.question(topic, version, suites);
        question.hello.name = (topic == Topic::WrongName).then(|| NOBODY.to_owned());
        question.until = Until::Certificate;
        question
    }

    /// Pretends to retry with an older version.
    pub fn fallback(&self, version: Version) -> Question {
        let suites = Suite::legacy().collect();
        let mut question = self.question(Topic::Fallback, version, suites);
        question.hello.fallback = true;
        question
    }
}

/// Suites with which a server shows its certificate, best first.
fn with_certificate() -> Vec<Suite> {
    Suite::legacy()
        .filter(|s| s.families().any(|f| WITH_CERTIFICATE.contains(&f)))
        .collect()
}
