//! Reads well-formed XML and nothing else.
//!
//! Entities are never expanded beyond the five predefined ones and character references, so a
//! "billion laughs" costs nothing and no file or URL is fetched.

use std::{borrow::Cow, io::BufRead};

use quick_xml::{
    Reader,
    events::{BytesDecl, BytesRef, BytesStart, Event},
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
                    let data = data.into_inner();
                    check_characters(&data).map(|()| each(visitor, |v| v.text(&data)))
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
                Event::Decl(declaration) => check_declaration(&declaration),
                Event::PI(instruction) => check_name(instruction.target()),
                Event::Comment(_) | Event::Empty(_) => Ok(()),
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
        let attributes = pairs(tag.attributes_raw())?
            .into_iter()
            .map(|(name, raw)| check_name(name).and_then(|()| Ok((name, self.value(raw)?))))
            .collect::<Result<Vec<_>, Fault>>()?;
        self.scope.open(self.depth, &attributes)?;
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
        check_characters(raw)?;
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
        check_characters(text)?;
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

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespace prefixes that are bound.
#[derive(Debug, Default)]
struct Scope {
    bound: Vec<(usize, String)>,
}

impl Scope {
    fn open(&mut self, depth: usize, attributes: &[(&str, Cow<'_, str>)]) -> Result<(), Fault> {
        for (name, value) in attributes {
            match name.strip_prefix("xmlns:") {
                None => {}
                Some("xml") if *value == XML_NAMESPACE => {}
                Some(prefix) if matches!(prefix, "xml" | "xmlns") || value.is_empty() => {
                    let reason = format!("the namespace prefix `{prefix}` cannot be declared so");
                    return Err(Fault::new(reason));
                }
                Some(prefix) => self.bound.push((depth, prefix.to_owned())),
            }
        }
        Ok(())
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

/// What the guard does not look for: the two characters above U+001F that production 2 leaves out.
fn check_characters(text: &str) -> Result<(), Fault> {
    match text.chars().find(|c| !is_xml_char(*c)) {
        None => Ok(()),
        Some(c) => Err(Fault::new(format!(
            "the character U+{:04X} may not stand in XML",
            u32::from(c)
        ))),
    }
}

/// Splits what follows the name in a tag into names and raw values (XML 1.0, production 41).
fn pairs(raw: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let space = [' ', '\t', '\n', '\r'];
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut rest = raw;
    loop {
        let next = rest.trim_start_matches(space);
        if next.is_empty() {
            return Ok(pairs);
        }
        if next.len() == rest.len() {
            return Err(Fault::new(
                "two attributes without white space between them",
            ));
        }
        let (name, value) = next.split_once('=').ok_or_else(|| broken(next))?;
        let (name, value) = (
            name.trim_end_matches(space),
            value.trim_start_matches(space),
        );
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or_else(|| broken(next))?;
        let (value, tail) = value[1..].split_once(quote).ok_or_else(|| broken(next))?;
        if pairs.iter().any(|(known, _)| *known == name) {
            let name = crate::text::clip(name, 40);
            return Err(Fault::new(format!(
                "the attribute `{name}` stands twice in one tag"
            )));
        }
        if pairs.len() == MOST_ATTRIBUTES {
            return Err(Fault::new(format!(
                "an element has over {MOST_ATTRIBUTES} attributes"
            )));
        }
        pairs.push((name, value));
        rest = tail;
    }
}

fn broken(attribute: &str) -> Fault {
    let shown = crate::text::clip(attribute, 40);
    Fault::new(format!(
        "an attribute is not written name=\"value\": {shown}"
    ))
}

/// XML 1.0, production 23.
fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), Fault> {
    let text: &str = declaration;
    let wanted = ["version", "encoding", "standalone"];
    let pairs = pairs(text.strip_prefix("xml").unwrap_or_default())?;
    let mut order = wanted.iter();
    let in_order = pairs
        .iter()
        .all(|(name, _)| order.any(|wanted| wanted == name));
    let valid = pairs.iter().all(|(name, value)| match *name {
        "version" => value
            .strip_prefix("1.")
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())),
        "encoding" => {
            let goes_on = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.bytes().all(goes_on)
        }
        _ => matches!(*value, "yes" | "no"),
    });
    if in_order && valid && pairs.first().is_some_and(|(name, _)| *name == "version") {
        return Ok(());
    }
    Err(Fault::new("the XML declaration is broken")
        .hint("write <?xml version=\"1.0\" encoding=\"UTF-8\"?>"))
}

/// XML 1.0, production 5.
fn check_name(name: &str) -> Result<(), Fault> {
    if name.len() > LONGEST_NAME {
        return Err(Fault::new(format!(
            "a name is longer than {LONGEST_NAME} bytes"
        )));
    }
    if name.starts_with(starts_name) && name.chars().all(|c| starts_name(c) || continues_name(c)) {
        return Ok(());
    }
    Err(
        Fault::new(format!("`{}` is not a name", crate::text::clip(name, 40)))
            .hint("a `<` or `&` in text is written &lt; or &amp;"),
    )
}

fn starts_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z')
        || matches!(c, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}')
        || matches!(c, '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}')
        || matches!(c, '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}')
        || matches!(c, '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn continues_name(c: char) -> bool {
    matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
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
