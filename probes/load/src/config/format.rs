//! Formats of result files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
