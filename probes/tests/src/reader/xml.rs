//! Reads well-formed XML and nothing else.
//!
//! Entities are never expanded beyond the five predefined ones and character references, so a
//! "billion laughs" costs nothing and no file or URL is fetched.

use std::{borrow::Cow, io::BufRead};

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use readygate_sdk::count_of;

use super::{About, Fault, Position, guard::Guard, source};

/// Deepest nesting of elements.
const DEEPEST: usize = 256;
/// Most attributes of one element.
const MOST_ATTRIBUTES: usize = 256;
/// Longest name of an element or attribute, bytes.
const LONGEST_NAME: usize = 1_024;

/// A start tag.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// Without the namespace prefix.
    pub name: &'a str,
    pub at: Position,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
}

impl Element<'_> {
    /// The value of an attribute, references resolved.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value.as_ref())
    }
}

/// Hears the elements of a document, the root first.
pub(super) trait Visitor {
    fn start(&mut self, element: &Element<'_>);
    /// The end of the element that started last and has not ended.
    fn end(&mut self);
    /// A piece of the character data of the innermost element.
    fn text(&mut self, piece: &str);
    /// A reference to an entity that is not expanded.
    fn unexpanded(&mut self);
    /// The document has ended, well-formed.
    fn finish(&mut self) -> About;
    /// The document is not well-formed; says what is known of the elements still open.
    fn abandon(&mut self);
}

/// A document being read.
pub(super) struct Xml<R> {
    reader: Reader<Guard<R>>,
    scope: Scope,
    /// Whether there is a DOCTYPE, which may declare entities.
    doctype: bool,
    depth: usize,
    ended: bool,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(guard: Guard<R>) -> Self {
        let mut reader = Reader::from_reader(guard);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        Self {
            reader,
            scope: Scope::default(),
            doctype: false,
            depth: 0,
            ended: false,
        }
    }

    pub(super) fn into_inner(self) -> Guard<R> {
        self.reader.into_inner()
    }

    /// Reads the document to its end; `open` makes the visitor from the root element.
    pub(super) fn read<'v>(
        &mut self,
        open: impl FnOnce(&Element<'_>) -> Result<Box<dyn Visitor + 'v>, Fault>,
    ) -> Result<About, Fault> {
        let mut visitor = None;
        match self.visit(open, &mut visitor) {
            Ok(()) => visitor.map(|mut v| v.finish()).ok_or_else(|| {
                Fault::new("there is no element in the file").at(self.reader.get_ref().position())
            }),
            Err(fault) => {
                if let Some(mut visitor) = visitor {
                    visitor.abandon();
                }
                Err(fault)
            }
        }
    }

    fn visit<'v>(
        &mut self,
        open: impl FnOnce(&Element<'_>) -> Result<Box<dyn Visitor + 'v>, Fault>,
        visitor: &mut Option<Box<dyn Visitor + 'v>>,
    ) -> Result<(), Fault> {
        let mut open = Some(open);
        let mut buffer = Vec::new();
        loop {
            let at = self.reader.get_ref().position();
            let first = self.reader.buffer_position() == 0;
            buffer.clear();
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => return Err(explain(&error, at, self.reader.get_ref().position())),
            };
            let step = match event {
                Event::Eof => return self.at_end(),
                Event::Start(tag) => self.start(&tag, at).and_then(|element| {
                    if let Some(open) = open.take() {
                        *visitor = Some(open(&element)?);
                    }
                    each(visitor, |v| v.start(&element));
                    Ok(())
                }),
                Event::End(_) => {
                    self.scope.close(self.depth);
                    self.depth = self.depth.saturating_sub(1);
                    self.ended = self.depth == 0;
                    each(visitor, |v| v.end());
                    Ok(())
                }
                Event::Text(text) => {
                    let text = text.into_inner();
                    self.text(&text).map(|()| each(visitor, |v| v.text(&text)))
                }
                Event::CData(data) if self.depth > 0 => {
                    each(visitor, |v| v.text(&data.into_inner()));
                    Ok(())
                }
                Event::CData(_) => Err(Fault::new("a CDATA section outside the root element")),
                Event::GeneralRef(reference) => {
                    self.reference(&reference).map(|known| match known {
                        Some(c) => each(visitor, |v| v.text(c.encode_utf8(&mut [0; 4]))),
                        None => each(visitor, |v| v.unexpanded()),
                    })
                }
                Event::DocType(_) if self.doctype || self.depth > 0 || self.ended => Err(
                    Fault::new("a DOCTYPE that does not stand before the root element"),
                ),
                Event::DocType(_) => {
                    self.doctype = true;
                    Ok(())
                }
                Event::Decl(_) if !first => Err(Fault::new(
                    "an XML declaration that is not at the very start",
                )
                .hint("is this several reports in one file? Write each to its own")),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::Empty(_) => Ok(()),
            };
            step.map_err(|fault| fault.at(at))?;
        }
    }

