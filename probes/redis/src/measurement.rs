//! What a measurement holds: what each node said, and no opinion.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Mode;

/// What every node said of itself and of the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RedisMeasurement {
    /// When the last look was taken.
    pub taken_at: Timestamp,
    /// What the gate took the servers for.
    pub mode: Mode,
    /// How it came to rest.
    pub settle: SettleRecord,
    /// One for each node, as of the last look: the configured ones first, in their order.
    pub nodes: Vec<NodeRecord>,
    /// Addresses that were left out because there were too many.
    pub left_out: u64,
    /// What happened between the first look and the last.
    pub window: WindowRecord,
    /// The failover drill, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillRecord>,
}

/// Looks are repeated while something is wrong that may pass by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettleRecord {
    /// How often every node was asked.
    pub looks: u32,
    /// Whether nothing was wrong in the last look.
    pub well: bool,
    /// Seconds from the first look to the end of the last one that something was wrong in; 0 when
    /// the first was fine.
    pub seconds: f64,
    /// What was wrong in the first look: `rule subject`.
    pub first: Vec<String>,
}

/// What one node said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeRecord {
    /// Where it was asked: `host:port`.
    pub address: String,
    /// The node whose list named it; absent for nodes of the config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_by: Option<String>,
    /// Seconds from dialling to the last answer.
    pub took_s: f64,
    /// How far the conversation came.
    pub contact: Contact,
    /// PING; seconds to the answer.
    pub ping: Said<f64>,
    /// CLUSTER INFO, all fields that are numbers or words.
    pub cluster: Said<ClusterInfo>,
    /// CLUSTER NODES: whom it knows.
    pub view: Said<Vec<Peer>>,
    /// INFO.
    pub info: Said<Box<Info>>,
    /// CONFIG GET of the few settings that matter.
    pub settings: Said<Settings>,
}

/// How far a conversation came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// The server answers commands.
    Answered,
    /// Nothing accepts a connection there.
    Down(String),
    /// It accepts, and did not answer in time.
    Silent(Silence),
    /// It accepts, and closes the connection before it answers.
    Closed(String),
    /// TLS could not be agreed on.
    Tls(String),
    /// The server does not let us in.
    Refused(Denial),
}

/// Where a server stopped answering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// What was asked of it.
    pub phase: Phase,
    /// Milliseconds that it was given.
    pub waited_ms: u64,
}

/// The steps of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Name look-up and TCP.
    Connect,
    /// TLS handshake.
    Tls,
    /// AUTH.
    Auth,
    /// PING.
    Ping,
    /// INFO and the rest.
    Ask,
}

/// An error reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Denial {
    /// Its first word: `NOAUTH`, `LOADING`, `MISCONF`, `ERR`.
    pub code: String,
    /// The rest.
    pub message: String,
}

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Said<T> {
    /// What it said.
    Value(T),
    /// It said no.
    Error(Denial),
    /// It said something else than what the command answers.
    Nonsense(String),
    /// It was not asked, or did not answer.
    Nothing,
}

impl<T> Said<T> {
    /// What it said.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The error reply.
    pub fn error(&self) -> Option<&Denial> {
        match self {
            Self::Error(denial) => Some(denial),
            _ => None,
        }
    }
}

/// CLUSTER INFO.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterInfo {
    /// `cluster_state`: `ok` or `fail`.
    pub state: Option<String>,
    /// `cluster_slots_assigned`
    pub slots_assigned: Option<u64>,
    /// `cluster_slots_ok`
    pub slots_ok: Option<u64>,
    /// `cluster_slots_pfail`
    pub slots_pfail: Option<u64>,
    /// `cluster_slots_fail`
    pub slots_fail: Option<u64>,
    /// `cluster_known_nodes`
    pub known_nodes: Option<u64>,
    /// `cluster_size`: masters with slots
    pub size: Option<u64>,
    /// `cluster_current_epoch`
    pub current_epoch: Option<u64>,
}

/// One line of CLUSTER NODES.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Peer {
    /// 40 hex digits.
    pub id: String,
    /// `host:port` for clients, unless it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Announced host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`, `noaddr`, `nofailover`.
    pub flags: Vec<String>,
    /// Id of its master.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// Config epoch.
    pub epoch: u64,
    /// Whether the link of the cluster bus to it is up.
    pub linked: bool,
    /// Hash slots that it serves, as ranges with both ends.
    pub slots: Vec<(u16, u16)>,
    /// Slots on their way in or out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenSlot>,
}

impl Peer {
    /// Whether it carries this flag, as a whole word.
    pub fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    /// How many slots it serves.
    pub fn slot_count(&self) -> u64 {
        let sizes = self.slots.iter();
        sizes
            .map(|(from, to)| u64::from(to.saturating_sub(*from)) + 1)
            .sum()
    }
}

/// A slot that is being moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenSlot {
    /// Which.
    pub slot: u16,
    /// Out of this node (`migrating`) or into it (`importing`).
    pub direction: Direction,
    /// Id of the other node.
    pub peer: String,
}

/// Which way a slot moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Out.
    Migrating,
    /// In.
    Importing,
}

