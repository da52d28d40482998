//! What `measure` brings back: facts, no opinion, no secret.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One look at a replica set, member by member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MongodbMeasurement {
    /// What the URI says.
    pub uri: UriFacts,
    /// Every member that was asked, each by itself: seeds, declared hosts, members of the config.
    pub nodes: Vec<NodeRecord>,
    /// Host names of the set's config that no member was asked under, dialled from here.
    #[serde(default)]
    pub dials: Vec<DialRecord>,
    /// The set as an application finds it; absent where no member answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientRecord>,
    /// How often it was looked, and why.
    pub settle: SettleRecord,
    /// Declared indexes that are missing, unfinished or different on a member; absent where none is
    /// declared, or a member could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indexes_missing: Option<u64>,
    /// The migrations recorded as applied; absent where none are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<Answer<MigrationsRecord>>,
    /// The failover on purpose; absent where none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillRecord>,
}

/// What the URI says, without user and password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UriFacts {
    /// `host:port` of every seed; SRV records are looked up.
    pub seeds: Vec<String>,
    /// Whether it is `mongodb+srv://`.
    #[serde(default)]
    pub srv: bool,
    /// `replicaSet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_set: Option<String>,
    /// `directConnection=true`.
    #[serde(default)]
    pub direct: bool,
    /// Whether connections are encrypted.
    #[serde(default)]
    pub tls: bool,
    /// Whether we log in.
    #[serde(default)]
    pub credentials: bool,
    /// `readPreference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_preference: Option<String>,
    /// `w`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_concern: Option<String>,
    /// `maxPoolSize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pool_size: Option<u32>,
    /// `retryWrites`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_writes: Option<bool>,
}

/// One member, asked directly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeRecord {
    /// `host:port` under which it was asked.
    pub host: String,
    /// Whether the user named it (seed or `hosts`), or the set's config did.
    pub named: bool,
    /// How far we got.
    pub reach: Reach,
    /// How our credentials were taken.
    pub login: Login,
    /// From dialling to the last answer, in milliseconds.
    pub took_ms: f64,
    /// Its clock minus ours, at the middle of the question, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_s: Option<f64>,
    /// Who it says it is; needs no privilege.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
    /// `replSetGetStatus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Answer<Status>>,
    /// `replSetGetConfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Answer<SetConfig>>,
    /// `serverStatus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Answer<ServerFacts>>,
    /// First and last entry of the oplog, and its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oplog: Option<Answer<Oplog>>,
    /// Feature compatibility version: `6.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fcv: Option<Answer<String>>,
    /// `currentOp`, filtered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Answer<Operations>>,
    /// Profiler settings of the databases that the config names.
    #[serde(default)]
    pub profilers: Vec<ProfilerRecord>,
    /// Indexes of the collections that the config names.
    #[serde(default)]
    pub indexes: Vec<IndexesRecord>,
    /// Where it was once everyone had been asked; lag is counted from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Progress>,
}

/// How far a connection got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Reach {
    /// It answered `hello`.
    Answered,
    /// The time was up before it was its turn.
    NotAsked,
    /// The port is closed.
    Refused {
        /// What the system said.
        message: String,
    },
    /// The name does not resolve.
    Unresolved {
        /// What the resolver said.
        message: String,
    },
    /// Nothing came back from the network.
    Unroutable {
        /// What the system said.
        message: String,
    },
    /// It accepted the connection and did not answer.
    Hung {
        /// How long it was waited for, in seconds.
        waited_s: f64,
    },
    /// It closes every connection at once: out of connections, or no MongoDB at all.
    Closed {
        /// What the driver said.
        message: String,
    },
    /// TLS did not come about. Says nothing about the member's health.
    Tls {
        /// In which way.
        problem: TlsProblem,
        /// What the driver said.
        message: String,
    },
    /// Something else.
    Failed {
        /// What the driver said.
        message: String,
    },
}

/// Why TLS did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TlsProblem {
    /// It speaks TLS only, we did not.
    Required,
    /// We spoke TLS, it does not.
    NotSpoken,
    /// Its certificate is not signed by an authority that we trust, is expired, ...
    Untrusted,
    /// Its certificate is for other names.
    WrongName,
    /// It wants a certificate of ours.
    ClientCertificate,
    /// Our own certificate files are unreadable.
    OurFiles,
}

