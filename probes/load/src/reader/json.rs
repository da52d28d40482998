//! Numbers in JSON documents, which some tools write as texts.

use serde_json::Value;

/// A number, perhaps in quotes.
pub(super) fn number(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    let parsed = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    parsed.is_finite().then_some(parsed)
}

/// A count: an integer from 0, perhaps in quotes or written as a decimal.
pub(super) fn count(value: Option<&Value>) -> Option<u64> {
    if let Some(n) = value?.as_u64() {
        return Some(n);
    }
    to_count(number(value)?)
}

/// A count that is written as a decimal.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
pub(super) fn to_count(number: f64) -> Option<u64> {
    (0.0..9e15).contains(&number).then(|| number.round() as u64)
}

/// The number at a pointer.
pub(super) fn at(value: &Value, pointer: &str) -> Option<f64> {
    number(value.pointer(pointer))
}

/// The count at a pointer.
pub(super) fn count_at(value: &Value, pointer: &str) -> Option<u64> {
    count(value.pointer(pointer))
}

/// Pairs of names and counts.
pub(super) fn counts<'a>(value: &'a Value, pointer: &str) -> Vec<(&'a str, u64)> {
    let map = value.pointer(pointer).and_then(Value::as_object);
    let pairs = map.into_iter().flatten();
    pairs
        .filter_map(|(name, n)| Some((name.as_str(), count(Some(n))?)))
        .collect()
}
