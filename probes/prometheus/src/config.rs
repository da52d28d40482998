//! The `with` block of a `prometheus` gate.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use readygate_sdk::{Period, Secret, Unit};
use readygate_web::Auth;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{glob::fits, measurement::RuleRecord};

/// Which server, and what it must say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Where the server is, with its path prefix if it has one: `http://prometheus:9090`,
    /// `https://metrics.example.com/prometheus`; or relative to the target's URL.
    pub url: String,
    /// Credentials, sent in the `Authorization` header.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Request headers that are no secret: `X-Scope-OrgID`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request headers whose values are masked in every output.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, Secret>,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    #[serde(default)]
    pub ca: Option<String>,
    /// Addresses of names, in place of a look-up.
    #[serde(default)]
    pub resolve: BTreeMap<String, IpAddr>,
    /// Jobs that must be scraped and up.
    #[serde(default)]
    pub up: Vec<UpConfig>,
    /// Which alerts must not fire.
    #[serde(default)]
    pub alerts: Option<AlertsConfig>,
    /// Which alert rules must be there, and be evaluated.
    #[serde(default)]
    pub rules: Option<RulesConfig>,
    /// PromQL by name; each becomes the metric `query.NAME`.
    #[serde(default)]
    pub queries: BTreeMap<String, QueryConfig>,
    /// How far the clock of the server may be from the one here.
    #[serde(default = "thirty_seconds")]
    pub max_clock_skew: Period,
    /// For how long the server must keep samples. Without it the retention is not judged.
    #[serde(default)]
    pub min_retention: Option<Period>,
}

const fn thirty_seconds() -> Period {
    Period(Duration::from_secs(30))
}

/// One job, or those whose names fit a pattern.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpConfig {
    /// Name of the scrape job; `*` stands for any text, `|` for or.
    pub job: String,
    /// Labels that the targets have, with the same patterns: `{env: production}`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How many targets must be up. Without it all of them must, and at least one.
    #[serde(default)]
    pub at_least: Option<u32>,
}

/// Which alerts must not fire.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsConfig {
    /// `none`: no alert that has the labels may fire. `any`: they are counted only, for `expect`.
    pub firing: Firing,
    /// Labels of the alerts that count: `{severity: critical|page}`. `*` stands for any text, `|`
    /// for or. Without it all count.
    pub labels: BTreeMap<String, String>,
    /// Name of the alert that always fires when alerting works (a dead man's switch): `Watchdog`.
    pub watchdog: Option<String>,
    /// Where silences are. Without it a silenced alert counts as any other.
    pub alertmanager: Option<Alertmanager>,
}

/// What may fire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Firing {
    /// Nothing.
    #[default]
    None,
    /// Anything; it is counted.
    Any,
}

/// An Alertmanager, which knows what is silenced. `ca` and `resolve` of the gate hold for it too.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Where it is: `http://alertmanager:9093`.
    pub url: String,
    /// Credentials; those of the gate are not sent to it.
    #[serde(default)]
    pub auth: Option<Auth>,
}

/// Which alert rules must be there. With neither list there must be one at all, and every one must
/// be evaluated.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RulesConfig {
    /// Names of alerts: `ServiceDown`, `"*Disk*"`, `"HighErrorRate|*5xx*"`.
    pub configured: Vec<String>,
    /// Metrics that some alert rule must look at: `up`, `"probe_ssl_earliest_cert_expiry|*cert*"`.
    pub watching: Vec<String>,
}

impl RulesConfig {
    /// Whether one of the lists names this rule.
    pub(crate) fn names(&self, rule: &RuleRecord) -> bool {
        let by_name = self
            .configured
            .iter()
            .any(|pattern| fits(pattern, &rule.name));
        by_name || self.watching.iter().any(|pattern| rule.looks_at(pattern))
    }
}

/// One instant query.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// PromQL that gives a scalar or an instant vector.
    pub expr: String,
    /// What the number is.
    #[serde(default)]
    pub unit: QueryUnit,
    /// What becomes of several series.
    #[serde(default)]
    pub reduce: Reduce,
    /// PromQL that gives on how many events a percentage or a quantile rests:
    /// `sum(increase(http_requests_total[10m]))`. A bound that so few cannot show is unmeasured.
    #[serde(default)]
    pub trials: Option<String>,
    /// The oldest that the samples of a plain selector may be.
    #[serde(default = "five_minutes")]
    pub max_age: Period,
}

const fn five_minutes() -> Period {
    Period(Duration::from_secs(300))
}

/// What the number of a query is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum QueryUnit {
    /// A plain number.
    #[default]
    #[serde(rename = "count")]
    Count,
    /// 0 to 100.
    #[serde(rename = "%")]
    Percent,
    /// 0 to 1; shown and judged as a percentage.
    #[serde(rename = "ratio")]
    Ratio,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds; judged as a duration.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Events in a second.
    #[serde(rename = "/s")]
    PerSecond,
    /// Bytes in a second.
    #[serde(rename = "B/s")]
    BytesPerSecond,
}

impl QueryUnit {
    /// The base unit, and the factor to it.
    pub(crate) const fn base(self) -> (Unit, f64) {
        match self {
            Self::Count => (Unit::Count, 1.0),
            Self::Percent => (Unit::Percent, 1.0),
            Self::Ratio => (Unit::Percent, 100.0),
            Self::Seconds => (Unit::Seconds, 1.0),
            Self::Milliseconds => (Unit::Seconds, 1e-3),
            Self::Bytes => (Unit::Bytes, 1.0),
            Self::PerSecond => (Unit::PerSecond, 1.0),
            Self::BytesPerSecond => (Unit::BytesPerSecond, 1.0),
        }
    }
}

/// What becomes of several series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reduce {
    /// There must be one.
    #[default]
    Only,
    /// The largest counts.
    Max,
    /// The smallest counts.
    Min,
    /// They are added.
    Sum,
}

impl Reduce {
    /// One number of several.
    pub(crate) fn of(self, values: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Only | Self::Max => values.fold(f64::NEG_INFINITY, f64::max),
            Self::Min => values.fold(f64::INFINITY, f64::min),
            Self::Sum => values.sum(),
        }
    }
}
