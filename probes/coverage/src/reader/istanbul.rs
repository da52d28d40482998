//! Istanbul: `coverage-final.json` and `coverage-summary.json`.

use readygate_reports::Fault;
use serde_json::Value;

use super::json::{Object, is_hit, line, number};
use crate::model::{Count, Counts, FileCoverage, Report};

/// The full map.
pub(super) fn read(document: &Object) -> Result<Report, Fault> {
    let mut report = Report {
        format: "istanbul",
        carries_branches: true,
        carries_functions: true,
        ..Report::default()
    };
    for (key, value) in document {
        // Some writers wrap a file's data.
        let data = value
            .get("data")
            .filter(|data| data.is_object())
            .unwrap_or(value);
        let path = data.get("path").and_then(Value::as_str).unwrap_or(key);
        let file = one(data).ok_or_else(|| {
            let path = readygate_reports::clip(path, 100);
            Fault::new(format!("the entry of {path} is not of Istanbul's shape"))
        })?;
        report.file(path).merge(file);
    }
    Ok(report)
}

fn one(data: &Value) -> Option<FileCoverage> {
    let mut file = FileCoverage::default();
    let counts = data.get("s")?;
    for (id, place) in data.get("statementMap")?.as_object()? {
        file.line(start(place)?, is_hit(counts.get(id)?)?);
    }
    if let (Some(map), Some(counts)) = (data.get("fnMap"), data.get("f")) {
        for (id, function) in map.as_object()? {
            let name = function
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let place = function.get("loc").or(function.get("decl")).and_then(start);
            let key = format!("{id} {name} {}", place.unwrap_or_default());
            file.function(key, is_hit(counts.get(id)?)?);
        }
    }
    if let (Some(map), Some(counts)) = (data.get("branchMap"), data.get("b")) {
        for (id, branch) in map.as_object()? {
            let at = branch.get("loc").and_then(start);
            let at = at
                .or_else(|| branch.get("line").and_then(line))
                .unwrap_or_default();
            for (arm, count) in counts.get(id)?.as_array()?.iter().enumerate() {
                file.branch(at, format!("{id} {arm}"), is_hit(count)?);
            }
        }
    }
    Some(file)
}

fn start(place: &Value) -> Option<u32> {
    line(place.get("start")?.get("line")?)
}

/// The summary: counts of each file and of all.
pub(super) fn read_summary(document: &Object) -> Result<Report, Fault> {
    let mut report = Report {
        format: "istanbul-summary",
        carries_branches: true,
        carries_functions: true,
        ..Report::default()
    };
    for (path, entry) in document {
        let counts = Counts {
            lines: Some(count(entry, "lines")?),
            branches: Some(count(entry, "branches")?),
            functions: Some(count(entry, "functions")?),
        };
        if path == "total" {
            report.totals = counts;
        } else {
            report.file(path).summary = counts;
        }
    }
    Ok(report)
}

fn count(entry: &Value, key: &str) -> Result<Count, Fault> {
    let part = entry
        .get(key)
        .ok_or_else(|| Fault::new(format!("an entry without `{key}`")))?;
    Ok(Count::new(number(part, "covered")?, number(part, "total")?))
}
