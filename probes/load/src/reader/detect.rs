//! Recognises formats by their content.

use readygate_reports::{Fault, clip};
use serde_json::Value;

use crate::config::Format;

fn unknown(found: &str) -> Fault {
    Fault::new(format!(
        "this is no result of a load tool that is known, but {found}"
    ))
    .hint("let the tool write one of the formats of the README, or name it with `format`")
}

/// By the start of the text; `None` for a JSON document.
pub(super) fn of_text(head: &str) -> Result<Option<Format>, Fault> {
    let text = head.trim_start();
    match text.as_bytes().first() {
        None => return Err(Fault::new("the file holds nothing but white space")),
        Some(b'<') => return xml(text).map(Some),
        Some(b'{' | b'[') => {
            let first = text.lines().next().unwrap_or_default();
            let point = first.contains("\"metric\"") && first.contains("\"data\"");
            let k6 = point && (first.contains("\"Metric\"") || first.contains("\"Point\""));
            return Ok(k6.then_some(Format::K6Json));
        }
        Some(_) => {}
    }
    let first = text.lines().next().unwrap_or_default();
    if let Some(found) = header(first)? {
        return Ok(Some(found));
    }
    let has = |needle: &str| head.contains(needle);
    let found = if has("This is ApacheBench") {
        Format::AbText
    } else if has("Thread Stats") || (first.starts_with("Running ") && first.contains(" test @ ")) {
        Format::Wrk
    } else if has("spawning thread #") || (has("\nfinished in ") && has("\nstatus codes: ")) {
        Format::H2load
    } else if has("Nighthawk - A layer 7 protocol") {
        if has("Min,Mean,Max") {
            return Err(unknown("CSV of nighthawk; use its JSON or text"));
        }
        Format::NighthawkText
    } else if first.starts_with("Requests") && has("[total, rate") {
        Format::VegetaText
    } else if has("Success rate:") && has("Requests/sec:") {
        Format::OhaText
    } else if has("Summary:") && has("Requests/sec:") {
        Format::HeyText
    } else if has("http_req_duration") && has("....:") {
        return Err(unknown("the console text of k6; use `--summary-export`"));
    } else {
        return Err(unknown("other text"));
    };
    Ok(Some(found))
}

fn header(first: &str) -> Result<Option<Format>, Fault> {
    let plain = first.replace('"', "");
    let columns: Vec<&str> = plain
        .split([',', ';', '\t', '|'])
        .map(|c| c.trim().trim_start_matches('\u{feff}'))
        .collect();
    let has = |name: &str| columns.contains(&name);
    Ok(Some(if has("metric_name") && has("metric_value") {
        Format::K6Csv
    } else if has("elapsed") && (has("label") || has("timeStamp")) {
        Format::JmeterCsv
    } else if has("User Count") && has("Total Request Count") {
        Format::LocustHistory
    } else if has("Request Count") && has("Failure Count") {
        Format::LocustCsv
    } else if has("Occurrences") || (has("Traceback") && has("Count")) {
        return Err(unknown(
            "a list of failures of Locust; use its `_stats.csv`",
        ));
    } else if has("response-time") && has("status-code") {
        Format::HeyCsv
    } else if has("Percentage served") {
        Format::AbCsv
    } else if has("avg_rt") && has("succ") {
        Format::TaurusCsv
    } else if columns.len() > 8 && is_jtl_row(&columns) {
        Format::JmeterCsv
    } else {
        return Ok(None);
    }))
}

/// A row of a JTL without a header, in JMeter's default order of columns.
pub(super) fn is_jtl_row(columns: &[&str]) -> bool {
    let number = |i: usize| columns.get(i).is_some_and(|c| c.parse::<u64>().is_ok());
    let success = columns.get(7).map(|c| c.to_ascii_lowercase());
    number(0) && number(1) && success.is_some_and(|s| s == "true" || s == "false")
}

fn xml(text: &str) -> Result<Format, Fault> {
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if rest.starts_with("!--") {
            rest = rest.split_once("-->").map_or("", |(_, rest)| rest);
        } else if !rest.starts_with(['?', '!']) {
            let name = rest.split(|c: char| c.is_whitespace() || c == '>' || c == '/');
            return match name.into_iter().next().unwrap_or_default() {
                "testResults" => Ok(Format::JmeterXml),
                "FinalStatus" => Ok(Format::TaurusXml),
                "testsuites" | "testsuite" => Err(unknown("JUnit XML; the probe `tests` reads it")),
                other => Err(unknown(&format!("XML with the root `{}`", clip(other, 60)))),
            };
        }
    }
    Err(unknown("XML without an element"))
}

/// By the keys of a document.
pub(super) fn of_json(value: &Value) -> Result<Format, Fault> {
    let has = |pointer: &str| value.pointer(pointer).is_some();
    let found = if value.is_array() {
        let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let locust = |row: &Value| row.get("num_requests").is_some();
        if !rows.iter().all(locust) {
            return Err(unknown("a JSON list"));
        }
        Format::LocustJson
    } else if has("/results/metrics") && has("/metadata") || has("/metrics") && has("/root_group") {
        Format::K6Summary
    } else if has("/summary/successRate") && has("/statusCodeDistribution") {
        Format::OhaJson
    } else if has("/aggregate/counters") || has("/aggregate/requestsCompleted") {
        Format::Artillery
    } else if has("/latencies") && has("/status_codes") {
        Format::VegetaJson
    } else if has("/latency") && has("/requests") && has("/non2xx") {
        Format::Autocannon
    } else if has("/DurationHistogram") {
        Format::Fortio
    } else if has("/results/0/statistics") {
        Format::NighthawkJson
    } else if has("/numberOfRequests") || has("/stats/numberOfRequests") {
        Format::Gatling
    } else if has("/transactions") && has("/availability") {
        Format::Siege
    } else if is_statistics(value) {
        Format::JmeterStatistics
    } else if has("/metrics") && is_k6(value) {
        Format::K6Summary
    } else {
        return Err(unknown("other JSON"));
    };
    Ok(found)
}

fn is_statistics(value: &Value) -> bool {
    let rows = value.as_object();
    rows.is_some_and(|rows| {
        !rows.is_empty() && rows.values().all(|row| row.get("sampleCount").is_some())
    })
}

/// A summary of k6 without `root_group`, as `handleSummary` may write it.
fn is_k6(value: &Value) -> bool {
    let metrics = value.get("metrics").and_then(Value::as_object);
    let known = [
        "http_reqs",
        "iterations",
        "iteration_duration",
        "data_sent",
        "vus",
    ];
    metrics.is_some_and(|all| known.iter().any(|name| all.contains_key(*name)))
}
