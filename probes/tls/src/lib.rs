//! The `tls` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;
pub mod wire;

pub use config::TlsConfig;
pub use measure::TlsMeasurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct Tls;

impl Probe for Tls {
    const META: Meta = Meta {
        id: "tls",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = TlsConfig;
    type Measurement = TlsMeasurement;

    fn validate(config: &TlsConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &TlsConfig) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &TlsConfig, cx: &Cx) -> Result<TlsMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &TlsMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &TlsConfig, measurement: &TlsMeasurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
