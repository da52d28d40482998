//! k6: streams of points, as JSON lines or CSV.

use std::collections::BTreeMap;

use jiff::Timestamp;
use readygate_reports::{Fault, clip, gather::ReportSource, json::parse, lines};
use serde_json::Value;

use super::{Reading, csv::Table, cut, json::number, time::of_seconds};
use crate::{
    config::Format,
    measurement::{How, LoadResult, Model, Route, Safe, cap, nanos},
    sketch::Sketch,
};

struct Points {
    result: LoadResult,
    all: Sketch,
    routes: BTreeMap<String, (Sketch, u64)>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    requests: u64,
    failed: Option<u64>,
    bad: u64,
}

struct Point<'a> {
    metric: &'a str,
    at: Option<Timestamp>,
    value: f64,
    status: &'a str,
    error: &'a str,
    name: &'a str,
}

impl Points {
    fn new(format: Format) -> Self {
        Self {
            result: LoadResult::new(format, "k6", Model::Unknown, Safe::Unknown),
            all: Sketch::default(),
            routes: BTreeMap::new(),
            first: None,
            last: None,
            requests: 0,
            failed: None,
            bad: 0,
        }
    }

    fn add(&mut self, point: &Point<'_>) {
        if let Some(at) = point.at {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
        }
        let whole = super::json::to_count(point.value).unwrap_or(0);
        match point.metric {
            "http_req_duration" => self.request(point),
            "http_reqs" => {
                self.requests += whole;
                if !point.status.is_empty() && point.status != "0" {
                    self.result.status(point.status, whole);
                } else {
                    let kind = if point.error.is_empty() {
                        "no response"
                    } else {
                        point.error
                    };
                    self.result.error(kind, whole);
                }
            }
            "http_req_failed" => *self.failed.get_or_insert(0) += u64::from(point.value > 0.0),
            "vus" => self.result.users = self.result.users.max(Some(whole)),
            "dropped_iterations" => {
                self.result.model = Model::Open;
                if whole > 0 {
                    self.result.corrected = Safe::No;
                }
            }
            _ => {}
        }
    }

    fn request(&mut self, point: &Point<'_>) {
        let seconds = point.value / 1e3;
        let answered = !point.status.is_empty() && point.status != "0";
        if answered || seconds > 0.0 {
            // A refused connection is timed with 0 and is no fast response.
            self.all.add(seconds, 1);
        }
        let bad = u64::from(point.status.is_empty() || crate::measurement::is_bad(point.status));
        self.bad += bad;
        let known = self.routes.contains_key(point.name);
        if known || self.routes.len() < cap::ROWS {
            let name = clip(point.name, cap::NAME);
            let (sketch, errors) = self.routes.entry(name).or_default();
            sketch.add(seconds, 1);
            *errors += bad;
        }
    }

    fn finish(mut self) -> Reading {
        let result = &mut self.result;
        result.requests = Some(self.requests);
        result.errors = Some(self.failed.unwrap_or(self.bad));
        result.started = self.first;
        result.ended = self.last;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            result.duration = Some(nanos(last.duration_since(first).as_secs_f64()));
        }
        result.latency = self.all.latency(How::Samples);
        result.lacks(
            "thresholds.failed",
            "the points of k6 hold no results of thresholds",
        );
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

pub(super) fn json(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut points = Points::new(Format::K6Json);
    lines::read(source, &mut |line| {
        if line.text.trim().is_empty() {
            return Ok(());
        }
        let value: Value = parse(line.text).map_err(|fault| {
            if line.ended {
                fault
            } else {
                cut("the rest of the last line")
            }
        })?;
        if value.get("type").and_then(Value::as_str) != Some("Point") {
            return Ok(());
        }
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let Some(number) = number(value.pointer("/data/value")) else {
            return Err(Fault::new("a point without a value"));
        };
        points.add(&Point {
            metric: text("/metric").unwrap_or_default(),
            at: text("/data/time").and_then(|at| at.parse().ok()),
            value: number,
            status: text("/data/tags/status").unwrap_or_default(),
            error: text("/data/tags/error").unwrap_or_default(),
            name: text("/data/tags/name").unwrap_or_default(),
        });
        Ok(())
    })?;
    Ok(points.finish())
}

pub(super) fn csv(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut points = Points::new(Format::K6Csv);
    let mut table = Table::open(source, ',')?;
    while let Some(row) = table.next()? {
        let text = |column: &str| row.get(column).unwrap_or_default();
        points.add(&Point {
            metric: text("metric_name"),
            at: row.number("timestamp").and_then(of_seconds),
            value: row.need("metric_value")?,
            status: text("status"),
            error: text("error"),
            name: text("name"),
        });
    }
    Ok(points.finish())
}
