//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>) of a vulnerability scanner.

use serde_json::Value;

use super::{Fault, Reading, finding, list, text};
use crate::{measurement::cap, severity::Severity, text::clip};

pub(super) fn detect(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    document
        .get("runs")
        .is_some_and(|runs| runs.is_array() || runs.is_null())
        && (document.get("version").is_some() || document.get("$schema").is_some())
}

pub(super) fn read(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let mut reading = Reading::default();
    let runs = list(document, "runs");
    if runs.is_empty() {
        return Err(Fault::new("it has no run"));
    }
    for run in runs {
        let failed = list(run, "invocations")
            .iter()
            .find(|i| i.get("executionSuccessful") == Some(&Value::Bool(false)));
        if let Some(failed) = failed {
            let mut notes = list(failed, "toolExecutionNotifications")
                .iter()
                .chain(list(failed, "toolConfigurationNotifications"));
            let told = notes.find_map(|note| text(note.get("message")?, "text"));
            return Err(Fault::auditor(
                told.unwrap_or("`executionSuccessful` is false"),
            ));
        }
        if run.get("results").is_none_or(Value::is_null) {
            return Err(Fault::new("a run has no `results`: it did not come to any"));
        }
        for result in list(run, "results") {
            add(&mut reading, run, result);
        }
    }
    Ok(reading)
}

fn add(reading: &mut Reading, run: &Value, result: &Value) {
    let rule = rule(run, result);
    if text(result, "kind").is_some_and(|kind| kind != "fail")
        || text(result, "baselineState") == Some("absent")
    {
        return;
    }
    let severity = severity(result, rule);
    // Section 3.27.23: one that is rejected or under review undoes the others.
    let suppressions = list(result, "suppressions");
    let suppressed = !suppressions.is_empty()
        && suppressions
            .iter()
            .all(|s| !matches!(text(s, "status"), Some("rejected" | "underReview")));
    if suppressed {
        reading.suppressed.add(severity.1);
        return;
    }
    let id = text(result, "ruleId")
        .or_else(|| result.get("rule").and_then(|r| text(r, "id")))
        .or_else(|| rule.and_then(|r| text(r, "id")))
        .unwrap_or("unnamed");
    let properties = result.get("properties").unwrap_or(&Value::Null);
    let place = list(result, "locations").first();
    let uri = place
        .and_then(|l| text(l.get("physicalLocation")?.get("artifactLocation")?, "uri"))
        .unwrap_or_default();
    let package = ["packageName", "package", "name"]
        .iter()
        .find_map(|key| text(properties, key))
        .unwrap_or(uri);
    let mut found = finding(
        id,
        package,
        text(properties, "version").unwrap_or_default(),
        severity.1,
    );
    found.score = severity.0;
    let message = result
        .get("message")
        .and_then(|message| text(message, "text"))
        .unwrap_or_default();
    found.title = clip(
        message
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default(),
        cap::TEXT,
    );
    found.path = super::path([uri].into_iter().filter(|uri| *uri != package));
    reading.add(found);
}

/// By index, then by id; an id may be hierarchical (`CA1000/1`).
fn rule<'a>(run: &'a Value, result: &'a Value) -> Option<&'a Value> {
    let tool = run.get("tool")?;
    let reference = result.get("rule");
    let component = reference.and_then(|r| r.get("toolComponent")?.get("index")?.as_u64());
    let driver = match component {
        Some(at) => list(tool, "extensions").get(usize::try_from(at).ok()?)?,
        None => tool.get("driver")?,
    };
    let index = result
        .get("ruleIndex")
        .or_else(|| reference?.get("index"))
        .and_then(Value::as_u64);
    if let Some(found) = index.and_then(|at| list(driver, "rules").get(usize::try_from(at).ok()?)) {
        return Some(found);
    }
    let id = text(result, "ruleId").or_else(|| text(reference?, "id"))?;
    let all = [driver].into_iter().chain(list(tool, "extensions"));
    let mut rules = all.flat_map(|component| list(component, "rules"));
    rules.find(|rule| {
        text(rule, "id").is_some_and(|known| {
            known == id
                || id
                    .strip_prefix(known)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    })
}

/// `security-severity` where there is one, else the level.
fn severity(result: &Value, rule: Option<&Value>) -> (Option<f64>, Severity) {
    let of = |place: &Value| Severity::from_any(place.get("properties")?.get("security-severity")?);
    if let Some(found) = of(result).or_else(|| of(rule?)) {
        return found;
    }
    let tool_label = |place: &Value| {
        let label = text(place.get("properties")?, "severity")?;
        Some(Severity::from_label(label)).filter(|label| *label != Severity::Unknown)
    };
    if let Some(label) = tool_label(result).or_else(|| tool_label(rule?)) {
        return (None, label);
    }
    let default = || text(rule?.get("defaultConfiguration")?, "level");
    (
        None,
        Severity::from_label(text(result, "level").or_else(default).unwrap_or("warning")),
    )
}
