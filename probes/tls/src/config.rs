//! The `with` block of a `tls` gate.

use std::{collections::BTreeMap, net::IpAddr};

use readygate_sdk::{ConfigError, Texts};
use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::Deserialize;

/// Endpoints and names that are asked in one gate; each pair costs about 25 connections.
const MOST_PEERS: usize = 50;
const MOST_SAMPLES: u8 = 20;

/// Which servers, under which names, and what is expected of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Servers as `host:port`, one or a list; the port is 443 unless given. IPv6 addresses stand in
    /// brackets. Every address that a host resolves to is asked.
    pub endpoints: Texts,
    /// Further names that every endpoint serves (SNI), each judged like the endpoint's own.
    #[serde(default)]
    pub names: Texts,
    /// Addresses of hosts, in place of a look-up: tests servers before the name points to them.
    #[serde(default)]
    pub resolve: BTreeMap<String, Vec<IpAddr>>,
    /// Which addresses of a host are asked: all, or those of one IP version where the machine that
    /// runs the gate has no route to the other.
    #[serde(default)]
    pub ip: IpVersions,
    /// What the server must keep to beyond what is wrong for everyone.
    #[serde(default)]
    pub profile: Profile,
    /// Which authorities are trusted. Without it: those of `ca` alone if that is given, else the
    /// bundled ones.
    #[serde(default)]
    pub trust: Option<Trust>,
    /// A PEM file of trusted authorities. Alone it is the only trust; with `trust` it adds to it.
    #[serde(default)]
    pub ca: Option<String>,
    /// The data store behind the port, if it is one: then it must refuse plain text, and PostgreSQL
    /// is asked for TLS in its own way.
    #[serde(default)]
    pub store: Option<Store>,
    /// Whether the server asks its clients for certificates.
    #[serde(default)]
    pub client_certificate: ClientCertificate,
    /// Protocols of which the server must agree on one by ALPN, best first: `[h2, http/1.1]`.
    #[serde(default)]
    pub alpn: Texts,
    /// Holds certificates of your own authorities to the rules of public ones: length of validity,
    /// certificate transparency, a source of revocation.
    #[serde(default)]
    pub public_rules: bool,
    /// Full handshakes per address and name, 1 to 20; `handshake.p50` is their median.
    #[serde(default = "three")]
    pub samples: u8,
}

const fn three() -> u8 {
    3
}

/// Versions of IP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpVersions {
    /// Both.
    #[default]
    Any,
    /// IPv4 addresses only.
    V4,
    /// IPv6 addresses only.
    V6,
}

/// What a server keeps to; after Mozilla's server-side TLS guidelines 6.0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// What is broken fails; what is merely old (CBC, RSA key exchange) is a warning.
    #[default]
    Baseline,
    /// TLS 1.2 with ECDHE and AEAD, and TLS 1.3; nothing else.
    Intermediate,
    /// TLS 1.3 only.
    Modern,
    /// As `baseline`, and X25519MLKEM768 is offered.
    Pq,
}

impl Profile {
    pub(crate) const fn is_strict(self) -> bool {
        matches!(self, Self::Intermediate | Self::Modern)
    }
}

/// Sets of authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Mozilla's, as they were when readygate was built: the same on every machine.
    Bundled,
    /// Those of the operating system.
    System,
}

/// Data stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Redis and Valkey: TLS from the first byte.
    Redis,
    /// MongoDB: TLS from the first byte.
    Mongodb,
    /// PostgreSQL: TLS after an SSLRequest.
    Postgres,
    /// memcached: TLS from the first byte.
    Memcached,
}

/// Whether a server asks for client certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificate {
    /// Clients get in without one.
    #[default]
    None,
    /// It asks, and lets clients in without one.
    Optional,
    /// It turns clients away that have none (mutual TLS).
    Required,
}

