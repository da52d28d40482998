//! What a run of k6 was, beside its numbers.

use readygate_sdk::process::Ended;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lag, in seconds, below which the clocks of the script cannot tell.
const LEAST_LAG: f64 = 0.01;
/// Share of the tightest bound that lag may reach. Lag is counted in the latency, so it can only make
/// a run look worse; beyond one half the machine may be what breaks the bound.
const LAG_SHARE: f64 = 0.5;

/// Facts of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct K6Facts {
    /// Requests in a second that were asked for; nothing in a closed model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_asked: Option<f64>,
    /// Seconds that it was to measure.
    pub window_asked: f64,
    /// Most requests open at a time that were allowed, over all segments.
    pub users_asked: u64,
    /// Its processes.
    pub segments: Vec<Segment>,
    /// Requests within each bound, over all segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<Counted>,
    /// Largest share of failed requests that is accepted, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_error_rate: Option<f64>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// `k6`, or `segment 1/2`.
    pub name: String,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Whether it wrote its summary.
    pub summary: bool,
    /// Iterations that began while it measured.
    #[serde(default)]
    pub started: u64,
    /// Those of them that went through the whole test.
    #[serde(default)]
    pub done: u64,
    /// Iterations that were due and not begun, since every user was waiting.
    #[serde(default)]
    pub dropped: u64,
    /// How late iterations began, 99th percentile, in seconds; nothing in a closed model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_p99: Option<f64>,
    /// What it said last, where it did not end well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// A bound of latency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// Percentile, as 95.
    pub percent: f64,
    /// Seconds.
    pub seconds: f64,
    /// Requests that succeeded within it.
    pub within: u64,
    /// All requests.
    pub of: u64,
}

impl Segment {
    /// Whether k6 ended as after a run that went through; 99 says that a threshold was crossed.
    pub(crate) fn went_through(&self) -> bool {
        self.summary && matches!(self.ended, Some(Ended::Code(0 | 99)))
    }

    /// What its end says.
    pub(crate) fn meaning(&self) -> String {
        let Some(ended) = self.ended else {
            return "did not end by itself".to_owned();
        };
        let said = match ended {
            Ended::Code(97) => "the cloud run failed",
            Ended::Code(99) => "a threshold was crossed",
            Ended::Code(100) => "`setup` timed out",
            Ended::Code(101) => "`teardown` timed out",
            Ended::Code(102) => "a generic timeout",
            Ended::Code(103) => "k6 could not stop itself",
            Ended::Code(104) => "the options of the test are invalid",
            Ended::Code(105) => "it was interrupted by a signal",
            Ended::Code(106) => "its REST server could not start",
            Ended::Code(107) => "the script raised an exception before any request",
            Ended::Code(108) => "the script aborted the test",
            Ended::Code(109) => "k6 panicked",
            Ended::Code(110) => "the script marked the test as failed",
            Ended::Code(0) if !self.summary => "it wrote no summary",
            _ => return crate::fleet::said(ended),
        };
        format!("{}: {said}", crate::fleet::said(ended))
    }
}

/// Most that iterations may begin late by, in seconds, where these are the bounds of latency.
pub(crate) fn most_lag(bounds: impl Iterator<Item = f64>) -> f64 {
    let tightest = bounds.min_by(f64::total_cmp);
    tightest.map_or(0.1, |bound| (bound * LAG_SHARE).max(LEAST_LAG))
}

impl K6Facts {
    /// Why the numbers are not those of the run that was asked for.
    pub(crate) fn void(&self) -> Option<String> {
        let late = || "k6 was late with its own requests".to_owned();
        self.broken().or_else(|| self.is_late().then(late))
    }

    /// How late iterations began in the worst segment, 99th percentile, in seconds.
    pub(crate) fn worst_lag(&self) -> Option<f64> {
        let lags = self.segments.iter().filter_map(|s| s.lag_p99);
        lags.max_by(f64::total_cmp)
    }

    /// Whether this machine was short of CPU, by the bounds that the run was made for.
    pub(crate) fn is_late(&self) -> bool {
        let most = most_lag(self.bounds.iter().map(|bound| bound.seconds));
        self.worst_lag().is_some_and(|lag| lag > most)
    }

    /// Why there is no whole run.
    pub(crate) fn broken(&self) -> Option<String> {
        let broken = self.segments.iter().find(|s| !s.went_through());
        if let Some(segment) = broken {
            return Some(format!("{} {}", segment.name, segment.meaning()));
        }
        let thrown: u64 = self
            .segments
            .iter()
            .map(|s| s.started.saturating_sub(s.done))
            .sum();
        (thrown > 0).then(|| "iterations of the test raised exceptions".to_owned())
    }
}