/// How our credentials were taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Login {
    /// None were sent.
    Anonymous,
    /// They were accepted.
    Accepted,
    /// They were rejected; what follows was asked without.
    Rejected {
        /// What the server said.
        message: String,
    },
}

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer<T> {
    /// It came.
    Got {
        /// What it says.
        value: T,
    },
    /// The server refused it.
    Refused {
        /// Error code of the server: 13 not authorised, 76 no replication, 93 not a member, 94 not
        /// initiated.
        code: i32,
        /// Name of the code.
        name: String,
        /// What the server said.
        message: String,
    },
    /// It did not come, in time or at all.
    Lost {
        /// What happened.
        message: String,
    },
}

impl<T> Answer<T> {
    /// The answer, if it came.
    pub fn got(&self) -> Option<&T> {
        match self {
            Self::Got { value } => Some(value),
            _ => None,
        }
    }

    /// The error code of the server, if it refused.
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// A position in the oplog.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct OpTime {
    /// Seconds since 1970, on the clock of the primary that wrote it.
    pub seconds: u32,
    /// Counter within the second.
    pub increment: u32,
}

impl OpTime {
    /// How far `self` is behind `other`, in seconds; 0 when it is not.
    pub fn behind(self, other: Self) -> f64 {
        f64::from(other.seconds.saturating_sub(self.seconds))
    }
}

/// `hello`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// Name of its set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_name: Option<String>,
    /// Its own name in the set's config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub me: Option<String>,
    /// Who it takes for the primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Whether it accepts writes.
    pub writable: bool,
    /// Whether it is a secondary.
    pub secondary: bool,
    /// Whether it is an arbiter.
    #[serde(default)]
    pub arbiter: bool,
    /// Whether it is a `mongos`.
    #[serde(default)]
    pub mongos: bool,
    /// Members that it tells applications of: hosts, passives and arbiters, not hidden ones.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Arbiters among them.
    #[serde(default)]
    pub arbiters: Vec<String>,
    /// Election that made it primary; the higher one is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub election: Option<String>,
    /// Its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_time: Option<Timestamp>,
    /// Last write that it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<OpTime>,
    /// Last write that it knows to be on a majority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<OpTime>,
}

/// Where a member is in the oplog.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Last write that it applied.
    pub applied: OpTime,
    /// Last write that it knows to be on a majority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<OpTime>,
}

/// `replSetGetStatus`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Its own state: 1 primary, 2 secondary, 7 arbiter; 0, 3, 5, 6, 8, 9, 10 are none of these.
    pub state: i32,
    /// Election term.
    pub term: i64,
    /// Its clock at the answer.
    pub date: Timestamp,
    /// Data-bearing voters that a majority write waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_majority: Option<u32>,
    /// Members with a vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voting: Option<u32>,
    /// Members with a vote and data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writable_voting: Option<u32>,
    /// Last write that it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<OpTime>,
    /// Last write on a majority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<OpTime>,
    /// The election that it won last, since it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub election: Option<Election>,
    /// Progress of an initial sync, as the server words it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_sync: Option<String>,
    /// Every member as this one sees it.
    pub members: Vec<MemberView>,
}

/// An election that a member won.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Election {
    /// When.
    pub at: Timestamp,
    /// Which term it began; 1 is the first of the set's life.
    pub term: i64,
    /// Why: `electionTimeout`, `stepUpRequest`, `priorityTakeover`, ...
    pub reason: String,
}

/// A member as another one (or itself) sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberView {
    /// `host:port` in the set's config.
    pub name: String,
    /// Whether this is the answering member itself.
    pub me: bool,
    /// State by number.
    pub state: i32,
    /// State by name.
    pub state_name: String,
    /// 1 up, 0 down; from heartbeats, thus late.
    pub health: i32,
    /// When its last heartbeat came in, by the clock of the answering member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Timestamp>,
    /// What the last heartbeat said.
    #[serde(default)]
    pub message: String,
}

/// `replSetGetConfig`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetConfig {
    /// Name of the set.
    pub name: String,
    /// Version of the config.
    pub version: i64,
    /// Term of the config; version and term order configs.
    pub term: i64,
    /// Its members.
    pub members: Vec<MemberConfig>,
    /// Between two heartbeats, in milliseconds.
    pub heartbeat_interval_ms: i64,
    /// Without a heartbeat for so long, a member counts as down; in seconds.
    pub heartbeat_timeout_s: i64,
}

