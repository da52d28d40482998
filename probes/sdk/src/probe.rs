//! The trait every probe implements.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Checks, ConfigError, ConfigProblem, Cx, MetricSpec, Metrics, ProbeError, Quantity, Rule,
};

/// How much a probe does to what it measures.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Activity {
    /// Reads files or listens; the target does not notice.
    Passive,
    /// Sends ordinary requests, or runs a command of the user's.
    Active,
    /// May degrade the target: load, bursts, failover drills. Needs the target's consent by name.
    Disruptive,
}

/// What a probe says of itself; documentation, `explain` and the conformance suite read it.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// The name in configs: `tls`.
    pub id: &'static str,
    /// One sentence: what it measures.
    pub summary: &'static str,
    /// Every rule that `judge` may push.
    pub rules: &'static [Rule],
    /// Every metric that `metrics` may return.
    pub metrics: &'static [MetricSpec],
    /// The most that it does to a target.
    pub activity: Activity,
    /// The README of its folder.
    pub readme: &'static str,
}

/// What one configured gate will touch, for `readygate plan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// URLs, addresses, files or commands, as the user wrote them; secrets stay out.
    pub contacts: Vec<String>,
    /// Names of the credentials used (`password`, `header Authorization`), never their values.
    pub credentials: Vec<String>,
    /// What this config does to the target.
    pub activity: Activity,
    /// How long it is meant to take, where the config says so (`duration: 60s`).
    pub duration: Option<Duration>,
}

/// How a bound compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// `<` or `<=`.
    Below,
    /// `>` or `>=`.
    Above,
    /// `==`.
    Equal,
}

/// One bound that the gate sets on a metric, as far as it helps to measure: a load must be paced and
/// cut into windows as finely as it will be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Name of the metric.
    pub metric: String,
    /// Which side of `value` is wanted.
    pub comparison: Comparison,
    /// The bound.
    pub value: Quantity,
    /// Length of the parts of the run that are judged one by one (`for every 10s`).
    pub every: Option<Duration>,
    /// How long a breach must last to count (`for 30s`).
    pub lasting: Option<Duration>,
}

/// An expectation in the spelling of another tool, in ours: metric and condition.
pub type Alias = Result<(String, String), ConfigProblem>;

/// A module that measures one part of the world.
pub trait Probe: Send + Sync + 'static {
    /// Identity and documentation.
    const META: Meta;

    /// The `with` block. Name the type after the probe (`TlsConfig`): the schema uses the name.
    type Config: DeserializeOwned + JsonSchema + Send + Sync;

    /// The typed record of one measurement. It holds facts and no opinion, and survives JSON.
    type Measurement: Serialize + DeserializeOwned + JsonSchema + Send;

    /// Reads an expectation written as another tool spells it (`http_req_duration: "p(95)<50"`);
    /// nothing where it is in no such spelling.
    fn alias(metric: &str, condition: &str) -> Option<Alias> {
        let _ = (metric, condition);
        None
    }

    /// Hears before [`Probe::validate`] what the gate expects, so that it can measure finely enough
    /// and refuse what contradicts itself. It must not change what is judged. Problems point into
    /// `expect` (`/latency.p95`).
    fn expect(config: &mut Self::Config, bounds: &[Bound]) -> Result<(), ConfigError> {
        let _ = config;
        let mut error = ConfigError::new();
        for bound in bounds.iter().filter(|b| b.every.or(b.lasting).is_some()) {
            error.add(
                format!("/{}", bound.metric.replace('~', "~0").replace('/', "~1")),
                format!("`{}` is measured once, not in windows", bound.metric),
                Some("leave `for ...` out; `sustain` of the gate measures again and again"),
            );
        }
        error.into_result()
    }

    /// Finds what cannot work without any I/O; runs for every gate before any starts.
    fn validate(config: &Self::Config) -> Result<(), ConfigError>;

    /// What this config will touch.
    fn footprint(config: &Self::Config) -> Footprint;

    /// Does the I/O. Knows no thresholds. Must end by [`Cx::deadline`] and on cancellation.
    fn measure(
        config: &Self::Config,
        cx: &Cx,
    ) -> impl Future<Output = Result<Self::Measurement, ProbeError>> + Send;

    /// Names the scalars of a measurement.
    fn metrics(measurement: &Self::Measurement) -> Metrics;

    /// Applies the probe's rules. Pure: no I/O, no clock, no environment.
    fn judge(config: &Self::Config, measurement: &Self::Measurement, checks: &mut Checks);
}
