//! The XML of .NET: TRX (Visual Studio, `dotnet test`), NUnit 2 and 3, xUnit.net v2 and v3.

use readygate_reports::{
    Fault, Position, Started, count, seconds, started,
    xml::{Element, Visitor},
};

use super::{About, Case, Sink, State, SuiteFault};
use crate::measurement::{Claims, FailureKind};

/// Bytes kept of a message.
const TEXT: usize = 4 * 1_024;

/// Which of them, as the root says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Trx,
    Nunit2,
    Nunit3,
    Xunit,
}

impl Dialect {
    pub(super) fn of(root: &str) -> Option<Self> {
        Some(match root {
            "TestRun" => Self::Trx,
            "test-results" => Self::Nunit2,
            "test-run" => Self::Nunit3,
            "assemblies" | "assembly" => Self::Xunit,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Trx => "trx",
            Self::Nunit2 => "nunit2",
            Self::Nunit3 => "nunit3",
            Self::Xunit => "xunit",
        }
    }
}

pub(super) struct Dotnet<'s> {
    dialect: Dialect,
    sink: &'s mut dyn Sink,
    open: Vec<Open>,
    claims: Claims,
    /// Claimed to have run.
    claimed_runs: u64,
    claimed_failures: u64,
    ran: u64,
    failing: u64,
    suite_errors: u64,
    started: Option<Started>,
    unexpanded: u64,
    /// How the run as a whole ended, and why.
    summary: Option<(Position, String)>,
    run_info: String,
    abandoned: bool,
}

enum Open {
    Suite(Box<Suite>),
    Case(Box<OpenCase>),
    Message,
    RunInfo,
    /// An error of a fixture outside of any test (xUnit.net).
    Error(Position, String),
    Other,
}

#[derive(Default)]
struct Suite {
    name: String,
    /// It failed by itself and not by what is in it.
    failed: Option<Position>,
    message: String,
}

struct OpenCase {
    at: Position,
    name: String,
    class: String,
    /// `None`: decided by whether there is a failure.
    state: Option<State>,
    has_failure: bool,
    seconds: Option<Result<f64, ()>>,
    message: String,
}

impl<'s> Dotnet<'s> {
    pub(super) fn new(dialect: Dialect, sink: &'s mut dyn Sink) -> Self {
        Self {
            dialect,
            sink,
            open: Vec::new(),
            claims: Claims::default(),
            claimed_runs: 0,
            claimed_failures: 0,
            ran: 0,
            failing: 0,
            suite_errors: 0,
            started: None,
            unexpanded: 0,
            summary: None,
            run_info: String::new(),
            abandoned: false,
        }
    }

    pub(super) fn close(mut self, complete: bool) -> About {
        self.abandoned = !complete;
        while !self.open.is_empty() {
            self.end();
        }
        if let Some((at, outcome)) = self.summary.take()
            && self.failing + self.suite_errors == 0
            && complete
        {
            let words = self.run_info.trim();
            let message = match words {
                "" => format!("the run ended as `{outcome}`, and no test failed"),
                words => words.to_owned(),
            };
            self.suite_error("", at, &message);
        }
        let mut claims = self.claims;
        claims.missing_tests = self.claimed_runs.saturating_sub(self.ran);
        let failures = self.failing + self.suite_errors;
        claims.missing_failures = self.claimed_failures.saturating_sub(failures);
        About {
            format: self.dialect.name(),
            claims,
            started: self.started,
            unexpanded: self.unexpanded,
            ..About::default()
        }
    }

    fn suite(&self) -> String {
        let names = self.open.iter().rev().filter_map(|open| match open {
            Open::Suite(suite) => Some(suite.name.clone()),
            _ => None,
        });
        names.into_iter().next().unwrap_or_default()
    }

    fn suite_error(&mut self, suite: &str, at: Position, message: &str) {
        self.suite_errors += 1;
        let message = message.trim();
        self.sink.on_suite_error(&SuiteFault { suite, at, message });
    }

    fn time(&mut self, text: Option<&str>) {
        let both = self.started.into_iter().chain(text.and_then(started));
        self.started = both.min_by_key(|started| started.at);
    }

