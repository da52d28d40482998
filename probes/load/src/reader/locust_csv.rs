//! Locust: `_stats.csv` and `_stats_history.csv`.

use readygate_reports::{Fault, clip, gather::ReportSource};

use super::{
    Reading,
    csv::{Row, Table},
    cut,
    time::of_seconds,
};
use crate::{
    config::Format,
    measurement::{Latency, LoadResult, Model, Route, Safe, cap, nanos},
};

const PERCENTS: [(&str, f64); 6] = [
    ("50%", 50.0),
    ("75%", 75.0),
    ("90%", 90.0),
    ("95%", 95.0),
    ("99%", 99.0),
    ("99.9%", 99.9),
];

fn latency(row: &Row<'_>, requests: u64) -> Latency {
    let ms = |column: &str| row.number(column).map(|ms| ms / 1e3);
    let mut latency = Latency::of_tool();
    latency.count = Some(requests);
    latency.mean = ms("Average Response Time").map(nanos);
    latency.max = ms("Max Response Time").map(nanos);
    for (column, percent) in PERCENTS {
        latency.push(percent, ms(column));
    }
    latency
}

/// The row `Aggregated` counts; without it the file is cut off.
pub(super) fn stats(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::LocustCsv, "Locust", Model::Closed, Safe::No);
    let mut table = Table::open(source, ',')?;
    let mut whole = false;
    while let Some(row) = table.next()? {
        let requests = row.count("Request Count")?;
        let errors = row.count("Failure Count")?;
        let name = row.get("Name").unwrap_or_default();
        if matches!(name, "Aggregated" | "Total") && matches!(row.get("Type"), None | Some("None"))
        {
            whole = true;
            result.requests = Some(requests);
            result.errors = Some(errors);
            result.throughput = row.number("Requests/s");
            result.latency = Some(latency(&row, requests));
        } else {
            let method = row.get("Type").unwrap_or_default();
            let name = clip(&format!("{method} {name}"), cap::NAME);
            result.error(&name, errors);
            result.routes.push(Route {
                name,
                requests,
                errors: Some(errors),
                latency: Some(latency(&row, requests)),
            });
        }
    }
    if !whole {
        return Err(cut("the row `Aggregated`"));
    }
    let rate = result.throughput.filter(|rate| *rate > 0.0);
    result.duration = rate.and_then(|rate| Some(result.requests? as f64 / rate));
    Ok(result.into())
}

/// The last row `Aggregated` has the totals; its percentiles are of the last seconds only.
pub(super) fn history(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::LocustHistory, "Locust", Model::Closed, Safe::No);
    let mut table = Table::open(source, ',')?;
    let mut whole = false;
    while let Some(row) = table.next()? {
        let at = row.number("Timestamp").and_then(of_seconds);
        result.started = result.started.or(at);
        result.ended = result.ended.max(at);
        if row.get("Name") != Some("Aggregated") {
            continue;
        }
        whole = true;
        let requests = row.count("Total Request Count")?;
        result.requests = Some(requests);
        result.errors = Some(row.count("Total Failure Count")?);
        result.users = result.users.max(Some(row.count("User Count")?));
        let ms = |column: &str| row.number(column).map(|ms| ms / 1e3);
        let mut latency = Latency::of_tool();
        latency.count = Some(requests);
        latency.mean = ms("Total Average Response Time").map(nanos);
        latency.max = ms("Total Max Response Time").map(nanos);
        latency.push(50.0, ms("Total Median Response Time"));
        result.latency = Some(latency);
    }
    if !whole {
        return Err(cut("a row `Aggregated`"));
    }
    for name in ["latency.p90", "latency.p95", "latency.p99"] {
        let why =
            "the history of Locust has percentiles of the last seconds only; use `_stats.csv`";
        result.lacks(name, why);
    }
    if let (Some(start), Some(end)) = (result.started, result.ended) {
        result.duration = Some(nanos(end.duration_since(start).as_secs_f64()));
    }
    result.error("failures", result.errors.unwrap_or(0));
    Ok(result.into())
}
