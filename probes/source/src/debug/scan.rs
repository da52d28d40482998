//! Looks for debug code in one file.

use std::{fs, io::Read as _};

use readygate_sdk::{ErrorKind, Location, ProbeError, excerpt};
use regex::Regex;

use super::{
    ALLOW, LARGEST_FILE, error,
    language::LANGUAGES,
    walk::{SourceFile, globs, is_test},
};
use crate::{DebugConfig, DebugKind, DebugRecord, Finding, lexer::code_only};

/// Findings kept of each kind.
const KEPT: usize = 50;
/// Unread files and unreasoned comments kept.
const KEPT_OTHERS: usize = 20;

/// The marks of one language, compiled.
struct Marks {
    index: usize,
    marks: Vec<(DebugKind, Regex)>,
}

/// Everything that is looked for, compiled once.
pub(crate) struct Scanner {
    languages: Vec<Marks>,
    patterns: Vec<Regex>,
    may_print: globset::GlobSet,
}

impl Scanner {
    pub(crate) fn new(config: &DebugConfig) -> Result<Self, ProbeError> {
        let compile = |text: &str| {
            Regex::new(text).map_err(|e| error(ErrorKind::Internal, text, &e.to_string()))
        };
        let mut languages = Vec::new();
        for (index, language) in LANGUAGES.iter().enumerate() {
            let marks = language
                .marks
                .iter()
                .filter(|(kind, _)| config.kinds.contains(kind));
            let marks = marks.map(|(kind, text)| Ok((*kind, compile(text)?)));
            languages.push(Marks {
                index,
                marks: marks.collect::<Result<_, ProbeError>>()?,
            });
        }
        Ok(Self {
            languages,
            patterns: config
                .patterns
                .iter()
                .map(compile)
                .collect::<Result<_, _>>()?,
            may_print: globs(&config.may_print)
                .map_err(|e| error(ErrorKind::Internal, "may_print", &e))?,
        })
    }

    /// Reads a file if its language is known, and adds what it holds.
    pub(crate) fn file(&self, file: &SourceFile, record: &mut DebugRecord) {
        let extension = file.shown.rsplit_once('.').map_or("", |(_, e)| e);
        let Some(marks) = self
            .languages
            .iter()
            .find(|m| LANGUAGES[m.index].extensions.contains(&extension))
        else {
            return;
        };
        match read(file) {
            Ok(text) => {
                record.files += 1;
                record.bytes += text.len() as u64;
                self.text(&text, &file.shown, marks, record);
            }
            Err(problem) => unread(format!("{}: {problem}", file.shown), record),
        }
    }

    fn text(&self, text: &str, path: &str, marks: &Marks, record: &mut DebugRecord) {
        let test = is_test(path);
        let prints = !self.may_print.is_match(path);
        let code = code_only(text, &LANGUAGES[marks.index].syntax);
        let mut previous = "";
        for (index, (line, code)) in text.lines().zip(code.lines()).enumerate() {
            let mut place = Place {
                path,
                number: index as u64 + 1,
                line,
                previous,
                record,
            };
            for (kind, mark) in &marks.marks {
                let wanted = match kind {
                    DebugKind::Focus => true,
                    DebugKind::Print => !test && prints,
                    _ => !test,
                };
                if let Some(found) = mark.captures(code).filter(|_| wanted) {
                    let what = found.get(1).or_else(|| found.get(0));
                    place.found(*kind, what.map_or("", |m| m.as_str()));
                }
            }
            if !test && let Some(pattern) = self.patterns.iter().find(|p| p.is_match(line)) {
                place.found(DebugKind::Pattern, pattern.as_str());
            }
            previous = line;
        }
    }
}

/// Notes what keeps the scan from being whole.
pub(crate) fn unread(problem: String, record: &mut DebugRecord) {
    record.unread_total += 1;
    if record.unread.len() < KEPT_OTHERS {
        record.unread.push(problem);
    }
}

/// A line being looked at.
struct Place<'a> {
    path: &'a str,
    number: u64,
    line: &'a str,
    previous: &'a str,
    record: &'a mut DebugRecord,
}

impl Place<'_> {
    fn found(&mut self, kind: DebugKind, what: &str) {
        let location = Location {
            file: self.path.to_owned(),
            line: Some(self.number),
            column: None,
        };
        if self.allowed(&location) {
            self.record.allowed += 1;
            return;
        }
        let count = match kind {
            DebugKind::Breakpoint => &mut self.record.breakpoints,
            DebugKind::Print => &mut self.record.prints,
            DebugKind::Focus => &mut self.record.focused,
            DebugKind::Pattern => &mut self.record.patterns,
        };
        *count += 1;
        if *count <= KEPT as u64 {
            let what: String = what.split_whitespace().collect();
            self.record.findings.push(Finding {
                kind,
                what: excerpt(&what, 80),
                location,
            });
        }
    }

    /// Whether a comment on the line allows it, ours with a reason or that of a linter.
    fn allowed(&mut self, location: &Location) -> bool {
        let linted = |line: &str, mark: &str| {
            line.split_once(mark).is_some_and(|(_, rules)| {
                ["no-console", "no-debugger", "no-alert", "T201", "T203"]
                    .iter()
                    .any(|r| rules.contains(r))
            })
        };
        if linted(self.line, "eslint-disable-line")
            || linted(self.previous, "eslint-disable-next-line")
            || linted(self.line, "# noqa:")
        {
            return true;
        }
        let Some(found) = ALLOW.as_ref().and_then(|allow| allow.captures(self.line)) else {
            return false;
        };
        let reasoned = found
            .get(1)
            .is_some_and(|reason| reason.as_str().trim().len() >= 3);
        if !reasoned && self.record.unreasoned.len() < KEPT_OTHERS {
            self.record.unreasoned.push(location.clone());
        }
        reasoned
    }
}

fn read(file: &SourceFile) -> Result<String, String> {
    let open = fs::File::open(&file.real).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let read = open.take(LARGEST_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err("larger than 16 MiB".to_owned());
    }
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    };
    if text.contains('\0') {
        return Err("not a text".to_owned());
    }
    Ok(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let pairs = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(pairs)
        .map(|c| c.unwrap_or('\u{fffd}'))
        .collect()
}