    /// Takes the counts that an outermost element claims.
    fn claim(&mut self, total: Option<u64>, ran: u64, failures: u64, skipped: Option<u64>) {
        let add = |sum: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        };
        add(&mut self.claims.tests, total);
        add(&mut self.claims.failures, total.map(|_| failures));
        add(&mut self.claims.skipped, skipped);
        self.claimed_runs = self.claimed_runs.saturating_add(ran);
        self.claimed_failures = self.claimed_failures.saturating_add(failures);
    }

    fn start_trx(&mut self, element: &Element<'_>) -> Open {
        let get = |name: &str| element.get(name).unwrap_or_default();
        match element.name {
            "TestRun" => {
                self.sink.on_suite();
                Open::Suite(Box::new(Suite {
                    name: get("name").to_owned(),
                    ..Suite::default()
                }))
            }
            "Times" => {
                self.time(element.get("start"));
                Open::Other
            }
            "UnitTestResult" | "TestResult" | "GenericTestResult" | "ManualTestResult" => {
                let (class, name) = match get("testName").rsplit_once('.') {
                    Some((class, name)) if !name.contains(['(', ' ', ')']) => (class, name),
                    _ => ("", get("testName")),
                };
                let duration = element.get("duration").map(|d| clock(d).ok_or(()));
                Open::Case(Box::new(OpenCase {
                    name: name.to_owned(),
                    class: class.to_owned(),
                    seconds: duration,
                    ..OpenCase::new(element.at, Some(trx_state(get("outcome"))))
                }))
            }
            "ResultSummary" => {
                let bad = ["Failed", "Error", "Aborted", "Timeout", "Disconnected"];
                if bad.contains(&get("outcome")) {
                    self.summary = Some((element.at, get("outcome").to_owned()));
                }
                Open::Other
            }
            "Counters" => {
                let n = |name: &str| element.get(name).and_then(count);
                let failures = ["failed", "error", "timeout", "aborted"];
                let failures = failures.iter().filter_map(|name| n(name)).sum();
                // Some writers count what was inconclusive as executed.
                let aside = ["inconclusive", "notRunnable", "pending"];
                let aside: u64 = aside.iter().filter_map(|name| n(name)).sum();
                let executed = n("executed").unwrap_or(0).saturating_sub(aside);
                self.claim(n("total"), executed, failures, None);
                Open::Other
            }
            "RunInfo" if get("outcome") != "Warning" => Open::RunInfo,
            "Text" if matches!(self.open.last(), Some(Open::RunInfo)) => Open::RunInfo,
            "Message" => Open::Message,
            _ => Open::Other,
        }
    }

    fn start_nunit(&mut self, element: &Element<'_>) -> Open {
        let get = |name: &str| element.get(name).unwrap_or_default();
        let n = |name: &str| element.get(name).and_then(count);
        match element.name {
            "test-run" => {
                self.time(element.get("start-time"));
                let failed = n("failed").unwrap_or(0);
                let ran = n("passed").unwrap_or(0) + failed;
                self.claim(n("total"), ran, failed, n("skipped"));
                if get("result") == "Failed" {
                    self.summary = Some((element.at, "Failed".to_owned()));
                }
                Open::Other
            }
            "test-results" => {
                let date = format!("{}T{}", get("date"), get("time"));
                self.time(Some(&date));
                let failures = n("failures").unwrap_or(0) + n("errors").unwrap_or(0);
                let aside = n("inconclusive").unwrap_or(0) + n("ignored").unwrap_or(0);
                let aside = aside.max(n("not-run").unwrap_or(0));
                let ran = n("total").unwrap_or(0).saturating_sub(aside);
                self.claim(n("total"), ran, failures, n("skipped"));
                Open::Other
            }
            "test-suite" => {
                self.sink.on_suite();
                self.time(element.get("start-time"));
                let site = get("site");
                let own = matches!(site, "SetUp" | "TearDown")
                    || get("label") == "Invalid"
                    || get("runstate") == "NotRunnable";
                let failed = get("result") == "Failed" && own && site != "Child";
                Open::Suite(Box::new(Suite {
                    name: get("name").to_owned(),
                    failed: failed.then_some(element.at),
                    message: String::new(),
                }))
            }
            "test-case" => {
                let name = get("name");
                let (class, name) = match element.get("classname") {
                    Some(class) => (class, name),
                    None => name.rsplit_once('.').unwrap_or(("", name)),
                };
                let time = element.get("duration").or(element.get("time"));
                Open::Case(Box::new(OpenCase {
                    name: name.to_owned(),
                    class: class.to_owned(),
                    seconds: time.map(|t| seconds(t).ok_or(())),
                    ..OpenCase::new(element.at, nunit_state(element))
                }))
            }
            "failure" => {
                if let Some(Open::Case(case)) = self.open.last_mut() {
                    case.has_failure = true;
                }
                Open::Other
            }
            "message" => Open::Message,
            _ => Open::Other,
        }
    }

    fn start_xunit(&mut self, element: &Element<'_>) -> Open {
        let get = |name: &str| element.get(name).unwrap_or_default();
        let n = |name: &str| element.get(name).and_then(count);
        match element.name {
            "assembly" => {
                self.sink.on_suite();
                let date = format!("{}T{}", get("run-date"), get("run-time"));
                self.time(element.get("start-rtf").or(Some(&date)));
                let failures = n("failed").unwrap_or(0) + n("errors").unwrap_or(0);
                let ran = n("passed").unwrap_or(0) + n("failed").unwrap_or(0);
                self.claim(n("total"), ran, failures, n("skipped"));
                Open::Suite(Box::new(Suite {
                    name: get("name").to_owned(),
                    ..Suite::default()
                }))
            }
            "test" => {
                let state = match get("result") {
                    "Pass" => State::Passed,
                    "Skip" | "NotRun" => State::Skipped,
                    _ => State::Failing(FailureKind::Failure),
                };
                let class = get("type");
                let name = get("name");
                let name = name
                    .strip_prefix(class)
                    .and_then(|n| n.strip_prefix('.'))
                    .unwrap_or(name);
                Open::Case(Box::new(OpenCase {
                    name: name.to_owned(),
                    class: class.to_owned(),
                    seconds: element.get("time").map(|t| seconds(t).ok_or(())),
                    ..OpenCase::new(element.at, Some(state))
                }))
            }
            "error" => Open::Error(element.at, String::new()),
            "message" => Open::Message,
            _ => Open::Other,
        }
    }

    fn end_case(&mut self, case: &OpenCase) {
        let state = case.state.unwrap_or(if case.has_failure {
            State::Failing(FailureKind::Failure)
        } else {
            State::Passed
        });
        let is_failing = matches!(state, State::Failing(_));
        if self.abandoned && !is_failing {
            return;
        }
        self.ran += u64::from(state != State::Skipped);
        self.failing += u64::from(is_failing);
        let suite = self.suite();
        self.sink.on_case(&Case {
            suite: &suite,
            name: &case.name,
            classname: &case.class,
            contradictory: state == State::Passed && case.has_failure,
            seconds: case.seconds,
            message: case.message.trim(),
            ..Case::new(case.at, state)
        });
    }
}

