//! Fixtures, and a reader of JUnit XML that knows nothing of the writer.

use std::path::PathBuf;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use readygate::record::{self, Run};

/// Every record in `fixtures/records`.
pub const FIXTURES: &[&str] = &[
    "empty",
    "go",
    "go-with-waivers",
    "hostile",
    "interrupted",
    "no-go",
    "pending",
];

pub fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/records")
        .join(format!("{name}.json"))
}

pub fn fixture(name: &str) -> Run {
    record::read(&fixture_path(name)).unwrap()
}

/// One `testsuite` as read back.
#[derive(Debug, Default)]
pub struct Suite {
    pub name: String,
    pub tests: usize,
    pub failures: usize,
    pub errors: usize,
    pub time: String,
    pub timestamp: String,
    pub system_out: String,
    pub cases: Vec<Case>,
}

/// One `testcase` as read back.
#[derive(Debug, Default, Clone)]
pub struct Case {
    pub name: String,
    pub classname: String,
    pub file: String,
    pub time: String,
    /// Tag, `type`, `message` and text of `failure`, `error` or `skipped`.
    pub ending: Option<Ending>,
    pub system_out: String,
}

/// The child of a testcase that is not a plain pass.
#[derive(Debug, Default, Clone)]
pub struct Ending {
    pub tag: String,
    pub kind: String,
    pub message: String,
    pub text: String,
}

impl Suite {
    pub fn count(&self, tag: &str) -> usize {
        self.cases.iter().filter(|case| case.is(tag)).count()
    }
}

impl Case {
    pub fn is(&self, tag: &str) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.tag == tag)
    }

    pub fn text(&self) -> &str {
        self.ending.as_ref().map_or("", |ending| &ending.text)
    }
}

/// Reads a report back; any flaw of the XML is a panic.
pub fn read_junit(bytes: &[u8]) -> Vec<Suite> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut suites: Vec<Suite> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                enter(&mut suites, &start);
                open.push(start.name().as_ref().to_owned());
            }
            Event::Empty(start) => enter(&mut suites, &start),
            Event::End(_) => drop(open.pop()),
            Event::CData(data) => add_text(&mut suites, &open, &data.xml10_content()),
            Event::Text(data) => assert_eq!(data.xml10_content().trim(), ""),
            Event::Eof => break,
            Event::Decl(_) => {}
            other => panic!("{other:?} has no place in a report"),
        }
    }
    assert!(open.is_empty());
    suites
}

fn enter(suites: &mut Vec<Suite>, start: &BytesStart<'_>) {
    let get = |name: &str| {
        let found = start.try_get_attribute(name).unwrap();
        found.map_or_else(String::new, |a| {
            a.normalized_value(XmlVersion::Explicit1_0)
                .unwrap()
                .into_owned()
        })
    };
    let number = |name: &str| get(name).parse().unwrap();
    match start.name().as_ref() {
        "testsuite" => suites.push(Suite {
            name: get("name"),
            tests: number("tests"),
            failures: number("failures"),
            errors: number("errors"),
            time: get("time"),
            timestamp: get("timestamp"),
            ..Suite::default()
        }),
        "testcase" => suites.last_mut().unwrap().cases.push(Case {
            name: get("name"),
            classname: get("classname"),
            file: get("file"),
            time: get("time"),
            ..Case::default()
        }),
        "testsuites" | "system-out" => {}
        tag @ ("failure" | "error" | "skipped") => {
            let case = suites.last_mut().unwrap().cases.last_mut().unwrap();
            assert!(case.ending.is_none(), "{} has two endings", case.name);
            case.ending = Some(Ending {
                tag: tag.to_owned(),
                kind: get("type"),
                message: get("message"),
                text: String::new(),
            });
        }
        other => panic!("{other} has no place in a report"),
    }
}

fn add_text(suites: &mut [Suite], open: &[String], text: &str) {
    let suite = suites.last_mut().unwrap();
    let inside_case = open.iter().any(|tag| tag == "testcase");
    let node = match (open.last().unwrap().as_str(), inside_case) {
        ("system-out", false) => &mut suite.system_out,
        ("system-out", true) => &mut suite.cases.last_mut().unwrap().system_out,
        _ => {
            &mut suite
                .cases
                .last_mut()
                .unwrap()
                .ending
                .as_mut()
                .unwrap()
                .text
        }
    };
    node.push_str(text);
}
