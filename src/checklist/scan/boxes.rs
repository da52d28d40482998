//! Boxes: `□ ☐ ☑ ☒ ✅ ❌ [ ] [x]` and their kin.

use std::ops::Range;

/// What a box says. By hand it is a claim; only evidence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing yet.
    Open,
    /// Done.
    Ticked,
    /// Not done, or failed.
    Crossed,
}

/// One box of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Its bytes in the line.
    pub span: Range<usize>,
    /// What it says.
    pub mark: Mark,
    /// The bytes of the text after it, up to the next box.
    pub label: Range<usize>,
}

/// How sure a sign is a box.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Wherever it stands.
    Sure,
    /// Decoration, unless it begins the line or stands among boxes.
    Soft,
}

/// Where boxes may be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Where the text of the line begins.
    pub body: usize,
    /// A heading: its emoji are decoration.
    pub heading: bool,
    /// A program: brackets are code unless they begin the line.
    pub code: bool,
}

/// The boxes of a line, from left to right.
pub fn find(content: &str, place: Place) -> Vec<Tick> {
    let mut found: Vec<(Range<usize>, Mark, Sign)> = Vec::new();
    let mut at = place.body;
    while let Some(c) = content[at..].chars().next() {
        let begins = at == place.body;
        let hit = glyph(c)
            .map(|(mark, sign)| (with_selector(content, at + c.len_utf8()), mark, sign))
            .or_else(|| {
                let (end, mark) = bracket(content, at, begins)?;
                (begins || !place.code).then_some((end, mark, Sign::Sure))
            });
        let Some((end, mark, sign)) = hit else {
            at += c.len_utf8();
            continue;
        };
        // `□ ✅ **Done**`: the second one is decoration.
        let follows = found
            .last()
            .is_some_and(|(span, ..)| content[span.end..at].trim().is_empty());
        if sign == Sign::Sure || !(place.heading || follows) {
            found.push((at..end, mark, sign));
        }
        at = end;
    }
    let sure = found.iter().any(|(.., sign)| *sign == Sign::Sure);
    found.retain(|(span, _, sign)| *sign == Sign::Sure || sure || span.start == place.body);
    let starts: Vec<usize> = found.iter().map(|(span, ..)| span.start).collect();
    let ends = starts.into_iter().skip(1).chain([content.len()]);
    let label = |span: &Range<usize>, end: usize| trimmed(content, span.end..end);
    found
        .iter()
        .zip(ends)
        .map(|((span, mark, _), end)| Tick {
            span: span.clone(),
            mark: *mark,
            label: label(span, end),
        })
        .collect()
}

fn glyph(c: char) -> Option<(Mark, Sign)> {
    Some(match c {
        '□' | '☐' | '◻' | '◽' | '⬜' | '▢' | '❏' | '❐' | '❑' | '❒' | '🔲' => {
            (Mark::Open, Sign::Sure)
        }
        '☑' | '▣' | '🗹' => (Mark::Ticked, Sign::Sure),
        '☒' | '🗷' => (Mark::Crossed, Sign::Sure),
        '✅' | '✔' | '✓' => (Mark::Ticked, Sign::Soft),
        '❌' | '❎' | '✗' | '✘' | '✖' => (Mark::Crossed, Sign::Soft),
        _ => return None,
    })
}

fn with_selector(content: &str, end: usize) -> usize {
    let selector = content[end..]
        .chars()
        .next()
        .filter(|c| matches!(c, '\u{fe0e}' | '\u{fe0f}'));
    end + selector.map_or(0, char::len_utf8)
}

/// `[ ]`, `[x]`, and what formatters make of them: `\[ ]`, `\[x\]`. An empty pair only as a bullet.
fn bracket(content: &str, at: usize, begins: bool) -> Option<(usize, Mark)> {
    const FORMS: &[(&str, Mark)] = &[
        ("[ ]", Mark::Open),
        ("[x]", Mark::Ticked),
        ("[X]", Mark::Ticked),
        ("\\[ ]", Mark::Open),
        ("\\[x]", Mark::Ticked),
        ("\\[ \\]", Mark::Open),
        ("\\[x\\]", Mark::Ticked),
    ];
    let rest = &content[at..];
    let empty = begins.then_some(("[]", Mark::Open));
    let (form, mark) = FORMS
        .iter()
        .copied()
        .chain(empty)
        .find(|(f, _)| rest.starts_with(f))?;
    let free = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '|');
    let before = content[..at].chars().next_back();
    let after = rest[form.len()..].chars().next();
    (free(before) && free(after)).then_some((at + form.len(), mark))
}

/// The range without blanks and table bars at its ends.
pub fn trimmed(content: &str, range: Range<usize>) -> Range<usize> {
    let edge = |c: char| c.is_whitespace() || c == '|';
    let text = &content[range.clone()];
    let start = range.start + (text.len() - text.trim_start_matches(edge).len());
    let end = range.end - (text.len() - text.trim_end_matches(edge).len());
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::scan::block::body;

    fn labels(line: &str) -> Vec<(&str, Mark)> {
        let place = Place {
            body: body(line),
            ..Place::default()
        };
        let ticks = find(line, place);
        ticks
            .iter()
            .map(|t| (&line[t.label.clone()], t.mark))
            .collect()
    }

    #[test]
    fn every_glyph() {
        for glyph in [
            "□", "☐", "⬜", "[ ]", "\\[ ]", "- [ ]", "- []", "> □", "1. □", "| □ |",
        ] {
            assert_eq!(
                labels(&format!("{glyph} a")),
                [("a", Mark::Open)],
                "{glyph}"
            );
        }
        for glyph in ["☑", "☑️", "✅", "✔️", "- [x]", "[X]"] {
            assert_eq!(
                labels(&format!("{glyph} a")),
                [("a", Mark::Ticked)],
                "{glyph}"
            );
        }
        for glyph in ["☒", "❌", "✗"] {
            assert_eq!(
                labels(&format!("{glyph} a")),
                [("a", Mark::Crossed)],
                "{glyph}"
            );
        }
    }

    #[test]
    fn choices_and_decoration() {
        assert_eq!(
            labels("Rate: □ < 0.1% □ > 0.1%"),
            [("< 0.1%", Mark::Open), ("> 0.1%", Mark::Open)]
        );
        assert_eq!(
            labels("- □ ✅ **OK** - fine"),
            [("✅ **OK** - fine", Mark::Open)]
        );
        assert_eq!(
            labels("Result: ✅ Pass □ Fail"),
            [("Pass", Mark::Ticked), ("Fail", Mark::Open)]
        );
        assert!(labels("**State:** ✅ Ready").is_empty());
        assert!(labels("see a[x] and [x](y) and arr[ ]").is_empty());
    }

    #[test]
    fn headings_and_code() {
        let heading = Place {
            body: 2,
            heading: true,
            code: false,
        };
        assert!(find("# ✅ Title", heading).is_empty());
        assert_eq!(find("# □ Step", heading).len(), 1);
        let code = Place {
            body: 0,
            heading: false,
            code: true,
        };
        assert!(find("if [ -f x ]; then echo [x] ; fi", code).is_empty());
        assert_eq!(find("□ by hand", code).len(), 1);
    }
}
