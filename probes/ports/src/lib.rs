//! The `ports` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;

pub use config::PortsConfig;
pub use measure::PortsMeasurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct Ports;

impl Probe for Ports {
    const META: Meta = Meta {
        id: "ports",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = PortsConfig;
    type Measurement = PortsMeasurement;

    fn validate(config: &PortsConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &PortsConfig) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &PortsConfig, cx: &Cx) -> Result<PortsMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &PortsMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &PortsConfig, measurement: &PortsMeasurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
