//! One exit code or a list of them.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Exit codes that mean success: `0` or `[0, 2]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExitCodes(pub Vec<u8>);

impl fmt::Display for ExitCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<String> = self.0.iter().map(u8::to_string).collect();
        write!(f, "exit code {}", codes.join(" or "))
    }
}

impl<'de> Deserialize<'de> for ExitCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shape).map(ExitCodes)
    }
}

/// One code, alone; also from text, for it may come out of a variable.
struct Code(u8);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &deserializer.deserialize_any(Shape)?[..] {
            [code] => Ok(Self(*code)),
            _ => Err(de::Error::custom("expected an exit code, 0 to 255")),
        }
    }
}

struct Shape;

impl<'de> de::Visitor<'de> for Shape {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an exit code, 0 to 255, or a list of them")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Vec<u8>, E> {
        u8::try_from(value)
            .map(|code| vec![code])
            .map_err(|_| E::custom(format!("{value} is not an exit code, 0 to 255")))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Vec<u8>, E> {
        u8::try_from(value)
            .map(|code| vec![code])
            .map_err(|_| E::custom(format!("{value} is not an exit code, 0 to 255")))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Vec<u8>, E> {
        value
            .trim()
            .parse()
            .map(|code| vec![code])
            .map_err(|_| E::custom(format!("`{value}` is not an exit code, 0 to 255")))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
        let mut codes = Vec::new();
        while let Some(Code(code)) = list.next_element()? {
            codes.push(code);
        }
        Ok(codes)
    }
}

impl JsonSchema for ExitCodes {
    fn schema_name() -> Cow<'static, str> {
        "ExitCodes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let code = serde_json::json!({"type": "integer", "minimum": 0, "maximum": 255});
        let text = serde_json::json!({"type": "string", "pattern": r"^[0-9]{1,3}$|\$\{"});
        json_schema!({
            "description": "One exit code or a list of them",
            "oneOf": [code, text, {"type": "array", "minItems": 1, "items": {"oneOf": [code, text]}}],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_many_and_text_are_read() {
        let read = |json: &str| serde_json::from_str::<ExitCodes>(json).map(|c| c.0);
        assert_eq!(read("0").unwrap(), [0]);
        assert_eq!(read("[0, \"2\"]").unwrap(), [0, 2]);
        assert_eq!(read("\"3\"").unwrap(), [3]);
        for refused in ["256", "-1", "\"x\"", "1.5", "[[0, 1]]", "null"] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }
}
