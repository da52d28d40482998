//! The `load` probe: makes load, or reads what load tools measured.

mod config;
mod doubts;
pub mod engine;
mod fleet;
mod interval;
mod judge;
mod k6;
mod locust;
mod measure;
mod measurement;
mod merge;
mod metrics;
pub mod observe;
mod reader;
mod rules;
mod sketch;
mod stress;

use readygate_sdk::{
    Activity, Alias, Bound, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{
    AbortOn, Allow, CaptureText, Format, LoadConfig, MaxLoad, OpenLoad, Rate, Reuse,
    ScenarioConfig, Sockets, SourceKind, Spread, Stage, StepConfig, Stress, TlsConfig, UserLoad,
    UserStage, Wire,
};
pub use fleet::manifest;
pub use k6::facts::{Counted, K6Facts, Segment};
pub use locust::facts::{LocustFacts, Point, Worker};
pub use measurement::{
    Aims, EngineRun, How, Imported, Latency, LoadMeasurement, LoadResult, Model, Route, Safe,
    Threshold, Watched, WindowColumns,
};

/// Makes load, or reads what load tools measured.
#[derive(Debug, Clone, Copy)]
pub struct Load;

impl Probe for Load {
    const META: Meta = Meta {
        id: "load",
        summary: "Load: makes it at a rate, or reads what load tools measured; errors, throughput, latency",
        rules: rules::RULES,
        metrics: metrics::SPECS,
        activity: Activity::Disruptive,
        readme: include_str!("../README.md"),
    };

    type Config = LoadConfig;
    type Measurement = LoadMeasurement;

    fn alias(metric: &str, condition: &str) -> Option<Alias> {
        config::alias(metric, condition)
    }

    fn expect(config: &mut LoadConfig, bounds: &[Bound]) -> Result<(), ConfigError> {
        config::hear(config, bounds)
    }

    fn validate(config: &LoadConfig) -> Result<(), ConfigError> {
        config::validate(config)
    }

    fn footprint(config: &LoadConfig) -> Footprint {
        match config.source() {
            SourceKind::Engine => config.engine_footprint(),
            SourceKind::Locust | SourceKind::K6 => fleet::footprint(config),
            SourceKind::Import => Footprint {
                contacts: config.plan().contacts(),
                credentials: Vec::new(),
                // What runs here is there to make load.
                activity: if config.run.is_some() {
                    Activity::Disruptive
                } else {
                    Activity::Passive
                },
                duration: None,
            },
        }
    }

    async fn measure(config: &LoadConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &LoadMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
