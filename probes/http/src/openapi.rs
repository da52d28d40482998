//! Which operations of an OpenAPI document a gate asked.

use std::path::Path;

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use serde_json::Value;
use url::Url;

use crate::record::{HttpMeasurement, OpenApiRecord, Operation};

/// Documents are larger only by mistake.
const LARGEST: u64 = 16 << 20;
const MOST: usize = 5000;
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// A document, read: the prefixes of its servers' paths, and its operations.
pub(crate) struct Document {
    prefixes: Vec<String>,
    record: OpenApiRecord,
}

/// Reads the document at `path`.
pub(crate) async fn read(path: &str, cx: &Cx) -> Result<Document, ProbeError> {
    let file = cx.resolve(path);
    let shown = path.to_owned();
    let phase = "reading the OpenAPI document";
    cx.blocking(path, phase, move || {
        parse(&file, &shown).map_err(|message| {
            ProbeError::new(ErrorKind::BadData, &shown, phase, message)
                .hint("`openapi` wants an OpenAPI 3 document, in YAML or JSON")
        })
    })
    .await
}

fn parse(file: &Path, shown: &str) -> Result<Document, String> {
    let size = std::fs::metadata(file).map_err(|e| e.to_string())?.len();
    if size > LARGEST {
        return Err(format!("{size} bytes; at most {LARGEST} are read"));
    }
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    // JSON is read as YAML too; its own reader names line and column better.
    let document: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|e| e.to_string())?
    } else {
        serde_saphyr::from_str(&text).map_err(|e| e.to_string())?
    };
    let version = document.get("openapi").and_then(Value::as_str);
    if !version.is_some_and(|v| v.starts_with("3.")) {
        let found = version.unwrap_or("absent");
        return Err(format!("`openapi` is {found}; this probe reads 3.x"));
    }
    let operations = operations(&document);
    if operations.is_empty() {
        return Err("`paths` names no operation".to_owned());
    }
    if operations.len() > MOST {
        return Err(format!("{} operations; at most {MOST}", operations.len()));
    }
    Ok(Document {
        prefixes: prefixes(&document),
        record: OpenApiRecord {
            file: shown.to_owned(),
            operations,
        },
    })
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut operations = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if item.get(method).is_some_and(Value::is_object) {
                operations.push(Operation {
                    method: method.to_ascii_uppercase(),
                    path: path.clone(),
                    answered: Vec::new(),
                });
            }
        }
    }
    operations
}

/// The paths of `servers`, without a slash at the end; `/` where there is none.
fn prefixes(document: &Value) -> Vec<String> {
    let servers = document.get("servers").and_then(Value::as_array);
    let urls = servers.into_iter().flatten();
    let mut prefixes: Vec<String> = urls
        .filter_map(|server| server.get("url")?.as_str())
        .map(|url| match Url::parse(url) {
            Ok(url) => url.path().trim_end_matches('/').to_owned(),
            Err(_) => url.trim_end_matches('/').to_owned(),
        })
        .collect();
    if prefixes.is_empty() {
        prefixes.push(String::new());
    }
    prefixes
}

impl Document {
    /// Notes which operations the answered requests of `record` asked.
    pub(crate) fn seen(mut self, record: &HttpMeasurement) -> OpenApiRecord {
        for request in record.requests() {
            let Ok(url) = Url::parse(&request.url) else {
                continue;
            };
            for answer in &request.answers {
                let Some(index) = self.find(&request.method, url.path()) else {
                    continue;
                };
                let operation = &mut self.record.operations[index];
                if !operation.answered.contains(&answer.status) {
                    operation.answered.push(answer.status);
                }
            }
        }
        self.record
    }

    /// The operation of a request: the one with the fewest parameters that matches (OpenAPI 3.1,
    /// section 4.8.8: a concrete path goes before a templated one).
    fn find(&self, method: &str, path: &str) -> Option<usize> {
        let fits = |template: &str| {
            self.prefixes
                .iter()
                .any(|prefix| matches(&format!("{prefix}{template}"), path))
        };
        let operations = self.record.operations.iter().enumerate();
        operations
            .filter(|(_, operation)| operation.method == method && fits(&operation.path))
            .min_by_key(|(_, operation)| operation.path.matches('{').count())
            .map(|(index, _)| index)
    }
}

fn matches(template: &str, path: &str) -> bool {
    let mut parts = template.split('/');
    let mut found = path.split('/');
    loop {
        match (parts.next(), found.next()) {
            (None, None) => return true,
            (Some(part), Some(found)) if fits(part, found) => {}
            _ => return false,
        }
    }
}

/// `{id}`, `report-{id}.{format}`: text around parameters must be there, in order.
fn fits(part: &str, found: &str) -> bool {
    let Some((before, rest)) = part.split_once('{') else {
        return part == found;
    };
    let Some(found) = found.strip_prefix(before) else {
        return false;
    };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    if !after.contains('{') {
        return found.len() > after.len() && found.ends_with(after);
    }
    (1..=found.len())
        .filter(|at| found.is_char_boundary(*at))
        .any(|at| fits(after, &found[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_match_paths() {
        for (template, path, yes) in [
            ("/users/{id}", "/users/7", true),
            ("/users/{id}", "/users/", false),
            ("/users/{id}", "/users/7/cars", false),
            ("/r-{a}.{b}", "/r-1.pdf", true),
            ("/r-{a}.{b}", "/r-1", false),
            ("/a", "/a/", false),
        ] {
            assert_eq!(matches(template, path), yes, "{template} {path}");
        }
    }
}
