//! `yarn audit --json` of version 1, `yarn npm audit --json` from version 4 on: JSON lines.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Fault, Reading, count, entries, finding, ghsa, npm, text, texts};
use crate::{
    measurement::{BySeverity, cap},
    severity::Severity,
    text::clip,
};

pub(super) fn detect(documents: &[Value]) -> bool {
    let classic = |document: &Value| {
        matches!(
            text(document, "type"),
            Some(
                "auditAdvisory"
                    | "auditSummary"
                    | "auditAction"
                    | "error"
                    | "warning"
                    | "info"
                    | "activityStart"
            )
        ) && document.get("data").is_some()
    };
    documents
        .iter()
        .all(|document| classic(document) || is_berry(document))
        && !documents.is_empty()
}

fn is_berry(document: &Value) -> bool {
    document.get("value").is_some() && document.get("children").is_some_and(Value::is_object)
}

pub(super) fn read(documents: &[Value]) -> Result<Reading, Fault> {
    let error = |document: &&Value| text(document, "type") == Some("error");
    if let Some(document) = documents.iter().find(error) {
        let data = document.get("data").unwrap_or(&Value::Null);
        let told = data
            .as_str()
            .or_else(|| text(data, "message"))
            .unwrap_or_default();
        return Err(Fault::auditor(told));
    }
    if documents.iter().any(is_berry) {
        Ok(berry(documents))
    } else {
        classic(documents)
    }
}

/// One line for each path; the summary comes last.
fn classic(documents: &[Value]) -> Result<Reading, Fault> {
    let of_type = |kind: &'static str| {
        documents
            .iter()
            .filter(move |document| text(document, "type") == Some(kind))
            .filter_map(|document| document.get("data"))
    };
    let Some(summary) = of_type("auditSummary").next_back() else {
        return Err(Fault::new(
            "it has no `auditSummary`, with which Yarn ends; was it cut off?",
        ));
    };
    let mut reading = Reading::default();
    let mut dev: BTreeMap<String, bool> = BTreeMap::new();
    let mut listed = BySeverity::default();
    let mut advisories: BTreeMap<String, &Value> = BTreeMap::new();
    for data in of_type("auditAdvisory") {
        let advisory = data.get("advisory").unwrap_or(&Value::Null);
        let id = super::id(advisory, "id").unwrap_or_default();
        listed.add(Severity::from_label(
            text(advisory, "severity").unwrap_or_default(),
        ));
        let only_dev = data
            .get("resolution")
            .and_then(|r| r.get("dev")?.as_bool())
            .unwrap_or(false);
        dev.entry(id.clone())
            .and_modify(|known| *known &= only_dev)
            .or_insert(only_dev);
        advisories.insert(id, advisory);
    }
    for (id, advisory) in &advisories {
        npm::add_advisory(&mut reading, id, advisory, &dev);
    }
    reading.listed = Some(listed);
    reading.audited = count(summary, "totalDependencies");
    let claimed: u64 = entries(summary, "vulnerabilities")
        .filter_map(|(_, n)| n.as_u64())
        .sum();
    if reading.entries.is_empty() && claimed > 0 {
        reading.contradiction = Some(format!(
            "its summary counts {claimed} vulnerabilities and it lists none"
        ));
    }
    Ok(reading)
}

/// One line for each advisory and range; deprecations are lines too.
fn berry(documents: &[Value]) -> Reading {
    let mut reading = Reading::default();
    for document in documents.iter().filter(|document| is_berry(document)) {
        let children = document.get("children").unwrap_or(&Value::Null);
        let number = super::id(children, "ID").unwrap_or_default();
        let id = ghsa(text(children, "URL")).unwrap_or_else(|| number.clone());
        let label = Severity::from_label(text(children, "Severity").unwrap_or_default());
        let versions = texts(children, "Tree Versions").join(", ");
        let mut found = finding(
            id,
            text(document, "value").unwrap_or_default(),
            &versions,
            label,
        );
        found.title = clip(text(children, "Issue").unwrap_or_default(), cap::TEXT);
        found.path = texts(children, "Dependents").into_iter().take(1).collect();
        if number.contains("(deprecation)") {
            found.notice = Some("deprecated".to_owned());
        }
        reading.entries.push(super::Entry {
            uid: number,
            finding: found,
        });
    }
    reading
}
