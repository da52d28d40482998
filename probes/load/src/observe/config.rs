//! The `observe` block: what to watch while the load runs.

use std::{path::PathBuf, time::Duration};

use readygate_sdk::{ConfigError, Period, Secret, Texts};
use readygate_web::{has_userinfo, validate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shortest plateau that tells a leak from noise.
pub const PLATEAU: Duration = Duration::from_secs(30 * 60);
/// Growth that counts as a leak unless the config says otherwise, in percent an hour.
pub const MAX_GROWTH: f64 = 1.0;
const MOST_QUERIES: usize = 20;
const MOST_NODES: usize = 100;

/// Watches the target from this machine while the load runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObserveConfig {
    /// A process on this machine, with everything that it started: memory and CPU.
    pub process: Option<ProcessConfig>,
    /// Folder of a cgroup on this machine, `/sys/fs/cgroup/system.slice/app.service`: memory and
    /// CPU of all its processes, in place of `process`.
    pub cgroup: Option<PathBuf>,
    /// Redis servers whose hits and misses are the cache hit rate.
    pub redis: Option<RedisConfig>,
    /// A Prometheus server that is asked while the load runs.
    pub prometheus: Option<PrometheusConfig>,
    /// Asks for the URL of the gate once each `every` and reads what caches say about themselves:
    /// `Cache-Status` (RFC 9211), `CF-Cache-Status`, `X-Cache`, `Age`.
    #[serde(default)]
    pub cache_headers: bool,
    /// Time between two looks.
    #[serde(default = "five_seconds")]
    pub every: Period,
    /// How fast memory may grow, in percent an hour. When it is given, a run without 30 minutes of steady
    /// memory is unmeasured; when it is left out, growth above 1 is a leak where a run is long enough to
    /// tell.
    pub max_growth: Option<f64>,
    /// Fewer look-ups than this say nothing about a hit rate.
    #[serde(default = "thousand")]
    pub min_lookups: u64,
}

/// Which process: one of these.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessConfig {
    /// Its id.
    pub pid: Option<i32>,
    /// A file that holds its id.
    pub pid_file: Option<PathBuf>,
    /// Name of its program; several with this name count together.
    pub name: Option<String>,
}

/// Redis servers, asked with INFO.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://cache:6379`, or a list: all nodes of a cluster.
    #[schemars(with = "OneOrMany")]
    pub url: Texts,
    /// User of the ACL.
    pub username: Option<String>,
    /// Password; take it from the environment. Without `username` an empty one is none.
    pub password: Option<Secret>,
}

/// For the schema only.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes Texts, which reads by hand")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A Prometheus server, or what speaks its API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// `http://prometheus:9090`, with the path before `/api/v1` if there is one.
    pub url: String,
    /// Sent as `Authorization: Bearer ...`; take it from the environment.
    pub token: Option<Secret>,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    pub ca: Option<String>,
    /// Each becomes the metric `observe.prometheus.NAME`.
    pub queries: Vec<QueryConfig>,
}

/// One instant query.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// Lowercase letters, digits and `_`.
    pub name: String,
    /// PromQL that gives one number: `sum(rate(http_requests_total[1m]))`.
    pub query: String,
    /// Which of the values seen while it was measured is the metric.
    #[serde(default)]
    pub take: Take,
}

/// Which of several values counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// The last one.
    #[default]
    Last,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The mean.
    Mean,
    /// The last less the first, for counters.
    Delta,
}

const fn five_seconds() -> Period {
    Period(Duration::from_secs(5))
}

const fn thousand() -> u64 {
    1_000
}

/// Finds what cannot work, without I/O. `at` is the pointer of the block (`/observe`), `planned` how long
/// the load is meant to be measured, where that is known.
pub fn validate(
    config: &ObserveConfig,
    at: &str,
    planned: Option<Duration>,
    error: &mut ConfigError,
) {
    sources(config, at, error);
    if config.every.0 < Duration::from_secs(1) {
        error.add(
            format!("{at}/every"),
            "looks more often than once a second disturb what they watch",
            Some("use at least `1s`"),
        );
    } else if planned.is_some_and(|planned| planned < config.every.0 * 2) {
        error.add(
            format!("{at}/every"),
            "leaves no time for two looks while the load is measured",
            Some("look more often, or measure for longer"),
        );
    }
    if let Some(growth) = config.max_growth {
        growth_fits(config, growth, at, planned, error);
    }
    if let Some(redis) = &config.redis {
        nodes(&redis.url, &format!("{at}/redis/url"), error);
    }
    if let Some(prometheus) = &config.prometheus {
        queries(prometheus, &format!("{at}/prometheus"), error);
    }
}

