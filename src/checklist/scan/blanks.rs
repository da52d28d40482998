//! Blanks: `____`, `[Date]`, and what stands around them.

use std::ops::Range;

use super::boxes::{Tick, trimmed};

/// A place for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank {
    /// Its bytes in the line.
    pub span: Range<usize>,
    /// The words before it: `Replication Lag`; empty for `1. ____`.
    pub label: String,
    /// The word after it: `ms`, `%`, `req/s`; empty for none.
    pub unit: String,
    /// `6` of `___/6`.
    pub total: Option<u64>,
    /// What to write, as the document says it: `Date`, `Date/Time`, `healthy/degraded`, `target: 0`.
    pub hint: Option<String>,
    /// The values that the hint allows: `healthy`, `degraded`.
    pub options: Vec<String>,
    /// A word in brackets stands for the value, as in `[Date]`.
    pub placeholder: bool,
}

/// The blanks of a line, from left to right.
pub fn find(content: &str, body: usize, boxes: &[Tick]) -> Vec<Blank> {
    let mut spans: Vec<(Range<usize>, bool)> = Vec::new();
    let mut at = body;
    while let Some(c) = content[at..].chars().next() {
        if let Some(end) = line_of(content, at) {
            spans.push((at..end, false));
            at = end;
        } else if let Some(end) = placeholder(content, at) {
            // After `____` the brackets only say what to write.
            let hint = spans
                .last()
                .is_some_and(|(s, _)| content[s.end..at].trim().is_empty());
            if !hint {
                spans.push((at..end, true));
            }
            at = end;
        } else {
            at += c.len_utf8();
        }
    }
    let ends: Vec<usize> = spans
        .iter()
        .skip(1)
        .map(|(span, _)| span.start)
        .chain([content.len()])
        .collect();
    let mut from = body;
    let mut blanks = Vec::with_capacity(spans.len());
    for ((span, placeholder), until) in spans.into_iter().zip(ends) {
        let stop = boxes.get(boxes.partition_point(|b| b.span.start < span.end));
        let after = span.end..stop.map_or(until, |b| b.span.start.min(until));
        let tail = Tail::read(content, after);
        let label = label(content, from..span.start, boxes);
        from = tail.end;
        blanks.push(Blank {
            span,
            label,
            unit: tail.unit,
            total: tail.total,
            options: tail.hint.as_deref().map(options).unwrap_or_default(),
            hint: tail.hint,
            placeholder,
        });
    }
    for blank in blanks.iter_mut().filter(|b| b.placeholder) {
        blank.hint = Some(content[blank.span.start + 1..blank.span.end - 1].to_owned());
    }
    blanks
}

/// End of a line to write on: at least three `_`, or what a formatter made of a longer one
/// (`****\*\*****\_****\*\*****`), or at least five dots.
fn line_of(content: &str, at: usize) -> Option<usize> {
    let rest = &content[at..];
    let free = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '`'));
    let before = content[..at].chars().next_back();
    let run = |marks: &[char]| rest.len() - rest.trim_start_matches(marks).len();
    let dots = run(&['.', '…']);
    if dots >= 5 && before != Some('.') && before != Some('…') {
        return Some(at + dots);
    }
    if matches!(before, Some('_' | '\\')) || !free(before) {
        return None;
    }
    // Only at the start of a run: the inside of one is not looked at again and again.
    let mixed = match before {
        Some('*') => 0,
        _ => run(&['_', '*', '\\']),
    };
    let text = &rest[..mixed];
    if text.len() >= 8 && text.contains("\\_") {
        return Some(at + mixed);
    }
    // `**____**` is a blank in bold: the blank is what is inside.
    let line = run(&['_']);
    let emphasis = line == 3 && rest[line..].starts_with(char::is_alphanumeric);
    (line >= 3 && !emphasis).then_some(at + line)
}

/// End of `[Date]`: capitalised words in brackets that are no link and stand for a value.
fn placeholder(content: &str, at: usize) -> Option<usize> {
    let inner = content[at..].strip_prefix('[')?;
    let close = inner.char_indices().take(42).find(|(_, c)| *c == ']')?.0;
    let word = &inner[..close];
    let names = word.len() > 1
        && word.chars().count() <= 40
        && word.starts_with(|c: char| c.is_uppercase() || (c.is_alphabetic() && !c.is_lowercase()))
        && !word.contains(['[', '(', '!', '"']);
    let linked = inner[close + 1..].starts_with(['(', '[', ':']);
    let before = content[..at].trim_end();
    let awaited = before.ends_with([':', '：', '_', '|', '=']) || before.ends_with(":**");
    (names && !linked && awaited).then_some(at + 1 + close + 1)
}

/// What follows a blank.
struct Tail {
    unit: String,
    total: Option<u64>,
    hint: Option<String>,
    end: usize,
}

