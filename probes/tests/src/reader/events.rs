//! Streams of JSON events: libtest and nextest (`--format json`), and Dart's JSON reporter.

use std::{collections::HashMap, io::BufRead};

use readygate_reports::{Fault, Position, lines};
use serde_json::Value;

use super::{About, Case, Sink, State, SuiteFault};
use crate::{measurement::FailureKind, tally::MOST_FOLDED};

const CUT: &str = "the stream is cut off: the test run was killed, or the disk was full";

/// Which of the streams the first lines are, if any.
pub(super) fn of_head(head: &str) -> Option<Stream> {
    let mut objects = head.lines().take(50).filter_map(|line| {
        let line = line.trim().trim_start_matches('[').trim_end_matches(',');
        serde_json::from_str::<Value>(line).ok()
    });
    objects.find_map(|event| {
        let kind = event["type"].as_str()?;
        if event.get("protocolVersion").is_some() {
            return Some(Stream::Dart);
        }
        let rust = matches!(kind, "suite" | "test" | "bench") && event.get("event").is_some();
        rust.then_some(Stream::Libtest)
    })
}

/// A kind of stream.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Libtest,
    Dart,
}

pub(super) fn read(
    stream: Stream,
    text: impl BufRead,
    sink: &mut dyn Sink,
) -> Result<About, Fault> {
    let mut libtest = Libtest::default();
    let mut dart = Dart::default();
    lines::read(text, &mut |line| {
        if !line.text.trim_start().starts_with('{') {
            return Ok(());
        }
        let event: Value = match serde_json::from_str(line.text.trim()) {
            Ok(event) => event,
            Err(_) if line.cut => return Ok(()),
            Err(error) if error.is_eof() && !line.ended => {
                return Err(Fault::new("the stream breaks off in this event").hint(CUT));
            }
            Err(_) => return Ok(()),
        };
        match stream {
            Stream::Libtest => libtest.event(&event, line, sink),
            Stream::Dart => dart.event(&event, line, sink)?,
        }
        Ok(())
    })?;
    match stream {
        Stream::Libtest => libtest.finish(),
        Stream::Dart => Ok(dart.finish(sink)),
    }
}

#[derive(Default)]
struct Libtest {
    /// Suites that have started and not ended.
    open: u64,
    ended: u64,
    /// Failures told since the suite started.
    failures: u64,
    tests: u64,
}

impl Libtest {
    fn event(&mut self, event: &Value, line: lines::Line<'_>, sink: &mut dyn Sink) {
        let what = event["event"].as_str().unwrap_or_default();
        match (event["type"].as_str().unwrap_or_default(), what) {
            ("suite", "started") => {
                self.open += 1;
                sink.on_suite();
            }
            ("suite", "ok" | "failed") => {
                self.open = self.open.saturating_sub(1);
                self.ended += 1;
                if what == "failed" && self.failures == 0 {
                    let message = "the suite failed, and none of its tests did";
                    sink.on_suite_error(&SuiteFault {
                        suite: "",
                        at: line.at(),
                        message,
                    });
                }
                self.failures = 0;
            }
            ("test", "ok" | "failed" | "ignored" | "timeout") => {
                // A timeout is a warning that comes before the result.
                let state = match what {
                    "ok" => State::Passed,
                    "ignored" => State::Skipped,
                    "failed" => State::Failing(FailureKind::Failure),
                    _ => return,
                };
                self.tests += 1;
                self.failures += u64::from(what == "failed");
                let text = |key: &str| event[key].as_str().unwrap_or_default();
                // nextest writes `crate::binary$module::test`.
                let (suite, name) = text("name").split_once('$').unwrap_or(("", text("name")));
                let message = format!("{}\n{}", text("message"), text("stdout"));
                sink.on_case(&Case {
                    suite,
                    name,
                    classname: suite,
                    seconds: event["exec_time"].as_f64().map(Ok),
                    message: message.trim(),
                    ..Case::new(line.at(), state)
                });
            }
            ("bench", _) => {
                self.tests += 1;
                let name = event["name"].as_str().unwrap_or_default();
                sink.on_case(&Case {
                    name,
                    ..Case::new(line.at(), State::Passed)
                });
            }
            _ => {}
        }
    }

