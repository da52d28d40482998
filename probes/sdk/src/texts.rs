//! One text or a list of texts, as configs write them.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// One text or a list of texts: `contains: ready` and `contains: [ready, steady]`.
///
/// An unquoted number with a point, or `true`, is refused: YAML may already have changed its
/// spelling (`1.10` reads as 1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Texts {
    /// The texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> de::Visitor<'de> for OneOrMany {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text (in quotes where it looks like a number) or a list of texts")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_owned()]))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_string()]))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Texts, E> {
        Ok(Texts(vec![value.to_string()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            texts.push(text);
        }
        Ok(Texts(texts))
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One text or a list of texts",
            "oneOf": [
                {"type": ["string", "integer"]},
                {"type": "array", "items": {"type": "string"}},
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many_are_read_and_changed_spellings_refused() {
        let read = |json: &str| serde_json::from_str::<Texts>(json).map(|t| t.0);
        assert_eq!(read("\"a\"").unwrap(), ["a"]);
        assert_eq!(read("[\"a\", \"b\"]").unwrap(), ["a", "b"]);
        assert_eq!(read("200").unwrap(), ["200"]);
        for refused in ["1.1", "true", "{}", "null"] {
            let error = read(refused).unwrap_err().to_string();
            assert!(error.contains("in quotes"), "{error}");
        }
    }
}
