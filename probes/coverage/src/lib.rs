//! The `coverage` probe: reads code coverage reports, merges them line by line, and compares floors
//! for paths and the lines of a change.

mod config;
mod diff;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod model;
mod paths;
mod reader;
mod rules;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{CoverageConfig, Diff, Format};
pub use measurement::{
    Change, CoverageMeasurement, CoveredFile, FloorResult, Places, ReportFile, Totals,
};
pub use model::Count;

/// Reads code coverage reports.
#[derive(Debug, Clone, Copy)]
pub struct Coverage;

impl Probe for Coverage {
    const META: Meta = Meta {
        id: "coverage",
        summary: "Reads code coverage reports, merges them line by line, and looks at the change",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = CoverageConfig;
    type Measurement = CoverageMeasurement;

    fn validate(config: &CoverageConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &CoverageConfig) -> Footprint {
        Footprint {
            contacts: config.plan().contacts(),
            credentials: Vec::new(),
            activity: if config.run.is_some() {
                Activity::Active
            } else {
                Activity::Passive
            },
            duration: None,
        }
    }

    async fn measure(config: &CoverageConfig, cx: &Cx) -> Result<CoverageMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &CoverageMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &CoverageConfig, measurement: &CoverageMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
