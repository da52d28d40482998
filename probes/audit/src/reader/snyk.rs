//! `snyk test --json`: one project, or a list of them.

use serde_json::Value;

use super::{Entry, Fault, Reading, count, finding, list, text, texts};
use crate::{measurement::cap, severity::Severity, text::clip};

fn projects(documents: &[Value]) -> Vec<&Value> {
    match documents {
        [Value::Array(list)] => list.iter().collect(),
        many => many.iter().collect(),
    }
}

pub(super) fn detect(documents: &[Value]) -> bool {
    let one = |project: &Value| {
        project.get("ok").is_some_and(Value::is_boolean)
            && (project.get("vulnerabilities").is_some_and(Value::is_array)
                || project.get("error").is_some())
    };
    let projects = projects(documents);
    !projects.is_empty() && projects.into_iter().all(one)
}

pub(super) fn read(documents: &[Value]) -> Result<Reading, Fault> {
    let mut reading = Reading::default();
    for project in projects(documents) {
        read_project(project, &mut reading, 0)?;
    }
    Ok(reading)
}

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
fn read_project(project: &Value, reading: &mut Reading, depth: u8) -> Result<(), Fault> {
    let error = project.get("error").filter(|error| !error.is_null());
    if let (Some(error), None) = (error, project.get("vulnerabilities")) {
        return Err(Fault::auditor(
            error
                .as_str()
                .or_else(|| text(error, "message"))
                .unwrap_or_default(),
        ));
    }
    let name = text(project, "projectName")
        .or_else(|| text(project, "displayTargetFile"))
        .unwrap_or_default();
    let vulnerabilities = list(project, "vulnerabilities");
    for vuln in vulnerabilities {
        let id = text(vuln, "id").unwrap_or_default();
        let mut label = Severity::from_label(text(vuln, "severity").unwrap_or_default());
        let score = vuln.get("cvssScore").and_then(Value::as_f64);
        if label == Severity::Unknown {
            label = score.map_or(label, Severity::from_score);
        }
        let package = ["packageName", "name", "moduleName"]
            .iter()
            .find_map(|key| text(vuln, key))
            .unwrap_or_default();
        let mut found = finding(
            id,
            package,
            text(vuln, "version").unwrap_or_default(),
            label,
        );
        found.score = score;
        found.title = clip(text(vuln, "title").unwrap_or_default(), cap::TEXT);
        let identifiers = vuln.get("identifiers").unwrap_or(&Value::Null);
        let ghsa = texts(identifiers, "GHSA");
        let cve = texts(identifiers, "CVE");
        // Only one to one: an entry that gathers several CVEs is an alias of none.
        if ghsa.len() <= 1 && cve.len() <= 1 {
            found.aliases = ghsa.into_iter().chain(cve).collect();
        }
        found.path = super::path(list(vuln, "from").iter().filter_map(Value::as_str));
        found.fixed = texts(vuln, "fixedIn");
        if id.starts_with("snyk:lic:") || text(vuln, "type") == Some("license") {
            found.notice = Some("licence".to_owned());
        }
        // Ids are unique in a project; two projects with one advisory share it.
        reading.entries.push(Entry {
            uid: id.to_owned(),
            finding: found,
        });
    }
    let unique = count(project, "uniqueCount").unwrap_or(0);
    let ok = project.get("ok").and_then(Value::as_bool).unwrap_or(true);
    if vulnerabilities.is_empty() && (unique > 0 || !ok) {
        let told = if ok {
            format!("`uniqueCount` is {unique}")
        } else {
            "`ok` is false".to_owned()
        };
        reading.contradiction = Some(format!("{told} and no vulnerability is listed ({name})"));
    }
    if let Some(packages) = count(project, "dependencyCount") {
        reading.audited = Some(reading.audited.unwrap_or(0) + packages);
    }
    for application in list(project, "applications").iter().filter(|_| depth < 3) {
        read_project(application, reading, depth + 1)?;
    }
    Ok(())
}
