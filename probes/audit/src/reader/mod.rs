//! Reports of auditors. The format is told by the content; the name of the file says nothing.

mod bom;
mod container;
mod gitlab;
mod input;
mod npm;
mod osv_scanner;
mod others;
mod python;
mod rust;
mod sarif;
mod snyk;
mod yarn;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    config::Format,
    measurement::{BySeverity, Finding, cap},
    severity::Severity,
    text::clip,
};

/// What a report says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// Findings that stand, each with the id by which the tool counts.
    pub(crate) entries: Vec<Entry>,
    /// Those that the report itself sets aside.
    pub(crate) suppressed: BySeverity,
    /// The list as the tool counts it, where that is not one for each of `entries`.
    pub(crate) listed: Option<BySeverity>,
    /// Vulnerable packages, where the tool lists them itself.
    pub(crate) packages: Option<u64>,
    /// What was looked at.
    pub(crate) audited: Option<u64>,
    /// What was not looked at.
    pub(crate) skipped: Vec<String>,
    pub(crate) made_at: Option<Timestamp>,
    /// Why the report contradicts itself.
    pub(crate) contradiction: Option<String>,
}

/// One finding of a report.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Unique within the report.
    pub(crate) uid: String,
    pub(crate) finding: Finding,
}

impl Reading {
    /// Adds a finding under its own id.
    fn add(&mut self, finding: Finding) {
        let uid = finding.id.clone();
        self.entries.push(Entry { uid, finding });
    }

    /// Entries, as the tool lists them; notices are not among them.
    pub(crate) fn listed(&self) -> BySeverity {
        self.listed.unwrap_or_else(|| {
            let mut counts = BySeverity::default();
            for entry in self
                .entries
                .iter()
                .filter(|entry| entry.finding.notice.is_none())
            {
                counts.add(entry.finding.severity);
            }
            counts
        })
    }

    /// Unique ids, each at its worst.
    pub(crate) fn unique(&self) -> BySeverity {
        let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.finding.notice.is_none())
        {
            let known = worst.entry(&entry.uid).or_default();
            *known = (*known).max(entry.finding.severity);
        }
        let mut counts = BySeverity::default();
        for severity in worst.values() {
            counts.add(*severity);
        }
        counts
    }

    /// Vulnerable packages: names with versions.
    pub(crate) fn packages(&self) -> u64 {
        self.packages.unwrap_or_else(|| {
            let entries = self
                .entries
                .iter()
                .filter(|entry| entry.finding.notice.is_none());
            let all: BTreeSet<_> = entries
                .map(|e| (&e.finding.package, &e.finding.version))
                .collect();
            all.len() as u64
        })
    }
}

/// Why a report gives no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It cannot be read.
    Unreadable {
        reason: String,
        line: Option<u64>,
        column: Option<u64>,
        hint: Option<&'static str>,
    },
    /// It is the auditor's word that it failed.
    Auditor(String),
}

impl Fault {
    fn new(reason: impl Into<String>) -> Self {
        Self::Unreadable {
            reason: reason.into(),
            line: None,
            column: None,
            hint: None,
        }
    }

    fn hinted(reason: impl Into<String>, hint: &'static str) -> Self {
        Self::Unreadable {
            reason: reason.into(),
            line: None,
            column: None,
            hint: Some(hint),
        }
    }

    fn auditor(reason: &str) -> Self {
        let reason = clip(reason, cap::TEXT);
        Self::Auditor(if reason.is_empty() {
            "it gives no reason".to_owned()
        } else {
            reason
        })
    }
}

/// How a format is told and read.
struct Reader {
    format: Format,
    detect: fn(&[Value]) -> bool,
    read: fn(&[Value]) -> Result<Reading, Fault>,
}

/// In the order of trying: what is marked most clearly comes first.
const READERS: &[Reader] = &[
    Reader {
        format: Format::Sarif,
        detect: sarif::detect,
        read: sarif::read,
    },
    Reader {
        format: Format::Cyclonedx,
        detect: bom::is_cyclonedx,
        read: bom::cyclonedx,
    },
    Reader {
        format: Format::Openvex,
        detect: bom::is_openvex,
        read: bom::openvex,
    },
    Reader {
        format: Format::Npm,
        detect: npm::detect,
        read: npm::read,
    },
    Reader {
        format: Format::Yarn,
        detect: yarn::detect,
        read: yarn::read,
    },
    Reader {
        format: Format::CargoAudit,
        detect: rust::is_audit,
        read: rust::audit,
    },
    Reader {
        format: Format::CargoDeny,
        detect: rust::is_deny,
        read: rust::deny,
    },
    Reader {
        format: Format::PipAudit,
        detect: python::is_pip_audit,
        read: python::pip_audit,
    },
    Reader {
        format: Format::Safety,
        detect: python::is_safety,
        read: python::safety,
    },
    Reader {
        format: Format::Trivy,
        detect: container::is_trivy,
        read: container::trivy,
    },
    Reader {
        format: Format::Grype,
        detect: container::is_grype,
        read: container::grype,
    },
    Reader {
        format: Format::Snyk,
        detect: snyk::detect,
        read: snyk::read,
    },
    Reader {
        format: Format::Composer,
        detect: others::is_composer,
        read: others::composer,
    },
    Reader {
        format: Format::BundlerAudit,
        detect: others::is_bundler,
        read: others::bundler,
    },
    Reader {
        format: Format::Govulncheck,
        detect: others::is_govulncheck,
        read: others::govulncheck,
    },
    Reader {
        format: Format::Dotnet,
        detect: others::is_dotnet,
        read: others::dotnet,
    },
    Reader {
        format: Format::DependencyCheck,
        detect: others::is_dependency_check,
        read: others::dependency_check,
    },
    Reader {
        format: Format::Auditjs,
        detect: others::is_auditjs,
        read: others::auditjs,
    },
    Reader {
        format: Format::Bun,
        detect: others::is_bun,
        read: others::bun,
    },
    Reader {
        format: Format::Gitlab,
        detect: gitlab::detect,
        read: gitlab::read,
    },
    Reader {
        format: Format::OsvScanner,
        detect: osv_scanner::detect,
        read: osv_scanner::read,
    },
];

