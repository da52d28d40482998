//! What a value in JSON must be: a scalar, or a text with an operator.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::JsonFound;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// Equal to this scalar, in type and value.
    Is(Value),
    /// Spelled like this: a text, or a number or truth value that is written so.
    Reads(String),
    /// There, and not equal to this scalar.
    Not(Value),
    /// A number in this relation to another.
    Compare(Relation, f64),
    /// A number within these bounds, which are included.
    Between(f64, f64),
    /// There, be it null.
    Exists,
    /// Not there.
    Missing,
}

/// A relation between numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Relation {
    const ALL: [(&'static str, Self); 4] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        (">", Self::More),
    ];

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    fn sign(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, relation)| *relation == self)
            .map_or("", |(sign, _)| sign)
    }
}

impl Matcher {
    /// Reads a text: `ok`, `== ok`, `!= null`, `>= 3`, `between 1 and 5`, `exists`, `missing`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        match trimmed {
            "exists" => return Ok(Self::Exists),
            "missing" => return Ok(Self::Missing),
            _ => {}
        }
        if let Some(rest) = trimmed.strip_prefix("==") {
            return scalar(rest, trimmed).map(Self::Is);
        }
        if let Some(rest) = trimmed.strip_prefix("!=") {
            return scalar(rest, trimmed).map(Self::Not);
        }
        for (sign, relation) in Relation::ALL {
            if let Some(rest) = trimmed.strip_prefix(sign) {
                return number(rest, trimmed).map(|n| Self::Compare(relation, n));
            }
        }
        if let Some(rest) = trimmed.strip_prefix("between ") {
            let (low, high) = rest
                .split_once(" and ")
                .ok_or_else(|| format!("`{trimmed}` should read `between A and B`"))?;
            let (low, high) = (number(low, trimmed)?, number(high, trimmed)?);
            if low > high {
                return Err(format!("`{trimmed}` has its bounds the wrong way round"));
            }
            return Ok(Self::Between(low, high));
        }
        if trimmed.starts_with(['=', '!']) {
            return Err(format!(
                "`{trimmed}` has no operator that is known; write ==, !=, <, <=, > or >=, and `== \"{trimmed}\"` for this very text"
            ));
        }
        Ok(Self::Reads(text.to_owned()))
    }

    /// Whether what was found is as wanted.
    pub fn holds(&self, found: &JsonFound) -> bool {
        let value = match found {
            JsonFound::Missing => return *self == Self::Missing,
            JsonFound::Scalar(value) => Some(value),
            JsonFound::Array { .. } | JsonFound::Object { .. } => None,
        };
        match (self, value) {
            // A list or an object is there and equals no scalar.
            (Self::Exists, _) | (Self::Not(_), None) => true,
            (Self::Missing, _) | (_, None) => false,
            (Self::Is(wanted), Some(value)) => same(value, wanted),
            (Self::Reads(text), Some(value)) => plain(value) == *text,
            (Self::Not(other), Some(value)) => !same(value, other) && plain(value) != plain(other),
            (Self::Compare(relation, bound), Some(value)) => {
                value.as_f64().is_some_and(|n| relation.holds(n, *bound))
            }
            (Self::Between(low, high), Some(value)) => {
                value.as_f64().is_some_and(|n| (*low..=*high).contains(&n))
            }
        }
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // 3 and 3.0 are one number, and large integers keep all their digits.
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            a.as_f64() == b.as_f64()
        }
        _ => left == right,
    }
}

fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn scalar(text: &str, whole: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!(
            "`{whole}` lacks a value; for the empty text write `== \"\"`"
        ));
    }
    Ok(match serde_json::from_str(text) {
        Ok(Value::Array(_) | Value::Object(_)) | Err(_) => Value::String(text.to_owned()),
        Ok(value) => value,
    })
}

