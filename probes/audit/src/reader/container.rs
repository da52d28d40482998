//! Trivy (schema 1 and 2) and Grype.

#![expect(
    clippy::unnecessary_wraps,
    reason = "readers share one signature, and most can fail"
)]

use serde_json::Value;

use super::{Fault, Reading, finding, list, text, time};
use crate::{
    measurement::{Finding, cap},
    severity::Severity,
    text::clip,
};

pub(super) fn is_trivy(documents: &[Value]) -> bool {
    match documents {
        [Value::Array(list)] => {
            !list.is_empty() && list.iter().all(|result| result.get("Target").is_some())
        }
        [document] => {
            document.get("SchemaVersion").is_some_and(Value::is_number)
                && (document.get("ArtifactName").is_some() || document.get("Results").is_some())
                || document.get("Results").is_some_and(Value::is_array)
                    && list(document, "Results")
                        .iter()
                        .all(|result| result.get("Target").is_some())
        }
        _ => false,
    }
}

pub(super) fn trivy(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let results = document
        .as_array()
        .map_or_else(|| list(document, "Results"), Vec::as_slice);
    let mut reading = Reading {
        made_at: time(document, "CreatedAt"),
        ..Reading::default()
    };
    let mut targets = 0;
    for result in results {
        let target = text(result, "Target").unwrap_or_default();
        let class = text(result, "Class");
        let looked = matches!(class, Some("os-pkgs" | "lang-pkgs"))
            || class.is_none()
            || result.get("Vulnerabilities").is_some();
        targets += u64::from(looked);
        for vuln in list(result, "Vulnerabilities") {
            reading.add(trivy_finding(vuln, target));
        }
        for modified in list(result, "ExperimentalModifiedFindings") {
            if text(modified, "Type") == Some("vulnerability") {
                let label = modified
                    .get("Finding")
                    .and_then(|finding| text(finding, "Severity"))
                    .unwrap_or_default();
                reading.suppressed.add(Severity::from_label(label));
            }
        }
    }
    reading.audited = Some(targets);
    Ok(reading)
}

fn trivy_finding(vuln: &Value, target: &str) -> Finding {
    let mut severity = Severity::from_label(text(vuln, "Severity").unwrap_or_default());
    let vector = vuln
        .get("CVSS")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .find_map(|(_, source)| {
            ["V40Vector", "V3Vector", "V2Vector"]
                .iter()
                .find_map(|key| Severity::from_vector(text(source, key)?))
        });
    if severity == Severity::Unknown && text(vuln, "Severity").is_none() {
        severity = vector.map_or(severity, |(_, band)| band);
    }
    let mut found = finding(
        text(vuln, "VulnerabilityID").unwrap_or_default(),
        text(vuln, "PkgName").unwrap_or_default(),
        text(vuln, "InstalledVersion").unwrap_or_default(),
        severity,
    );
    found.score = vector.map(|(score, _)| score);
    found.title = clip(
        text(vuln, "Title")
            .or_else(|| text(vuln, "Description"))
            .unwrap_or_default(),
        cap::TEXT,
    );
    let place = text(vuln, "PkgPath")
        .filter(|path| !path.is_empty())
        .unwrap_or(target);
    found.path = super::path([place].into_iter());
    let fixed = text(vuln, "FixedVersion").unwrap_or_default();
    found.fixed = fixed
        .split(',')
        .map(str::trim)
        .filter(|v| !v.is_empty())
        .take(5)
        .map(|v| clip(v, cap::NAME))
        .collect();
    found
}

pub(super) fn is_grype(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let matches = document
        .get("matches")
        .is_some_and(|m| m.is_array() || m.is_null());
    matches && (document.get("descriptor").is_some() || document.get("source").is_some())
        || !list(document, "matches").is_empty()
            && list(document, "matches")
                .iter()
                .all(|m| m.get("vulnerability").is_some() && m.get("artifact").is_some())
}

pub(super) fn grype(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let descriptor = document.get("descriptor");
    let mut reading = Reading {
        made_at: descriptor.and_then(|descriptor| time(descriptor, "timestamp")),
        ..Reading::default()
    };
    for found in list(document, "matches") {
        reading.add(grype_finding(found));
    }
    for ignored in list(document, "ignoredMatches") {
        let label = ignored
            .get("vulnerability")
            .and_then(|v| text(v, "severity"))
            .unwrap_or_default();
        reading.suppressed.add(Severity::from_label(label));
    }
    let source = document.get("source").unwrap_or(&Value::Null);
    let unknown = matches!(text(source, "type"), None | Some("unknown" | ""));
    if unknown && reading.entries.is_empty() {
        reading.audited = Some(0);
    }
    Ok(reading)
}

fn grype_finding(found: &Value) -> Finding {
    let vuln = found.get("vulnerability").unwrap_or(&Value::Null);
    let artifact = found.get("artifact").unwrap_or(&Value::Null);
    let mut severity = Severity::from_label(text(vuln, "severity").unwrap_or_default());
    let score = list(vuln, "cvss")
        .iter()
        .filter_map(|cvss| cvss.get("metrics")?.get("baseScore")?.as_f64())
        .fold(None, |worst: Option<f64>, score| {
            Some(worst.map_or(score, |worst| worst.max(score)))
        });
    if severity == Severity::Unknown && text(vuln, "severity").is_none() {
        severity = score.map_or(severity, Severity::from_score);
    }
    let mut out = finding(
        text(vuln, "id").unwrap_or_default(),
        text(artifact, "name").unwrap_or_default(),
        text(artifact, "version").unwrap_or_default(),
        severity,
    );
    out.score = score;
    out.title = clip(text(vuln, "description").unwrap_or_default(), cap::TEXT);
    let related: Vec<&str> = list(found, "relatedVulnerabilities")
        .iter()
        .filter_map(|r| text(r, "id"))
        .collect();
    // A vendor's advisory may be about several CVEs, and these are not aliases of each other.
    if let [one] = related[..] {
        out.aliases = vec![clip(one, cap::NAME)];
    }
    out.fixed = vuln
        .get("fix")
        .map(|fix| super::texts(fix, "versions"))
        .unwrap_or_default();
    out.fixed.truncate(5);
    let place = list(artifact, "locations")
        .first()
        .and_then(|location| text(location, "path"));
    out.path = super::path(place.into_iter());
    out
}
