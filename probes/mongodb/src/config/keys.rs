//! Keys of an index, in their order.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// How one key is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// 1 ascending, -1 descending.
    Sorted(i64),
    /// `text`, `2dsphere`, `hashed`, ...
    Kind(String),
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sorted(n) => write!(f, "{n}"),
            Self::Kind(kind) => f.write_str(kind),
        }
    }
}

/// Keys of an index in their order; a mapping in the config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<(String, Direction)>);

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self
            .0
            .iter()
            .map(|(key, way)| format!("{key}: {way}"))
            .collect();
        write!(f, "{{ {} }}", keys.join(", "))
    }
}

impl<'de> Deserialize<'de> for Direction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl de::Visitor<'_> for Read {
            type Value = Direction;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("1, -1, or a kind of index: text, 2dsphere, hashed")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Direction, E> {
                if n == 1 || n == -1 {
                    Ok(Direction::Sorted(n))
                } else {
                    Err(E::custom(format!("`{n}` is no direction; write 1 or -1")))
                }
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Direction, E> {
                self.visit_i64(i64::try_from(n).unwrap_or(i64::MAX))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Direction, E> {
                match text.parse::<i64>() {
                    Ok(n) => self.visit_i64(n),
                    Err(_) => Ok(Direction::Kind(text.to_owned())),
                }
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> de::Visitor<'de> for Read {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the keys in their order: { customer: 1, at: -1 }")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(entry) = map.next_entry::<String, Direction>()? {
                    keys.push(entry);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl JsonSchema for Keys {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IndexKeys".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Keys in their order: { customer: 1, at: -1 }",
            "minProperties": 1,
            "additionalProperties": {
                "oneOf": [
                    {"type": "integer", "enum": [1, -1]},
                    {"type": "string"},
                ],
            },
        })
    }
}