/// The fields of INFO that the rules and metrics read. Services and older versions lack some.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Info {
    /// `redis`, `valkey`, `dragonfly`, `keydb`
    pub server: String,
    /// Its own version; Valkey's, not the one it pretends for compatibility.
    pub version: Option<String>,
    /// `cluster`, `standalone`, `sentinel`
    pub mode: Option<String>,
    /// Changes with every start.
    pub run_id: Option<String>,
    /// Seconds since its start.
    pub uptime_s: Option<u64>,
    /// Replication.
    pub replication: Replication,
    /// Whether the data set is being read from disk.
    pub loading: Option<bool>,
    /// Seconds until it is read.
    pub loading_eta_s: Option<u64>,
    /// Persistence.
    pub persistence: Persistence,
    /// Memory.
    pub memory: Memory,
    /// Counters since the start.
    pub stats: Stats,
    /// Counts of error replies since the start, by code.
    pub errors: BTreeMap<String, u64>,
    /// Client connections.
    pub clients: Option<u64>,
    /// The most client connections.
    pub max_clients: Option<u64>,
}

/// INFO replication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Replication {
    /// `master` or `slave`
    pub role: Option<String>,
    /// Id of the replication history.
    pub replid: Option<String>,
    /// Bytes of the replication stream: written by a master, applied by a replica.
    pub offset: Option<u64>,
    /// Bytes of the stream that a master keeps for replicas that come back.
    pub backlog_bytes: Option<u64>,
    /// A replica's master.
    pub master: Option<String>,
    /// `up` or `down`
    pub link: Option<String>,
    /// Seconds since the replica heard of its master.
    pub last_io_s: Option<u64>,
    /// Whether a full copy is under way.
    pub syncing: Option<bool>,
    /// How many replicas a master has.
    pub connected_replicas: Option<u64>,
    /// They.
    pub replicas: Vec<AttachedReplica>,
    /// Replicas that are good enough for `min-replicas-to-write`; present when that is set.
    pub good_replicas: Option<u64>,
}

/// A replica as its master sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttachedReplica {
    /// Where the master sees it.
    pub address: String,
    /// `online`, `wait_bgsave`, `send_bulk`
    pub state: String,
    /// Bytes that it has acknowledged.
    pub offset: u64,
    /// Seconds since its last acknowledgement.
    pub lag_s: u64,
}

/// INFO persistence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Persistence {
    /// `ok` or `err`
    pub rdb_status: Option<String>,
    /// Unix seconds of the last save; of the start when there was none.
    pub rdb_last_save: Option<i64>,
    /// Saves since the start (7.0 and later).
    pub rdb_saves: Option<u64>,
    /// Writes since the last save.
    pub rdb_changes: Option<u64>,
    /// Whether the append-only file is on.
    pub aof: Option<bool>,
    /// `ok` or `err`
    pub aof_write_status: Option<String>,
    /// `ok` or `err`
    pub aof_rewrite_status: Option<String>,
}

/// INFO memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Memory {
    /// Bytes in use.
    pub used: Option<u64>,
    /// `maxmemory` in bytes; 0 is no limit.
    pub max: Option<u64>,
    /// `maxmemory-policy`
    pub policy: Option<String>,
    /// `allocator_frag_ratio`, or `mem_fragmentation_ratio` where that is missing.
    pub fragmentation: Option<f64>,
    /// Resident bytes over used bytes; below 1 the system swaps.
    pub resident: Option<f64>,
}

/// INFO stats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Stats {
    /// Key look-ups that found the key.
    pub hits: Option<u64>,
    /// Key look-ups that did not.
    pub misses: Option<u64>,
    /// Keys thrown out because of `maxmemory`.
    pub evicted: Option<u64>,
    /// Connections refused because of `maxclients`.
    pub rejected: Option<u64>,
}

/// CONFIG GET.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// `cluster-require-full-coverage`
    pub full_coverage: Option<bool>,
    /// `min-replicas-to-write`
    pub min_replicas: Option<u64>,
    /// `save`
    pub save: Option<String>,
}

/// What the counters of all nodes gained between the first look and the last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowRecord {
    /// Seconds between the two; 0 when there was one look only.
    pub seconds: f64,
    /// Nodes that were counted: asked twice, and not restarted in between.
    pub nodes: u64,
    /// Look-ups that found the key.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Below this many look-ups there is no hit rate.
    pub min_lookups: u64,
    /// Keys thrown out, by node, where any were.
    pub evicted: BTreeMap<String, u64>,
    /// Connections refused, by node, where any were.
    pub rejected: BTreeMap<String, u64>,
}

/// What a failover drill did and saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DrillRecord {
    /// Why it could not be held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_held: Option<Denial>,
    /// Each hand-over, in order: there, and back.
    pub handovers: Vec<Handover>,
}

/// One `CLUSTER FAILOVER`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Handover {
    /// The replica that was promoted.
    pub replica: String,
    /// The master that it took over from.
    pub master: String,
    /// Seconds until the replica called itself master; absent when it never did.
    pub promoted_after_s: Option<f64>,
    /// The longest time between two acknowledged writes to the shard, in seconds; absent when
    /// writes did not come back.
    pub write_gap_s: Option<f64>,
    /// Acknowledged writes.
    pub writes: u64,
    /// Distinct errors that the writer got, at most ten.
    pub errors: Vec<String>,
    /// Seconds until every node was well again; absent when they were not within the time.
    pub healthy_after_s: Option<f64>,
    /// What was still wrong when the time was over: `rule subject: message`.
    pub wrong: Vec<String>,
}
