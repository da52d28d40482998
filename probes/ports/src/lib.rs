//! The `ports` probe: which TCP ports are open, closed or filtered, and which stores serve anybody.

mod config;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod place;
mod rules;
mod store;

pub use config::{Family, LabelConfig, PortsConfig, StoreConfig, StoreKind, Vantage};
pub use measurement::{
    AddressFacts, Nearness, PortFacts, PortState, PortsMeasurement, StoreAnswer, StoreFacts,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Connects to ports and says what they are.
#[derive(Debug, Clone, Copy)]
pub struct Ports;

impl Probe for Ports {
    const META: Meta = Meta {
        id: "ports",
        summary: "TCP ports that must be open or closed, and stores that serve anybody",
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
        let stores = config.stores.iter().map(|store| &store.at);
        let lists = config.open.iter().chain(&config.closed);
        let mut contacts: Vec<String> = lists
            .chain(stores)
            .chain(&config.controls)
            .cloned()
            .collect();
        contacts.dedup();
        Footprint {
            contacts,
            credentials: Vec::new(),
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

    fn judge(config: &PortsConfig, measurement: &PortsMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
