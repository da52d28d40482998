//! A setting that is off, on, or on with settings of its own.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// `false`, `true`, or a block of settings.
#[derive(Debug, Clone, Default)]
pub struct Switch<T>(Option<T>);

impl<T> Switch<T> {
    /// The settings, if it is on.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

struct Visitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> de::Visitor<'de> for Visitor<T> {
    type Value = Switch<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a block of settings")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Switch<T>, E> {
        Ok(Switch(on.then(T::default)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Switch<T>, E> {
        match text {
            "true" => self.visit_bool(true),
            "false" => self.visit_bool(false),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map)).map(|t| Switch(Some(t)))
    }
}

impl<T: JsonSchema> JsonSchema for Switch<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrSwitch", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<T>();
        json_schema!({
            "description": "true, false or a block of settings",
            "oneOf": [{"type": "boolean"}, {"type": "string", "pattern": r"^\$\{"}, inner],
        })
    }
}
