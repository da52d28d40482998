//! What `measure` brings back: facts, bounded in size.

use jiff::Timestamp;
use readygate_reports::{
    command::CommandRun,
    gather::{FileFacts, Gaps},
    record::{Commit, Dated},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Count;

/// Lists are cut to these lengths; the totals beside them are not.
pub(crate) mod cap {
    /// Reports listed.
    pub const REPORTS: usize = 500;
    /// Least covered source files listed.
    pub const WORST: usize = 20;
    /// Changed lines and files listed.
    pub const PLACES: usize = 100;
}

/// The coverage that the reports tell, merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageMeasurement {
    /// When the reports were read, UTC.
    #[schemars(with = "String")]
    pub measured_at: Timestamp,
    /// How the command ended, if one was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandRun>,
    /// The commit that the reports should be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// What could not be read.
    #[serde(default)]
    pub gaps: Gaps,
    /// Reports read, duplicates left out.
    pub reports_total: u64,
    /// Those; where there are more than 500, those with a problem and the oldest are kept.
    pub reports: Vec<ReportFile>,
    /// Over all reports, each line of each source file once.
    pub totals: Totals,
    /// The 20 source files with the most uncovered lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<CoveredFile>,
    /// What the floors of the config were compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<FloorResult>,
    /// The lines of the change, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// Counts over all reports. A measure that no report carries is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Source files.
    pub files: u64,
    /// Executable lines; statements in formats that count those (Go, Clover).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Count>,
    /// Branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branches: Option<Count>,
    /// Functions or methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions: Option<Count>,
    /// Whether a report carries branches at all.
    #[serde(default)]
    pub carries_branches: bool,
    /// Whether a report carries functions at all.
    #[serde(default)]
    pub carries_functions: bool,
    /// Lines that a report counts in its totals and lists in no source file.
    #[serde(default)]
    pub unlisted_lines: u64,
}

/// One report that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFile {
    /// What is known beside its content.
    pub file: FileFacts,
    /// `lcov`, `cobertura`, ...
    pub format: String,
    /// Source files in it.
    pub sources: u64,
    /// Its lines, by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Count>,
    /// The time inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub timestamp: Option<Timestamp>,
    /// No time zone is written in that time; it was read as UTC.
    #[serde(default)]
    pub zoneless: bool,
    /// The commit that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl ReportFile {
    /// When it was made.
    pub fn dated(&self) -> Dated {
        Dated {
            path: self.file.path.clone(),
            timestamp: self.timestamp,
            zoneless: self.zoneless,
            modified: self.file.modified,
        }
    }
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoveredFile {
    /// Relative to the folder of the config where it lies below it.
    pub path: String,
    /// Its lines.
    pub lines: Count,
}

/// What a floor is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FloorResult {
    /// The glob.
    pub pattern: String,
    /// Source files that match.
    pub files: u64,
    /// Their lines.
    pub lines: Count,
    /// The one with the most uncovered lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<CoveredFile>,
}

/// The change since `base`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The revision that it starts from.
    pub base: String,
    /// Why it cannot be told what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Source files with changed lines that a report knows.
    #[serde(default)]
    pub files: u64,
    /// Their changed lines that can be executed.
    #[serde(default)]
    pub lines: Count,
    /// Those that were not.
    #[serde(default)]
    pub uncovered: Places,
    /// Changed files of the same kinds that no report knows.
    #[serde(default)]
    pub unknown_files: Places,
}

/// A list of places, cut to 100.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Places {
    /// All.
    pub total: u64,
    /// The first: `path` or `path:line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
}

impl Places {
    pub(crate) fn push(&mut self, place: String) {
        self.total += 1;
        if self.listed.len() < cap::PLACES {
            self.listed.push(place);
        }
    }
}
