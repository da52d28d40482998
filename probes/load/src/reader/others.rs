//! Tools that write one JSON document.

use readygate_reports::{Fault, clip};
use serde_json::Value;

use super::{
    Reading,
    json::{at, count, count_at, counts, number},
    time::of_millis,
};
use crate::{
    config::Format,
    measurement::{Latency, LoadResult, Model, Route, Safe, cap},
};

/// The file names no percentiles: 50, 75, 95 and 99 are Gatling's defaults.
pub(super) fn gatling(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::Gatling, "Gatling", Model::Unknown, Safe::Unknown);
    let stats = value.get("stats").unwrap_or(value);
    let all = "/numberOfRequests/total";
    result.requests = Some(count_at(stats, all).ok_or_else(|| Fault::new("no numberOfRequests"))?);
    result.errors = count_at(stats, "/numberOfRequests/ko");
    result.error("KO", result.errors.unwrap_or(0));
    result.throughput = at(stats, "/meanNumberOfRequestsPerSecond/total");
    result.latency = Some(gatling_latency(stats));
    gatling_routes(value, 0, &mut result);
    let note = "the percentiles are read as 50, 75, 95 and 99, Gatling's defaults; the file does not name them";
    result.notes.push(note.to_owned());
    Ok(result.into())
}

fn gatling_latency(stats: &Value) -> Latency {
    let ms = |pointer: &str| at(stats, pointer).map(|ms| ms / 1e3);
    let mut latency = Latency::of_tool();
    latency.count = count_at(stats, "/numberOfRequests/total");
    latency.mean = ms("/meanResponseTime/total");
    latency.max = ms("/maxResponseTime/total");
    for (n, percent) in [(1, 50.0), (2, 75.0), (3, 95.0), (4, 99.0)] {
        latency.push(percent, ms(&format!("/percentiles{n}/total")));
    }
    latency
}

fn gatling_routes(value: &Value, depth: usize, result: &mut LoadResult) {
    let contents = value.get("contents").and_then(Value::as_object);
    for row in contents.into_iter().flat_map(serde_json::Map::values) {
        let Some(stats) = row.get("stats") else {
            continue;
        };
        let name = row
            .get("name")
            .or(stats.get("name"))
            .and_then(Value::as_str);
        if row.get("type").and_then(Value::as_str) == Some("REQUEST") {
            result.routes.push(Route {
                name: clip(name.unwrap_or_default(), cap::NAME),
                requests: count_at(stats, "/numberOfRequests/total").unwrap_or(0),
                errors: count_at(stats, "/numberOfRequests/ko"),
                latency: Some(gatling_latency(stats)),
            });
        } else if depth < 32 {
            gatling_routes(row, depth + 1, result);
        }
    }
}

/// Arrivals are open, but a pool of connections hides the wait for a free one.
pub(super) fn artillery(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::Artillery, "Artillery", Model::Open, Safe::No);
    let all = value
        .get("aggregate")
        .ok_or_else(|| Fault::new("no `aggregate`"))?;
    let legacy = all.get("requestsCompleted").is_some();
    let pairs = |old: &str, new: &str| counts(all, if legacy { old } else { new });
    for (name, n) in pairs("/codes", "/counters") {
        match name.strip_prefix("http.codes.") {
            Some(code) => result.status(code, n),
            None if legacy => result.status(name, n),
            None => {}
        }
    }
    for (name, n) in pairs("/errors", "/counters") {
        match name.strip_prefix("errors.") {
            Some(kind) => result.error(kind, n),
            None if legacy => result.error(name, n),
            None => {}
        }
    }
    result.count_by_status();
    let sent = all
        .get("counters")
        .and_then(|c| count(c.get("http.requests")));
    result.requests = result.requests.max(sent);
    if let (Some(sent), Some(answered)) = (sent, result.requests) {
        // A request that was sent and has neither a status nor an error is still a failure.
        let known = result.responses() + result.error_kinds.values().sum::<u64>();
        let lost = sent.min(answered).saturating_sub(known);
        result.error("no response", lost);
        result.errors = result.errors.map(|errors| errors + lost);
    }
    let start = at(all, "/firstMetricAt").or(at(all, "/firstCounterAt"));
    let end = at(all, "/lastMetricAt").or(at(all, "/lastCounterAt"));
    result.started = start.and_then(of_millis);
    result.ended = end.and_then(of_millis);
    result.duration = start.zip(end).map(|(start, end)| (end - start) / 1e3);
    let times = all
        .get("summaries")
        .and_then(|s| s.get("http.response_time"));
    let times = times.or(all.get("latency"));
    result.latency = times.map(|times| {
        let ms = |key: &str| number(times.get(key)).map(|ms| ms / 1e3);
        let mut latency = Latency::of_tool();
        latency.count = count(times.get("count"));
        latency.mean = ms("mean");
        latency.max = ms("max");
        latency.push(50.0, ms("p50").or(ms("median")));
        for (key, percent) in [("p75", 75.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0)] {
            latency.push(percent, ms(key));
        }
        latency.push(99.9, ms("p999"));
        latency
    });
    Ok(result.into())
}

