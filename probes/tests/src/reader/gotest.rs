//! `go test -json`: one event a line (`go doc test2json`).
//!
//! The last result of each test counts, and of a test with subtests only the subtests: the parent
//! merely repeats them. A package that fails without a failed test (it did not build, it panicked,
//! `TestMain` ended early) is a failure of the whole package.

use std::{
    collections::{HashMap, HashSet},
    io::BufRead,
};

use readygate_reports::{Fault, Position, lines, started};
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

impl Test {
    fn fails(&self) -> bool {
        matches!(self.result, Some(State::Failing(_)))
    }
}

/// Reads a stream.
pub(super) fn read(text: impl BufRead, sink: &mut dyn Sink) -> Result<About, Fault> {
    let mut packages: Vec<(String, Package)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut about = About {
        format: "go-test",
        ..About::default()
    };
    let mut tests = 0;
    let mut builds: Vec<(Position, String)> = Vec::new();
    lines::read(text, &mut |line| {
        // Compilers and panics print between the events.
        if !line.text.trim_start().starts_with('{') {
            return Ok(());
        }
        let event: Event = match serde_json::from_str(line.text) {
            Ok(event) => event,
            Err(_) if line.cut => return Ok(()),
            Err(error) if !line.ended && error.is_eof() => {
                return Err(Fault::new("the stream breaks off in this event")
                    .hint("the test run was killed, or the disk was full"));
            }
            // What a test itself prints may look like an object.
            Err(_) => return Ok(()),
        };
        let at = line.at();
        if about.started.is_none() {
            about.started = event.time.as_deref().and_then(started);
        }
        if event.action == "build-fail" || event.action == "build-output" {
            let name = event.import.unwrap_or_default();
            if event.action == "build-fail" {
                builds.push((at, name));
            }
            return Ok(());
        }
        // `go tool test2json` without `-p` names no package.
        let name = event.package.unwrap_or_default();
        let slot = *index.entry(name.clone()).or_insert_with(|| {
            packages.push((name, Package::default()));
            packages.len() - 1
        });
        let package = &mut packages[slot].1;
        package.at = package.at.max(line.number);
        let state = match event.action.as_str() {
            "pass" | "bench" => Some(State::Passed),
            "fail" => Some(State::Failing(FailureKind::Failure)),
            "skip" => Some(State::Skipped),
            _ => None,
        };
        let Some(test) = event.test else {
            if event.action == "start" {
                package.result = None;
            }
            package.result = state.or(package.result);
            keep(&mut package.output, event.output.as_deref());
            return Ok(());
        };
        if !package.tests.contains_key(&test) {
            tests += 1;
            if tests > MOST_FOLDED {
                return Err(Fault::new(format!(
                    "more than {MOST_FOLDED} tests in one stream"
                )));
            }
            package.order.push(test.clone());
        }
        let test = package.tests.entry(test).or_default();
        keep(&mut test.output, event.output.as_deref());
        if let Some(state) = state {
            test.failed_once |= matches!(state, State::Failing(_));
            test.result = Some(state);
            test.seconds = event.elapsed;
            test.at = line.number;
            if state == State::Passed {
                test.output = String::new();
            }
        }
        Ok(())
    })?;
    for (at, name) in builds {
        let message = "the build failed";
        sink.on_suite_error(&SuiteFault {
            suite: &name,
            at,
            message,
        });
    }
    if let Some((name, package)) = packages
        .iter()
        .find(|(_, package)| package.result.is_none())
    {
        let at = Position {
            line: package.at.max(1),
            column: 1,
        };
        tell(&packages, sink);
        return Err(Fault::new(format!("the package {name} has no result"))
            .at(at)
            .hint("the stream is cut off: the test run was killed, or the disk was full"));
    }
    tell(&packages, sink);
    Ok(about)
}

fn keep(output: &mut String, more: Option<&str>) {
    let room = OUTPUT.saturating_sub(output.len());
    output.extend(more.unwrap_or_default().chars().take(room));
}

/// `A` and `A/b` of `A/b/c`.
fn parents_of(test: &str) -> impl Iterator<Item = &str> {
    test.match_indices('/').map(|(at, _)| &test[..at])
}

fn tell(packages: &[(String, Package)], sink: &mut dyn Sink) {
    for (name, package) in packages {
        sink.on_suite();
        let mut failing = false;
        let ended = package
            .tests
            .iter()
            .filter(|(_, test)| test.result.is_some());
        let parents: HashSet<&str> = ended.flat_map(|(name, _)| parents_of(name)).collect();
        let failed = package.tests.iter().filter(|(_, test)| test.fails());
        let with_failure: HashSet<&str> = failed.flat_map(|(name, _)| parents_of(name)).collect();
        for test_name in &package.order {
            let Some(test) = package.tests.get(test_name) else {
                continue;
            };
            let Some(state) = test.result else { continue };
            let is_failing = matches!(state, State::Failing(_));
            if parents.contains(test_name.as_str()) {
                // It failed by itself only if none of its subtests did.
                if is_failing && !with_failure.contains(test_name.as_str()) {
                    failing = true;
                    let message = format!("{test_name} failed outside its subtests");
                    let at = Position {
                        line: test.at.max(1),
                        column: 1,
                    };
                    sink.on_suite_error(&SuiteFault {
                        suite: name,
                        at,
                        message: &message,
                    });
                }
                continue;
            }
            failing |= is_failing;
            let message = if is_failing {
                message(&test.output)
            } else {
                String::new()
            };
            let (file, line) = place(&message).unwrap_or_default();
            sink.on_case(&Case {
                suite: name,
                name: test_name,
                classname: name,
                file: &file,
                line,
                flaky: state == State::Passed && test.failed_once,
                seconds: test.seconds.map(Ok),
                message: &message,
                ..Case::new(
                    Position {
                        line: test.at.max(1),
                        column: 1,
                    },
                    state,
                )
            });
        }
        if matches!(package.result, Some(State::Failing(_))) && !failing {
            let words = message(&package.output);
            let message = if words.is_empty() {
                "the package failed, and none of its tests did".to_owned()
            } else {
                words
            };
            let at = Position {
                line: package.at.max(1),
                column: 1,
            };
            sink.on_suite_error(&SuiteFault {
                suite: name,
                at,
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
