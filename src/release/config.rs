//! What the config says of deployments. Doc comments are the user documentation.

use readygate_sdk::Period;
use schemars::JsonSchema;
use serde::Deserialize;

pub use readygate_window::WindowConfig as Windows;

/// The watch after a deployment.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// How long; 15m unless said otherwise.
    #[serde(rename = "for")]
    pub duration: Option<Period>,
    /// From one sample to the next; 30s unless said otherwise.
    pub every: Option<Period>,
    /// Pause before the first sample, for caches to warm up; none unless said otherwise. It counts
    /// in addition to `for`.
    pub initial_delay: Option<Period>,
    /// Failed samples of one gate that are tolerated when it passes again at once; one more is a
    /// breach too. 3 unless said otherwise.
    pub failure_limit: Option<u32>,
    /// Samples in a row in which one gate may be unable to tell; one more ends the watch without a
    /// conclusion. 4 unless said otherwise.
    pub consecutive_error_limit: Option<u32>,
    /// Samples in all in which a gate may be unable to tell; with more the watch has no conclusion.
    /// A tenth of the samples, at least 1, unless said otherwise.
    pub inconclusive_limit: Option<u32>,
    /// Time from a confirmed breach within which the rollback must have started; 15m unless said
    /// otherwise.
    pub rollback_within: Option<Period>,
    /// Time from a confirmed breach after which a rollback that has not started is warned of; 10m
    /// unless said otherwise.
    pub warn_after: Option<Period>,
    /// Ids of the gates that tell whether the target is up, for the downtime. All blocking gates of
    /// the watch unless said otherwise.
    #[serde(default)]
    pub availability: Vec<String>,
    /// Ids of gates that show that the runner itself is online, such as a request to another site.
    /// While one of them does not pass, a target that cannot be reached is not held to be down.
    #[serde(default)]
    pub control: Vec<String>,
}
