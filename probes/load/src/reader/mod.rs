//! Reads the results of one tool, whose format the content tells.

pub(crate) mod csv;
mod detect;
mod jmeter;
mod jmeter_xml;
mod json;
mod k6;
mod k6_points;
mod locust;
mod locust_csv;
mod nighthawk;
mod others;
mod taurus;
mod text;
mod text_tools;
mod time;

use std::io::Read as _;

use readygate_reports::{Fault, fault_of, gather::ReportSource, json as document};
use serde_json::Value;

use crate::{config::Format, measurement::LoadResult, sketch::Sketch};

/// Largest JSON document.
const JSON: u64 = 64 * 1024 * 1024;
/// Largest text.
const TEXT: u64 = 16 * 1024 * 1024;

/// What one file says.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub result: LoadResult,
    /// Its latencies, where it has samples or a histogram.
    pub sketch: Option<Sketch>,
}

impl From<LoadResult> for Reading {
    fn from(result: LoadResult) -> Self {
        Self {
            result,
            sketch: None,
        }
    }
}

/// Reads one file, in `format` where the user names it.
pub(crate) fn read(
    source: &mut ReportSource<'_>,
    format: Option<Format>,
) -> Result<Reading, Fault> {
    let head = source.head().to_owned();
    let named = match format {
        Some(format) => Some(format),
        None => detect::of_text(&head)?,
    };
    let Some(format) = named else {
        let value: Value = document::document(&mut *source, JSON)?;
        return of_json(detect::of_json(&value)?, &value);
    };
    let mut reading = match format {
        Format::K6Json => k6_points::json(source),
        Format::K6Csv => k6_points::csv(source),
        Format::LocustCsv => locust_csv::stats(source),
        Format::LocustHistory => locust_csv::history(source),
        Format::JmeterXml => jmeter_xml::read(source),
        Format::JmeterCsv => jmeter::csv(source, &head),
        Format::HeyCsv => text_tools::hey_csv(source),
        Format::AbCsv => text_tools::ab_csv(source),
        Format::TaurusCsv => taurus::csv(source),
        Format::TaurusXml => taurus::xml(source),
        Format::VegetaText => text::vegeta(&all(source)?),
        Format::Wrk => text::wrk(&all(source)?),
        Format::OhaText => text_tools::oha(&all(source)?),
        Format::HeyText => text_tools::hey(&all(source)?),
        Format::H2load => text::h2load(&all(source)?),
        Format::AbText => text_tools::ab(&all(source)?),
        Format::NighthawkText => nighthawk::text(&all(source)?),
        _ => return of_json(format, &document::document(&mut *source, JSON)?),
    }?;
    finish(&mut reading);
    Ok(reading)
}

pub(crate) fn of_json(format: Format, value: &Value) -> Result<Reading, Fault> {
    let mut reading = match format {
        Format::K6Summary => k6::summary(value),
        Format::LocustJson => locust::json(value),
        Format::JmeterStatistics => jmeter::statistics(value),
        Format::Gatling => others::gatling(value),
        Format::Artillery => others::artillery(value),
        Format::VegetaJson => others::vegeta(value),
        Format::OhaJson => others::oha(value),
        Format::Autocannon => others::autocannon(value),
        Format::Fortio => others::fortio(value),
        Format::NighthawkJson => nighthawk::json(value),
        Format::Siege => others::siege(value),
        _ => Err(Fault::new("this format is no JSON document")),
    }?;
    finish(&mut reading);
    Ok(reading)
}

/// What holds for every format: without a response there is no latency, whatever zeros are printed.
fn finish(reading: &mut Reading) {
    let result = &mut reading.result;
    let nothing_timed = |latency: &crate::measurement::Latency| latency.count == Some(0);
    if result.requests == Some(0) || result.latency.as_ref().is_some_and(nothing_timed) {
        result.latency = None;
        result.lacks("latency", "no response was timed");
    }
    if let Some(latency) = &mut result.latency {
        let tidy = |s: f64| (s.is_finite() && s >= 0.0).then(|| crate::measurement::nanos(s));
        latency.mean = latency.mean.and_then(tidy);
        latency.max = latency.max.and_then(tidy);
    }
    if result.throughput.is_none()
        && let (Some(n), Some(seconds)) = (result.requests, result.duration)
        && seconds > 0.0
    {
        result.throughput = Some(n as f64 / seconds);
    }
    let tidy = |x: f64| (x.is_finite() && x >= 0.0).then(|| (x * 1e6).round() / 1e6);
    result.throughput = result.throughput.and_then(tidy);
    result.duration = result.duration.and_then(tidy);
    result.routes.truncate(crate::measurement::cap::ROWS);
}

fn all(source: &mut ReportSource<'_>) -> Result<String, Fault> {
    let mut text = String::new();
    let read = (&mut *source).take(TEXT + 1).read_to_string(&mut text);
    read.map_err(|e| fault_of(&e))?;
    if text.len() as u64 > TEXT {
        return Err(Fault::new("it is larger than 16 MiB"));
    }
    Ok(text)
}

/// The fault of a file that ends before its end.
fn cut(what: &str) -> Fault {
    Fault::new(format!("the result breaks off: {what} is missing"))
        .hint("the load tool was killed or still runs; run it again to its end")
}
