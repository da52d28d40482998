//! CycloneDX with vulnerabilities or VEX, and OpenVEX.

#![expect(
    clippy::unnecessary_wraps,
    reason = "readers share one signature, and most can fail"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Fault, Reading, finding, list, text, time};
use crate::{
    measurement::{Finding, cap},
    severity::Severity,
    text::clip,
};

/// How deep components are nested at most.
const DEEPEST: usize = 50;

pub(super) fn is_cyclonedx(documents: &[Value]) -> bool {
    matches!(documents, [document] if text(document, "bomFormat") == Some("CycloneDX"))
}

pub(super) fn cyclonedx(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let metadata = document.get("metadata");
    let mut reading = Reading {
        made_at: metadata.and_then(|metadata| time(metadata, "timestamp")),
        ..Reading::default()
    };
    let Some(vulnerabilities) = document.get("vulnerabilities").and_then(Value::as_array) else {
        // A mere bill of materials: nobody looked for vulnerabilities.
        reading.audited = Some(0);
        return Ok(reading);
    };
    let mut components = BTreeMap::new();
    collect(document, &mut components, 0);
    if let Some(main) = document
        .get("metadata")
        .and_then(|metadata| metadata.get("component"))
    {
        note(main, &mut components, 0);
    }
    for vuln in vulnerabilities {
        let (score, severity) = rating(vuln);
        let state = vuln
            .get("analysis")
            .and_then(|analysis| text(analysis, "state"))
            .unwrap_or_default();
        if matches!(
            state,
            "not_affected" | "false_positive" | "resolved" | "resolved_with_pedigree"
        ) {
            reading.suppressed.add(severity);
            continue;
        }
        for found in affected(vuln, &components, severity) {
            reading.add(Finding { score, ..found });
        }
    }
    // One entry for each vulnerability, however many components it affects.
    reading.listed = Some(reading.unique());
    Ok(reading)
}

fn collect<'a>(
    owner: &'a Value,
    components: &mut BTreeMap<&'a str, (&'a str, &'a str)>,
    depth: usize,
) {
    for component in list(owner, "components")
        .iter()
        .chain(list(owner, "services"))
    {
        note(component, components, depth);
    }
}

fn note<'a>(
    component: &'a Value,
    components: &mut BTreeMap<&'a str, (&'a str, &'a str)>,
    depth: usize,
) {
    let about = (
        text(component, "name").unwrap_or_default(),
        text(component, "version").unwrap_or_default(),
    );
    if let Some(reference) = text(component, "bom-ref") {
        components.insert(reference, about);
    }
    if depth < DEEPEST {
        collect(component, components, depth + 1);
    }
}

/// The worst of all ratings.
fn rating(vuln: &Value) -> (Option<f64>, Severity) {
    let one = |rating: &Value| {
        let score = rating.get("score").and_then(Value::as_f64);
        let label = Severity::from_label(text(rating, "severity").unwrap_or_default());
        let vector = || text(rating, "vector").and_then(Severity::from_vector);
        if label != Severity::Unknown {
            return (score, label);
        }
        match score {
            Some(score)
                if !text(rating, "method").is_some_and(|m| m == "OWASP" || m == "other") =>
            {
                (Some(score), Severity::from_score(score))
            }
            _ => vector().map_or((score, Severity::Unknown), |(score, band)| {
                (Some(score), band)
            }),
        }
    };
    list(vuln, "ratings")
        .iter()
        .map(one)
        .max_by_key(|(_, severity)| *severity)
        .unwrap_or((None, Severity::Unknown))
}

/// One finding for each component; those whose versions are all unaffected are left out.
fn affected(
    vuln: &Value,
    components: &BTreeMap<&str, (&str, &str)>,
    severity: Severity,
) -> Vec<Finding> {
    let id = text(vuln, "id")
        .or_else(|| text(vuln, "bom-ref"))
        .unwrap_or("unnamed");
    let title = text(vuln, "description")
        .or_else(|| text(vuln, "detail"))
        .unwrap_or_default();
    let make = |package: &str, version: &str| {
        let mut found = finding(id, package, version, severity);
        found.title = clip(title.lines().next().unwrap_or_default(), cap::TEXT);
        let references = list(vuln, "references")
            .iter()
            .filter_map(|r| text(r, "id"));
        let ghsa: Vec<&str> = references
            .filter(|id| id.starts_with("GHSA-") || id.starts_with("CVE-"))
            .collect();
        if let [one] = ghsa[..] {
            found.aliases = vec![clip(one, cap::NAME)];
        }
        found
    };
    let all = list(vuln, "affects");
    if all.is_empty() {
        return vec![make("the product", "")];
    }
    all.iter()
        .map(|affects| {
            let reference = text(affects, "ref").unwrap_or_default();
            let tail = reference.rsplit('#').next().unwrap_or(reference);
            let (name, version) = components
                .get(reference)
                .or_else(|| components.get(tail))
                .copied()
                .unwrap_or((tail, ""));
            make(name, version)
        })
        .collect()
}

pub(super) fn is_openvex(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let context = text(document, "@context").is_some_and(|context| context.contains("openvex"));
    list(document, "statements")
        .iter()
        .all(|s| s.get("status").is_some())
        && document.get("statements").is_some()
        && (context || document.get("author").is_some())
}

/// The last word about a vulnerability and its products counts.
pub(super) fn openvex(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let made = time(document, "timestamp");
    let mut last: BTreeMap<(String, String), (Option<Timestamp>, String)> = BTreeMap::new();
    for statement in list(document, "statements") {
        let vulnerability = statement.get("vulnerability").unwrap_or(&Value::Null);
        let id = vulnerability
            .as_str()
            .or_else(|| text(vulnerability, "name"))
            .or_else(|| text(vulnerability, "@id"))
            .unwrap_or("unnamed");
        let at = time(statement, "last_updated")
            .or_else(|| time(statement, "timestamp"))
            .or(made);
        let status = text(statement, "status").unwrap_or_default().to_owned();
        let mut products: Vec<&str> = list(statement, "products")
            .iter()
            .filter_map(|p| p.as_str().or_else(|| text(p, "@id")))
            .collect();
        if products.is_empty() {
            products.push("the product");
        }
        let product = products.join(", ");
        let known = last
            .entry((id.to_owned(), product))
            .or_insert_with(|| (at, status.clone()));
        if at >= known.0 {
            *known = (at, status);
        }
    }
    let mut reading = Reading {
        made_at: made,
        ..Reading::default()
    };
    for ((id, product), (_, status)) in last {
        match status.as_str() {
            "not_affected" | "fixed" => reading.suppressed.add(Severity::Unknown),
            _ => reading.add(finding(id, &product, "", Severity::Unknown)),
        }
    }
    Ok(reading)
}