    fn at_end(&self) -> Result<(), Fault> {
        let at = self.reader.get_ref().position();
        if self.depth > 0 {
            let open = count_of(self.depth as u64, "element is", "elements are");
            return Err(truncated(format!("the file ends here while {open} open")).at(at));
        }
        Ok(())
    }

    fn start<'a>(&mut self, tag: &'a BytesStart<'_>, at: Position) -> Result<Element<'a>, Fault> {
        if self.ended {
            return Err(Fault::new("a second root element")
                .hint("several reports in one file cannot be read; write each to its own"));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::new(format!(
                "elements are nested deeper than {DEEPEST}"
            )));
        }
        let full = tag.name().into_inner();
        check_name(full)?;
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            if attributes.len() == MOST_ATTRIBUTES {
                return Err(Fault::new(format!(
                    "an element has over {MOST_ATTRIBUTES} attributes"
                )));
            }
            let attribute =
                attribute.map_err(|e| Fault::new(format!("a broken attribute: {e}")))?;
            let name = attribute.key.into_inner();
            check_name(name)?;
            let raw = match attribute.value {
                Cow::Borrowed(raw) => raw,
                Cow::Owned(_) => return Err(Fault::new("a broken attribute")),
            };
            attributes.push((name, self.value(raw)?));
        }
        self.scope.open(self.depth, &attributes);
        self.scope.check(full, &attributes)?;
        let name = full.split_once(':').map_or(full, |(_, local)| local);
        Ok(Element {
            name,
            at,
            attributes,
        })
    }

    /// An attribute value with its references resolved; entities that a DOCTYPE may declare stay
    /// as they are written.
    fn value<'a>(&self, raw: &'a str) -> Result<Cow<'a, str>, Fault> {
        if !raw.contains(['&', '\t', '\n', '\r']) {
            return Ok(Cow::Borrowed(raw));
        }
        // Line ends and white space are normalised before references are resolved (XML 1.0,
        // sections 2.11 and 3.3.3).
        let raw = raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw.as_str();
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let (name, tail) = after.split_once(';').ok_or_else(lone_ampersand)?;
            match resolve(name)? {
                Some(c) => out.push(c),
                None => self.entity(name).map(|()| out.extend(["&", name, ";"]))?,
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }

    fn text(&self, text: &str) -> Result<(), Fault> {
        if self.depth == 0 && !text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            return Err(Fault::new("text outside the root element"));
        }
        if text.contains("]]>") {
            return Err(Fault::new(
                "`]]>` in text; it ends a CDATA section and is written ]]&gt;",
            ));
        }
        Ok(())
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<Option<char>, Fault> {
        if self.depth == 0 {
            return Err(Fault::new("text outside the root element"));
        }
        let name: &str = reference;
        match resolve(name)? {
            Some(c) => Ok(Some(c)),
            None => self.entity(name).map(|()| None),
        }
    }

    /// Whether a reference to a named entity may stand here at all (XML 1.0, section 4.1).
    fn entity(&self, name: &str) -> Result<(), Fault> {
        check_name(name).map_err(|_| lone_ampersand())?;
        if self.doctype {
            return Ok(());
        }
        Err(Fault::new(format!(
            "the entity `&{}` is not defined",
            crate::text::clip(name, 40)
        ))
        .hint("XML knows &amp; &lt; &gt; &quot; &apos; and numbers such as &#160;"))
    }
}

