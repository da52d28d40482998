//! The `source` probe: what a look into the repository tells of a release, without running it.
//!
//! Four sections, each asked for by its own key of the config: debug code, environment variables,
//! documents, and the state of git. A section that cannot be measured leaves the others alone.

mod config;
mod debug;
mod documents;
mod environment;
mod git;
mod judge;
mod lexer;
mod measure;
mod measurement;
mod metrics;
mod rules;

pub use config::{
    DebugConfig, DebugKind, DocumentConfig, EnvironmentConfig, GitConfig, SourceConfig,
};
pub use measurement::{
    Answer, DebugRecord, DocumentRecord, EnvironmentRecord, Finding, GitRecord, Link, LinkState,
    SourceMeasurement, State, Variable,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Looks into a repository.
#[derive(Debug, Clone, Copy)]
pub struct Source;

impl Probe for Source {
    const META: Meta = Meta {
        id: "source",
        summary: "A repository before its release: debug code, environment variables, documents, git state",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = SourceConfig;
    type Measurement = SourceMeasurement;

    fn validate(config: &SourceConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &SourceConfig) -> Footprint {
        Footprint {
            contacts: config.contacts(),
            credentials: Vec::new(),
            activity: if config.git.is_some() {
                Activity::Active
            } else {
                Activity::Passive
            },
            duration: None,
        }
    }

    async fn measure(config: &SourceConfig, cx: &Cx) -> Result<SourceMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &SourceMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &SourceConfig, measurement: &SourceMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
