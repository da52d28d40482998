//! Jest's `--json` and Vitest's `--reporter=json`.

use serde_json::Value;

use super::{Out, case, claims, count, epoch_millis, list, millis, text};
use crate::{
    measurement::FailureKind,
    reader::{About, Case, State},
};

pub(super) fn read(document: &Value, out: &mut Out<'_>) -> About {
    for file in list(document, "testResults") {
        one_file(file, out);
    }
    let failed = count(document, "numFailedTests");
    let passed = count(document, "numPassedTests");
    out.claim(failed + passed, failed);
    if document["wasInterrupted"] == Value::Bool(true) {
        out.suite_error("", "the run was interrupted");
    }
    let broken = count(document, "numRuntimeErrorTestSuites");
    if broken > 0 && out.seen.suite_errors == 0 {
        let message = format!("{broken} test suites could not be run");
        out.suite_error("", &message);
    }
    for error in list(document, "unhandledErrors") {
        out.suite_error("", text(error, "message"));
    }
    if document["success"] == Value::Bool(false) && !out.fails() {
        let message = "`success` is false, and no test failed: an unhandled error, a coverage \
                       limit, an obsolete snapshot or a hook";
        out.suite_error("", message);
    }
    let skipped = count(document, "numPendingTests") + count(document, "numTodoTests");
    About {
        format: "jest",
        claims: claims(count(document, "numTotalTests"), failed, skipped),
        started: epoch_millis(&document["startTime"]),
        ..About::default()
    }
}

fn one_file(file: &Value, out: &mut Out<'_>) {
    out.suite();
    let path = match text(file, "name") {
        "" => text(file, "testFilePath"),
        path => path,
    };
    let mut failed = false;
    for test in list(file, "assertionResults").chain(list(file, "testResults")) {
        let state = match text(test, "status") {
            "passed" => State::Passed,
            "pending" | "skipped" | "todo" | "disabled" => State::Skipped,
            _ => State::Failing(FailureKind::Failure),
        };
        failed |= matches!(state, State::Failing(_));
        let mut messages = list(test, "failureMessages");
        let message = messages.next().and_then(Value::as_str).unwrap_or_default();
        let groups: Vec<&str> = list(test, "ancestorTitles")
            .filter_map(Value::as_str)
            .collect();
        let invocations = test["invocations"].as_u64().unwrap_or(1);
        let retried = invocations > 1
            || test["retryReasons"]
                .as_array()
                .is_some_and(|r| !r.is_empty());
        out.case(&Case {
            suite: path,
            name: match text(test, "title") {
                "" => text(test, "fullName"),
                title => title,
            },
            classname: &groups.join(" > "),
            file: path,
            line: test["location"]["line"].as_u64(),
            flaky: state == State::Passed && retried,
            seconds: millis(&test["duration"]),
            message,
            ..case(state)
        });
    }
    // A file that could not be loaded has no tests, and nothing else in the report looks wrong.
    let error = &file["testExecError"];
    if error.is_object() || (text(file, "status") == "failed" && !failed) {
        let message = match (text(file, "message"), text(error, "message")) {
            ("", "") => "the file could not be run",
            ("", message) | (message, _) => message,
        };
        out.suite_error(path, message);
    }
}
