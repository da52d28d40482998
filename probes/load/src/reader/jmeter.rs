//! JMeter: JTL, and `statistics.json` of the dashboard.

use std::collections::BTreeMap;

use jiff::Timestamp;
use readygate_reports::{Fault, clip, gather::ReportSource, started};
use serde_json::Value;

use super::{
    Reading,
    csv::{Row, Table},
    detect::is_jtl_row,
    json::{at, count_at},
    time::of_millis,
};
use crate::{
    config::Format,
    measurement::{How, Latency, LoadResult, Model, Route, Safe, cap, is_bad, nanos},
    sketch::Sketch,
};

/// JMeter's default order, for files without a header.
const COLUMNS: [&str; 8] = [
    "timeStamp",
    "elapsed",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "dataType",
    "success",
];

/// Samples being counted.
pub(super) struct Samples {
    result: LoadResult,
    all: Sketch,
    routes: BTreeMap<String, (Sketch, u64)>,
    errors: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// One sample.
pub(super) struct Sample<'a> {
    pub elapsed: f64,
    pub label: &'a str,
    pub code: &'a str,
    pub success: bool,
    /// When it started, and whether that is without a zone.
    pub at: Option<(Timestamp, bool)>,
    pub threads: Option<u64>,
}

impl Samples {
    pub(super) fn new(format: Format) -> Self {
        Self {
            result: LoadResult::new(format, "JMeter", Model::Closed, Safe::No),
            all: Sketch::default(),
            routes: BTreeMap::new(),
            errors: 0,
            first: None,
            last: None,
        }
    }

    pub(super) fn add(&mut self, sample: &Sample<'_>) {
        let seconds = sample.elapsed / 1e3;
        let failed = u64::from(!sample.success);
        self.all.add(seconds, 1);
        self.errors += failed;
        let is_status = sample.code.len() == 3 && sample.code.parse::<u16>().is_ok();
        if is_status {
            self.result.status(sample.code, 1);
        }
        // A bad status is told by the statuses; here stands what they do not tell.
        let told = is_status && is_bad(sample.code);
        if !sample.success && !told {
            let kind = match sample.code {
                "" => "failed".to_owned(),
                code if is_status => format!("failed with status {code}"),
                code => code.to_owned(),
            };
            self.result.error(&kind, 1);
        }
        if let Some((at, zoneless)) = sample.at {
            let took = jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
            let end = at.checked_add(took).unwrap_or(at);
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(end, |last| last.max(end)));
            self.result.zoneless |= zoneless;
        }
        self.result.users = self.result.users.max(sample.threads);
        if self.routes.contains_key(sample.label) || self.routes.len() < cap::ROWS {
            let entry = self
                .routes
                .entry(clip(sample.label, cap::NAME))
                .or_default();
            entry.0.add(seconds, 1);
            entry.1 += failed;
        }
    }

    pub(super) fn finish(mut self) -> Reading {
        let result = &mut self.result;
        result.latency = self.all.latency(How::Samples);
        result.requests = Some(result.latency.as_ref().and_then(|l| l.count).unwrap_or(0));
        result.errors = Some(self.errors);
        result.started = self.first;
        result.ended = self.last;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            result.duration = Some(nanos(last.duration_since(first).as_secs_f64()));
        }
        let routes = self.routes.into_iter().map(|(name, (sketch, errors))| {
            let latency = sketch.latency(How::Samples);
            Route {
                name,
                requests: latency.as_ref().and_then(|l| l.count).unwrap_or(0),
                errors: Some(errors),
                latency,
            }
        });
        result.routes = routes.collect();
        Reading {
            result: self.result,
            sketch: Some(self.all),
        }
    }
}

/// A time as JMeter writes it: milliseconds, or a date of which some shapes are known.
pub(super) fn when(text: &str) -> Option<(Timestamp, bool)> {
    if let Ok(millis) = text.parse::<f64>() {
        return Some((of_millis(millis)?, false));
    }
    let read = started(&text.replace('/', "-"))?;
    Some((read.at, read.zoneless))
}

