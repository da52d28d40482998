//! An error on its way up through serde, with its place and its culprit.

use std::fmt;

use serde::de;

use super::address;
use crate::config::{
    diagnostic::{Diagnostic, Span},
    yaml::Node,
};

/// An error on its way up.
#[derive(Debug)]
pub struct DecodeError {
    pub message: String,
    pub help: Option<String>,
    pub span: Option<Span>,
    /// Address of the value to put aside.
    pub culprit: Option<usize>,
    /// The name in serde's "missing field".
    pub missing: Option<&'static str>,
    /// Follows from a mistake that is already reported.
    pub known: bool,
}

impl DecodeError {
    pub fn new(message: impl Into<String>) -> Self {
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

    pub fn at(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    pub fn blame(mut self, node: &Node) -> Self {
        self.culprit = self.culprit.or(Some(address(node)));
        self
    }

    pub fn diagnostic(&self, fallback: Span) -> Diagnostic {
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
