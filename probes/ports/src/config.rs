//! The `with` block of a `ports` gate.

use std::{collections::BTreeSet, time::Duration};

use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::place::{self, Place};

/// Which ports must be open, and which must not.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortsConfig {
    /// TCP ports that must accept connections, on every address of the host:
    /// `shop.example.com:443`, `10.0.0.5:80,443`, `[2001:db8::5]:443`.
    #[serde(default)]
    pub open: Vec<String>,
    /// TCP ports that must not, on any address: `db.example.com:6379,27017,9200-9300`.
    #[serde(default)]
    pub closed: Vec<String>,
    /// Data stores that must not serve strangers. The usual ports of a store (6379, 11211, 27017,
    /// 9200) are looked at wherever they are found open.
    #[serde(default)]
    pub stores: Vec<StoreConfig>,
    /// Ports that are known to be open and that lie beyond the same firewalls. If one of them can be reached,
    /// silence elsewhere is a firewall's, and not that of a broken network. Needed for hosts of
    /// which nothing answers.
    #[serde(default)]
    pub controls: Vec<String>,
    /// From where the ports under `closed` must be closed.
    #[serde(default)]
    pub vantage: Vantage,
    /// Which addresses of a name are looked at.
    #[serde(default)]
    pub family: Family,
    /// How long one connection may take until the port counts as filtered.
    #[serde(default = "three_seconds")]
    pub connect_timeout: Period,
    /// What listens where, for the messages.
    #[serde(default)]
    pub labels: Vec<LabelConfig>,
}

const fn three_seconds() -> Period {
    Period(Duration::from_secs(3))
}

/// A data store that must not serve strangers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Where: `db.example.com:27017`.
    pub at: String,
    /// Which store.
    pub kind: StoreKind,
}

/// What listens at a port.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelConfig {
    /// Where: a port of the other lists.
    pub at: String,
    /// What it is: `the orders database`.
    pub text: String,
}

/// A kind of data store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// Redis and Valkey: `PING`.
    Redis,
    /// MongoDB: `listDatabases`, since `hello` is answered to everybody.
    Mongodb,
    /// memcached: `version`.
    Memcached,
    /// Elasticsearch and OpenSearch: `GET /`.
    Elasticsearch,
}

/// What a claim that a port is closed is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// The world outside. From the target itself or from its private network a firewall towards the
    /// outside cannot be seen: what does not answer there is could-not-tell.
    #[default]
    Outside,
    /// The machine that runs the gate: what it cannot reach is closed.
    Here,
}

/// Addresses of a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// All.
    #[default]
    Any,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
}

/// Ports at most, over all lists.
const MOST: usize = 1_000;

impl PortsConfig {
    /// The places of a list; entries that cannot be read are `validate`'s.
    pub(crate) fn places(list: &[String]) -> BTreeSet<Place> {
        let all = list.iter().filter_map(|text| place::parse(text).ok());
        all.flatten().collect()
    }

    /// Finds what cannot work, without I/O; every problem, not the first only.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        if self.open.is_empty() && self.closed.is_empty() && self.stores.is_empty() {
            let hint = "open: [\"shop.example.com:443\"]";
            error.add("", "no port is named", Some(hint));
        }
        if self.connect_timeout.0.is_zero() {
            let hint = Some("connect_timeout: 3s");
            error.add("/connect_timeout", "nothing connects in no time", hint);
        }
        for (key, list) in [
            ("open", &self.open),
            ("closed", &self.closed),
            ("controls", &self.controls),
        ] {
            for (index, text) in list.iter().enumerate() {
                check(text, &format!("/{key}/{index}"), &mut error);
            }
        }
        for (index, store) in self.stores.iter().enumerate() {
            let pointer = format!("/stores/{index}/at");
            match place::parse(&store.at) {
                Ok(places) if places.len() != 1 => {
                    error.add(pointer, "a store has one port", None);
                }
                _ => check(&store.at, &pointer, &mut error),
            }
        }
        let (open, closed) = (Self::places(&self.open), Self::places(&self.closed));
        for place in open.intersection(&closed) {
            let message = format!("`{place}` must be open and closed");
            error.add("/closed", message, None);
        }
        if open.len() + closed.len() > MOST {
            error.add("", format!("more than {MOST} ports"), None);
        }
        self.check_labels(&mut error);
        error.into_result()
    }

    fn check_labels(&self, error: &mut ConfigError) {
        let stores: Vec<String> = self.stores.iter().map(|store| store.at.clone()).collect();
        let lists = [&self.open, &self.closed, &stores];
        let known: BTreeSet<Place> = lists.into_iter().flat_map(|l| Self::places(l)).collect();
        for (index, label) in self.labels.iter().enumerate() {
            let places = place::parse(&label.at).unwrap_or_default();
            if places.is_empty() || places.iter().any(|place| !known.contains(place)) {
                let message = format!("`{}` is in no list of ports", label.at);
                error.add(format!("/labels/{index}/at"), message, None);
            }
        }
    }
}

fn check(text: &str, pointer: &str, error: &mut ConfigError) {
    if let Err(message) = place::parse(text) {
        let hint = "write host:port, host:80,443 or host:8000-8010";
        error.add(pointer, message, Some(hint));
    }
}
