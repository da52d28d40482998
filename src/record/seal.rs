//! Sealing: the one layer that every text passes before any sink sees it.

use readygate_sdk::{Masker, defang};
use serde_json::Value;

use super::Run;

/// Masks every secret and defangs every text of a record, keys included.
///
/// Works on the JSON form, so that a field added tomorrow is covered today.
pub fn seal(run: &Run, masker: &Masker) -> Result<Run, serde_json::Error> {
    let mut json = serde_json::to_value(run)?;
    clean(&mut json, masker);
    serde_json::from_value(json)
}

fn clean(value: &mut Value, masker: &Masker) {
    match value {
        Value::String(text) => *text = defang(&masker.mask(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, masker)),
        Value::Object(fields) => {
            let entries: Vec<_> = std::mem::take(fields).into_iter().collect();
            for (key, mut item) in entries {
                clean(&mut item, masker);
                fields.insert(defang(&masker.mask(&key)), item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
