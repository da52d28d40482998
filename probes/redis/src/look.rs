//! One look: every node is asked itself, side by side, each with a deadline of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::join_all;
use readygate_sdk::{Cx, excerpt};
use redis::Value;
use tokio::time::{Instant, timeout_at};

use crate::{
    address::{Address, Entry},
    config::{Mode, RedisConfig},
    dial::{Door, Fault, Link},
    measurement::{Contact, Denial, NodeRecord, Phase, Said, Settings, Silence},
    parse,
};

/// Nodes that are asked at most, found ones included.
const MOST_NODES: usize = 200;

/// How nodes are asked.
pub(crate) struct Looker<'a> {
    pub config: &'a RedisConfig,
    pub door: Door,
    pub plain: Door,
    pub cx: &'a Cx,
}

/// What one look brought.
pub(crate) struct Looked {
    pub nodes: Vec<NodeRecord>,
    pub left_out: u64,
}

impl Looker<'_> {
    /// Asks the configured nodes, and in a cluster those that they know of.
    pub async fn look(&self) -> Looked {
        let entries = self.config.entries();
        let asked = entries.iter().map(|entry| self.node(entry, None));
        let mut nodes = join_all(asked).await;
        let mut left_out = 0;
        if self.config.topology.mode == Mode::Cluster {
            let found = found(&nodes);
            let room = MOST_NODES.saturating_sub(nodes.len());
            let room = if self.cx.is_over() { 0 } else { room };
            left_out = u64::try_from(found.len().saturating_sub(room)).unwrap_or(u64::MAX);
            let found: Vec<(Entry, String)> = found.into_iter().take(room).collect();
            let asked = found
                .iter()
                .map(|(entry, by)| self.node(entry, Some(by.clone())));
            nodes.extend(join_all(asked).await);
        }
        Looked { nodes, left_out }
    }

    /// The door to a node: its address may ask for TLS, or for none.
    pub fn door(&self, entry: &Entry) -> &Door {
        if entry.tls == Some(false) || !self.config.uses_tls() {
            &self.plain
        } else {
            &self.door
        }
    }

    async fn node(&self, entry: &Entry, told_by: Option<String>) -> NodeRecord {
        let begun = Instant::now();
        let limit = (begun + self.config.node_timeout.0).min(self.cx.deadline());
        let mut record = NodeRecord {
            address: entry.address.to_string(),
            told_by,
            took_s: 0.0,
            contact: Contact::Answered,
            ping: Said::Nothing,
            cluster: Said::Nothing,
            view: Said::Nothing,
            info: Said::Nothing,
            settings: Said::Nothing,
        };
        let mut phase = Phase::Connect;
        let talk = self.converse(entry, &mut record, &mut phase);
        match timeout_at(limit, talk).await {
            Ok(Ok(())) => {}
            Ok(Err(contact)) => record.contact = contact,
            Err(_) => {
                let waited = begun.elapsed().as_millis();
                record.contact = Contact::Silent(Silence {
                    phase,
                    waited_ms: u64::try_from(waited).unwrap_or(u64::MAX),
                });
            }
        }
        record.took_s = seconds(begun.elapsed());
        record
    }

    async fn converse(
        &self,
        entry: &Entry,
        record: &mut NodeRecord,
        phase: &mut Phase,
    ) -> Result<(), Contact> {
        let mut link = self.door(entry).open(&entry.address, phase).await?;
        *phase = Phase::Ping;
        let asked = Instant::now();
        record.ping = match link.ask(&["PING"], self.cx).await {
            Ok(value) if text(&value).as_deref() == Some("PONG") => {
                Said::Value(seconds(asked.elapsed()))
            }
            Ok(value) => Said::Nonsense(nonsense(&value)),
            Err(Fault::Denied(denial)) if shuts_out(&denial) => {
                return Err(Contact::Refused(denial));
            }
            Err(Fault::Denied(denial)) => Said::Error(denial),
            Err(Fault::Lost(contact)) => return Err(contact),
        };
        *phase = Phase::Ask;
        match self.facts(&mut link, record).await {
            // A server that has no room says so and hangs up; what it said is the fact.
            Err(_) if record.ping.error().is_some() => Ok(()),
            other => other,
        }
    }

    async fn facts(&self, link: &mut Link, record: &mut NodeRecord) -> Result<(), Contact> {
        let cx = self.cx;
        record.info = read(link.ask(&["INFO"], cx).await, |t| {
            parse::info(t).map(Box::new)
        })?;
        if self.config.topology.mode == Mode::Cluster {
            record.cluster = read(
                link.ask(&["CLUSTER", "INFO"], cx).await,
                parse::cluster_info,
            )?;
            record.view = read(link.ask(&["CLUSTER", "NODES"], cx).await, parse::peers)?;
        }
        record.settings = settings(link, self.config.topology.mode, cx).await?;
        Ok(())
    }
}

