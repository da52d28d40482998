//! Reports that are one JSON document: Jest and Vitest, Mocha and Mochawesome, Playwright, CTRF,
//! RSpec, pytest-json-report. Their keys tell them apart.

mod ctrf;
mod jest;
mod mocha;
mod playwright;
mod pytest;
mod rspec;

use std::io::Read;

use readygate_reports::{Fault, Position, json};
use serde_json::Value;

use super::{About, Case, Sink, State, SuiteFault, formats};
use crate::measurement::Claims;

/// Largest document, bytes: what it takes in memory is several times as much.
const LARGEST: u64 = 128 * 1024 * 1024;
/// Deepest nesting of suites.
const DEEPEST: usize = 100;

/// Reads a document.
pub(super) fn read(text: impl Read, sink: &mut dyn Sink) -> Result<About, Fault> {
    let document: Value = json::document(text, LARGEST)?;
    let has = |key: &str| document.get(key).is_some();
    let mut out = Out::new(sink);
    let read = if has("testResults") && (has("numTotalTests") || has("success")) {
        Ok(jest::read(&document, &mut out))
    } else if has("stats") && has("suites") && has("config") {
        playwright::read(&document, &mut out)
    } else if has("stats") && (has("tests") || has("results")) {
        mocha::read(&document, &mut out)
    } else if document["results"].get("summary").is_some()
        && document["results"].get("tests").is_some()
    {
        Ok(ctrf::read(&document, &mut out))
    } else if has("examples") && has("summary") {
        Ok(rspec::read(&document, &mut out))
    } else if has("exitcode") && has("summary") {
        Ok(pytest::read(&document, &mut out))
    } else {
        return Err(formats::unsupported("JSON of a form that is not known"));
    };
    let mut about = read?;
    let seen = out.seen;
    about.claims.missing_tests = out.claimed_runs.saturating_sub(seen.ran);
    about.claims.missing_failures = out.claimed_failures.saturating_sub(seen.failing);
    Ok(about)
}

/// Tells a sink, and counts what it told.
struct Out<'s> {
    sink: &'s mut dyn Sink,
    seen: Seen,
    /// What the document claims in its summary.
    claimed_runs: u64,
    claimed_failures: u64,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    ran: u64,
    failing: u64,
    suite_errors: u64,
}

const START: Position = Position { line: 1, column: 1 };

impl<'s> Out<'s> {
    fn new(sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            seen: Seen::default(),
            claimed_runs: 0,
            claimed_failures: 0,
        }
    }

    fn case(&mut self, case: &Case<'_>) {
        self.seen.ran += u64::from(case.state != State::Skipped);
        self.seen.failing += u64::from(matches!(case.state, State::Failing(_)));
        self.sink.on_case(case);
    }

    fn suite(&mut self) {
        self.sink.on_suite();
    }

    fn suite_error(&mut self, suite: &str, message: &str) {
        self.seen.suite_errors += 1;
        self.sink.on_suite_error(&SuiteFault {
            suite,
            at: START,
            message,
        });
    }

    /// Takes the counts of a summary: those that ran, and those that failed.
    fn claim(&mut self, ran: u64, failures: u64) {
        self.claimed_runs = ran;
        self.claimed_failures = failures;
    }

    /// Whether something failed already.
    fn fails(&self) -> bool {
        self.seen.failing + self.seen.suite_errors > 0
    }
}

/// A case of a document, whose place in it is not known.
fn case(state: State) -> Case<'static> {
    Case::new(START, state)
}

fn text<'v>(of: &'v Value, key: &str) -> &'v str {
    of[key].as_str().unwrap_or_default()
}

fn count(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_default()
}

fn list<'v>(of: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    of[key].as_array().into_iter().flatten()
}

/// A duration in milliseconds, as a case takes it.
fn millis(value: &Value) -> Option<Result<f64, ()>> {
    seconds(value).map(|time| time.map(|ms| ms / 1e3))
}

fn seconds(value: &Value) -> Option<Result<f64, ()>> {
    match value {
        Value::Null => None,
        value => Some(value.as_f64().filter(|n| *n >= 0.0).ok_or(())),
    }
}

/// A time in milliseconds since 1970.
fn epoch_millis(value: &Value) -> Option<readygate_reports::Started> {
    let millis = value.as_i64().or_else(|| {
        #[expect(clippy::cast_possible_truncation, reason = "a time in milliseconds")]
        value.as_f64().map(|n| n as i64)
    })?;
    let at = jiff::Timestamp::from_millisecond(millis).ok()?;
    (millis > 0).then_some(readygate_reports::Started {
        at,
        zoneless: false,
    })
}

/// Claims for the record.
fn claims(tests: u64, failures: u64, skipped: u64) -> Claims {
    Claims {
        tests: Some(tests),
        failures: Some(failures),
        skipped: Some(skipped),
        ..Claims::default()
    }
}