fn sources(config: &ObserveConfig, at: &str, error: &mut ConfigError) {
    let machine = config.process.is_some() || config.cgroup.is_some();
    if !machine && config.redis.is_none() && config.prometheus.is_none() && !config.cache_headers {
        error.add(
            at,
            "names nothing to watch",
            Some("give `process`, `cgroup`, `redis`, `prometheus` or `cache_headers: true`"),
        );
    }
    if config.process.is_some() && config.cgroup.is_some() {
        error.add(
            format!("{at}/cgroup"),
            "`process` and `cgroup` both say whose memory and CPU to watch",
            Some("leave one of them out"),
        );
    }
    let Some(process) = &config.process else {
        return;
    };
    let at = format!("{at}/process");
    let given = [
        process.pid.is_some(),
        process.pid_file.is_some(),
        process.name.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        error.add(
            &at,
            "one of `pid`, `pid_file` and `name` says which process",
            Some("for example `{ name: node }`"),
        );
    }
    if process.pid.is_some_and(|pid| pid < 1) {
        error.add(
            format!("{at}/pid"),
            "is no id of a process",
            Some("ids start at 1"),
        );
    }
    if process
        .name
        .as_deref()
        .is_some_and(|name| name.trim().is_empty())
    {
        error.add(
            format!("{at}/name"),
            "is empty",
            Some("name the program as `ps -o comm` shows it"),
        );
    }
}

fn growth_fits(
    config: &ObserveConfig,
    growth: f64,
    at: &str,
    planned: Option<Duration>,
    error: &mut ConfigError,
) {
    let at = format!("{at}/max_growth");
    if !(growth.is_finite() && growth > 0.0) {
        error.add(
            &at,
            "is no growth in percent an hour",
            Some("for example 1"),
        );
        return;
    }
    if config.process.is_none() && config.cgroup.is_none() {
        error.add(
            &at,
            "there is no memory to watch",
            Some("name a `process` or a `cgroup`"),
        );
        return;
    }
    if planned.is_some_and(|planned| planned < PLATEAU) {
        error.add(
            &at,
            "a leak takes 30 minutes of steady memory to tell, and the load is measured for less",
            Some("measure for an hour, or leave `max_growth` out"),
        );
    }
}

fn nodes(url: &Texts, at: &str, error: &mut ConfigError) {
    if url.is_empty() || url.0.len() > MOST_NODES {
        error.add(
            at,
            "has no address, or more than 100",
            Some("for example redis://cache:6379"),
        );
    }
    for text in url.iter() {
        if !text.starts_with("redis://") {
            error.add(
                at,
                "is no address that starts with redis://",
                Some("TLS is not spoken here: watch an exporter with `prometheus` in place of it"),
            );
        } else if has_userinfo(text) {
            error.add(
                at,
                "holds credentials, which a record could show",
                Some("use `username` and `password`"),
            );
        }
    }
}

fn queries(prometheus: &PrometheusConfig, at: &str, error: &mut ConfigError) {
    validate::url(&format!("{at}/url"), &prometheus.url, error);
    if prometheus.queries.is_empty() || prometheus.queries.len() > MOST_QUERIES {
        error.add(
            format!("{at}/queries"),
            "has no query, or more than 20",
            Some("for example `[{ name: heap, query: sum(nodejs_heap_size_used_bytes) }]`"),
        );
    }
    for (index, query) in prometheus.queries.iter().enumerate() {
        let at = format!("{at}/queries/{index}");
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if query.name.is_empty() || !query.name.bytes().all(good) {
            error.add(
                format!("{at}/name"),
                "is no name of lowercase letters, digits and `_`",
                Some("for example heap_bytes"),
            );
        }
        let same = |other: &QueryConfig| other.name == query.name;
        if prometheus.queries[..index].iter().any(same) {
            error.add(format!("{at}/name"), "is taken", Some("names are unique"));
        }
        if query.query.trim().is_empty() {
            error.add(format!("{at}/query"), "is empty", None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(yaml_as_json: serde_json::Value, planned: Option<u64>) -> Vec<String> {
        let config: ObserveConfig = serde_json::from_value(yaml_as_json).unwrap();
        let mut error = ConfigError::new();
        validate(
            &config,
            "/observe",
            planned.map(Duration::from_secs),
            &mut error,
        );
        let told = error.into_result().err().map(|e| e.to_string());
        told.into_iter().collect()
    }

    #[test]
    fn what_cannot_work_is_refused() {
        use serde_json::json;
        assert!(problems(json!({"process": {"name": "node"}}), Some(10)).is_empty());
        for (config, planned) in [
            (json!({}), None),
            (json!({"process": {}}), None),
            (json!({"process": {"pid": 0}}), None),
            (json!({"process": {"pid": 1, "name": "x"}}), None),
            (json!({"process": {"pid": 1}, "cgroup": "/x"}), None),
            (json!({"process": {"pid": 1}}), Some(9)),
            (json!({"process": {"pid": 1}, "max_growth": 1}), Some(600)),
            (json!({"cache_headers": true, "max_growth": 1}), None),
            (json!({"cache_headers": true, "every": "100ms"}), None),
            (json!({"redis": {"url": "rediss://a:1"}}), None),
            (json!({"redis": {"url": "redis://:pw@a:1"}}), None),
            (
                json!({"prometheus": {"url": "http://p:9090", "queries": []}}),
                None,
            ),
            (
                json!({"prometheus": {"url": "http://p:9090", "queries": [{"name": "A", "query": "x"}]}}),
                None,
            ),
        ] {
            assert_eq!(problems(config.clone(), planned).len(), 1, "{config}");
        }
    }
}
