//! The run record: everything that was measured and decided, and the only thing reports read.
//!
//! `run.json` has a published, versioned JSON Schema (`readygate schema run`). A record is *sealed*
//! before anything reads it: secrets masked, text from outside defanged.

mod file;
mod governance;
mod regular;
mod seal;
mod watch;

use std::collections::BTreeMap;

use jiff::Timestamp;
use readygate_sdk::{Check, CheckOutcome, Level, Location, Metric, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checklist::source::Source;

pub use file::{FileError, UNFINISHED, parse, read, read_sealed, write_atomically};
pub use governance::{SignDecision, SignoffRecord, Waived, WaiverRecord};
pub use regular::{lock, open_regular, read_regular, write_regular};
pub use seal::{check_digest, seal};
pub use watch::{Advice, Bound, Breached, Decision, Downtime, Samples};

/// The value of [`Run::schema`]; a reader refuses any other.
pub const SCHEMA: &str = "readygate/run/v1";
/// What `readygate gate` puts between the id of the run and its own time, in seconds.
pub const GATED: &str = "-gated-";
/// What `readygate judge` puts there.
pub const JUDGED: &str = "-judged-";

/// One run of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Always `readygate/run/v1`.
    pub schema: String,
    /// Unique id of the run: start time and process.
    pub id: String,
    /// What made the record.
    pub tool: Tool,
    /// The system to be released.
    pub target: TargetRecord,
    /// The policy that was applied.
    pub config: ConfigRecord,
    /// What was selected from the policy.
    pub selection: Selection,
    /// Release that the run belongs to, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Start, UTC.
    pub started: Timestamp,
    /// End, UTC.
    pub finished: Timestamp,
    /// When it was decided anew, UTC, where `readygate gate` or `judge` did so after the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
    /// The signal that ended the run early: `SIGINT`, `SIGTERM` or `SIGHUP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
    /// Decided once, from the gates below.
    pub verdict: Verdict,
    /// Why this verdict: one sentence for each gate that weighs.
    pub reasons: Vec<String>,
    /// The code that the process ended with; 1 in place of 0 where a report could not be written.
    pub exit_code: u8,
    /// Gates by outcome.
    pub counts: Counts,
    /// Every declared gate, in the order of the config; exactly one row each.
    pub gates: Vec<GateRecord>,
    /// Waivers of the policy and what they covered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverRecord>,
    /// Signed statements that were looked at, accepted or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signoffs: Vec<SignoffRecord>,
    /// Id of the run whose measurements `readygate judge` judged again. Of what the config asks now,
    /// nothing was measured: `readygate gate` decides on no such record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<String>,
    /// What a watch saw and advises; `gates` then hold the last sample of each, and all of them as
    /// attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Decision>,
    /// SHA-256, hex, of this record without this field, as JSON without blanks. It finds edits by
    /// mistake; against forgers sign the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Run {
    /// When the verdict was reached, UTC: what people signed must have held then.
    pub fn decided_at(&self) -> Timestamp {
        // Before the field was there, the id told.
        let named = || self.decided_by_name().map(|at| at.max(self.finished));
        self.decided.or_else(named).unwrap_or(self.finished)
    }

    fn decided_by_name(&self) -> Option<Timestamp> {
        let after = |mark: &str| self.id.rsplit_once(mark).map(|(_, after)| after);
        let ends = [GATED, JUDGED].into_iter().filter_map(after);
        let seconds = ends.min_by_key(|end| end.len())?;
        Timestamp::from_second(seconds.parse().ok()?).ok()
    }
}

/// What made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `readygate`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The system to be released.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetRecord {
    /// Its name.
    pub name: String,
    /// Base URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Environment, if it differs from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The version being released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The commit being released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Commit of the git work tree around the config, or of that of the trusted ref, at the end of
    /// the run, a full hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Digest of what is deployed: `sha256:...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// Versions that the target itself reported, from metrics named `version`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_versions: Vec<String>,
}

/// The policy that was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigRecord {
    /// Files read, in order, as the user named them.
    pub files: Vec<String>,
    /// SHA-256 over the bytes of all files, in order, hex.
    pub sha256: String,
    /// The ref that they were read from, in place of the working tree (`--trust-ref`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<TrustRecord>,
}

/// A git ref whose policy was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustRecord {
    /// As it was named: `origin/main`.
    pub reference: String,
    /// The commit that it led to, a full hash.
    pub commit: String,
}

/// What was selected from the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// `--stage`.
    pub stages: Vec<String>,
    /// `--tag`.
    pub tags: Vec<String>,
    /// `--only`.
    pub only: Vec<String>,
    /// `--skip`.
    pub skip: Vec<String>,
}

/// `origin/main (0123abc)`
impl std::fmt::Display for TrustRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short: String = self.commit.chars().take(7).collect();
        write!(f, "{} ({short})", self.reference)
    }
}

/// Gates by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// All declared gates.
    pub total: usize,
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Could not be told.
    pub unmeasured: usize,
    /// Not selected, or a dependency failed.
    pub skipped: usize,
    /// A sign-off is missing.
    pub pending: usize,
    /// Passed after a failed attempt.
    pub flaky: usize,
    /// Failed checks of level warning, and failed minor gates; without what is waived.
    pub warnings: usize,
    /// Of the failed: those whose failures are all waived.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waived: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How much a gate weighs.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only reported.
    Info,
    /// Warns.
    Minor,
    /// Fails the run unless waived.
    #[default]
    Major,
    /// Fails the run.
    Blocker,
}

