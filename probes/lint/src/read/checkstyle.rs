//! Checkstyle's XML.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{Fault, Reading, Settings, unknown};
use crate::{
    config::{Format, Severity},
    measurement::Finding,
};

/// Elements may be nested this deep; the format needs three.
const DEPTH: usize = 32;

pub(super) fn detect(text: &str) -> Result<Format, Fault> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => {
                let name = root.local_name().as_ref().to_owned();
                return match name.as_str() {
                    "checkstyle" => Ok(Format::Checkstyle),
                    "testsuite" | "testsuites" => Err(unknown("JUnit XML, which `tests` reads")),
                    _ => Err(unknown(&format!("XML with the root <{name}>"))),
                };
            }
            Ok(Event::Eof) => return Err(Fault::new("it holds no XML element")),
            Ok(_) => {}
            Err(error) => return Err(at(text, reader.error_position(), &error.to_string())),
        }
    }
}

fn at(text: &str, position: u64, reason: &str) -> Fault {
    let position = usize::try_from(position)
        .unwrap_or(usize::MAX)
        .min(text.len());
    Fault {
        reason: format!("it is not well-formed XML: {reason}"),
        line: Some(text.as_bytes()[..position].split(|&b| b == b'\n').count() as u64),
        column: None,
    }
}

pub(super) fn read(text: &str, settings: &Settings<'_>) -> Result<Reading, Fault> {
    let mut reader = Reader::from_str(text);
    let mut reading = Reading::default();
    let (mut depth, mut linted, mut roots) = (0_usize, 0_u64, 0);
    let mut file = String::new();
    loop {
        let event = reader
            .read_event()
            .map_err(|e| at(text, reader.error_position(), &e.to_string()))?;
        let position = reader.buffer_position();
        let broken = |reason: String| at(text, position, &reason);
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let is_start = matches!(event, Event::Start(_));
                roots += usize::from(depth == 0);
                if roots > 1 || depth == 0 && tag.local_name().as_ref() != "checkstyle" {
                    return Err(broken("the one root must be <checkstyle>".to_owned()));
                }
                depth += usize::from(is_start);
                if depth > DEPTH {
                    return Err(broken(format!(
                        "elements are nested more than {DEPTH} deep"
                    )));
                }
                match tag.local_name().as_ref() {
                    "file" => {
                        linted += 1;
                        file = attribute(tag, "name").map_err(broken)?.unwrap_or_default();
                    }
                    "error" => result(tag, &file, &mut reading).map_err(broken)?,
                    "exception" => {
                        reading.incomplete(format!("a check crashed on {file}"));
                    }
                    _ => {}
                }
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            // Entities of an internal subset are never expanded, and could stand for results.
            Event::DocType(doctype) if doctype.as_ref().contains('[') => {
                return Err(broken(
                    "it declares entities, which are not expanded".to_owned(),
                ));
            }
            Event::GeneralRef(name) if depth <= 2 => {
                let name = name.as_ref().to_owned();
                return Err(broken(format!(
                    "the entity `{name}` stands where results should"
                )));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if depth > 0 || roots == 0 {
        return Err(Fault::new(
            "it is cut off: the end of <checkstyle> is missing",
        ));
    }
    if linted > 0 || !settings.empty_is_clean {
        reading.linted = Some(linted);
    }
    Ok(reading)
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        if attribute.key.local_name().as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value).map_err(|e| e.to_string())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

fn result(tag: &BytesStart<'_>, file: &str, reading: &mut Reading) -> Result<(), String> {
    let number = |name| Ok::<_, String>(attribute(tag, name)?.and_then(|t| t.trim().parse().ok()));
    let severity = attribute(tag, "severity")?.unwrap_or_default();
    let level = match severity.to_lowercase().as_str() {
        "warning" | "warn" => Severity::Warning,
        "info" | "note" => Severity::Note,
        "ignore" => {
            reading.counts.none += 1;
            return Ok(());
        }
        // A severity that is missing or unknown is taken for the worst; the format's default is so.
        _ => Severity::Error,
    };
    reading.push(Finding {
        level,
        rule: attribute(tag, "source")?.unwrap_or_default(),
        file: file.to_owned(),
        line: number("line")?,
        column: number("column")?,
        message: attribute(tag, "message")?.unwrap_or_default(),
    });
    Ok(())
}