/// Reads a report. `wanted` is the format that the config names.
pub(crate) fn read(bytes: &[u8], wanted: Option<Format>) -> Result<(Format, Reading), Fault> {
    let documents = input::documents(bytes)?;
    if let [only] = &documents[..]
        && let Some(reason) = error_payload(only)
    {
        return Err(Fault::auditor(&reason));
    }
    if let [Value::Array(list)] = &documents[..]
        && list.is_empty()
        && wanted.is_none()
    {
        return Err(Fault::hinted(
            "it is an empty list, which could be of any auditor or of none",
            "write another format (JSON with metadata, SARIF), which says what was looked at",
        ));
    }
    let known = READERS.iter().find(|reader| (reader.detect)(&documents));
    match (known, wanted) {
        (Some(reader), Some(wanted)) if reader.format != wanted => Err(Fault::new(format!(
            "it is a report of {}, not of {}",
            reader.format.name(),
            wanted.name()
        ))),
        (Some(reader), _) => Ok((reader.format, (reader.read)(&documents)?)),
        (None, Some(wanted)) => Err(Fault::new(format!("it is no report of {}", wanted.name()))),
        (None, None) => Err(Fault::hinted(
            format!(
                "it is no report of an auditor that is known; it holds {}",
                input::shape(&documents)
            ),
            "the README of the probe lists the formats; many auditors also write SARIF or CycloneDX",
        )),
    }
}

/// The auditor's own error, where it wrote one instead of a report. An empty list beside it is no
/// clean report: it is what was found before the failure.
fn error_payload(document: &Value) -> Option<String> {
    let map = document.as_object()?;
    let said = ["error", "errors"]
        .iter()
        .filter_map(|key| map.get(*key))
        .find(|value| is_error(value));
    if said.is_none() && !map.contains_key("statusCode") {
        return None;
    }
    let said = said.unwrap_or(&Value::Null);
    let first = said.get(0).unwrap_or(said);
    let told = [
        text(document, "message"),
        text(first, "summary"),
        text(first, "message"),
        text(first, "code"),
        first.as_str(),
    ];
    let told = told.into_iter().flatten().find(|t| !t.trim().is_empty());
    Some(
        told.unwrap_or("it wrote an error object in place of a report")
            .to_owned(),
    )
}

/// Whether a member named `error` or `errors` tells of one.
fn is_error(value: &Value) -> bool {
    match value {
        Value::Null | Value::Number(_) => false,
        Value::Bool(failed) => *failed,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A text of a JSON tree.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// A list of a JSON tree, empty where there is none.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// An object's entries, none where there is none.
fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// A count of a JSON tree.
fn count(value: &Value, key: &str) -> Option<u64> {
    value.get(key)?.as_u64()
}

/// Texts of a list.
fn texts(value: &Value, key: &str) -> Vec<String> {
    let one = value
        .get(key)
        .and_then(Value::as_str)
        .map(|text| clip(text, cap::NAME));
    let many = list(value, key)
        .iter()
        .filter_map(Value::as_str)
        .map(|text| clip(text, cap::NAME));
    one.into_iter().chain(many).take(20).collect()
}

/// An id: a text or a number.
fn id(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(clip(text, cap::NAME)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A time of a report; one without a zone is taken as UTC.
fn time(value: &Value, key: &str) -> Option<Timestamp> {
    let text = text(value, key)?;
    let read = text.parse::<Timestamp>().ok();
    let read = read.or_else(|| format!("{}Z", text.replace(' ', "T")).parse().ok());
    read.filter(|at| at.as_second() > 0)
}

/// A finding with the fields that nearly all formats have.
fn finding(id: impl Into<String>, package: &str, version: &str, severity: Severity) -> Finding {
    Finding {
        id: clip(&id.into(), cap::NAME),
        aliases: Vec::new(),
        title: String::new(),
        severity,
        score: None,
        package: clip(package, cap::NAME),
        version: clip(version, cap::NAME),
        path: Vec::new(),
        fixed: Vec::new(),
        dev: false,
        notice: None,
        source: String::new(),
    }
}

/// The GHSA id in an address.
fn ghsa(url: Option<&str>) -> Option<String> {
    let url = url?;
    let id = &url[url.find("GHSA-")?..];
    let end = id
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .unwrap_or(id.len());
    Some(clip(&id[..end], cap::NAME))
}

/// A path to a package, cut where it is long.
fn path<'a>(steps: impl Iterator<Item = &'a str>) -> Vec<String> {
    steps
        .filter(|step| !step.is_empty())
        .take(cap::PATH)
        .map(|step| clip(step, cap::NAME))
        .collect()
}

#[cfg(test)]
mod tests;
