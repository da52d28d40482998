//! The `with` block.

use std::path::PathBuf;

use readygate_reports::find;
use readygate_sdk::{ByteSize, ConfigError, Period, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{allow, detect};

/// Scans a repository for secrets, reads the reports of other scanners, or both.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretsConfig {
    /// Folder to scan; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Whether to scan the files of the work tree. On when left out, unless only `reports` are given.
    pub tree: Option<bool>,
    /// What to scan of the git history: `all`, or the commits of a range: `origin/main..HEAD`.
    pub history: Option<String>,
    /// Largest file content of the history that is scanned; 64 MiB when left out. Files of the work
    /// tree are scanned in pieces and have no limit.
    pub max_blob: Option<ByteSize>,
    /// What is no leak, each with its reason.
    #[serde(default)]
    pub allow: Vec<SecretAllowance>,
    /// File with the fingerprints of known findings: `FINGERPRINT [until=DATE] REASON` a line.
    pub baseline: Option<PathBuf>,
    /// Makes fingerprints unguessable for those who do not know it. With another salt, all
    /// fingerprints are others.
    pub salt: Option<Secret>,
    /// Whether the markers of other scanners (`gitleaks:allow`, `pragma: allowlist secret`) allow a
    /// line too. They give no reason.
    #[serde(default)]
    pub foreign_markers: bool,
    /// Reports of other scanners: paths or globs, relative to the folder of the config. Each must
    /// match at least one file.
    pub reports: Option<Vec<String>>,
    /// How old a report may be: `24h`.
    pub max_age: Option<Period>,
}

/// What is no leak. All that is given must hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretAllowance {
    /// Why it is none.
    pub reason: String,
    /// Globs of paths: `tests/**`.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Ids of rules: `jwt`.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Regular expression that the secret matches.
    pub regex: Option<String>,
    /// Day after which it does not hold any more: `2027-01-31`.
    pub until: Option<String>,
}

impl SecretsConfig {
    /// Whether the work tree is scanned.
    pub(crate) fn scans_tree(&self) -> bool {
        self.tree
            .unwrap_or(self.reports.is_none() && self.history.is_none() || self.history.is_some())
    }
}

/// Finds what cannot work, without I/O.
pub(crate) fn validate(config: &SecretsConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    if !config.scans_tree() && config.history.is_none() && config.reports.is_none() {
        error.add(
            "/tree",
            "`tree` is off and neither `history` nor `reports` is given, so nothing would be looked at",
            Some("leave `tree` out, or name a `history`"),
        );
    }
    if let Some(history) = &config.history {
        let whole = history.split_once("..").is_some_and(|(base, head)| {
            !base.trim().is_empty() && !head.trim().is_empty() && !head.starts_with('.')
        });
        if history != "all" && !whole {
            error.add(
                "/history",
                format!("`{history}` is neither `all` nor a range"),
                Some("write BASE..HEAD with both ends: origin/main..HEAD"),
            );
        }
    }
    match &config.reports {
        Some(patterns) if patterns.is_empty() => {
            error.add(
                "/reports",
                "`reports` is an empty list, so nothing would be read",
                None,
            );
        }
        None if config.max_age.is_some() => {
            error.add(
                "/max_age",
                "`max_age` is the age of `reports`, which are not given",
                None,
            );
        }
        _ => {}
    }
    for (index, pattern) in config.reports.iter().flatten().enumerate() {
        if let Err(message) = find::Pattern::new(pattern) {
            error.add(format!("/reports/{index}"), message, None);
        }
    }
    for (index, allowance) in config.allow.iter().enumerate() {
        validate_allowance(index, allowance, config.reports.is_some(), &mut error);
    }
    error.into_result()
}

fn validate_allowance(
    index: usize,
    allowance: &SecretAllowance,
    foreign: bool,
    error: &mut ConfigError,
) {
    let at = |field: &str| format!("/allow/{index}{field}");
    if allowance.reason.trim().is_empty() {
        error.add(
            at("/reason"),
            "`reason` is empty",
            Some("say why this is no leak"),
        );
    }
    if allowance.paths.is_empty() && allowance.rules.is_empty() && allowance.regex.is_none() {
        error.add(
            at(""),
            "it names neither `paths`, nor `rules`, nor a `regex`, and would allow everything",
            None,
        );
    }
    for (rule_index, rule) in allowance.rules.iter().enumerate() {
        if !foreign && !detect::rule_ids().any(|id| id == rule) {
            error.add(
                at(&format!("/rules/{rule_index}")),
                format!("there is no rule `{rule}`"),
                Some("a finding shows the id of its rule"),
            );
        }
    }
    if let Err((field, message)) = allow::Allowance::new(allowance) {
        error.add(at(&field), message, None);
    }
}
