//! What `measure` brings back: facts, bounded in size.

use jiff::Timestamp;
use readygate_sdk::process::Ended;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Format, Severity};

/// Lists are cut to these lengths; the totals beside them are not.
pub(crate) mod cap {
    /// Files listed.
    pub const FILES: usize = 500;
    /// Results listed; errors come first.
    pub const RESULTS: usize = 200;
    /// Rules listed; the most frequent come first.
    pub const RULES: usize = 200;
    /// Problems of each kind listed.
    pub const PROBLEMS: usize = 50;
    /// Characters of a message.
    pub const MESSAGE: usize = 400;
    /// Characters of a name or path.
    pub const NAME: usize = 300;
}

/// The record of one look at lint reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LintMeasurement {
    /// When the reports were read.
    pub measured_at: Timestamp,
    /// How the linter ended, if it was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<LintCommand>,
    /// What the reports say.
    #[serde(default)]
    pub reports: LintReports,
}

/// How the linter ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LintCommand {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Exit code or signal.
    pub ended: Ended,
    /// From start to end, seconds.
    pub seconds: f64,
    /// The end of what it printed: stderr, or stdout where stderr was empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// What all the reports together say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LintReports {
    /// The sum over the reports that could be read, duplicates left out.
    pub counts: Counts,
    /// Files that were linted, where every report lists those without results too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linted: Option<u64>,
    /// Reports read, duplicates left out.
    pub files_total: u64,
    /// The first 500 of them.
    pub files: Vec<ReportFile>,
    /// Patterns that matched no file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<String>,
    /// Reports that could not be read.
    pub unreadable_total: u64,
    /// The first 50 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Problem>,
    /// Signs that a linter did not do all of its work.
    pub incomplete_total: u64,
    /// The first 50 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Problem>,
    /// Reports that claim more results than they hold, and reports that linted nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubtful: Vec<Problem>,
    /// Reports with the same bytes as another; they are counted once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<String>,
    /// The most frequent 200 rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleCount>,
    /// The first 200 results that count; with a baseline, of the new ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Finding>,
    /// The comparison with the baseline, if one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// Results that the linter itself calls new (`baselineState` of SARIF), where it says so of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated_new: Option<u64>,
}

/// Counts of results; each result is in one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Results of level error.
    pub errors: u64,
    /// Results of level warning.
    pub warnings: u64,
    /// Results of level note.
    pub notes: u64,
    /// Results that are none: passed, not applicable, informational (level none).
    pub none: u64,
    /// Results that are suppressed, in the code or by a decision.
    pub suppressed: u64,
    /// Results of an earlier run that are gone (`baselineState: absent`).
    pub gone: u64,
}

impl Counts {
    /// Results that count.
    pub(crate) const fn results(&self) -> u64 {
        self.errors + self.warnings + self.notes
    }

    pub(crate) const fn of(&mut self, level: Severity) -> &mut u64 {
        match level {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        }
    }

    pub(crate) const fn add(&mut self, other: &Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
        self.none += other.none;
        self.suppressed += other.suppressed;
        self.gone += other.gone;
    }
}

/// One report that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFile {
    /// Path as the user knows it, or the name of the command whose output it is.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// The tools that wrote it, where it says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Size.
    pub bytes: u64,
    /// What it holds.
    pub counts: Counts,
    /// When the linter ended, or when the file was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Timestamp>,
    /// It was there before the command started, which did not write it.
    #[serde(default)]
    pub before_run: bool,
}

/// Something wrong with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Path of the report.
    pub path: String,
    /// Line in the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column in the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

/// A rule and how often it was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCount {
    /// Its name.
    pub rule: String,
    /// Its level.
    pub level: Severity,
    /// How often.
    pub count: u64,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Its level.
    pub level: Severity,
    /// The rule that was broken.
    #[serde(default)]
    pub rule: String,
    /// The file.
    #[serde(default)]
    pub file: String,
    /// The line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong.
    #[serde(default)]
    pub message: String,
}

/// How the results compare with an earlier report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Path of the earlier report.
    pub path: String,
    /// Results in it.
    #[serde(default)]
    pub known: u64,
    /// Results that are not in it.
    #[serde(default)]
    pub new: Counts,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}