impl Severity {
    /// `blocker`, `major`, `minor` or `info`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Blocker => "blocker",
        }
    }

    /// Whether a failure, or a failure to measure, keeps the run from GO.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Major | Self::Blocker)
    }
}

/// How a gate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every check of level error passed, and at least one check was made.
    Passed,
    /// A check of level error failed.
    Failed,
    /// It could not be told.
    Unmeasured,
    /// Not selected, or a dependency failed.
    Skipped,
    /// A sign-off is missing.
    Pending,
}

impl Outcome {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unmeasured => "unmeasured",
            Self::Skipped => "skipped",
            Self::Pending => "pending",
        }
    }
}

/// Why a gate was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Not part of the selection; weighs nothing.
    NotSelected,
    /// A gate that it needs did not pass; weighs like could-not-tell.
    Dependency,
}

/// Everything about one gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateRecord {
    /// Unique id from the config.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// Section of the checklist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Role that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How much it weighs.
    pub severity: Severity,
    /// When it applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Which probe.
    pub probe: String,
    /// The lines of a checklist that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Where the config declares it.
    pub location: Location,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<SkipReason>,
    /// One sentence, unless it simply passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What kept the probe from measuring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProbeError>,
    /// Passed, but only after an attempt that did not.
    pub flaky: bool,
    /// What the probe brought back; its schema is the probe's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<serde_json::Value>,
    /// Named scalars.
    pub metrics: BTreeMap<String, Metric>,
    /// Metrics that the probe could not give, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent_metrics: BTreeMap<String, String>,
    /// Every check, passed or not.
    pub checks: Vec<Check>,
    /// Failed checks that waivers cover. They stay failed, and so does the gate's outcome, so that
    /// a reader that knows no waivers errs towards NO-GO.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<Waived>,
    /// Every attempt, in order; retries and sustained measurements alike.
    pub attempts: Vec<Attempt>,
    /// Start of the first attempt, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// Seconds from the first start to the last end.
    pub duration_s: f64,
}

impl GateRecord {
    /// Checks that keep the gate from passing.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Error)
    }

    /// Failed checks that only warn, without those that are waived.
    pub fn warnings(&self) -> impl Iterator<Item = &Check> {
        let all = self.checks.iter().enumerate();
        let open = all.filter(|(index, _)| self.waiver_of(*index).is_none());
        open.map(|(_, check)| check)
            .filter(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Warning)
    }

    /// The waiver of the check at this position. What awaits a signature is not waived.
    pub fn waiver_of(&self, check: usize) -> Option<&Waived> {
        let mut waived = self.waived.iter();
        waived.find(|waived| waived.check == check && self.outcome != Outcome::Pending)
    }

    /// How the gate weighs: its outcome, but what is left of a failure when waived checks are put
    /// aside. What could not be told is left: no waiver covers it. A failure that no check tells of
    /// stays one.
    pub fn standing(&self) -> Outcome {
        if self.outcome != Outcome::Failed || self.waived.is_empty() {
            return self.outcome;
        }
        let errors = || {
            let all = self.checks.iter().enumerate();
            all.filter(|(_, check)| check.level == Level::Error)
        };
        let mut failed = errors().filter(|(_, check)| check.outcome == CheckOutcome::Failed);
        let mut told = false;
        let covered = failed.all(|(index, _)| {
            told = true;
            self.waiver_of(index).is_some()
        });
        if !(covered && told) {
            return Outcome::Failed;
        }
        let mut unknown = errors().filter(|(_, c)| c.outcome == CheckOutcome::Unmeasured);
        if self.error.is_some() || unknown.next().is_some() {
            return Outcome::Unmeasured;
        }
        Outcome::Passed
    }

    /// Whether it failed and every failure is waived.
    pub fn is_waived(&self) -> bool {
        self.outcome == Outcome::Failed && self.standing() == Outcome::Passed
    }

    /// How a flaky gate passed: late, or in spite of measurements that a series tolerates.
    pub fn passed_how(&self) -> String {
        let all = self.attempts.len();
        let passes = |attempt: &&Attempt| attempt.outcome == Outcome::Passed;
        let passed = self.attempts.iter().filter(passes).count();
        match self.attempts.last() {
            Some(last) if passed == 1 && passes(&last) => {
                format!("passed on attempt {} of {all}", last.number)
            }
            _ => format!(
                "passed, though {} of {all} measurements did not",
                all - passed
            ),
        }
    }

    /// Whether the gate took part in the run.
    pub fn is_selected(&self) -> bool {
        self.skipped != Some(SkipReason::NotSelected)
    }
}

/// One attempt at measuring and judging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Start, UTC.
    pub started: Timestamp,
    /// Seconds.
    pub duration_s: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// The first failure or the error, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Every blocking gate passed.
    #[serde(rename = "GO")]
    Go,
    /// Every blocking gate passed or its failures are waived.
    #[serde(rename = "GO-WITH-WAIVERS")]
    GoWithWaivers,
    /// A blocking gate failed.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// None failed, but a blocking gate could not be measured.
    #[serde(rename = "INCONCLUSIVE")]
    Inconclusive,
    /// Only sign-offs are missing.
    #[serde(rename = "PENDING")]
    Pending,
}

impl Verdict {
    /// The word on the first line of every report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::GoWithWaivers => "GO-WITH-WAIVERS",
            Self::NoGo => "NO-GO",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Pending => "PENDING",
        }
    }
}
