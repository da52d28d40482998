//! What the config says of deployments. Doc comments are the user documentation.

use readygate_sdk::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// When deployments may start. Without any window they always may; an active freeze always wins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// Times in which a deployment may start.
    #[serde(default)]
    pub allow: Vec<Window>,
    /// Times in which it may not.
    #[serde(default)]
    pub freeze: Vec<Window>,
}

/// A span of time that repeats.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it opens: minute, hour, day of month, month, day of week, as in cron.
    pub schedule: String,
    /// How long it stays open.
    pub duration: Period,
    /// IANA time zone of the schedule: `Europe/Berlin`.
    pub zone: String,
    /// Why, for the reports.
    pub reason: Option<String>,
}

/// The watch after a deployment.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// How long; 15m unless said otherwise.
    #[serde(rename = "for")]
    pub duration: Option<Period>,
    /// From one sample to the next; 30s unless said otherwise.
    pub every: Option<Period>,
}
