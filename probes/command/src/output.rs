//! Turns captured output into a record: texts found, JSON values, and masked text.

use readygate_sdk::{Cx, Masker, excerpt, process::Captured};
use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{CommandConfig, JsonFound, JsonRecord, StreamConfig, StreamRecord, TextFact, TextRole};

/// Characters of a stream on record.
const RECORDED: usize = 64 * 1024;
/// Characters of a text drawn out of JSON.
const LONGEST_VALUE: usize = 4096;
/// Characters of a line in which a text was found.
const SAMPLE: usize = 300;

/// A regular expression in which `^` and `$` stand for line ends.
pub fn pattern(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).multi_line(true).crlf(true).build()
}

/// Output as it was kept: one piece, or its start and its end with a gap between.
pub struct Kept {
    head: Vec<u8>,
    tail: Option<Vec<u8>>,
    total: u64,
}

impl Kept {
    /// Takes what was captured while `keep` bytes were kept.
    pub fn new(captured: &Captured, keep: usize) -> Self {
        let mut head = captured.bytes();
        let tail = captured.truncated().then(|| {
            let at = (keep / 2).min(head.len());
            head.split_off(at)
        });
        Self {
            head,
            tail,
            total: captured.total,
        }
    }

    /// All of it, if nothing was left out.
    pub fn whole(&self) -> Option<&[u8]> {
        self.tail.is_none().then_some(&self.head)
    }

    /// The record of this stream.
    pub fn record(
        &self,
        config: &StreamConfig,
        masking: &Masking,
    ) -> Result<StreamRecord, regex::Error> {
        Ok(StreamRecord {
            bytes: self.total,
            truncated: self.tail.is_some(),
            text: self.text(masking),
            texts: self.facts(config, masking)?,
        })
    }

    fn text(&self, masking: &Masking) -> String {
        let text = match &self.tail {
            None => masking.mask(&self.head),
            Some(tail) => {
                // A secret that the gap cuts in two would not be known for one.
                let head = &self.head[..self.head.len().saturating_sub(masking.longest)];
                let tail = &tail[masking.longest.min(tail.len())..];
                let missing = self.total - (head.len() + tail.len()) as u64;
                let (head, tail) = (masking.mask(head), masking.mask(tail));
                masking.text(&format!(
                    "{head}\n[... {missing} bytes left out ...]\n{tail}"
                ))
            }
        };
        excerpt(&text, RECORDED)
    }

    fn facts(
        &self,
        config: &StreamConfig,
        masking: &Masking,
    ) -> Result<Vec<TextFact>, regex::Error> {
        let plain = |text: &str| pattern(&regex::escape(text));
        let mut facts = Vec::new();
        for text in config.contains.iter() {
            facts.push(self.fact(TextRole::Contains, text, &plain(text)?, masking));
        }
        for text in config.not_contains.iter() {
            facts.push(self.fact(TextRole::NotContains, text, &plain(text)?, masking));
        }
        for text in config.matches.iter() {
            facts.push(self.fact(TextRole::Matches, text, &pattern(text)?, masking));
        }
        Ok(facts)
    }

    fn fact(&self, role: TextRole, text: &str, finder: &Regex, masking: &Masking) -> TextFact {
        let mut fact = TextFact {
            role,
            text: text.to_owned(),
            found: self.tail.is_none().then_some(false),
            line: None,
            sample: None,
        };
        // Next to the gap a pattern may match what is not there: `^`, `$` and `.*` would.
        if self.tail.is_some() && role == TextRole::Matches {
            return fact;
        }
        let pieces = [(Some(&self.head), true), (self.tail.as_ref(), false)];
        for (piece, counted) in pieces {
            if let Some(piece) = piece
                && let Some(hit) = finder.find(piece)
            {
                fact.found = Some(true);
                let before = &piece[..hit.start()];
                fact.line =
                    counted.then(|| 1 + before.split(|b| *b == b'\n').skip(1).count() as u64);
                fact.sample = Some(excerpt(&masking.mask(line_at(piece, hit.start())), SAMPLE));
                return fact;
            }
        }
        fact
    }
}

fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let start = bytes[..at]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |p| p + 1);
    let end = bytes[at..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |p| at + p);
    // A cut line may be megabytes long, and a secret in it must be seen as a whole.
    &bytes[start..end]
}

/// Masks the values of secret variables, and the other secrets of the run, in what goes on record.
pub struct Masking {
    masker: Masker,
    cx: Cx,
    /// Bytes of the longest form of a secret.
    longest: usize,
}

impl Masking {
    /// For the secrets of a config.
    pub fn new(config: &CommandConfig, cx: &Cx) -> Self {
        let values = || {
            config
                .secret_env
                .values()
                .map(readygate_sdk::Secret::expose)
        };
        Self {
            masker: Masker::new(values()),
            cx: cx.clone(),
            // Base64 and hex are longer than the value; percent-encoding makes three of one.
            longest: values().map(|v| v.len() * 3 + 4).max().unwrap_or(0),
        }
    }

    /// Whether there is a secret at all.
    pub fn is_needed(&self) -> bool {
        self.longest > 0
    }

    /// Masked text.
    pub fn text(&self, text: &str) -> String {
        self.cx.mask(&self.masker.mask(text))
    }

    /// Masked text of bytes, invalid UTF-8 replaced.
    pub fn mask(&self, bytes: &[u8]) -> String {
        self.text(&String::from_utf8_lossy(bytes))
    }

    /// A value with all its texts masked.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = excerpt(&self.text(text), LONGEST_VALUE),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.value(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Reads standard output as JSON and keeps what the config points at.
pub fn read_json(kept: &Kept, config: &CommandConfig, masking: &Masking) -> JsonRecord {
    let (root, problem) = match parse(kept) {
        Ok(root) => (Some(root), None),
        Err(problem) => (None, Some(problem)),
    };
    let at = |pointer: &str| match &root {
        Some(root) => found(root.pointer(pointer), masking),
        None => JsonFound::Missing,
    };
    let named = config.metrics.iter();
    JsonRecord {
        problem,
        values: config.json.keys().map(|p| (p.clone(), at(p))).collect(),
        metrics: named.map(|(name, p)| (name.clone(), at(p))).collect(),
    }
}

fn parse(kept: &Kept) -> Result<Value, String> {
    let bytes = kept.whole().ok_or("only a part of it was kept")?;
    // Some tools start with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn found(value: Option<&Value>, masking: &Masking) -> JsonFound {
    match value {
        None => JsonFound::Missing,
        Some(Value::Array(items)) => JsonFound::Array {
            length: items.len() as u64,
        },
        Some(Value::Object(members)) => JsonFound::Object {
            length: members.len() as u64,
        },
        Some(scalar) => {
            let mut scalar = scalar.clone();
            masking.value(&mut scalar);
            JsonFound::Scalar(scalar)
        }
    }
}
