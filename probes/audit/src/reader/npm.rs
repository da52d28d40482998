//! `npm audit --json`, versions 1 and 2; pnpm and Yarn 2 to 3 write version 1.

#![expect(
    clippy::unnecessary_wraps,
    reason = "readers share one signature, and most can fail"
)]

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Entry, Fault, Reading, count, entries, finding, ghsa, list, path, text, texts};
use crate::{
    measurement::{BySeverity, cap},
    severity::Severity,
    text::clip,
};

pub(super) fn detect(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    is_v2(document) || is_v1(document)
}

fn is_v2(document: &Value) -> bool {
    document.get("auditReportVersion").is_some() && document.get("vulnerabilities").is_some()
}

fn is_v1(document: &Value) -> bool {
    let advisories = document.get("advisories").and_then(Value::as_object);
    let marks = ["actions", "metadata", "muted", "runId"];
    advisories.is_some_and(|map| map.values().all(Value::is_object))
        && marks.iter().any(|key| document.get(*key).is_some())
}

pub(super) fn read(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    if is_v2(document) {
        v2(document)
    } else {
        v1(document)
    }
}

/// Sum of `metadata.vulnerabilities`, which may hold its own `total`.
fn claimed(document: &Value) -> u64 {
    let Some(counts) = document
        .get("metadata")
        .and_then(|metadata| metadata.get("vulnerabilities"))
    else {
        return 0;
    };
    ["info", "low", "moderate", "high", "critical"]
        .iter()
        .filter_map(|key| count(counts, key))
        .sum()
}

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
fn v2(document: &Value) -> Result<Reading, Fault> {
    let Some(vulnerabilities) = document.get("vulnerabilities").and_then(Value::as_object) else {
        return Err(Fault::new("`vulnerabilities` is no object"));
    };
    let mut reading = Reading {
        packages: Some(vulnerabilities.len() as u64),
        ..Reading::default()
    };
    let mut listed = BySeverity::default();
    for (name, entry) in vulnerabilities {
        listed.add(Severity::from_label(
            text(entry, "severity").unwrap_or_default(),
        ));
        for via in list(entry, "via").iter().filter(|via| via.is_object()) {
            let number = super::id(via, "source").unwrap_or_default();
            let ghsa = ghsa(text(via, "url"));
            let severity = via_severity(via);
            let mut found = finding(
                ghsa.clone().unwrap_or_else(|| format!("npm:{number}")),
                text(via, "name").unwrap_or(name),
                "",
                severity,
            );
            found.title = clip(text(via, "title").unwrap_or_default(), cap::TEXT);
            found.score = via
                .get("cvss")
                .and_then(|cvss| cvss.get("score")?.as_f64())
                .filter(|score| *score > 0.0);
            found.version = clip(text(via, "range").unwrap_or_default(), cap::NAME);
            found.path = path(
                list(entry, "nodes")
                    .iter()
                    .filter_map(Value::as_str)
                    .take(1),
            );
            found.fixed = fix(entry);
            let uid = if number.is_empty() {
                found.id.clone()
            } else {
                number
            };
            reading.entries.push(Entry {
                uid,
                finding: found,
            });
        }
    }
    reading.listed = Some(listed);
    let metadata = document.get("metadata");
    reading.audited = metadata.and_then(|metadata| match metadata.get("dependencies") {
        Some(Value::Number(total)) => total.as_u64(),
        Some(counts) => count(counts, "total"),
        None => None,
    });
    let claimed = claimed(document);
    if reading.entries.is_empty() && (claimed > 0 || !vulnerabilities.is_empty()) {
        let most = claimed.max(vulnerabilities.len() as u64);
        reading.contradiction = Some(format!(
            "it counts {most} vulnerable packages and lists no advisory"
        ));
    }
    Ok(reading)
}

fn via_severity(via: &Value) -> Severity {
    let label = Severity::from_label(text(via, "severity").unwrap_or_default());
    if label != Severity::Unknown {
        return label;
    }
    let vector = via.get("cvss").and_then(|cvss| text(cvss, "vectorString"));
    vector
        .and_then(Severity::from_vector)
        .map_or(Severity::Unknown, |(_, band)| band)
}

fn fix(entry: &Value) -> Vec<String> {
    match entry.get("fixAvailable") {
        Some(Value::Bool(true)) => vec!["by `npm audit fix`".to_owned()],
        Some(fix @ Value::Object(_)) => {
            let (name, version) = (text(fix, "name"), text(fix, "version"));
            let shown = name
                .zip(version)
                .map(|(name, version)| clip(&format!("{name} {version}"), cap::NAME));
            shown.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn v1(document: &Value) -> Result<Reading, Fault> {
    let mut reading = Reading::default();
    for (key, advisory) in entries(document, "advisories") {
        add_advisory(&mut reading, key, advisory, &BTreeMap::new());
    }
    let metadata = document.get("metadata");
    let total = metadata.and_then(|metadata| count(metadata, "totalDependencies"));
    // pnpm and Yarn leave the sum out, or write 0 for it.
    let parts = metadata.map_or(0, |m| {
        ["dependencies", "devDependencies", "optionalDependencies"]
            .iter()
            .filter_map(|key| count(m, key))
            .sum()
    });
    reading.audited = total.map(|total| total.max(parts));
    reading.listed = Some(reading.unique());
    let claimed = claimed(document);
    if reading.entries.is_empty() && claimed > 0 {
        reading.contradiction = Some(format!(
            "it counts {claimed} vulnerabilities and lists no advisory"
        ));
    }
    Ok(reading)
}

/// An advisory of version 1, one finding for each version that is installed.
pub(super) fn add_advisory(
    reading: &mut Reading,
    key: &str,
    advisory: &Value,
    dev: &BTreeMap<String, bool>,
) {
    let number = super::id(advisory, "id").unwrap_or_else(|| clip(key, cap::NAME));
    let ghsa = text(advisory, "github_advisory_id")
        .map(str::to_owned)
        .or_else(|| ghsa(text(advisory, "url")));
    let label = Severity::from_label(text(advisory, "severity").unwrap_or_default());
    let package = text(advisory, "module_name").unwrap_or_default();
    let mut template = finding(
        ghsa.unwrap_or_else(|| format!("npm:{number}")),
        package,
        "",
        label,
    );
    template.aliases = texts(advisory, "cves");
    template.title = clip(text(advisory, "title").unwrap_or_default(), cap::TEXT);
    template.score = advisory
        .get("cvss")
        .and_then(|cvss| cvss.get("score")?.as_f64())
        .filter(|score| *score > 0.0);
    let patched = text(advisory, "patched_versions").filter(|range| !range.contains("<0.0.0"));
    template.fixed = patched
        .map(|range| clip(range, cap::NAME))
        .into_iter()
        .collect();
    template.dev = dev.get(&number).copied().unwrap_or(false);
    let installed = list(advisory, "findings");
    if installed.is_empty() {
        reading.entries.push(Entry {
            uid: number,
            finding: template,
        });
        return;
    }
    for one in installed {
        let mut found = template.clone();
        found.version = clip(text(one, "version").unwrap_or_default(), cap::NAME);
        let first = list(one, "paths")
            .first()
            .and_then(Value::as_str)
            .unwrap_or_default();
        let first = first.strip_prefix(".>").unwrap_or(first);
        found.path = path(first.split('>').map(str::trim));
        reading.entries.push(Entry {
            uid: number.clone(),
            finding: found,
        });
    }
}
