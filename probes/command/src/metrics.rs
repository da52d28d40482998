//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit, process::Ended};
use serde_json::Value;

use crate::{CommandMeasurement, JsonFound, JsonRecord, PluginRecord, Reply, plugin};

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "exit_code",
        Unit::Count,
        "Exit code; absent when a signal ended the program",
    ),
    MetricSpec::new("duration", Unit::Seconds, "From start to end"),
    MetricSpec::new(
        "stdout.bytes",
        Unit::Bytes,
        "Bytes written to standard output",
    ),
    MetricSpec::new(
        "stderr.bytes",
        Unit::Bytes,
        "Bytes written to standard error",
    ),
    MetricSpec::new(
        "json.*",
        Unit::Count,
        "What `metrics` draws out of the JSON on standard output: plain numbers, or texts",
    ),
    MetricSpec::new(
        "perf.*",
        Unit::Count,
        "Performance data of a plugin by label, in seconds, bytes, percent or plain numbers (protocol nagios)",
    ),
    MetricSpec::new(
        "ext.*",
        Unit::Count,
        "Metrics that the program reports, in the unit it names (protocol json)",
    ),
];

pub fn metrics(measurement: &CommandMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    match measurement.ended {
        Ended::Code(code) => metrics.number("exit_code", f64::from(code), Unit::Count),
        Ended::Signal(_) => metrics.absent("exit_code", measurement.ended.to_string()),
    };
    metrics
        .seconds("duration", measurement.duration_us as f64 / 1e6)
        .bytes("stdout.bytes", measurement.stdout.bytes)
        .bytes("stderr.bytes", measurement.stderr.bytes);
    if let Some(json) = &measurement.json {
        drawn(json, &mut metrics);
    }
    if let Some(plugin) = &measurement.plugin {
        performance(plugin, &mut metrics);
    }
    if let Some(reply) = &measurement.reply {
        reported(reply, &mut metrics);
    }
    metrics
}

fn drawn(json: &JsonRecord, metrics: &mut Metrics) {
    for (name, found) in &json.metrics {
        let name = format!("json.{name}");
        match found {
            _ if json.problem.is_some() => {
                metrics.absent(name, "standard output is not JSON");
            }
            JsonFound::Scalar(value) => scalar(metrics, name, value, Unit::Count),
            JsonFound::Missing => {
                metrics.absent(name, "nothing is at its pointer");
            }
            JsonFound::Array { .. } => {
                metrics.absent(name, "a list is at its pointer, not a number or text");
            }
            JsonFound::Object { .. } => {
                metrics.absent(name, "an object is at its pointer, not a number or text");
            }
        }
    }
}

fn scalar(metrics: &mut Metrics, name: String, value: &Value, unit: Unit) {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(number) => metrics.number(name, number, unit),
            None => metrics.absent(name, "the number is out of range"),
        },
        Value::String(text) => metrics.text(name, text.as_str()),
        Value::Bool(truth) => metrics.text(name, truth.to_string()),
        _ => metrics.absent(name, "null is at its pointer"),
    };
}

fn performance(plugin: &PluginRecord, metrics: &mut Metrics) {
    for datum in &plugin.perfdata {
        let name = format!("perf.{}", datum.label);
        if metrics.get(&name).is_some() || metrics.why_absent(&name).is_some() {
            continue;
        }
        let twins = plugin.perfdata.iter().filter(|d| d.label == datum.label);
        match datum.value {
            _ if twins.count() > 1 => metrics.absent(name, "the plugin gives this label twice"),
            None => metrics.absent(name, "the plugin gives `U`: it could not tell"),
            Some(value) => {
                let (value, unit) = plugin::in_base_unit(value, &datum.unit);
                metrics.number(name, value, unit)
            }
        };
    }
}

fn reported(reply: &Reply, metrics: &mut Metrics) {
    for (name, metric) in &reply.metrics {
        scalar(metrics, format!("ext.{name}"), &metric.value, metric.unit);
    }
}
