//! The tree as a serde deserializer.

use readygate_sdk::SECRET_MARKER;
use serde::de::{self, IntoDeserializer, Visitor, value::StrDeserializer};

use super::{
    Sink,
    access::{Elements, Entries, Variant},
    address,
    error::DecodeError,
};
use crate::config::{
    diagnostic::{Diagnostic, Span, nearest},
    yaml::{Entry, Kind, Node},
};

#[derive(Clone, Copy)]
pub struct Decoder<'de, 's> {
    pub node: &'de Node,
    pub sink: &'s Sink,
}

impl<'de> Decoder<'de, '_> {
    pub fn expected(&self, what: &str) -> DecodeError {
        DecodeError::new(format!("expected {what}, found {}", self.node.describe()))
            .at(self.node.span)
    }

    pub fn located<T>(&self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|e| e.at(self.node.span))
    }

    pub fn scalar<V: Visitor<'de>>(
        self,
        text: &str,
        plain: bool,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if !plain {
            return visitor.visit_str(text);
        }
        match text {
            _ if self.node.is_null() => visitor.visit_unit(),
            "true" | "True" | "TRUE" => visitor.visit_bool(true),
            "false" | "False" | "FALSE" => visitor.visit_bool(false),
            _ => {
                if let Ok(value) = text.parse::<u64>() {
                    visitor.visit_u64(value)
                } else if let Ok(value) = text.parse::<i64>() {
                    visitor.visit_i64(value)
                } else if let Some(value) = decimal(text) {
                    visitor.visit_f64(value)
                } else {
                    visitor.visit_str(text)
                }
            }
        }
    }

    pub fn number<T: std::str::FromStr>(&self, what: &str) -> Result<T, DecodeError> {
        let text = self.node.text().ok_or_else(|| self.expected(what))?;
        text.trim().parse().map_err(|_| self.expected(what))
    }

    pub fn map<V: Visitor<'de>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let entries = match &self.node.kind {
            Kind::Mapping(entries) => entries.as_slice(),
            _ if self.node.is_null() => &[],
            _ => return Err(self.expected("a mapping")),
        };
        if let Some(fields) = fields {
            self.report_unknown(entries, fields);
        }
        let aside = self.sink.aside.borrow();
        let unknown = self.sink.unknown.borrow();
        let kept: Vec<&Entry> = entries
            .iter()
            .filter(|e| {
                !aside.contains(&address(&e.value)) && !unknown.contains(&address(&e.value))
            })
            .collect();
        drop((aside, unknown));
        let access = Entries {
            kept: kept.into_iter(),
            value: None,
            sink: self.sink,
        };
        visitor.visit_map(access).map_err(|mut e| {
            if let Some(name) = e.missing.take() {
                // A field that is there but wrong, or misspelt, has been reported as such.
                let meant = |entry: &Entry| nearest(&entry.key, fields.unwrap_or_default());
                let said = |entry: &Entry| entry.key == name || meant(entry) == Some(name);
                e.known |= entries.iter().any(said);
            }
            e.at(self.head())
        })
    }

    /// The place that stands for a whole mapping: its first key.
    pub fn head(&self) -> Span {
        self.node
            .entries()
            .first()
            .map_or(self.node.span, |e| e.key_span)
    }

    pub fn report_unknown(&self, entries: &[Entry], fields: &'static [&'static str]) {
        for entry in entries {
            if !fields.contains(&entry.key.as_str()) {
                self.sink.unknown.borrow_mut().insert(address(&entry.value));
                let problem =
                    Diagnostic::at(entry.key_span, format!("unknown key `{}`", entry.key))
                        .suggest(&entry.key, fields.iter().copied());
                self.sink.report(problem);
            }
        }
    }
}

/// A decimal number as JSON and YAML 1.2 know it; `.nan` and `.inf` stay text and are refused.
fn decimal(text: &str) -> Option<f64> {
    let shaped = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && text.contains(|c: char| c.is_ascii_digit());
    shaped
        .then(|| text.parse::<f64>().ok())
        .flatten()
        .filter(|v| v.is_finite())
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let value: $type = self.number($what)?;
            self.located(visitor.$visit(value))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Decoder<'de, '_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let result = match &self.node.kind {
            Kind::Scalar { text, plain } => self.scalar(text, *plain, visitor),
            Kind::Sequence(_) => self.deserialize_seq(visitor),
            Kind::Mapping(_) => self.map(None, visitor),
        };
        self.located(result)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.text() {
            Some("true" | "True" | "TRUE") => visitor.visit_bool(true),
            Some("false" | "False" | "FALSE") => visitor.visit_bool(false),
            _ => Err(self.expected("true or false")),
        }
    }

    numbers! {
        deserialize_i8 visit_i64 i64, "a whole number";
        deserialize_i16 visit_i64 i64, "a whole number";
        deserialize_i32 visit_i64 i64, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u64 u64, "a whole number, not negative";
        deserialize_u16 visit_u64 u64, "a whole number, not negative";
        deserialize_u32 visit_u64 u64, "a whole number, not negative";
        deserialize_u64 visit_u64 u64, "a whole number, not negative";
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let text = self.node.text().ok_or_else(|| self.expected("a number"))?;
        let value = decimal(text.trim()).ok_or_else(|| self.expected("a number"))?;
        self.located(visitor.visit_f64(value))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.text() {
            Some(text) if !self.node.is_null() => self.located(visitor.visit_str(text)),
            _ => Err(self.expected("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.node.is_null() {
            visitor.visit_unit()
        } else {
            Err(self.expected("nothing"))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if let (SECRET_MARKER, Some(text)) = (name, self.node.text()) {
            self.sink.add_secret(text);
            let values = self.sink.values.borrow();
            for value in values.get(&address(self.node)).into_iter().flatten() {
                self.sink.add_secret(value);
            }
        }
        self.located(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Kind::Sequence(items) = &self.node.kind else {
            return Err(self.expected("a list"));
        };
        let aside = self.sink.aside.borrow();
        let kept: Vec<&Node> = items
            .iter()
            .filter(|n| !aside.contains(&address(n)))
            .collect();
        drop(aside);
        self.located(visitor.visit_seq(Elements {
            kept: kept.into_iter(),
            sink: self.sink,
        }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.map(Some(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let result = match &self.node.kind {
            Kind::Scalar { text, .. } if !self.node.is_null() => {
                let unit: StrDeserializer<'_, DecodeError> = text.as_str().into_deserializer();
                visitor.visit_enum(unit)
            }
            Kind::Mapping(entries) if entries.len() == 1 => visitor.visit_enum(Variant {
                entry: &entries[0],
                sink: self.sink,
            }),
            _ => Err(self.expected("one of its kinds, as a name or a mapping with one key")),
        };
        self.located(result)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf }
}
