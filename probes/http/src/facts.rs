//! Turns one response into the facts that the config asks about, with its secrets masked.

use http::{
    HeaderMap, HeaderName,
    header::{LOCATION, SET_COOKIE},
};
use readygate_sdk::{Cx, Masker, ProbeError};
use readygate_web::shown_text;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    config::{HttpConfig, VersionSource},
    record::{Body, Facts, Found, HeaderFact, HeaderField, JsonFact, TextFact, VersionFact},
};

/// Bytes of text kept from the start of the body.
const EXCERPT: usize = 2 << 10;
/// Bytes looked at for the excerpt: masks make text shorter.
const EXCERPT_WINDOW: usize = 16 << 10;
/// Bytes that a secret of another gate may take.
const LONG_SECRET: usize = 512;
const HEADERS: usize = 64;
/// Characters kept of a header that nobody asks about.
const HEADER_VALUE: usize = 512;
/// Values and characters kept of one that somebody does.
const ASKED_VALUES: usize = 16;
const ASKED_VALUE: usize = 1 << 10;
/// Bytes of JSON kept of one value.
const JSON_VALUE: usize = 1 << 10;
const VERSION: usize = 200;

/// Masks and shortens what is recorded.
pub(crate) struct Recorder<'a> {
    pub(crate) config: &'a HttpConfig,
    pub(crate) cx: &'a Cx,
    /// The secrets of the gate itself, which are masked whoever runs it.
    pub(crate) masker: &'a Masker,
    /// Bytes of the longest secret in its longest form.
    pub(crate) longest_secret: usize,
}

