//! Sealing: the one layer that every text passes before any sink sees it.

use readygate_sdk::{Masker, defang};
use serde_json::Value;

use super::Run;

/// Fields that hold a word of a fixed set, or a time. A secret that happens to be the same word,
/// masked there, would leave a record that nobody can read.
const FIXED: [&str; 14] = [
    "schema", "verdict", "outcome", "severity", "skipped", "level", "unit", "kind", "started",
    "finished", "until", "expires", "issued", "decision",
];

/// Who chose the keys of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// This crate, in `record`.
    Ours,
    /// A probe; what is below them is ours again.
    Names,
    /// The world, all the way down.
    Foreign,
}

/// Masks every secret and defangs every text of a record, keys from outside included.
///
/// Works on the JSON form, so that a field added tomorrow is covered today.
pub fn seal(run: &Run, masker: &Masker) -> Result<Run, serde_json::Error> {
    let mut json = serde_json::to_value(run)?;
    clean(&mut json, Keys::Ours, masker);
    serde_json::from_value(json)
}

fn clean(value: &mut Value, keys: Keys, masker: &Masker) {
    match value {
        Value::String(text) => *text = defang(&masker.mask(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, keys, masker)),
        Value::Object(fields) if keys == Keys::Ours => {
            for (key, item) in fields {
                match key.as_str() {
                    "measurement" => clean(item, Keys::Foreign, masker),
                    "metrics" | "absent_metrics" => clean(item, Keys::Names, masker),
                    fixed if FIXED.contains(&fixed) && item.is_string() => {}
                    _ => clean(item, Keys::Ours, masker),
                }
            }
        }
        Value::Object(fields) => {
            let below = if keys == Keys::Names {
                Keys::Ours
            } else {
                keys
            };
            let entries: Vec<_> = std::mem::take(fields).into_iter().collect();
            for (key, mut item) in entries {
                clean(&mut item, below, masker);
                fields.insert(defang(&masker.mask(&key)), item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
