//! The `audit` probe: known vulnerabilities in what a system is built from.

mod config;
mod fold;
mod judge;
mod lock;
mod matching;
mod measure;
mod measurement;
mod metrics;
mod osv;
mod reader;
mod rules;
mod severity;
mod text;
pub mod version;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{AuditConfig, Format, Ignore};
pub use measurement::{
    Asked, AuditCommand, AuditMeasurement, AuditReport, BySeverity, Counts, Database, Finding,
    IgnoreUse, IgnoredFinding, LockFile, Problem, ProblemKind, Unmatched,
};
pub use severity::Severity;

/// Reads what auditors wrote, runs one, and matches lock files against OSV.
#[derive(Debug, Clone, Copy)]
pub struct Audit;

impl Probe for Audit {
    const META: Meta = Meta {
        id: "audit",
        summary: "Finds known vulnerabilities: reads reports of auditors, or matches lock files against OSV",
        rules: rules::RULES,
        metrics: metrics::SPECS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = AuditConfig;
    type Measurement = AuditMeasurement;

    fn validate(config: &AuditConfig) -> Result<(), ConfigError> {
        config::validate(config)
    }

    fn footprint(config: &AuditConfig) -> Footprint {
        let command = config.run.as_ref().map(|argv| argv.join(" "));
        let online = config.lockfiles.is_some() && config.database.is_none();
        let api = online.then(|| config.api.clone().unwrap_or_else(|| config::OSV.to_owned()));
        let activity = if command.is_some() || online {
            Activity::Active
        } else {
            Activity::Passive
        };
        let files = config
            .reports
            .iter()
            .chain(&config.lockfiles)
            .flatten()
            .cloned();
        let database = config
            .database
            .iter()
            .flat_map(|paths| paths.iter().map(str::to_owned));
        Footprint {
            contacts: command
                .into_iter()
                .chain(files)
                .chain(api)
                .chain(database)
                .collect(),
            credentials: Vec::new(),
            activity,
            duration: None,
        }
    }

    async fn measure(config: &AuditConfig, cx: &Cx) -> Result<AuditMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &AuditMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