impl Recorder<'_> {
    /// Text with its secrets masked.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.cx.mask(&self.masker.mask(text))
    }

    /// An error with its secrets masked: it may quote a peer, and a peer may echo.
    pub(crate) fn error(&self, mut error: ProbeError) -> ProbeError {
        for text in [&mut error.subject, &mut error.phase, &mut error.message] {
            *text = self.mask(text);
        }
        error
    }

    /// Text with its secrets masked, and cut to `max` characters after that.
    pub(crate) fn text(&self, text: &str, max: usize) -> String {
        cut(&self.mask(text), max)
    }

    /// The response headers, in order.
    pub(crate) fn headers(&self, headers: &HeaderMap) -> Vec<HeaderField> {
        headers
            .iter()
            .take(HEADERS)
            .map(|(name, value)| HeaderField {
                name: name.as_str().to_owned(),
                value: self.text(&header_text(name, value.as_bytes()), HEADER_VALUE),
            })
            .collect()
    }

    /// The body itself.
    pub(crate) fn body(&self, body: &readygate_web::Body) -> Body {
        Body {
            bytes: body.bytes.len() as u64,
            wire_bytes: body.wire_bytes,
            truncated: body.truncated,
            unread_encoding: body.unread_encoding.clone(),
            sha256: (!body.truncated).then(|| hex(&Sha256::digest(&body.bytes))),
            excerpt: match &body.unread_encoding {
                None => self.excerpt(&body.bytes, body.truncated),
                Some(_) => String::new(),
            },
            json_error: None,
        }
    }

    /// The first text of the body. Where it is cut, the end may hold the first half of a secret,
    /// which no mask knows: as much as a secret may be long goes too.
    fn excerpt(&self, bytes: &[u8], truncated: bool) -> String {
        let window = &bytes[..bytes.len().min(EXCERPT_WINDOW)];
        let mut text = self.mask(&String::from_utf8_lossy(window));
        if truncated || window.len() < bytes.len() {
            let end = text
                .len()
                .saturating_sub(self.longest_secret.max(LONG_SECRET));
            cut_bytes(&mut text, end);
        }
        cut_bytes(&mut text, EXCERPT);
        text
    }

    /// What the config asks about; notes in `body` whether it is JSON.
    pub(crate) fn facts(&self, headers: &HeaderMap, bytes: &[u8], body: &mut Body) -> Facts {
        let mut facts = Facts {
            headers: self.asked_headers(headers),
            ..Facts::default()
        };
        let text = body
            .unread_encoding
            .is_none()
            .then(|| String::from_utf8_lossy(bytes));
        if let Some(text) = &text {
            facts.texts = self.texts(text);
        }
        let mut document = None;
        if text.is_some() && self.config.asks_json() && !body.truncated {
            match parse(bytes) {
                Ok(value) => document = Some(value),
                Err(cause) => body.json_error = Some(cause),
            }
        }
        if let Some(document) = &document {
            facts.json = self
                .config
                .body_json
                .iter()
                .map(|(pointer, matcher)| JsonFact {
                    pointer: pointer.clone(),
                    found: self.found(document.pointer(pointer), matcher.wants_presence_only()),
                })
                .collect();
        }
        facts.version = self.version(headers, text.as_deref(), document.as_ref());
        facts
    }

    fn texts(&self, body: &str) -> Vec<TextFact> {
        let wanted = self.config.texts();
        wanted
            .map(|text| TextFact {
                text: self.mask(text),
                present: body.contains(text),
            })
            .collect()
    }

    fn asked_headers(&self, headers: &HeaderMap) -> Vec<HeaderFact> {
        let asked = self.config.response_headers.keys();
        asked
            .filter_map(|name| HeaderName::try_from(name.as_str()).ok())
            .map(|name| {
                let values: Vec<_> = headers
                    .get_all(&name)
                    .iter()
                    .map(|value| header_text(&name, value.as_bytes()))
                    .collect();
                HeaderFact {
                    cut: values.len() > ASKED_VALUES
                        || values.iter().any(|v| v.chars().count() > ASKED_VALUE),
                    values: values
                        .iter()
                        .take(ASKED_VALUES)
                        .map(|value| self.text(value, ASKED_VALUE))
                        .collect(),
                    name: name.as_str().to_owned(),
                }
            })
            .collect()
    }

    fn found(&self, value: Option<&Value>, presence_only: bool) -> Found {
        let Some(value) = value else {
            return Found::Missing;
        };
        if presence_only && !value.is_null() {
            return Found::Present;
        }
        let length = value.to_string().len();
        if length > JSON_VALUE {
            return Found::TooLong(length);
        }
        Found::Value(self.masked(value))
    }

    fn masked(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.mask(text)),
            Value::Array(items) => items.iter().map(|item| self.masked(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (self.mask(name), self.masked(value)))
                .collect(),
            other => other.clone(),
        }
    }

    fn version(
        &self,
        headers: &HeaderMap,
        text: Option<&str>,
        document: Option<&Value>,
    ) -> Option<VersionFact> {
        let source = self.config.version.as_ref()?;
        let found = match source {
            VersionSource::Header(name) => {
                let values = headers.get_all(name).iter();
                let values: Vec<_> = values
                    .map(|value| String::from_utf8_lossy(value.as_bytes()))
                    .collect();
                Some(values.join(", "))
            }
            VersionSource::Json(pointer) => match document.and_then(|d| d.pointer(pointer)) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            },
            VersionSource::Text(pattern) => {
                text.and_then(|text| pattern.find(text)).map(str::to_owned)
            }
        };
        let value = found.map(|text| self.text(text.trim(), VERSION));
        Some(VersionFact {
            source: source.to_string(),
            value: value.filter(|text| !text.is_empty()),
        })
    }
}

/// JSON, with the byte order mark that some servers write before it (RFC 8259, section 8.1).
fn parse(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("the body is empty".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|e| e.to_string())
}

/// A header's value as text. The value of a cookie is a credential: its length stays. So may be a
/// parameter of the place that a redirect names.
fn header_text(name: &HeaderName, value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    match *name {
        SET_COOKIE => cookie_text(&text),
        LOCATION => shown_text(&text),
        _ => text.into_owned(),
    }
}

fn cookie_text(text: &str) -> String {
    let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
    let (cookie, value) = pair.split_once('=').unwrap_or(("", pair));
    let mut shown = format!("{cookie}=[{} characters]", value.trim().chars().count());
    if !attributes.is_empty() {
        shown.push(';');
        shown.push_str(attributes);
    }
    shown
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn cut_bytes(text: &mut String, max: usize) {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_keep_their_name_and_attributes() {
        for (value, shown) in [
            (
                "sid=abcdef; Path=/; HttpOnly",
                "sid=[6 characters]; Path=/; HttpOnly",
            ),
            ("sid=a=b", "sid=[3 characters]"),
            ("naked", "=[5 characters]"),
        ] {
            assert_eq!(header_text(&SET_COOKIE, value.as_bytes()), shown);
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_error() {
        assert_eq!(parse(b"\xef\xbb\xbf{}").unwrap(), serde_json::json!({}));
        assert_eq!(parse(b" \n").unwrap_err(), "the body is empty");
        assert!(parse(b"<html>").is_err());
    }
}
