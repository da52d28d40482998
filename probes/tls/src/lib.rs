//! The `tls` probe: certificates, protocol versions, cipher suites and trust of TLS servers.
//!
//! Two layers look at a server: [`wire`] writes its own ClientHellos and finds what no TLS library
//! speaks any more, and rustls does the handshakes of a modern client. Every chain that either of
//! them sees goes through [`x509`], which names causes. See the README for the config and the rules.

mod config;
mod handshake;
mod judge;
mod measure;
mod measurement;
mod metrics;
mod rules;
mod time;
mod trust;
pub mod wire;
pub mod x509;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{ClientCertificate, IpVersions, Profile, Store, TlsConfig, Trust};
pub use measurement::{After, Chain, Fault, Handshake, Peer, Plain, TlsMeasurement};

/// Judges the TLS of servers.
#[derive(Debug, Clone, Copy)]
pub struct Tls;

impl Probe for Tls {
    const META: Meta = Meta {
        id: "tls",
        summary: "Judges certificates, protocol versions and cipher suites of TLS servers, on every address and name",
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
        let contacts = config.pairs().into_iter().map(|(endpoint, name)| {
            if endpoint.host == name {
                endpoint.shown()
            } else {
                format!("{} as {name}", endpoint.shown())
            }
        });
        Footprint {
            contacts: contacts.collect(),
            credentials: Vec::new(),
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

    fn judge(config: &TlsConfig, measurement: &TlsMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
