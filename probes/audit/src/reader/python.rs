//! `pip-audit -f json`, `safety check --json`.

#![expect(
    clippy::unnecessary_wraps,
    reason = "readers share one signature, and most can fail"
)]

use serde_json::Value;

use super::{Fault, Reading, finding, list, text, texts};
use crate::{measurement::cap, severity::Severity, text::clip};

/// The list of packages: under `dependencies`, or bare in old versions.
fn packages(document: &Value) -> Option<&Vec<Value>> {
    document.get("dependencies").unwrap_or(document).as_array()
}

pub(super) fn is_pip_audit(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let one = |package: &Value| {
        text(package, "name").is_some()
            && (package.get("vulns").is_some() || package.get("skip_reason").is_some())
    };
    match packages(document) {
        Some(list) if list.is_empty() => {
            document.get("dependencies").is_some() && document.get("fixes").is_some()
        }
        Some(list) => list.iter().all(one),
        None => false,
    }
}

pub(super) fn pip_audit(documents: &[Value]) -> Result<Reading, Fault> {
    let list_of = documents.first().and_then(packages);
    let Some(packages) = list_of else {
        return Err(Fault::new("it has no list of packages"));
    };
    let mut reading = Reading::default();
    let mut audited = 0;
    for package in packages {
        let name = text(package, "name").unwrap_or_default();
        if let Some(reason) = text(package, "skip_reason") {
            reading
                .skipped
                .push(clip(&format!("{name}: {reason}"), cap::TEXT));
            continue;
        }
        audited += 1;
        for vuln in list(package, "vulns") {
            let id = text(vuln, "id").unwrap_or_default();
            let mut found = finding(
                id,
                name,
                text(package, "version").unwrap_or_default(),
                Severity::Unknown,
            );
            found.aliases = texts(vuln, "aliases");
            found.fixed = texts(vuln, "fix_versions");
            let title = text(vuln, "description").unwrap_or_default();
            found.title = clip(title.lines().next().unwrap_or_default(), cap::TEXT);
            reading.add(found);
        }
    }
    reading.audited = Some(audited);
    Ok(reading)
}

pub(super) fn is_safety(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    document.get("report_meta").is_some()
        && document.get("vulnerabilities").is_some_and(Value::is_array)
}

pub(super) fn safety(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let mut reading = Reading::default();
    for vuln in list(document, "vulnerabilities") {
        let id = super::id(vuln, "vulnerability_id").unwrap_or_default();
        let label = match vuln.get("severity") {
            Some(Value::String(label)) => Severity::from_label(label),
            Some(inner @ Value::Object(_)) => inner
                .get("cvssv3")
                .and_then(|cvss| text(cvss, "base_severity"))
                .map_or(Severity::Unknown, Severity::from_label),
            _ => Severity::Unknown,
        };
        let mut found = finding(
            id,
            text(vuln, "package_name").unwrap_or_default(),
            text(vuln, "analyzed_version").unwrap_or_default(),
            label,
        );
        found.aliases = texts(vuln, "CVE");
        found.fixed = texts(vuln, "fixed_versions");
        found.title = clip(text(vuln, "advisory").unwrap_or_default(), cap::TEXT);
        if vuln
            .get("ignored")
            .and_then(Value::as_bool)
            .unwrap_or(false)
        {
            reading.suppressed.add(label);
        } else {
            reading.add(found);
        }
    }
    let meta = document.get("report_meta").unwrap_or(&Value::Null);
    reading.audited = super::count(meta, "packages_found");
    reading.made_at = super::time(meta, "timestamp");
    Ok(reading)
}
