//! Assignments by telling names: `db_password = "..."`, `<apiKey>...</apiKey>`, `TOKEN: ...`.
//!
//! Written by hand and not as a pattern, for speed, and because what counts as a value depends on
//! the language of the file.

use super::{
    Hit,
    names::{Kind, classify},
    value,
};
use crate::measurement::Confidence;

/// The rule that all assignments share.
pub(crate) const ASSIGNMENT: &str = "assignment";

/// Longest value that is looked at.
const LONGEST: usize = 4_096;
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
        | "scss" | "html" | "jsp" | "erb" | "ipynb" | "proto" | "graphql" | "nix" | "clj" => Language::Code,
        "env" | "ini" | "cfg" | "conf" | "config" | "properties" | "props" | "yml" | "yaml"
        | "toml" | "sh" | "bash" | "zsh" | "fish" | "bat" | "cmd" | "ps1" | "json" | "json5"
        | "xml" | "plist" | "dockerfile" | "tfvars" | "template" | "rc" | "cnf" | "netrc" | "sql" => {
            Language::Data
        }
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
    let Some(kind) = classify(name) else { return end };
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

fn is_name(byte: u8) -> bool {
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

/// A value and how it was written.
#[derive(Debug)]
struct Found {
    start: usize,
    end: usize,
    quoted: bool,
    /// By `==` or as an argument, not by an assignment.
    compared: bool,
    /// In a connection string.
    listed: bool,
}

fn value_after(text: &[u8], start: usize, end: usize, language: Language) -> Option<Found> {
    let line_end = memchr::memchr(b'\n', &text[end..text.len().min(end + LONGEST)])
        .map_or(text.len().min(end + LONGEST), |at| end + at);
    let mut at = end;
    // What closes the name: quotes, brackets, an escaped quote, a space.
    while at < line_end && matches!(text[at], b'"' | b'\'' | b'`' | b']' | b')' | b'\\' | b'?' | b'*') {
        at += 1;
    }
    let closed = at > end;
    at = skip_spaces(text, at, line_end);
    let rest = &text[at..line_end];
    let starts = |s: &[u8]| rest.starts_with(s);
    if rest.is_empty() || rest == b"\r" {
        return value_below(text, line_end);
    }
    let mut compared = false;
    let after = if starts(b"===") || starts(b"!==") {
        compared = true;
        3
    } else if starts(b"==") || starts(b"!=") {
        compared = true;
        2
    } else if starts(b":=") || starts(b"=>") || starts(b"->") || starts(b"?=") || starts(b"||=") || starts(b"+=") {
        if starts(b"||=") { 3 } else { 2 }
    } else if starts(b"=") || starts(b":") && !starts(b"::") {
        1
    } else if starts(b",") && closed {
        1
    } else if starts(b">") && !closed {
        return element(text, at + 1, line_end);
    } else if start > 0 && text[start - 1] == b'<' && !closed && rest.contains(&b'>') {
        let open = memchr::memchr(b'>', rest)?;
        return element(text, at + open + 1, line_end);
    } else if starts(b"(") && !closed && is_setter(&text[start..end]) {
        compared = true;
        1
    } else if starts(b"value=") || starts(b"Value=") || starts(b"content=") {
        rest.iter().position(|b| *b == b'=').map_or(0, |p| p + 1)
    } else if at > end && !closed && matches!(rest[0], b'"' | b'\'') && begins_line(text, start) {
        0
    } else if (starts(b"\"") || is_word_command(text, start)) && at > end && language != Language::Code {
        // `password "x"` in .esmtprc and the like, `ENV DB_PASSWORD x`, `set password x`.
        0
    } else {
        return None;
    };
    let mut from = skip_spaces(text, at + after, line_end);
    from = skip_type(text, from, line_end, rest[0] == b':' && after == 1);
    if from >= line_end || text[from] == b'\r' {
        return value_below(text, line_end);
    }
    let listed = rest[0] == b'=' && in_connection_string(text, start);
    let language = if listed { Language::Data } else { language };
    take(text, from, line_end, language).map(|found| Found { compared, listed, ..found })
}

fn skip_spaces(text: &[u8], from: usize, end: usize) -> usize {
    text[from..end]
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t'))
        .map_or(end, |at| from + at)
}

/// `password: str = "x"` and `password: Optional[String] = "x"`: over the type.
fn skip_type(text: &[u8], from: usize, end: usize, colon: bool) -> usize {
    if !colon {
        return from;
    }
    let is_type = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'&' | b'\'' | b'<' | b'>' | b'[' | b']' | b'.' | b'?' | b'|');
    let stop = text[from..end].iter().position(|b| !is_type(b)).map_or(end, |at| from + at);
    let next = skip_spaces(text, stop, end);
    let assigned = stop > from && next > stop && text[next..end].starts_with(b"= ") && stop - from < 40;
    if assigned { skip_spaces(text, next + 1, end) } else { from }
}

