//! The `dns` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;

pub use config::DnsConfig;
pub use measure::DnsMeasurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct Dns;

impl Probe for Dns {
    const META: Meta = Meta {
        id: "dns",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = DnsConfig;
    type Measurement = DnsMeasurement;

    fn validate(config: &DnsConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &DnsConfig) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &DnsConfig, cx: &Cx) -> Result<DnsMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &DnsMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &DnsConfig, measurement: &DnsMeasurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
