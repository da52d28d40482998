//! Locust: the JSON of its statistics, which holds buckets.

use readygate_reports::{Fault, clip};
use serde_json::Value;

use super::{
    Reading,
    json::{at, count_at, counts},
    time::of_seconds,
};
use crate::{
    config::Format,
    measurement::{How, LoadResult, Model, Route, Safe, cap, nanos},
    sketch::Sketch,
};

pub(super) fn json(value: &Value) -> Result<Reading, Fault> {
    let rows = value
        .as_array()
        .ok_or_else(|| Fault::new("it is no list"))?;
    let mut result = LoadResult::new(Format::LocustJson, "Locust", Model::Closed, Safe::No);
    let mut all = Sketch::default();
    let (mut requests, mut errors, mut sum) = (0, 0, 0.0);
    let mut max: Option<f64> = None;
    for row in rows {
        let n = count_at(row, "/num_requests");
        let n = n.ok_or_else(|| Fault::new("a row without `num_requests`"))?;
        let failures = count_at(row, "/num_failures");
        let failures = failures.ok_or_else(|| Fault::new("a row without `num_failures`"))?;
        let buckets = buckets(row);
        let longest = at(row, "/max_response_time").map(|ms| ms / 1e3);
        let total = at(row, "/total_response_time").unwrap_or(0.0) / 1e3;
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{} {}", text("method"), text("name"));
        let mut latency = buckets.latency(How::Histogram);
        if let Some(latency) = &mut latency {
            latency.max = longest.map(nanos).or(latency.max);
            latency.mean = Some(nanos(total / n.max(1) as f64));
        }
        requests += n;
        errors += failures;
        sum += total;
        if let Some(longest) = longest.filter(|_| n > 0) {
            max = Some(max.map_or(longest, |max| max.max(longest)));
        }
        all.merge(&buckets);
        result.error(name.trim(), failures);
        result.routes.push(Route {
            name: clip(&name, cap::NAME),
            requests: n,
            errors: Some(failures),
            latency,
        });
        window(&mut result, row);
    }
    result.requests = Some(requests);
    result.errors = Some(errors);
    if let (Some(start), Some(end)) = (result.started, result.ended) {
        result.duration = Some(nanos(end.duration_since(start).as_secs_f64()));
    }
    result.latency = all.latency(How::Histogram);
    if let Some(latency) = &mut result.latency {
        latency.max = max.or(latency.max);
        latency.mean = Some(sum / requests.max(1) as f64);
    }
    Ok(Reading {
        result,
        sketch: Some(all),
    })
}

/// Times in milliseconds, rounded by Locust to two digits, and how often.
fn buckets(row: &Value) -> Sketch {
    let mut sketch = Sketch::default();
    for (ms, n) in counts(row, "/response_times") {
        if let Ok(ms) = ms.parse::<f64>() {
            sketch.add(ms / 1e3, n);
        }
    }
    sketch
}

fn window(result: &mut LoadResult, row: &Value) {
    let start = at(row, "/start_time").and_then(of_seconds);
    let end = at(row, "/last_request_timestamp").and_then(of_seconds);
    result.started = match (result.started, start) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    result.ended = result.ended.max(end);
}