fn number(text: &str, whole: &str) -> Result<f64, String> {
    let text = text.trim();
    text.parse()
        .ok()
        .filter(|n: &f64| n.is_finite())
        .ok_or_else(|| format!("`{text}` in `{whole}` is not a number; JSON has no units"))
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "== {value}"),
            Self::Reads(text) => f.write_str(text),
            Self::Not(value) => write!(f, "!= {value}"),
            Self::Compare(relation, bound) => write!(f, "{} {bound}", relation.sign()),
            Self::Between(low, high) => write!(f, "between {low} and {high}"),
            Self::Exists => f.write_str("exists"),
            Self::Missing => f.write_str("missing"),
        }
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar)
    }
}

struct Scalar;

impl<'de> de::Visitor<'de> for Scalar {
    type Value = Matcher;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, number, truth value or null, or a text such as `>= 3` or `exists`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Matcher, E> {
        Matcher::parse(text).map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Matcher, E> {
        Ok(Matcher::Is(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Matcher, E> {
        Ok(Matcher::Is(value.into()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Matcher, E> {
        Ok(Matcher::Is(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Matcher, E> {
        serde_json::Number::from_f64(value)
            .map(|n| Matcher::Is(n.into()))
            .ok_or_else(|| E::custom("JSON has no such number"))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Matcher, E> {
        Ok(Matcher::Is(Value::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<Matcher, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Matcher, D::Error> {
        inner.deserialize_any(self)
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> Cow<'static, str> {
        "JsonMatcher".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number", "boolean", "null"],
            "description": "A scalar to be equal to, or `>= 3`, `!= null`, `between 1 and 5`, `exists`, `missing`",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(matcher: &Value, value: Value) -> bool {
        let matcher: Matcher = serde_json::from_value(matcher.clone()).unwrap();
        matcher.holds(&JsonFound::Scalar(value))
    }

    #[test]
    fn matchers_hold_for_what_they_name() {
        for (matcher, right, wrong) in [
            (json!("ok"), json!("ok"), json!("OK")),
            (json!(3), json!(3.0), json!("3")),
            (json!("3"), json!(3), json!(3.5)),
            (json!("1.10"), json!("1.10"), json!(1.1)),
            (json!(true), json!(true), json!("true")),
            (json!(null), json!(null), json!(0)),
            (json!("== ok"), json!("ok"), json!("ko")),
            (json!("== \"3\""), json!("3"), json!(3)),
            (json!("!= null"), json!(0), json!(null)),
            (json!("!= 3"), json!(4), json!("3")),
            (json!(">= 3"), json!(3), json!(2.99)),
            (json!("> 3"), json!(3.01), json!(3)),
            (json!("<= 3"), json!(3), json!("2")),
            (json!("< 3"), json!(-1), json!(null)),
            (json!("between 1 and 5"), json!(5), json!(5.1)),
            (json!("exists"), json!(null), json!(null)),
            (json!(u64::MAX), json!(u64::MAX), json!(u64::MAX - 1)),
        ] {
            assert!(
                holds(&matcher, right.clone()),
                "{matcher} holds for {right}"
            );
            if matcher != "exists" {
                assert!(
                    !holds(&matcher, wrong.clone()),
                    "{matcher} does not hold for {wrong}"
                );
            }
        }
    }

    #[test]
    fn what_is_missing_holds_for_missing_only() {
        for text in ["ok", "!= null", "!= 3", ">= 0", "exists", "== null"] {
            assert!(
                !Matcher::parse(text).unwrap().holds(&JsonFound::Missing),
                "{text}"
            );
        }
        assert!(Matcher::Missing.holds(&JsonFound::Missing));
        assert!(
            Matcher::parse("!= null")
                .unwrap()
                .holds(&JsonFound::Array { length: 0 })
        );
        assert!(
            !Matcher::parse("ok")
                .unwrap()
                .holds(&JsonFound::Object { length: 1 })
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            ">= three",
            "= 3",
            "==",
            "between 5 and 1",
            "between 1",
            "< NaN",
            "> 5ms",
        ] {
            assert!(Matcher::parse(text).is_err(), "{text}");
        }
    }
}