/// Host and port of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let hint = "write HOST or HOST:PORT, and IPv6 addresses in brackets";
        if text.contains("://") || text.contains('/') {
            return Err(format!("`{text}` is a URL; {hint}"));
        }
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest
                .split_once(']')
                .ok_or_else(|| format!("`{text}` lacks a closing bracket"))?;
            (host, rest.strip_prefix(':'))
        } else if text.matches(':').count() > 1 {
            return Err(format!("`{text}` is not host and port; {hint}"));
        } else {
            match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        let port = port.map_or(Ok(443), |port| match port.parse() {
            Ok(0) | Err(_) => Err(format!("`{port}` is not a port; {hint}")),
            Ok(port) => Ok(port),
        })?;
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if ServerName::try_from(host.as_str()).is_err() {
            return Err(format!("`{host}` is not a host name or address; {hint}"));
        }
        Ok(Self { host, port })
    }

    /// `host:port`, IPv6 in brackets.
    pub(crate) fn shown(&self) -> String {
        shown(&self.host, self.port)
    }
}

/// `host:port`, IPv6 in brackets.
pub(crate) fn shown(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

impl TlsConfig {
    /// Endpoint and name of everything that is to be asked.
    pub(crate) fn pairs(&self) -> Vec<(Endpoint, String)> {
        let endpoints = self
            .endpoints
            .iter()
            .filter_map(|e| Endpoint::parse(e).ok());
        let mut pairs = Vec::new();
        for endpoint in endpoints {
            let more = self.names.iter().map(str::to_ascii_lowercase);
            let mut names: Vec<String> =
                std::iter::once(endpoint.host.clone()).chain(more).collect();
            names.dedup();
            pairs.extend(names.into_iter().map(|name| (endpoint.clone(), name)));
        }
        pairs
    }

    /// Finds what cannot work, without I/O; every problem, not the first only.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        self.validate_endpoints(&mut error);
        for (index, name) in self.names.iter().enumerate() {
            let is_dns = matches!(ServerName::try_from(name), Ok(ServerName::DnsName(_)));
            if !is_dns {
                let message =
                    format!("`{name}` is not a DNS name, and no other can be sent as SNI");
                error.add(format!("/names/{index}"), message, None);
            }
        }
        for (host, addresses) in &self.resolve {
            let named = self
                .pairs()
                .iter()
                .any(|(e, _)| e.host == host.to_ascii_lowercase());
            let at = format!("/resolve/{}", host.replace('~', "~0").replace('/', "~1"));
            if !named {
                let message = format!("`{host}` is the host of no endpoint");
                error.add(&at, message, Some("add it to `endpoints`, or take it out"));
            }
            if addresses.is_empty() {
                error.add(&at, format!("no address for `{host}`"), None);
            }
        }
        if self.ca.as_deref().is_some_and(|ca| ca.trim().is_empty()) {
            error.add("/ca", "the path is empty", None);
        }
        if !(1..=MOST_SAMPLES).contains(&self.samples) {
            let message = format!("{} samples; 1 to {MOST_SAMPLES} work", self.samples);
            error.add("/samples", message, None);
        }
        if self.store.is_some() && !self.alpn.is_empty() {
            let message = "data stores agree on no protocol by ALPN";
            error.add("/alpn", message, Some("leave out `alpn` or `store`"));
        }
        if self.alpn.iter().any(|p| p.is_empty() || p.len() > 255) {
            error.add("/alpn", "a protocol has 1 to 255 bytes", None);
        }
        error.into_result()
    }

    fn validate_endpoints(&self, error: &mut ConfigError) {
        if self.endpoints.is_empty() {
            let hint = Some("write host:port of at least one server");
            error.add("/endpoints", "no endpoint", hint);
        }
        for (index, text) in self.endpoints.iter().enumerate() {
            if let Err(message) = Endpoint::parse(text) {
                error.add(format!("/endpoints/{index}"), message, None);
            }
        }
        let pairs = self.pairs().len();
        if pairs > MOST_PEERS {
            let message = format!("{pairs} pairs of endpoint and name; at most {MOST_PEERS} work");
            error.add("/endpoints", message, Some("split the gate"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read() {
        let read = |text| Endpoint::parse(text).map(|e| e.shown());
        assert_eq!(read("Shop.example.com").unwrap(), "shop.example.com:443");
        assert_eq!(read("10.0.0.1:6380").unwrap(), "10.0.0.1:6380");
        assert_eq!(read("[::1]:8443").unwrap(), "[::1]:8443");
        assert_eq!(read("[2001:db8::1]").unwrap(), "[2001:db8::1]:443");
        for wrong in [
            "https://a.test",
            "a.test:0",
            "a.test:x",
            "::1",
            "[::1",
            "",
            "a b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
