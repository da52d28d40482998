//! Mocha's `--reporter json`, and Mochawesome.

use readygate_reports::{Fault, started};
use serde_json::Value;

use super::{DEEPEST, Out, case, claims, count, list, millis, text};
use crate::{
    measurement::FailureKind,
    reader::{About, Case, State},
};

pub(super) fn read(document: &Value, out: &mut Out<'_>) -> Result<About, Fault> {
    if document["tests"].is_array() {
        flat(document, out);
    } else {
        for root in list(document, "results") {
            nested(root, "", "", 0, out)?;
        }
    }
    let stats = &document["stats"];
    let (passes, failures) = (count(stats, "passes"), count(stats, "failures"));
    out.claim(passes + failures, failures);
    // A hook that fails counts as a failure and not as a test.
    out.claimed_runs = out.claimed_runs.saturating_sub(out.seen.suite_errors);
    out.claimed_failures = failures.saturating_sub(out.seen.suite_errors);
    let pending = count(stats, "pending") + count(stats, "skipped");
    Ok(About {
        format: "mocha",
        claims: claims(count(stats, "tests"), failures, pending),
        started: started(text(stats, "start")),
        ..About::default()
    })
}

/// Mocha lists every test, and those of each outcome again.
fn flat(document: &Value, out: &mut Out<'_>) {
    let same = |a: &Value, b: &Value| {
        text(a, "fullTitle") == text(b, "fullTitle") && text(a, "file") == text(b, "file")
    };
    let key = |test: &Value| {
        (
            text(test, "fullTitle").to_owned(),
            text(test, "file").to_owned(),
        )
    };
    let keys = |list_name: &str| {
        let mut map = std::collections::HashMap::new();
        for test in list(document, list_name) {
            *map.entry(key(test)).or_insert(0_u64) += 1;
        }
        map
    };
    let (mut pending, mut failures) = (keys("pending"), keys("failures"));
    for test in list(document, "tests") {
        let take = |map: &mut std::collections::HashMap<_, u64>| {
            let left = map.get_mut(&key(test)).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        };
        let failed = take(&mut failures) || !text(&test["err"], "message").is_empty();
        let state = if failed {
            State::Failing(FailureKind::Failure)
        } else if take(&mut pending) {
            State::Skipped
        } else {
            State::Passed
        };
        tell(test, "", state, out);
    }
    for failure in list(document, "failures") {
        // What failed and is no test is a hook.
        if !list(document, "tests").any(|test| same(test, failure)) {
            out.suite_error(text(failure, "fullTitle"), text(&failure["err"], "message"));
        }
    }
}

/// Mochawesome nests suites.
fn nested(
    suite: &Value,
    above: &str,
    file_above: &str,
    depth: usize,
    out: &mut Out<'_>,
) -> Result<(), Fault> {
    if depth > DEEPEST {
        return Err(Fault::new(format!(
            "suites are nested deeper than {DEEPEST}"
        )));
    }
    if depth > 0 {
        out.suite();
    }
    let title = match (above, text(suite, "title")) {
        ("", title) => title.to_owned(),
        (above, "") => above.to_owned(),
        (above, title) => format!("{above} > {title}"),
    };
    let file = match text(suite, "file") {
        "" => file_above,
        file => file,
    };
    for test in list(suite, "tests") {
        let yes = |key: &str| test[key] == Value::Bool(true);
        let state = match text(test, "state") {
            "failed" => State::Failing(FailureKind::Failure),
            "pending" | "skipped" => State::Skipped,
            "passed" => State::Passed,
            _ if yes("fail") => State::Failing(FailureKind::Failure),
            _ if yes("pass") => State::Passed,
            _ => State::Skipped,
        };
        tell_in(test, &title, file, state, out);
    }
    for hook in list(suite, "beforeHooks").chain(list(suite, "afterHooks")) {
        if text(hook, "state") == "failed" || hook["fail"] == Value::Bool(true) {
            out.suite_error(&title, text(&hook["err"], "message"));
        }
    }
    for inner in list(suite, "suites") {
        nested(inner, &title, file, depth + 1, out)?;
    }
    Ok(())
}

fn tell(test: &Value, group: &str, state: State, out: &mut Out<'_>) {
    tell_in(test, group, text(test, "file"), state, out);
}

fn tell_in(test: &Value, group: &str, file: &str, state: State, out: &mut Out<'_>) {
    let full = text(test, "fullTitle");
    let title = text(test, "title");
    let class = full.strip_suffix(title).unwrap_or(group).trim();
    let retried = test["currentRetry"].as_u64().is_some_and(|n| n > 0);
    out.case(&Case {
        name: title,
        classname: class,
        file,
        flaky: state == State::Passed && retried,
        seconds: millis(&test["duration"]),
        message: text(&test["err"], "message"),
        ..case(state)
    });
}
