//! What a survey found: facts, no opinions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alert, Der, Group, Suite, Version};

/// All that one address answered for one name.
///
/// Every list has one row for everything that could be asked, asked or not: an absent row cannot
/// be mistaken for a good one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsSurvey")]
pub struct Survey {
    /// Address and port: `192.0.2.7:443`.
    pub address: String,
    /// The server name that was sent (SNI), if any.
    pub name: Option<String>,
    /// Who answered at all. Look here first: see [`Contact`].
    pub contact: Contact,
    /// SSLv2, SSLv3, TLS 1.0 to 1.3: six rows, oldest first.
    pub versions: Vec<VersionAnswer>,
    /// A row for each [`Family`], asked at the best version up to TLS 1.2.
    pub families: Vec<FamilyAnswer>,
    /// A row for each group asked about, in TLS 1.3 if the server has it, else in TLS 1.2.
    pub groups: Vec<GroupAnswer>,
    /// Whose order of cipher suites wins (TLS 1.2 and older).
    pub preference: Known<Preference>,
    /// The Diffie-Hellman group of the DHE suites; moot if none is accepted.
    pub dh: Known<Dh>,
    /// Whether TLS compression is done (CRIME).
    pub compression: Known<bool>,
    /// Whether the ServerHello carries renegotiation_info (RFC 5746), up to TLS 1.2.
    pub secure_renegotiation: Known<bool>,
    /// Whether the extended master secret is agreed upon (RFC 7627), up to TLS 1.2.
    pub extended_master_secret: Known<bool>,
    /// Whether session tickets are agreed upon (RFC 5077), up to TLS 1.2.
    pub session_tickets: Known<bool>,
    /// The protocol picked of those offered in ALPN, up to TLS 1.2 (in TLS 1.3 it is encrypted).
    pub alpn: Known<Option<String>>,
    /// What a downgraded hello with the fallback SCSV gets (RFC 7507); moot below two versions.
    pub fallback: Known<Fallback>,
    /// The chain presented, up to TLS 1.2 (in TLS 1.3 it is encrypted).
    pub chain: Known<Presented>,
    /// The chain of the other key type (RSA or ECDSA), if the server has two, up to TLS 1.2.
    pub other_chain: Known<Option<Presented>>,
    /// Whether a client certificate is asked for, up to TLS 1.2.
    pub client_certificate: Known<Option<ClientCertificateRequest>>,
    /// What a hello without a server name gets; moot if no name was sent in the first place.
    pub without_name: Known<Identity>,
    /// What a hello with a name that nobody can have (`.invalid`) gets.
    pub wrong_name: Known<Identity>,
    /// Every connection made, in the order they ended.
    pub connections: Vec<Connection>,
    /// Seconds that the survey took.
    pub seconds: f64,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[schemars(rename = "TlsContact")]
pub enum Contact {
    /// At least one hello was answered by a ServerHello. Only here can anything be refused.
    Tls,
    /// It speaks TLS, and answered an alert to everything (a wrong name, no usable certificate).
    OnlyAlerts {
        /// Of the first hello.
        alert: Alert,
    },
    /// It accepts connections and says nothing.
    Silent {
        /// How far it came.
        phase: String,
    },
    /// It closes the connection on every hello.
    Closed {
        /// How far it came.
        phase: String,
    },
    /// It resets the connection on every hello.
    Reset {
        /// How far it came.
        phase: String,
    },
    /// It answers bytes that are not TLS.
    NotTls {
        /// What it seems to speak.
        foreign: Foreign,
        /// The beginning of it, escaped.
        excerpt: String,
    },
    /// It answers TLS records that make no sense.
    Malformed {
        /// What is wrong with them.
        message: String,
    },
    /// The protocol's own upgrade to TLS was declined (PostgreSQL `N`).
    TlsDeclined,
}

/// What a peer that does not speak TLS seems to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of the protocols say it all")]
#[schemars(rename = "TlsForeign")]
pub enum Foreign {
    Http,
    Http2,
    Ssh,
    Redis,
    Memcached,
    Mysql,
    Postgres,
    Smtp,
    Imap,
    Pop3,
    Ftp,
    Amqp,
    Xmpp,
    /// Something else.
    Other,
}

/// What became of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[schemars(rename = "TlsAnswer")]
pub enum Answer {
    /// A ServerHello that picks what was offered.
    Accepted(Accepted),
    /// The server said no.
    Refused {
        /// How it said so.
        by: Refusal,
    },
    /// Not known, and why. Neither a pass nor a failure.
    Unknown {
        /// Why not.
        doubt: Doubt,
    },
}

/// What the ServerHello picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsAccepted")]
pub struct Accepted {
    /// The version it speaks.
    pub version: Version,
    /// The suite it picked; absent where SSLv2 lists none.
    pub suite: Option<Suite>,
    /// The group it named, by HelloRetryRequest, key share or ServerKeyExchange (if read so far).
    pub group: Option<Group>,
}

/// How a server said no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[schemars(rename = "TlsRefusal")]
pub enum Refusal {
    /// An alert.
    Alert {
        /// Which one.
        alert: Alert,
    },
    /// A ServerHello of an older version than the one asked for.
    OtherVersion {
        /// The version it speaks instead.
        version: Version,
    },
    /// The connection was closed in good order, without an answer, three times; the server answered
    /// other hellos before and after the third.
    Close,
    /// It was not asked: no version that has this is accepted, each of them was refused.
    NoVersion,
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsDoubt")]
pub struct Doubt {
    /// The class of reason.
    pub kind: DoubtKind,
    /// What was being done, as it reads after "while": `connecting`, `reading the ServerHello`.
    pub phase: String,
    /// A lowercase fragment: `no answer within 3 s`.
    pub message: String,
    /// How often it was tried.
    pub attempts: u8,
    /// Whether the connection was dropped (reset or closed) three times without a byte of an
    /// answer, and the server answered another hello before and after the third. Such a drop is the
    /// server's doing, not the network's. Never true of silence, which is waited for once, and of
    /// answers that break off.
    pub others_answered: bool,
}

/// The classes of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "TlsDoubtKind")]
pub enum DoubtKind {
    /// The TCP connect failed.
    Connect,
    /// No answer in time.
    Silent,
    /// The connection was reset.
    Reset,
    /// The connection was closed without an answer, but not steadily enough to be a refusal.
    Closed,
    /// The answer is not TLS.
    NotTls,
    /// The answer is TLS, and makes no sense.
    Malformed,
    /// The answer is longer than what is read.
    TooLong,
    /// An alert that says nothing about the question: the name, or ALPN, is not to the server's
    /// liking, or it answers an alert to everything.
    Alert,
    /// The answer allows more than one reading.
    Ambiguous,
    /// Not asked: the time was up, or what the question rests upon is not known.
    NotAsked,
}

/// A value, or why it has no meaning here, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[schemars(rename = "TlsKnown_{T}")]
pub enum Known<T> {
    /// Seen.
    Known {
        /// What was seen.
        value: T,
    },
    /// Does not apply to this server, for a reason that is itself known.
    Moot {
        /// The reason, a lowercase fragment: `no version up to TLS 1.2 is accepted`.
        why: String,
    },
    /// Not known. Neither a pass nor a failure.
    Unknown {
        /// Why not.
        doubt: Doubt,
    },
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionAnswer {
    /// The version asked for.
    pub version: Version,
    /// What became of it.
    pub answer: Answer,
}

/// One family of cipher suites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FamilyAnswer {
    /// The family; nothing else was offered.
    pub family: Family,
    /// What became of it.
    pub answer: Answer,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupAnswer {
    /// The group asked for.
    pub group: Group,
    /// What became of it.
    pub answer: Answer,
}

/// Cipher suites that are asked about together, up to TLS 1.2. No suite is in two families but the
/// CBC suites with DHE, which are in both `cbc` and `dhe`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "TlsFamily")]
pub enum Family {
    /// No encryption.
    Null,
    /// No authentication: anonymous DH and ECDH.
    Anonymous,
    /// 40 and 56 bits for export.
    Export,
    /// Single DES.
    Des,
    /// Triple DES (SWEET32).
    TripleDes,
    /// RC4.
    Rc4,
    /// Block ciphers in CBC mode with (EC)DHE.
    Cbc,
    /// Keys without forward secrecy: RSA, and static DH and ECDH, with AES, Camellia, ARIA, SEED
    /// or IDEA.
    StaticKeyExchange,
    /// Finite-field DHE, authenticated, any of the ciphers that are not broken.
    Dhe,
    /// ECDHE with AEAD: what TLS 1.2 should be.
    EcdheAead,
}

impl Family {
    /// Every family, worst first.
    pub const ALL: [Self; 10] = [
        Self::Null,
        Self::Anonymous,
        Self::Export,
        Self::Des,
        Self::TripleDes,
        Self::Rc4,
        Self::Cbc,
        Self::StaticKeyExchange,
        Self::Dhe,
        Self::EcdheAead,
    ];
}

/// Whose order of suites wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "TlsPreference")]
pub enum Preference {
    /// The server's.
    Server,
    /// The client's.
    Client,
    /// The server accepts one suite only, of those with which a certificate is shown.
    SingleSuite,
}

/// A Diffie-Hellman group, as the ServerKeyExchange has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dh {
    /// Size of the prime, in bits.
    pub bits: u32,
    /// With which suite it came.
    pub suite: Suite,
}

/// What a hello got that pretends to be a fallback to an older version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[schemars(rename = "TlsFallback")]
pub enum Fallback {
    /// `inappropriate_fallback` (86) or `protocol_version` (70): the downgrade was noticed.
    Noticed {
        /// Which of the two.
        alert: Alert,
    },
    /// It was accepted as if nothing was wrong.
    Accepted {
        /// The version that was agreed upon.
        version: Version,
    },
    /// Another alert than the two that say it.
    OtherAlert {
        /// Which one.
        alert: Alert,
    },
}

/// A chain as it was presented in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsPresented")]
pub struct Presented {
    /// In which version.
    pub version: Version,
    /// For which suite.
    pub suite: Suite,
    /// Certificates in the order sent, leaf first; at least one, none of them parsed yet.
    pub chain: Vec<Der>,
    /// The stapled OCSP response, if one came (the hello asked for it).
    pub staple: Option<Der>,
}

/// The server's wish for a client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientCertificateRequest {
    /// How many names of authorities it lists; zero means any.
    pub authorities: u32,
}

/// What a server showed for a name that is not its own, or for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[schemars(rename = "TlsIdentity")]
pub enum Identity {
    /// It refused.
    Alert {
        /// By which alert.
        alert: Alert,
    },
    /// It closed the connection, steadily: see [`Refusal::Close`].
    Close,
    /// A certificate.
    Certificate {
        /// The leaf.
        leaf: Der,
        /// Whether it is the very certificate that the right name gets.
        same: bool,
    },
    /// It went on in TLS 1.3, where the certificate cannot be seen.
    Encrypted,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsConnection")]
pub struct Connection {
    /// What was asked: `TLS 1.0`, `cipher suites: rc4`, `group: x25519`.
    pub question: String,
    /// What came, in a few words: `ServerHello TLS 1.2`, `alert protocol_version`, `reset`.
    pub outcome: String,
    /// Milliseconds from the connect until it was decided.
    pub milliseconds: f64,
}