/// Times are in nanoseconds; a request counts from when a worker takes it.
pub(super) fn vegeta(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::VegetaJson, "vegeta", Model::Open, Safe::Unknown);
    vegeta_statuses(&counts(value, "/status_codes"), &mut result);
    let requests = count_at(value, "/requests");
    result.requests = Some(requests.ok_or_else(|| Fault::new("no `requests`"))?);
    result.errors = requests.map(|n| n.saturating_sub(result.responses() - result.bad_statuses()));
    result.throughput = at(value, "/rate");
    let ns = |pointer: &str| at(value, pointer).map(|ns| ns / 1e9);
    result.duration = ns("/duration").map(|d| d + ns("/wait").unwrap_or(0.0));
    let time = |key: &str| value.get(key)?.as_str()?.parse().ok();
    result.started = time("earliest");
    result.ended = time("end").or(time("latest"));
    let mut latency = Latency::of_tool();
    latency.count = requests;
    latency.mean = ns("/latencies/mean");
    latency.max = ns("/latencies/max");
    for percent in [50_u32, 90, 95, 99] {
        latency.push(f64::from(percent), ns(&format!("/latencies/{percent}th")));
    }
    result.latency = Some(latency);
    Ok(result.into())
}

/// Vegeta's status 0 is no response.
pub(super) fn vegeta_statuses(codes: &[(&str, u64)], result: &mut LoadResult) {
    for (code, n) in codes {
        if *code == "0" {
            result.error("no response", *n);
        } else {
            result.status(code, *n);
        }
    }
}

/// `successRate` ignores statuses, so it is not used.
pub(super) fn oha(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::OhaJson, "oha", Model::Unknown, Safe::Unknown);
    for (code, n) in counts(value, "/statusCodeDistribution") {
        result.status(code, n);
    }
    for (kind, n) in counts(value, "/errorDistribution") {
        oha_error(kind, n, &mut result);
    }
    result.count_by_status();
    let total = at(value, "/summary/total");
    result.duration = Some(total.ok_or_else(|| Fault::new("no `summary.total`"))?);
    result.throughput = at(value, "/summary/requestsPerSec");
    let mut latency = Latency::of_tool();
    latency.count = Some(result.responses());
    latency.mean = at(value, "/summary/average");
    latency.max = at(value, "/summary/slowest");
    for (key, percent) in [
        ("p50", 50.0),
        ("p75", 75.0),
        ("p90", 90.0),
        ("p95", 95.0),
        ("p99", 99.0),
        ("p99.9", 99.9),
    ] {
        latency.push(percent, at(value, &format!("/latencyPercentiles/{key}")));
    }
    result.latency = Some(latency);
    Ok(result.into())
}

/// What was in flight when the time was over is no failure of the target.
pub(super) fn oha_error(kind: &str, n: u64, result: &mut LoadResult) {
    if kind.contains("aborted due to deadline") {
        result.notes.push(format!(
            "{n} requests were in flight at the end and are not counted"
        ));
    } else {
        result.error(kind, n);
    }
}

