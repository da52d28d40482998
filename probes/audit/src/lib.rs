//! The `audit` probe: what the peer at an address answers.

mod config;
mod judge;
mod measure;
mod metrics;
mod rules;

pub use config::AuditConfig;
pub use measure::AuditMeasurement;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to an address and records the answer.
#[derive(Debug, Clone, Copy)]
pub struct Audit;

impl Probe for Audit {
    const META: Meta = Meta {
        id: "audit",
        summary: "What the peer at an address answers",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = AuditConfig;
    type Measurement = AuditMeasurement;

    fn validate(config: &AuditConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &AuditConfig) -> Footprint {
        Footprint {
            contacts: vec![config.address.clone()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &AuditConfig, cx: &Cx) -> Result<AuditMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &AuditMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(_config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
        judge::judge(measurement, checks);
    }
}
