//! Reads `table.txt`, the token formats that the scanner knows.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::verify::Verifier;
use crate::measurement::Confidence;

/// One token format.
#[derive(Debug)]
pub(crate) struct Format {
    pub id: &'static str,
    pub name: &'static str,
    /// Lowercase keywords.
    pub find: Vec<&'static str>,
    /// A byte that must occur too in the line.
    pub also: Option<u8>,
    pattern: &'static str,
    compiled: OnceLock<Regex>,
    pub like: Vec<&'static str>,
    pub unlike: Vec<&'static str>,
    pub entropy: f64,
    pub check: Option<Verifier>,
    pub level: Confidence,
    /// Whether the secret may touch letters and digits.
    pub open: bool,
    /// Whether the form proves little, so that placeholders are told by their words.
    pub plain: bool,
}

impl Format {
    /// The compiled pattern. The table's own test compiles every one, so that one which cannot be
    /// compiled does not reach a user; were it to, a pattern that matches nothing stands in.
    pub fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            compile(self.pattern).unwrap_or_else(|_| {
                #[expect(clippy::unwrap_used, reason = "a constant that compiles")]
                Regex::new(r"[^\x00-\xff]|\z.").unwrap()
            })
        })
    }

    /// The compiler's complaint, for the table's test.
    #[cfg(test)]
    pub fn complaint(&self) -> Option<String> {
        compile(self.pattern).err().map(|e| e.to_string())
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(4 << 20)
        .build()
}

/// All formats, in the order of the table.
pub(crate) static TABLE: LazyLock<Vec<Format>> = LazyLock::new(|| parse(include_str!("table.txt")));

/// Reads the blocks of a table.
fn parse(text: &'static str) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if let Some((id, name)) = line.strip_prefix('[').and_then(|l| l.split_once("] ")) {
            formats.push(empty(id, name));
        } else if let (Some(format), Some((key, value))) =
            (formats.last_mut(), line.split_once(": "))
        {
            set(format, key, value);
        }
    }
    formats
}

fn empty(id: &'static str, name: &'static str) -> Format {
    Format {
        id,
        name,
        find: Vec::new(),
        also: None,
        pattern: "",
        compiled: OnceLock::new(),
        like: Vec::new(),
        unlike: Vec::new(),
        entropy: 0.0,
        check: None,
        level: Confidence::Likely,
        open: false,
        plain: false,
    }
}

fn set(format: &mut Format, key: &str, value: &'static str) {
    match key {
        "find" => format.find = value.split(' ').collect(),
        "also" => format.also = value.bytes().next(),
        "match" => format.pattern = value,
        "like" => format.like.push(value),
        "unlike" => format.unlike.push(value),
        "entropy" => format.entropy = value.parse().unwrap_or(0.0),
        "check" => format.check = Verifier::named(value),
        "level" if value == "possible" => format.level = Confidence::Possible,
        "plain" => format.plain = value == "yes",
        "edge" => format.open = value == "open",
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_block_is_whole() {
        let mut ids = BTreeSet::new();
        assert!(TABLE.len() > 140, "{}", TABLE.len());
        for format in TABLE.iter() {
            let id = format.id;
            assert!(ids.insert(id), "{id} occurs twice");
            assert_eq!(format.complaint(), None, "{id}");
            assert!(!format.find.is_empty(), "{id} has no keyword");
            assert!(!format.like.is_empty(), "{id} has no example");
            for word in &format.find {
                assert!(word.len() >= 2, "{id}: `{word}` occurs everywhere");
                assert_eq!(word.to_ascii_lowercase(), *word, "{id}");
            }
        }
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        let keys = [
            "find", "also", "match", "like", "unlike", "entropy", "check", "level", "edge", "plain",
        ];
        for line in include_str!("table.txt").lines() {
            let known = line.is_empty()
                || line.starts_with('#')
                || line.starts_with('[') && line.contains("] ")
                || keys.iter().any(|k| line.starts_with(&format!("{k}: ")));
            assert!(known, "{line}");
            if let Some(name) = line.strip_prefix("check: ") {
                assert!(Verifier::named(name).is_some(), "{line}");
            }
        }
    }
}
