//! nighthawk: JSON and text.

use readygate_reports::Fault;
use serde_json::Value;

use super::{
    Reading, cut,
    json::{count, number},
    time::seconds,
};
use crate::{
    config::Format,
    measurement::{Latency, LoadResult, Model, Safe},
};

const LATENCY: &str = "benchmark_http_client.request_to_response";

fn counter(name: &str, n: u64, result: &mut LoadResult) {
    let name = name.strip_prefix("benchmark.").unwrap_or(name);
    match name {
        "http_1xx" | "http_2xx" | "http_3xx" | "http_4xx" | "http_5xx" => {
            result.status(&name[5..], n);
        }
        "stream_resets" | "pool_connection_failure" | "http_xxx" | "pool_overflow" => {
            result.error(name, n);
        }
        _ => {}
    }
}

/// `global` counts all workers.
pub(super) fn json(value: &Value) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::NighthawkJson, "nighthawk", Model::Closed, Safe::No);
    let results = value.get("results").and_then(Value::as_array);
    let results = results.ok_or_else(|| Fault::new("there are no `results`"))?;
    let is_global = |r: &&Value| r.get("name").and_then(Value::as_str) == Some("global");
    let only = results.first().filter(|_| results.len() == 1);
    let global = results.iter().find(is_global).or(only);
    let global = global.ok_or_else(|| Fault::new("there is no result `global`"))?;
    let open = value.pointer("/options/open_loop");
    if open.is_some_and(|o| o == &Value::Bool(true) || o.get("value") == Some(&Value::Bool(true))) {
        result.model = Model::Open;
        result.corrected = Safe::Yes;
    }
    let rows = |key: &str| {
        global
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    for row in rows("counters") {
        let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
        // A counter of zero is left out of the file.
        counter(name, count(row.get("value")).unwrap_or(0), &mut result);
    }
    result.count_by_status();
    let time = |row: &Value, key: &str| row.get(key)?.as_str().and_then(seconds);
    result.duration = time(global, "execution_duration");
    let is_latency = |row: &&Value| row.get("id").and_then(Value::as_str) == Some(LATENCY);
    if let Some(row) = rows("statistics").find(is_latency) {
        let mut latency = Latency::of_tool();
        latency.count = count(row.get("count"));
        latency.mean = time(row, "mean");
        latency.max = time(row, "max");
        let list = row.get("percentiles").and_then(Value::as_array);
        for point in list.into_iter().flatten() {
            if let Some(share) = number(point.get("percentile")) {
                latency.push(share * 100.0, time(point, "duration"));
            }
        }
        result.latency = Some(latency);
    }
    known(&mut result);
    Ok(result.into())
}

/// A file without nighthawk's own counters is of another benchmark.
fn known(result: &mut LoadResult) {
    if result.requests == Some(0) && result.latency.is_none() {
        result.requests = None;
        result.errors = None;
        result.lacks("requests", "there are no counters of HTTP responses");
    }
}

pub(super) fn text(text: &str) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(
        Format::NighthawkText,
        "nighthawk",
        Model::Unknown,
        Safe::Unknown,
    );
    let mut latency: Option<Latency> = None;
    let (mut inside, mut counters) = (false, false);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("Counter ") {
            (counters, inside) = (true, false);
        } else if line.ends_with("samples)") {
            inside = line.starts_with(LATENCY) || line.starts_with("Request start to response end");
            if inside {
                let count = line
                    .rsplit_once('(')
                    .and_then(|(_, n)| n.split(' ').next()?.parse().ok());
                latency = Some(Latency {
                    count,
                    ..Latency::of_tool()
                });
            }
        } else if let Some(latency) = latency.as_mut().filter(|_| inside) {
            latency_line(line, latency);
        } else if counters {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(Ok(n))) = (words.next(), words.next().map(str::parse)) {
                counter(name, n, &mut result);
            }
        }
    }
    if !counters {
        return Err(cut("the list of counters"));
    }
    result.count_by_status();
    result.latency = latency;
    known(&mut result);
    Ok(result.into())
}

fn latency_line(line: &str, latency: &mut Latency) {
    if line.starts_with("min:") {
        for (name, value) in line
            .split('|')
            .filter_map(|part| part.trim().split_once(": "))
        {
            match name {
                "mean" => latency.mean = seconds(value),
                "max" => latency.max = seconds(value),
                _ => {}
            }
        }
        return;
    }
    let mut words = line.split_whitespace();
    let share: Option<f64> = words.next().and_then(|word| word.parse().ok());
    let rest: Vec<&str> = words.skip(1).collect();
    if let Some(share) = share {
        latency.push(share * 100.0, seconds(&rest.join(" ")));
    }
}
