//! The `with` block of a `review` gate.

use std::collections::BTreeSet;

use readygate_sdk::{ConfigError, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which change, on which forge, and what must have been agreed on it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewConfig {
    /// Which API is spoken.
    pub forge: ForgeKind,
    /// `owner/name` on GitHub; the full path or the number of the project on GitLab.
    pub repository: String,
    /// Base URL of the API, for servers of one's own: `https://git.example.com/api/v4`.
    pub api: Option<String>,
    /// A token that may read pull requests, checks and issues. Without it only public repositories
    /// answer, and few requests an hour.
    pub token: Option<Secret>,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    pub ca: Option<String>,
    /// Number of the pull or merge request. Without it, the one that the target's `commit` belongs to.
    pub change: Option<u64>,
    /// Approvals that are needed: of people with write access, who authored none of its commits,
    /// given for its last push. 0 asks for none.
    #[serde(default = "one")]
    pub approvals: u32,
    /// Approvals by anybody count, write access or not.
    #[serde(default)]
    pub any_reviewer: bool,
    /// Names of checks that must be green on the commit.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Issues that may not be open.
    #[serde(default)]
    pub issues: Vec<IssueRule>,
}

const fn one() -> u32 {
    1
}

/// A forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// GitHub's REST API, version 2022-11-28; GitHub Enterprise Server speaks it too.
    Github,
    /// GitLab's REST API, version 4.
    Gitlab,
}

/// Open issues that keep a release back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueRule {
    /// Labels, of which an issue has all: `[bug, critical]`.
    pub labels: Vec<String>,
    /// Name of the milestone that it is planned for.
    pub milestone: Option<String>,
    /// How many may be open.
    #[serde(default)]
    pub at_most: u32,
}

impl IssueRule {
    /// How the rule is called in reports.
    pub(crate) fn name(&self) -> String {
        let labels = self.labels.join(" + ");
        match &self.milestone {
            Some(milestone) if labels.is_empty() => format!("milestone {milestone}"),
            Some(milestone) => format!("{labels}, milestone {milestone}"),
            None => labels,
        }
    }
}

impl ReviewConfig {
    /// Base URL of the API, given or known.
    pub(crate) fn api(&self) -> &str {
        match (&self.api, self.forge) {
            (Some(api), _) => api.trim_end_matches('/'),
            (None, ForgeKind::Github) => "https://api.github.com",
            (None, ForgeKind::Gitlab) => "https://gitlab.com/api/v4",
        }
    }

    /// What is contacted, without credentials.
    pub(crate) fn api_shown(&self) -> String {
        format!(
            "{} ({})",
            readygate_web::shown_text(self.api()),
            self.repository
        )
    }

    /// Whether a pull or merge request must be found.
    pub(crate) fn asks_change(&self) -> bool {
        self.approvals > 0 || self.change.is_some()
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        let parts: Vec<&str> = self.repository.split('/').collect();
        let whole = !parts
            .iter()
            .any(|part| part.is_empty() || part.contains(char::is_whitespace));
        let good = match self.forge {
            ForgeKind::Github => whole && parts.len() == 2,
            ForgeKind::Gitlab => {
                whole && (parts.len() > 1 || self.repository.bytes().all(|b| b.is_ascii_digit()))
            }
        };
        if !good {
            let message = format!("`{}` names no repository", self.repository);
            error.add(
                "/repository",
                message,
                Some("owner/name; on GitLab group/project or a number"),
            );
        }
        if let Some(api) = &self.api
            && !api.starts_with("https://")
            && !api.starts_with("http://")
        {
            error.add(
                "/api",
                format!("`{api}` is not a URL"),
                Some("https://git.example.com/api/v4"),
            );
        }
        if !self.asks_change() && self.checks.is_empty() && self.issues.is_empty() {
            let hint = Some("approvals: 1, checks: [build], issues: [{ labels: [bug, critical] }]");
            error.add("", "nothing is asked", hint);
        }
        for (index, rule) in self.issues.iter().enumerate() {
            if rule.labels.iter().all(|l| l.trim().is_empty()) && rule.milestone.is_none() {
                let message = "neither a label nor a milestone is named";
                error.add(
                    format!("/issues/{index}"),
                    message,
                    Some("labels: [critical]"),
                );
            }
        }
        let mut seen = BTreeSet::new();
        for (index, check) in self.checks.iter().enumerate() {
            if check.is_empty() || !seen.insert(check) {
                error.add(
                    format!("/checks/{index}"),
                    "an empty name, or one listed twice",
                    None,
                );
            }
        }
        error.into_result()
    }
}
