//! Assignments by telling names: `db_password = "..."`, `<apiKey>...</apiKey>`, `TOKEN: ...`.
//!
//! Written by hand and not as a pattern, for speed, and because what counts as a value depends on
//! the language of the file.

use super::{
    Hit,
    names::{Kind, classify},
    syntax::{Found, value_after},
    value,
};
use crate::measurement::Confidence;

/// The rule that all assignments share.
pub(crate) const ASSIGNMENT: &str = "assignment";

/// Longest value that is looked at.
pub(super) const LONGEST: usize = 4_096;
/// Longest name.
const NAME: usize = 120;

/// What kind of file it is, as far as values without quotes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// A bare word is an expression: only literals count.
    Code,
    /// A bare word is a value: `.env`, INI, YAML.
    Data,
    /// Unknown or prose.
    Text,
    /// A file that exists to hold credentials: even `password` is one there.
    Credentials,
}

/// The language by the file's name.
pub(crate) fn language(path: &str) -> Language {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.to_ascii_lowercase();
    if super::files::holds_credentials(&name) {
        return Language::Credentials;
    }
    let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
    match ending {
        "rs" | "go" | "java" | "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "py" | "c" | "h"
        | "cc" | "cpp" | "hpp" | "cs" | "kt" | "kts" | "swift" | "rb" | "php" | "scala" | "lua"
        | "dart" | "m" | "mm" | "pl" | "pm" | "groovy" | "gradle" | "vue" | "svelte" | "ex"
        | "exs" | "erl" | "hs" | "ml" | "fs" | "vb" | "r" | "jl" | "sol" | "zig" | "tf" | "css"
        | "scss" | "html" | "jsp" | "erb" | "ipynb" | "proto" | "graphql" | "nix" | "clj" => {
            Language::Code
        }
        "env" | "ini" | "cfg" | "conf" | "config" | "properties" | "props" | "yml" | "yaml"
        | "toml" | "sh" | "bash" | "zsh" | "fish" | "bat" | "cmd" | "ps1" | "json" | "json5"
        | "xml" | "plist" | "dockerfile" | "tfvars" | "template" | "rc" | "cnf" | "netrc"
        | "sql" => Language::Data,
        _ if name.starts_with(".env") || name.ends_with("rc") || name.starts_with("dockerfile") => {
            Language::Data
        }
        _ if !name.contains('.') || name.starts_with('.') => Language::Data,
        _ => Language::Text,
    }
}

/// Looks at the name around `hit` (the offset of a keyword) and at what is assigned to it.
/// Returns where the name ends, so that further keywords in the same name are skipped.
pub(crate) fn look(text: &[u8], hit: usize, language: Language, out: &mut Vec<Hit>) -> usize {
    let (start, end) = name_around(text, hit);
    if end - start > NAME {
        return end;
    }
    let name = &text[start..end];
    let Some(value) = value_after(text, start, end, language) else {
        return end;
    };
    let Some(kind) = classify(name) else {
        return end;
    };
    // The token of a badge in a README only lets people see a picture.
    if text[..start].ends_with(b".svg?") {
        return end;
    }
    let found = &text[value.start..value.end];
    if let Some(confidence) = weigh(kind, name, found, &value, language) {
        out.push(Hit {
            rule: ASSIGNMENT,
            name: kind.title(),
            start: value.start,
            end: value.end,
            shown: 0,
            confidence,
        });
    }
    end
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@' | b'$')
}

fn name_around(text: &[u8], hit: usize) -> (usize, usize) {
    let floor = hit.saturating_sub(NAME);
    let start = text[floor..hit]
        .iter()
        .rposition(|b| !is_name(*b))
        .map_or(floor, |at| floor + at + 1);
    let ceiling = text.len().min(hit + NAME);
    let end = text[hit..ceiling]
        .iter()
        .position(|b| !is_name(*b))
        .map_or(ceiling, |at| hit + at);
    (start, end)
}