impl Tail {
    fn read(content: &str, range: Range<usize>) -> Self {
        let mut tail = Self {
            unit: String::new(),
            total: None,
            hint: None,
            end: range.start,
        };
        let text = &content[range.clone()];
        let total = text.strip_prefix('/').map(|t| {
            let rest = t.trim_start_matches(|c: char| c.is_numeric() || c == ',');
            &t[..t.len() - rest.len()]
        });
        if let Some(digits) = total.filter(|d| !d.is_empty()) {
            tail.total = crate::checklist::normal::western(digits)
                .replace(',', "")
                .parse()
                .ok();
            tail.end += 1 + digits.len();
        }
        let rest = &content[tail.end..range.end];
        let unit = unit(rest);
        if !unit.is_empty() {
            tail.end += rest.len() - rest.trim_start().len() + unit.len();
            unit.clone_into(&mut tail.unit);
        }
        let rest = &content[tail.end..range.end];
        let inner = rest.trim_start();
        let pair = [('(', ')'), ('[', ']')]
            .into_iter()
            .find(|(o, _)| inner.starts_with(*o));
        if let Some(close) = pair.and_then(|(_, close)| inner.find(close)) {
            tail.hint = Some(inner[1..close].trim().to_owned());
            tail.end += rest.len() - inner.len() + close + 1;
        }
        tail
    }
}

/// The words up to a bracket, a comma or the next label; a word with a colon is a label.
fn unit(rest: &str) -> &str {
    let text = rest
        .split(['(', '[', ',', ')', '|', ';', '،'])
        .next()
        .unwrap_or_default();
    if text.contains([':', '□', '_', '*', '<']) {
        return "";
    }
    let unit = text.trim();
    if unit.split_whitespace().count() <= 2 {
        unit
    } else {
        ""
    }
}

/// `healthy/degraded`, but neither `Date/Time` nor `target: 0`.
fn options(hint: &str) -> Vec<String> {
    let parts: Vec<&str> = hint.split(['/', '|']).map(str::trim).collect();
    let word = |p: &str| !p.is_empty() && !p.contains(':') && p.chars().count() <= 20;
    let date = parts
        .iter()
        .any(|p| matches!(p.to_lowercase().as_str(), "date" | "time"));
    if parts.len() < 2 || date || !parts.iter().all(|p| word(p)) {
        return Vec::new();
    }
    parts.into_iter().map(str::to_owned).collect()
}

fn label(content: &str, range: Range<usize>, boxes: &[Tick]) -> String {
    let before = boxes.partition_point(|b| b.span.end <= range.end);
    let boxed = before.checked_sub(1).and_then(|i| boxes.get(i));
    let start = boxed.map_or(range.start, |b| b.span.end.max(range.start));
    let span = trimmed(content, start.min(range.end)..range.end);
    let text = content[span].replace("**", "");
    let edge = |c: char| c.is_whitespace() || ",;:()[]=*،：".contains(c);
    text.trim_matches(edge).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<Blank> {
        find(line, super::super::block::body(line), &[])
    }

    #[test]
    fn labels_units_totals_and_hints() {
        let one = |line: &str| {
            let found = all(line);
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            found[0].clone()
        };
        let lag = one("Replication Lag: _____ ms");
        assert_eq!(
            (lag.label.as_str(), lag.unit.as_str()),
            ("Replication Lag", "ms")
        );
        assert_eq!(one("Nodes Online: _____/6").total, Some(6));
        assert_eq!(one("Tests: ___/1,961 passed").total, Some(1961));
        assert_eq!(
            one("Status: _____ (healthy/degraded)").options,
            ["healthy", "degraded"]
        );
        let start = one("Start Time: _____ [Date/Time]");
        assert_eq!(
            (start.hint.as_deref(), start.placeholder),
            (Some("Date/Time"), false)
        );
        assert!(start.options.is_empty());
        let expiry = one("SSL Expiry: [Date]");
        assert!(expiry.placeholder && expiry.label == "SSL Expiry");
        let down = one("Downtime: _____ minutes (target: 0)");
        assert_eq!(
            (down.unit.as_str(), down.hint.as_deref()),
            ("minutes", Some("target: 0"))
        );
        assert_eq!(one("1. _____").label, "");
        assert_eq!(
            one("**Sign-off:** ****\\*\\*****\\_****\\*\\***** (Lead)").label,
            "Sign-off"
        );
        assert_eq!(one("**Notes:** **____**").label, "Notes");
        assert_eq!(one("الموقع: ______ كم").unit, "كم");
    }

    #[test]
    fn several_on_one_line() {
        let found = all("1. _____ (Owner: _____, Due: _____)");
        let labels: Vec<&str> = found.iter().map(|b| b.label.as_str()).collect();
        assert_eq!(labels, ["", "Owner", "Due"]);
        let found = all("Issues: _____ (P0: ___, P1: ___, P2: ___)");
        let labels: Vec<&str> = found.iter().map(|b| b.label.as_str()).collect();
        assert_eq!(labels, ["Issues", "P0", "P1", "P2"]);
        let found = all("Lead: _____________ Date: _____");
        assert_eq!((found.len(), found[1].label.as_str()), (2, "Date"));
        assert_eq!(found[0].unit, "");
    }

    #[test]
    fn no_blank() {
        for line in [
            "a___b",
            "___bold italic___",
            "__init__",
            "[link](x)",
            "[Docs]: x",
            "**b**",
            "see [Date] here",
            "a * b",
            "`____`",
            "...",
        ] {
            assert!(all(line).is_empty(), "{line}: {:?}", all(line));
        }
    }
}
