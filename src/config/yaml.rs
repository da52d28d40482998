//! YAML to a tree with spans. The only file that knows the YAML crate.
//!
//! Our own tree, because a derived deserializer stops at the first mistake, and a person wants to
//! see all of them; and because `4.10` must stay the text that was written until a type asks.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::diagnostic::{Diagnostic, Span};

/// Nodes in one file, aliases expanded: more is a bomb and not a config.
const MOST_NODES: usize = 200_000;
/// Keys in one mapping: each is compared with all before it.
const MOST_KEYS: usize = 5_000;
/// Nesting of mappings and sequences.
const DEEPEST: usize = 64;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text as written, after YAML escapes and interpolation.
    Scalar {
        /// The text.
        text: String,
        /// Unquoted, so that a number is a number and `true` a boolean.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Key-value pairs in the order written.
    Mapping(Vec<Entry>),
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|e| e.key == key)
            .map(|e| &e.value)
    }

    /// The same unless it is nothing (`~`), which leaves a key out.
    pub fn said(&self, key: &str) -> Option<&Self> {
        self.get(key).filter(|value| !value.is_null())
    }

    /// The entries of a mapping, none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence, none for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// An empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if is_null(text))
    }

    /// `a mapping`, `a list`, `nothing` or the text, for messages.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Mapping(_) => "a mapping".into(),
            Kind::Sequence(_) => "a list".into(),
            Kind::Scalar { .. } if self.is_null() => "nothing".into(),
            Kind::Scalar { text, .. } => format!("`{}`", readygate_sdk::excerpt(text, 60)),
        }
    }

    /// Follows a JSON pointer (RFC 6901) as far as it leads.
    pub fn follow(&self, pointer: &str) -> &Self {
        let mut node = self;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next = match &node.kind {
                Kind::Mapping(_) => node.get(&part),
                Kind::Sequence(items) => part.parse().ok().and_then(|i: usize| items.get(i)),
                Kind::Scalar { .. } => None,
            };
            let Some(next) = next else { break };
            node = next;
        }
        node
    }
}

/// Whether YAML reads an unquoted text as nothing.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Parses one document. Duplicate keys are reported and the first is kept; a syntax error is
/// reported and ends the file.
pub fn parse(file: usize, text: &str, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    let options = granit_parser::options! {
        block_nesting_limit: DEEPEST,
        flow_nesting_limit: DEEPEST,
        strict_indentation: true,
    };
    let mut composer = Composer {
        file,
        offsets: Offsets::new(text),
        stack: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        problems,
    };
    let mut root = None;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = composer.offsets.byte(error.marker().index());
                let span = Span {
                    file,
                    start: at,
                    end: at,
                };
                let problem =
                    Diagnostic::at(span, format!("not readable as YAML: {}", error.info()));
                composer.problems.push(problem);
                return None;
            }
        };
        let span = composer.span(&span);
        if root.is_some() && matches!(event, Event::DocumentStart(..)) {
            let second = Diagnostic::at(span, "a second document in one file")
                .help("remove the `---`, or move it to a file of its own and `include` it");
            composer.problems.push(second);
            break;
        }
        match composer.event(event, span) {
            Ok(Some(done)) => root = root.or(Some(done)),
            Ok(None) => {}
            Err(problem) => {
                composer.problems.push(problem);
                return None;
            }
        }
    }
    root
}

struct Composer<'a> {
    file: usize,
    offsets: Offsets,
    stack: Vec<Open>,
    anchors: HashMap<usize, Option<Node>>,
    nodes: usize,
    problems: &'a mut Vec<Diagnostic>,
}

/// A collection whose end has not come yet.
struct Open {
    start: Span,
    anchor: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        key: Option<(String, Span)>,
    },
}