/// How likely `found` is a secret of that kind.
fn weigh(
    kind: Kind,
    name: &[u8],
    found: &[u8],
    how: &Found,
    language: Language,
) -> Option<Confidence> {
    let least = if kind == Kind::Password { 4 } else { 8 };
    let stored = language == Language::Credentials && kind == Kind::Password;
    if found.len() < least || found.len() > LONGEST || value::is_reference(found) {
        return None;
    }
    if stored && !value::is_template(found) {
        return Some(Confidence::Possible);
    }
    if value::is_placeholder(found) || value::is_location(found) {
        return None;
    }
    let made = value::makeup(found);
    if made.other > 0 || is_expression(found, how, language) || same(name, found) {
        return None;
    }
    let bits = value::entropy(found);
    if made.spaces > 0 {
        let dense =
            found.len() >= 32 && bits > 4.4 && made.digits > 2 && made.symbols > 5 && how.quoted;
        return (dense && made.spaces < 4).then_some(Confidence::Likely);
    }
    if how.compared && (kind != Kind::Password || made.digits + made.symbols == 0) {
        return None;
    }
    if value::is_uuid(found) {
        return (kind != Kind::Key && kind != Kind::Weak).then_some(Confidence::Possible);
    }
    if value::is_random(found) && found.len() >= 16 {
        return Some(Confidence::Likely);
    }
    match kind {
        Kind::Password => password(found, made, bits, how, language),
        Kind::Secret => secret(found, made, bits),
        Kind::Token => (value::is_random(found)
            || secret(found, made, bits).is_some() && found.len() >= 12)
            .then_some(Confidence::Possible),
        Kind::Key | Kind::Weak => {
            (value::is_random(found) && found.len() >= 20).then_some(Confidence::Possible)
        }
    }
}

fn password(
    found: &[u8],
    made: value::Makeup,
    bits: f64,
    how: &Found,
    language: Language,
) -> Option<Confidence> {
    let mixed = made.digits > 0 && made.lower + made.upper + made.symbols > 0;
    if mixed && !joined(found) {
        return (bits >= 1.9).then_some(Confidence::Possible);
    }
    let only_letters = made.digits == 0 && made.symbols == 0;
    // A single lower-case word is a password in a file of values, and a label in code.
    let values = how.listed || language == Language::Data || language == Language::Credentials;
    let word =
        only_letters && made.upper == 0 && bits > 2.2 && (values || how.quoted && found.len() >= 7);
    let symbols = made.symbols > 0
        && made.digits == 0
        && !joined(found)
        && how.quoted
        && bits > 2.0
        && found.len() >= 6;
    let digits =
        made.lower + made.upper + made.symbols == 0 && found.len() >= 5 && how.quoted && bits > 1.5;
    let cased = only_letters
        && made.upper > 0
        && values
        && made.lower > 2
        && !found[0].is_ascii_uppercase();
    (word || symbols || digits || cased).then_some(Confidence::Possible)
}

fn secret(found: &[u8], made: value::Makeup, bits: f64) -> Option<Confidence> {
    let mixed = made.digits > 0 && made.lower + made.upper > 0;
    let strange = made.symbols > 0 && made.upper > 0 && made.lower > 0 && !joined(found);
    (bits >= 2.8 && (mixed && !value::is_wordy(found) || strange)).then_some(Confidence::Possible)
}

/// Words joined by `-`, `_`, `.`, `:` or `/`, as names and messages are.
fn joined(found: &[u8]) -> bool {
    let separators = found
        .iter()
        .any(|b| matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b','));
    separators && value::is_wordy(found)
}

/// A call, an index, an operator: an expression and not a value.
fn is_expression(found: &[u8], how: &Found, language: Language) -> bool {
    if how.quoted {
        return false;
    }
    let prose = language == Language::Text && found.iter().any(|b| b"(){}[]".contains(b));
    if prose || memchr::memmem::find(found, b"::").is_some() {
        return true;
    }
    let open = found.iter().position(|b| matches!(b, b'(' | b'['));
    let called = open.is_some_and(|at| at > 0 && found[..at].iter().all(|b| is_name(*b)));
    let dotted = found.contains(&b'.')
        && found
            .iter()
            .all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_'));
    called
        || dotted
        || matches!(
            found[0],
            b'(' | b'[' | b'{' | b'|' | b'>' | b'&' | b'*' | b'!' | b'@'
        )
}

/// `password: "Password"`, `api_key = apiKey`.
fn same(name: &[u8], found: &[u8]) -> bool {
    let bare = |text: &[u8]| {
        text.iter()
            .filter(|b| b.is_ascii_alphanumeric())
            .map(u8::to_ascii_lowercase)
            .collect::<Vec<u8>>()
    };
    let (name, found) = (bare(name), bare(found));
    name == found
        || name.ends_with(&found) && found.len() > 5
        || found.ends_with(&name) && !found.iter().any(u8::is_ascii_digit)
}
