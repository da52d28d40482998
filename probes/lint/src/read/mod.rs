//! Reads reports, each format in a file of its own.

mod checkstyle;
mod decode;
mod json;
mod lines;
mod sarif;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use std::collections::{BTreeMap, HashSet};

pub(crate) use decode::decode;
pub(crate) use lines::{is_prettier, silent_tsc};

use crate::{
    config::{Format, Severity},
    measurement::{Counts, Finding},
};

/// `null` is read as if the field were not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A report cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub reason: String,
    pub line: Option<u64>,
    pub column: Option<u64>,
}

impl Fault {
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            line: None,
            column: None,
        }
    }

    pub fn json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        let reason = match error.classify() {
            serde_json::error::Category::Eof => "it is cut off".to_owned(),
            serde_json::error::Category::Syntax => format!("it is not JSON: {reason}"),
            _ => format!("it has another shape than expected: {reason}"),
        };
        Self {
            reason,
            line: Some(error.line() as u64),
            column: Some(error.column() as u64),
        }
    }
}

/// What is needed to read.
pub(crate) struct Settings<'a> {
    /// Level of results that state none, by tool in lower case.
    pub default_levels: &'a BTreeMap<String, Severity>,
    /// No file at all means clean.
    pub empty_is_clean: bool,
}

/// What a report says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub tools: Vec<String>,
    pub counts: Counts,
    /// Results that count.
    pub findings: Vec<Finding>,
    /// Files that were linted, where the format lists those without results too.
    pub linted: Option<u64>,
    /// Signs that the linter did not do all of its work.
    pub incomplete: Vec<String>,
    /// It claims more than it holds.
    pub doubtful: Vec<String>,
    /// When the linter ended.
    pub ended: Option<Timestamp>,
    /// Results that are called new, and results of which anything is said.
    pub stated_new: u64,
    pub stated: u64,
}

impl Reading {
    pub fn push(&mut self, finding: Finding) {
        *self.counts.of(finding.level) += 1;
        self.findings.push(finding);
    }

    /// Says that the work was not done, once for each reason.
    pub fn incomplete(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if self.incomplete.len() < 20 && !self.incomplete.contains(&reason) {
            self.incomplete.push(reason);
        }
    }

    /// Counts what was reported twice (for a library and for its tests, say) once.
    fn distinct(&mut self) {
        let mut seen = HashSet::new();
        let all = std::mem::take(&mut self.findings);
        for level in [Severity::Error, Severity::Warning, Severity::Note] {
            *self.counts.of(level) = 0;
        }
        for finding in all {
            let key = (
                finding.level,
                finding.rule.clone(),
                finding.file.clone(),
                finding.line,
                finding.column,
                finding.message.clone(),
            );
            if seen.insert(key) {
                self.push(finding);
            }
        }
    }
}

/// Reads a decoded report.
pub(crate) fn read(
    text: &str,
    wanted: Option<Format>,
    settings: &Settings<'_>,
) -> Result<(Format, Reading), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(
            "it is empty; a linter that finds nothing still writes a report",
        ));
    }
    let format = match (detect(text), wanted) {
        (Ok(found), Some(wanted)) if found != wanted => {
            return Err(Fault::new(format!(
                "`format` says {wanted}, and the content is {found}"
            )));
        }
        (_, Some(wanted)) => wanted,
        (Ok(found), None) => found,
        (Err(fault), None) => return Err(fault),
    };
    let reading = match format {
        Format::Sarif => sarif::read(text, settings),
        Format::Eslint => json::eslint(text, settings),
        Format::Stylelint => json::stylelint(text, settings),
        Format::Rubocop => json::rubocop(text),
        Format::Golangci => json::golangci(text),
        Format::Checkstyle => checkstyle::read(text, settings),
        Format::Cargo => lines::cargo(text),
        Format::Prettier => Ok(lines::prettier(text)),
        Format::Tsc => lines::tsc(text),
    };
    Ok((format, reading?))
}

/// Finds the format out by the content.
fn detect(text: &str) -> Result<Format, Fault> {
    match text.trim_start().chars().next() {
        Some('<') => checkstyle::detect(text),
        Some('{') => detect_object(text),
        Some('[') if is_prettier(text) => Ok(Format::Prettier),
        Some('[') => detect_list(text),
        _ if is_prettier(text) => Ok(Format::Prettier),
        _ if lines::is_tsc(text) => Ok(Format::Tsc),
        _ => Err(unknown("text that is of no linter known here")),
    }
}

/// The keys of an object; the values are skipped.
type Keys = BTreeMap<String, Option<IgnoredAny>>;

fn detect_object(text: &str) -> Result<Format, Fault> {
    let first = text.trim_start().lines().next().unwrap_or_default();
    if let Ok(keys) = serde_json::from_str::<Keys>(first)
        && (keys.contains_key("reason") || keys.contains_key("$message_type"))
    {
        return Ok(Format::Cargo);
    }
    let keys: Keys = serde_json::from_str(text).map_err(|e| Fault::json(&e))?;
    let has = |key: &str| keys.contains_key(key);
    if has("runs") || has("version") && has("$schema") {
        Ok(Format::Sarif)
    } else if has("Issues") {
        Ok(Format::Golangci)
    } else if has("files") && (has("summary") || has("metadata")) {
        Ok(Format::Rubocop)
    } else {
        let names: Vec<&str> = keys.keys().take(5).map(String::as_str).collect();
        Err(unknown(&format!("a JSON object with {}", names.join(", "))))
    }
}

fn detect_list(text: &str) -> Result<Format, Fault> {
    let list: Vec<Keys> = serde_json::from_str(text).map_err(|e| Fault::json(&e))?;
    match list.first() {
        // Both write `[]` for nothing, and it is read alike.
        None => Ok(Format::Eslint),
        Some(keys) if keys.contains_key("messages") => Ok(Format::Eslint),
        Some(keys) if keys.contains_key("warnings") => Ok(Format::Stylelint),
        Some(keys) => {
            let names: Vec<&str> = keys.keys().take(5).map(String::as_str).collect();
            Err(unknown(&format!("a JSON list of {}", names.join(", "))))
        }
    }
}

pub(super) fn unknown(what: &str) -> Fault {
    Fault::new(format!(
        "the format is not known: {what}; let the linter write SARIF, checkstyle XML, or one of the \
         formats that `format` lists"
    ))
}
