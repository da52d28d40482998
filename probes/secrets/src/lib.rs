//! The `secrets` probe: scans the work tree and the git history for secrets, and reads the reports of
//! other scanners.

mod allow;
mod collect;
mod config;
mod detect;
mod history;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod report;
mod rules;
mod tree;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{SecretAllowance, SecretsConfig};
pub use measurement::{
    AllowedFinding, Confidence, HistoryScan, ReportsRead, SecretCounts, SecretFinding, SecretPlace,
    SecretReport, SecretsMeasurement, TreeScan, Unread,
};

/// Scans for secrets.
#[derive(Debug, Clone, Copy)]
pub struct Secrets;

impl Probe for Secrets {
    const META: Meta = Meta {
        id: "secrets",
        summary: "Scans the work tree and the git history for secrets, and reads the reports of other scanners",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Passive,
        readme: include_str!("../README.md"),
    };

    type Config = SecretsConfig;
    type Measurement = SecretsMeasurement;

    fn validate(config: &SecretsConfig) -> Result<(), ConfigError> {
        config::validate(config)
    }

    fn footprint(config: &SecretsConfig) -> Footprint {
        let folder = config
            .directory
            .as_ref()
            .map_or_else(|| ".".to_owned(), |d| d.display().to_string());
        let history = config
            .history
            .iter()
            .map(|range| format!("git history {range}"));
        let mut contacts: Vec<String> = history.collect();
        if config.scans_tree() {
            contacts.insert(0, folder);
        }
        contacts.extend(config.reports.iter().flatten().cloned());
        Footprint {
            contacts,
            credentials: config.salt.iter().map(|_| "salt".to_owned()).collect(),
            activity: Activity::Passive,
            duration: None,
        }
    }

    async fn measure(config: &SecretsConfig, cx: &Cx) -> Result<SecretsMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &SecretsMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &SecretsConfig, measurement: &SecretsMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
