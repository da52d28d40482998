//! `coverage json` of coverage.py.

use readygate_reports::Fault;
use serde_json::Value;

use super::json::{Object, line, number};
use crate::model::{Count, Counts, FileCoverage, Report};

pub(super) fn read(document: &Object) -> Result<Report, Fault> {
    let meta = document.get("meta");
    let branches = meta
        .and_then(|meta| meta.get("branch_coverage"))
        .and_then(Value::as_bool);
    let made = meta
        .and_then(|meta| meta.get("timestamp"))
        .and_then(Value::as_str);
    let mut report = Report {
        format: "coverage-py",
        carries_branches: branches.unwrap_or(false),
        started: made.and_then(readygate_reports::started),
        ..Report::default()
    };
    let files = document.get("files").and_then(Value::as_object);
    for (path, entry) in files.ok_or_else(|| Fault::new("`files` is no object"))? {
        let (file, functions) = one(entry).ok_or_else(|| {
            let path = readygate_reports::clip(path, 100);
            Fault::new(format!("the entry of {path} is not of coverage.py's shape"))
        })?;
        report.carries_functions |= functions;
        report.file(path).merge(file);
    }
    let totals = document.get("totals").unwrap_or(&Value::Null);
    report.totals = Counts {
        lines: Some(Count::new(
            number(totals, "covered_lines")?,
            number(totals, "num_statements")?,
        )),
        branches: match totals.get("num_branches") {
            None => None,
            Some(_) => Some(Count::new(
                number(totals, "covered_branches")?,
                number(totals, "num_branches")?,
            )),
        },
        functions: None,
    };
    Ok(report)
}

/// A file, and whether it tells about functions.
fn one(entry: &Value) -> Option<(FileCoverage, bool)> {
    let mut file = FileCoverage::default();
    for (key, hit) in [("executed_lines", true), ("missing_lines", false)] {
        for number in entry.get(key)?.as_array()? {
            file.line(line(number)?, hit);
        }
    }
    for (key, taken) in [("executed_branches", true), ("missing_branches", false)] {
        for pair in entry
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let (from, to) = (pair.get(0)?, pair.get(1)?);
            file.branch(line(from)?, to.to_string(), taken);
        }
    }
    let functions = entry.get("functions").and_then(Value::as_object);
    for (name, function) in functions.into_iter().flatten() {
        let some = |key: &str| {
            let lines = function.get(key).and_then(Value::as_array);
            lines.is_some_and(|lines| !lines.is_empty())
        };
        let hit = some("executed_lines");
        // The empty name stands for what is in no function.
        if !name.is_empty() && (hit || some("missing_lines")) {
            file.function(name.as_str(), hit);
        }
    }
    Some((file, functions.is_some()))
}
