//! The `with` block.

use std::{collections::BTreeMap, path::PathBuf};

use readygate_reports::plan::Plan;
use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::Deserialize;

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

impl TestsConfig {
    /// The fields that name a command and reports.
    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan {
            run: self.run.as_deref(),
            directory: self.directory.as_deref(),
            env: &self.env,
            reports: self.reports.as_deref(),
            max_age: self.max_age,
        }
    }
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
    config.plan().validate(&mut error);
    error.into_result()
}
