//! The `redis` probe: a Redis cluster, a master with replicas, or single servers, judged by what
//! every node says itself.

mod address;
mod config;
mod dial;
mod drill;
mod judge;
mod look;
mod measure;
mod measurement;
mod metrics;
mod parse;
mod picture;
mod rules;
mod switch;
mod tap;
mod trust;

pub use config::{Drill, HitRate, Mode, One, RedisConfig, RedisTls, Role, Topology};
pub use measurement::{
    AttachedReplica, ClusterInfo, Contact, Denial, Direction, DrillRecord, Handover, Info, Memory,
    NodeRecord, OpenSlot, Peer, Persistence, Phase, RedisMeasurement, Replication, Said, Settings,
    SettleRecord, Silence, Stats, WindowRecord,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};
pub use switch::Switch;

/// Asks every node of a Redis deployment how it is, and what it thinks of the others.
#[derive(Debug, Clone, Copy)]
pub struct Redis;

impl Probe for Redis {
    const META: Meta = Meta {
        id: "redis",
        summary: "Health of a Redis or Valkey cluster, replication or server, asked of every node",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Disruptive,
        readme: include_str!("../README.md"),
    };

    type Config = RedisConfig;
    type Measurement = RedisMeasurement;

    fn validate(config: &RedisConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &RedisConfig) -> Footprint {
        let mut credentials = Vec::new();
        if config.password().is_some() {
            credentials.push("password".to_owned());
        }
        if config.tls.get().is_some_and(|tls| tls.key.is_some()) {
            credentials.push("tls.key".to_owned());
        }
        Footprint {
            contacts: config.nodes.clone(),
            credentials,
            activity: match config.drill.get() {
                Some(_) => Activity::Disruptive,
                None => Activity::Active,
            },
            duration: None,
        }
    }

    async fn measure(config: &RedisConfig, cx: &Cx) -> Result<RedisMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &RedisMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &RedisConfig, measurement: &RedisMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
