//! Composer, bundler-audit, govulncheck, dotnet, Dependency-Check, auditjs, Bun.

#![expect(
    clippy::unnecessary_wraps,
    reason = "readers share one signature, and most can fail"
)]

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Fault, Reading, entries, finding, ghsa, list, text, texts, time};
use crate::{
    measurement::{Finding, cap},
    severity::Severity,
    text::clip,
};

pub(super) fn is_composer(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let advisories = document.get("advisories");
    let lists = advisories
        .and_then(Value::as_object)
        .is_some_and(|map| !map.is_empty() && map.values().all(|v| v.is_array() || v.is_object()));
    let none = advisories.is_some_and(|a| a.as_array().is_some_and(Vec::is_empty))
        && document.as_object().is_some_and(|map| map.len() <= 3);
    (lists || none) && document.get("metadata").is_none()
}

pub(super) fn composer(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let mut reading = Reading::default();
    for (package, advisories) in entries(document, "advisories") {
        let many: Vec<&Value> = match advisories {
            Value::Array(list) => list.iter().collect(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        };
        for advisory in many {
            let id = text(advisory, "cve")
                .or_else(|| text(advisory, "advisoryId"))
                .unwrap_or("unnamed");
            let label = Severity::from_label(text(advisory, "severity").unwrap_or_default());
            let mut found = finding(
                id,
                package,
                text(advisory, "affectedVersions").unwrap_or_default(),
                label,
            );
            found.title = clip(text(advisory, "title").unwrap_or_default(), cap::TEXT);
            found.aliases = text(advisory, "advisoryId")
                .map(|id| clip(id, cap::NAME))
                .into_iter()
                .collect();
            reading.add(found);
        }
    }
    for (package, _) in entries(document, "abandoned") {
        let mut found = finding(
            format!("abandoned:{package}"),
            package,
            "",
            Severity::Unknown,
        );
        found.notice = Some("abandoned".to_owned());
        reading.add(found);
    }
    Ok(reading)
}

pub(super) fn is_bundler(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    let results = document.get("results").and_then(Value::as_array);
    results.is_some_and(|list| list.iter().all(|r| r.get("type").is_some()))
        && document.get("created_at").is_some()
}

pub(super) fn bundler(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let made_at = text(document, "created_at").and_then(|at| {
        jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", at)
            .ok()?
            .to_timestamp()
            .ok()
    });
    let mut reading = Reading {
        made_at,
        ..Reading::default()
    };
    for result in list(document, "results") {
        let gem = result.get("gem").unwrap_or(&Value::Null);
        let advisory = result.get("advisory").unwrap_or(&Value::Null);
        let name = text(gem, "name")
            .or_else(|| text(result, "source"))
            .unwrap_or_default();
        let id = text(advisory, "id")
            .or_else(|| text(result, "type"))
            .unwrap_or("unnamed");
        let label = Severity::from_label(text(advisory, "criticality").unwrap_or_default());
        let score = ["cvss_v4", "cvss_v3", "cvss_v2"]
            .iter()
            .find_map(|key| advisory.get(*key)?.as_f64());
        let severity = if label == Severity::Unknown {
            score.map_or(label, Severity::from_score)
        } else {
            label
        };
        let mut found = finding(id, name, text(gem, "version").unwrap_or_default(), severity);
        found.score = score;
        found.title = clip(text(advisory, "title").unwrap_or_default(), cap::TEXT);
        found.fixed = texts(advisory, "patched_versions");
        let prefixed = |key: &str, prefix: &str| {
            text(advisory, key).map(|id| {
                if id.starts_with(prefix) {
                    id.to_owned()
                } else {
                    format!("{prefix}{id}")
                }
            })
        };
        found.aliases = prefixed("cve", "CVE-")
            .into_iter()
            .chain(prefixed("ghsa", "GHSA-"))
            .collect();
        if text(result, "type") == Some("insecure_source") {
            found.notice = Some("insecure source".to_owned());
        }
        reading.add(found);
    }
    Ok(reading)
}

pub(super) fn is_govulncheck(documents: &[Value]) -> bool {
    let kinds = ["config", "progress", "osv", "finding", "SBOM"];
    let one = |d: &Value| {
        d.as_object()
            .is_some_and(|map| map.len() == 1 && kinds.iter().any(|kind| map.contains_key(*kind)))
    };
    documents.iter().any(|d| d.get("config").is_some()) && documents.iter().all(one)
}

/// One finding for each advisory and module, at the deepest level that was found: only called
/// symbols are vulnerabilities where the scan looked at symbols.
pub(super) fn govulncheck(documents: &[Value]) -> Result<Reading, Fault> {
    let config = documents
        .iter()
        .find_map(|d| d.get("config"))
        .unwrap_or(&Value::Null);
    let symbols = matches!(text(config, "scan_level"), Some("symbol") | None);
    let records: BTreeMap<&str, &Value> = documents
        .iter()
        .filter_map(|d| d.get("osv"))
        .filter_map(|osv| Some((text(osv, "id")?, osv)))
        .collect();
    let mut found: BTreeMap<(String, String), (bool, Finding)> = BTreeMap::new();
    for one in documents.iter().filter_map(|d| d.get("finding")) {
        let id = text(one, "osv").unwrap_or("unnamed");
        let trace = list(one, "trace");
        let first = trace.first().unwrap_or(&Value::Null);
        let module = text(first, "module").unwrap_or_default();
        let called = text(first, "function").is_some();
        let record = records.get(id).copied().unwrap_or(&Value::Null);
        let mut this = finding(
            id,
            module,
            text(first, "version").unwrap_or_default(),
            Severity::Unknown,
        );
        this.aliases = texts(record, "aliases");
        this.title = clip(text(record, "summary").unwrap_or_default(), cap::TEXT);
        this.fixed = texts(one, "fixed_version");
        this.path = super::path(
            trace
                .iter()
                .rev()
                .filter_map(|step| text(step, "package").or_else(|| text(step, "module"))),
        );
        let key = (id.to_owned(), module.to_owned());
        if found.get(&key).is_none_or(|(known, _)| called && !known) {
            found.insert(key, (called, this));
        }
    }
    let mut reading = Reading::default();
    for (_, (called, mut this)) in found {
        if symbols && !called {
            this.notice = Some("not called".to_owned());
        }
        reading.add(this);
    }
    Ok(reading)
}

pub(super) fn is_dotnet(documents: &[Value]) -> bool {
    let [document] = documents else { return false };
    document.get("projects").is_some_and(Value::is_array) && document.get("parameters").is_some()
}

pub(super) fn dotnet(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    if !text(document, "parameters")
        .unwrap_or_default()
        .contains("vulnerable")
    {
        return Err(Fault::hinted(
            "it lists packages and not vulnerabilities",
            "run `dotnet list package --vulnerable --include-transitive --format json`",
        ));
    }
    let problem = list(document, "problems")
        .iter()
        .find(|p| text(p, "level") == Some("error"));
    if let Some(problem) = problem {
        return Err(Fault::auditor(text(problem, "text").unwrap_or_default()));
    }
    let mut reading = Reading {
        audited: Some(list(document, "projects").len() as u64),
        ..Reading::default()
    };
    for project in list(document, "projects") {
        let path = text(project, "path").unwrap_or_default();
        for framework in list(project, "frameworks") {
            let packages = list(framework, "topLevelPackages")
                .iter()
                .chain(list(framework, "transitivePackages"));
            for package in packages {
                for vuln in list(package, "vulnerabilities") {
                    let url = text(vuln, "advisoryurl").or_else(|| text(vuln, "advisoryUrl"));
                    let id = ghsa(url)
                        .or_else(|| url.map(str::to_owned))
                        .unwrap_or_else(|| "unnamed".to_owned());
                    let label = Severity::from_label(text(vuln, "severity").unwrap_or_default());
                    let mut found = finding(
                        id,
                        text(package, "id").unwrap_or_default(),
                        text(package, "resolvedVersion").unwrap_or_default(),
                        label,
                    );
                    found.path = super::path([path].into_iter());
                    reading.add(found);
                }
            }
        }
    }
    Ok(reading)
}

pub(super) fn is_dependency_check(documents: &[Value]) -> bool {
    matches!(documents, [document] if document.get("reportSchema").is_some() && document.get("scanInfo").is_some())
}

pub(super) fn dependency_check(documents: &[Value]) -> Result<Reading, Fault> {
    let document = documents.first().unwrap_or(&Value::Null);
    let dependencies = list(document, "dependencies");
    let mut reading = Reading {
        audited: Some(dependencies.len() as u64),
        ..Reading::default()
    };
    reading.made_at = document
        .get("projectInfo")
        .and_then(|info| time(info, "reportDate"));
    for dependency in dependencies {
        let name = text(dependency, "fileName").unwrap_or_default();
        for vuln in list(dependency, "vulnerabilities") {
            let score = ["cvssv4", "cvssv3", "cvssv2"].iter().find_map(|key| {
                let cvss = vuln.get(*key)?;
                cvss.get("baseScore")
                    .or_else(|| cvss.get("score"))?
                    .as_f64()
            });
            let label = Severity::from_label(text(vuln, "severity").unwrap_or_default());
            let severity = if label == Severity::Unknown {
                score.map_or(label, Severity::from_score)
            } else {
                label
            };
            let mut found = finding(text(vuln, "name").unwrap_or("unnamed"), name, "", severity);
            found.score = score;
            found.title = clip(text(vuln, "description").unwrap_or_default(), cap::TEXT);
            reading.add(found);
        }
        for vuln in list(dependency, "suppressedVulnerabilities") {
            reading.suppressed.add(Severity::from_label(
                text(vuln, "severity").unwrap_or_default(),
            ));
        }
    }
    Ok(reading)
}

pub(super) fn is_auditjs(documents: &[Value]) -> bool {
    matches!(documents, [Value::Array(list)] if !list.is_empty()
        && list.iter().all(|c| c.get("coordinates").is_some() && c.get("vulnerabilities").is_some()))
}

pub(super) fn auditjs(documents: &[Value]) -> Result<Reading, Fault> {
    let components = documents
        .first()
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let mut reading = Reading {
        audited: Some(components.len() as u64),
        ..Reading::default()
    };
    for component in components {
        let (name, version) = text(component, "coordinates")
            .unwrap_or_default()
            .rsplit_once('@')
            .unwrap_or_default();
        for vuln in list(component, "vulnerabilities") {
            let score = vuln.get("cvssScore").and_then(Value::as_f64);
            let id = text(vuln, "cve")
                .or_else(|| text(vuln, "id"))
                .unwrap_or("unnamed");
            let mut found = finding(
                id,
                name,
                version,
                score.map_or(Severity::Unknown, Severity::from_score),
            );
            found.score = score;
            found.title = clip(text(vuln, "title").unwrap_or_default(), cap::TEXT);
            reading.add(found);
        }
    }
    Ok(reading)
}

pub(super) fn is_bun(documents: &[Value]) -> bool {
    let [Value::Object(map)] = documents else {
        return false;
    };
    let one = |v: &Value| {
        v.get("severity").is_some()
            && (v.get("vulnerable_versions").is_some() || v.get("url").is_some())
    };
    !map.is_empty()
        && map.values().all(|list| {
            list.as_array()
                .is_some_and(|list| !list.is_empty() && list.iter().all(one))
        })
}

/// The answer of the registry's bulk endpoint, which `bun audit --json` passes on.
pub(super) fn bun(documents: &[Value]) -> Result<Reading, Fault> {
    let mut reading = Reading::default();
    let packages = documents
        .first()
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (package, advisories) in packages {
        for advisory in advisories.as_array().into_iter().flatten() {
            let number = super::id(advisory, "id").unwrap_or_default();
            let id = ghsa(text(advisory, "url")).unwrap_or_else(|| format!("npm:{number}"));
            let label = Severity::from_label(text(advisory, "severity").unwrap_or_default());
            let mut found = finding(
                id,
                package,
                text(advisory, "vulnerable_versions").unwrap_or_default(),
                label,
            );
            found.title = clip(text(advisory, "title").unwrap_or_default(), cap::TEXT);
            reading.add(found);
        }
    }
    Ok(reading)
}
