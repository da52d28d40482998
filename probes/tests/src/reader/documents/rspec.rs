//! RSpec's `--format json`.

use serde_json::Value;

use super::{Out, case, claims, count, list, seconds, text};
use crate::{
    measurement::FailureKind,
    reader::{About, Case, State},
};

pub(super) fn read(document: &Value, out: &mut Out<'_>) -> About {
    out.suite();
    for example in list(document, "examples") {
        let state = match text(example, "status") {
            "passed" => State::Passed,
            "pending" => State::Skipped,
            _ => State::Failing(FailureKind::Failure),
        };
        let file = text(example, "file_path");
        let full = text(example, "full_description");
        let name = text(example, "description");
        out.case(&Case {
            suite: file,
            name,
            classname: full.strip_suffix(name).unwrap_or_default().trim(),
            file,
            line: example["line_number"].as_u64(),
            seconds: seconds(&example["run_time"]),
            message: text(&example["exception"], "message"),
            ..case(state)
        });
    }
    let summary = &document["summary"];
    let outside = count(summary, "errors_outside_of_examples_count");
    if outside > 0 {
        let mut messages = list(document, "messages").filter_map(Value::as_str);
        let message = messages
            .next()
            .unwrap_or("an error outside of the examples");
        for _ in 0..outside.min(100) {
            out.suite_error("", message);
        }
    }
    let (all, failed) = (
        count(summary, "example_count"),
        count(summary, "failure_count"),
    );
    let pending = count(summary, "pending_count");
    out.claim(all.saturating_sub(pending), failed);
    About {
        format: "rspec",
        claims: claims(all, failed, pending),
        ..About::default()
    }
}
