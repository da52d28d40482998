//! Reads a checklist line by line and loses nothing.
//!
//! A Markdown parser is the wrong tool: the boxes of most checklists stand in fences, which are
//! opaque to it, and it gives no bytes back. Here the lines put together are the document, byte for
//! byte, whatever it is.

mod blanks;
mod block;
mod boxes;

use std::{ops::Range, sync::Arc};

pub use blanks::Blank;
pub use block::{Fence, heading_text};
pub use boxes::{Mark, Tick};

use super::{
    anchor::Anchors,
    normal::normal,
    shape::{self, Seen, Shape},
};

/// A document, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The lines, in order. Their [`Line::raw`] put together is the document.
    pub lines: Vec<Line>,
    /// Line of a fence that is never closed, and so reaches to the end.
    pub open_fence: Option<usize>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Its bytes, with the line end.
    pub raw: String,
    /// What it is.
    pub shape: Shape,
    /// The headings above it, outermost first; a heading is above itself.
    pub headings: Arc<[String]>,
    /// Level of the heading that it is; 0 for any other line.
    pub level: usize,
    /// The fence around it.
    pub fence: Option<Arc<Fence>>,
    /// The label above it: `Alerts:`.
    pub context: Option<Arc<str>>,
    /// Its boxes, from left to right. Spans are bytes of `raw`.
    pub boxes: Vec<Tick>,
    /// The first box stands for the line and the others are a choice: `□ Restore: □ Yes □ No`.
    pub leads: bool,
    /// Its blanks, from left to right. Spans are bytes of `raw`.
    pub blanks: Vec<Blank>,
    /// What it says, without boxes, blanks, list markers and emphasis.
    pub text: String,
    /// `text` for comparing; see [`normal`].
    pub normal: String,
    /// Its name; empty for a line that says nothing.
    pub anchor: String,
    /// Who signs, on a [`Shape::SignOff`] line that says it.
    pub role: Option<String>,
    /// The gate that the document binds it to by `<!-- rg:ID -->`.
    pub pin: Option<String>,
}

impl Line {
    /// The line without its end.
    pub fn content(&self) -> &str {
        self.raw.trim_end_matches(['\n', '\r'])
    }

    /// The innermost heading.
    pub fn section(&self) -> Option<&str> {
        self.headings.last().map(String::as_str)
    }

    /// The boxes of which one is ticked; none unless there is a choice.
    pub fn options(&self) -> &[Tick] {
        match self.boxes.as_slice() {
            [_, rest @ ..] if self.leads => rest,
            all if self.shape == Shape::Choice => all,
            _ => &[],
        }
    }

    /// The text at a span.
    pub fn slice(&self, span: &Range<usize>) -> &str {
        self.raw.get(span.clone()).unwrap_or_default()
    }
}

/// Reads a document. Never fails: what it does not understand is [`Shape::Text`].
pub fn scan(text: &str) -> Document {
    let mut reader = Reader::default();
    let raws: Vec<&str> = text.split_inclusive('\n').collect();
    for (index, raw) in raws.iter().enumerate() {
        let next = raws.get(index + 1).copied().unwrap_or_default();
        reader.line(raw, next);
    }
    let mut document = Document {
        lines: reader.lines,
        open_fence: reader.fence.map(|(_, line)| line),
    };
    roles_below(&mut document.lines);
    document
}

#[derive(Default)]
struct Reader {
    lines: Vec<Line>,
    /// Levels and texts.
    stack: Vec<(usize, String)>,
    path: Arc<[String]>,
    fence: Option<(Arc<Fence>, usize)>,
    context: Option<Arc<str>>,
    anchors: Anchors,
}

impl Reader {
    fn line(&mut self, raw: &str, next: &str) {
        let content = raw.trim_end_matches(['\n', '\r']);
        if let Some((fence, _)) = &self.fence {
            if block::closes(content, fence) {
                self.push(raw, Shape::Mark, 0);
                self.fence = None;
                self.context = None;
            } else {
                self.text(raw, content);
            }
        } else if let Some(fence) = block::opens(content) {
            self.push(raw, Shape::Mark, 0);
            self.fence = Some((Arc::new(fence), self.lines.len()));
        } else if let Some((level, at)) = block::heading(content) {
            self.enter(level, &content[at..]);
            self.heading(raw, level, at);
        } else if self.underlined(content, next) {
            let level = block::underline(next).unwrap_or(1);
            self.enter(level, content);
            self.heading(raw, level, 0);
        } else if block::underline(content).is_some() {
            self.push(raw, Shape::Mark, 0);
        } else {
            self.text(raw, content);
        }
    }

    /// A line of its own with `===` under it. `---` is nearly always a rule between sections.
    fn underlined(&self, content: &str, next: &str) -> bool {
        let alone = self.lines.last().is_none_or(|l| l.shape == Shape::Empty);
        let plain = content.starts_with(|c: char| c.is_alphanumeric());
        alone && plain && block::underline(next) == Some(1)
    }

    fn enter(&mut self, level: usize, text: &str) {
        self.stack.retain(|(l, _)| *l < level);
        self.stack.push((level, heading_text(text)));
        self.path = self.stack.iter().map(|(_, text)| text.clone()).collect();
        self.context = None;
    }

