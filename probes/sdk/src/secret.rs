//! Secrets: values that must never reach a report, in any form.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The newtype name under which [`Secret`] asks to be deserialized: the config reader sees it and
/// puts the value on the list of what is masked, wherever it came from.
pub const SECRET_MARKER: &str = "$readygate::Secret";

/// A value that is masked in every output. Prints and serializes as `***`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that hands it to the peer.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Marked;
        impl<'de> serde::de::Visitor<'de> for Marked {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret (text)")
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Secret, E> {
                Ok(Secret::new(value))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Secret, D::Error> {
                String::deserialize(d).map(Secret)
            }
        }
        deserializer.deserialize_newtype_struct(SECRET_MARKER, Marked)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Masked in every output. Take it from the environment: ${NAME}",
        })
    }
}

/// Shorter values are not masked: `a` would blank half of every report.
const SHORTEST: usize = 4;
const MASK: &str = "***";
/// A shorter part of a secret beside the gap of a cut text tells nothing.
const SHORTEST_PART: usize = 3;

/// Replaces every known secret, in every form that it may take on the way, by `***`.
#[derive(Debug)]
pub struct Masker {
    finder: Option<AhoCorasick>,
    forms: BTreeSet<String>,
}

impl Masker {
    /// A masker for these values; values shorter than four characters are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            for value in [secret, secret.trim()].into_iter().chain(secret.lines()) {
                if value.chars().count() >= SHORTEST {
                    forms.extend(forms_of(value));
                }
            }
        }
        let finder = (!forms.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(&forms)
                    .ok()
            })
            .flatten();
        Self { finder, forms }
    }

    /// `text` with every secret masked, and the password of any URL in it.
    pub fn mask(&self, text: &str) -> String {
        let text = match &self.finder {
            Some(finder) if finder.is_match(text) => {
                finder.replace_all(text, &vec![MASK; finder.patterns_len()])
            }
            _ => text.to_owned(),
        };
        mask_userinfo(&self.mask_parts(text))
    }

    /// Texts are cut in their middle ([`crate::excerpt`], captured output) before they come here:
    /// what the gap left of a secret on either side of it is masked too.
    fn mask_parts(&self, text: String) -> String {
        const OPEN: &str = "[... ";
        const CLOSE: &str = " ...]";
        if self.forms.is_empty() || !text.contains(OPEN) {
            return text;
        }
        let edge = |c: char| c == ' ' || c == '\n' || c == char::REPLACEMENT_CHARACTER;
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(OPEN) {
            let end = rest[at..]
                .find(CLOSE)
                .map_or(at + OPEN.len(), |n| at + n + CLOSE.len());
            let before = rest[..at].trim_end_matches(edge);
            let part = self.longest(|form, n| before.ends_with(&form[..n]));
            out.push_str(&before[..before.len() - part]);
            out.push_str(if part > 0 { MASK } else { "" });
            out.push_str(&rest[before.len()..end]);
            let after = rest[end..].trim_start_matches(edge);
            out.push_str(&rest[end..rest.len() - after.len()]);
            let part = self.longest(|form, n| after.starts_with(&form[form.len() - n..]));
            out.push_str(if part > 0 { MASK } else { "" });
            rest = &after[part..];
        }
        out.push_str(rest);
        out
    }

    /// The longest proper part of any form for which `is_there` holds, in bytes.
    fn longest(&self, is_there: impl Fn(&str, usize) -> bool) -> usize {
        let parts = |form: &String| {
            (SHORTEST_PART..form.len())
                .rev()
                .find(|n| {
                    let (head, tail) = (*n, form.len() - n);
                    form.is_char_boundary(head) && form.is_char_boundary(tail) && is_there(form, *n)
                })
                .unwrap_or(0)
        };
        self.forms.iter().map(parts).max().unwrap_or(0)
    }
}

/// Characters that URL encoders differ on; both spellings are forms.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const COMPONENT: &AsciiSet = &UNRESERVED
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');

/// Encoders of whole paths leave the slash alone.
const SEGMENTS: &AsciiSet = &UNRESERVED.remove(b'/');

/// What a URL parser escapes by itself in a query and in a path, and nothing more (the sets of the
/// `url` crate, after WHATWG URL): a secret in a URL shows up like this.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\'');
const PATH: &AsciiSet = &QUERY.remove(b'\'').add(b'?').add(b'`').add(b'{').add(b'}');

fn forms_of(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    for set in [
        NON_ALPHANUMERIC,
        UNRESERVED,
        COMPONENT,
        SEGMENTS,
        QUERY,
        PATH,
    ] {
        let encoded = utf8_percent_encode(value, set).to_string();
        forms.insert(encoded.replace("%20", "+"));
        forms.insert(lower_escapes(&encoded));
        forms.insert(encoded);
    }
    for json in [json_escaped(value), ascii_escaped(&json_escaped(value))] {
        forms.insert(json.replace('/', "\\/"));
        // A log line in JSON that quotes JSON.
        let quoted = json_escaped(&json);
        forms.insert(ascii_escaped(&quoted));
        forms.extend([quoted, json]);
    }
    forms.insert(format!("{value:?}").trim_matches('"').to_owned());
    forms.extend(base64_forms(value.as_bytes()));
    let hex = value
        .bytes()
        .fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
    forms.insert(hex.to_uppercase());
    forms.insert(hex);
    forms.retain(|form| form.chars().count() >= SHORTEST);
    forms
}

