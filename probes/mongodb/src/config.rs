//! The `with` block of a `mongodb` gate.

mod keys;
mod validate;

use std::time::Duration;

use readygate_sdk::{ConfigError, Period, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

pub use keys::{Direction, Keys};

/// Which replica set, what it should look like, and how long it may take to look like it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MongodbConfig {
    /// Connection string, `mongodb://` or `mongodb+srv://`. Take it from the environment:
    /// `${MONGODB_URI}`. Every seed is asked directly; the role `clusterMonitor` is enough.
    pub uri: Secret,
    /// The members that must be there, `host:port`, spelled as in the set's own config. Without it
    /// the seeds of the URI must be members, and others may be there as well.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The name that the set must have; defaults to `replicaSet` of the URI.
    pub replica_set: Option<String>,
    /// The wanted shape of the set. Without it a member that was removed from the set is missed.
    pub topology: Option<Topology>,
    /// Certificates; where given, TLS is on whatever the URI says.
    pub tls: Option<TlsFiles>,
    /// How long the set may take to become as wanted (default 15s: an election takes 10s to start).
    /// What passes only after a while is said to. `0s` looks once.
    #[serde(default = "settle")]
    pub settle: Period,
    /// How long one member may take to answer everything (default 3s); the members are asked side
    /// by side.
    #[serde(default = "node_timeout")]
    pub node_timeout: Period,
    /// Where the rules draw their lines.
    #[serde(default)]
    pub limits: Limits,
    /// Indexes that must exist, finished and with these options, on every member that holds data.
    #[serde(default)]
    pub indexes: Vec<IndexWanted>,
    /// Databases whose profiler is looked at, besides those of `indexes` and `migrations`.
    #[serde(default)]
    pub databases: Vec<String>,
    /// The migrations that must be recorded as applied.
    pub migrations: Option<MigrationsWanted>,
    /// What the URI must say, for a URI that is the application's own.
    pub client: Option<ClientWanted>,
    /// Steps the primary down and measures how long nothing could be written. This disturbs the
    /// target: the gate runs only where the target allows it by name.
    pub drill: Option<Drill>,
}

fn settle() -> Period {
    Period(Duration::from_secs(15))
}

fn node_timeout() -> Period {
    Period(Duration::from_secs(3))
}

/// How many members of which kind.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// Members in all, arbiters and hidden ones included.
    pub members: Option<u32>,
    /// Members with a vote.
    pub voting: Option<u32>,
    /// Arbiters: they vote and hold no data.
    pub arbiters: Option<u32>,
    /// Hidden members, delayed ones included.
    pub hidden: Option<u32>,
    /// Delayed members.
    pub delayed: Option<u32>,
}

/// PEM files for TLS, relative to the folder of the config.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authority that signed the certificates of the servers. Without it the public ones of
    /// Mozilla are trusted.
    pub ca: Option<String>,
    /// Our certificate and its unencrypted key in one file, for servers that ask for one and for
    /// `authMechanism=MONGODB-X509`.
    pub cert_key: Option<String>,
}

/// Where the rules draw their lines. A warning does not fail the gate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Replication lag that warns (10s: MongoDB's own flow control aims at it).
    pub lag_warning: Period,
    /// Replication lag that fails (60s).
    pub lag: Period,
    /// Age of the newest majority-committed write, against the newest write, that warns (2s).
    pub commit_lag_warning: Period,
    /// The same, that fails (5s).
    pub commit_lag: Period,
    /// Shortest oplog window without a warning (24h).
    pub oplog_window_warning: Period,
    /// Shortest oplog window that does not fail (4h). Take your longest maintenance.
    pub oplog_window: Period,
    /// Difference between the clocks of the members that warns (1s).
    pub clock_skew: Period,
    /// How long after an election to warn of it (10m).
    pub recent_election: Period,
    /// Share of the connections in use that warns, in percent (75).
    pub connections_warning: f64,
    /// Share of the connections in use that fails, in percent (95).
    pub connections: f64,
    /// Slowest threshold of the slow query log without a warning (1s).
    pub slow_query: Period,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = |n| Period(Duration::from_secs(n));
        Self {
            lag_warning: seconds(10),
            lag: seconds(60),
            commit_lag_warning: seconds(2),
            commit_lag: seconds(5),
            oplog_window_warning: seconds(24 * 3600),
            oplog_window: seconds(4 * 3600),
            clock_skew: seconds(1),
            recent_election: seconds(600),
            connections_warning: 75.0,
            connections: 95.0,
            slow_query: seconds(1),
        }
    }
}

/// An index that must exist.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexWanted {
    /// Database and collection: `shop.orders`.
    pub collection: String,
    /// Keys in their order: `{ customer: 1, at: -1 }`; also `text`, `2dsphere`, `hashed`.
    pub keys: Keys,
    /// Its name, where it matters (for `hint`).
    pub name: Option<String>,
    /// Whether it is unique.
    #[serde(default)]
    pub unique: bool,
    /// Whether it leaves out documents without the keys.
    #[serde(default)]
    pub sparse: bool,
    /// Time to live of the documents: `expireAfterSeconds`.
    pub expire_after: Option<Period>,
    /// The `partialFilterExpression`.
    pub partial_filter: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Migrations that must be recorded as applied.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationsWanted {
    /// Database and collection in which the tool records them: `shop.changelog` (migrate-mongo),
    /// `shop.mongockChangeLog`.
    pub collection: String,
    /// Field that names a migration (default `_id`): `fileName`, `changeId`.
    #[serde(default = "id_field")]
    pub field: String,
    /// Their names, all that this release needs.
    pub expected: Vec<String>,
}

fn id_field() -> String {
    "_id".to_owned()
}

/// What the URI must say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientWanted {
    /// `readPreference`: `primary`, `primaryPreferred`, `secondary`, `secondaryPreferred`,
    /// `nearest`. Not written counts as `primary`.
    pub read_preference: Option<String>,
    /// `maxPoolSize`. Not written counts as the drivers' 100.
    pub max_pool_size: Option<u32>,
    /// `w`: `majority`, `1`, ... Not written counts as the set's own default, `majority`.
    pub write_concern: Option<String>,
}

/// A failover on purpose.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Collection for the writes that measure the gap (default `readygate.drill`); it is dropped
    /// afterwards. The user needs `readWrite` on its database and `clusterManager`.
    #[serde(default = "drill_collection")]
    pub collection: String,
    /// How long the old primary may not be elected again (default 30s).
    #[serde(default = "step_down")]
    pub step_down: Period,
    /// How long the set may take until writes work and every member is well again (default 30s).
    #[serde(default = "step_down")]
    pub recovery: Period,
}

fn drill_collection() -> String {
    "readygate.drill".to_owned()
}

fn step_down() -> Period {
    Period(Duration::from_secs(30))
}

impl MongodbConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        validate::validate(self)
    }
}
