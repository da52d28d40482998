//! What the ports are, and from where: facts, no opinion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::StoreKind;

/// Every port that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PortsMeasurement {
    /// Ports that must be open.
    #[serde(default)]
    pub open: Vec<PortFacts>,
    /// Ports that must be closed.
    #[serde(default)]
    pub closed: Vec<PortFacts>,
    /// Ports of stores that are in neither list.
    #[serde(default)]
    pub stores: Vec<PortFacts>,
    /// Ports that show that this machine reaches the network.
    #[serde(default)]
    pub controls: Vec<PortFacts>,
}

/// One port of one host, on all its addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PortFacts {
    /// `host:port`, as configured.
    pub place: String,
    /// Why the host has no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<String>,
    /// What each address said.
    #[serde(default)]
    pub addresses: Vec<AddressFacts>,
}

/// One port of one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressFacts {
    /// IP address and port.
    pub address: String,
    /// What it is.
    pub state: PortState,
    /// What the system said, where the state alone does not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Address of this machine that the connection was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where that is, seen from the port.
    pub vantage: Nearness,
    /// Seconds until the state was known.
    #[serde(default)]
    pub seconds: f64,
    /// What a store there said to a stranger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreFacts>,
}

/// The states of a port, in the words of port scanners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// It accepts connections.
    Open,
    /// The host refuses them (RST): nothing listens.
    Closed,
    /// Nothing answers: a firewall, or nothing is there.
    Filtered,
    /// The network says that the host or port cannot be reached.
    Unreachable,
    /// This machine has no way to such addresses.
    NoRoute,
    /// This machine could not try.
    Untried,
}

/// How near the gate is to the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nearness {
    /// The address is a loopback address.
    Loopback,
    /// The address is one of this machine.
    SameMachine,
    /// The address is a private or otherwise special one: the same inner network.
    Private,
    /// The address is a public one.
    Public,
}

/// What a store said to a stranger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreFacts {
    /// Which store was expected.
    pub kind: StoreKind,
    /// The config names it; it was not guessed by its port.
    #[serde(default)]
    pub declared: bool,
    /// What came of it.
    pub answer: StoreAnswer,
    /// The beginning of what it said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
}

/// What came of a question by a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StoreAnswer {
    /// It was answered.
    Served,
    /// The store wants credentials, or talks to nobody from here.
    Refused,
    /// What came is not of this store; it may speak TLS, or be something else.
    Other,
    /// Nothing came.
    Silent,
}
