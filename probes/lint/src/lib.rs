//! The `lint` probe: runs a linter and reads its reports, in the dialects that linters write.

mod collect;
mod config;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod read;
mod rules;

pub use config::{Format, LintConfig, Severity};
pub use measurement::{
    Baseline, Counts, Finding, LintCommand, LintMeasurement, LintReports, Problem, ReportFile,
    RuleCount,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Runs a linter and reads its reports.
#[derive(Debug, Clone, Copy)]
pub struct Lint;

impl Probe for Lint {
    const META: Meta = Meta {
        id: "lint",
        summary: "Results of linters, from SARIF, checkstyle, ESLint and other reports",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = LintConfig;
    type Measurement = LintMeasurement;

    fn validate(config: &LintConfig) -> Result<(), ConfigError> {
        config::validate(config)
    }

    fn footprint(config: &LintConfig) -> Footprint {
        let command = config.run.as_ref().map(|argv| argv.join(" "));
        let baseline = config
            .baseline
            .as_ref()
            .map(|path| path.display().to_string());
        let reports = config.reports.iter().flatten().cloned();
        Footprint {
            contacts: command.into_iter().chain(reports).chain(baseline).collect(),
            credentials: Vec::new(),
            activity: match config.run {
                Some(_) => Activity::Active,
                None => Activity::Passive,
            },
            duration: None,
        }
    }

    async fn measure(config: &LintConfig, cx: &Cx) -> Result<LintMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &LintMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &LintConfig, measurement: &LintMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
