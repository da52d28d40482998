//! The `k6` block.

use std::{collections::BTreeMap, time::Duration};

use readygate_sdk::{ConfigError, Period, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::Rate;
use crate::fleet::{
    config::{Percent, Request, Sent},
    request,
};

/// A run of k6 on this machine, in one process or several segments, or on a cluster by the manifest
/// that `readygate load manifest` prints.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct K6Config {
    /// URL, or a path on the target, that is fetched; or `requests`.
    pub url: Option<String>,
    /// Several kinds of requests, by weight.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// Headers of every request. They reach k6 in the variable `READYGATE_HEADERS`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Open model: requests in a second, whatever the target does: `1000/s`.
    pub rate: Option<Rate>,
    /// With `rate`: requests that may be open at a time. What is due while all are open is never
    /// sent, and fails the gate. One for each request of a second when left out. Without `rate`, a
    /// closed model: users that send again as soon as they have an answer, held to `allow.rate`.
    pub users: Option<u32>,
    /// How long to measure, after the warm-up: `10m`.
    #[serde(rename = "for")]
    pub duration: Period,
    /// Load before the measurement, which does not count.
    pub warmup: Option<Period>,
    /// Time for an answer; 10 s when left out.
    pub timeout: Option<Period>,
    /// Processes on this machine, or runners of the cluster, that share the load.
    #[serde(default = "one")]
    pub segments: u32,
    /// Bounds of latency by percentile, counted exactly over all segments: `{ p95: 50ms }`.
    #[serde(default)]
    pub bounds: BTreeMap<Percentile, Period>,
    /// Largest share of failed requests, counted over all segments: `0.01%`.
    pub max_error_rate: Option<Percent>,
    /// Path of the program, if it is not `k6` on PATH.
    pub program: Option<String>,
}

/// A percentile that may be bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum Percentile {
    /// 50 %
    #[serde(rename = "p50")]
    P50,
    /// 90 %
    #[serde(rename = "p90")]
    P90,
    /// 95 %
    #[serde(rename = "p95")]
    P95,
    /// 99 %
    #[serde(rename = "p99")]
    P99,
    /// 99.9 %
    #[serde(rename = "p99.9")]
    P999,
}

impl Percentile {
    pub(crate) const fn percent(self) -> f64 {
        match self {
            Self::P50 => 50.0,
            Self::P90 => 90.0,
            Self::P95 => 95.0,
            Self::P99 => 99.0,
            Self::P999 => 99.9,
        }
    }
}

fn one() -> u32 {
    1
}

impl K6Config {
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent {
            url: self.url.as_deref(),
            requests: &self.requests,
            headers: &self.headers,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
            .map_or(Duration::from_secs(10), |period| period.0)
    }

    pub(crate) fn warmup(&self) -> Duration {
        self.warmup.map_or(Duration::ZERO, |period| period.0)
    }

    /// Virtual users over all segments.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive and at most 1e8"
    )]
    pub(crate) fn vus(&self) -> u32 {
        let by_rate = |rate: Rate| (rate.0.ceil() as u32).max(10);
        let default = self.rate.map_or(1, by_rate);
        self.users.unwrap_or(default).max(self.segments)
    }

    /// Whole requests in a second that a segment may send of so many.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and what is out of range saturates"
    )]
    pub(crate) fn each(&self, allowed: f64) -> u64 {
        (allowed / f64::from(self.segments.max(1)) + 1e-9).floor() as u64
    }

    /// The longest that a run can take which goes well.
    pub(crate) fn longest(&self) -> Duration {
        let start_and_end = Duration::from_secs(10);
        self.warmup() + self.duration.0 + self.timeout() + start_and_end
    }
}

pub(crate) fn validate(config: &K6Config, error: &mut ConfigError) {
    config.sent().validate("/k6", error);
    request::positive(config.duration, "/k6/for", error);
    if let Some(timeout) = config.timeout {
        request::positive(timeout, "/k6/timeout", error);
    }
    if config.rate.is_none() && config.users.is_none() {
        let hint = Some("write `rate: 1000/s` (an open model), or `users: 50` (a closed one)");
        error.add(
            "/k6",
            "neither `rate` nor `users` says how much to send",
            hint,
        );
    }
    if config.users == Some(0) {
        error.add("/k6/users", "`0` users send nothing", None);
    }
    if !(1..=1_000).contains(&config.segments) {
        error.add("/k6/segments", "a run has 1 to 1,000 segments", None);
    }
    let short = |n: u32| n < config.segments;
    if config.users.is_some_and(short) {
        let message = "there are fewer users than segments";
        error.add("/k6/users", message, Some("give each segment a user"));
    }
    for (percentile, period) in &config.bounds {
        let at = format!("/k6/bounds/p{}", percentile.percent());
        request::positive(*period, &at, error);
        if period.0 > config.timeout() {
            let message = "the bound is above `timeout`, so no answer could break it";
            error.add(at, message, Some("raise `timeout`"));
        }
    }
}
