//! Taurus: `final-stats` as CSV and XML. Times are in seconds; the empty label is the total.

use readygate_reports::{
    Fault, Guard, clip,
    gather::ReportSource,
    xml::{Element, Visitor, Xml},
};

use super::{Reading, csv::Table, cut, json::to_count};
use crate::{
    config::Format,
    measurement::{Latency, LoadResult, Model, Route, Safe, cap},
};

/// One label.
#[derive(Default)]
struct Group {
    label: String,
    good: Option<u64>,
    bad: Option<u64>,
    users: Option<u64>,
    mean: Option<f64>,
    codes: Vec<(String, u64)>,
    percentiles: Vec<(f64, f64)>,
}

impl Group {
    /// Takes a column or element; `param` is the code or the percentile.
    fn set(&mut self, name: &str, param: &str, value: f64) {
        match name {
            "succ" => self.good = to_count(value),
            "fail" => self.bad = to_count(value),
            "concurrency" => self.users = to_count(value),
            "avg_rt" => self.mean = Some(value),
            "rc" if !param.is_empty() => {
                self.codes
                    .push((param.to_owned(), to_count(value).unwrap_or(0)));
            }
            "perc" => self
                .percentiles
                .extend(param.parse().map(|percent| (percent, value))),
            _ => {}
        }
    }

    fn latency(&self) -> Latency {
        let mut latency = Latency::of_tool();
        latency.mean = self.mean;
        for (percent, value) in &self.percentiles {
            latency.push(*percent, Some(*value));
        }
        latency.max = latency.at(100.0);
        latency
    }

    fn add(self, result: &mut LoadResult) -> Result<(), Fault> {
        let (Some(good), Some(bad)) = (self.good, self.bad) else {
            return Err(Fault::new("a label without `succ` and `fail`"));
        };
        let mut latency = self.latency();
        latency.count = Some(good + bad);
        if self.label.is_empty() {
            result.requests = Some(good + bad);
            result.errors = Some(bad);
            result.users = self.users;
            result.latency = Some(latency);
            for (code, n) in &self.codes {
                if code.parse::<u16>().is_ok() {
                    result.status(code, *n);
                } else {
                    result.error(code, *n);
                }
            }
        } else {
            result.routes.push(Route {
                name: clip(&self.label, cap::NAME),
                requests: good + bad,
                errors: Some(bad),
                latency: Some(latency),
            });
        }
        Ok(())
    }
}

fn finish(result: LoadResult) -> Result<Reading, Fault> {
    if result.requests.is_none() {
        return Err(cut("the total (the empty label)"));
    }
    Ok(result.into())
}

pub(super) fn csv(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut result = LoadResult::new(Format::TaurusCsv, "Taurus", Model::Unknown, Safe::Unknown);
    let mut table = Table::open(source, ',')?;
    let columns = table.columns().to_vec();
    while let Some(row) = table.next()? {
        let mut group = Group {
            label: row.get("label").unwrap_or_default().to_owned(),
            ..Group::default()
        };
        for column in &columns {
            let (name, param) = match column.split_once('_') {
                Some((name @ ("perc" | "rc"), param)) => (name, param),
                _ => (column.as_str(), ""),
            };
            if let Some(value) = row.number(column) {
                group.set(name, param, value);
            }
        }
        group.add(&mut result)?;
    }
    finish(result)
}

struct Final {
    result: LoadResult,
    group: Option<Group>,
    depth: usize,
    /// Inside `TestDuration`.
    duration: Option<String>,
    fault: Option<Fault>,
}

impl Visitor for Final {
    fn start(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        self.depth += 1;
        match (self.depth, element.name) {
            (1, "FinalStatus") => {}
            (1, _) => return Err(Fault::new("the root element is not `FinalStatus`")),
            (2, "TestDuration") => self.duration = Some(String::new()),
            (2, "Group") => {
                self.group = Some(Group {
                    label: element.get("label").unwrap_or_default().to_owned(),
                    ..Group::default()
                });
            }
            (3, name) => {
                let value = element.get("value").and_then(|v| v.trim().parse().ok());
                if let (Some(group), Some(value)) = (&mut self.group, value) {
                    group.set(name, element.get("param").unwrap_or_default(), value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) {
        if self.depth == 2 {
            if let Some(group) = self.group.take() {
                self.fault = self.fault.take().or(group.add(&mut self.result).err());
            }
            if let Some(text) = self.duration.take() {
                self.result.duration = text.trim().parse().ok();
            }
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, piece: &str) {
        if let Some(text) = &mut self.duration
            && text.len() < 100
        {
            text.push_str(piece);
        }
    }

    fn unexpanded(&mut self) {}
}

pub(super) fn xml(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut all = Final {
        result: LoadResult::new(Format::TaurusXml, "Taurus", Model::Unknown, Safe::Unknown),
        group: None,
        depth: 0,
        duration: None,
        fault: None,
    };
    Xml::new(Guard::new(source)).read(&mut all)?;
    match all.fault {
        Some(fault) => Err(fault),
        None => finish(all.result),
    }
}
