//! Playwright's `--reporter=json`.

use readygate_reports::{Fault, started};
use serde_json::Value;

use super::{DEEPEST, Out, case, claims, count, list, millis, text};
use crate::{
    measurement::FailureKind,
    reader::{About, Case, State},
};

pub(super) fn read(document: &Value, out: &mut Out<'_>) -> Result<About, Fault> {
    for suite in list(document, "suites") {
        one(suite, "", 0, out)?;
    }
    // A file that does not load, a global set-up, a web server that does not start.
    for error in list(document, "errors") {
        let message = match text(error, "message") {
            "" => text(error, "value"),
            message => message,
        };
        out.suite_error(text(&error["location"], "file"), message);
    }
    let stats = &document["stats"];
    let (failed, flaky) = (count(stats, "unexpected"), count(stats, "flaky"));
    let ran = count(stats, "expected") + failed + flaky;
    out.claim(ran, failed);
    let metadata = &document["config"]["metadata"];
    let commit = match text(&metadata["gitCommit"], "hash") {
        "" => text(&metadata["ci"], "commitHash"),
        commit => commit,
    };
    let skipped = count(stats, "skipped");
    Ok(About {
        format: "playwright",
        claims: claims(ran + skipped, failed, skipped),
        started: started(text(stats, "startTime")),
        commit: (!commit.is_empty()).then(|| commit.to_owned()),
        ..About::default()
    })
}

fn one(suite: &Value, above: &str, depth: usize, out: &mut Out<'_>) -> Result<(), Fault> {
    if depth > DEEPEST {
        return Err(Fault::new(format!(
            "suites are nested deeper than {DEEPEST}"
        )));
    }
    out.suite();
    let title = match (above, text(suite, "title")) {
        ("", title) => title.to_owned(),
        (above, title) => format!("{above} > {title}"),
    };
    for spec in list(suite, "specs") {
        for test in list(spec, "tests") {
            tell(spec, test, &title, out);
        }
    }
    for inner in list(suite, "suites") {
        one(inner, &title, depth + 1, out)?;
    }
    Ok(())
}

fn tell(spec: &Value, test: &Value, suite: &str, out: &mut Out<'_>) {
    let state = match text(test, "status") {
        "expected" | "flaky" => State::Passed,
        // A run that was stopped midway calls what it did not end skipped.
        "skipped" if list(test, "results").any(|r| text(r, "status") == "interrupted") => {
            State::Failing(FailureKind::Error)
        }
        "skipped" => State::Skipped,
        _ => State::Failing(FailureKind::Failure),
    };
    let last = list(test, "results").last().unwrap_or(&Value::Null);
    let message = match text(&last["error"], "message") {
        "" => list(last, "errors")
            .map(|e| text(e, "message"))
            .find(|m| !m.is_empty()),
        message => Some(message),
    };
    let message = match (message, text(last, "status")) {
        (Some(message), _) => plain(message),
        (None, "timedOut") => "it timed out".to_owned(),
        (None, status) => status.to_owned(),
    };
    let project = text(test, "projectName");
    let name = match project {
        "" => text(spec, "title").to_owned(),
        project => format!("[{project}] {}", text(spec, "title")),
    };
    out.case(&Case {
        suite,
        name: &name,
        classname: suite,
        file: text(spec, "file"),
        line: spec["line"].as_u64(),
        flaky: text(test, "status") == "flaky",
        seconds: millis(&last["duration"]),
        message: &message,
        ..case(state)
    });
}

/// Without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or(after.len(), |at| at + 1);
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}
