//! The `with` block.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr as _};

use readygate_reports::plan::Plan;
use readygate_sdk::{ConfigError, Period, Quantity, Unit};
use schemars::JsonSchema;
use serde::Deserialize;

/// Reads coverage reports; runs the command that writes them first, if one is given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageConfig {
    /// Program and arguments that write the reports, without a shell: `[npx, vitest, --coverage]`.
    /// It runs before the reports are read, and an exit code other than 0 fails the gate.
    pub run: Option<Vec<String>>,
    /// Folder that the command runs in; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Environment variables for the command, added to those that the gate passes on. List a name
    /// under `secrets` when its value must be masked.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Reports to read: paths or globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`), relative to the folder
    /// of the config or absolute. Each must match at least one file.
    pub reports: Vec<String>,
    /// The format that every report must have; found by the content when left out.
    pub format: Option<Format>,
    /// How old the evidence may be: `24h`. The timestamp inside a report decides, or the file's
    /// modification time where there is none.
    pub max_age: Option<Period>,
    /// Least line coverage for the files that match a glob: `{ "src/auth/**": 90% }`.
    #[serde(default)]
    pub floors: BTreeMap<String, String>,
    /// The change whose lines are looked at.
    pub diff: Option<Diff>,
}

/// A change.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// Branch, tag or commit that the change starts from: `origin/main`. The change is what differs
    /// from the point where the two histories met.
    pub base: String,
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `lcov.info`, a tracefile.
    Lcov,
    /// Cobertura XML.
    Cobertura,
    /// JaCoCo XML.
    Jacoco,
    /// Clover XML.
    Clover,
    /// Istanbul's `coverage-final.json`.
    Istanbul,
    /// Istanbul's `coverage-summary.json`.
    IstanbulSummary,
    /// A profile of `go test -coverprofile`.
    Go,
    /// `llvm-cov export -format=text`.
    LlvmCov,
    /// SimpleCov's `.resultset.json`.
    Simplecov,
    /// `coverage json`.
    CoveragePy,
}

impl Format {
    /// The name in configs and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lcov => "lcov",
            Self::Cobertura => "cobertura",
            Self::Jacoco => "jacoco",
            Self::Clover => "clover",
            Self::Istanbul => "istanbul",
            Self::IstanbulSummary => "istanbul-summary",
            Self::Go => "go",
            Self::LlvmCov => "llvm-cov",
            Self::Simplecov => "simplecov",
            Self::CoveragePy => "coverage-py",
        }
    }
}

/// Reads a floor in percent: `90%` or `90`.
pub(crate) fn floor(text: &str) -> Result<f64, String> {
    let quantity = Quantity::from_str(text).map_err(|e| e.to_string())?;
    let is_percent = matches!(quantity.unit, Unit::Percent | Unit::Count);
    if is_percent && (0.0..=100.0).contains(&quantity.value) {
        Ok(quantity.value)
    } else {
        Err(format!("`{text}` is not a percentage from 0% to 100%"))
    }
}

/// A glob for paths of source files.
pub(crate) fn glob(pattern: &str) -> Result<globset::GlobMatcher, String> {
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|e| format!("`{pattern}` is not a glob: {}", e.kind()))
}

impl CoverageConfig {
    /// The fields that name a command and reports.
    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan {
            run: self.run.as_deref(),
            directory: self.directory.as_deref(),
            env: &self.env,
            reports: Some(&self.reports),
            max_age: self.max_age,
        }
    }

    /// Finds what cannot work, without I/O; every problem, not the first only.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        self.plan().validate(&mut error);
        for (pattern, least) in &self.floors {
            let pointer = format!("/floors/{}", pattern.replace('~', "~0").replace('/', "~1"));
            if let Err(message) = glob(pattern) {
                error.add(pointer.clone(), message, None);
            }
            if let Err(message) = floor(least) {
                error.add(pointer, message, Some("write \"src/auth/**\": 90%"));
            }
        }
        if let Some(diff) = &self.diff {
            let base = diff.base.trim();
            if base.is_empty() || base.starts_with('-') {
                let hint = "name a branch, a tag or a commit: origin/main";
                error.add("/diff/base", "`base` names no revision", Some(hint));
            }
        }
        error.into_result()
    }
}