fn is_setter(name: &[u8]) -> bool {
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or(name);
    let dotted = last.len() < name.len();
    last.starts_with(b"set") || last.starts_with(b"with") || last.starts_with(b"Set") || last.starts_with(b"With") || dotted
}

/// Whether the name is the first word of its line, as in `password 'x'` of a build script.
fn begins_line(text: &[u8], start: usize) -> bool {
    let line = memchr::memrchr(b'\n', &text[..start]).map_or(0, |at| at + 1);
    text[line..start].iter().all(|b| matches!(b, b' ' | b'\t'))
}

/// Whether the name is a key of a connection string: `Server=db;Pwd=x;`.
fn in_connection_string(text: &[u8], start: usize) -> bool {
    let before = text[start.saturating_sub(3)..start].trim_ascii_end();
    before.ends_with(b";") && start > 1
}

/// Whether the line begins as `ENV NAME value`, `export NAME value` or `set NAME value` does.
fn is_word_command(text: &[u8], start: usize) -> bool {
    let line = memchr::memrchr(b'\n', &text[..start]).map_or(0, |at| at + 1);
    let before = text[line..start].trim_ascii();
    matches!(before, b"ENV" | b"set" | b"setenv" | b"ARG")
}

/// `<password>x</password>`.
fn element(text: &[u8], from: usize, end: usize) -> Option<Found> {
    let close = from + memchr::memchr(b'<', &text[from..end])?;
    let shut = text.get(close + 1) == Some(&b'/');
    let (start, end) = trim(text, from, close);
    (shut && start < end).then_some(Found {
        start,
        end,
        quoted: true,
        compared: false,
        listed: false,
    })
}

fn trim(text: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && text[start].is_ascii_whitespace() {
        start += 1;
    }
    while end > start && text[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    (start, end)
}

/// The value on the next line: `value: x` under `name: DB_PASSWORD`, or a lone literal.
fn value_below(text: &[u8], line_end: usize) -> Option<Found> {
    let next = line_end + 1;
    let end = next + memchr::memchr(b'\n', text.get(next..text.len().min(next + 300))?).unwrap_or(text.len().min(next + 300) - next);
    let from = skip_spaces(text, next, end);
    let line = &text[from..end];
    let key = [&b"value:"[..], b"\"value\":", b"value =", b"value="];
    let skip = key.iter().find(|k| line.starts_with(k)).map(|k| k.len());
    let quoted = matches!(line.first(), Some(b'"' | b'\''));
    let from = match skip {
        Some(skip) => skip_spaces(text, from + skip, end),
        None if quoted => from,
        None => return None,
    };
    take(text, from, end, Language::Data)
}

/// A literal, or the bare rest of a line where a bare word is a value.
fn take(text: &[u8], mut from: usize, end: usize, language: Language) -> Option<Found> {
    // Prefixes of literals: Python's b"" and r"", C#'s @"", Rust's b"", wide strings, escapes.
    let mut skipped = 0;
    while skipped < 2 && from + 1 < end && matches!(text[from], b'b' | b'r' | b'u' | b'f' | b'L' | b'@' | b'\\' | b'[' | b'(' | b'{')
        && matches!(text[from + 1], b'"' | b'\'' | b'`' | b'\\')
    {
        from += 1;
        skipped += 1;
    }
    let quote = *text.get(from).filter(|_| from < end)?;
    if matches!(quote, b'"' | b'\'' | b'`') {
        let start = from + 1;
        let mut at = start;
        while at < end {
            if text[at] == b'\\' && at + 1 < end {
                if text[at + 1] == quote && skipped > 0 {
                    break;
                }
                at += 1;
            } else if text[at] == quote {
                break;
            }
            at += 1;
        }
        let at = at.min(end);
        let concatenated = text[(at + 1).min(end)..end].trim_ascii_start().starts_with(b"+ ");
        return (at > start && !concatenated).then_some(Found { start, end: at, quoted: true, compared: false, listed: false });
    }
    if language == Language::Code {
        return None;
    }
    let stops = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'&');
    let stop = text[from..end].iter().position(stops).map_or(end, |at| from + at);
    let next = text[stop..end].trim_ascii();
    let prose = next.first().is_some_and(u8::is_ascii_alphabetic) && language == Language::Text;
    (stop > from && !prose).then_some(Found { start: from, end: stop, quoted: false, compared: false, listed: false })
}

