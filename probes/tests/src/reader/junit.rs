//! JUnit XML: no standard, many dialects.
//!
//! The elements are counted and the attributes are not: of 385 real reports, 74 claim counts that
//! differ from their elements. A case has the state of the worst thing in it: error, failure,
//! skipped, passed. Ant, Surefire, pytest, googletest, PHPUnit (nested suites), nextest and
//! Surefire retries (`flakyFailure`, `rerunFailure`) are all read by these rules.

use readygate_reports::{
    self as number, Fault, Position, Started,
    xml::{Element, Visitor},
};

use super::{About, Case, Sink, State, SuiteFault, claims::Tree};
use crate::measurement::FailureKind;

/// Characters kept of the text of a failure, whose start is shown.
const TEXT: usize = 4 * 1_024;

/// Hears a JUnit document and tells a sink.
pub(super) struct Junit<'s> {
    sink: &'s mut dyn Sink,
    open: Vec<Open>,
    claims: Tree,
    started: Option<Started>,
    unexpanded: u64,
    abandoned: bool,
}

/// An element that has not ended.
enum Open {
    Suite(String),
    Case(Box<OpenCase>),
    Failure(Box<Failure>),
    Other,
}

#[derive(Default)]
struct OpenCase {
    name: String,
    classname: String,
    file: String,
    line: Option<u64>,
    at: Option<Position>,
    seconds: Option<Result<f64, ()>>,
    worst: Option<Failure>,
    /// `failure` and `error` elements.
    failures: u64,
    skipped: bool,
    /// An earlier or later attempt failed.
    retried: bool,
    says_failed: bool,
}

struct Failure {
    kind: FailureKind,
    at: Position,
    message: String,
    /// The `type` attribute.
    class: String,
    text: String,
}

impl Failure {
    fn open(element: &Element<'_>, kind: FailureKind) -> Open {
        let get = |name| element.get(name).unwrap_or_default().trim().to_owned();
        Open::Failure(Box::new(Self {
            kind,
            at: element.at,
            message: get("message"),
            class: get("type"),
            text: String::new(),
        }))
    }

    /// The message, or else the start of the text, with the type where the text lacks it.
    fn message(&self) -> String {
        let text = self.text.trim();
        match (self.message.is_empty(), text.contains(&self.class)) {
            (false, _) => self.message.clone(),
            (true, true) => text.to_owned(),
            (true, false) if text.is_empty() => self.class.clone(),
            (true, false) => format!("{}: {text}", self.class),
        }
    }
}

impl<'s> Junit<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            open: Vec::new(),
            claims: Tree::default(),
            started: None,
            unexpanded: 0,
            abandoned: false,
        }
    }

    /// Ends the reading. Of a report that breaks off, the cases still open are told if they have
    /// failed already; the others may fail after the fault.
    pub(super) fn close(mut self, complete: bool) -> About {
        self.abandoned = !complete;
        while !self.open.is_empty() {
            self.end();
        }
        About {
            format: "junit",
            encoding: "",
            claims: self.claims.total(),
            started: self.started,
            unexpanded: self.unexpanded,
        }
    }

    fn suite(&self) -> &str {
        let names = self.open.iter().rev().filter_map(|open| match open {
            Open::Suite(name) => Some(name.as_str()),
            _ => None,
        });
        names.into_iter().next().unwrap_or_default()
    }

    fn start_suite(&mut self, element: &Element<'_>) -> Open {
        if element.name == "testsuite" {
            self.sink.on_suite();
        }
        let started = element.get("timestamp").and_then(number::started);
        let both = self.started.into_iter().chain(started);
        self.started = both.min_by_key(|started| started.at);
        self.claims.start(element);
        Open::Suite(element.get("name").unwrap_or_default().to_owned())
    }

    fn end_case(&mut self, case: &OpenCase) {
        let state = match (&case.worst, case.skipped) {
            (Some(failure), _) => State::Failing(failure.kind),
            (None, true) => State::Skipped,
            (None, false) => State::Passed,
        };
        let failing = matches!(state, State::Failing(_));
        if self.abandoned && !failing {
            return;
        }
        self.claims.case(state, case.failures);
        let suite = self.suite().to_owned();
        self.sink.on_case(&Case {
            suite: &suite,
            name: &case.name,
            classname: &case.classname,
            file: &case.file,
            line: case.line,
            at: case.at.unwrap_or(Position { line: 1, column: 1 }),
            state,
            flaky: state == State::Passed && case.retried,
            contradictory: state == State::Passed && case.says_failed,
            seconds: case.seconds,
            message: &case
                .worst
                .as_ref()
                .map(Failure::message)
                .unwrap_or_default(),
        });
    }

    fn end_failure(&mut self, failure: Failure) {
        if let Some(Open::Case(case)) = self.open.last_mut() {
            case.failures += 1;
            let worse = case.worst.as_ref().is_none_or(|worst| {
                worst.kind == FailureKind::Failure && failure.kind == FailureKind::Error
            });
            if worse {
                case.worst = Some(failure);
            }
            return;
        }
        self.claims.suite_error();
        let suite = self.suite().to_owned();
        let message = failure.message();
        self.sink.on_suite_error(&SuiteFault {
            suite: &suite,
            at: failure.at,
            message: &message,
        });
    }
}