impl OpenCase {
    fn new(at: Position, state: Option<State>) -> Self {
        Self {
            at,
            name: String::new(),
            class: String::new(),
            state,
            has_failure: false,
            seconds: None,
            message: String::new(),
        }
    }
}

/// A result without an outcome is an error: that is the default which writers leave out.
fn trx_state(outcome: &str) -> State {
    match outcome {
        "Passed" | "Completed" | "Warning" => State::Passed,
        "NotExecuted" | "Inconclusive" | "NotRunnable" | "Pending" => State::Skipped,
        "Failed" => State::Failing(FailureKind::Failure),
        _ => State::Failing(FailureKind::Error),
    }
}

fn nunit_state(element: &Element<'_>) -> Option<State> {
    let get = |name: &str| element.get(name).unwrap_or_default();
    Some(match (get("result"), get("label")) {
        ("Passed" | "Success" | "Warning", _) => State::Passed,
        ("Failed" | "Failure", "Error" | "Cancelled") | ("Error" | "Cancelled", _) => {
            State::Failing(FailureKind::Error)
        }
        ("Failed" | "Failure", _) => State::Failing(FailureKind::Failure),
        ("Skipped" | "Ignored" | "NotRunnable" | "Inconclusive" | "Invalid" | "Explicit", _) => {
            State::Skipped
        }
        ("", _) => match (get("executed"), get("success")) {
            (executed, _) if executed.eq_ignore_ascii_case("false") => State::Skipped,
            (_, success) if success.eq_ignore_ascii_case("true") => State::Passed,
            (_, "") => return None,
            _ => State::Failing(FailureKind::Failure),
        },
        _ => State::Failing(FailureKind::Error),
    })
}

/// `00:00:01.2345678`.
fn clock(text: &str) -> Option<f64> {
    let mut parts = text.trim().split(':').rev();
    let seconds: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let hours: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let all = seconds + 60.0 * minutes + 3_600.0 * hours;
    (0.0..=1e12).contains(&all).then_some(all)
}

impl Visitor for Dotnet<'_> {
    fn start(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let next = match self.dialect {
            Dialect::Trx => self.start_trx(element),
            Dialect::Nunit2 | Dialect::Nunit3 => self.start_nunit(element),
            Dialect::Xunit => self.start_xunit(element),
        };
        self.open.push(next);
        Ok(())
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Case(case)) => self.end_case(&case),
            Some(Open::Suite(suite)) => {
                if let Some(at) = suite.failed {
                    let message = match suite.message.trim() {
                        "" => "the suite failed outside its tests",
                        message => message,
                    };
                    self.suite_error(&suite.name, at, message);
                }
            }
            Some(Open::Error(at, message)) => {
                let suite = self.suite();
                let message = match message.trim() {
                    "" => "an error outside of any test",
                    message => message,
                };
                self.suite_error(&suite, at, message);
            }
            _ => {}
        }
    }

    fn text(&mut self, piece: &str) {
        let inside = self.open.last();
        let message = match inside {
            Some(Open::RunInfo) => &mut self.run_info,
            Some(Open::Message) => {
                let above = self.open.iter_mut().rev();
                let holder = above.into_iter().find_map(|open| match open {
                    Open::Case(case) => Some(&mut case.message),
                    Open::Suite(suite) => Some(&mut suite.message),
                    Open::Error(_, message) => Some(message),
                    _ => None,
                });
                match holder {
                    Some(message) => message,
                    None => return,
                }
            }
            _ => return,
        };
        let room = TEXT.saturating_sub(message.len());
        message.extend(piece.chars().take(room));
    }

    fn unexpanded(&mut self) {
        if !matches!(self.open.last(), Some(Open::Message | Open::RunInfo)) {
            self.unexpanded += 1;
        }
    }
}
