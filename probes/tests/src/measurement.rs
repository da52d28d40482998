//! What `measure` brings back: facts, bounded in size.

use std::fmt;

use jiff::Timestamp;
use readygate_reports::{
    command::CommandRun,
    record::{Commit, Dated, DuplicateReport, UnreadableReport},
    to_millis,
};
use readygate_sdk::Location;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists are cut to these lengths; the totals beside them are not.
pub(crate) mod cap {
    /// Files listed; those with something to say about them come first.
    pub const FILES: usize = 500;
    /// Failed tests listed.
    pub const FAILURES: usize = 100;
    /// Suite errors, unreadable files and duplicates listed.
    pub const PROBLEMS: usize = 50;
    /// Flaky tests listed.
    pub const FLAKY: usize = 100;
    /// Slowest tests listed.
    pub const SLOWEST: usize = 10;
    /// Characters of a failure's message.
    pub const MESSAGE: usize = 500;
    /// Characters of a name or a path inside a report.
    pub const NAME: usize = 300;
}

/// The record of one test run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestsMeasurement {
    /// When the reports were read, UTC.
    #[schemars(with = "String")]
    pub measured_at: Timestamp,
    /// How the command ended, if one was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandRun>,
    /// The commit that the reports should be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// What the reports say; absent when none were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports: Option<TestReports>,
}

/// What all the reports together say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TestReports {
    /// The sum over the files that could be read, duplicates left out.
    pub counts: Counts,
    /// Files read, duplicates left out.
    pub files_total: u64,
    /// Files read; where there are more than 500, those with a problem and the oldest are kept.
    pub files: Vec<ReportFile>,
    /// Patterns that matched no file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<String>,
    /// Files that could not be read.
    pub unreadable_total: u64,
    /// The first 50 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableReport>,
    /// Files with the same bytes as another file; they are counted once.
    pub duplicates_total: u64,
    /// The first 50 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<DuplicateReport>,
    /// Files that were there before the command started and that it did not write.
    pub before_run_total: u64,
    /// The first 100 failed tests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailedTest>,
    /// The first 50 errors of whole suites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suite_errors: Vec<SuiteError>,
    /// The first 50 test cases whose `status` says failed and that hold no failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictory: Vec<TestRef>,
    /// The first 100 flaky tests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flaky: Vec<TestRef>,
    /// The ten slowest tests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slowest: Vec<SlowTest>,
}

/// Counts of test cases; each case has exactly one of the four states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// All test cases.
    pub total: u64,
    /// Ran and passed.
    pub passed: u64,
    /// An assertion failed.
    pub failed: u64,
    /// Ended by an unexpected error.
    pub errors: u64,
    /// Did not run.
    pub skipped: u64,
    /// Passed, but not in every attempt; also in `passed`.
    pub flaky: u64,
    /// Test suites.
    pub suites: u64,
    /// Failures and errors of whole suites, outside any test case.
    pub suite_errors: u64,
    /// Cases whose `status` says failed and that hold no failure; counted as passed.
    pub contradictory: u64,
    /// Folded tests without a name, of which some attempts failed: perhaps not one test at all.
    pub ambiguous: u64,
    /// Sum of the times of the test cases, seconds, to the millisecond.
    pub seconds: f64,
    /// Times that are no number of seconds.
    pub bad_times: u64,
}

impl Counts {
    /// Test cases that ran.
    pub fn executed(&self) -> u64 {
        self.passed + self.failed + self.errors
    }

    /// Failures and errors.
    pub fn failing(&self) -> u64 {
        self.failed + self.errors
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.total += other.total;
        self.passed += other.passed;
        self.failed += other.failed;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.flaky += other.flaky;
        self.suites += other.suites;
        self.suite_errors += other.suite_errors;
        self.contradictory += other.contradictory;
        self.ambiguous += other.ambiguous;
        self.seconds = to_millis(self.seconds + other.seconds);
        self.bad_times += other.bad_times;
    }
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFile {
    /// Path, relative to the folder of the config where it lies below it.
    pub path: String,
    /// `junit`.
    pub format: String,
    /// Character encoding, by its WHATWG name.
    pub encoding: String,
    /// Size in bytes.
    pub bytes: u64,
    /// What its elements say.
    pub counts: Counts,
    /// What its attributes claim.
    #[serde(default)]
    pub claims: Claims,
    /// The oldest suite timestamp inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub timestamp: Option<Timestamp>,
    /// No time zone is written in that timestamp; it was read as UTC.
    #[serde(default)]
    pub zoneless: bool,
    /// Modification time of the file, UTC.
    #[schemars(with = "String")]
    pub modified: Timestamp,
    /// Whether the file was there before the command started and was not written by it.
    #[serde(default)]
    pub before_run: bool,
    /// References to entities, which are never expanded, where test cases could stand.
    #[serde(default)]
    pub unexpanded: u64,
}

impl ReportFile {
    /// When it was made.
    pub fn dated(&self) -> Dated {
        Dated {
            path: self.path.clone(),
            timestamp: self.timestamp,
            zoneless: self.zoneless,
            modified: self.modified,
        }
    }
}

/// The counts that the attributes of a report claim; each is absent when no attribute names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claims {
    /// `tests`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<u64>,
    /// `failures`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<u64>,
    /// `errors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// `skipped`, `skips`, `skip` or `ignored`, and `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// Executed tests that are claimed and have no element.
    #[serde(default)]
    pub missing_tests: u64,
    /// Failures and errors that are claimed and have no element.
    #[serde(default)]
    pub missing_failures: u64,
}

/// A test case and where it stands in a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestRef {
    /// Its name.
    pub name: String,
    /// Its class name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub classname: String,
    /// The suite that holds it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suite: String,
    /// Source file of the test.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// 1-based line in the source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The report.
    pub report: String,
    /// 1-based line in the report.
    pub report_line: u64,
}

/// A failed test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedTest {
    /// Which.
    pub test: TestRef,
    /// `failure` or `error`.
    pub kind: FailureKind,
    /// Its message, or the start of its text; at most 500 characters.
    pub message: String,
}

/// The two ways to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// An assertion failed.
    Failure,
    /// An unexpected error ended the test.
    Error,
}

/// A failure of a whole suite, outside any test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteError {
    /// Name of the suite.
    pub suite: String,
    /// At most 500 characters.
    pub message: String,
    /// The report.
    pub report: String,
    /// 1-based line in the report.
    pub report_line: u64,
}

/// A slow test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlowTest {
    /// Which.
    pub test: TestRef,
    /// Its time, seconds, to the millisecond.
    pub seconds: f64,
}

impl TestRef {
    /// The place in the report.
    pub fn location(&self) -> Location {
        Location {
            file: self.report.clone(),
            line: Some(self.report_line),
            column: None,
        }
    }
}

impl fmt::Display for TestRef {
    /// `class > name (file:line)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "(a test without a name)"
        } else {
            &self.name
        };
        let group = if self.classname.is_empty() {
            &self.suite
        } else {
            &self.classname
        };
        if group.is_empty() || name.starts_with(group.as_str()) {
            f.write_str(name)?;
        } else {
            write!(f, "{group} > {name}")?;
        }
        match (self.file.is_empty(), self.line) {
            (true, _) => Ok(()),
            (false, Some(line)) => write!(f, " ({}:{line})", self.file),
            (false, None) => write!(f, " ({})", self.file),
        }
    }
}
