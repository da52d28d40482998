//! The `mongodb` probe: a replica set, asked member by member.

mod config;
mod facts;
mod judge;
mod measure;
mod measurement;
mod metrics;
#[cfg(test)]
mod replay;
mod rules;
mod uri;

pub use config::{
    ClientWanted, Direction, Drill, IndexWanted, Keys, Limits, MigrationsWanted, MongodbConfig,
    TlsFiles, Topology,
};
pub use measurement::{
    Answer, ClientRecord, DialRecord, DrillRecord, Election, Hello, IndexRecord, IndexesRecord,
    Login, MemberConfig, MemberView, MigrationsRecord, MongodbMeasurement, NodeRecord, OpTime,
    Operations, Oplog, Profiler, ProfilerRecord, Progress, Reach, ServerFacts, SetConfig,
    SettleRecord, Status, TlsProblem, UriFacts,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Asks every member of a replica set by itself, and judges the whole.
#[derive(Debug, Clone, Copy)]
pub struct Mongodb;

impl Probe for Mongodb {
    const META: Meta = Meta {
        id: "mongodb",
        summary: "A MongoDB replica set: members, replication, versions, indexes, failover",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Disruptive,
        readme: include_str!("../README.md"),
    };

    type Config = MongodbConfig;
    type Measurement = MongodbMeasurement;

    fn validate(config: &MongodbConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &MongodbConfig) -> Footprint {
        let mut contacts = config.hosts.clone();
        for host in uri::hosts_of(config.uri.expose()) {
            if !contacts.contains(&host) {
                contacts.push(host);
            }
        }
        Footprint {
            contacts,
            credentials: uri::credentials_of(config),
            activity: if config.drill.is_some() {
                Activity::Disruptive
            } else {
                Activity::Active
            },
            duration: None,
        }
    }

    async fn measure(config: &MongodbConfig, cx: &Cx) -> Result<MongodbMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &MongodbMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &MongodbConfig, measurement: &MongodbMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
