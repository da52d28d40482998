//! CTRF, the Common Test Report Format.

use serde_json::Value;

use super::{Out, case, claims, count, epoch_millis, list, millis, text};
use crate::{
    measurement::FailureKind,
    reader::{About, Case, State},
};

pub(super) fn read(document: &Value, out: &mut Out<'_>) -> About {
    let results = &document["results"];
    out.suite();
    for test in list(results, "tests") {
        let state = match text(test, "status") {
            "passed" => State::Passed,
            "skipped" | "pending" => State::Skipped,
            "failed" => State::Failing(FailureKind::Failure),
            // `other`, and what no version of the format knows.
            _ => State::Failing(FailureKind::Error),
        };
        let suite = match &test["suite"] {
            Value::String(suite) => suite.clone(),
            suite => {
                let parts = suite.as_array().into_iter().flatten();
                parts
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(" > ")
            }
        };
        let message = match text(test, "message") {
            "" => text(test, "trace"),
            message => message,
        };
        let retried = test["retries"].as_u64().is_some_and(|n| n > 0);
        out.case(&Case {
            suite: &suite,
            name: text(test, "name"),
            classname: &suite,
            file: text(test, "filePath"),
            line: test["line"].as_u64(),
            flaky: state == State::Passed && (retried || test["flaky"] == Value::Bool(true)),
            seconds: millis(&test["duration"]),
            message,
            ..case(state)
        });
    }
    let summary = &results["summary"];
    let failed = count(summary, "failed") + count(summary, "other");
    out.claim(count(summary, "passed") + failed, failed);
    let skipped = count(summary, "skipped") + count(summary, "pending");
    let commit = text(&results["environment"], "commit");
    About {
        format: "ctrf",
        claims: claims(count(summary, "tests"), failed, skipped),
        started: epoch_millis(&summary["start"]),
        commit: (!commit.is_empty()).then(|| commit.to_owned()),
        ..About::default()
    }
}