impl Composer<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<Option<Node>, Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, _tag) => {
                let kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                self.finish(Node { span, kind }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(span, anchor, Items::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, _) => self.open(
                span,
                anchor,
                Items::Mapping {
                    entries: Vec::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            _ => Ok(None),
        }
    }

    fn open(
        &mut self,
        start: Span,
        anchor: usize,
        items: Items,
    ) -> Result<Option<Node>, Diagnostic> {
        if self.stack.len() >= DEEPEST {
            return Err(Diagnostic::at(
                start,
                format!("nested deeper than {DEEPEST} levels"),
            ));
        }
        if let (
            Items::Mapping { .. } | Items::Sequence(_),
            Some(Open {
                items: Items::Mapping { key: None, .. },
                ..
            }),
        ) = (&items, self.stack.last())
        {
            return Err(Diagnostic::at(start, "a key must be text"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.stack.push(Open {
            start,
            anchor,
            items,
        });
        Ok(None)
    }

    fn close(&mut self, end: Span) -> Result<Option<Node>, Diagnostic> {
        let Some(open) = self.stack.pop() else {
            return Ok(None);
        };
        let kind = match open.items {
            Items::Sequence(items) => Kind::Sequence(items),
            Items::Mapping { entries, .. } => Kind::Mapping(Self::merge(entries)?),
        };
        let span = Span {
            end: end.end.max(open.start.end),
            ..open.start
        };
        self.finish(Node { span, kind }, open.anchor)
    }

    /// `<<: *base` brings in what the mapping does not say itself (YAML 1.1 merge keys).
    fn merge(entries: Vec<Entry>) -> Result<Vec<Entry>, Diagnostic> {
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| e.key == "<<");
        for merge in merges {
            let sources = match merge.value.kind {
                Kind::Sequence(items) => items,
                _ => vec![merge.value],
            };
            for source in sources {
                let Kind::Mapping(inherited) = source.kind else {
                    return Err(Diagnostic::at(merge.key_span, "`<<` merges mappings only"));
                };
                for entry in inherited {
                    if !own.iter().any(|e| e.key == entry.key) {
                        own.push(entry);
                    }
                }
            }
        }
        Ok(own)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Option<Node>, Diagnostic> {
        match self.anchors.get(&id) {
            Some(Some(node)) => {
                let node = node.clone();
                self.nodes += size(&node);
                self.finish(node, 0)
            }
            Some(None) => Err(Diagnostic::at(
                span,
                "an alias inside of what it stands for",
            )),
            None => Err(Diagnostic::at(span, "an alias without an anchor")),
        }
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<Option<Node>, Diagnostic> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message =
                format!("more than {MOST_NODES} values, aliases counted where they are used");
            return Err(Diagnostic::at(node.span, message));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, Some(node.clone()));
        }
        let Some(open) = self.stack.last_mut() else {
            return Ok(Some(node));
        };
        match &mut open.items {
            Items::Sequence(items) => items.push(node),
            Items::Mapping { entries, key } => match key.take() {
                Some((_, key_span)) if entries.len() >= MOST_KEYS => {
                    let message = format!("more than {MOST_KEYS} keys in one mapping");
                    return Err(Diagnostic::at(key_span, message));
                }
                Some((key, key_span)) => {
                    if let Some(first) = entries.iter().find(|e| e.key == key && key != "<<") {
                        let problem = Diagnostic::at(key_span, format!("duplicate key `{key}`"))
                            .related(first.key_span, "first here")
                            .help("keep one of the two");
                        self.problems.push(problem);
                    } else {
                        entries.push(Entry {
                            key,
                            key_span,
                            value: node,
                        });
                    }
                }
                None => match node.kind {
                    Kind::Scalar { text, .. } => *key = Some((text, node.span)),
                    _ => return Err(Diagnostic::at(node.span, "a key must be text")),
                },
            },
        }
        Ok(None)
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let start = self.offsets.byte(span.start.index());
        Span {
            file: self.file,
            start,
            end: self.offsets.byte(span.end.index()).max(start),
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => 1,
        Kind::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Mapping(entries) => 1 + entries.iter().map(|e| size(&e.value)).sum::<usize>(),
    }
}

/// The parser counts characters, everything else bytes.
enum Offsets {
    Ascii,
    Wide(Vec<usize>),
}

impl Offsets {
    fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self::Ascii;
        }
        Self::Wide(
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect(),
        )
    }

    fn byte(&self, index: usize) -> usize {
        match self {
            Self::Ascii => index,
            Self::Wide(offsets) => offsets
                .get(index)
                .or(offsets.last())
                .copied()
                .unwrap_or(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        parse(0, text, &mut problems);
        problems.into_iter().map(|p| p.message).collect()
    }

    #[test]
    fn numbers_stay_as_written() {
        let root = parse(0, "version: 4.10\n", &mut Vec::new()).unwrap();
        assert_eq!(root.get("version").and_then(Node::text), Some("4.10"));
    }

    #[test]
    fn every_duplicate_key_is_reported() {
        assert_eq!(
            problems("a: 1\na: 2\nb: {c: 1, c: 2}\n"),
            ["duplicate key `a`", "duplicate key `c`"]
        );
    }

    #[test]
    fn merge_keys_fill_in() {
        let text = "base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\n";
        let root = parse(0, text, &mut Vec::new()).unwrap();
        let used = root.get("use").unwrap();
        assert_eq!(used.get("x").and_then(Node::text), Some("1"));
        assert_eq!(used.get("y").and_then(Node::text), Some("3"));
    }

    #[test]
    fn bombs_end_in_an_error() {
        let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..10 {
            let refs = vec![format!("*a{}", i - 1); 10].join(",");
            let _ = writeln!(laughs, "a{i}: &a{i} [{refs}]");
        }
        assert!(problems(&laughs)[0].contains("more than"));
        assert!(problems("a: &a [*a]\n")[0].contains("alias"));
        for deep in [
            "[".repeat(200_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
        ] {
            assert_eq!(problems(&deep).len(), 1);
        }
    }

    #[test]
    fn columns_count_characters() {
        let mut sources = super::super::diagnostic::Sources::default();
        let text = "é: ü\nß: [\n";
        let file = sources.add("x.yaml", text);
        let mut problems = Vec::new();
        parse(file, text, &mut problems);
        let place = sources.locate(problems[0].span.unwrap());
        assert!(place.line.is_some_and(|l| l >= 2), "{place}");
    }
}
