//! What a watch after a deployment saw, and what it advises. `decision.json` is one [`Decision`].

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to do with the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// Keep it: the watch ran its time and nothing speaks against it.
    Accept,
    /// Do not go on yet: nothing was breached, but the target was not steady at the end.
    Hold,
    /// Roll back: a breach was confirmed.
    Rollback,
    /// It could not be told.
    Inconclusive,
}

impl Advice {
    /// `accept`, `hold`, `rollback` or `inconclusive`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Hold => "hold",
            Self::Rollback => "rollback",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// The decision of a watch. It advises; what deploys and rolls back is another tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Always `readygate/decision/v1`.
    pub schema: String,
    /// What to do.
    pub decision: Advice,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// The code that the watch ended with, unless a report could not be written.
    pub exit_code: u8,
    /// Release that was watched, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Id of the run that holds the samples.
    pub run: String,
    /// Id of the run that relative expectations were compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// First sample, UTC.
    pub started: Timestamp,
    /// End of the last sample, UTC.
    pub finished: Timestamp,
    /// How long the watch was to be; seconds.
    pub planned_s: f64,
    /// From one sample to the next; seconds.
    pub every_s: f64,
    /// The signal that ended the watch early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
    /// The breach that ended the watch early, or the suspicion that was open at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<Breached>,
    /// When a rollback must have started, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// From when on a rollback that has not started is warned of, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Timestamp>,
    /// Samples by what they found.
    pub samples: Samples,
    /// What so many samples can show at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// Time that the target was down, from the samples of the gates that tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime: Option<Downtime>,
}

/// A breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breached {
    /// Ids of the gates that failed.
    pub gates: Vec<String>,
    /// When they failed first, UTC.
    pub suspected: Timestamp,
    /// When it was certain: failed twice in a row, or too often; UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
    /// Failed too often, though never twice in a row.
    #[serde(default)]
    pub flapping: bool,
}

/// Scheduled samples by what they found; looks taken at once after a failure are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Samples {
    /// Taken.
    pub n: u32,
    /// That would have been taken in full time.
    pub planned: u32,
    /// In which every blocking gate passed.
    pub clean: u32,
    /// In which a blocking gate failed.
    pub failed: u32,
    /// In which none failed, but a blocking gate could not tell.
    pub unknown: u32,
    /// Further looks, taken at once after a failure.
    pub repeated: u32,
}

/// What the samples can show: an error rate below this, and no less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// Confidence of the statement: 0.95.
    pub confidence: f64,
    /// Samples that could tell.
    pub n: u32,
    /// Failed ones among them.
    pub failed: u32,
    /// The rate of failing moments is below this; 1 is every one.
    pub error_rate_below: f64,
}

/// The downtime that samples saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Downtime {
    /// From the first sample that found it down to the first that found it up again, summed; seconds.
    pub seconds: f64,
    /// The least that it can have been: between samples that found it down; seconds.
    pub least_s: f64,
    /// The most that it can have been: between samples that found it up; seconds.
    pub most_s: f64,
    /// The longest time between two samples; seconds. Shorter outages may have been missed.
    pub resolution_s: f64,
    /// How often it went down.
    pub outages: usize,
    /// Whether it was down when last looked at.
    pub ongoing: bool,
    /// Samples that could tell.
    pub samples: usize,
}
