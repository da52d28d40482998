//! The `lint` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;

pub use config::LintConfig;
pub use measure::LintMeasurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct Lint;

impl Probe for Lint {
    const META: Meta = Meta {
        id: "lint",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = LintConfig;
    type Measurement = LintMeasurement;

    fn validate(config: &LintConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &LintConfig) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &LintConfig, cx: &Cx) -> Result<LintMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &LintMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &LintConfig, measurement: &LintMeasurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
