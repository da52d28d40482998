//! The `with` block.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::civil::Date;
use readygate_reports::Pattern;
use readygate_sdk::{ConfigError, Period, Texts};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// The public service.
pub(crate) const OSV: &str = "https://api.osv.dev";

/// Reads what auditors wrote, runs one, or matches lock files against OSV.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Program and arguments of an auditor, without a shell: `[npm, audit, --json]`. Its standard
    /// output is the report, unless `reports` names files that it writes. An exit code other than
    /// 0 is normal when it found something.
    pub run: Option<Vec<String>>,
    /// Folder that the auditor runs in; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Environment variables for the auditor, added to those that the gate passes on. List a name
    /// under `secrets` when its value must be masked.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Reports to read: paths or globs, relative to the folder of the config or absolute. Each must
    /// match at least one file.
    pub reports: Option<Vec<String>>,
    /// The format of the reports; told by their content when left out.
    pub format: Option<Format>,
    /// How old a report may be: `24h`. The time inside it decides, or that of the file.
    pub max_age: Option<Period>,
    /// Lock files to match against OSV: paths or globs. Their names say what they are.
    pub lockfiles: Option<Vec<String>>,
    /// Copies of OSV on disk: folders of records, or `all.zip` of an ecosystem. The online API is
    /// asked when left out.
    pub database: Option<Texts>,
    /// Base URL of an OSV API; `https://api.osv.dev` when left out.
    pub api: Option<String>,
    /// How old a copy under `database` may be: `7d`. Its newest record decides.
    pub database_max_age: Option<Period>,
    /// Advisories that do not count, each with a reason.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
}

/// An advisory that does not count.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Any id of it: `GHSA-...`, `CVE-...`, `RUSTSEC-...`.
    pub id: String,
    /// Why it does not matter here.
    pub reason: String,
    /// The last day on which it is ignored, in UTC: `2026-12-31`. It counts again afterwards.
    pub until: Option<Date>,
    /// Only in this package; everywhere when left out.
    pub package: Option<String>,
}

/// Formats of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `npm audit --json`, `pnpm audit --json`, `yarn npm audit --json` of Yarn 2 and 3.
    Npm,
    /// `yarn audit --json` of Yarn 1, `yarn npm audit --json` from Yarn 4 on.
    Yarn,
    /// `bun audit --json`.
    Bun,
    /// `cargo audit --json`.
    CargoAudit,
    /// `cargo deny --format json check advisories`.
    CargoDeny,
    /// `pip-audit -f json`.
    PipAudit,
    /// `safety check --json`.
    Safety,
    /// `osv-scanner --format json`.
    OsvScanner,
    /// `trivy --format json`.
    Trivy,
    /// `grype -o json`.
    Grype,
    /// `snyk test --json`.
    Snyk,
    /// SARIF 2.1.0.
    Sarif,
    /// CycloneDX JSON with vulnerabilities, or as VEX.
    Cyclonedx,
    /// OpenVEX.
    Openvex,
    /// `composer audit --format=json`.
    Composer,
    /// `bundle-audit check --format json`.
    BundlerAudit,
    /// `govulncheck -format json`.
    Govulncheck,
    /// `dotnet list package --vulnerable --format json`.
    Dotnet,
    /// OWASP Dependency-Check JSON.
    DependencyCheck,
    /// `auditjs ossi --json`.
    Auditjs,
    /// Dependency or container scanning of GitLab.
    Gitlab,
}

impl Format {
    /// The name in configs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Yarn => "yarn",
            Self::Bun => "bun",
            Self::CargoAudit => "cargo-audit",
            Self::CargoDeny => "cargo-deny",
            Self::PipAudit => "pip-audit",
            Self::Safety => "safety",
            Self::OsvScanner => "osv-scanner",
            Self::Trivy => "trivy",
            Self::Grype => "grype",
            Self::Snyk => "snyk",
            Self::Sarif => "sarif",
            Self::Cyclonedx => "cyclonedx",
            Self::Openvex => "openvex",
            Self::Composer => "composer",
            Self::BundlerAudit => "bundler-audit",
            Self::Govulncheck => "govulncheck",
            Self::Dotnet => "dotnet",
            Self::DependencyCheck => "dependency-check",
            Self::Auditjs => "auditjs",
            Self::Gitlab => "gitlab",
        }
    }
}

