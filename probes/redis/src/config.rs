//! The `with` block of a `redis` gate.

use std::{collections::BTreeMap, time::Duration};

use readygate_sdk::{ConfigError, Period, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{address::Entry, switch::Switch};

/// Which servers, and what they are meant to be together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// Addresses: `10.0.0.1:7000`, `redis://cache:6379`, `rediss://cache:6380` (TLS). Best all of
    /// them: a node that the others have forgotten is found only if it is named here. In mode
    /// `cluster` the nodes that these know of are asked too.
    pub nodes: Vec<String>,
    /// User of the ACL; without it the password is that of the default user.
    #[serde(default)]
    pub username: Option<String>,
    /// Password; take it from the environment. Without `username` an empty one is none:
    /// `${REDIS_PASSWORD:-}` also fits servers that ask for no password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// TLS: `true` trusts the authorities of the system; `{ ca: ca.pem }` those of a file.
    #[serde(default)]
    pub tls: Switch<RedisTls>,
    /// What the servers are meant to be together.
    #[serde(default)]
    pub topology: Topology,
    /// How long something that may pass by itself (an election, a link that comes up) may take
    /// until it counts. What needed it is reported.
    #[serde(default = "ten_seconds")]
    pub settle: Period,
    /// How long one node may take for all its answers.
    #[serde(default = "two_seconds")]
    pub node_timeout: Period,
    /// What the data is for. A `cache` may lose keys and should find most of them; a `store` may
    /// not lose any. Without it neither is judged.
    #[serde(default)]
    pub role: Option<Role>,
    /// How the hit rate is measured.
    #[serde(default)]
    pub hit_rate: HitRate,
    /// The oldest that the last RDB snapshot of a master may be. Without it the age is not judged.
    #[serde(default)]
    pub max_snapshot_age: Option<Period>,
    /// Which machine (rack, zone) an address is on, where the address does not show it:
    /// `{"10.0.0.1:7000": rack-a}`. A key is `host:port` or `host`.
    #[serde(default)]
    pub hosts: BTreeMap<String, String>,
    /// Makes a replica take over from its master while keys are written, and hands back. Makes
    /// the gate disruptive: the target must allow it by name.
    #[serde(default)]
    pub drill: Switch<Drill>,
}

const fn ten_seconds() -> Period {
    Period(Duration::from_secs(10))
}

const fn two_seconds() -> Period {
    Period(Duration::from_secs(2))
}

/// Whom to trust, and who we are.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisTls {
    /// PEM file of certificate authorities that are trusted, in place of those of the system.
    pub ca: Option<String>,
    /// PEM file of the client's certificate (chain), for servers that ask for one.
    pub cert: Option<String>,
    /// PEM file of the client's private key.
    pub key: Option<String>,
    /// Name that the certificates must be for, where it is not the host of the address.
    pub server_name: Option<String>,
}

/// The wanted topology.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Topology {
    /// How the servers belong together.
    pub mode: Mode,
    /// How many nodes there must be; as many as `nodes` lists, unless it says otherwise.
    pub nodes: Option<u16>,
    /// How many masters with slots there must be; without it, at least three.
    pub masters: Option<u16>,
    /// How many usable replicas every master must have.
    #[serde(default = "one")]
    pub replicas_per_master: One,
}

/// A count that is one unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct One(pub u16);

impl Default for One {
    fn default() -> Self {
        Self(1)
    }
}

const fn one() -> One {
    One(1)
}

/// How servers belong together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One Redis Cluster.
    #[default]
    Cluster,
    /// One master and its replicas, without a cluster.
    Replication,
    /// Servers that know nothing of each other.
    Standalone,
}

/// What the data is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Copies of what is elsewhere.
    Cache,
    /// The only copy.
    Store,
}

/// How the hit rate is measured: what the counters of all nodes gain within a window.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HitRate {
    /// The shortest time between the first look and the last; `0s` measures none.
    pub window: Period,
    /// Fewer look-ups than this in the window say nothing.
    pub min_lookups: u64,
}

impl Default for HitRate {
    fn default() -> Self {
        Self {
            window: Period(Duration::from_secs(5)),
            min_lookups: 1_000,
        }
    }
}

/// How the failover drill is held.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drill {
    /// The replica that takes over (`host:port`); without it, the first that can.
    pub replica: Option<String>,
    /// How long the cluster may take until every node is well again.
    pub within: Period,
    /// The longest time that writes may not get through. Without it the gap is measured only.
    pub max_gap: Option<Period>,
    /// Whether the old master gets its role back afterwards.
    pub restore: bool,
}

impl Default for Drill {
    fn default() -> Self {
        Self {
            replica: None,
            within: Period(Duration::from_secs(10)),
            max_gap: None,
            restore: true,
        }
    }
}

/// Nodes of the config at most.
const MOST_NODES: usize = 200;

