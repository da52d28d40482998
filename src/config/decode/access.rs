//! Walking mappings, lists and variants for serde; what fails is blamed on its value.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor, value::StrDeserializer};

use super::{Sink, deserializer::Decoder, error::DecodeError};
use crate::config::yaml::{Entry, Node};

pub struct Entries<'de, 's> {
    pub kept: std::vec::IntoIter<&'de Entry>,
    pub value: Option<&'de Node>,
    pub sink: &'s Sink,
}

impl<'de> de::MapAccess<'de> for Entries<'de, '_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some(entry) = self.kept.next() else {
            return Ok(None);
        };
        self.value = Some(&entry.value);
        let key: StrDeserializer<'_, DecodeError> = entry.key.as_str().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|e| e.at(entry.key_span).blame(&entry.value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let node = self
            .value
            .take()
            .ok_or_else(|| DecodeError::new("a value without a key"))?;
        seed.deserialize(Decoder {
            node,
            sink: self.sink,
        })
        .map_err(|e| e.at(node.span).blame(node))
    }
}

pub struct Elements<'de, 's> {
    pub kept: std::vec::IntoIter<&'de Node>,
    pub sink: &'s Sink,
}

impl<'de> de::SeqAccess<'de> for Elements<'de, '_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(node) = self.kept.next() else {
            return Ok(None);
        };
        seed.deserialize(Decoder {
            node,
            sink: self.sink,
        })
        .map(Some)
        .map_err(|e| e.at(node.span).blame(node))
    }
}

pub struct Variant<'de, 's> {
    pub entry: &'de Entry,
    pub sink: &'s Sink,
}

impl<'de, 's> de::EnumAccess<'de> for Variant<'de, 's> {
    type Error = DecodeError;
    type Variant = Decoder<'de, 's>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), DecodeError> {
        let name: StrDeserializer<'_, DecodeError> = self.entry.key.as_str().into_deserializer();
        let value = seed
            .deserialize(name)
            .map_err(|e| e.at(self.entry.key_span))?;
        Ok((
            value,
            Decoder {
                node: &self.entry.value,
                sink: self.sink,
            },
        ))
    }
}

impl<'de> de::VariantAccess<'de> for Decoder<'de, '_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        if self.node.is_null() {
            Ok(())
        } else {
            Err(self.expected("nothing"))
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        self.located(seed.deserialize(self))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_seq(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.map(Some(fields), visitor)
    }
}