/// NOAUTH and its like end the conversation: nothing can be told of this node.
pub(crate) fn shuts_out(denial: &Denial) -> bool {
    matches!(denial.code.as_str(), "NOAUTH" | "WRONGPASS" | "DENIED")
}

fn read<T>(
    answer: Result<Value, Fault>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Said<T>, Contact> {
    match answer {
        Ok(value) => {
            let parsed = text(&value).and_then(|text| parse(&text));
            Ok(parsed.map_or_else(|| Said::Nonsense(nonsense(&value)), Said::Value))
        }
        Err(Fault::Denied(denial)) => Ok(Said::Error(denial)),
        Err(Fault::Lost(contact)) => Err(contact),
    }
}

/// Asked for one by one: `CONFIG GET *` would bring passwords along, and a list of names is new
/// in 7.0. The first no is the last question.
async fn settings(link: &mut Link, mode: Mode, cx: &Cx) -> Result<Said<Settings>, Contact> {
    let mut settings = Settings::default();
    let mut names = vec!["min-replicas-to-write", "save"];
    if mode == Mode::Cluster {
        names.push("cluster-require-full-coverage");
    }
    for name in names {
        let value = match link.ask(&["CONFIG", "GET", name], cx).await {
            Ok(Value::Array(pair)) => pair.get(1).and_then(text),
            Ok(Value::Map(pairs)) => pairs.first().and_then(|(_, value)| text(value)),
            Ok(_) => None,
            Err(Fault::Denied(denial)) => return Ok(Said::Error(denial)),
            Err(Fault::Lost(contact)) => return Err(contact),
        };
        match name {
            "min-replicas-to-write" => settings.min_replicas = value.and_then(|v| v.parse().ok()),
            "save" => settings.save = value.map(|v| excerpt(&v, 200)),
            _ => settings.full_coverage = value.map(|v| v == "yes"),
        }
    }
    Ok(Said::Value(settings))
}

/// Nodes that an answering node knows of, and that were not asked yet: the entry, and who told.
/// Handshakes have a temporary id, and their address may be anything; they are judged, not dialled.
fn found(nodes: &[NodeRecord]) -> Vec<(Entry, String)> {
    let views = || {
        nodes
            .iter()
            .filter_map(|n| n.view.value().map(|view| (n, view)))
    };
    let answered: BTreeSet<&str> = views()
        .flat_map(|(_, view)| view)
        .filter(|p| p.is("myself"))
        .map(|p| p.id.as_str())
        .collect();
    let asked: BTreeSet<&str> = nodes.iter().map(|n| n.address.as_str()).collect();
    let mut found = BTreeMap::new();
    for (node, view) in views() {
        for peer in view {
            let Some(address) = peer.address.as_deref().and_then(|a| Entry::parse(a).ok()) else {
                continue;
            };
            let named = peer.hostname.clone().map(|host| {
                let port = address.address.port;
                Address { host, port }.to_string()
            });
            let known = answered.contains(peer.id.as_str())
                || asked.contains(address.address.to_string().as_str())
                || named.is_some_and(|name| asked.contains(name.as_str()));
            if !known && !peer.is("handshake") && !peer.is("noaddr") {
                let by = || (address.clone(), node.address.clone());
                found.entry(address.address.clone()).or_insert_with(by);
            }
        }
    }
    found.into_values().collect()
}

/// Text of any reply that carries one.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}

fn nonsense(value: &Value) -> String {
    text(value).map_or_else(
        || "a reply of another kind".to_owned(),
        |text| excerpt(text.trim(), 100),
    )
}

/// Rounded to microseconds, so that records stay readable.
pub(crate) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
