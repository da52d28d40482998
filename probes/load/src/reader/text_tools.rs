//! hey, oha and ab.

use std::collections::BTreeMap;

use readygate_reports::{Fault, gather::ReportSource};

use super::{Reading, csv::Table, cut, others::oha_error, text::first, time::seconds};
use crate::{
    config::Format,
    measurement::{How, Latency, LoadResult, Model, Safe, nanos},
    sketch::Sketch,
};

/// The lists `[N] kind` and `[200] N responses`, and the times, which hey and oha print alike.
fn summary(text: &str, result: &mut LoadResult) -> Result<(), Fault> {
    let mut latency = Latency::of_tool();
    let (mut section, mut whole) = ("", false);
    for line in text.lines() {
        let trimmed = line.trim();
        if !line.starts_with([' ', '\t']) && trimmed.ends_with(':') {
            section = trimmed;
            whole |= matches!(section, "Status code distribution:" | "Error distribution:");
            continue;
        }
        if let Some((n, rest)) = trimmed.strip_prefix('[').and_then(|l| l.split_once(']')) {
            match section {
                "Status code distribution:" => {
                    result.status(n.trim(), first(rest).unwrap_or(0));
                }
                "Error distribution:" => {
                    oha_error(rest.trim(), n.trim().parse().unwrap_or(0), result);
                }
                _ => {}
            }
        } else if let Some((percent, time)) = trimmed.split_once(" in ") {
            // Some builds of hey print `95%% in`.
            if let Ok(percent) = percent.trim_end_matches('%').parse() {
                latency.push(percent, seconds(time));
            }
        } else if section == "Summary:" {
            match trimmed
                .split_once(':')
                .map(|(name, value)| (name, value.trim()))
            {
                Some(("Total", time)) => result.duration = seconds(time),
                Some(("Slowest", time)) => latency.max = seconds(time),
                Some(("Average", time)) => latency.mean = seconds(time),
                Some(("Requests/sec", rate)) => result.throughput = rate.parse().ok(),
                _ => {}
            }
        }
    }
    if !whole {
        return Err(cut("the distribution of status codes or errors"));
    }
    result.count_by_status();
    latency.count = Some(result.responses());
    result.latency = Some(latency);
    Ok(())
}

pub(super) fn hey(text: &str) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::HeyText, "hey", Model::Closed, Safe::No);
    summary(text, &mut result)?;
    Ok(result.into())
}

/// `Success rate` ignores statuses, so it is not used.
pub(super) fn oha(text: &str) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::OhaText, "oha", Model::Unknown, Safe::Unknown);
    summary(text, &mut result)?;
    Ok(result.into())
}

/// hey leaves requests without a response out of its CSV.
pub(super) fn hey_csv(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::HeyCsv, "hey", Model::Closed, Safe::No);
    let mut sketch = Sketch::default();
    let mut table = Table::open(source, ',')?;
    let mut end: Option<f64> = None;
    while let Some(row) = table.next()? {
        let took = row.need("response-time")?;
        sketch.add(took, 1);
        result.status(row.get("status-code").unwrap_or("none"), 1);
        let ended = row.number("offset").map(|offset| offset + took);
        if let Some(ended) = ended {
            end = Some(end.map_or(ended, |end| end.max(ended)));
        }
    }
    result.requests = Some(result.responses());
    let why = "the CSV of hey leaves out requests that got no response; use its text";
    result.lacks("error_rate", why);
    result.duration = end.map(nanos);
    result.latency = sketch.latency(How::Samples);
    Ok(Reading {
        result,
        sketch: Some(sketch),
    })
}

/// `Failed requests` holds responses whose length differs from the first, which are told apart
/// here, and does not hold those with another status than 2xx.
pub(super) fn ab(text: &str) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::AbText, "ab", Model::Closed, Safe::No);
    let mut latency = Latency::of_tool();
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    let mut lengths = 0;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some((name, value)) = trimmed.split_once(':') {
            fields.entry(name).or_insert(value.trim());
        }
        if let Some(rest) = trimmed.strip_prefix("(Connect:") {
            lengths = ab_failures(&format!("Connect:{rest}"), &mut result);
        } else if let Some((percent, ms)) = trimmed.split_once('%') {
            if let (Ok(percent), Some(ms)) = (percent.trim().parse(), first::<f64>(ms)) {
                latency.push(percent, Some(ms / 1e3));
            }
        } else if let Some(rest) = trimmed.strip_prefix("Total:") {
            // min, mean, deviation, median, max
            let ms = rest
                .split_whitespace()
                .nth(1)
                .and_then(|ms| ms.parse().ok());
            latency.mean = ms.map(|ms: f64| ms / 1e3);
        }
    }
    let field = |name: &str| fields.get(name).copied().and_then(first::<u64>);
    let (Some(done), Some(failed)) = (field("Complete requests"), field("Failed requests")) else {
        return Err(cut("the line `Complete requests`"));
    };
    let rate: Option<f64> = fields.get("Requests per second").copied().and_then(first);
    if rate.is_none() {
        return Err(cut("the line `Requests per second`"));
    }
    result.throughput = rate;
    result.duration = fields.get("Time taken for tests").and_then(|t| seconds(t));
    result.users = field("Concurrency Level");
    let bad = field("Non-2xx responses").unwrap_or(0);
    result.error("status not 2xx", bad);
    result.requests = Some(done);
    result.errors = Some((failed.saturating_sub(lengths) + bad).min(done));
    if lengths > 0 {
        result.notes.push(format!(
            "{lengths} responses differ in length from the first; ab counts them as failed, here they are not"
        ));
    }
    latency.max = latency.at(100.0);
    if let Some(precise) = fields
        .get("Time per request")
        .copied()
        .and_then(first::<f64>)
    {
        // The mean of the table is rounded to milliseconds.
        latency.mean = latency.mean.map(|_| precise / 1e3);
    }
    latency.count = Some(done);
    result.latency = Some(latency);
    Ok(result.into())
}

/// The counts of `(Connect: 0, Receive: 0, Length: 20, Exceptions: 0)`; returns the lengths.
fn ab_failures(line: &str, result: &mut LoadResult) -> u64 {
    let mut lengths = 0;
    for (kind, n) in line
        .trim_end_matches(')')
        .split(',')
        .filter_map(|p| p.split_once(':'))
    {
        let n = n.trim().parse().unwrap_or(0);
        if kind.trim() == "Length" {
            lengths = n;
        } else {
            result.error(kind.trim(), n);
        }
    }
    lengths
}

/// Percentiles alone: the file counts no requests.
pub(super) fn ab_csv(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::AbCsv, "ab", Model::Closed, Safe::No);
    let mut latency = Latency::of_tool();
    let mut table = Table::open(source, ',')?;
    while let Some(row) = table.next()? {
        let percent = row.need("Percentage served")?;
        let ms = row.need("Time in ms")?;
        latency.push(percent, Some(ms / 1e3));
    }
    if latency.quantiles.len() < 99 {
        return Err(cut("the rest of the percentiles"));
    }
    result.latency = Some(latency);
    let why = "the CSV of ab has percentiles and no counts; use its text";
    for name in ["requests", "error_rate", "throughput"] {
        result.lacks(name, why);
    }
    Ok(result.into())
}
