//! What was seen, as series; what follows from it is in `analysis`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::Take;

/// Most looks that are kept. When there are more, every other one is dropped and looks count half as
/// often from there on.
pub(crate) const MOST: usize = 20_000;

/// Everything that was watched. Times are seconds since `started`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// When watching began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// Seconds between two looks.
    pub every_s: f64,
    /// When the load was measured, from and to; nothing when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(f64, f64)>,
    /// Memory and CPU of a process or a cgroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Hits and misses of Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Keyspace>,
    /// Answers of Prometheus, in the order of the config.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prometheus: Vec<Query>,
    /// What caches said about themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheHeaders>,
}

/// Looks that told nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Missed {
    /// How many.
    pub looks: u64,
    /// Why, for the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Missed {
    pub(crate) fn add(&mut self, why: String) {
        self.looks += 1;
        self.why.get_or_insert(why);
    }
}

/// Memory and CPU of a process with its children, or of a cgroup.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Resources {
    /// `process node`, `cgroup /sys/fs/cgroup/app`.
    pub subject: String,
    /// In order of time.
    pub looks: Vec<Usage>,
    /// Looks that failed.
    pub missed: Missed,
    /// When a process that had been there was gone, or another one had taken its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_s: Option<f64>,
}

/// One look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// When.
    pub at_s: f64,
    /// Bytes: resident memory of the processes, or the working set of the cgroup (`memory.current` less
    /// `inactive_file`).
    pub memory: u64,
    /// CPU seconds since the first look.
    pub cpu_s: f64,
}

/// Hits and misses of all Redis servers together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Keyspace {
    /// In order of time.
    pub looks: Vec<Lookups>,
    /// Looks that failed.
    pub missed: Missed,
    /// When a server had started anew, or its counters were set back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_s: Option<f64>,
}

/// Counters as INFO tells them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lookups {
    /// When.
    pub at_s: f64,
    /// Keys that were found, since the servers started.
    pub hits: u64,
    /// Keys that were not.
    pub misses: u64,
}

/// Values of one query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Query {
    /// Its name in the config.
    pub name: String,
    /// Which value is the metric.
    pub take: Take,
    /// Pairs of time and value, in order of time.
    pub looks: Vec<(f64, f64)>,
    /// Looks that failed, or gave no single number.
    pub missed: Missed,
}

/// Answers to side requests while the load was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CacheHeaders {
    /// Pairs of time and what the headers said.
    pub looks: Vec<(f64, CacheSaid)>,
    /// Requests that failed.
    pub missed: Missed,
}

/// What the headers of one response say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CacheSaid {
    /// A cache answered.
    Hit,
    /// No cache had it.
    Miss,
    /// Nothing about a cache.
    Silent,
}

/// Drops every other look once there are too many.
pub(crate) fn thin<T>(looks: &mut Vec<T>) {
    if looks.len() > MOST {
        let mut index = 0;
        looks.retain(|_| {
            index += 1;
            index % 2 == 1
        });
    }
}
