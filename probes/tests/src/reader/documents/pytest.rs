//! pytest-json-report.

use readygate_reports::Started;
use serde_json::Value;

use super::{Out, case, claims, count, list, text};
use crate::{
    measurement::FailureKind,
    reader::{About, Case, State},
};

pub(super) fn read(document: &Value, out: &mut Out<'_>) -> About {
    out.suite();
    for test in list(document, "tests") {
        tell(test, out);
    }
    for collector in list(document, "collectors") {
        if !matches!(text(collector, "outcome"), "passed" | "skipped") {
            out.suite_error(text(collector, "nodeid"), text(collector, "longrepr"));
        }
    }
    let code = document["exitcode"].as_i64().unwrap_or(-1);
    // 1 is failed tests, 5 is none collected.
    if code != 0 && code != 5 && !out.fails() {
        let message = format!("pytest ended with exit code {code}, and no test failed");
        out.suite_error("", &message);
    }
    let summary = &document["summary"];
    let failed = count(summary, "failed") + count(summary, "error");
    let skipped = count(summary, "skipped") + count(summary, "xfailed");
    let ran = count(summary, "passed") + count(summary, "xpassed") + failed;
    out.claim(ran, failed);
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds")]
    let made = document["created"].as_f64().map(|n| n as i64);
    let made = made.and_then(|n| jiff::Timestamp::from_second(n).ok());
    About {
        format: "pytest-json",
        claims: claims(count(summary, "total"), failed, skipped),
        started: made.map(|at| Started {
            at,
            zoneless: false,
        }),
        ..About::default()
    }
}

fn tell(test: &Value, out: &mut Out<'_>) {
    let state = match text(test, "outcome") {
        "passed" | "xpassed" => State::Passed,
        // An expected failure is no evidence that anything works.
        "skipped" | "xfailed" => State::Skipped,
        "failed" => State::Failing(FailureKind::Failure),
        _ => State::Failing(FailureKind::Error),
    };
    let phases = ["setup", "call", "teardown"];
    let seconds = phases
        .iter()
        .filter_map(|phase| test[phase]["duration"].as_f64());
    let crash = phases.iter().map(|phase| &test[phase]["crash"]);
    let crash = crash
        .into_iter()
        .find(|crash| crash.is_object())
        .unwrap_or(&Value::Null);
    let node = text(test, "nodeid");
    let (file, name) = node.split_once("::").unwrap_or(("", node));
    out.case(&Case {
        suite: file,
        name,
        file: match text(crash, "path") {
            "" => file,
            path => path,
        },
        line: crash["lineno"].as_u64().or(test["lineno"].as_u64()),
        seconds: Some(Ok(seconds.sum())),
        message: text(crash, "message"),
        ..case(state)
    });
}