/// One step of the visitor, once there is one.
fn each<'v>(
    visitor: &mut Option<Box<dyn Visitor + 'v>>,
    step: impl FnOnce(&mut (dyn Visitor + 'v)),
) {
    if let Some(visitor) = visitor {
        step(visitor.as_mut());
    }
}

/// The namespace prefixes that are bound.
#[derive(Debug, Default)]
struct Scope {
    bound: Vec<(usize, String)>,
}

impl Scope {
    fn open(&mut self, depth: usize, attributes: &[(&str, Cow<'_, str>)]) {
        for (name, _) in attributes {
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.bound.push((depth, prefix.to_owned()));
            }
        }
    }

    fn close(&mut self, depth: usize) {
        while self.bound.last().is_some_and(|(d, _)| *d >= depth) {
            self.bound.pop();
        }
    }

    /// Namespaces in XML 1.0, section 5: a prefix must be declared.
    fn check(&self, element: &str, attributes: &[(&str, Cow<'_, str>)]) -> Result<(), Fault> {
        let names = attributes.iter().map(|(name, _)| *name).chain([element]);
        for (prefix, _) in names.filter_map(|name| name.split_once(':')) {
            let known =
                matches!(prefix, "xml" | "xmlns") || self.bound.iter().any(|(_, p)| p == prefix);
            if !known {
                let prefix = crate::text::clip(prefix, 40);
                return Err(Fault::new(format!(
                    "the namespace prefix `{prefix}` is not declared"
                )));
            }
        }
        Ok(())
    }
}

/// The character of a predefined or numeric reference; `None` for another name.
fn resolve(name: &str) -> Result<Option<char>, Fault> {
    let number = match name.strip_prefix('#') {
        None => {
            return Ok(match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => None,
            });
        }
        Some(number) => number,
    };
    let (digits, radix) = number
        .strip_prefix('x')
        .map_or((number, 10), |hex| (hex, 16));
    let code = digits
        .chars()
        .all(|c| c.is_digit(radix))
        .then(|| u32::from_str_radix(digits, radix));
    code.and_then(Result::ok)
        .and_then(char::from_u32)
        .filter(|c| is_xml_char(*c))
        .map(Some)
        .ok_or_else(|| {
            let name = crate::text::clip(name, 20);
            Fault::new(format!("`&{name};` is not a character that XML allows"))
        })
}

/// XML 1.0, production 2.
fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// XML 1.0, production 5, for ASCII; other characters pass.
fn check_name(name: &str) -> Result<(), Fault> {
    let starts = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    let goes_on = |c: char| starts(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    if name.len() > LONGEST_NAME {
        return Err(Fault::new(format!(
            "a name is longer than {LONGEST_NAME} bytes"
        )));
    }
    if name.starts_with(starts) && name.chars().all(goes_on) {
        return Ok(());
    }
    Err(
        Fault::new(format!("`{}` is not a name", crate::text::clip(name, 40)))
            .hint("a `<` or `&` in text is written &lt; or &amp;"),
    )
}

fn lone_ampersand() -> Fault {
    Fault::new("an `&` here starts no reference").hint("an `&` in text is written &amp;")
}

fn truncated(reason: String) -> Fault {
    Fault::new(reason)
        .hint("the report is cut off: the test runner was killed, or the disk was full")
}

/// A parser's error as a fault: `start` is where the piece of markup starts, `end` where reading
/// stopped.
fn explain(error: &quick_xml::Error, start: Position, end: Position) -> Fault {
    match error {
        quick_xml::Error::Io(io) => source::fault_of(io).at(end),
        quick_xml::Error::Syntax(syntax) => {
            truncated(format!("{syntax} (it starts in line {})", start.line)).at(end)
        }
        other => Fault::new(other.to_string()).at(start),
    }
}
