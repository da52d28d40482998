//! The XML formats, which the root element and what follows it decide.

use std::io::Read;

use readygate_reports::{
    Fault, Guard, Source, clip,
    xml::{Element, Visitor, Xml},
};

use super::{clover::Clover, cobertura::Cobertura, jacoco::Jacoco};
use crate::model::Report;

/// A reader of one XML format.
pub(super) trait Reader {
    /// An element starts; `above` are the names of those around it.
    fn start(&mut self, element: &Element<'_>, above: &[String]) -> Result<(), Fault>;
    /// An element ends.
    fn end(&mut self, name: &str);
    /// Text inside the innermost element.
    fn text(&mut self, _piece: &str, _inside: &str) {}
    /// The document has ended.
    fn finish(self: Box<Self>) -> Result<Report, Fault>;
}

pub(super) fn read<R: Read>(source: &mut Source<'_, R>) -> Result<Report, Fault> {
    let mut document = Document {
        above: Vec::new(),
        root: Vec::new(),
        reader: None,
        entities: 0,
    };
    Xml::new(Guard::new(source)).read(&mut document)?;
    if document.entities > 0 {
        return Err(
            Fault::new("it includes content by an entity, which is never expanded")
                .hint("write the report without entities"),
        );
    }
    match document.reader {
        Some(reader) => reader.finish(),
        // A `<coverage>` without anything in it.
        None => Cobertura::new().finish_boxed(),
    }
}

struct Document {
    above: Vec<String>,
    /// Attributes of the root, until the format is known.
    root: Vec<(&'static str, String)>,
    reader: Option<Box<dyn Reader>>,
    entities: u64,
}

/// Attributes that roots carry and readers want.
const ROOT: [&str; 5] = ["timestamp", "generated", "clover", "line-rate", "name"];

impl Document {
    fn reader_of(&self, element: &Element<'_>) -> Result<Option<Box<dyn Reader>>, Fault> {
        let get = |name| {
            let found = self.root.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_str())
        };
        match (self.above.len(), element.name) {
            (0, "coverage") => Ok(None),
            (0, "report") => Ok(Some(Box::new(Jacoco::default()))),
            (0, other) => Err(not_coverage(other)),
            (_, "project") => Ok(Some(Box::new(Clover::new(get("generated"))))),
            (_, "packages" | "sources") => {
                let mut reader = Cobertura::new();
                reader.made(get("timestamp"));
                Ok(Some(Box::new(reader)))
            }
            (_, "file") if get("version").is_none() && element.get("path").is_some() => {
                Err(Fault::new("this is SonarQube's generic coverage format")
                    .hint("write lcov, Cobertura or JaCoCo"))
            }
            _ => Ok(None),
        }
    }
}

fn not_coverage(root: &str) -> Fault {
    let what = match root {
        "testsuites" | "testsuite" => "a JUnit report, which holds test results".to_owned(),
        "CoverageSession" => "an OpenCover report".to_owned(),
        "results" => "perhaps a dotCover or Visual Studio report".to_owned(),
        "html" => "an HTML page".to_owned(),
        other => format!("XML with the root element `{}`", clip(other, 60)),
    };
    Fault::new(format!(
        "this is no coverage report of a known format but {what}"
    ))
    .hint("write lcov, Cobertura, JaCoCo, Clover or one of the JSON formats")
}

impl Visitor for Document {
    fn start(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        if self.reader.is_none() {
            self.reader = self.reader_of(element)?;
            if self.above.is_empty() {
                let attribute = |name| Some((name, element.get(name)?.to_owned()));
                self.root = ROOT.into_iter().filter_map(attribute).collect();
            }
        }
        if let Some(reader) = &mut self.reader {
            reader.start(element, &self.above)?;
        }
        self.above.push(element.name.to_owned());
        Ok(())
    }

    fn end(&mut self) {
        if let (Some(name), Some(reader)) = (self.above.pop(), &mut self.reader) {
            reader.end(&name);
        }
    }

    fn text(&mut self, piece: &str) {
        if let (Some(reader), Some(inside)) = (&mut self.reader, self.above.last()) {
            reader.text(piece, inside);
        }
    }

    fn unexpanded(&mut self) {
        self.entities += 1;
    }
}