pub(super) fn csv(source: &mut ReportSource<'_>, head: &str) -> Result<Reading, Fault> {
    let first = head.trim_start().lines().next().unwrap_or_default();
    let delimiters = [',', ';', '\t', '|'];
    let delimiter = delimiters
        .into_iter()
        .max_by_key(|d| first.matches(*d).count());
    let delimiter = delimiter.unwrap_or(',');
    let fields: Vec<&str> = first.split(delimiter).collect();
    let mut table = if is_jtl_row(&fields) {
        let mut columns: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
        columns.extend((COLUMNS.len()..fields.len()).map(|n| format!("column {n}")));
        Table::without_header(source, delimiter, columns)
    } else {
        Table::open(source, delimiter)?
    };
    let judges = ["success", "responseCode"];
    let has = |name: &&str| table.columns().iter().any(|c| c == name);
    if !judges.iter().any(has) {
        return Err(
            Fault::new("neither `success` nor `responseCode` is a column")
                .hint("set jmeter.save.saveservice.successful=true"),
        );
    }
    let mut samples = Samples::new(Format::JmeterCsv);
    let mut transactions = 0_u64;
    while let Some(row) = table.next()? {
        transactions += u64::from(is_transaction(&row));
        let code = row.get("responseCode").unwrap_or_default();
        let success = match row.get("success").map(str::to_ascii_lowercase).as_deref() {
            Some("true") => true,
            Some("false") => false,
            None if !code.is_empty() => !is_bad(code),
            _ => {
                let reason = "`success` is neither true nor false";
                return Err(Fault::new(reason).at(row.record.at()));
            }
        };
        samples.add(&Sample {
            elapsed: row.need("elapsed")?,
            label: row.get("label").unwrap_or_default(),
            code,
            success,
            at: row.get("timeStamp").and_then(when),
            threads: row.number("allThreads").and_then(super::json::to_count),
        });
    }
    let mut reading = samples.finish();
    if transactions > 0 {
        reading.result.notes.push(format!(
            "{transactions} rows are transactions, which count beside the samples in them"
        ));
    }
    Ok(reading)
}

fn is_transaction(row: &Row<'_>) -> bool {
    let message = row.get("responseMessage").unwrap_or_default();
    message.starts_with("Number of samples in transaction")
}

/// Percentiles are those that `aggregate_rpt_pct1` to `3` name: 90, 95 and 99 unless changed.
pub(super) fn statistics(value: &Value) -> Result<Reading, Fault> {
    let format = Format::JmeterStatistics;
    let mut result = LoadResult::new(format, "JMeter", Model::Closed, Safe::No);
    let rows = value
        .as_object()
        .ok_or_else(|| Fault::new("it is no object"))?;
    let total = rows
        .get("Total")
        .ok_or_else(|| Fault::new("the row `Total` is missing"))?;
    result.requests = count_at(total, "/sampleCount");
    result.errors = count_at(total, "/errorCount");
    result.throughput = at(total, "/throughput");
    result.latency = Some(row_latency(total));
    for (name, row) in rows.iter().filter(|(name, _)| *name != "Total") {
        let errors = count_at(row, "/errorCount");
        result.error(name, errors.unwrap_or(0));
        result.routes.push(Route {
            name: clip(name, cap::NAME),
            requests: count_at(row, "/sampleCount").unwrap_or(0),
            errors,
            latency: Some(row_latency(row)),
        });
    }
    let rate = result.throughput.filter(|rate| *rate > 0.0);
    result.duration = rate.and_then(|rate| Some(result.requests? as f64 / rate));
    let note =
        "the percentiles are read as 90, 95 and 99, JMeter's defaults; the file does not name them";
    result.notes.push(note.to_owned());
    Ok(result.into())
}

fn row_latency(row: &Value) -> Latency {
    let ms = |key: &str| at(row, key).map(|ms| ms / 1e3);
    let mut latency = Latency::of_tool();
    latency.count = count_at(row, "/sampleCount");
    latency.mean = ms("/meanResTime").map(nanos);
    latency.max = ms("/maxResTime").map(nanos);
    latency.push(50.0, ms("/medianResTime"));
    latency.push(90.0, ms("/pct1ResTime"));
    latency.push(95.0, ms("/pct2ResTime"));
    latency.push(99.0, ms("/pct3ResTime"));
    latency
}
