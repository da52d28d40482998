//! `cargo audit --json`, `cargo deny --format json check`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Fault, Reading, count, entries, finding, list, text, texts};
use crate::{
    measurement::{Finding, cap},
    severity::Severity,
    text::clip,
};

pub(super) fn is_audit(documents: &[Value]) -> bool {
    let Some(document) = documents.first() else {
        return false;
    };
    document
        .get("vulnerabilities")
        .is_some_and(|v| v.get("list").is_some())
        && document.get("lockfile").is_some()
}

pub(super) fn audit(documents: &[Value]) -> Result<Reading, Fault> {
    let mut reading = Reading::default();
    for document in documents {
        let Some(vulnerabilities) = document.get("vulnerabilities") else {
            return Err(Fault::new("it has no `vulnerabilities`"));
        };
        if document
            .get("database")
            .and_then(|database| count(database, "advisory-count"))
            == Some(0)
        {
            return Err(Fault::auditor("its database holds no advisory"));
        }
        let found = list(vulnerabilities, "list");
        for entry in found {
            reading.add(advisory(entry));
        }
        for (kind, warnings) in entries(document, "warnings") {
            for entry in warnings.as_array().into_iter().flatten() {
                let mut notice = advisory(entry);
                notice.notice = Some(clip(kind, cap::NAME));
                if notice.id.is_empty() {
                    notice.id = format!("{kind}:{}", notice.package);
                }
                reading.add(notice);
            }
        }
        let claimed = count(vulnerabilities, "count").unwrap_or(0);
        let says_found = vulnerabilities
            .get("found")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        if found.is_empty() && (claimed > 0 || says_found) {
            reading.contradiction = Some(format!("it says {claimed} were found and lists none"));
        }
        let audited = document
            .get("lockfile")
            .and_then(|lock| count(lock, "dependency-count"));
        reading.audited = audited
            .map(|n| n + reading.audited.unwrap_or(0))
            .or(reading.audited);
    }
    Ok(reading)
}

fn advisory(entry: &Value) -> Finding {
    let advisory = entry.get("advisory").unwrap_or(&Value::Null);
    let package = entry.get("package").unwrap_or(&Value::Null);
    let mut found = finding(
        text(advisory, "id").unwrap_or_default(),
        text(package, "name")
            .or_else(|| text(advisory, "package"))
            .unwrap_or_default(),
        text(package, "version").unwrap_or_default(),
        Severity::Unknown,
    );
    describe(&mut found, advisory);
    found.fixed = entry
        .get("versions")
        .map(|versions| texts(versions, "patched"))
        .unwrap_or_default();
    found
}

fn describe(found: &mut Finding, advisory: &Value) {
    found.aliases = texts(advisory, "aliases");
    found.title = clip(text(advisory, "title").unwrap_or_default(), cap::TEXT);
    if let Some((score, severity)) = text(advisory, "cvss").and_then(Severity::from_vector) {
        found.score = Some(score);
        found.severity = severity;
    }
    if let Some(kind) = text(advisory, "informational") {
        found.notice = Some(clip(kind, cap::NAME));
    }
}

pub(super) fn is_deny(documents: &[Value]) -> bool {
    let line = |document: &Value| {
        matches!(
            text(document, "type"),
            Some("diagnostic" | "summary" | "log")
        ) && document.get("fields").is_some()
    };
    !documents.is_empty() && documents.iter().all(line)
}

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(super) fn deny(documents: &[Value]) -> Result<Reading, Fault> {
    let of_type = |kind: &'static str| {
        documents
            .iter()
            .filter(move |d| text(d, "type") == Some(kind))
            .filter_map(|d| d.get("fields"))
    };
    if let Some(error) = of_type("log").find(|fields| text(fields, "level") == Some("ERROR")) {
        return Err(Fault::auditor(text(error, "message").unwrap_or_default()));
    }
    let Some(summary) = of_type("summary").next_back() else {
        return Err(Fault::new(
            "it has no `summary`, with which cargo-deny ends; was it cut off?",
        ));
    };
    let Some(counts) = summary.get("advisories") else {
        return Err(Fault::hinted(
            "cargo-deny did not check advisories",
            "run `cargo deny --format json check advisories`",
        ));
    };
    let mut reading = Reading::default();
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    for fields in of_type("diagnostic") {
        let Some(advisory) = fields.get("advisory").filter(|a| a.is_object()) else {
            continue;
        };
        let code = text(fields, "code").unwrap_or_default();
        if code == "advisory-ignored" || code == "advisory-not-detected" {
            reading.suppressed.add(Severity::Unknown);
            continue;
        }
        let graph = list(fields, "graphs").first();
        let node = graph
            .and_then(|graph| graph.get("Krate"))
            .unwrap_or(&Value::Null);
        let mut found = finding(
            text(advisory, "id").unwrap_or_default(),
            text(node, "name")
                .or_else(|| text(advisory, "package"))
                .unwrap_or_default(),
            text(node, "version").unwrap_or_default(),
            Severity::Unknown,
        );
        describe(&mut found, advisory);
        found.path = graph.map(way).unwrap_or_default();
        if code != "vulnerability" && found.notice.is_none() {
            found.notice = Some(clip(code, cap::NAME));
        }
        *crates.entry(found.package_version()).or_default() += 1;
        reading.add(found);
    }
    let errors = count(counts, "errors").unwrap_or(0);
    let yanked = of_type("diagnostic")
        .filter(|fields| text(fields, "code") == Some("yanked"))
        .count() as u64;
    if errors > yanked && reading.entries.is_empty() {
        reading.contradiction = Some(format!(
            "its summary counts {errors} errors and it lists no advisory"
        ));
    }
    Ok(reading)
}

/// Up the first parents to the project.
fn way(graph: &Value) -> Vec<String> {
    let mut steps = Vec::new();
    let mut node = Some(graph);
    while let Some(at) = node.filter(|_| steps.len() < cap::PATH) {
        if let Some(krate) = at.get("Krate") {
            let (name, version) = (
                text(krate, "name").unwrap_or_default(),
                text(krate, "version").unwrap_or_default(),
            );
            steps.push(clip(&format!("{name} {version}"), cap::NAME));
        }
        node = list(at, "parents").first();
    }
    steps.reverse();
    steps
}
