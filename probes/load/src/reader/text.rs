//! Text of vegeta, wrk, wrk2 and h2load.

use readygate_reports::Fault;

use super::{Reading, cut, others::vegeta_statuses, time::seconds};
use crate::{
    config::Format,
    measurement::{Latency, LoadResult, Model, Safe},
};

/// The first number of a text.
pub(super) fn first<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.split_whitespace()
        .next()?
        .trim_end_matches([',', '%'])
        .parse()
        .ok()
}

pub(super) fn vegeta(text: &str) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::VegetaText, "vegeta", Model::Open, Safe::Unknown);
    let mut latency = Latency::of_tool();
    let mut whole = false;
    for line in text.lines() {
        let Some((names, values)) = line.split_once('[').and_then(|(_, r)| r.split_once(']'))
        else {
            whole |= line.starts_with("Error Set:");
            continue;
        };
        let title = line.split_whitespace().next().unwrap_or_default();
        let pairs = || {
            names
                .split(',')
                .map(str::trim)
                .zip(values.split(',').map(str::trim))
        };
        match title {
            "Requests" => {
                let value = |name: &str| pairs().find(|(n, _)| *n == name).map(|(_, v)| v);
                result.requests = value("total").and_then(|v| v.parse().ok());
                result.throughput = value("rate").and_then(|v| v.parse().ok());
            }
            "Duration" => {
                let total = pairs().find(|(n, _)| *n == "total");
                result.duration = total.and_then(|(_, v)| seconds(v));
            }
            "Latencies" => {
                for (name, value) in pairs() {
                    match name {
                        "mean" => latency.mean = seconds(value),
                        "max" => latency.max = seconds(value),
                        percent => {
                            if let Ok(percent) = percent.parse() {
                                latency.push(percent, seconds(value));
                            }
                        }
                    }
                }
            }
            "Status" => {
                let codes = values.split_whitespace().filter_map(|pair| {
                    let (code, n) = pair.split_once(':')?;
                    Some((code, n.parse().ok()?))
                });
                vegeta_statuses(&codes.collect::<Vec<_>>(), &mut result);
            }
            _ => {}
        }
    }
    let (Some(requests), true) = (result.requests, whole) else {
        return Err(cut("a line of the report"));
    };
    latency.count = Some(requests);
    result.errors = Some(requests.saturating_sub(result.responses() - result.bad_statuses()));
    result.latency = Some(latency);
    Ok(result.into())
}

/// wrk and wrk2, which counts from the time at which a request was due. Socket errors are not in
/// the number of requests.
pub(super) fn wrk(text: &str) -> Result<Reading, Fault> {
    let two = text.contains("Recorded Latency") || text.contains("Thread calibration");
    let (tool, model, safe) = if two {
        ("wrk2", Model::Open, Safe::Yes)
    } else {
        ("wrk", Model::Closed, Safe::No)
    };
    let mut result = LoadResult::new(Format::Wrk, tool, model, safe);
    let mut latency = Latency::of_tool();
    let (mut done, mut bad, mut whole) = (None, 0, false);
    let mut spectrum = 0;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.contains("Uncorrected Latency") {
            spectrum = 2;
        } else if trimmed.starts_with("Detailed Percentile") {
            spectrum += 1;
        }
        let words: Vec<&str> = trimmed.split_whitespace().collect();
        match words.as_slice() {
            [n, "threads", "and", connections, "connections"] if n.parse::<u64>().is_ok() => {
                result.users = connections.parse().ok();
            }
            [n, "requests", "in", time, ..] => {
                done = n.parse().ok();
                result.duration = seconds(time.trim_end_matches(','));
            }
            ["Non-2xx", "or", "3xx", "responses:", n] => bad = n.parse().unwrap_or(0),
            ["Requests/sec:", rate] => {
                whole = true;
                result.throughput = rate.parse().ok();
            }
            ["Socket", "errors:", kinds @ ..] => {
                for pair in kinds.chunks_exact(2) {
                    let n = pair[1].trim_end_matches(',').parse();
                    result.error(pair[0], n.unwrap_or(0));
                }
            }
            words => wrk_latency(words, spectrum, &mut latency),
        }
    }
    let (Some(done), true) = (done, whole) else {
        return Err(cut("the line `Requests/sec`"));
    };
    let sockets: u64 = result.error_kinds.values().sum();
    result.error("status not 2xx or 3xx", bad);
    result.requests = Some(done + sockets);
    result.errors = Some(bad + sockets);
    latency.count = Some(done);
    result.latency = Some(latency);
    result.lacks(
        "latency.p95",
        "wrk prints p50, p75, p90 and p99, and with `--latency` only",
    );
    Ok(result.into())
}

