//! How values are written behind their names, in many languages at once.

use super::assign::{LONGEST, Language};

/// A value and how it was written.
#[derive(Debug)]
pub(super) struct Found {
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
    /// By `==` or as an argument, not by an assignment.
    pub compared: bool,
    /// In a connection string.
    pub listed: bool,
}

/// What is assigned to the name at `start..end`, if anything is.
pub(super) fn value_after(
    text: &[u8],
    start: usize,
    end: usize,
    language: Language,
) -> Option<Found> {
    let line_end = memchr::memchr(b'\n', &text[end..text.len().min(end + LONGEST)])
        .map_or(text.len().min(end + LONGEST), |at| end + at);
    let mut at = end;
    // What closes the name: quotes, brackets, an escaped quote, a space.
    while at < line_end
        && matches!(
            text[at],
            b'"' | b'\'' | b'`' | b']' | b')' | b'\\' | b'?' | b'*'
        )
    {
        at += 1;
    }
    let closed = at > end;
    at = skip_spaces(text, at, line_end);
    let rest = &text[at..line_end];
    if rest.is_empty() || rest == b"\r" {
        return value_below(text, line_end);
    }
    let operator = operator(text, (start, end, at), closed, rest, language)?;
    let after = match operator {
        Operator::Assigns(after) | Operator::Compares(after) => after,
        Operator::Element(from) => return element(text, from, line_end),
    };
    let compared = matches!(operator, Operator::Compares(_));
    let mut from = skip_spaces(text, at + after, line_end);
    from = skip_type(text, from, line_end, rest[0] == b':' && after == 1);
    if from >= line_end || text[from] == b'\r' {
        return value_below(text, line_end);
    }
    let listed = rest[0] == b'=' && in_connection_string(text, start);
    let language = if listed { Language::Data } else { language };
    take(text, from, line_end, language).map(|found| Found {
        compared,
        listed,
        ..found
    })
}

/// What stands between a name and its value.
#[derive(Clone, Copy)]
enum Operator {
    /// Bytes of it.
    Assigns(usize),
    /// A comparison or a call; bytes of it.
    Compares(usize),
    /// A tag; where its content begins.
    Element(usize),
}

/// Reads the operator that begins `rest`, which is at `at` behind the name at `start..end`.
fn operator(
    text: &[u8],
    (start, end, at): (usize, usize, usize),
    closed: bool,
    rest: &[u8],
    language: Language,
) -> Option<Operator> {
    let starts = |s: &[u8]| rest.starts_with(s);
    let any = |list: &[&[u8]]| list.iter().any(|s| rest.starts_with(s));
    let spaced = at > end;
    Some(if any(&[b"===", b"!=="]) {
        Operator::Compares(3)
    } else if any(&[b"==", b"!="]) {
        Operator::Compares(2)
    } else if starts(b"||=") {
        Operator::Assigns(3)
    } else if any(&[b":=", b"=>", b"->", b"?=", b"+="]) {
        Operator::Assigns(2)
    } else if starts(b"=")
        || starts(b":") && !starts(b"::")
        || starts(b",") && closed && is_argument(text, start)
    {
        Operator::Assigns(1)
    } else if starts(b">") && !closed {
        Operator::Element(at + 1)
    } else if start > 0 && text[start - 1] == b'<' && !closed && rest.contains(&b'>') {
        Operator::Element(at + memchr::memchr(b'>', rest)? + 1)
    } else if starts(b"(") && !closed && is_setter(&text[start..end]) {
        Operator::Compares(1)
    } else if any(&[b"value=", b"Value=", b"content="]) {
        Operator::Assigns(memchr::memchr(b'=', rest)? + 1)
    } else if spaced && !closed && matches!(rest[0], b'"' | b'\'') && begins_line(text, start) {
        Operator::Assigns(0)
    } else if (starts(b"\"") || is_word_command(text, start))
        && spaced
        && language != Language::Code
    {
        // `password "x"` in .esmtprc and the like, `ENV DB_PASSWORD x`, `set password x`.
        Operator::Assigns(0)
    } else {
        return None;
    })
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
    let is_type = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'_' | b'&' | b'\'' | b'<' | b'>' | b'[' | b']' | b'.' | b'?' | b'|'
            )
    };
    let stop = text[from..end]
        .iter()
        .position(|b| !is_type(b))
        .map_or(end, |at| from + at);
    let next = skip_spaces(text, stop, end);
    let assigned =
        stop > from && next > stop && text[next..end].starts_with(b"= ") && stop - from < 40;
    if assigned {
        skip_spaces(text, next + 1, end)
    } else {
        from
    }
}

fn is_setter(name: &[u8]) -> bool {
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or(name);
    let dotted = last.len() < name.len();
    last.starts_with(b"set")
        || last.starts_with(b"with")
        || last.starts_with(b"Set")
        || last.starts_with(b"With")
        || dotted
}

/// Whether the name is the first of the arguments of a call or a list: `define('PASSWORD', 'x')`.
fn is_argument(text: &[u8], start: usize) -> bool {
    let before = text[..start].trim_ascii_end();
    let before = match before.last() {
        Some(b'"' | b'\'') => before[..before.len() - 1].trim_ascii_end(),
        _ => return false,
    };
    matches!(before.last(), Some(b'(' | b'['))
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
    let end = next
        + memchr::memchr(b'\n', text.get(next..text.len().min(next + 300))?)
            .unwrap_or(text.len().min(next + 300) - next);
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
    let skipped = literal_prefix(&text[from..end]);
    from += skipped;
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
        let concatenated = text[(at + 1).min(end)..end]
            .trim_ascii_start()
            .starts_with(b"+ ");
        return (at > start && !concatenated).then_some(Found {
            start,
            end: at,
            quoted: true,
            compared: false,
            listed: false,
        });
    }
    if language == Language::Code {
        return None;
    }
    let stops = |b: &u8| {
        matches!(
            b,
            b' ' | b'\t' | b'\r' | b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'&'
        )
    };
    let stop = text[from..end]
        .iter()
        .position(stops)
        .map_or(end, |at| from + at);
    let next = text[stop..end].trim_ascii();
    let prose = next.first().is_some_and(u8::is_ascii_alphabetic)
        && language == Language::Text
        && !text[from..stop].iter().any(u8::is_ascii_digit);
    (stop > from && !prose).then_some(Found {
        start: from,
        end: stop,
        quoted: false,
        compared: false,
        listed: false,
    })
}

/// Bytes in front of a quote: Python's `b""` and `r""`, C#'s `@""`, wide strings, escapes, brackets.
fn literal_prefix(text: &[u8]) -> usize {
    let prefix = |b: u8| b"bruUfL@\\[({".contains(&b);
    let quote = |b: u8| matches!(b, b'"' | b'\'' | b'`' | b'\\');
    match text {
        [a, b, ..] if prefix(*a) && quote(*b) => match text.get(2) {
            Some(c) if prefix(*b) && quote(*c) => 2,
            _ => 1,
        },
        _ => 0,
    }
}
