//! Tree to types, through serde, collecting every mistake instead of the first.
//!
//! serde gives up on a value at its first error. Here the offending entry is then put aside, and
//! the same value is read again without it, until nothing new turns up. Unknown keys never reach
//! serde: the names that a struct knows are compared before its visitor sees a key.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    fmt,
};

use readygate_sdk::SECRET_MARKER;
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IntoDeserializer, Visitor, value::StrDeserializer},
};

use super::{
    diagnostic::{Diagnostic, Span, nearest},
    yaml::{Entry, Kind, Node},
};

/// Rounds of putting aside and reading again; each finds at least one new mistake.
const MOST_ROUNDS: usize = 200;

/// Mistakes that are kept: beyond this the file is something else than a config.
const MOST_PROBLEMS: usize = 1_000;

/// Where mistakes and secrets are collected.
#[derive(Debug, Default)]
pub struct Sink {
    problems: RefCell<Vec<Diagnostic>>,
    aside: RefCell<HashSet<usize>>,
    unknown: RefCell<HashSet<usize>>,
    secrets: RefCell<Vec<String>>,
    /// Values of variables that went into a text, by its address.
    values: RefCell<HashMap<usize, Vec<String>>>,
}

impl Sink {
    /// Adds a mistake.
    pub fn report(&self, problem: Diagnostic) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MOST_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// How many mistakes so far.
    pub fn len(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All mistakes, and the values of all fields of secret type.
    pub fn into_parts(self) -> (Vec<Diagnostic>, Vec<String>) {
        (self.problems.into_inner(), self.secrets.into_inner())
    }

    /// Notes which value went into a text: if that turns out to be a secret, so is the value.
    pub fn add_value(&self, node: &Node, value: &str) {
        let mut values = self.values.borrow_mut();
        values
            .entry(address(node))
            .or_default()
            .push(value.to_owned());
    }

    /// Marks a value as secret.
    pub fn add_secret(&self, value: &str) {
        self.secrets.borrow_mut().push(value.to_owned());
    }
}

/// Reads `node` as a `T`, or reports everything that is wrong with it.
pub fn decode<'de, T: Deserialize<'de>>(node: &'de Node, sink: &Sink) -> Option<T> {
    let before = sink.len();
    for _ in 0..MOST_ROUNDS {
        match T::deserialize(Decoder { node, sink }) {
            Ok(value) if sink.len() == before => return Some(value),
            Ok(_) => return None,
            Err(error) => {
                if !error.known {
                    sink.report(error.diagnostic(node.span));
                }
                match error.culprit {
                    Some(culprit) if sink.aside.borrow_mut().insert(culprit) => {}
                    _ => return None,
                }
            }
        }
    }
    None
}

/// An error on its way up.
#[derive(Debug)]
pub struct DecodeError {
    message: String,
    help: Option<String>,
    span: Option<Span>,
    /// Address of the value to put aside.
    culprit: Option<usize>,
    /// The name in serde's "missing field".
    missing: Option<&'static str>,
    /// Follows from a mistake that is already reported.
    known: bool,
}

impl DecodeError {
    fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            message,
            help: None,
            span: None,
            culprit: None,
            missing: None,
            known: false,
        }
    }

    fn at(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    fn blame(mut self, node: &Node) -> Self {
        self.culprit = self.culprit.or(Some(address(node)));
        self
    }

    fn diagnostic(&self, fallback: Span) -> Diagnostic {
        let problem = Diagnostic::at(self.span.unwrap_or(fallback), &self.message);
        match &self.help {
            Some(help) => problem.help(help),
            None => problem,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new(format!("`{field}` is missing"))
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let told = Diagnostic::nowhere("").suggest(variant, expected.iter().copied());
        Self {
            help: told.help,
            ..Self::new(format!("unknown value `{variant}`"))
        }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", plainly(found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", plainly(found)))
    }
}

/// serde's own words say "string" and "unit", which a person did not write.
fn plainly(found: de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Str(text) => format!("`{}`", readygate_sdk::excerpt(text, 60)),
        de::Unexpected::Bool(value) => format!("`{value}`"),
        de::Unexpected::Unsigned(value) => format!("`{value}`"),
        de::Unexpected::Signed(value) => format!("`{value}`"),
        de::Unexpected::Float(value) => format!("`{value}`"),
        de::Unexpected::Unit | de::Unexpected::Option => "nothing".into(),
        de::Unexpected::Seq => "a list".into(),
        de::Unexpected::Map => "a mapping".into(),
        other => other.to_string(),
    }
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

#[derive(Clone, Copy)]
struct Decoder<'de, 's> {
    node: &'de Node,
    sink: &'s Sink,
}

impl<'de> Decoder<'de, '_> {
    fn expected(&self, what: &str) -> DecodeError {
        DecodeError::new(format!("expected {what}, found {}", self.node.describe()))
            .at(self.node.span)
    }

    fn located<T>(&self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|e| e.at(self.node.span))
    }

    fn scalar<V: Visitor<'de>>(
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

    fn number<T: std::str::FromStr>(&self, what: &str) -> Result<T, DecodeError> {
        let text = self.node.text().ok_or_else(|| self.expected(what))?;
        text.trim().parse().map_err(|_| self.expected(what))
    }

    fn map<V: Visitor<'de>>(
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
    fn head(&self) -> Span {
        self.node
            .entries()
            .first()
            .map_or(self.node.span, |e| e.key_span)
    }

    fn report_unknown(&self, entries: &[Entry], fields: &'static [&'static str]) {
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

struct Entries<'de, 's> {
    kept: std::vec::IntoIter<&'de Entry>,
    value: Option<&'de Node>,
    sink: &'s Sink,
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

struct Elements<'de, 's> {
    kept: std::vec::IntoIter<&'de Node>,
    sink: &'s Sink,
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

struct Variant<'de, 's> {
    entry: &'de Entry,
    sink: &'s Sink,
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