fn json_escaped(value: &str) -> String {
    let json = serde_json::Value::from(value).to_string();
    json[1..json.len() - 1].to_owned()
}

/// Many writers of JSON escape all that is not ASCII.
fn ascii_escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

fn lower_escapes(encoded: &str) -> String {
    let mut escape = 0;
    encoded
        .chars()
        .map(|c| {
            escape = if c == '%' {
                3_u8
            } else {
                escape.saturating_sub(1)
            };
            if escape > 0 {
                c.to_ascii_lowercase()
            } else {
                c
            }
        })
        .collect()
}

/// The value inside longer base64 (`user:password`) starts at any of three bit offsets; only the
/// characters that the value alone decides are compared.
fn base64_forms(value: &[u8]) -> Vec<String> {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    let mut forms = vec![STANDARD.encode(value), URL_SAFE.encode(value)];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for lead in 0..3_usize {
            let mut padded = vec![0_u8; lead];
            padded.extend_from_slice(value);
            let text = engine.encode(&padded);
            let start = (lead * 8).div_ceil(6);
            let end = (padded.len() * 8) / 6;
            if end > start + 5 {
                forms.push(text[start..end].to_owned());
            }
        }
    }
    forms
}

/// `scheme://user:password@host` shows as `scheme://user:***@host`, whoever wrote it.
fn mask_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let authority = after
            .find(|c: char| {
                matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace()
            })
            .unwrap_or(after.len());
        let userinfo = after[..authority].rfind('@');
        match userinfo.and_then(|end| after[..end].find(':').map(|colon| (colon, end))) {
            Some((colon, end)) => {
                out.push_str(&after[..=colon]);
                out.push_str(MASK);
                rest = &after[end..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    const CANARY: &str = "p@ss \"w0rd\"/é+%";

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let masker = Masker::new([CANARY]);
        for form in forms_of(CANARY) {
            let masked = masker.mask(&format!("before {form} after"));
            assert_eq!(masked, "before *** after", "{form}");
        }
    }

    #[test]
    fn a_secret_inside_longer_base64_is_masked() {
        let masker = Masker::new(["correct-horse"]);
        for user in ["a", "ab", "abc", "abcd"] {
            let header = STANDARD.encode(format!("{user}:correct-horse"));
            assert!(
                masker.mask(&format!("Basic {header}")).contains("***"),
                "{user}"
            );
        }
    }

    #[test]
    fn a_secret_that_a_url_parser_escaped_is_masked() {
        let masker = Masker::new(["pass/w{rd \"+'é"]);
        for url in [
            "https://h/?q=pass/w{rd%20%22+%27%C3%A9&x",
            "https://h/pass/w%7Brd%20%22+'%C3%A9",
        ] {
            assert!(masker.mask(url).contains("***"), "{url}");
        }
    }

    #[test]
    fn what_a_cut_left_of_a_secret_is_masked() {
        let masker = Masker::new(["canary-4711"]);
        let text = format!("{}canary-4711{}", "x".repeat(60), "y".repeat(60));
        for max in 60..130 {
            let masked = masker.mask(&crate::excerpt(&text, max));
            assert!(
                !masked.contains("can") && !masked.contains("711"),
                "{masked}"
            );
        }
        assert_eq!(
            masker.mask("xxcanary\n[... 9 bytes left out ...]\n-4711yy"),
            "xx***\n[... 9 bytes left out ...]\n***yy"
        );
        let plain = "as it was [... 12 characters ...] and is [... open";
        assert_eq!(masker.mask(plain), plain);
    }

    #[test]
    fn short_values_do_not_blank_reports() {
        assert_eq!(
            Masker::new(["a", "", "abc"]).mask("a banana abc"),
            "a banana abc"
        );
    }

    #[test]
    fn url_passwords_are_masked_unasked() {
        let masker = Masker::new([]);
        assert_eq!(
            masker.mask("see mongodb://app:hunter2@db:27017/x?y and http://h:80/p@q"),
            "see mongodb://app:***@db:27017/x?y and http://h:80/p@q"
        );
    }

    #[test]
    fn debug_and_json_hide_it() {
        let secret = Secret::new(CANARY);
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        assert_eq!(
            serde_json::from_str::<Secret>("\"x\"").unwrap().expose(),
            "x"
        );
    }

    proptest! {
        #[test]
        fn plain_and_encoded_values_never_survive(secret in "[ -~]{4,24}", around in "[a-z ]{0,8}") {
            let masker = Masker::new([secret.as_str()]);
            let encoded = utf8_percent_encode(&secret, NON_ALPHANUMERIC).to_string();
            for form in [secret.trim(), &encoded] {
                if form.chars().count() >= SHORTEST && !around.contains(form) && !MASK.contains(form) {
                    let masked = masker.mask(&format!("{around}{form}{around}"));
                    prop_assert!(!masked.contains(form), "{masked}");
                }
            }
        }
    }
}
