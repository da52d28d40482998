//! `osv-scanner --format json`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Entry, Fault, Reading, finding, list, text, texts};
use crate::{
    measurement::{BySeverity, cap},
    osv::Record,
    severity::Severity,
    text::clip,
};

pub(super) fn detect(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let Some(results) = document
        .get("results")
        .filter(|r| r.is_array() || r.is_null())
    else {
        return false;
    };
    results.as_array().into_iter().flatten().all(|result| {
        result
            .get("packages")
            .is_some_and(|p| p.is_array() || p.is_null())
    })
}

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(super) fn read(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    if document.get("results").is_none_or(Value::is_null) {
        return Err(Fault::new(
            "`results` is null: osv-scanner found nothing to look at",
        ));
    }
    let mut reading = Reading::default();
    let mut listed = BySeverity::default();
    let mut vulnerable = BTreeSet::new();
    let mut seen = 0;
    for result in list(document, "results") {
        let source = result
            .get("source")
            .and_then(|source| text(source, "path"))
            .unwrap_or_default();
        for package in list(result, "packages") {
            seen += 1;
            let about = package.get("package").unwrap_or(&Value::Null);
            let (name, version) = (
                text(about, "name").unwrap_or_default(),
                text(about, "version").unwrap_or_default(),
            );
            let records: Vec<Record> = list(package, "vulnerabilities")
                .iter()
                .filter_map(|v| serde_json::from_value(v.clone()).ok())
                .collect();
            let grouped = list(package, "groups");
            let singles: Vec<Value>;
            let groups = if grouped.is_empty() {
                singles = records
                    .iter()
                    .map(|r| serde_json::json!({"ids": [r.id], "aliases": r.aliases}))
                    .collect();
                &singles[..]
            } else {
                grouped
            };
            if !groups.is_empty() {
                vulnerable.insert((source.to_owned(), name.to_owned(), version.to_owned()));
            }
            for group in groups {
                let ids = texts(group, "ids");
                let Some(first) = ids.first().cloned() else {
                    continue;
                };
                let scored =
                    text(group, "max_severity").and_then(|score| score.parse::<f64>().ok());
                listed.add(scored.map_or(Severity::Unknown, Severity::from_score));
                let of_group: Vec<&Record> = records
                    .iter()
                    .filter(|record| ids.contains(&record.id))
                    .collect();
                let mut found = finding(first.clone(), name, version, severity(scored, &of_group));
                found.score = scored;
                found.aliases = ids
                    .iter()
                    .skip(1)
                    .cloned()
                    .chain(texts(group, "aliases"))
                    .filter(|id| *id != first)
                    .collect();
                found.title = clip(
                    of_group.first().map_or("", |record| record.title()),
                    cap::TEXT,
                );
                found.path = super::path([source].into_iter());
                found.fixed = fixes(&of_group, name);
                reading.entries.push(Entry {
                    uid: first,
                    finding: found,
                });
            }
        }
    }
    reading.listed = Some(listed);
    reading.packages = Some(vulnerable.len() as u64);
    // Packages without a finding are listed only with `--all-packages`: none says nothing.
    reading.audited = (seen > 0).then_some(seen);
    Ok(reading)
}

/// The worst of what the scanner computed and what the records say.
fn severity(scored: Option<f64>, records: &[&Record]) -> Severity {
    let own = scored.map_or(Severity::Unknown, Severity::from_score);
    let told = records.iter().flat_map(|record| {
        record
            .affected
            .iter()
            .map(|affected| record.severity_for(affected).1)
    });
    if own == Severity::Unknown {
        told.max().unwrap_or_default()
    } else {
        own
    }
}

fn fixes(records: &[&Record], package: &str) -> Vec<String> {
    let mut fixed: Vec<String> = records
        .iter()
        .flat_map(|record| &record.affected)
        .filter(|affected| {
            affected
                .package
                .as_ref()
                .is_some_and(|named| named.name == package)
        })
        .flat_map(|affected| &affected.ranges)
        .filter(|range| range.kind != "GIT")
        .flat_map(|range| &range.events)
        .filter_map(|event| event.get("fixed").cloned())
        .collect();
    fixed.dedup();
    fixed.truncate(5);
    fixed
}
