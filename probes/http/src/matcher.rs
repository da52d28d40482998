//! Matchers: what one value must be.

use std::fmt;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::{Number, Value};

use readygate_web::compile;

/// What one value must be: a scalar that it must equal, or an operator in a text.
#[derive(Debug, Clone)]
pub struct Matcher {
    source: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Exists,
    Absent,
    Equal(Value),
    NotEqual(Value),
    Order(Order, f64),
    Matches(Regex),
    Contains(String),
}

#[derive(Debug, Clone, Copy)]
enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Matcher {
    /// Reads a text: `ok`, `== ok`, `!= ok`, `>= 3`, `exists`, `absent`, `matches ^v4`,
    /// `contains ready`.
    fn of_text(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let test = if trimmed == "exists" {
            Test::Exists
        } else if trimmed == "absent" {
            Test::Absent
        } else if let Some(pattern) = trimmed.strip_prefix("matches ") {
            Test::Matches(compile(pattern.trim())?)
        } else if let Some(part) = trimmed.strip_prefix("contains ") {
            Test::Contains(part.trim().to_owned())
        } else if let Some(value) = trimmed.strip_prefix("==") {
            Test::Equal(Value::String(value.trim().to_owned()))
        } else if let Some(value) = trimmed.strip_prefix("!=") {
            Test::NotEqual(Value::String(value.trim().to_owned()))
        } else if let Some((order, bound)) = order_of(trimmed) {
            let bound = number_of(bound)
                .ok_or_else(|| format!("`{trimmed}` compares with no number; write `>= 3`"))?;
            Test::Order(order, bound)
        } else {
            Test::Equal(Value::String(text.to_owned()))
        };
        let source = trimmed.to_owned();
        Ok(Self { source, test })
    }

    fn equal_to(value: Value) -> Self {
        Self {
            source: value.to_string(),
            test: Test::Equal(value),
        }
    }

    /// Whether it is a number with a point, whose spelling YAML has not kept.
    pub(crate) fn is_decimal(&self) -> bool {
        matches!(&self.test, Test::Equal(Value::Number(n)) if n.is_f64())
    }

    /// Whether it wants the value to be missing.
    pub(crate) fn wants_absence(&self) -> bool {
        matches!(self.test, Test::Absent)
    }

    /// Whether any value but null will do.
    pub(crate) fn wants_presence_only(&self) -> bool {
        matches!(self.test, Test::Exists)
    }

    /// Whether a value of a JSON document is right. `null` exists for no one and is not absent.
    pub(crate) fn holds_json(&self, value: &Value) -> bool {
        match &self.test {
            Test::Exists => !value.is_null(),
            Test::Absent => false,
            Test::Equal(wanted) => equal_json(wanted, value),
            Test::NotEqual(unwanted) => !equal_json(unwanted, value),
            Test::Order(order, bound) => value.as_f64().is_some_and(|n| order.holds(n, *bound)),
            Test::Matches(pattern) => pattern.is_match(&plain(value)),
            Test::Contains(part) => plain(value).contains(part),
        }
    }

    /// Whether a text (a header's value) is right; numbers are read from it where one is wanted.
    pub(crate) fn holds_text(&self, text: &str) -> bool {
        match &self.test {
            Test::Exists => true,
            Test::Absent => false,
            Test::Equal(wanted) => equal_text(wanted, text),
            Test::NotEqual(unwanted) => !equal_text(unwanted, text),
            Test::Order(order, bound) => number_of(text).is_some_and(|n| order.holds(n, *bound)),
            Test::Matches(pattern) => pattern.is_match(text),
            Test::Contains(part) => text.contains(part),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

fn order_of(text: &str) -> Option<(Order, &str)> {
    [
        ("<=", Order::LessOrEqual),
        (">=", Order::GreaterOrEqual),
        ("<", Order::Less),
        (">", Order::Greater),
    ]
    .into_iter()
    .find_map(|(sign, order)| text.strip_prefix(sign).map(|rest| (order, rest)))
}

/// A finite number, or nothing: `NaN` and `inf` are texts.
fn number_of(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

/// A JSON value as text: a string without its quotes.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A wanted text equals a string of that text, and a number, `true`, `false` or `null` written so:
/// a value that came from `${NAME}` is a text whatever it looks like.
fn equal_json(wanted: &Value, value: &Value) -> bool {
    match (wanted, value) {
        (Value::Number(a), Value::Number(b)) => equal_number(a, b),
        (Value::String(text), Value::Number(n)) => {
            serde_json::from_str(text).is_ok_and(|wanted: Number| equal_number(&wanted, n))
        }
        (Value::String(text), Value::Bool(_) | Value::Null) => *text == plain(value),
        _ => wanted == value,
    }
}

/// Integers compare exactly, beyond 2^53 too; anything else as a double.
fn equal_number(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

fn equal_text(wanted: &Value, text: &str) -> bool {
    match wanted {
        Value::String(wanted) => wanted == text,
        Value::Number(wanted) => serde_json::from_str(text.trim())
            .is_ok_and(|number: Number| equal_number(wanted, &number)),
        other => plain(other) == text,
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Matcher;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a scalar to equal, or a text such as `>= 3`, `!= x`, `exists`, `absent`, `matches REGEX`")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Matcher, E> {
                Ok(Matcher::equal_to(value.into()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Matcher, E> {
                Ok(Matcher::equal_to(value.into()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Matcher, E> {
                Ok(Matcher::equal_to(value.into()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Matcher, E> {
                Number::from_f64(value)
                    .map(|n| Matcher::equal_to(Value::Number(n)))
                    .ok_or_else(|| E::custom("a value that is not finite equals nothing"))
            }
            fn visit_unit<E: Error>(self) -> Result<Matcher, E> {
                Ok(Matcher::equal_to(Value::Null))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Matcher, E> {
                Matcher::of_text(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HttpMatcher".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A scalar to equal, or a text with an operator: `>= 3`, `!= x`, `== x`, `exists`, `absent`, `matches REGEX`, `contains TEXT`",
            "type": ["string", "number", "boolean", "null"],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matcher(yaml: &str) -> Matcher {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn json_values_are_compared() {
        for (yaml, value, holds) in [
            ("ok", json!("ok"), true),
            ("ok", json!("OK"), false),
            ("3", json!(3), true),
            ("3", json!(3.0), true),
            ("3", json!("3"), false),
            ("\"3\"", json!(3), true),
            ("9007199254740993", json!(9_007_199_254_740_992_u64), false),
            ("true", json!(true), true),
            ("true", json!("true"), false),
            ("'true'", json!(true), true),
            ("null", json!(null), true),
            ("'>= 3'", json!(3), true),
            ("'>= 3'", json!(2.99), false),
            ("'>= 3'", json!("4"), false),
            ("'< 1e3'", json!(999), true),
            ("'!= x'", json!("y"), true),
            ("'!= 3'", json!(3), false),
            ("'== exists'", json!("exists"), true),
            ("exists", json!(0), true),
            ("exists", json!(null), false),
            ("absent", json!(null), false),
            ("'matches ^4\\.'", json!("4.0"), true),
            ("'matches ^4$'", json!(4), true),
            ("'contains b'", json!(["a", "b"]), true),
            ("ok", json!({"ok": true}), false),
        ] {
            assert_eq!(matcher(yaml).holds_json(&value), holds, "{yaml} on {value}");
        }
    }

    #[test]
    fn header_texts_are_compared() {
        for (yaml, text, holds) in [
            ("nosniff", "nosniff", true),
            ("60", "60", true),
            ("60", "61", false),
            ("'>= 60'", " 60 ", true),
            ("'>= 60'", "NaN", false),
            ("'>= 60'", "many", false),
            ("'matches max-age=\\d+'", "public, max-age=60", true),
            ("exists", "", true),
            ("absent", "", false),
        ] {
            assert_eq!(matcher(yaml).holds_text(text), holds, "{yaml} on {text}");
        }
    }

    #[test]
    fn what_compares_nothing_is_refused() {
        for yaml in [
            "'>= many'",
            "'< NaN'",
            "'matches ('",
            "[1]",
            "{a: 1}",
            ".nan",
        ] {
            assert!(serde_saphyr::from_str::<Matcher>(yaml).is_err(), "{yaml}");
        }
    }
}
