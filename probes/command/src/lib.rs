//! The `command` probe: runs a program and judges what it did.
//!
//! Three protocols: the exit code (the default), that of Nagios and Icinga plugins, and readygate's own
//! (`readygate/1`), in which a program of any language brings metrics and checks.

mod config;
mod external;
mod judge;
mod matcher;
mod measure;
mod measurement;
mod metrics;
mod output;
mod plugin;
mod rules;

pub use config::{CommandConfig, ExitCodes, Protocol, StreamConfig};
pub use external::{ExternalCheck, ExternalError, ExternalKind, ExternalMetric, Reply};
pub use matcher::Matcher;
pub use measurement::{
    CommandMeasurement, JsonFound, JsonRecord, PerfDatum, PluginRecord, StreamRecord, TextFact,
    TextRole,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError, excerpt,
};

/// Runs a program and looks at its exit code, its output, or what it reports in a protocol.
#[derive(Debug, Clone, Copy)]
pub struct Command;

impl Probe for Command {
    const META: Meta = Meta {
        id: "command",
        summary: "Runs a program and judges its exit code, its output, or what it reports",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = CommandConfig;
    type Measurement = CommandMeasurement;

    fn validate(config: &CommandConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &CommandConfig) -> Footprint {
        let command = match &config.shell {
            Some(text) => format!("/bin/sh -c {text}"),
            None => config.argv.join(" "),
        };
        let names = config.secret_env.keys();
        Footprint {
            contacts: vec![excerpt(&command, 200)],
            credentials: names.map(|name| format!("variable {name}")).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &CommandConfig, cx: &Cx) -> Result<CommandMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &CommandMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &CommandConfig, measurement: &CommandMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
