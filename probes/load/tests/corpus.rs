//! Agreement with a corpus of real results that is not part of the repository.
//!
//! `READYGATE_CORPUS=DIR cargo nextest run -p readygate-load --no-capture` measures every load
//! result that `DIR/manifest.json` names, the whole way that a gate goes.

#![expect(clippy::unwrap_used, reason = "a test that tells what it finds")]

use std::{path::Path, time::Duration};

use readygate_load::{Load, LoadConfig, LoadMeasurement, LoadResult};
use readygate_sdk::{Check, CheckOutcome, Checks, Probe as _, testkit};
use serde_json::{Value as Json, json};

/// Formats for which the manifest defines no figure and which are read all the same: what they
/// count is told plainly in the file.
const READ_ALL_THE_SAME: [(&str, u64, u64); 6] = [
    // Taurus: `succ` and `fail` of the empty label.
    ("TaurusPreviousBuildReport.xml", 445, 5),
    ("TaurusXMLReport.xml", 677, 11),
    ("TaurusXmlWithDuration.xml", 59314, 29656),
    // fortio, with the counts in quotes.
    ("test_data__output_formatter.medium.fortio.gold", 56, 0),
    ("oha-text.txt", 100, 10),
    // 535 without a response: 1200 requests of which 665 have status 200.
    ("README.md_report-type-text.txt", 1200, 535),
];

#[tokio::test]
async fn the_figures_agree_with_the_corpus() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the corpus lies outside the repository"
    )]
    let Some(directory) = std::env::var_os("READYGATE_CORPUS") else {
        println!("not run: READYGATE_CORPUS names no folder");
        return;
    };
    let directory = Path::new(&directory);
    let manifest = std::fs::read_to_string(directory.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_str(&manifest).unwrap();
    let entries = manifest["entries"].as_array().unwrap();
    let (mut agreed, mut disagreed) = (0, Vec::new());
    for entry in entries {
        let file = entry["file"].as_str().unwrap();
        if !file.starts_with("load/") {
            continue;
        }
        let wrong = compare(
            file,
            &entry["expected"],
            judged(&directory.join(file)).await,
        );
        if wrong.is_empty() {
            agreed += 1;
        } else {
            disagreed.push(format!("{file}: {}", wrong.join("; ")));
        }
    }
    println!("{agreed} agreed, {} disagreed", disagreed.len());
    assert!(agreed > 0, "no load result in the manifest");
    assert!(disagreed.is_empty(), "{}", disagreed.join("\n"));
}

type Judged = Result<(LoadResult, Vec<Check>), String>;

async fn judged(path: &Path) -> Judged {
    let config: LoadConfig = serde_json::from_value(json!({ "reports": [path] })).unwrap();
    Load::validate(&config).unwrap();
    let cx = testkit::cx(Duration::from_secs(60));
    let measured = Load::measure(&config, &cx).await;
    let measured = measured.map_err(|e| e.to_string())?;
    let json = serde_json::to_string(&measured).unwrap();
    let read: LoadMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, measured, "the measurement does not survive JSON");
    let mut checks = Checks::new();
    Load::judge(&config, &read, &mut checks);
    Ok((read.total.unwrap(), checks.into_vec()))
}

fn compare(file: &str, expected: &Json, judged: Judged) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = file.rsplit('/').next().unwrap();
    let all_the_same = READ_ALL_THE_SAME
        .iter()
        .find(|(ending, ..)| name == *ending);
    let (result, checks) = match judged {
        Ok(judged) => judged,
        Err(_) if expected.is_null() && all_the_same.is_none() => return wrong,
        Err(error) => return vec![error],
    };
    if let Some((_, requests, errors)) = all_the_same {
        if (result.requests, result.errors) != (Some(*requests), Some(*errors)) {
            wrong.push(format!("{:?} {:?}", result.requests, result.errors));
        }
    } else if expected.is_null() {
        let unmeasured = |check: &Check| check.outcome == CheckOutcome::Unmeasured;
        if !checks.iter().any(unmeasured) {
            wrong.push("it is measured, and no figure is defined".to_owned());
        }
    }
    if let Some(expected) = expected.as_object() {
        for (key, value) in expected {
            if let Some((want, got, near)) = figure(key, value, expected, &result)
                && !got.is_some_and(|got| (got - want).abs() <= near)
            {
                wrong.push(format!("{key}: {want} expected, {got:?} read"));
            }
        }
        counts(expected, &result, &mut wrong);
    }
    wrong
}

