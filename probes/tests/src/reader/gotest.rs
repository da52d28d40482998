//! `go test -json`: one event a line (`go doc test2json`).
//!
//! The last result of each test counts, and of a test with subtests only the subtests: the parent
//! merely repeats them. A package that fails without a failed test (it did not build, it panicked,
//! `TestMain` ended early) is a failure of the whole package.

use std::{
    collections::{HashMap, HashSet},
    io::BufRead,
};

use readygate_reports::{Fault, Position, Started, lines, started};
use serde::Deserialize;

use super::{About, Case, Sink, State, SuiteFault};
use crate::{measurement::FailureKind, tally::MOST_FOLDED};

/// Bytes kept of the output of one test or package.
const OUTPUT: usize = 4 * 1_024;

/// What an event can be of.
const ACTIONS: [&str; 12] = [
    "start",
    "run",
    "pause",
    "cont",
    "pass",
    "bench",
    "fail",
    "output",
    "skip",
    "attr",
    "build-output",
    "build-fail",
];

/// Whether the first lines are such events.
pub(super) fn starts(head: &str) -> bool {
    head.lines().take(200).any(|line| {
        line.trim_start().starts_with('{')
            && serde_json::from_str::<Event>(line)
                .is_ok_and(|event| ACTIONS.contains(&event.action.as_str()))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    action: String,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    test: Option<String>,
    #[serde(default)]
    elapsed: Option<f64>,
    #[serde(default)]
    output: Option<String>,
    #[serde(default, rename = "ImportPath")]
    import: Option<String>,
}

#[derive(Default)]
struct Package {
    tests: HashMap<String, Test>,
    /// In the order in which they came.
    order: Vec<String>,
    result: Option<State>,
    output: String,
    at: u64,
}

#[derive(Default)]
struct Test {
    result: Option<State>,
    failed_once: bool,
    seconds: Option<f64>,
    output: String,
    at: u64,
}

/// Reads a stream.
pub(super) fn read(text: impl BufRead, sink: &mut dyn Sink) -> Result<About, Fault> {
    let mut stream = Stream::default();
    lines::read(text, &mut |line| {
        // Compilers and panics print between the events.
        if !line.text.trim_start().starts_with('{') {
            return Ok(());
        }
        match serde_json::from_str(line.text) {
            Ok(event) => stream.event(event, line.at()),
            Err(_) if line.cut => Ok(()),
            Err(error) if !line.ended && error.is_eof() => {
                Err(Fault::new("the stream breaks off in this event").hint(CUT))
            }
            // What a test itself prints may look like an object.
            Err(_) => Ok(()),
        }
    })?;
    stream.finish(sink)
}

const CUT: &str = "the stream is cut off: the test run was killed, or the disk was full";

#[derive(Default)]
struct Stream {
    /// In the order in which they came.
    packages: Vec<(String, Package)>,
    index: HashMap<String, usize>,
    tests: usize,
    started: Option<Started>,
    /// Packages that did not build.
    builds: Vec<(Position, String)>,
}

impl Stream {
    fn event(&mut self, event: Event, at: Position) -> Result<(), Fault> {
        if self.started.is_none() {
            self.started = event.time.as_deref().and_then(started);
        }
        if event.action.starts_with("build-") {
            if event.action == "build-fail" {
                self.builds.push((at, event.import.unwrap_or_default()));
            }
            return Ok(());
        }
        let state = match event.action.as_str() {
            "pass" | "bench" => Some(State::Passed),
            "fail" => Some(State::Failing(FailureKind::Failure)),
            "skip" => Some(State::Skipped),
            _ => None,
        };
        // `go tool test2json` without `-p` names no package.
        let package = self.package(event.package.unwrap_or_default());
        package.at = package.at.max(at.line);
        let Some(name) = event.test else {
            if event.action == "start" {
                package.result = None;
            }
            package.result = state.or(package.result);
            keep(&mut package.output, event.output.as_deref());
            return Ok(());
        };
        let is_new = !package.tests.contains_key(&name);
        if is_new {
            package.order.push(name.clone());
        }
        let test = package.tests.entry(name).or_default();
        keep(&mut test.output, event.output.as_deref());
        if let Some(state) = state {
            test.end(state, event.elapsed, at.line);
        }
        self.tests += usize::from(is_new);
        if self.tests > MOST_FOLDED {
            let reason = format!("more than {MOST_FOLDED} tests in one stream");
            return Err(Fault::new(reason));
        }
        Ok(())
    }

    fn package(&mut self, name: String) -> &mut Package {
        let packages = &mut self.packages;
        let slot = *self.index.entry(name.clone()).or_insert_with(|| {
            packages.push((name, Package::default()));
            packages.len() - 1
        });
        &mut self.packages[slot].1
    }

    fn finish(self, sink: &mut dyn Sink) -> Result<About, Fault> {
        for (at, suite) in &self.builds {
            sink.on_suite_error(&SuiteFault {
                suite,
                at: *at,
                message: "the build failed",
            });
        }
        for (name, package) in &self.packages {
            sink.on_suite();
            package.tell(name, sink);
        }
        let mut packages = self.packages.iter();
        if let Some((name, open)) = packages.find(|(_, package)| package.result.is_none()) {
            let fault = Fault::new(format!("the package {name} has no result"));
            return Err(fault.at(start_of(open.at)).hint(CUT));
        }
        Ok(About {
            format: "go-test",
            started: self.started,
            ..About::default()
        })
    }
}

fn keep(output: &mut String, more: Option<&str>) {
    let room = OUTPUT.saturating_sub(output.len());
    output.extend(more.unwrap_or_default().chars().take(room));
}

fn start_of(line: u64) -> Position {
    Position {
        line: line.max(1),
        column: 1,
    }
}

/// `A` and `A/b` of `A/b/c`.
fn parents_of(test: &str) -> impl Iterator<Item = &str> {
    test.match_indices('/').map(|(at, _)| &test[..at])
}

impl Test {
    fn end(&mut self, state: State, seconds: Option<f64>, line: u64) {
        self.failed_once |= matches!(state, State::Failing(_));
        self.result = Some(state);
        self.seconds = seconds;
        self.at = line;
        if state == State::Passed {
            self.output = String::new();
        }
    }

    fn fails(&self) -> bool {
        matches!(self.result, Some(State::Failing(_)))
    }

    fn tell(&self, name: &str, package: &str, state: State, sink: &mut dyn Sink) {
        let message = match state {
            State::Failing(_) => message(&self.output),
            _ => String::new(),
        };
        let (file, line) = place(&message).unwrap_or_default();
        sink.on_case(&Case {
            suite: package,
            name,
            classname: package,
            file: &file,
            line,
            flaky: state == State::Passed && self.failed_once,
            seconds: self.seconds.map(Ok),
            message: &message,
            ..Case::new(start_of(self.at), state)
        });
    }
}

impl Package {
    fn tell(&self, name: &str, sink: &mut dyn Sink) {
        let ended = self.tests.iter().filter(|(_, test)| test.result.is_some());
        let parents: HashSet<&str> = ended.flat_map(|(name, _)| parents_of(name)).collect();
        let failed = self.tests.iter().filter(|(_, test)| test.fails());
        let with_failure: HashSet<&str> = failed.flat_map(|(name, _)| parents_of(name)).collect();
        let mut failing = false;
        for test_name in &self.order {
            let Some(test) = self.tests.get(test_name) else {
                continue;
            };
            let Some(state) = test.result else { continue };
            failing |= test.fails();
            if !parents.contains(test_name.as_str()) {
                test.tell(test_name, name, state, sink);
            } else if test.fails() && !with_failure.contains(test_name.as_str()) {
                let message = format!("{test_name} failed outside its subtests");
                sink.on_suite_error(&SuiteFault {
                    suite: name,
                    at: start_of(test.at),
                    message: &message,
                });
            }
        }
        if matches!(self.result, Some(State::Failing(_))) && !failing {
            let message = match message(&self.output) {
                words if words.is_empty() => {
                    "the package failed, and none of its tests did".to_owned()
                }
                words => words,
            };
            sink.on_suite_error(&SuiteFault {
                suite: name,
                at: start_of(self.at),
                message: &message,
            });
        }
    }
}

/// Output without the frame that the runner prints around it.
fn message(output: &str) -> String {
    let frame = ["=== ", "--- ", "PASS", "ok  ", "coverage:", "exit status"];
    let lines = output.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !frame.iter().any(|f| line.starts_with(f)));
    lines.collect::<Vec<_>>().join("\n")
}

/// `file_test.go:12: ...`.
fn place(message: &str) -> Option<(String, Option<u64>)> {
    let first = message.lines().next()?;
    let (file, rest) = first.split_once(".go:")?;
    let line = rest.split(':').next()?.parse().ok()?;
    Some((format!("{file}.go"), Some(line)))
}
