//! The `with` block.

use std::{collections::BTreeMap, path::PathBuf};

use readygate_reports::plan::Plan;
use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{fleet, k6::config::K6Config, locust::config::LocustConfig, measurement::Model};

/// Reads what a load tool measured, and can run the tool first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadConfig {
    /// Where the numbers come from.
    #[serde(default)]
    pub source: SourceKind,
    /// Program and arguments of the load tool, without a shell. It runs before the results are
    /// read, and an exit code other than 0 fails the gate.
    pub run: Option<Vec<String>>,
    /// Folder that the command runs in; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Environment variables for the command, added to those that the gate passes on. List a name
    /// under `secrets` when its value must be masked.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Result files: paths or globs, relative to the folder of the config or absolute. Several
    /// files must be parts of one run (workers, segments) in one format; their counts are added.
    pub reports: Option<Vec<String>>,
    /// Format of the files; recognised by their content when left out.
    pub format: Option<Format>,
    /// How the tool made its load, where the file does not say: `open` (a rate) or `closed` (users
    /// that wait for each answer).
    pub model: Option<Model>,
    /// Whether the tool counted latency from the time at which a request was due, as with
    /// `oha --latency-correction`; no file of such a tool says so.
    #[serde(default)]
    pub latency_corrected: bool,
    /// Accepts latency that coordinated omission may flatter, without a warning.
    #[serde(default)]
    pub accept_closed_model: bool,
    /// Shortest run that counts: `10m`.
    pub min_duration: Option<Period>,
    /// How old the results may be: `24h`.
    pub max_age: Option<Period>,
    /// Locust makes the load.
    pub locust: Option<LocustConfig>,
    /// k6 makes the load.
    pub k6: Option<K6Config>,
}

/// Where the numbers come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Files that another tool wrote.
    #[default]
    Import,
    /// Locust, driven by this probe as the block `locust` says.
    Locust,
    /// k6, driven by this probe as the block `k6` says.
    K6,
}

/// A format of result files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// k6: `--summary-export`, `handleSummary` or `--new-machine-readable-summary`.
    K6Summary,
    /// k6: `--out json`.
    K6Json,
    /// k6: `--out csv`.
    K6Csv,
    /// Locust: `--json` or `--json-file`.
    LocustJson,
    /// Locust: `--csv`, the file `_stats.csv`.
    LocustCsv,
    /// Locust: `--csv`, the file `_stats_history.csv`.
    LocustHistory,
    /// JMeter: JTL as XML.
    JmeterXml,
    /// JMeter: JTL as CSV.
    JmeterCsv,
    /// JMeter: `statistics.json` of the dashboard.
    JmeterStatistics,
    /// Gatling: `stats.json` or `global_stats.json`.
    Gatling,
    /// Artillery: `--output`.
    Artillery,
    /// vegeta: `report -type=json`.
    VegetaJson,
    /// vegeta: `report`.
    VegetaText,
    /// wrk and wrk2.
    Wrk,
    /// oha: `--output-format json`.
    OhaJson,
    /// oha: text.
    OhaText,
    /// hey: text.
    HeyText,
    /// hey: `-o csv`.
    HeyCsv,
    /// autocannon: `--json`.
    Autocannon,
    /// h2load.
    H2load,
    /// ab: text.
    AbText,
    /// ab: `-e`.
    AbCsv,
    /// fortio: `-json`; nighthawk's `fortio` output too.
    Fortio,
    /// nighthawk: `--output-format json`.
    NighthawkJson,
    /// nighthawk: `--output-format human`.
    NighthawkText,
    /// siege: `--json-output`.
    Siege,
    /// Taurus: `final-stats` with `dump-csv`.
    TaurusCsv,
    /// Taurus: `final-stats` with `dump-xml`.
    TaurusXml,
}

impl LoadConfig {
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

/// Finds what cannot work, without I/O.
pub(crate) fn validate(config: &LoadConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    fleet::validate(config, &mut error);
    if config.reports.is_none() && config.source == SourceKind::Import && !fleet::drives(config) {
        error.add(
            "",
            "`reports` is not given, so there is nothing to measure",
            Some("name the file that the load tool writes: `reports: [k6-summary.json]`"),
        );
    }
    if config.model == Some(Model::Unknown) {
        error.add(
            "/model",
            "`unknown` says nothing",
            Some("write `open` or `closed`, or leave it out"),
        );
    }
    config.plan().validate(&mut error);
    error.into_result()
}
