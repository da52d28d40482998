//! What the probe brings back: the same record from every forge.

use readygate_sdk::{ErrorKind, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the forge says of the change, its commit, and the open issues.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewMeasurement {
    /// The commit being released, as the target names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The pull or merge request; missing where none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Answer<Change>>,
    /// Checks on the commit, the newest of each name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Answer<Vec<CheckRun>>>,
    /// Open issues, by rule of the config, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<IssueCount>,
}

/// A part that was read, or why it could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer<T> {
    /// What was read.
    Measured(T),
    /// Why nothing can be said.
    Unmeasured(ProbeError),
}

/// A pull or merge request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its number.
    pub number: u64,
    /// Where a person sees it.
    pub url: String,
    /// Who opened it.
    pub author: String,
    /// Login names of the authors of its commits, as far as the forge knows them.
    pub commit_authors: Vec<String>,
    /// Whether all of its commits were looked at, and the author of each is known.
    pub authors_complete: bool,
    /// Newest commit of its branch.
    pub head: String,
    /// The commit that it became when it was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_commit: Option<String>,
    /// Whether it was merged.
    pub merged: bool,
    /// Whether it is closed and was not merged.
    pub closed: bool,
    /// Whether it is marked as a draft.
    pub draft: bool,
    /// Whether discussions that must be resolved are; missing where the forge does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<bool>,
    /// The last word of each reviewer.
    pub reviews: Vec<LastWord>,
}

/// The last word of one reviewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LastWord {
    /// Login name.
    pub reviewer: String,
    /// What they said.
    pub verdict: ReviewVerdict,
    /// Whether it was said of the newest commit; missing where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// Whether the reviewer can write to the repository; missing where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<bool>,
    /// Whether it is a program.
    pub bot: bool,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewVerdict {
    /// It may go.
    Approved,
    /// It may not.
    ChangesRequested,
}

/// One check on a commit: a check run, a commit status, or a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRun {
    /// Its name.
    pub name: String,
    /// How it ended, or that it has not.
    pub state: CheckState,
    /// The forge's own word: `timed_out`, `canceled`.
    pub said: String,
}

/// How a check ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It passed.
    Passed,
    /// It said neither yes nor no: skipped, neutral.
    Neutral,
    /// It has not ended.
    Pending,
    /// It failed, was cancelled, or ran out of time.
    Failed,
}

/// Open issues that match one rule of the config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssueCount {
    /// The rule, as reports call it.
    pub rule: String,
    /// What was found.
    pub open: Answer<Issues>,
}

/// Open issues.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issues {
    /// All of them.
    pub total: u64,
    /// The first ten: number and title.
    pub first: Vec<String>,
}

impl<T> Answer<T> {
    /// A part for itself. When the time is over or the run was interrupted, it is for all of them.
    pub(crate) fn of(result: Result<T, ProbeError>) -> Result<Self, ProbeError> {
        match result {
            Ok(found) => Ok(Self::Measured(found)),
            Err(error) if matches!(error.kind, ErrorKind::Cancelled | ErrorKind::Timeout) => {
                Err(error)
            }
            Err(error) => Ok(Self::Unmeasured(error)),
        }
    }

    pub(crate) fn found(&self) -> Result<&T, &ProbeError> {
        match self {
            Self::Measured(found) => Ok(found),
            Self::Unmeasured(error) => Err(error),
        }
    }
}
