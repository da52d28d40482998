//! What a measurement holds: what the server said, and no opinion.

use std::collections::BTreeMap;

use jiff::Timestamp;
use readygate_sdk::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::glob::fits;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrometheusMeasurement {
    /// Where it was asked.
    pub url: String,
    /// When, by the clock here.
    pub taken_at: Timestamp,
    /// The server itself.
    pub server: ServerRecord,
    /// One for each entry of `up`, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobRecord>,
    /// Alert rules and alerts, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerting: Option<AlertingRecord>,
    /// What the queries gave.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queries: BTreeMap<String, QueryRecord>,
}

/// The server itself. What it has no page for is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerRecord {
    /// Version of Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seconds since it was started, by its own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_s: Option<f64>,
    /// Whether the last reload of its config succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_ok: Option<bool>,
    /// For how long it keeps samples, as it writes it: `15d`, `15d or 10GiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<String>,
    /// Seconds that its clock is ahead of the one here.
    pub skew_s: f64,
    /// How far `skew_s` may be off: half of the time that asking took.
    pub skew_error_s: f64,
    /// Alertmanagers that it sends alerts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alertmanagers: Option<u64>,
}

/// The targets of one entry of `up`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobRecord {
    /// As the config writes it.
    pub job: String,
    /// Those that are not up first.
    pub targets: Vec<TargetRecord>,
    /// Targets beyond those: each is in the state of the last one.
    #[serde(default)]
    pub left_out: u64,
    /// Beside them, what the server scrapes of itself; it is no target of `*`.
    #[serde(default)]
    pub own: u64,
    /// What the server says of its own answer, where it is not complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<String>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetRecord {
    /// Name of the job.
    pub job: String,
    /// Label `instance`.
    pub instance: String,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// Why the last scrape failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Seconds since the last scrape, by the clock of the server; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<f64>,
    /// Seconds between scrapes; absent if the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<f64>,
}

/// How far what is looked at again and again can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The last look failed.
    Bad,
    /// There was no look, or it is too long ago.
    Stale,
    /// The last look succeeded.
    Fine,
}

/// A look that is missed may be late; three are none.
const MISSED: f64 = 3.0;
/// Added for intervals of a few seconds.
const SLACK_S: f64 = 5.0;
/// The default of Prometheus, where the server does not say its interval.
const INTERVAL_S: f64 = 60.0;

fn state(is_bad: bool, is_fine: bool, age: Option<f64>, interval: Option<f64>) -> State {
    let interval = interval.filter(|s| *s > 0.0).unwrap_or(INTERVAL_S);
    let fresh = age.is_some_and(|age| (-SLACK_S..=MISSED * interval + SLACK_S).contains(&age));
    match (is_bad, is_fine && fresh) {
        // What failed long ago may have been mended since.
        (true, _) if fresh => State::Bad,
        (false, true) => State::Fine,
        _ => State::Stale,
    }
}

impl TargetRecord {
    pub(crate) fn state(&self) -> State {
        let (down, up) = (self.health == "down", self.health == "up");
        state(down, up, self.age_s, self.interval_s)
    }
}

impl RuleRecord {
    /// Whether its expression looks at a metric of such a name.
    pub(crate) fn looks_at(&self, pattern: &str) -> bool {
        self.watches.iter().any(|name| fits(pattern, name))
    }

    pub(crate) fn state(&self) -> State {
        let (err, ok) = (self.health == "err", self.health == "ok");
        let interval = Some(self.interval_s);
        state(err, ok, self.age_s, interval)
    }
}

impl JobRecord {
    /// Targets in this state.
    pub(crate) fn count(&self, state: State) -> u64 {
        let kept = self.targets.iter().filter(|t| t.state() == state).count() as u64;
        let beyond = self.targets.last().is_some_and(|t| t.state() == state);
        kept + if beyond { self.left_out } else { 0 }
    }

