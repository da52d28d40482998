//! The `dns` probe: records, resolvers and authoritative name servers of the names of a release.

mod config;
mod issuer;
mod judge;
mod lookup;
mod measure;
mod measurement;
mod metrics;
mod names;
mod rules;
mod server;
mod wire;
mod zone;

pub use config::{CaaConfig, DmarcPolicy, DnsConfig, RecordConfig, RecordKind, ZoneConfig};
pub use measurement::{
    Alias, Answer, CaaEntry, CaaFacts, Connection, DnsMeasurement, DnssecFacts, Ended, Lookup,
    NameServer, Reach, Transfer, ZoneFacts,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Looks names up at every resolver and every authoritative server.
#[derive(Debug, Clone, Copy)]
pub struct Dns;

impl Probe for Dns {
    const META: Meta = Meta {
        id: "dns",
        summary: "Records of names at every resolver and every authoritative name server",
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
        let mut contacts: Vec<String> = config.servers.clone();
        if contacts.is_empty() {
            contacts.push("resolvers of the system".to_owned());
        }
        contacts.extend(config.validating.iter().cloned());
        for zone in &config.zones {
            if zone.name_servers.is_empty() {
                contacts.push(format!("name servers of {}", zone.name));
            }
            contacts.extend(zone.name_servers.iter().cloned());
        }
        for record in &config.records {
            let port = record.connect.iter();
            contacts.extend(port.map(|port| format!("{}:{port}", record.name)));
        }
        Footprint {
            contacts,
            credentials: Vec::new(),
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

    fn judge(config: &DnsConfig, measurement: &DnsMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
