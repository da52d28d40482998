//! The `load` probe: reads what load tools measured.

mod config;
pub mod engine;
mod judge;
mod measure;
mod measurement;
mod merge;
mod metrics;
pub mod observe;
mod reader;
mod rules;
mod sketch;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{Format, LoadConfig, SourceKind};
pub use measurement::{
    How, Imported, Latency, LoadMeasurement, LoadResult, Model, Route, Safe, Threshold,
};

/// Reads what load tools measured.
#[derive(Debug, Clone, Copy)]
pub struct Load;

impl Probe for Load {
    const META: Meta = Meta {
        id: "load",
        summary: "Reads the results of load tools: requests, errors, throughput, latency",
        rules: rules::RULES,
        metrics: metrics::SPECS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = LoadConfig;
    type Measurement = LoadMeasurement;

    fn validate(config: &LoadConfig) -> Result<(), ConfigError> {
        config::validate(config)
    }

    fn footprint(config: &LoadConfig) -> Footprint {
        let activity = if config.run.is_some() {
            Activity::Active
        } else {
            Activity::Passive
        };
        Footprint {
            contacts: config.plan().contacts(),
            credentials: Vec::new(),
            activity,
            duration: None,
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
