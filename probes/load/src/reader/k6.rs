//! k6: the three shapes of its summary.

use readygate_reports::{Fault, clip};
use serde_json::{Map, Value};

use super::{
    Reading,
    json::{at, count, count_at, number, to_count},
};
use crate::{
    config::Format,
    measurement::{Latency, LoadResult, Model, Safe, Threshold, cap},
};

/// `--summary-export` has the values of a metric beside its `thresholds`, of which `true` says
/// *failed*; `handleSummary` has them under `values`, and `{ok: true}`; the machine-readable
/// summary has a list of metrics and no thresholds.
pub(super) fn summary(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::K6Summary, "k6", Model::Unknown, Safe::Unknown);
    let metrics = match value.pointer("/results/metrics") {
        Some(Value::Array(list)) => machine_readable(list, value, &mut result),
        _ => value
            .get("metrics")
            .and_then(Value::as_object)
            .ok_or_else(|| Fault::new("there are no `metrics`"))?
            .clone(),
    };
    let of = |name: &str| metrics.get(name).map(values);
    let requests = of("http_reqs").and_then(|v| count(v.get("count")));
    match requests {
        Some(n) => result.requests = Some(n),
        None => result.lacks(
            "requests",
            "k6 made no HTTP request (`http_reqs` is missing)",
        ),
    }
    if let Some(failed) = of("http_req_failed") {
        // The rate counts failures, so its "passes" are the requests that failed.
        let hits = count(failed.get("matches")).or(count(failed.get("passes")));
        let rate = number(failed.get("rate")).or(number(failed.get("value")));
        let by_rate = || to_count(rate? * requests? as f64);
        result.errors = hits.or_else(by_rate);
        result.error("http_req_failed", result.errors.unwrap_or(0));
    }
    if let Some(reqs) = of("http_reqs") {
        result.throughput = number(reqs.get("rate"));
    }
    let vus = of("vus").and_then(|v| count(v.get("max")));
    result.users = vus.or(of("vus_max").and_then(|v| count(v.get("max"))));
    result.duration = result
        .duration
        .or(at(value, "/state/testRunDurationMs").map(|ms| ms / 1e3))
        .or_else(|| of("http_reqs").and_then(over_rate))
        .or_else(|| of("iterations").and_then(over_rate));
    result.latency = of("http_req_duration").map(|v| latency(v, requests));
    // A refused connection is timed with 0.
    if result.latency.as_ref().is_some_and(|l| l.max == Some(0.0)) {
        result.latency = None;
        result.lacks("latency", "no response was timed");
    }
    dropped(of("dropped_iterations"), &mut result);
    if result.thresholds.is_none() && value.pointer("/results").is_none() {
        result.thresholds = thresholds(&metrics);
    }
    Ok(result.into())
}

fn values(metric: &Value) -> &Value {
    metric.get("values").unwrap_or(metric)
}

/// The length of the run, which is the count over its rate.
fn over_rate(metric: &Value) -> Option<f64> {
    let rate = number(metric.get("rate")).filter(|rate| *rate > 0.0)?;
    Some(number(metric.get("count"))? / rate)
}

fn machine_readable(list: &[Value], value: &Value, result: &mut LoadResult) -> Map<String, Value> {
    let version = value
        .pointer("/metadata/k6_version")
        .and_then(Value::as_str);
    result.version = version.map(|v| clip(v, cap::NAME));
    result.duration = at(value, "/config/duration");
    let ended = value
        .pointer("/metadata/generated_at")
        .and_then(Value::as_str);
    result.ended = ended.and_then(|text| text.parse().ok());
    result.lacks(
        "thresholds.failed",
        "the machine-readable summary of k6 has no results of thresholds; use `--summary-export`",
    );
    let named = list.iter().filter_map(|metric| {
        let name = metric.get("name")?.as_str()?;
        Some((name.to_owned(), metric.clone()))
    });
    named.collect()
}

fn latency(values: &Value, requests: Option<u64>) -> Latency {
    let ms = |name: &str| number(values.get(name)).map(|ms| ms / 1e3);
    let mut latency = Latency::of_tool();
    latency.count = count_at(values, "/count").or(requests);
    latency.mean = ms("avg");
    latency.max = ms("max");
    latency.push(50.0, ms("med").or(ms("p(50)")).or(ms("p50")));
    for percent in [75_u32, 90, 95, 99] {
        let value = ms(&format!("p({percent})")).or(ms(&format!("p{percent}")));
        latency.push(f64::from(percent), value);
    }
    latency.push(99.9, ms("p(99.9)"));
    latency
}

/// Only executors with an arrival rate drop iterations.
fn dropped(metric: Option<&Value>, result: &mut LoadResult) {
    let Some(n) = metric.and_then(|v| count(v.get("count"))) else {
        return;
    };
    result.model = Model::Open;
    if n > 0 {
        result.corrected = Safe::No;
        result.notes.push(format!(
            "k6 dropped {n} iterations that were due, and their wait is in no latency"
        ));
    }
}

fn thresholds(metrics: &Map<String, Value>) -> Option<Vec<Threshold>> {
    let mut all = Vec::new();
    for (name, metric) in metrics {
        let list = metric.get("thresholds").and_then(Value::as_object);
        for (expression, result) in list.into_iter().flatten() {
            let passed = match result {
                Value::Bool(failed) => !failed,
                other => other.get("ok").and_then(Value::as_bool).unwrap_or(false),
            };
            all.push(Threshold {
                name: clip(&format!("{name}: {expression}"), cap::NAME),
                passed,
            });
        }
    }
    all.sort_by_key(|threshold| threshold.passed);
    all.truncate(cap::ROWS);
    (!all.is_empty()).then_some(all)
}
