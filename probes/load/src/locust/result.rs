//! Numbers of a run from what Locust wrote: counts and buckets, merged by the master.

use serde_json::Value;

use crate::{
    config::Format,
    measurement::{How, LoadResult, Model, Route, Safe, nanos},
    reader,
};

/// The suffix of rows with failed requests, as the locustfile writes it.
const FAILED: &str = " [failed]";

/// The result from `--json-file` and `end.json`.
pub(super) fn result(stats: Value, end: &Value) -> Option<LoadResult> {
    let latencies_of_successes = without_failed(stats);
    let reading = reader::of_json(Format::LocustJson, &latencies_of_successes).ok()?;
    let mut result = reading.result;
    // Mean and largest of the rows that count for latency; buckets have three digits.
    result.latency = reading
        .sketch
        .and_then(|sketch| sketch.latency(How::Histogram));
    if result.latency.is_none() {
        result.lacks("latency", "no request succeeded, so none was timed");
    }
    result.version = text(end, "version");
    fold_routes(&mut result);
    result.error_kinds.clear();
    for error in end
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let count = error.get("count").and_then(Value::as_u64).unwrap_or(0);
        let kind = text(error, "error").unwrap_or_default();
        let kind = kind
            .trim_start_matches("CatchResponseError('")
            .trim_end_matches("')");
        if let Some(status) = kind.strip_prefix("status ") {
            result.status(status, count);
        } else {
            result.error(kind, count);
        }
    }
    let number = |key: &str| end.get(key).and_then(Value::as_f64);
    if let (Some(began), Some(ended)) = (number("began"), number("ended"))
        && ended > began
    {
        result.duration = Some(nanos(ended - began));
    }
    let seconds = result.duration.filter(|seconds| *seconds > 0.0);
    let rate = result.succeeded().zip(seconds);
    result.throughput = rate.map(|(n, seconds)| round(n as f64 / seconds));
    result.notes.push(
        "Locust's users wait for each answer: what they could not send meanwhile is in no latency"
            .to_owned(),
    );
    (result.model, result.corrected) = (Model::Closed, Safe::No);
    Some(result)
}

fn round(rate: f64) -> f64 {
    (rate * 1e6).round() / 1e6
}

pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    Some(readygate_reports::clip(text, crate::measurement::cap::NAME))
}

/// Errors that are no timeout are counted and not timed: a quick 500 is no quick answer.
fn without_failed(mut stats: Value) -> Value {
    for row in stats.as_array_mut().into_iter().flatten() {
        let failed = row.get("name").and_then(Value::as_str);
        if failed.is_some_and(|name| name.ends_with(FAILED))
            && let Some(row) = row.as_object_mut()
        {
            row.insert(
                "response_times".into(),
                Value::Object(serde_json::Map::new()),
            );
            row.insert("max_response_time".into(), Value::Null);
        }
    }
    stats
}

/// The row of failures goes to the route that it belongs to.
fn fold_routes(result: &mut LoadResult) {
    let mut routes: Vec<Route> = Vec::new();
    for mut route in std::mem::take(&mut result.routes) {
        let name = route.name.trim_end_matches(FAILED).to_owned();
        if let Some(known) = routes.iter_mut().find(|known| known.name == name) {
            known.requests += route.requests;
            known.errors = Some(known.errors.unwrap_or(0) + route.errors.unwrap_or(0));
            known.latency = known.latency.take().or(route.latency);
        } else {
            route.name = name;
            routes.push(route);
        }
    }
    result.routes = routes;
}

/// A result of which nothing is known, and why.
pub(crate) fn nothing(why: &str) -> LoadResult {
    let mut result = LoadResult::new(Format::LocustJson, "Locust", Model::Closed, Safe::No);
    for name in crate::fleet::METRICS {
        result.lacks(name, why);
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(name: &str, n: u64, failures: u64, buckets: &Value) -> Value {
        json!({ "name": name, "method": "GET", "num_requests": n, "num_failures": failures,
            "response_times": buckets, "max_response_time": 9.0, "total_response_time": 100.0,
            "start_time": 1_795_390_000.0, "last_request_timestamp": 1_795_390_010.0 })
    }

    #[test]
    fn quick_errors_are_counted_and_not_timed() {
        let stats = json!([
            row("/a", 100, 0, &json!({ "20.0": 90, "40.0": 10 })),
            row("/a [failed]", 900, 900, &json!({ "0.3": 900 })),
        ]);
        let end = json!({ "version": "2.47.0", "began": 1_795_390_000.0, "ended": 1_795_390_010.0,
            "errors": [{ "error": "CatchResponseError('status 500')", "count": 900 }] });
        let found = result(stats, &end).unwrap();
        assert_eq!((found.requests, found.errors), (Some(1_000), Some(900)));
        let latency = found.latency.unwrap();
        assert_eq!(latency.count, Some(100));
        assert_eq!(latency.at(50.0), Some(0.02));
        assert_eq!(found.statuses.get("500"), Some(&900));
        assert_eq!(found.routes.len(), 1);
        assert_eq!(found.throughput, Some(10.0), "of good answers");
    }

    #[test]
    fn without_success_there_is_no_latency() {
        let stats = json!([row("/a [failed]", 9, 9, &json!({ "0.3": 9 }))]);
        let found = result(stats, &json!({})).unwrap();
        assert_eq!((found.requests, found.errors), (Some(9), Some(9)));
        assert!(found.latency.is_none());
    }
}