/// `errors` holds the timeouts; `non2xx` holds redirects, which are no failures.
pub(super) fn autocannon(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::Autocannon, "autocannon", Model::Closed, Safe::No);
    let stats = value.get("statusCodeStats").and_then(Value::as_object);
    for (code, n) in stats.into_iter().flatten() {
        result.status(code, count(n.get("count")).unwrap_or(0));
    }
    if result.statuses.is_empty() {
        for class in ["1xx", "2xx", "3xx", "4xx", "5xx"] {
            result.status(class, count(value.get(class)).unwrap_or(0));
        }
    }
    let need = |pointer: &str| {
        count_at(value, pointer).ok_or_else(|| Fault::new(format!("`{pointer}` is missing")))
    };
    let (errors, timeouts) = (need("/errors")?, need("/timeouts")?);
    result.error("timeout", timeouts);
    result.error("connection", errors.saturating_sub(timeouts));
    let without = errors.max(timeouts);
    let mismatches = count_at(value, "/mismatches").unwrap_or(0);
    result.error("unexpected body", mismatches);
    let answered = need("/requests/total")?.max(result.responses());
    result.requests = Some(answered + without);
    result.errors = Some((result.bad_statuses() + mismatches).min(answered) + without);
    result.throughput = at(value, "/requests/average");
    result.duration = at(value, "/duration");
    let time = |key: &str| value.get(key)?.as_str()?.parse().ok();
    result.started = time("start");
    result.ended = time("finish");
    result.users = count_at(value, "/connections");
    let ms = |key: &str| at(value, &format!("/latency/{key}")).map(|ms| ms / 1e3);
    let mut latency = Latency::of_tool();
    latency.count = count_at(value, "/latency/totalCount").or(Some(answered));
    latency.mean = ms("mean").or(ms("average"));
    latency.max = ms("max");
    for (key, percent) in [
        ("p50", 50.0),
        ("p75", 75.0),
        ("p90", 90.0),
        ("p95", 95.0),
        ("p97_5", 97.5),
        ("p99", 99.0),
        ("p99_9", 99.9),
    ] {
        latency.push(percent, ms(key));
    }
    result.latency = Some(latency);
    result.lacks(
        "latency.p95",
        "autocannon gives p90, p97.5 and p99, and no p95",
    );
    Ok(result.into())
}

/// Times are in seconds, `ActualDuration` in nanoseconds. A code of -1 is no response.
pub(super) fn fortio(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::Fortio, "fortio", Model::Closed, Safe::No);
    let labels = value
        .get("Labels")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if labels.split_whitespace().any(|label| label == "Nighthawk") {
        "nighthawk".clone_into(&mut result.tool);
        result.model = Model::Unknown;
        result.corrected = Safe::Unknown;
    }
    for (code, n) in counts(value, "/RetCodes") {
        if code.starts_with('-') || code == "0" {
            result.error("no response", n);
        } else {
            result.status(code, n);
        }
    }
    let timed = count_at(value, "/DurationHistogram/Count");
    if timed.is_none() {
        return Err(Fault::new("no `DurationHistogram.Count`"));
    }
    result.count_by_status();
    if result.requests == Some(0) {
        result.requests = timed;
        result.errors = None;
        result.lacks("error_rate", "there are no `RetCodes`");
    }
    result.throughput = at(value, "/ActualQPS");
    let ns = at(value, "/ActualDuration").filter(|ns| *ns >= 1e6);
    result.duration = ns.map(|ns| ns / 1e9);
    let start = value.get("StartTime").and_then(Value::as_str);
    result.started = start.and_then(|text| text.parse().ok());
    let version = value.get("Version").and_then(Value::as_str);
    result.version = version.map(|text| clip(text, cap::NAME));
    result.users = count_at(value, "/NumThreads");
    let histogram = |key: &str| at(value, &format!("/DurationHistogram/{key}"));
    let mut latency = Latency::of_tool();
    latency.count = timed;
    latency.mean = histogram("Avg");
    latency.max = histogram("Max");
    let list = value
        .pointer("/DurationHistogram/Percentiles")
        .and_then(Value::as_array);
    for row in list.into_iter().flatten() {
        if let Some(percent) = number(row.get("Percentile")) {
            latency.push(percent, number(row.get("Value")));
        }
    }
    result.latency = Some(latency);
    Ok(result.into())
}

/// Siege prints seconds with two digits, so a small mean is lost.
pub(super) fn siege(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::Siege, "siege", Model::Closed, Safe::No);
    let need = |key: &str| count(value.get(key)).ok_or_else(|| Fault::new(format!("no `{key}`")));
    let (hits, good, failed) = (
        need("transactions")?,
        need("successful_transactions")?,
        need("failed_transactions")?,
    );
    result.requests = Some(hits + failed);
    let errors = failed + hits.saturating_sub(good);
    result.errors = Some(errors);
    result.error("failed_transactions", errors);
    result.throughput = at(value, "/transaction_rate");
    result.duration = at(value, "/elapsed_time");
    let mut latency = Latency::of_tool();
    latency.count = Some(hits);
    latency.mean = at(value, "/response_time").filter(|mean| *mean > 0.0);
    latency.max = at(value, "/longest_transaction").filter(|max| *max > 0.0);
    result.latency = Some(latency);
    let why = "siege gives hundredths of a second, which say 0";
    for name in ["latency.mean", "latency.max"] {
        result.lacks(name, why);
    }
    Ok(result.into())
}
