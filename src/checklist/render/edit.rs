//! Changes to one line, applied together.

use std::ops::Range;

/// Changes to a line; spans are bytes of the line and do not overlap.
#[derive(Debug, Default)]
pub struct Edits {
    list: Vec<(Range<usize>, String)>,
}

impl Edits {
    /// Puts `text` in place of a span.
    pub fn replace(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.list.push((span, text.into()));
    }

    /// The line with all changes.
    pub fn apply(mut self, raw: &str) -> String {
        self.list.sort_by_key(|(span, _)| (span.start, span.end));
        let mut out = String::with_capacity(raw.len() + 16);
        let mut at = 0;
        for (span, text) in self.list {
            if span.start < at {
                continue;
            }
            out.push_str(raw.get(at..span.start).unwrap_or_default());
            out.push_str(&text);
            at = span.end;
        }
        out.push_str(raw.get(at..).unwrap_or_default());
        out
    }
}