impl AuditConfig {
    /// The OSV API.
    pub(crate) fn api(&self) -> Result<Url, String> {
        let text = self.api.as_deref().unwrap_or(OSV);
        let url = Url::parse(text).map_err(|e| format!("`{text}` is no URL: {e}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(format!("`{text}` is no http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL here must not hold credentials".to_owned());
        }
        Ok(url)
    }
}

/// Finds what cannot work, without I/O.
#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(crate) fn validate(config: &AuditConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    if config.run.is_none() && config.reports.is_none() && config.lockfiles.is_none() {
        error.add(
            "",
            "none of `run`, `reports` and `lockfiles` is given, so there is nothing to audit",
            Some("name the lock files of the project: `lockfiles: [package-lock.json]`"),
        );
    }
    command(config, &mut error);
    for (key, patterns) in [
        ("reports", &config.reports),
        ("lockfiles", &config.lockfiles),
    ] {
        if patterns.as_ref().is_some_and(Vec::is_empty) {
            error.add(
                format!("/{key}"),
                format!("`{key}` is an empty list, so nothing would be read"),
                None,
            );
        }
        for (index, pattern) in patterns.iter().flatten().enumerate() {
            if let Err(message) = Pattern::new(pattern) {
                error.add(format!("/{key}/{index}"), message, None);
            }
        }
    }
    let read = config.run.is_some() || config.reports.is_some();
    let unused = [
        ("format", config.format.is_some() && !read, "reports"),
        (
            "max_age",
            config.max_age.is_some() && config.reports.is_none(),
            "reports",
        ),
        (
            "database",
            config.database.is_some() && config.lockfiles.is_none(),
            "lockfiles",
        ),
        (
            "api",
            config.api.is_some() && config.lockfiles.is_none(),
            "lockfiles",
        ),
        (
            "database_max_age",
            config.database_max_age.is_some() && config.database.is_none(),
            "database",
        ),
    ];
    for (key, _, of) in unused.iter().filter(|(_, unused, _)| *unused) {
        error.add(
            format!("/{key}"),
            format!("`{key}` belongs to `{of}`, which is not given"),
            None,
        );
    }
    database(config, &mut error);
    for (index, ignore) in config.ignore.iter().enumerate() {
        for (key, value) in [("id", &ignore.id), ("reason", &ignore.reason)] {
            if value.trim().is_empty() {
                error.add(
                    format!("/ignore/{index}/{key}"),
                    format!("`{key}` is empty"),
                    None,
                );
            }
        }
    }
    error.into_result()
}

fn command(config: &AuditConfig, error: &mut ConfigError) {
    match &config.run {
        Some(run) if run.first().is_none_or(|program| program.trim().is_empty()) => {
            error.add(
                "/run",
                "`run` names no program",
                Some("write program and arguments: [npm, audit, --json]"),
            );
        }
        Some(_) => {}
        None => {
            for (key, given) in [
                ("directory", config.directory.is_some()),
                ("env", !config.env.is_empty()),
            ] {
                if given {
                    error.add(
                        format!("/{key}"),
                        format!("`{key}` is that of `run`, which is not given"),
                        None,
                    );
                }
            }
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
}

fn database(config: &AuditConfig, error: &mut ConfigError) {
    if let Some(paths) = &config.database {
        if paths.is_empty() || paths.iter().any(|path| path.trim().is_empty()) {
            error.add("/database", "`database` names no file", None);
        }
        if config.api.is_some() {
            error.add(
                "/api",
                "`api` and `database` are two sources for one thing",
                Some("keep one of them"),
            );
        }
    }
    if let Err(message) = config.api() {
        error.add("/api", message, None);
    }
}
