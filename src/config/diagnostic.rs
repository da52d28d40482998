//! What is wrong with a config, where, and how to fix it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};
use readygate_sdk::Location;

/// A range of bytes in one of the [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Index of the file.
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The text of every file that was read, for carets and locations.
#[derive(Debug, Default, Clone)]
pub struct Sources {
    files: Vec<(String, String)>,
}

impl Sources {
    /// Adds a file under the name that the user knows it by.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.files.push((name.into(), text.into()));
        self.files.len() - 1
    }

    /// Names of all files, in order of reading.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// Contents of all files, in order of reading.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(_, text)| text.as_str())
    }

    /// Text of one file.
    pub fn text(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |(_, text)| text)
    }

    /// File, line and column of the start of a span; both count from 1, columns in characters.
    pub fn locate(&self, span: Span) -> Location {
        let Some((name, text)) = self.files.get(span.file) else {
            return Location {
                file: "?".into(),
                line: None,
                column: None,
            };
        };
        let before = &text[..floor_boundary(text, span.start)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Location {
            file: name.clone(),
            line: Some(before.matches('\n').count() as u64 + 1),
            column: Some(before[line_start..].chars().count() as u64 + 1),
        }
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, one lowercase sentence without a full stop.
    pub message: String,
    /// Where; `None` when the whole file is meant and cannot be shown.
    pub span: Option<Span>,
    /// A few words under the caret.
    pub label: Option<String>,
    /// Another place that belongs to it, with a few words.
    pub related: Option<(Span, String)>,
    /// How to fix it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A problem at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: Some(span),
            label: None,
            related: None,
            help: None,
        }
    }

    /// A problem without a place.
    pub fn nowhere(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: None,
            label: None,
            related: None,
            help: None,
        }
    }

    /// Adds words under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds how to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }

    /// Adds "did you mean", or else the list of what is known.
    #[must_use]
    pub fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(wrong, &known) {
            Some(right) => self.help(format!("did you mean `{right}`?")),
            None if known.is_empty() => self,
            None => self.help(format!("known are {}", list(&known))),
        }
    }
}

/// The known word nearest to a wrong one, if it is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let score = |k: &&str| {
        let slips = match k.len() {
            0..3 => 0,
            3 => 1,
            _ => 2,
        };
        let close = strsim::damerau_levenshtein(wrong, k) <= slips;
        strsim::jaro_winkler(&wrong.to_lowercase(), &k.to_lowercase()).max(if close {
            0.9
        } else {
            0.0
        })
    };
    known
        .iter()
        .map(|k| (score(k), *k))
        .filter(|(score, _)| *score > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

fn list(known: &[&str]) -> String {
    const MOST: usize = 24;
    let shown: Vec<String> = known.iter().take(MOST).map(|k| format!("`{k}`")).collect();
    let more = if known.len() > MOST { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Problems that are shown: nobody reads more, and each costs a look at the whole file.
const MOST_SHOWN: usize = 100;

/// Renders the problems, in the order of the files, each with its source line and a caret.
pub fn render(problems: &[Diagnostic], sources: &Sources, color: bool, ascii: bool) -> String {
    let decor = if ascii {
        DecorStyle::Ascii
    } else {
        DecorStyle::Unicode
    };
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .decor_style(decor);
    let mut sorted: Vec<&Diagnostic> = problems.iter().collect();
    sorted.sort_by_key(|d| d.span.unwrap_or_default());
    let mut blocks: Vec<String> = sorted
        .iter()
        .take(MOST_SHOWN)
        .map(|d| renderer.render(&[group(d, sources)]))
        .collect();
    if let Some(more @ 1..) = problems.len().checked_sub(MOST_SHOWN) {
        blocks.push(format!("... and {more} more"));
    }
    blocks.push(format!(
        "{} in the config; nothing was run",
        readygate_sdk::count_of(problems.len() as u64, "error", "errors")
    ));
    blocks.join("\n\n") + "\n"
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let mut group = Group::with_title(Level::ERROR.primary_title(&diagnostic.message));
    if let Some(span) = diagnostic.span {
        let primary = AnnotationKind::Primary
            .span(range(span, sources))
            .label(diagnostic.label.as_deref());
        let mut snippet = snippet(span, sources).annotation(primary);
        match &diagnostic.related {
            Some((other, label)) if other.file == span.file => {
                let context = AnnotationKind::Context.span(range(*other, sources));
                snippet = snippet.annotation(context.label(label.as_str()));
            }
            _ => {}
        }
        group = group.element(snippet);
        if let Some((other, label)) = diagnostic
            .related
            .as_ref()
            .filter(|(o, _)| o.file != span.file)
        {
            let context = AnnotationKind::Context.span(range(*other, sources));
            let context = context.label(label.as_str());
            group = group.element(self::snippet(*other, sources).annotation(context));
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

type Marked<'a> = Snippet<'a, annotate_snippets::Annotation<'a>>;

fn snippet(span: Span, sources: &Sources) -> Marked<'_> {
    let name = sources.files.get(span.file).map_or("?", |(name, _)| name);
    Snippet::source(sources.text(span.file))
        .path(name)
        .fold(true)
}

/// At least one character wide, and on one line: a caret under a whole block says nothing.
fn range(span: Span, sources: &Sources) -> Range<usize> {
    let text = sources.text(span.file);
    let start = floor_boundary(text, span.start);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = floor_boundary(text, span.end.clamp(start, line_end.max(start)));
    let one = text[start..].chars().next().map_or(0, char::len_utf8);
    let end = if end == start && start < line_end {
        start + one
    } else {
        end
    };
    start..text[start..end].trim_end().len() + start
}