/// One member of the config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberConfig {
    /// `host:port` under which the members and the applications know it.
    pub host: String,
    /// Votes and holds no data.
    pub arbiter: bool,
    /// Not shown to applications.
    pub hidden: bool,
    /// 0 cannot become primary.
    pub priority: f64,
    /// 0 or 1.
    pub votes: i32,
    /// Applies what happened so many seconds ago.
    pub delay_s: i64,
    /// Whether it builds indexes other than that on `_id`.
    pub build_indexes: bool,
}

/// `serverStatus`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerFacts {
    /// `6.0.5`.
    pub version: String,
    /// Since it started, in seconds.
    pub uptime_s: f64,
    /// Connections in use.
    pub connections: i64,
    /// Connections that are left; may be negative.
    pub available: i64,
    /// Elections that it won since it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elections_won: Option<u64>,
}

/// The oplog of a member.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Oplog {
    /// Its oldest entry.
    pub first: OpTime,
    /// Its newest entry.
    pub last: OpTime,
    /// Bytes in it.
    pub size: u64,
    /// Bytes that it may hold.
    pub max_size: u64,
}

/// `currentOp`, filtered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Operations {
    /// Whether writes are blocked by `fsyncLock`.
    pub fsync_locked: bool,
    /// Index builds under way, the first twenty: `shop.orders: Index Build: 40 %`.
    pub index_builds: Vec<String>,
}

/// Profiler and slow query log of one database on one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilerRecord {
    /// Which database.
    pub database: String,
    /// Its settings.
    pub settings: Answer<Profiler>,
}

/// `{ profile: -1 }`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profiler {
    /// 0 off, 1 slow operations, 2 all operations. The log has slow operations in any case.
    pub level: i32,
    /// From how many milliseconds an operation is slow.
    pub slow_ms: i64,
    /// Share of the slow operations that is logged, 0 to 1.
    pub sample_rate: f64,
}

/// Indexes of one collection on one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IndexesRecord {
    /// Database and collection.
    pub collection: String,
    /// Its indexes, the first hundred; none where there is no such collection.
    pub indexes: Answer<Vec<IndexRecord>>,
}

/// One index on one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IndexRecord {
    /// Its name.
    pub name: String,
    /// Its keys, in order, each with its direction: `[["at", "-1"]]`.
    pub keys: Vec<(String, String)>,
    /// Whether it is unique.
    #[serde(default)]
    pub unique: bool,
    /// Whether it leaves out documents without the keys.
    #[serde(default)]
    pub sparse: bool,
    /// Whether queries may not use it.
    #[serde(default)]
    pub hidden: bool,
    /// Whether it is still being built.
    #[serde(default)]
    pub building: bool,
    /// Time to live of the documents, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<i64>,
    /// Its filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial_filter: Option<serde_json::Value>,
}

/// A host name of the set's config, tried from here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DialRecord {
    /// `host:port` in the set's config.
    pub host: String,
    /// What is wrong with it; absent where it accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What an application gets that connects to the set as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientRecord {
    /// Name of the set that was asked for.
    pub replica_set: String,
    /// Until the primary answered, in milliseconds.
    pub took_ms: f64,
    /// Why it did not; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// How often it was looked, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettleRecord {
    /// How many times every member was asked.
    pub looks: u32,
    /// From the first look to the last, in seconds.
    pub after_s: f64,
    /// What was wrong at the first look and could pass by itself, the first ten.
    pub at_first: Vec<String>,
}

/// The migrations that the database has recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationsRecord {
    /// Those of the expected names that are there, and the last twenty of the others.
    pub applied: Vec<String>,
    /// How many there are.
    pub total: u64,
    /// How many of the expected ones are not there.
    pub missing: u64,
}

/// A failover on purpose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DrillRecord {
    /// The primary before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The primary afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Why it was not begun; absent where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_begun: Option<String>,
    /// Why the primary did not step down; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_stepped_down: Option<String>,
    /// From the last acknowledged write before to the first one after, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_gap_s: Option<f64>,
    /// From the step-down until every member was well again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_after_s: Option<f64>,
    /// What was still wrong at the end.
    #[serde(default)]
    pub left: Vec<String>,
    /// Acknowledged writes.
    pub writes: u64,
}
