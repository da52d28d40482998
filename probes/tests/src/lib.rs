//! The `tests` probe: runs a test command and reads the reports that it writes.

mod collect;
mod config;
mod find;
mod fingerprint;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod number;
mod reader;
mod rules;
mod tally;
mod text;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{Retries, TestsConfig};
pub use measurement::{
    Claims, Counts, DuplicateReport, FailedTest, FailureKind, ReportFile, SlowTest, SuiteError,
    TestCommand, TestRef, TestReports, TestsMeasurement, UnreadableReport,
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
        let command = config.run.as_ref().map(|argv| argv.join(" "));
        let activity = if command.is_some() {
            Activity::Active
        } else {
            Activity::Passive
        };
        let contacts = command
            .into_iter()
            .chain(config.reports.iter().flatten().cloned())
            .collect();
        Footprint {
            contacts,
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