/// How likely `found` is a secret of that kind.
fn weigh(kind: Kind, name: &[u8], found: &[u8], how: &Found, language: Language) -> Option<Confidence> {
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
    if made.other > 0 || is_expression(found, how) || same(name, found) {
        return None;
    }
    let bits = value::entropy(found);
    if made.spaces > 0 {
        let dense = found.len() >= 32 && bits > 4.4 && made.digits > 2 && made.symbols > 5 && how.quoted;
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
        Kind::Token => (value::is_random(found) || secret(found, made, bits).is_some() && found.len() >= 12).then_some(Confidence::Possible),
        Kind::Key | Kind::Weak => (value::is_random(found) && found.len() >= 20).then_some(Confidence::Possible),
    }
}

fn password(found: &[u8], made: value::Makeup, bits: f64, how: &Found, language: Language) -> Option<Confidence> {
    let mixed = made.digits > 0 && made.lower + made.upper > 0 || made.symbols > 0 && made.digits > 0;
    if mixed && !joined(found) {
        return (bits >= 1.9).then_some(Confidence::Possible);
    }
    let only_letters = made.digits == 0 && made.symbols == 0;
    // A single lower-case word is a password in a file of values, and a label in code.
    let values = how.listed || language == Language::Data || language == Language::Credentials;
    let word = only_letters && made.upper == 0 && bits > 2.2 && (values || how.quoted && found.len() >= 7);
    let symbols = made.symbols > 0 && made.digits == 0 && !joined(found) && how.quoted && bits > 2.5;
    let digits = made.lower + made.upper + made.symbols == 0 && found.len() >= 5 && how.quoted && bits > 1.5;
    let cased = only_letters && made.upper > 0 && values && made.lower > 2 && !found[0].is_ascii_uppercase();
    (word || symbols || digits || cased).then_some(Confidence::Possible)
}

fn secret(found: &[u8], made: value::Makeup, bits: f64) -> Option<Confidence> {
    let mixed = made.digits > 0 && made.lower + made.upper > 0;
    let strange = made.symbols > 0 && made.upper > 0 && made.lower > 0 && !joined(found);
    (bits >= 2.8 && (mixed && !value::is_wordy(found) || strange)).then_some(Confidence::Possible)
}

/// Words joined by `-`, `_`, `.`, `:` or `/`, as names and messages are.
fn joined(found: &[u8]) -> bool {
    let separators = found.iter().any(|b| matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b','));
    separators && value::is_wordy(found)
}

/// A call, an index, an operator: an expression and not a value.
fn is_expression(found: &[u8], how: &Found) -> bool {
    if how.quoted {
        return false;
    }
    let open = found.iter().position(|b| matches!(b, b'(' | b'['));
    let called = open.is_some_and(|at| at > 0 && found[..at].iter().all(|b| is_name(*b)));
    let dotted = found.contains(&b'.') && found.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_'));
    called || dotted || matches!(found[0], b'(' | b'[' | b'{' | b'|' | b'>' | b'&' | b'*' | b'!' | b'@')
}

/// `password: "Password"`, `api_key = apiKey`.
fn same(name: &[u8], found: &[u8]) -> bool {
    let bare = |text: &[u8]| text.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect::<Vec<u8>>();
    let (name, found) = (bare(name), bare(found));
    name == found || name.ends_with(&found) && found.len() > 5 || found.ends_with(&name) && !found.iter().any(u8::is_ascii_digit)
}