    /// All targets.
    pub(crate) fn total(&self) -> u64 {
        self.targets.len() as u64 + self.left_out
    }
}

/// Alert rules and alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertingRecord {
    /// Alert rules, those that are not evaluated well first.
    pub rules: Vec<RuleRecord>,
    /// Rules beyond those.
    #[serde(default)]
    pub rules_left_out: u64,
    /// Whether the gate asks about alerts; without that none are counted.
    #[serde(default)]
    pub alerts_asked: bool,
    /// Alerts that the gate asks about and that fire.
    pub firing: u64,
    /// Of these, those that an Alertmanager says are silenced.
    pub silenced: u64,
    /// Alerts that the gate asks about and that wait for their `for`.
    pub pending: u64,
    /// Some of these alerts: firing ones first.
    pub alerts: Vec<AlertRecord>,
    /// Whether silences are known.
    pub silences: Silences,
    /// Metrics that the rules named in the gate look at and that have no series now; absent if that
    /// is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Vec<String>>,
    /// What the server says of its own answer, where it is not complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<String>,
}

/// Whether it is known what is silenced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silences {
    /// No Alertmanager is configured.
    #[default]
    Unasked,
    /// The Alertmanager said it.
    Known,
    /// The Alertmanager did not say it, and why.
    Unknown(String),
}

/// One alert rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleRecord {
    /// Its group.
    pub group: String,
    /// Name of the alert.
    pub name: String,
    /// Labels that the rule gives to its alerts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Metrics that the expression looks at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<String>,
    /// `ok`, `err` or `unknown`.
    pub health: String,
    /// Why the last evaluation failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Seconds since the last evaluation, by the clock of the server; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<f64>,
    /// Seconds between evaluations.
    pub interval_s: f64,
    /// Its alerts that fire.
    #[serde(default)]
    pub firing: u64,
    /// Whether one of its alerts has the labels that the gate asks about.
    #[serde(default)]
    pub asked: bool,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertRecord {
    /// All of its labels.
    pub labels: BTreeMap<String, String>,
    /// `firing` or `pending`.
    pub state: String,
    /// Seconds for which it has been active, by the clock of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_s: Option<f64>,
    /// Whether the Alertmanager says that it is silenced.
    #[serde(default)]
    pub silenced: bool,
}

/// What one query gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueryRecord {
    /// In the base unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Unit of `value`.
    pub unit: Unit,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// More on that, one item a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// How many series there were.
    pub series: u64,
    /// Events that a percentage or a quantile rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// What is known of the quantile of a histogram; `value` is an estimate within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketRecord>,
    /// Seconds since the oldest sample, where it has a time of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<f64>,
    /// The oldest that it may be, as configured.
    pub max_age_s: f64,
    /// What the server remarks on the query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub infos: Vec<String>,
}

/// Ends of the bucket that holds a quantile; of those that may hold it, where its events are counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BucketRecord {
    /// Which quantile, as a share.
    pub quantile: f64,
    /// Lower end in the base unit; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

impl BucketRecord {
    /// In words: `from 30 ms to 100 ms`.
    pub(crate) fn shown(&self, unit: Unit) -> String {
        let end = |end: Option<f64>| end.map_or("anything".to_owned(), |end| unit.format(end));
        format!("from {} to {}", end(self.low), end(self.high))
    }
}

impl QueryRecord {
    /// The value, or why there is none.
    pub(crate) fn usable(&self) -> Result<f64, String> {
        if let Some(age) = self.age_s.filter(|age| *age > self.max_age_s) {
            let shown = Unit::Seconds.format(age);
            let most = Unit::Seconds.format(self.max_age_s);
            return Err(format!(
                "its sample is {shown} old, more than {most}: nothing scrapes it any more"
            ));
        }
        match (self.value, &self.why) {
            (Some(value), None) => Ok(value),
            (_, Some(why)) => Err(why.clone()),
            (None, None) => Err("the query gave no value".to_owned()),
        }
    }
}
