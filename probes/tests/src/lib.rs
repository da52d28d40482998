//! The `tests` probe: runs a test command and reads the reports that it writes.

mod collect;
mod config;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod reader;
mod rules;
mod tally;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{Retries, TestsConfig};
pub use measurement::{
    Claims, Counts, FailedTest, FailureKind, ReportFile, SlowTest, SuiteError, TestRef,
    TestReports, TestsMeasurement,
};

/// Runs a test command and reads JUnit XML reports.
#[derive(Debug, Clone, Copy)]
pub struct Tests;

impl Probe for Tests {
    const META: Meta = Meta {
        id: "tests",
        summary: "Runs a test command, reads its JUnit XML reports, and counts the results",
        rules: rules::RULES,
        metrics: metrics::SPECS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = TestsConfig;
    type Measurement = TestsMeasurement;

    fn validate(config: &TestsConfig) -> Result<(), ConfigError> {
        config::validate(config)
    }

    fn footprint(config: &TestsConfig) -> Footprint {
        let activity = if config.run.is_some() {
            Activity::Active
        } else {
            Activity::Passive
        };
        Footprint {
            contacts: config.plan().contacts(),
            credentials: Vec::new(),
            activity,
            duration: None,
        }
    }

    async fn measure(config: &TestsConfig, cx: &Cx) -> Result<TestsMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &TestsMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &TestsConfig, measurement: &TestsMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
