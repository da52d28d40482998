//! Numbers of a run from the summaries of its segments.

use serde_json::Value;

use super::{
    config::K6Config,
    facts::{Counted, Segment},
    script,
};
use crate::{
    config::Format,
    fleet::Driven,
    measurement::{How, Latency, LoadResult, Model, Safe, nanos},
    merge,
    reader::{self, Reading},
};

/// The values of a metric.
fn values<'a>(summary: &'a Value, name: &str) -> Option<&'a Value> {
    summary.get("metrics")?.get(name)?.get("values")
}

fn number(summary: &Value, name: &str, key: &str) -> Option<f64> {
    values(summary, name)?.get(key)?.as_f64()
}

fn count(summary: &Value, name: &str, key: &str) -> u64 {
    let value = values(summary, name).and_then(|values| values.get(key));
    value.and_then(Value::as_u64).unwrap_or(0)
}

/// The facts of a segment that its summary tells.
pub(super) fn tell(segment: &mut Segment, summary: &Value, open: bool) {
    segment.summary = true;
    segment.started = count(summary, "rg_started", "count");
    segment.done = count(summary, "rg_done", "count");
    segment.dropped = count(summary, "dropped_iterations{scenario:measure}", "count");
    let lag = number(summary, "rg_lag", "p(99)");
    segment.lag_p99 = lag.filter(|_| open).map(|ms| nanos(ms / 1e3));
}

/// What each segment says and all together.
pub(super) fn driven(config: &K6Config, summaries: &[(String, Value)]) -> Option<Driven> {
    let mut readings = Vec::new();
    for (_, summary) in summaries {
        readings.push(one(config, summary)?);
    }
    let all: Vec<&Reading> = readings.iter().collect();
    let mut total = merge::merge(&all)?;
    if summaries.len() > 1 {
        together(config, &readings, &mut total);
    }
    let names = summaries.iter().map(|(name, _)| name.clone());
    let parts = names.zip(readings.into_iter().map(|reading| reading.result));
    Some(Driven {
        parts: parts.collect(),
        total,
    })
}

/// The reader of k6's summaries, with the counts of the generated script in place of k6's own: these
/// leave the warm-up out, and errors out of the latency.
fn one(config: &K6Config, summary: &Value) -> Option<Reading> {
    let mut reading = reader::of_json(Format::K6Summary, summary).ok()?;
    let result = &mut reading.result;
    let dropped = count(summary, "dropped_iterations{scenario:measure}", "count");
    result.model = if config.rate.is_some() {
        Model::Open
    } else {
        Model::Closed
    };
    // Latency counts from the time at which a request was due; those never sent are in none.
    result.corrected = match config.rate {
        Some(_) if dropped == 0 => Safe::Yes,
        _ => Safe::No,
    };
    result.requests = Some(count(summary, "rg_done", "count"));
    result.errors = Some(count(summary, "rg_failed", "passes"));
    result.error_kinds.clear();
    result.error("timeout", count(summary, "rg_timeouts", "count"));
    result.error("no response", count(summary, "rg_no_response", "count"));
    for class in 1..=5 {
        let n = count(summary, &format!("rg_status_{class}xx"), "count");
        result.status(&format!("{class}xx"), n);
    }
    result.latency = latency(summary);
    result.absent.remove("requests");
    if result.latency.is_none() {
        result.lacks("latency", "no request succeeded, so none was timed");
    }
    let window = config.duration.0.as_secs_f64();
    result.duration = Some(window);
    result.throughput = result.succeeded().map(|n| round(n as f64 / window));
    // They hold in one segment; what is decided on is the sum.
    result.thresholds = None;
    result.lacks(
        "thresholds.failed",
        "the counts of all segments are judged in their place",
    );
    Some(reading)
}

fn round(rate: f64) -> f64 {
    (rate * 1e6).round() / 1e6
}

fn latency(summary: &Value) -> Option<Latency> {
    let ms = |key: &str| number(summary, "rg_latency", key).map(|ms| ms / 1e3);
    let n = count(summary, "rg_latency", "count");
    if n == 0 {
        return None;
    }
    let mut latency = Latency {
        how: How::Tool,
        count: Some(n),
        mean: ms("avg").map(nanos),
        max: ms("max").map(nanos),
        quantiles: Vec::new(),
    };
    latency.push(50.0, ms("med"));
    for (percent, key) in [
        (90.0, "p(90)"),
        (95.0, "p(95)"),
        (99.0, "p(99)"),
        (99.9, "p(99.9)"),
    ] {
        latency.push(percent, ms(key));
    }
    Some(latency)
}

/// Where every segment has 95 % of its requests below a time, so have all together: the largest
/// percentile is an upper bound of the true one.
fn together(config: &K6Config, readings: &[Reading], total: &mut LoadResult) {
    let window = config.duration.0.as_secs_f64();
    total.duration = Some(window);
    total.throughput = total.succeeded().map(|n| round(n as f64 / window));
    total.absent.retain(|name, _| name == "thresholds.failed");
    let lists: Vec<&Latency> = readings
        .iter()
        .filter_map(|r| r.result.latency.as_ref())
        .collect();
    let Some(latency) = &mut total.latency else {
        return;
    };
    if lists.is_empty() {
        total.latency = None;
        return total.lacks("latency", "no request succeeded, so none was timed");
    }
    for percent in [50.0, 90.0, 95.0, 99.0, 99.9] {
        let largest = lists.iter().map(|latency| latency.at(percent));
        let largest: Option<Vec<f64>> = largest.collect();
        latency.push(
            percent,
            largest.and_then(|all| all.into_iter().max_by(f64::total_cmp)),
        );
    }
    total.notes.push(format!(
        "percentiles are the largest of {} segments: upper bounds of those of all requests",
        readings.len()
    ));
}

/// Requests within each bound, summed.
pub(super) fn bounds(config: &K6Config, summaries: &[(String, Value)]) -> Vec<Counted> {
    let mut all = Vec::new();
    for (percentile, period) in &config.bounds {
        let seconds = period.0.as_secs_f64();
        let name = script::rate_of((seconds * 1e6).round() / 1e3);
        let sum = |key: &str| {
            summaries
                .iter()
                .map(|(_, s)| count(s, &name, key))
                .sum::<u64>()
        };
        let (within, without) = (sum("passes"), sum("fails"));
        all.push(Counted {
            percent: percentile.percent(),
            seconds,
            within,
            of: within + without,
        });
    }
    all
}

/// A result of which nothing is known, and why.
pub(super) fn nothing(why: &str) -> LoadResult {
    let mut result = LoadResult::new(Format::K6Summary, "k6", Model::Unknown, Safe::Unknown);
    for name in crate::fleet::METRICS {
        result.lacks(name, why);
    }
    result
}
