//! What `measure` brings back: facts, bounded in size.

use std::collections::BTreeMap;

use jiff::Timestamp;
use readygate_reports::{
    Started, clip,
    command::CommandRun,
    gather::{FileFacts, Gaps},
    record::{Commit, Dated},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{Format, SourceKind},
    k6::facts::K6Facts,
    locust::facts::LocustFacts,
    observe::Observed,
};

mod engine;

pub(crate) use engine::seconds_at;
pub use engine::{Aims, EngineRun, WindowColumns};

/// Lists are cut to these lengths.
pub(crate) mod cap {
    /// Result files in the record.
    pub const FILES: usize = 200;
    /// Routes, kinds of errors and thresholds of one result.
    pub const ROWS: usize = 200;
    /// Characters of a name.
    pub const NAME: usize = 200;
}

/// The record of one load run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadMeasurement {
    /// When the results were read, UTC.
    #[schemars(with = "String")]
    pub measured_at: Timestamp,
    /// Where the numbers come from.
    #[serde(default)]
    pub source: SourceKind,
    /// How the load tool ended, if it was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandRun>,
    /// The commit that the results should be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// What could not be read.
    #[serde(default)]
    pub gaps: Gaps,
    /// Files read; `files` lists the first 200.
    #[serde(default)]
    pub files_total: u64,
    /// What each file says.
    #[serde(default)]
    pub files: Vec<Imported>,
    /// All files together; nothing when they are of different formats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<LoadResult>,
    /// What was watched while the load ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Box<Watched>>,
    /// The run of the engine, if it made the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Box<EngineRun>>,
    /// The run of Locust, if this probe drove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locust: Option<LocustFacts>,
    /// The run of k6, if this probe drove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k6: Option<K6Facts>,
}

/// What was watched, and how much of it says anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Watched {
    /// Fewer look-ups say nothing about a hit rate.
    pub min_lookups: u64,
    /// The series.
    pub seen: Observed,
}

impl LoadMeasurement {
    /// What the engine brought back.
    pub(crate) fn of_engine(
        measured_at: Timestamp,
        run: EngineRun,
        observed: Option<Watched>,
    ) -> Self {
        Self {
            measured_at,
            source: SourceKind::Engine,
            command: None,
            commit: None,
            gaps: Gaps::default(),
            files_total: 0,
            files: Vec::new(),
            total: None,
            observed: observed.map(Box::new),
            engine: Some(Box::new(run)),
            locust: None,
            k6: None,
        }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// The file.
    pub file: FileFacts,
    /// What it says.
    pub result: LoadResult,
}

impl Imported {
    pub(crate) fn dated(&self) -> Dated {
        let inside = self.result.started.map(|at| Started {
            at,
            zoneless: self.result.zoneless,
        });
        self.file.dated(inside)
    }
}

/// How load was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Requests are sent at a rate, whatever the target does.
    Open,
    /// Users or connections wait for an answer before they send again.
    Closed,
    /// The file does not say.
    #[default]
    Unknown,
}

/// Whether latency is safe from coordinated omission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Safe {
    /// It counts from the time at which a request was due.
    Yes,
    /// A stall of the target delays requests, and the delay is not counted.
    No,
    /// The file does not say.
    #[default]
    Unknown,
}

/// How quantiles were obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Nearest rank of all samples.
    Samples,
    /// Nearest rank of the buckets that the tool counted in.
    Histogram,
    /// The tool computed them.
    Tool,
}

/// Latency of responses, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// How the quantiles were obtained.
    pub how: How,
    /// Samples, where the tool says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Pairs of percent (95) and seconds, as the tool gives them; none is interpolated.
    #[serde(default)]
    pub quantiles: Vec<(f64, f64)>,
}

impl Latency {
    /// Figures of the tool itself.
    pub(crate) fn of_tool() -> Self {
        Self {
            how: How::Tool,
            count: None,
            mean: None,
            max: None,
            quantiles: Vec::new(),
        }
    }

    /// The quantile at `percent`.
    pub fn at(&self, percent: f64) -> Option<f64> {
        let is = |p: f64| (p - percent).abs() < 1e-9;
        self.quantiles.iter().find(|(p, _)| is(*p)).map(|(_, s)| *s)
    }

