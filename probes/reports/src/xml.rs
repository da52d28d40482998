//! Reads well-formed XML and nothing else.
//!
//! Entities are never expanded beyond the five predefined ones and character references, so a
//! "billion laughs" costs nothing and no file or URL is fetched.

mod grammar;
mod scope;

use std::{borrow::Cow, io::BufRead};

use quick_xml::{
    Reader,
    errors::IllFormedError,
    events::{BytesRef, BytesStart, Event},
};
use readygate_sdk::count_of;

use grammar::{check_characters, check_declaration, check_name, lone_ampersand, pairs, resolve};
use scope::Scope;

use crate::{Fault, Position, guard::Guard, source};

/// Deepest nesting of elements.
const DEEPEST: usize = 256;

/// A start tag.
#[derive(Debug)]
pub struct Element<'a> {
    /// Without the namespace prefix.
    pub name: &'a str,
    /// Where its tag starts.
    pub at: Position,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
}

impl Element<'_> {
    /// The value of an attribute, references resolved.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value.as_ref())
    }
}

/// Hears the elements of a document, the root first.
pub trait Visitor {
    /// An element starts.
    ///
    /// # Errors
    /// What makes the rest of the document unreadable.
    fn start(&mut self, element: &Element<'_>) -> Result<(), Fault>;
    /// The end of the element that started last and has not ended.
    fn end(&mut self);
    /// A piece of the character data of the innermost element.
    fn text(&mut self, piece: &str);
    /// A reference to an entity that is not expanded.
    fn unexpanded(&mut self);
}

/// A document being read.
pub struct Xml<R> {
    reader: Reader<Guard<R>>,
    scope: Scope,
    /// Whether there is a DOCTYPE, which may declare entities.
    doctype: bool,
    depth: usize,
    ended: bool,
}

impl<R: BufRead> Xml<R> {
    /// A document behind its guard.
    pub fn new(guard: Guard<R>) -> Self {
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

    /// The guard, behind what was read.
    pub fn into_inner(self) -> Guard<R> {
        self.reader.into_inner()
    }

    /// Reads the document to its end.
    pub fn read(&mut self, visitor: &mut dyn Visitor) -> Result<(), Fault> {
        let mut buffer = Vec::new();
        loop {
            let at = self.reader.get_ref().position();
            let first = self.reader.buffer_position() == 0;
            buffer.clear();
            let event = self.reader.read_event_into(&mut buffer);
            let step = match event {
                Err(error) => Err(explain(&error, at, self.reader.get_ref().position())),
                Ok(Event::Eof) => return self.at_end(),
                Ok(Event::Decl(_)) if !first => Err(Fault::new(
                    "an XML declaration that is not at the very start",
                )
                .hint("is this several reports in one file? Write each to its own")),
                Ok(event) => self.event(event, at, visitor),
            };
            step.map_err(|fault| fault.at(at))?;
        }
    }

    fn event(
        &mut self,
        event: Event<'_>,
        at: Position,
        visitor: &mut dyn Visitor,
    ) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => visitor.start(&self.start(&tag, at)?)?,
            Event::End(_) => {
                self.scope.close(self.depth);
                self.depth = self.depth.saturating_sub(1);
                self.ended = self.depth == 0;
                visitor.end();
            }
            Event::Text(text) => {
                let text = text.into_inner();
                self.text(&text)?;
                visitor.text(&text);
            }
            Event::CData(data) => {
                let data = data.into_inner();
                check_characters(&data)?;
                if self.depth == 0 {
                    return Err(Fault::new("a CDATA section outside the root element"));
                }
                visitor.text(&data);
            }
            Event::GeneralRef(reference) => match self.reference(&reference)? {
                Some(c) => visitor.text(c.encode_utf8(&mut [0; 4])),
                None => visitor.unexpanded(),
            },
            Event::DocType(_) if self.doctype || self.depth > 0 || self.ended => {
                return Err(Fault::new(
                    "a DOCTYPE that does not stand before the root element",
                ));
            }
            Event::DocType(_) => self.doctype = true,
            Event::Decl(declaration) => check_declaration(&declaration)?,
            Event::PI(instruction) => check_name(instruction.target())?,
            Event::Comment(_) | Event::Empty(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn at_end(&self) -> Result<(), Fault> {
        let at = self.reader.get_ref().position();
        if self.depth > 0 {
            let open = count_of(self.depth as u64, "element is", "elements are");
            return Err(truncated(format!("the file ends here while {open} open")).at(at));
        }
        if !self.ended {
            return Err(Fault::new("there is no element in the file").at(at));
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
        quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => {
            lone_ampersand().at(start)
        }
        quick_xml::Error::IllFormed(ill) => Fault::new(ill.to_string()).at(start),
        other => Fault::new(other.to_string()).at(start),
    }
}
