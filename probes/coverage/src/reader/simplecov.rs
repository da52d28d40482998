//! SimpleCov's `.resultset.json`: one result for each test command.

use readygate_reports::Fault;
use serde_json::Value;

use super::{
    epoch,
    json::{Object, is_hit, line},
};
use crate::model::{FileCoverage, Report};

pub(super) fn read(document: &Object) -> Result<Report, Fault> {
    let mut report = Report {
        format: "simplecov",
        ..Report::default()
    };
    for (command, result) in document {
        let coverage = result.get("coverage").and_then(Value::as_object);
        let coverage = coverage.ok_or_else(|| {
            let command = readygate_reports::clip(command, 60);
            Fault::new(format!("the result of `{command}` has no `coverage`"))
        })?;
        let made = result
            .get("timestamp")
            .and_then(Value::as_f64)
            .and_then(epoch);
        let both = report.started.into_iter().chain(made);
        report.started = both.min_by_key(|started| started.at);
        for (path, entry) in coverage {
            let file = one(entry, &mut report).ok_or_else(|| {
                let path = readygate_reports::clip(path, 100);
                Fault::new(format!("the entry of {path} is not of SimpleCov's shape"))
            })?;
            report.file(path).merge(file);
        }
    }
    Ok(report)
}

fn one(entry: &Value, report: &mut Report) -> Option<FileCoverage> {
    let mut file = FileCoverage::default();
    let lines = entry
        .as_array()
        .or_else(|| entry.get("lines")?.as_array())?;
    for (number, hits) in (1..).zip(lines) {
        // `null` is no code, and `"ignored"` is left out by a comment.
        match hits {
            Value::Null | Value::String(_) => {}
            hits => file.line(number, is_hit(hits)?),
        }
    }
    if let Some(branches) = entry.get("branches").and_then(Value::as_object) {
        report.carries_branches = true;
        for (condition, arms) in branches {
            for (arm, hits) in arms.as_object()? {
                let at = place(condition).unwrap_or_default();
                file.branch(at, format!("{condition} {arm}"), is_hit(hits)?);
            }
        }
    }
    if let Some(methods) = entry.get("methods").and_then(Value::as_object) {
        report.carries_functions = true;
        for (method, hits) in methods {
            file.function(method.as_str(), is_hit(hits)?);
        }
    }
    Some(file)
}

/// The first line of `[:if, 0, 3, 4, 5, 6]`.
fn place(condition: &str) -> Option<u32> {
    let number: u64 = condition.split(',').nth(2)?.trim().parse().ok()?;
    line(&Value::from(number))
}