    pub(crate) fn push(&mut self, percent: f64, seconds: Option<f64>) {
        if let Some(seconds) = seconds.filter(|s| s.is_finite() && *s >= 0.0) {
            self.quantiles.push((percent, nanos(seconds)));
        }
    }
}

/// A threshold of the tool's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// Metric and expression.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
}

/// One request name or URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Its name in the tool.
    pub name: String,
    /// Requests.
    pub requests: u64,
    /// Those that failed, where the tool says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// What one file says, or all together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadResult {
    /// Format of the file.
    pub format: Format,
    /// Name of the tool.
    pub tool: String,
    /// Its version, where the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How load was made.
    #[serde(default)]
    pub model: Model,
    /// Whether latency is safe from coordinated omission.
    #[serde(default)]
    pub corrected: Safe,
    /// Requests that ended, with a response or an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Those of them that failed: no response, or a status outside 200 to 399, or by the tool's own checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Failures by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub error_kinds: BTreeMap<String, u64>,
    /// Responses by status, or by class (`2xx`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, u64>,
    /// Requests in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<f64>,
    /// Length of the run in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// When the run started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// Whether these times have no zone and were read as UTC.
    #[serde(default)]
    pub zoneless: bool,
    /// Most users or connections at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Latency; nothing where no response was timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// The tool's own thresholds with their results; nothing where the file has no results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<Threshold>>,
    /// By request name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Why a metric is absent, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<String, String>,
    /// What a reader of the numbers should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl LoadResult {
    pub(crate) fn new(format: Format, tool: &str, model: Model, corrected: Safe) -> Self {
        Self {
            format,
            tool: tool.to_owned(),
            version: None,
            model,
            corrected,
            requests: None,
            errors: None,
            error_kinds: BTreeMap::new(),
            statuses: BTreeMap::new(),
            throughput: None,
            duration: None,
            started: None,
            ended: None,
            zoneless: false,
            users: None,
            latency: None,
            thresholds: None,
            routes: Vec::new(),
            absent: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// Adds to a status.
    pub(crate) fn status(&mut self, status: &str, n: u64) {
        add(&mut self.statuses, status, n);
    }

    /// Adds to a kind of error.
    pub(crate) fn error(&mut self, kind: &str, n: u64) {
        add(&mut self.error_kinds, kind, n);
    }

    /// Requests and errors from the statuses and the errors without a response.
    pub(crate) fn count_by_status(&mut self) {
        let without: u64 = self.error_kinds.values().sum();
        self.requests = Some(self.responses() + without);
        self.errors = Some(self.bad_statuses() + without);
    }

    /// Requests with a good response, where errors are known.
    pub(crate) fn succeeded(&self) -> Option<u64> {
        Some(self.requests?.saturating_sub(self.errors?))
    }

    /// Requests whose latency is known: at most those that succeeded where the format does not say, since
    /// a failed one need not be timed.
    pub(crate) fn timed(&self) -> Option<u64> {
        let counted = self.latency.as_ref().and_then(|latency| latency.count);
        counted.or_else(|| self.succeeded()).or(self.requests)
    }

    /// Responses, as far as statuses are known.
    pub(crate) fn responses(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Responses whose status is a failure.
    pub fn bad_statuses(&self) -> u64 {
        let bad = self.statuses.iter().filter(|(code, _)| is_bad(code));
        bad.map(|(_, n)| n).sum()
    }

    /// Why a metric is absent.
    pub(crate) fn lacks(&mut self, metric: &str, why: impl Into<String>) {
        self.absent.insert(metric.to_owned(), why.into());
    }
}

/// Whether a status, or a class such as `5xx`, is a failure; 200 to 399 are not.
pub(crate) fn is_bad(status: &str) -> bool {
    !matches!(status.as_bytes(), [b'2' | b'3', _, _]) && !matches!(status, "SERVING" | "OK")
}

fn add(map: &mut BTreeMap<String, u64>, key: &str, n: u64) {
    if n == 0 {
        return;
    }
    let key = clip(key, cap::NAME);
    if map.len() >= cap::ROWS && !map.contains_key(&key) {
        *map.entry("other".to_owned()).or_default() += n;
    } else {
        *map.entry(key).or_default() += n;
    }
}

/// Seconds to the nanosecond: such a number survives JSON exactly.
pub(crate) fn nanos(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e9
}
