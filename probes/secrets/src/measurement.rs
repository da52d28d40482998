//! The record of one measurement. No secret is in it: findings carry a mask and a salted hash.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How sure a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The name or the form suggests a secret.
    Possible,
    /// The form is a provider's, or the value looks drawn at random.
    Likely,
    /// A checksum in the token holds, or the tool that reported it has logged in with it.
    Verified,
}

impl Confidence {
    /// `possible`, `likely`, `verified`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Verified => "verified",
        }
    }
}

/// What was scanned and read, and what was found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SecretsMeasurement {
    /// When.
    pub measured_at: Timestamp,
    /// The work tree, if it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<TreeScan>,
    /// The history, if it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryScan>,
    /// Reports of other tools, if any were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports: Option<ReportsRead>,
    /// Counts over all findings, also of those that `findings` leaves out.
    pub counts: SecretCounts,
    /// The findings, the surest first, at most 500.
    #[serde(default)]
    pub findings: Vec<SecretFinding>,
    /// Findings that were allowed, at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<AllowedFinding>,
    /// Allow markers that give no reason, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexplained: Vec<SecretPlace>,
}

/// How many findings of each kind there are. One secret of one rule in one file is one finding, however
/// many lines and commits it occurs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretCounts {
    /// With a checksum that holds, or that a tool has verified.
    pub verified: u64,
    /// Likely ones.
    pub likely: u64,
    /// Possible ones.
    pub possible: u64,
    /// Allowed ones, which are in none of the other counts.
    #[serde(default)]
    pub allowed: u64,
}

impl SecretCounts {
    /// All that are not allowed.
    pub const fn findings(&self) -> u64 {
        self.verified + self.likely + self.possible
    }
}

/// What was scanned of the work tree.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct TreeScan {
    /// Files that were scanned.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that hold no text.
    #[serde(default)]
    pub binaries: u64,
    /// Files that could not be read, and why, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unread>,
}

/// What was scanned of the history.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct HistoryScan {
    /// `all`, or `BASE..HEAD`.
    pub range: String,
    /// Commits that were looked at.
    pub commits: u64,
    /// Different file contents that they added and that were scanned.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Contents that are no text.
    #[serde(default)]
    pub binaries: u64,
    /// Why the history is not complete, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// Contents that are too large to be scanned, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub too_large: Vec<Unread>,
}

/// What was read of other tools' reports.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReportsRead {
    /// Those that were read.
    pub files: Vec<SecretReport>,
    /// Those that could not be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unread>,
    /// Patterns that no file matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<String>,
}

/// One report.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SecretReport {
    /// Its path.
    pub path: String,
    /// `gitleaks`, `trufflehog`, `detect-secrets`, `kingfisher`, `sarif`.
    pub format: String,
    /// Findings in it that count.
    pub findings: u64,
    /// When the file was written.
    pub modified: Timestamp,
}

/// A file that says nothing, and why.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unread {
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// One secret.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SecretFinding {
    /// The rule's id, of this scanner or of the tool that reported it.
    pub rule: String,
    /// What the rule is called.
    pub name: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it was first seen.
    pub place: SecretPlace,
    /// What it looks like, without anything that helps to guess it.
    pub masked: String,
    /// A salted hash over rule, path and secret, for baselines. It survives moved lines.
    pub fingerprint: String,
    /// How often it was seen.
    pub occurrences: u64,
    /// Whether it is in the work tree, and not in the history alone.
    #[serde(default)]
    pub present: bool,
    /// The report that names it, if it is not from the scanner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Why an allowance of it does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A place in a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretPlace {
    /// Path from the root of the repository or of the scanned folder.
    pub path: String,
    /// 1-based line; 0 where a report does not say.
    pub line: u64,
    /// 1-based column in characters; 0 where a report does not say.
    #[serde(default)]
    pub column: u64,
    /// The commit, if it was found in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// A finding that somebody allowed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AllowedFinding {
    /// The rule's id.
    pub rule: String,
    /// Where.
    pub place: SecretPlace,
    /// The reason that was given.
    pub reason: String,
    /// What allowed it: `inline`, `allow`, `baseline`.
    pub by: String,
}
