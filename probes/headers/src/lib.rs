//! The `headers` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;

pub use config::HeadersConfig;
pub use measure::HeadersMeasurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct Headers;

impl Probe for Headers {
    const META: Meta = Meta {
        id: "headers",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = HeadersConfig;
    type Measurement = HeadersMeasurement;

    fn validate(config: &HeadersConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &HeadersConfig) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &HeadersConfig, cx: &Cx) -> Result<HeadersMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &HeadersMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &HeadersConfig, measurement: &HeadersMeasurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
