//! What a response must be, as the config writes it: status codes, texts, patterns.

use std::fmt;

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// A code or a class of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Code(u16),
    /// The first digit: `2xx`.
    Class(u16),
}

/// Status codes that are right; `2xx` if nothing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<Status>);

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![Status::Class(2)])
    }
}

impl Statuses {
    /// Reads `401`, `4xx` or several with `|` between them.
    pub fn of_text(text: &str) -> Result<Self, String> {
        let statuses: Result<Vec<_>, _> = text.split('|').map(status_of_text).collect();
        statuses.map(Self)
    }

    /// These codes.
    pub fn of_codes(codes: &[u16]) -> Self {
        Self(codes.iter().map(|code| Status::Code(*code)).collect())
    }

    /// Whether `code` is one of them.
    pub fn allow(&self, code: u16) -> bool {
        self.0.iter().any(|status| match status {
            Status::Code(right) => *right == code,
            Status::Class(class) => code / 100 == *class,
        })
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, status) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            match status {
                Status::Code(code) => write!(f, "{code}")?,
                Status::Class(class) => write!(f, "{class}xx")?,
            }
        }
        Ok(())
    }
}

fn status_of_number(code: u64) -> Result<Status, String> {
    u16::try_from(code)
        .ok()
        .filter(|code| (100..600).contains(code))
        .map(Status::Code)
        .ok_or_else(|| format!("`{code}` is not a status code; write 100 to 599, or `2xx`"))
}

fn status_of_text(text: &str) -> Result<Status, String> {
    let text = text.trim();
    if let Ok(code) = text.parse() {
        return status_of_number(code);
    }
    match text.to_ascii_lowercase().as_bytes() {
        [class @ b'1'..=b'5', b'x', b'x'] => Ok(Status::Class(u16::from(class - b'0'))),
        _ => Err(format!(
            "`{text}` is not a status; write a code (204), a class (2xx), or a list of them"
        )),
    }
}

/// One item of a `status` list.
struct Item(Status);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl Visitor<'_> for One {
            type Value = Item;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code or a class such as 2xx")
            }
            fn visit_u64<E: Error>(self, code: u64) -> Result<Item, E> {
                status_of_number(code).map(Item).map_err(E::custom)
            }
            fn visit_i64<E: Error>(self, code: i64) -> Result<Item, E> {
                self.visit_u64(u64::try_from(code).unwrap_or(0))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
                status_of_text(text).map(Item).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(One)
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Statuses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code, a class such as 2xx, or a list of them")
            }
            fn visit_u64<E: Error>(self, code: u64) -> Result<Statuses, E> {
                let status = status_of_number(code).map_err(E::custom)?;
                Ok(Statuses(vec![status]))
            }
            fn visit_i64<E: Error>(self, code: i64) -> Result<Statuses, E> {
                self.visit_u64(u64::try_from(code).unwrap_or(0))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Statuses, E> {
                let status = status_of_text(text).map_err(E::custom)?;
                Ok(Statuses(vec![status]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Statuses, A::Error> {
                let mut list = Vec::new();
                while let Some(Item(status)) = seq.next_element()? {
                    list.push(status);
                }
                if list.is_empty() {
                    return Err(A::Error::custom("an empty list of statuses allows nothing"));
                }
                Ok(Statuses(list))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HttpStatuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = serde_json::json!({"anyOf": [
            {"type": "integer", "minimum": 100, "maximum": 599},
            {"type": "string", "pattern": r"^\s*[1-5]([0-9]{2}|[xX]{2})\s*$|\$\{"},
        ]});
        json_schema!({
            "description": "A status code (204), a class (2xx), or a list of them",
            "anyOf": [one.clone(), {"type": "array", "items": one, "minItems": 1}],
        })
    }
}

/// Compiled programs stay small: the pattern comes from a config that anyone may propose.
const PATTERN_LIMIT: usize = 1 << 20;

/// Compiles a pattern, with a bound on its size.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_LIMIT)
        .build()
        .map_err(|e| format!("`{pattern}` is not a regular expression: {e}"))
}

/// A regular expression, in the syntax of the `regex` crate (linear time, no look-around).
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The first group of the first match, or the whole match where there is no group.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.0.captures(text)?;
        found.get(1).or_else(|| found.get(0)).map(|m| m.as_str())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        compile(&text).map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RegularExpression".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "regex"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(yaml: &str) -> Result<Statuses, String> {
        serde_saphyr::from_str(yaml).map_err(|e| e.to_string())
    }

    #[test]
    fn codes_classes_and_lists_are_read() {
        for (yaml, allowed, refused) in [
            ("204", 204, 200),
            ("2xx", 299, 300),
            ("\"301\"", 301, 302),
            ("[200, 3XX, \"404\"]", 308, 400),
        ] {
            let read = statuses(yaml).unwrap();
            assert!(read.allow(allowed) && !read.allow(refused), "{yaml}");
        }
        assert!(Statuses::default().allow(204) && !Statuses::default().allow(302));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for yaml in ["[]", "99", "600", "-1", "ok", "6xx", "2x", "{a: 1}", "1.5"] {
            assert!(statuses(yaml).is_err(), "{yaml}");
        }
    }
}