impl Visitor for Junit<'_> {
    fn start(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let next = match (element.name, self.open.last_mut()) {
            ("testsuites" | "testsuite", _) => self.start_suite(element),
            ("testcase", _) => Open::Case(Box::new(OpenCase::new(element))),
            ("failure", Some(Open::Case(_) | Open::Suite(_))) => {
                Failure::open(element, FailureKind::Failure)
            }
            ("error", Some(Open::Case(_) | Open::Suite(_))) => {
                Failure::open(element, FailureKind::Error)
            }
            ("skipped", Some(Open::Case(case))) => {
                case.skipped = true;
                Open::Other
            }
            (
                "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError",
                Some(Open::Case(case)),
            ) => {
                case.retried = true;
                Open::Other
            }
            _ => Open::Other,
        };
        self.open.push(next);
        Ok(())
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Suite(_)) => self.claims.end(),
            Some(Open::Case(case)) => self.end_case(&case),
            Some(Open::Failure(failure)) => self.end_failure(*failure),
            Some(Open::Other) | None => {}
        }
    }

    fn text(&mut self, piece: &str) {
        if let Some(Open::Failure(failure)) = self.open.last_mut() {
            let room = TEXT.saturating_sub(failure.text.len());
            failure.text.extend(piece.chars().take(room));
        }
    }

    fn unexpanded(&mut self) {
        if matches!(self.open.last(), Some(Open::Suite(_) | Open::Case(_))) {
            self.unexpanded += 1;
        }
    }
}

impl OpenCase {
    fn new(element: &Element<'_>) -> Self {
        // Names stay whole: they tell apart what is folded.
        let get = |name| element.get(name).unwrap_or_default().to_owned();
        let is = |name, words: &[&str]| {
            let value = element.get(name).unwrap_or_default().trim();
            words.iter().any(|word| value.eq_ignore_ascii_case(word))
        };
        let failed = [
            "failed", "failure", "fail", "error", "errored", "broken", "timedout", "timeout",
            "aborted", "crashed",
        ];
        Self {
            name: get("name"),
            classname: get("classname"),
            file: get("file"),
            line: element.get("line").and_then(number::count),
            at: Some(element.at),
            seconds: element
                .get("time")
                .map(|time| number::seconds(time).ok_or(())),
            skipped: is("status", &["notrun", "disabled", "skipped", "ignored"])
                || is("result", &["suppressed", "skipped"]),
            says_failed: is("status", &failed) || is("result", &failed),
            ..Self::default()
        }
    }
}