    fn finish(&self) -> Result<About, Fault> {
        if self.open > 0 || (self.ended == 0 && self.tests > 0) {
            return Err(Fault::new("a suite has started and not ended").hint(CUT));
        }
        Ok(About {
            format: "libtest",
            ..About::default()
        })
    }
}

#[derive(Default)]
struct Dart {
    tests: HashMap<u64, (String, String, Option<u64>, u64)>,
    suites: HashMap<u64, String>,
    messages: HashMap<u64, String>,
    done: bool,
    failed: bool,
    told_failure: bool,
}

impl Dart {
    fn event(
        &mut self,
        event: &Value,
        line: lines::Line<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Fault> {
        let id = |value: &Value| value.as_u64().unwrap_or_default();
        match event["type"].as_str().unwrap_or_default() {
            "suite" => {
                sink.on_suite();
                let path = event["suite"]["path"].as_str().unwrap_or_default();
                self.suites
                    .insert(id(&event["suite"]["id"]), path.to_owned());
            }
            "testStart" => {
                if self.tests.len() >= MOST_FOLDED {
                    return Err(Fault::new(format!(
                        "more than {MOST_FOLDED} tests are open"
                    )));
                }
                let test = &event["test"];
                let suite = self.suites.get(&id(&test["suiteID"])).cloned();
                let name = test["name"].as_str().unwrap_or_default().to_owned();
                let place = test["root_line"].as_u64().or(test["line"].as_u64());
                let began = event["time"].as_u64().unwrap_or_default();
                let test_id = id(&test["id"]);
                self.tests
                    .insert(test_id, (name, suite.unwrap_or_default(), place, began));
            }
            "error" => {
                let message = self.messages.entry(id(&event["testID"])).or_default();
                if message.len() < 4_096 {
                    message.push_str(event["error"].as_str().unwrap_or_default());
                }
            }
            "testDone" => self.test_done(event, line, sink),
            "done" => {
                self.done = true;
                self.failed = event["success"] == Value::Bool(false);
            }
            _ => {}
        }
        Ok(())
    }

    fn test_done(&mut self, event: &Value, line: lines::Line<'_>, sink: &mut dyn Sink) {
        let id = event["testID"].as_u64().unwrap_or_default();
        let message = self.messages.remove(&id).unwrap_or_default();
        let (name, file, place, began) = self.tests.remove(&id).unwrap_or_default();
        let skipped = event["skipped"] == Value::Bool(true);
        let state = match event["result"].as_str().unwrap_or_default() {
            "success" if skipped => State::Skipped,
            "success" => State::Passed,
            "failure" => State::Failing(FailureKind::Failure),
            _ => State::Failing(FailureKind::Error),
        };
        self.told_failure |= matches!(state, State::Failing(_));
        if event["hidden"] == Value::Bool(true) {
            // Loading a suite and its set-up are hidden tests; only their failure is of interest.
            if matches!(state, State::Failing(_)) {
                let suite = name.as_str();
                sink.on_suite_error(&SuiteFault {
                    suite,
                    at: line.at(),
                    message: &message,
                });
            }
            return;
        }
        let ended = event["time"].as_u64().unwrap_or(began);
        sink.on_case(&Case {
            suite: &file,
            name: &name,
            file: &file,
            line: place,
            seconds: Some(Ok(ended.saturating_sub(began) as f64 / 1e3)),
            message: &message,
            ..Case::new(line.at(), state)
        });
    }

    fn finish(&self, sink: &mut dyn Sink) -> About {
        let at = Position { line: 1, column: 1 };
        let mut error = |message| {
            sink.on_suite_error(&SuiteFault {
                suite: "",
                at,
                message,
            });
        };
        if !self.done {
            error("the stream has no `done` event, so the run did not come to its end");
        } else if self.failed && !self.told_failure {
            error("the run failed, and none of its tests did");
        }
        About {
            format: "dart",
            ..About::default()
        }
    }
}
