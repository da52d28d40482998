//! Dependency and container scanning of GitLab
//! (<https://gitlab.com/gitlab-org/security-products/security-report-schemas>).

use serde_json::Value;

use super::{Fault, Reading, finding, list, text};
use crate::{measurement::cap, severity::Severity, text::clip};

pub(super) fn detect(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let kind = document.get("scan").and_then(|scan| text(scan, "type"));
    document.get("vulnerabilities").is_some_and(Value::is_array)
        && matches!(
            kind,
            Some("dependency_scanning" | "container_scanning" | "cluster_image_scanning")
        )
}

pub(super) fn read(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let scan = document.get("scan").unwrap_or(&Value::Null);
    if text(scan, "status").is_some_and(|status| status != "success") {
        return Err(Fault::auditor("`scan.status` is not `success`"));
    }
    let mut reading = Reading {
        made_at: super::time(scan, "end_time"),
        ..Reading::default()
    };
    for vuln in list(document, "vulnerabilities") {
        let identifiers: Vec<&str> = list(vuln, "identifiers")
            .iter()
            .filter_map(|i| text(i, "value"))
            .collect();
        let dependency = vuln
            .get("location")
            .and_then(|location| location.get("dependency"))
            .unwrap_or(&Value::Null);
        let name = dependency
            .get("package")
            .and_then(|package| text(package, "name"))
            .unwrap_or_default();
        let id = identifiers
            .iter()
            .find(|id| id.starts_with("CVE-") || id.starts_with("GHSA-"))
            .or_else(|| identifiers.first());
        let id = id
            .copied()
            .or_else(|| text(vuln, "id"))
            .unwrap_or("unnamed");
        let label = Severity::from_label(text(vuln, "severity").unwrap_or_default());
        let mut found = finding(
            id,
            name,
            text(dependency, "version").unwrap_or_default(),
            label,
        );
        found.title = clip(
            text(vuln, "name")
                .or_else(|| text(vuln, "message"))
                .unwrap_or_default(),
            cap::TEXT,
        );
        found.fixed = text(vuln, "solution")
            .map(|s| clip(s, cap::NAME))
            .into_iter()
            .collect();
        reading.add(found);
    }
    Ok(reading)
}
