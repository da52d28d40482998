//! The parts of a measurement that tell about report files.

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Location, count_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fault, text::clip};

/// Characters of a reason.
const REASON: usize = 500;

/// A file that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadableReport {
    /// Path, relative to the folder of the config where it lies below it.
    pub path: String,
    /// 1-based line, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// 1-based column, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Why.
    pub reason: String,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Test cases seen before the place.
    #[serde(default)]
    pub seen: u64,
    /// Failed test cases and suite errors seen before the place.
    #[serde(default)]
    pub failures_seen: u64,
}

impl UnreadableReport {
    /// The record of a fault in a file.
    pub fn new(path: impl Into<String>, fault: &Fault) -> Self {
        Self {
            path: path.into(),
            line: fault.at.map(|at| at.line),
            column: fault.at.map(|at| at.column),
            reason: clip(&fault.reason, REASON),
            hint: fault.hint.map(str::to_owned),
            seen: 0,
            failures_seen: 0,
        }
    }

    /// Path with line and column.
    pub fn place(&self) -> String {
        self.location().to_string()
    }

    /// The place in the file.
    pub fn location(&self) -> Location {
        Location {
            file: self.path.clone(),
            line: self.line,
            column: self.column,
        }
    }

    /// Why it could not be read, and what stands before the place.
    pub fn sentence(&self) -> String {
        let cases = |n| count_of(n, "test case", "test cases");
        match (self.seen, self.failures_seen) {
            (0, 0) => self.reason.clone(),
            (seen, 0) => format!("{}; {} before it", self.reason, cases(seen)),
            (_, n) => {
                let failures = count_of(n, "failure", "failures");
                format!("{}; it holds at least {failures} before that", self.reason)
            }
        }
    }
}

/// A file with the same bytes as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DuplicateReport {
    /// Path of the file left out.
    pub path: String,
    /// Path of the file that was counted.
    pub of: String,
}

/// The commit that the evidence should be of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its id, in full where git knows it.
    pub id: String,
    /// When it was committed, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Whether the target of the config names it; otherwise it is what is checked out.
    #[serde(default)]
    pub from_target: bool,
}

impl Commit {
    /// Whether `id`, perhaps abbreviated, is this commit.
    pub fn is(&self, id: &str) -> bool {
        let (a, b) = (self.id.trim(), id.trim());
        let n = a.len().min(b.len());
        n >= 7
            && a.is_char_boundary(n)
            && b.is_char_boundary(n)
            && a[..n].eq_ignore_ascii_case(&b[..n])
    }
}

/// When a report was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// The report.
    pub path: String,
    /// The oldest time inside.
    pub timestamp: Option<Timestamp>,
    /// No zone is written in that time; it was read as UTC.
    pub zoneless: bool,
    /// Modification time of the file.
    pub modified: Timestamp,
}

impl Dated {
    /// When the evidence was made: the timestamp inside, or else the modification time.
    pub fn evidence_at(&self) -> Timestamp {
        self.trusted_timestamp().unwrap_or(self.modified)
    }

    /// The timestamp, unless it has no zone and is later than the file: then it is the local time
    /// of a place ahead of UTC.
    pub fn trusted_timestamp(&self) -> Option<Timestamp> {
        self.timestamp
            .filter(|timestamp| !self.zoneless || *timestamp <= self.modified)
    }

    /// The latest time at which it can have been made, whatever zone an unzoned time is of.
    pub fn at_latest(&self) -> Timestamp {
        let west = SignedDuration::from_hours(12);
        match self.trusted_timestamp() {
            Some(at) if self.zoneless => at.checked_add(west).unwrap_or(at).min(self.modified),
            Some(at) => at,
            None => self.modified,
        }
    }
}