    fn heading(&mut self, raw: &str, level: usize, body: usize) {
        let content = raw.trim_end_matches(['\n', '\r']);
        let place = boxes::Place {
            body,
            heading: true,
            code: false,
        };
        // A box in a heading is an item like any other.
        if boxes::find(content, place).is_empty() {
            self.push(raw, Shape::Heading, level);
        } else {
            self.text_at(raw, content, place);
            if let Some(line) = self.lines.last_mut() {
                line.level = level;
            }
        }
    }

    fn text(&mut self, raw: &str, content: &str) {
        let place = boxes::Place {
            body: block::body(content),
            heading: false,
            code: self.fence.as_ref().is_some_and(|(f, _)| f.is_code()),
        };
        self.text_at(raw, content, place);
    }

    fn text_at(&mut self, raw: &str, content: &str, place: boxes::Place) {
        let boxes = boxes::find(content, place);
        let blanks = if place.code {
            Vec::new()
        } else {
            blanks::find(content, place.body, &boxes)
        };
        let seen = Seen {
            content,
            body: place.body,
            boxes: &boxes,
            blanks: &blanks,
            code: place.code,
            shell: self.fence.as_ref().is_some_and(|(f, _)| f.is_shell()),
        };
        let shape = shape::decide(&seen);
        let role = (shape == Shape::SignOff)
            .then(|| shape::role(&seen))
            .flatten();
        let leads = shape::leads(&seen);
        let text = text_of(content, place.body, &boxes, &blanks);
        self.push(raw, shape, 0);
        let Some(line) = self.lines.last_mut() else {
            return;
        };
        line.pin = pin(content);
        line.normal = normal(&text);
        if shape != Shape::Empty {
            line.anchor = self.anchors.next(&self.path, &line.normal);
        }
        line.text = text;
        line.boxes = boxes;
        line.blanks = blanks;
        line.leads = leads;
        line.role = role;
        if shape == Shape::Label {
            let name = line.text.trim_end_matches([':', '：']).trim();
            self.context = Some(Arc::from(name));
        }
    }

    fn push(&mut self, raw: &str, shape: Shape, level: usize) {
        self.lines.push(Line {
            number: self.lines.len() + 1,
            raw: raw.to_owned(),
            shape,
            headings: Arc::clone(&self.path),
            level,
            fence: self.fence.as_ref().map(|(fence, _)| Arc::clone(fence)),
            context: self.context.clone(),
            boxes: Vec::new(),
            leads: false,
            blanks: Vec::new(),
            text: if shape == Shape::Heading {
                self.path.last().cloned().unwrap_or_default()
            } else {
                String::new()
            },
            normal: String::new(),
            anchor: String::new(),
            role: None,
            pin: None,
        });
    }
}

/// `Final Approval: ____ Date: ____`, and below it `(CTO)`.
fn roles_below(lines: &mut [Line]) {
    for index in 1..lines.len() {
        let (above, below) = lines.split_at_mut(index);
        let (Some(line), Some(next)) = (above.last_mut(), below.first()) else {
            continue;
        };
        let bracket = next.content().trim();
        let inner = bracket.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
        if let Some(role) = inner.filter(|_| line.shape == Shape::SignOff && next.blanks.is_empty())
        {
            line.role = Some(role.trim().to_owned());
        }
    }
}

/// The words of a line. Boxes and blanks leave a gap, so that ticking and longer lines change
/// nothing; so do marks of evidence (`[e12]`) and comments.
fn text_of(content: &str, body: usize, boxes: &[Tick], blanks: &[Blank]) -> String {
    let mut gaps: Vec<&Range<usize>> = boxes.iter().map(|b| &b.span).collect();
    gaps.extend(blanks.iter().map(|b| &b.span));
    gaps.sort_by_key(|span| span.start);
    let mut out = String::with_capacity(content.len());
    let mut at = body;
    for gap in gaps {
        out.push_str(content.get(at..gap.start).unwrap_or_default());
        out.push(' ');
        at = at.max(gap.end);
    }
    out.push_str(content.get(at..).unwrap_or_default());
    let text = without_comments(&out.replace("**", "").replace('|', " "));
    let words = text.split_whitespace().filter(|w| !evidence(w));
    words.collect::<Vec<_>>().join(" ")
}

fn comment(text: &str) -> Option<(usize, usize)> {
    let start = text.find("<!--")?;
    let end = text[start..].find("-->")?;
    Some((start, start + end + 3))
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, end)) = comment(rest) {
        out.push_str(&rest[..start]);
        rest = &rest[end..];
    }
    out + rest
}

fn evidence(word: &str) -> bool {
    let inner = word.strip_prefix("[e").and_then(|w| w.strip_suffix(']'));
    inner.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

fn pin(content: &str) -> Option<String> {
    let (start, end) = comment(content)?;
    let inner = content.get(start + 4..end - 3)?.trim();
    let id = inner.strip_prefix("rg:")?.trim();
    (!id.is_empty() && !id.contains(char::is_whitespace)).then(|| id.to_owned())
}

#[cfg(test)]
mod tests;
