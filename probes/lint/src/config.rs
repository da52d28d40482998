//! The `with` block of a `lint` gate.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use readygate_reports::find::Pattern;

/// Runs a linter, reads the reports that it writes or what it prints, or only reads reports.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LintConfig {
    /// Program and arguments of the linter, without a shell: `[npx, eslint, -f, json, -o, eslint.json, .]`.
    pub run: Option<Vec<String>>,
    /// Folder that the command runs in; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Environment variables for the command, added to those that the gate passes on.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What the command prints is a report: `prettier --check .`, `tsc --noEmit`.
    #[serde(default)]
    pub read_output: bool,
    /// Exit codes with which the linter says that it ran to its end. When left out: 0, and 1 where
    /// there are results, or what the format's own tool uses (101 of Cargo, 2 of Stylelint and tsc).
    pub exit_codes: Option<Vec<i32>>,
    /// Reports to read: paths or globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`), relative to the folder of
    /// the config or absolute. Each must match at least one file.
    pub reports: Option<Vec<String>>,
    /// The format of the reports; found out by their content when left out.
    pub format: Option<Format>,
    /// An earlier report, in any of the formats: results that are in it are known, and only new ones
    /// are judged. A result is the same when rule, file and message are; lines may have moved.
    pub baseline: Option<PathBuf>,
    /// How old the evidence may be: `24h`. The end of the run inside a SARIF file decides, or the
    /// file's modification time.
    pub max_age: Option<Period>,
    /// The level of results that state none, and whose rule states none, by the name of the tool:
    /// `{ gitleaks: error }`. Without it they are warnings, as SARIF says.
    #[serde(default)]
    pub default_levels: BTreeMap<String, Severity>,
    /// The tool names only files with results, so that a checkstyle report without any file, or
    /// `[]`, is a clean one and not one of nothing.
    #[serde(default)]
    pub empty_is_clean: bool,
}

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// SARIF 2.1.0.
    Sarif,
    /// ESLint's JSON.
    Eslint,
    /// Checkstyle's XML, which many linters write.
    Checkstyle,
    /// Stylelint's JSON.
    Stylelint,
    /// RuboCop's JSON.
    Rubocop,
    /// golangci-lint's JSON.
    Golangci,
    /// Cargo's or rustc's JSON messages, one a line; Clippy's too.
    Cargo,
    /// What `prettier --check` prints.
    Prettier,
    /// What the TypeScript compiler prints.
    Tsc,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sarif => "SARIF",
            Self::Eslint => "ESLint JSON",
            Self::Checkstyle => "checkstyle XML",
            Self::Stylelint => "Stylelint JSON",
            Self::Rubocop => "RuboCop JSON",
            Self::Golangci => "golangci-lint JSON",
            Self::Cargo => "Cargo JSON messages",
            Self::Prettier => "output of Prettier",
            Self::Tsc => "output of tsc",
        })
    }
}

/// How grave a result is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A fault.
    Error,
    /// A likely fault.
    Warning,
    /// A remark.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Finds what cannot work, without I/O; every problem, not the first only.
pub(crate) fn validate(config: &LintConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    if config.reports.is_none() && !config.read_output {
        let hint = "reports: [eslint.json], or read_output: true for what `run` prints";
        error.add(
            "",
            "no report is named, so nothing would be read",
            Some(hint),
        );
    }
    if config.reports.as_ref().is_some_and(Vec::is_empty) {
        let message = "`reports` is an empty list, so nothing would be read";
        error.add("/reports", message, None);
    }
    for (index, pattern) in config.reports.iter().flatten().enumerate() {
        if let Err(message) = Pattern::new(pattern) {
            error.add(format!("/reports/{index}"), message, None);
        }
    }
    match &config.run {
        Some(run) if run.first().is_none_or(|program| program.trim().is_empty()) => {
            let hint = Some("write program and arguments: [npx, eslint, .]");
            error.add("/run", "`run` names no program", hint);
        }
        Some(_) => {}
        None => without_run(config, &mut error),
    }
    error.into_result()
}

fn without_run(config: &LintConfig, error: &mut ConfigError) {
    let given = [
        ("directory", config.directory.is_some()),
        ("env", !config.env.is_empty()),
        ("read_output", config.read_output),
        ("exit_codes", config.exit_codes.is_some()),
    ];
    for (key, _) in given.into_iter().filter(|(_, given)| *given) {
        let message = format!("`{key}` is about `run`, which is not given");
        error.add(format!("/{key}"), message, None);
    }
}
