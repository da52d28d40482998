//! Values as they are written into blanks.

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Metric, Quantity, Unit, Value};

use super::{Evidence, bind::Status};
use crate::{
    checklist::{choice, scan::Blank, source::Fill},
    record::{GateRecord, Run},
    release::timeline::Timeline,
};

/// `2026-11-27`, UTC.
pub fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `2026-11-27 14:03 UTC`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Text from outside on one line of Markdown: nothing that begins a tag, a comment or a column.
pub fn plain(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ")
        .replace('|', "/")
        .replace(['<', '`'], "'")
        .replace("--", "- -")
}

/// [`plain`], for format strings.
pub struct Text<'a>(pub &'a str);

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&plain(self.0))
    }
}

/// The value for a blank; `None` leaves it empty.
pub fn blank(
    fill: &Fill,
    gate: &GateRecord,
    blank: &Blank,
    evidence: Evidence<'_>,
) -> Option<String> {
    // What the history or the run as a whole knows needs no gate that speaks for it.
    if let Some(name) = fill.fact.as_deref().filter(|name| *name != "gate.status") {
        return fact(name, blank, evidence);
    }
    if !gate.is_selected() {
        return None;
    }
    if let Some(name) = &fill.metric {
        return metric(gate.metrics.get(name)?, blank, evidence.run);
    }
    if let Some(id) = &fill.answer {
        return answer(id, gate, evidence);
    }
    fill.fact.as_ref().and_then(|_| status(gate, blank))
}

/// The option of a choice that a fill names.
pub fn choice(fill: &Fill, gate: &GateRecord, evidence: Evidence<'_>) -> Option<String> {
    if !gate.is_selected() {
        return None;
    }
    if let Some(id) = &fill.answer {
        return answer(id, gate, evidence);
    }
    match &gate.metrics.get(fill.metric.as_deref()?)?.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) => None,
    }
}

fn answer(id: &str, gate: &GateRecord, evidence: Evidence<'_>) -> Option<String> {
    let own = evidence.run.signoffs.iter();
    let own = own.filter(|s| s.accepted && s.gates.contains(&gate.id));
    let last = own
        .filter(|s| s.answers.contains_key(id))
        .max_by_key(|s| s.issued)?;
    last.answers.get(id).map(|text| plain(text))
}

fn metric(metric: &Metric, blank: &Blank, run: &Run) -> Option<String> {
    let value = match &metric.value {
        Value::Text(text) => return Some(plain(text)),
        Value::Number(value) => *value,
    };
    if metric.unit == Unit::Seconds && asks_date(blank) {
        let at = run
            .finished
            .checked_add(SignedDuration::try_from_secs_f64(value).ok()?);
        return Some(format!("{} ({})", day(at.ok()?), metric.unit.format(value)));
    }
    if blank.total.is_some() {
        return (metric.unit == Unit::Count).then(|| Unit::Count.format(value));
    }
    in_unit(value, metric.unit, &blank.unit)
}

fn asks_date(blank: &Blank) -> bool {
    let hint = blank.hint.as_deref().unwrap_or_default().to_lowercase();
    hint.contains("date") || hint.contains("تاريخ")
}

/// A value in the unit that stands behind the blank; with its own unit where none does. A unit that
/// does not fit leaves the blank empty: a wrong number is worse than none.
fn in_unit(value: f64, unit: Unit, written: &str) -> Option<String> {
    if written.is_empty() {
        return Some(unit.format(value));
    }
    if unit == Unit::Count {
        return Some(Unit::Count.format(value));
    }
    let one: Quantity = format!("1{}", spelling(written)).parse().ok()?;
    (one.unit == unit).then(|| Unit::Count.format(rounded(value / one.value)))
}

/// The unit of a config for the unit of a document.
fn spelling(written: &str) -> String {
    let lower = written.to_lowercase();
    let short = match lower.as_str() {
        "milliseconds" | "millisecond" | "msec" => "ms",
        "seconds" | "second" | "sec" | "secs" => "s",
        "minutes" | "minute" | "mins" => "min",
        "hours" | "hour" | "hrs" | "hr" => "h",
        "days" | "day" => "d",
        "req/s" | "requests/s" | "requests/sec" | "req/sec" | "r/s" => "/s",
        "percent" => "%",
        _ => return written.to_owned(),
    };
    short.to_owned()
}

/// Four digits tell enough to a person; whole numbers keep all of theirs.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 1000.0 || value == 0.0 {
        return value.round();
    }
    let digits = 3.0 - value.abs().log10().floor();
    let scale = 10f64.powf(digits.clamp(0.0, 9.0));
    (value * scale).round() / scale
}

fn fact(name: &str, blank: &Blank, evidence: Evidence<'_>) -> Option<String> {
    let history = evidence.history;
    match name {
        "run.date" => Some(day(evidence.run.finished)),
        "target.version" => version(evidence.run),
        "deploy.started" => history.and_then(Timeline::started).map(minute),
        "deploy.finished" => history.and_then(Timeline::finished).map(minute),
        "deploy.duration" => lasted(history?.duration()?, blank),
        "deploy.downtime" => {
            let seconds = history?.downtime.as_ref()?.seconds;
            in_unit(seconds, Unit::Seconds, &blank.unit)
        }
        "rollback.started" => Some(minute(history?.rollback?.started)),
        "rollback.finished" => Some(minute(history?.rollback?.finished?)),
        "rollback.duration" => lasted(history?.rollback?.duration()?, blank),
        _ => None,
    }
}

fn lasted(duration: SignedDuration, blank: &Blank) -> Option<String> {
    in_unit(duration.as_secs_f64(), Unit::Seconds, &blank.unit)
}

/// The version that the target itself told; the one that was meant to run is no evidence.
pub fn version(run: &Run) -> Option<String> {
    match run.target.observed_versions.as_slice() {
        [] => None,
        all => Some(plain(&all.join(", "))),
    }
}

fn status(gate: &GateRecord, blank: &Blank) -> Option<String> {
    let shows = Status::of(gate)?.shows()?;
    let options = &blank.options;
    if let [first, .., last] = options.as_slice()
        && choice::is_reversed(first, last)
    {
        return None;
    }
    let word = match (shows, options.as_slice()) {
        (true, [first, ..]) => first.clone(),
        (false, [.., last]) => last.clone(),
        (true, []) => "passed".to_owned(),
        (false, []) => "failed".to_owned(),
    };
    Some(word)
}
