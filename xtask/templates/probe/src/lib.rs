//! The `@ID@` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;

pub use config::@TYPE@Config;
pub use measure::@TYPE@Measurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct @TYPE@;

impl Probe for @TYPE@ {
    const META: Meta = Meta {
        id: "@ID@",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = @TYPE@Config;
    type Measurement = @TYPE@Measurement;

    fn validate(config: &@TYPE@Config) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &@TYPE@Config) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &@TYPE@Config, cx: &Cx) -> Result<@TYPE@Measurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &@TYPE@Measurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &@TYPE@Config, measurement: &@TYPE@Measurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
