//! The `with` block.

use std::{collections::BTreeMap, path::PathBuf};

use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::find;

/// Runs a test command, reads the reports that it writes, or both.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestsConfig {
    /// Program and arguments that run the tests, without a shell: `[npm, test]`. It runs before
    /// the reports are read, and an exit code other than 0 fails the gate.
    pub run: Option<Vec<String>>,
    /// Folder that the command runs in; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Environment variables for the command, added to those that the gate passes on. List a name
    /// under `secrets` when its value must be masked.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// JUnit XML reports to read: paths or globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`), relative to
    /// the folder of the config or absolute. Each must match at least one file.
    pub reports: Option<Vec<String>>,
    /// What a test that occurs several times in one report means.
    #[serde(default)]
    pub retries: Retries,
    /// How old the evidence may be: `24h`. The timestamp inside a report decides, or the file's
    /// modification time where there is none.
    pub max_age: Option<Period>,
}

/// What a test that occurs several times in one report means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retries {
    /// Every test case counts for itself.
    #[default]
    Separate,
    /// Cases with the same suite, file, class name and name are attempts of one test: the best
    /// result counts, and a test that passed after it failed is flaky. Leave this off where
    /// parametrised tests share a name.
    Fold,
}

/// Finds what cannot work, without I/O.
pub(crate) fn validate(config: &TestsConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    if config.run.is_none() && config.reports.is_none() {
        error.add(
            "",
            "neither `run` nor `reports` is given, so there is nothing to measure",
            Some("name the reports of your test runner: `reports: [\"reports/*.xml\"]`"),
        );
    }
    if let Some(run) = &config.run
        && run.first().is_none_or(|program| program.trim().is_empty())
    {
        error.add(
            "/run",
            "`run` names no program",
            Some("write program and arguments: [npm, test]"),
        );
    }
    if config.run.is_none() {
        if config.directory.is_some() {
            error.add(
                "/directory",
                "`directory` is the folder of `run`, which is not given",
                None,
            );
        }
        if !config.env.is_empty() {
            error.add(
                "/env",
                "`env` is the environment of `run`, which is not given",
                None,
            );
        }
    }
    for name in config
        .env
        .keys()
        .filter(|n| n.is_empty() || n.contains(['=', '\0']))
    {
        error.add(
            "/env",
            format!("`{name}` cannot be the name of an environment variable"),
            None,
        );
    }
    validate_reports(config, &mut error);
    error.into_result()
}

fn validate_reports(config: &TestsConfig, error: &mut ConfigError) {
    match &config.reports {
        None if config.max_age.is_some() => {
            error.add(
                "/max_age",
                "`max_age` is the age of `reports`, which are not given",
                None,
            );
        }
        Some(patterns) if patterns.is_empty() => {
            error.add(
                "/reports",
                "`reports` is an empty list, so nothing would be read",
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
}
