//! The `files` probe: files that must exist (or must not), and what they must be like.

mod config;
mod content;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod pattern;
mod rules;
mod tally;

pub use config::FilesConfig;
pub use measurement::{
    FileRecord, FilesMeasurement, OtherRecord, PathRecord, TextRecord, TextRole, Unreadable,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Looks for files, and at their size, age, checksum and text.
#[derive(Debug, Clone, Copy)]
pub struct Files;

impl Probe for Files {
    const META: Meta = Meta {
        id: "files",
        summary: "Files that must exist (or must not), with their size, age, checksum and text",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Passive,
        readme: include_str!("../README.md"),
    };

    type Config = FilesConfig;
    type Measurement = FilesMeasurement;

    fn validate(config: &FilesConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &FilesConfig) -> Footprint {
        Footprint {
            contacts: config.paths.clone(),
            credentials: Vec::new(),
            activity: Activity::Passive,
            duration: None,
        }
    }

    async fn measure(config: &FilesConfig, cx: &Cx) -> Result<FilesMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &FilesMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &FilesConfig, measurement: &FilesMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