/// The line of the mean, the list of percentiles, and wrk2's spectrum: the first list (0), its
/// spectrum (1), and what is not corrected (2 and more).
fn wrk_latency(words: &[&str], spectrum: u32, latency: &mut Latency) {
    match words {
        ["Latency", mean, _, max, ..] if latency.mean.is_none() => {
            latency.mean = seconds(mean);
            latency.max = seconds(max);
        }
        [percent, value] if percent.ends_with('%') && spectrum < 2 => {
            if let Ok(percent) = percent.trim_end_matches('%').parse() {
                latency.push(percent, seconds(value));
            }
        }
        [value, share, _, _] if spectrum == 1 => spectrum_row(value, share, latency),
        _ => {}
    }
}

/// Rows of wrk2's spectrum that stand at a percentile exactly; values are in milliseconds.
fn spectrum_row(value: &str, share: &str, latency: &mut Latency) {
    let (Ok(ms), Ok(share)) = (value.parse::<f64>(), share.parse::<f64>()) else {
        return;
    };
    let percent = (share * 1e8).round() / 1e6;
    if latency.at(percent).is_none() {
        latency.push(percent, Some(ms / 1e3));
    }
}

/// `succeeded` are those with a status of 2xx or 3xx.
pub(super) fn h2load(text: &str) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::H2load, "h2load", Model::Closed, Safe::No);
    let mut latency = Latency::of_tool();
    let mut columns: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("finished in ") {
            let mut parts = rest.split(", ");
            result.duration = parts.next().and_then(seconds);
            result.throughput = parts.next().and_then(first);
        } else if let Some(rest) = line.strip_prefix("requests: ") {
            h2load_requests(rest, &mut result);
        } else if let Some(rest) = line.strip_prefix("status codes: ") {
            for (n, class) in rest
                .split(',')
                .filter_map(|part| part.trim().split_once(' '))
            {
                result.status(class, n.parse().unwrap_or(0));
            }
        } else if line.trim_start().starts_with("min ") {
            columns = line.split_whitespace().collect();
        } else if let Some((title, rest)) = line.split_once(':')
            && matches!(title.trim(), "time for request" | "request")
        {
            for (column, value) in columns.iter().zip(rest.split_whitespace()) {
                match *column {
                    "mean" => latency.mean = seconds(value),
                    "max" => latency.max = seconds(value),
                    "median" => latency.push(50.0, seconds(value)),
                    "p95" => latency.push(95.0, seconds(value)),
                    "p99" => latency.push(99.0, seconds(value)),
                    _ => {}
                }
            }
        }
        if let Some(n) = line
            .split_once(" total client(s)")
            .map(|(before, _)| before)
        {
            let n = n.rsplit(' ').next().and_then(|n| n.parse().ok());
            result.users = Some(result.users.unwrap_or(0) + n.unwrap_or(0)).filter(|n| *n > 0);
        }
    }
    if result.requests.is_none() || columns.is_empty() {
        return Err(cut("the summary at the end"));
    }
    latency.count = Some(result.responses());
    result.latency = Some(latency);
    Ok(result.into())
}

fn h2load_requests(line: &str, result: &mut LoadResult) {
    let pairs = line
        .split(',')
        .filter_map(|part| part.trim().split_once(' '));
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let of = |name: &str| {
        let pair = pairs.iter().find(|(_, n)| *n == name)?;
        pair.0.parse::<u64>().ok()
    };
    if let (Some(good), Some(failed)) = (of("succeeded"), of("failed")) {
        result.requests = Some(good + failed);
        result.errors = Some(failed);
        result.error("errored", of("errored").unwrap_or(0));
        result.error("timeout", of("timeout").unwrap_or(0));
    }
}
