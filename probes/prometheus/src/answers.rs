//! What the API answers, as far as it is read.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/>

use std::collections::BTreeMap;

use serde::Deserialize;

pub(crate) type Labels = BTreeMap<String, String>;

/// Around every answer of Prometheus.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<T> {
    pub status: String,
    pub data: Option<T>,
    #[serde(default, rename = "errorType")]
    pub error_type: String,
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub warnings: Vec<String>,
    #[serde(default)]
    pub infos: Vec<String>,
    /// What a cluster of VictoriaMetrics says in place of warnings.
    #[serde(default, rename = "isPartial")]
    pub is_partial: bool,
}

/// `/api/v1/status/runtimeinfo`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuntimeInfo {
    pub start_time: Option<String>,
    pub reload_config_success: Option<bool>,
    pub storage_retention: Option<String>,
}

/// `/api/v1/status/buildinfo`
#[derive(Debug, Deserialize)]
pub(crate) struct BuildInfo {
    pub version: Option<String>,
}

/// `/api/v1/status/config`: the config as YAML, without its secrets.
#[derive(Debug, Deserialize)]
pub(crate) struct LoadedConfig {
    pub yaml: String,
}

/// The part of it that tells what is added to every alert.
#[derive(Debug, Deserialize)]
pub(crate) struct GlobalPart {
    #[serde(default)]
    pub global: Option<Global>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Global {
    #[serde(default)]
    pub external_labels: Option<Labels>,
}

/// `/api/v1/alertmanagers`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alertmanagers {
    pub active_alertmanagers: Option<Vec<serde::de::IgnoredAny>>,
}

/// `/api/v1/targets`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Targets {
    pub active_targets: Option<Vec<Target>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    #[serde(default)]
    pub labels: Labels,
    #[serde(default)]
    pub scrape_pool: String,
    #[serde(default)]
    pub scrape_url: String,
    #[serde(default)]
    pub last_error: String,
    #[serde(default)]
    pub last_scrape: String,
    pub health: String,
    #[serde(default)]
    pub scrape_interval: String,
}

/// `/api/v1/rules`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleGroups {
    pub groups: Option<Vec<RuleGroup>>,
    /// There only where a page was asked for, or forced on.
    pub group_next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RuleGroup {
    pub name: String,
    pub rules: Option<Vec<AlertRule>>,
    /// Seconds.
    #[serde(default)]
    pub interval: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertRule {
    #[serde(default, rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub query: String,
    pub labels: Option<Labels>,
    #[serde(default)]
    pub health: String,
    #[serde(default)]
    pub last_error: String,
    #[serde(default)]
    pub last_evaluation: String,
    pub alerts: Option<Vec<Alert>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    #[serde(default)]
    pub labels: Labels,
    pub state: String,
    #[serde(default)]
    pub active_at: Option<String>,
}

/// `/api/v2/alerts` of an Alertmanager, which has no envelope.
#[derive(Debug, Deserialize)]
pub(crate) struct ManagedAlert {
    #[serde(default)]
    pub labels: Labels,
    pub status: ManagedStatus,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ManagedStatus {
    #[serde(default)]
    pub silenced_by: Vec<String>,
}

/// `/api/v1/query`: a scalar or a string is one sample, a vector is a list of series.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryData {
    pub result_type: String,
    #[serde(default)]
    pub result: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Series {
    #[serde(default)]
    pub metric: Labels,
    /// Absent for a native histogram.
    pub value: Option<Sample>,
    pub histogram: Option<NativeSample>,
}

/// Time of the evaluation, and the number as text.
#[derive(Debug, Deserialize)]
pub(crate) struct Sample(pub serde::de::IgnoredAny, pub String);

/// Time of the evaluation, and a native histogram.
#[derive(Debug, Deserialize)]
pub(crate) struct NativeSample(pub serde::de::IgnoredAny, pub NativeHistogram);

#[derive(Debug, Deserialize)]
pub(crate) struct NativeHistogram {
    #[serde(default)]
    pub buckets: Vec<NativeBucket>,
}

/// Which ends belong to it, the ends, and how many it holds.
#[derive(Debug, Deserialize)]
pub(crate) struct NativeBucket(
    pub serde::de::IgnoredAny,
    pub String,
    pub String,
    pub String,
);
