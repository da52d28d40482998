//! What a measurement holds: facts, no opinions.

use readygate_sdk::ProbeError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    wire::{Survey, plaintext::Plaintext},
    x509::Walk,
};

/// Everything that was seen of all servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TlsMeasurement {
    /// When, in Unix seconds: dates are judged against it.
    pub at: i64,
    /// Which authorities are trusted, in words.
    pub trust: String,
    /// One for each address and name.
    pub peers: Vec<Peer>,
}

/// One address, asked under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peer {
    /// Host and port as configured.
    pub endpoint: String,
    /// The name that was asked for (SNI) and must be in the certificate; may be an IP address.
    pub name: String,
    /// Address and port; absent if the host does not resolve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why nothing is known of it; then the fields below are empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<ProbeError>,
    /// What it answers to hand-made hellos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survey: Option<Survey>,
    /// What a modern client gets (rustls, TLS 1.2 and 1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    /// Every chain that was presented, the modern client's first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chains: Vec<Chain>,
    /// What a request without TLS gets, where it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Plain>,
}

/// What a request without TLS got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Plain {
    /// It came to an end.
    Seen {
        /// Which.
        answer: Plaintext,
    },
    /// It could not be asked.
    Unknown {
        /// Why.
        error: ProbeError,
    },
}

/// One chain of certificates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Chain {
    /// In which exchanges it came: `TLS 1.3`, `TLS 1.2`.
    pub seen_in: Vec<String>,
    /// What it is.
    pub walk: Walk,
}

/// Handshakes of a modern client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Handshake {
    /// Version that was agreed on: `TLS 1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Group of the key exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Protocol that was agreed on by ALPN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Seconds of each full handshake, from the open connection on.
    pub seconds: Vec<f64>,
    /// Whether a second connection took up the session of the first; absent if it was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// Whether a client certificate was asked for.
    pub asks_certificate: bool,
    /// What came after a handshake without a client certificate, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// Why the server's proof that it holds its key is not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Why no handshake came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A handshake that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// What went wrong, a lowercase fragment.
    pub message: String,
    /// The alert that the server sent, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
}

/// What a client without a certificate gets after the handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum After {
    /// Turned away by an alert.
    Alert {
        /// Which.
        alert: String,
    },
    /// The connection was closed or reset.
    Closed,
    /// An HTTP response.
    Http {
        /// Its status.
        status: u16,
    },
    /// Data of another kind.
    Data,
    /// Nothing within the time.
    Silence,
}

impl Peer {
    /// How checks name it: `shop.example.com:443 at 192.0.2.7`, `www.example.com at 192.0.2.7:443`.
    pub fn subject(&self) -> String {
        let own = self.endpoint.rsplit_once(':').is_some_and(|(host, _)| {
            host.trim_start_matches('[').trim_end_matches(']') == self.name
        });
        let head = if own {
            self.endpoint.clone()
        } else {
            format!("{} on {}", self.name, self.endpoint)
        };
        match &self.address {
            Some(address) if *address != self.endpoint => {
                let ip = address
                    .rsplit_once(':')
                    .map_or(address.as_str(), |(ip, _)| ip);
                format!("{head} at {ip}")
            }
            _ => head,
        }
    }
}