impl RedisConfig {
    /// What is logged in with. A default user without a password refuses an empty one; a user of the
    /// ACL with `nopass` takes it.
    pub(crate) fn password(&self) -> Option<&Secret> {
        let password = self.password.as_ref();
        password.filter(|p| self.username.is_some() || !p.expose().is_empty())
    }

    /// The addresses, read; entries that cannot be read are `validate`'s.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entries = self.nodes.iter().filter_map(|text| Entry::parse(text).ok());
        entries.collect()
    }

    /// How many nodes there must be.
    pub(crate) fn wanted_nodes(&self) -> u64 {
        let listed = u64::try_from(self.nodes.len()).unwrap_or(u64::MAX);
        self.topology.nodes.map_or(listed, u64::from)
    }

    /// Whether connections are made over TLS, unless an address says otherwise.
    pub(crate) fn uses_tls(&self) -> bool {
        self.tls.get().is_some() || self.entries().iter().any(|e| e.tls == Some(true))
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        self.check_nodes(&mut error);
        self.check_access(&mut error);
        self.check_topology(&mut error);
        if self.node_timeout.0.is_zero() {
            error.add(
                "/node_timeout",
                "no node answers in no time",
                Some("node_timeout: 2s"),
            );
        }
        error.into_result()
    }

    fn check_nodes(&self, error: &mut ConfigError) {
        if self.nodes.is_empty() {
            error.add(
                "/nodes",
                "no node is given",
                Some("nodes: [\"10.0.0.1:6379\"]"),
            );
        }
        if self.nodes.len() > MOST_NODES {
            error.add("/nodes", format!("more than {MOST_NODES} nodes"), None);
        }
        let mut seen = Vec::new();
        for (index, text) in self.nodes.iter().enumerate() {
            let pointer = format!("/nodes/{index}");
            match Entry::parse(text) {
                Err(problem) => {
                    let hint = if problem.starts_with("credentials") {
                        "use `username` and `password`, which are masked in every output"
                    } else {
                        "write 10.0.0.1:6379, redis://cache:6379 or rediss://cache:6380"
                    };
                    error.add(pointer, problem, Some(hint));
                }
                Ok(entry) if seen.contains(&entry.address) => {
                    let message = format!("`{}` is listed twice", entry.address);
                    error.add(pointer, message, None);
                }
                Ok(entry) if entry.tls == Some(false) && self.tls.get().is_some() => {
                    let message = "`redis://` asks for no TLS, and `tls` is on";
                    error.add(pointer, message, Some("write rediss://, or host:port"));
                }
                Ok(entry) => seen.push(entry.address),
            }
        }
    }

    fn check_access(&self, error: &mut ConfigError) {
        if self.username.is_some() && self.password.is_none() {
            error.add(
                "/username",
                "a user without a password",
                Some("add `password`"),
            );
        }
        if let Some(tls) = self.tls.get()
            && tls.cert.is_some() != tls.key.is_some()
        {
            let message = "`cert` and `key` go together";
            error.add("/tls", message, Some("give both, or none"));
        }
    }

    fn check_topology(&self, error: &mut ConfigError) {
        let Topology {
            mode,
            nodes,
            masters,
            ..
        } = self.topology;
        if mode == Mode::Cluster && self.nodes.len() == 1 && nodes.is_none() {
            error.add(
                "/topology/nodes",
                "one node cannot say how many there should be",
                Some("list all nodes, or say topology: { nodes: 6 }"),
            );
        }
        let listed = nodes.is_some_and(|n| usize::from(n) < self.nodes.len());
        if listed {
            error.add("/topology/nodes", "fewer than `nodes` lists", None);
        }
        if nodes == Some(0) || masters == Some(0) {
            error.add("/topology", "a topology of nothing", None);
        }
        if let (Some(nodes), Some(masters)) = (nodes, masters)
            && masters > nodes
        {
            error.add("/topology/masters", "more masters than nodes", None);
        }
        if mode != Mode::Cluster {
            self.check_no_cluster(error);
        } else if let Some(Err(problem)) = self
            .drill
            .get()
            .and_then(|d| d.replica.as_deref())
            .map(Entry::parse)
        {
            error.add("/drill/replica", problem, Some("write host:port"));
        }
    }

    fn check_no_cluster(&self, error: &mut ConfigError) {
        if self
            .topology
            .nodes
            .is_some_and(|n| usize::from(n) != self.nodes.len())
        {
            error.add(
                "/topology/nodes",
                "without a cluster every node must be listed in `nodes`",
                None,
            );
        }
        if self.topology.masters.is_some() {
            error.add(
                "/topology/masters",
                "only a cluster has several masters",
                None,
            );
        }
        if self.drill.get().is_some() {
            let message = "a failover drill needs a cluster";
            error.add("/drill", message, Some("topology: { mode: cluster }"));
        }
        if self.topology.mode == Mode::Replication && self.nodes.len() < 2 {
            let message = "a master and its replicas are at least two nodes";
            error.add("/nodes", message, Some("topology: { mode: standalone }"));
        }
    }
}
