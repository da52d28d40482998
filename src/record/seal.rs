//! Sealing: the one layer that every text passes before any sink sees it.

use readygate_sdk::{Masker, defang};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Run;

/// Fields that hold a word of a fixed set, or a time. A secret that happens to be the same word,
/// masked there, would leave a record that nobody can read.
const FIXED: [&str; 19] = [
    "schema",
    "verdict",
    "outcome",
    "severity",
    "skipped",
    "level",
    "unit",
    "kind",
    "started",
    "finished",
    "decided",
    "until",
    "expires",
    "issued",
    "decision",
    "suspected",
    "confirmed",
    "deadline",
    "warn_at",
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
    let digest = digest(&mut json)?;
    let mut run: Run = serde_json::from_value(json)?;
    run.digest = Some(digest);
    Ok(run)
}

/// Of a record as JSON, without the digest that it holds.
fn digest(json: &mut Value) -> Result<String, serde_json::Error> {
    if let Some(fields) = json.as_object_mut() {
        fields.shift_remove("digest");
    }
    let digest = Sha256::digest(serde_json::to_vec(json)?);
    let hex = |hex: String, byte: &u8| hex + &format!("{byte:02x}");
    Ok(digest.iter().fold(String::new(), hex))
}

/// Whether the text of a record is as it was sealed; the error says what is wrong with it, as it
/// reads after "the record".
///
/// Works on the JSON form, so that a record of another version is not taken for an edited one.
pub fn check_digest(text: &[u8]) -> Result<(), String> {
    let mut json: Value = serde_json::from_slice(text).map_err(|e| format!("is no JSON: {e}"))?;
    let Some(written) = json.get("digest").and_then(Value::as_str) else {
        return Err("holds no digest".to_owned());
    };
    let written = written.to_owned();
    let actual = digest(&mut json).map_err(|e| e.to_string())?;
    if actual == written {
        return Ok(());
    }
    Err(format!(
        "was edited: its digest is {actual}, and {written} was written into it"
    ))
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