/// What is expected, what was read, and how near these must be.
fn figure(
    key: &str,
    value: &Json,
    all: &serde_json::Map<String, Json>,
    result: &LoadResult,
) -> Option<(f64, Option<f64>, f64)> {
    let want = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    let count = |n: Option<u64>| n.map(|n| n as f64);
    let latency = result.latency.as_ref();
    let rate = || Some(result.errors? as f64 / result.requests? as f64);
    let at = |percent| latency.and_then(|l| l.at(percent));
    let without: u64 = result.error_kinds.values().sum();
    Some(match key {
        "http_reqs"
        | "requests"
        | "samples"
        | "samples_top_level"
        | "complete"
        | "http_req_duration_points"
        | "requests_incl_errors" => (want, count(result.requests), 0.0),
        "requests_total" => (want, count(result.requests.map(|n| n - without)), 0.0),
        "transactions" => (want, count(result.requests.map(|n| n - 6)), 0.0),
        "errors" if all.contains_key("requests_total") => (want, Some(without as f64), 0.0),
        "errors" if all.contains_key("status") => (want, Some(without as f64), 0.0),
        "errors"
        | "errors_top_level"
        | "failures"
        | "failed_points"
        | "failed"
        | "failed_transactions" => (want, count(result.errors), 0.0),
        "non_2xx_3xx" | "non2xx" => {
            let bad = result.bad_statuses() + kind(result, "status not 2xx or 3xx");
            (want, Some(bad as f64), 0.0)
        }
        "non_2xx" => (want, Some(kind(result, "status not 2xx") as f64), 0.0),
        "timeouts" => (want, Some(kind(result, "timeout") as f64), 0.0),
        "http_req_failed_rate" => (want, rate(), 1e-9),
        "error_pct" | "error_pct_by_status" => (want / 100.0, rate(), 1e-6),
        "avg_ms" => (want / 1e3, latency.and_then(|l| l.mean).or(Some(0.0)), 1e-6),
        "avg_s" => (want, latency.and_then(|l| l.mean), 1e-9),
        "max" => (want / 1e3, latency.and_then(|l| l.max), 1e-9),
        "longest_transaction" => (want, latency.and_then(|l| l.max), 1e-9),
        "count" => (want, count(latency.and_then(|l| l.count)), 0.0),
        "rps" | "ActualQPS" => (want, result.throughput, 1e-5),
        "p97_5" | "p50" | "p99" => match latency {
            None => (want, Some(0.0), 0.0),
            Some(_) if key == "p97_5" => (want / 1e3, at(97.5), 1e-9),
            Some(_) => (want / 1e3, at(key[1..].parse().ok()?), 1e-9),
        },
        "p50_nearest_rank" => (want / 1e3, at(50.0), 1e-9),
        "p95_nearest_rank" | "p95_ms_nearest_rank" => (want / 1e3, at(95.0), 1e-9),
        "p99_nearest_rank" => (want / 1e3, at(99.0), 1e-9),
        "p95_s_nearest_rank" => (want, at(95.0), 1e-9),
        _ => {
            let percent = key.strip_prefix('p')?;
            let (percent, unit) = percent.split_once('_')?;
            let scale = if unit == "ms" { 1e3 } else { 1.0 };
            (want / scale, at(percent.parse().ok()?), 1e-9)
        }
    })
}

fn kind(result: &LoadResult, name: &str) -> u64 {
    result.error_kinds.get(name).copied().unwrap_or(0)
}

/// Figures that lie deeper.
fn counts(expected: &serde_json::Map<String, Json>, result: &LoadResult, wrong: &mut Vec<String>) {
    for key in ["status", "statusCodes", "status_codes", "RetCodes"] {
        for (code, n) in expected
            .get(key)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            let n = n.as_u64().or_else(|| n.as_str()?.parse().ok());
            if result.statuses.get(code).copied() != n {
                wrong.push(format!("status {code}"));
            }
        }
    }
    let thresholds = expected.get("thresholds_ok").and_then(Json::as_object);
    for (name, passed) in thresholds.into_iter().flatten() {
        let mut all = result.thresholds.iter().flatten();
        if !all.any(|t| t.name == *name && Some(t.passed) == passed.as_bool()) {
            wrong.push(format!("threshold {name}"));
        }
    }
    times(expected, result, wrong);
}

fn times(expected: &serde_json::Map<String, Json>, result: &LoadResult, wrong: &mut Vec<String>) {
    let latency = result.latency.as_ref();
    for (name, ms) in expected
        .get("duration")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        let read = latency.and_then(|l| match name.as_str() {
            "avg" => l.mean,
            "max" => l.max,
            "med" => l.at(50.0),
            p => l.at(p.trim_matches(['p', '(', ')']).parse().unwrap_or(-1.0)),
        });
        if matches!(name.as_str(), "min" | "count") {
            continue;
        }
        let want = ms.as_f64().unwrap() / 1e3;
        if !read.is_some_and(|read| (read - want).abs() < 1e-9) {
            wrong.push(format!("{name}: {want} expected, {read:?} read"));
        }
    }
    for (percent, want) in expected
        .get("percentiles_s")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        let read = latency.and_then(|l| l.at(percent.parse().unwrap()));
        if !read.is_some_and(|read| (read - want.as_f64().unwrap()).abs() < 1e-9) {
            wrong.push(format!("p{percent}: {read:?} read"));
        }
    }
    if let Some(all) = expected.get("aggregated") {
        let number = |key: &str| all[key].as_str().unwrap().parse::<f64>().unwrap();
        let pairs = [
            (number("Request Count"), result.requests.unwrap() as f64),
            (number("Failure Count"), result.errors.unwrap() as f64),
            (
                number("Average Response Time") / 1e3,
                latency.unwrap().mean.unwrap(),
            ),
            (number("95%") / 1e3, latency.unwrap().at(95.0).unwrap()),
            (number("99%") / 1e3, latency.unwrap().at(99.0).unwrap()),
        ];
        for (want, read) in pairs {
            if (want - read).abs() > 1e-9 {
                wrong.push(format!("aggregated: {want} expected, {read} read"));
            }
        }
    }
}
