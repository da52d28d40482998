//! The JSON formats, which the keys of the document decide.

use std::io::Read;

use readygate_reports::{Fault, Source, json};
use serde_json::{Map, Value};

use super::{istanbul, llvm, python, simplecov};
use crate::model::Report;

/// Largest document, bytes: what it takes in memory is several times as much.
const LARGEST: u64 = 128 * 1024 * 1024;

/// An object of a document.
pub(super) type Object = Map<String, Value>;

pub(super) fn read<R: Read>(source: &mut Source<'_, R>) -> Result<Report, Fault> {
    let document: Value = json::document(source, LARGEST)?;
    let Value::Object(document) = document else {
        return Err(unknown());
    };
    let has = |key: &str| document.contains_key(key);
    let inner = |key: &str| {
        let mut values = document.values();
        values.any(|value| value.get(key).is_some())
    };
    let kind = document
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if kind.starts_with("llvm.coverage") {
        llvm::read(&document)
    } else if has("files") && has("totals") {
        python::read(&document)
    } else if document
        .get("total")
        .is_some_and(|total| total.get("lines").is_some())
    {
        istanbul::read_summary(&document)
    } else if inner("statementMap") {
        istanbul::read(&document)
    } else if inner("coverage") {
        simplecov::read(&document)
    } else if has("result") {
        Err(Fault::new(
            "this is SimpleCov's `.last_run.json`, which holds a rounded percentage only",
        )
        .hint("name coverage/.resultset.json instead"))
    } else if document.is_empty() {
        Err(Fault::new(
            "the document is empty, so nothing was instrumented",
        ))
    } else {
        Err(unknown())
    }
}

fn unknown() -> Fault {
    Fault::new("this is JSON, and of no known coverage format")
        .hint("known are Istanbul, llvm-cov, SimpleCov's .resultset.json and `coverage json`")
}

/// A count that must be there.
pub(super) fn number(object: &Value, key: &str) -> Result<u64, Fault> {
    object
        .get(key)
        .and_then(Value::as_u64)
        .ok_or_else(|| Fault::new(format!("`{key}` is missing or is no count")))
}

/// A number of executions: at least one?
pub(super) fn is_hit(value: &Value) -> Option<bool> {
    Some(value.as_f64()? > 0.0)
}

/// A line number.
pub(super) fn line(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}
