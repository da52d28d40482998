//! What a measurement holds.

use jiff::Timestamp;
use readygate_sdk::process::Ended;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// Bounds of the lists in the record; the counts are never cut.
pub(crate) mod cap {
    /// Findings listed, the worst first.
    pub(crate) const FINDINGS: usize = 1_000;
    /// Files, problems and other lists.
    pub(crate) const LIST: usize = 500;
    /// Characters of a name, an id, a version.
    pub(crate) const NAME: usize = 200;
    /// Characters of a title or a reason.
    pub(crate) const TEXT: usize = 500;
    /// Steps of a path to a package.
    pub(crate) const PATH: usize = 30;
}

/// What auditors and the embedded matcher found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditMeasurement {
    /// When it was measured; ages count from here.
    pub measured_at: Timestamp,
    /// The auditor that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<AuditCommand>,
    /// The patterns that were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Reports read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<AuditReport>,
    /// Lock files matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<LockFile>,
    /// The databases that lock files were matched against.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<Database>,
    /// What could not be read or is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Counts over everything, ignored findings left out.
    pub counts: Counts,
    /// Findings, the worst first; at most 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Findings that an entry of `ignore` covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredFinding>,
    /// Entries of `ignore` and how they fared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<IgnoreUse>,
}

/// The patterns that were looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Asked {
    /// Those of reports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
    /// Those of lock files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lockfiles: Vec<String>,
}

/// How the auditor's process ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditCommand {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Exit code or signal.
    pub ended: Ended,
    /// How long it took.
    pub seconds: f64,
    /// The end of what it printed on stderr.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// Counts by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BySeverity {
    /// Critical.
    pub critical: u64,
    /// High.
    pub high: u64,
    /// Moderate, also called medium.
    pub moderate: u64,
    /// Low.
    pub low: u64,
    /// None, negligible, informational by score.
    pub none: u64,
    /// Nobody said.
    pub unknown: u64,
}

impl BySeverity {
    /// Counts one.
    pub(crate) fn add(&mut self, severity: Severity) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Moderate => &mut self.moderate,
            Severity::Low => &mut self.low,
            Severity::None => &mut self.none,
            Severity::Unknown => &mut self.unknown,
        } += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.critical + self.high + self.moderate + self.low + self.none + self.unknown
    }
}

/// Counts over all sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Unique advisories by severity: ids that are aliases of each other are one.
    pub advisories: BySeverity,
    /// Vulnerable packages: name and version.
    pub packages: u64,
    /// Advisories of which every finding names a fixed version.
    pub fixable: u64,
    /// Pairs of an advisory and a package.
    pub findings: u64,
    /// Notices that are no vulnerability: unmaintained, unsound, yanked.
    pub notices: u64,
    /// Packages that were looked at, where the sources say so.
    pub audited: u64,
}

/// A report that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// Path, or `stdout` of the command.
    pub path: String,
    /// `npm`, `trivy`, `sarif`, ...
    pub format: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The time in the report, else that of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// Whether the time is only that of the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub file_time: bool,
    /// Whether the file is older than the run that should have written it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_run: bool,
    /// Entries as the tool lists them.
    pub entries: BySeverity,
    /// Unique ids, each at its worst.
    pub advisories: BySeverity,
    /// Entries that the report itself sets aside, by VEX, suppression or ignore list.
    #[serde(default)]
    pub suppressed: BySeverity,
    /// Vulnerable packages.
    pub packages: u64,
    /// What was looked at (packages, targets), where the format says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audited: Option<u64>,
    /// Packages that the auditor skipped, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// How many were skipped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped_total: u64,
    /// Why the report contradicts itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contradiction: Option<String>,
}

impl AuditReport {
    /// Whether it is about no package, so that zero findings say nothing.
    pub fn looked_at_nothing(&self) -> bool {
        self.audited == Some(0) && self.entries.total() + self.suppressed.total() == 0
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A lock file that was matched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockFile {
    /// Path.
    pub path: String,
    /// `package-lock.json v3`, `Cargo.lock`, ...
    pub format: String,
    /// Ecosystem in OSV's spelling.
    pub ecosystem: String,
    /// Packages from a registry, all of them matched.
    pub packages: u64,
    /// The project's own packages, which no database knows.
    #[serde(default)]
    pub local: u64,
    /// Packages that could not be matched, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<Unmatched>,
    /// How many could not be matched.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmatched_total: u64,
    /// What the manifest asks for and the lock does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<String>,
    /// The manifest that the lock was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// A package that no version order can be applied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unmatched {
    /// Name, with the version where there is one.
    pub package: String,
    /// Why: `from git`, `not pinned`.
    pub reason: String,
    /// Whether it comes from a registry, so that advisories about it may exist.
    pub from_registry: bool,
}

/// A database of advisories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Database {
    /// Path or URL.
    pub source: String,
    /// Records in it, withdrawn ones too; none for an online one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Newest change of a record, by which the age of a copy counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Ecosystems that packages need and no database has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Something that keeps the answer from being whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kind it is.
    pub kind: ProblemKind,
    /// File, pattern, command.
    pub subject: String,
    /// 1-based line, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// 1-based column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong, a lowercase fragment.
    pub reason: String,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A pattern that matches no file.
    NoFile,
    /// A report or lock file that cannot be read.
    Unreadable,
    /// The auditor says that it failed.
    AuditorFailed,
}

/// One advisory about one package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The id as the source gives it.
    pub id: String,
    /// Other ids of the same advisory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// One line about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// CVSS score, where one was given or computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Name of the package.
    pub package: String,
    /// Its version, empty where the source does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// How it comes to be there: `app > a > b`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// Versions that are fixed, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<String>,
    /// Used for development only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dev: bool,
    /// `unmaintained`, `unsound`, `yanked`: no vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The report or lock file that it is from.
    #[serde(default)]
    pub source: String,
}

impl Finding {
    /// `smallvec 0.6.9`.
    pub fn package_version(&self) -> String {
        if self.version.is_empty() {
            self.package.clone()
        } else {
            format!("{} {}", self.package, self.version)
        }
    }
}

/// A finding that an entry of `ignore` covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IgnoredFinding {
    /// Id of the advisory.
    pub id: String,
    /// `smallvec 0.6.9`.
    pub package: String,
    /// How bad it is all the same.
    pub severity: Severity,
    /// The reason given.
    pub reason: String,
    /// The day on which the ignore ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// An entry of `ignore` and how it fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IgnoreUse {
    /// Id of the advisory.
    pub id: String,
    /// The only package in which it is ignored; everywhere where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Findings that it names.
    pub matched: u64,
    /// Whether its day is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
    /// The day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
