//! What the servers answered: facts, no opinion.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::RecordKind;

/// Everything that was asked and answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DnsMeasurement {
    /// When the questions were asked.
    pub measured_at: Timestamp,
    /// The resolvers.
    pub resolvers: Vec<String>,
    /// They are those of the system, not of the config.
    #[serde(default)]
    pub system_resolvers: bool,
    /// The records of the config, in its order.
    #[serde(default)]
    pub records: Vec<Lookup>,
    /// The zones of the config, in its order.
    #[serde(default)]
    pub zones: Vec<ZoneFacts>,
    /// The names with certificates, in the order of the config.
    #[serde(default)]
    pub caa: Vec<CaaFacts>,
}

/// One name and type, asked of every server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lookup {
    /// The name, normalised.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: RecordKind,
    /// What each resolver said.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// What each authoritative server of the zone said.
    #[serde(default)]
    pub authoritative: Vec<Answer>,
    /// Connections to the addresses.
    #[serde(default)]
    pub connections: Vec<Connection>,
}

/// What one server said to one question, aliases followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Who was asked.
    pub server: String,
    /// How it ended.
    pub ended: Ended,
    /// What there is to say about a broken, unreachable or other end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The aliases on the way, from the name asked for.
    #[serde(default)]
    pub chain: Vec<Alias>,
    /// The records, sorted.
    #[serde(default)]
    pub records: Vec<String>,
    /// The smallest TTL of the records, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_min: Option<u32>,
    /// The largest TTL of the records and aliases, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_max: Option<u32>,
    /// The server is an authority for the name (AA).
    #[serde(default)]
    pub authority: bool,
    /// The server says that it validated the answer (AD).
    #[serde(default)]
    pub validated: bool,
    /// Records of the name itself that stand beside an alias of the same name.
    #[serde(default)]
    pub beside_alias: bool,
    /// Seconds from the question to the end.
    #[serde(default)]
    pub seconds: f64,
}

/// One alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub target: String,
}

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// With records.
    Answer,
    /// With an alias that leads out of what the server is an authority for.
    Alias,
    /// The name exists and has no such record.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// The aliases lead back to themselves.
    Loop,
    /// There are too many aliases.
    LongChain,
    /// SERVFAIL: the server could not find out, or refutes the signatures.
    ServFail,
    /// REFUSED: the server does not answer such questions.
    Refused,
    /// Another error code.
    OtherCode,
    /// Nothing came in time.
    Timeout,
    /// No connection.
    Unreachable,
    /// This machine has no way to such addresses.
    NoRoute,
    /// What came is no answer.
    Broken,
}

impl Ended {
    /// The name system was heard: records, or that there are none, or aliases that go wrong.
    pub(crate) const fn is_told(self) -> bool {
        matches!(
            self,
            Self::Answer
                | Self::Alias
                | Self::NoData
                | Self::NxDomain
                | Self::Loop
                | Self::LongChain
        )
    }
}

/// A connection to an address of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// IP address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// How it ended.
    pub ended: Reach,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// It stands.
    Connected,
    /// It was refused.
    Refused,
    /// Nothing came in time.
    Timeout,
    /// The host or network on the way says that it cannot be reached.
    Unreachable,
    /// This machine has no way to such addresses.
    NoRoute,
}

/// A zone and its name servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneFacts {
    /// Name of the zone.
    pub name: String,
    /// The NS records, as a resolver sees them.
    pub delegation: Answer,
    /// The name servers.
    #[serde(default)]
    pub name_servers: Vec<NameServer>,
    /// What the validating resolvers say.
    #[serde(default)]
    pub dnssec: Vec<DnssecFacts>,
    /// TXT records of the zone, where SPF is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<Answer>,
    /// TXT records of `_dmarc`, where DMARC is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Answer>,
}

/// One address of a name server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NameServer {
    /// Its name, or its address where the config names it.
    pub name: String,
    /// Its address; none where the name has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How the look-up of its address ended, where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Ended>,
    /// The SOA record by UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<Answer>,
    /// The SOA record by TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Answer>,
    /// The alias of the zone itself, which it must not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apex_alias: Option<String>,
    /// The try to transfer the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
}

impl NameServer {
    /// It said something of the zone, by UDP or by TCP.
    pub(crate) fn is_heard(&self) -> bool {
        let by = [&self.udp, &self.tcp];
        by.into_iter().flatten().any(|a| a.ended.is_told())
    }
}

/// How a zone transfer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// It began.
    Open,
    /// The server refused it, by a code or by closing the connection.
    Refused,
    /// It could not be tried: why.
    Untried(String),
}

/// What a validating resolver says of a zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DnssecFacts {
    /// The resolver.
    pub server: String,
    /// The root zone, which is signed: a resolver that does not validate it validates nothing.
    pub root: Answer,
    /// The zone.
    pub zone: Answer,
    /// The zone, asked without validation, where the question before failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<Answer>,
}

/// The CAA records that apply to a name, RFC 8659.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaaFacts {
    /// The name of the certificate.
    pub name: String,
    /// The name that the records are of: the first with any, from the name upwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_at: Option<String>,
    /// The records.
    #[serde(default)]
    pub records: Vec<CaaEntry>,
    /// Why they could not be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// One CAA record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaaEntry {
    /// An authority that does not know the tag must not issue.
    #[serde(default)]
    pub critical: bool,
    /// `issue`, `issuewild`, `iodef`, ...
    pub tag: String,
    /// The domain of an authority, and parameters after `;`.
    pub value: String,
}
