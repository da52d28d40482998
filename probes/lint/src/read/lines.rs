//! Reports that are lines: Cargo's messages, and what Prettier and tsc print.

use serde::Deserialize;

use super::{Fault, Reading};
use crate::{config::Severity, measurement::Finding};

#[derive(Deserialize)]
struct CargoLine {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    message: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Diagnostic {
    #[serde(default, deserialize_with = "super::or_default")]
    message: String,
    #[serde(default, deserialize_with = "super::or_default")]
    level: String,
    #[serde(default)]
    code: Option<Code>,
    #[serde(default, deserialize_with = "super::or_default")]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default, deserialize_with = "super::or_default")]
    code: String,
}

#[derive(Deserialize)]
struct Span {
    #[serde(default, deserialize_with = "super::or_default")]
    file_name: String,
    #[serde(default)]
    line_start: Option<u64>,
    #[serde(default)]
    column_start: Option<u64>,
    #[serde(default, deserialize_with = "super::or_default")]
    is_primary: bool,
}

/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages> and
/// <https://doc.rust-lang.org/rustc/json.html>
pub(super) fn cargo(text: &str) -> Result<Reading, Fault> {
    let mut reading = Reading::default();
    let (mut units, mut finished, mut from_cargo) = (0_u64, None, false);
    let mut any = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        // A program or build script may print among the messages.
        if !line.starts_with('{') {
            continue;
        }
        let fault = |e: serde_json::Error| Fault {
            line: Some(index as u64 + 1),
            ..Fault::json(&e)
        };
        any = true;
        let message: CargoLine = serde_json::from_str(line).map_err(fault)?;
        match message.reason.as_deref() {
            None => diagnostic(serde_json::from_str(line).map_err(fault)?, &mut reading),
            Some("compiler-message") => {
                from_cargo = true;
                units += 1;
                let inner = message.message.unwrap_or_default();
                diagnostic(serde_json::from_value(inner).map_err(fault)?, &mut reading);
            }
            Some("compiler-artifact") => units += 1,
            Some("build-finished") => finished = message.success.or(Some(false)),
            Some(_) => from_cargo = true,
        }
    }
    if !any {
        return Err(Fault::new(
            "no line of it is a message in JSON; run cargo with --message-format=json",
        ));
    }
    reading.distinct();
    if from_cargo || units > 0 || finished.is_some() {
        reading.tools.push("cargo".to_owned());
        match finished {
            None => reading.incomplete("the message `build-finished` is missing: it is cut off"),
            Some(false) if reading.counts.errors == 0 => {
                reading.incomplete("the build failed, and no error says why");
            }
            Some(_) if units == 0 => reading.linted = Some(0),
            Some(_) => {}
        }
    }
    Ok(reading)
}

fn diagnostic(diagnostic: Diagnostic, reading: &mut Reading) {
    // Sums at the end, which have no place.
    let text = diagnostic.message.as_str();
    let is_sum = text.starts_with("aborting due to ")
        || text.ends_with(" warning emitted")
        || text.ends_with(" warnings emitted");
    if diagnostic.spans.is_empty() && is_sum {
        return;
    }
    let level = match diagnostic.level.as_str() {
        "warning" => Severity::Warning,
        "note" | "help" | "failure-note" => Severity::Note,
        _ => Severity::Error,
    };
    let mut spans = diagnostic.spans.into_iter();
    let span = spans.find(|span| span.is_primary);
    let (file, line, column) = span.map_or((String::new(), None, None), |span| {
        (span.file_name, span.line_start, span.column_start)
    });
    reading.push(Finding {
        level,
        rule: diagnostic.code.map(|code| code.code).unwrap_or_default(),
        file,
        line,
        column,
        message: diagnostic.message,
    });
}

/// Without the colours of terminals.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        if chars.next() == Some('[') {
            for end in chars.by_ref() {
                if end.is_ascii_alphabetic() {
                    break;
                }
            }
        }
    }
    out
}

const CLEAN: &str = "All matched files use Prettier code style!";

pub(crate) fn is_prettier(text: &str) -> bool {
    let text = plain(text);
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| {
        line == "Checking formatting..."
            || line == CLEAN
            || line.starts_with("[warn] ")
            || line.starts_with("[error] ")
    })
}

/// `prettier --check`: a line for each unformatted file, and a last word.
pub(super) fn prettier(text: &str) -> Reading {
    let mut reading = Reading {
        tools: vec!["Prettier".to_owned()],
        ..Reading::default()
    };
    let mut concluded = false;
    for line in plain(text).lines().map(str::trim) {
        if line == CLEAN {
            concluded = true;
        } else if let Some(rest) = line.strip_prefix("[warn] ") {
            if rest.starts_with("Code style issues ") || rest.starts_with("Forgot to run Prettier")
            {
                concluded = true;
            } else {
                reading.push(Finding {
                    level: Severity::Error,
                    rule: "prettier".to_owned(),
                    file: rest.to_owned(),
                    line: None,
                    column: None,
                    message: "the file is not formatted".to_owned(),
                });
            }
        } else if let Some(rest) = line.strip_prefix("[error] ") {
            if rest.starts_with("No files matching") || rest.starts_with("No parser") {
                reading.linted = Some(0);
            }
            reading.incomplete(format!("Prettier reports an error: {rest}"));
        } else if line.starts_with("Error occurred when checking code style") {
            concluded = true;
            reading.incomplete("Prettier could not check all files");
        }
    }
    if !concluded {
        reading.incomplete(
            "the last word of Prettier is missing: it is cut off, or both of its \
                            output streams are needed",
        );
    }
    reading
}

pub(super) fn is_tsc(text: &str) -> bool {
    let text = plain(text);
    let mut lines = text.lines();
    lines.any(|line| tsc_error(line).is_some() || sum(line).is_some())
}

/// `Found 2 errors in 1 file.`
fn sum(line: &str) -> Option<u64> {
    // With `--watch` a time stands before it.
    let rest = line.split_once("Found ")?.1;
    let (number, rest) = rest.split_once(' ')?;
    rest.starts_with("error").then(|| number.parse().ok())?
}

fn tsc_error(line: &str) -> Option<Finding> {
    let (place, rest) = line
        .split_once(": error TS")
        .or_else(|| line.split_once(" - error TS"))
        .or_else(|| line.strip_prefix("error TS").map(|rest| ("", rest)))?;
    let (code, message) = rest.split_once(": ")?;
    if code.is_empty() || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (file, at) = match place.strip_suffix(')').and_then(|p| p.rsplit_once('(')) {
        Some((file, at)) => (file, at.split_once(',')),
        None => match place.rsplitn(3, ':').collect::<Vec<_>>()[..] {
            [column, line, file] => (file, Some((line, column))),
            _ => (place, None),
        },
    };
    let number = |text: &str| text.trim().parse().ok();
    Some(Finding {
        level: Severity::Error,
        rule: format!("TS{code}"),
        file: file.to_owned(),
        line: at.and_then(|(line, _)| number(line)),
        column: at.and_then(|(_, column)| number(column)),
        message: message.to_owned(),
    })
}

/// What tsc prints, plain or pretty.
pub(super) fn tsc(text: &str) -> Result<Reading, Fault> {
    let mut reading = Reading {
        tools: vec!["tsc".to_owned()],
        ..Reading::default()
    };
    let mut claimed = None;
    for line in plain(text).lines() {
        if let Some(finding) = tsc_error(line) {
            reading.push(finding);
        }
        claimed = sum(line).or(claimed);
    }
    let held = reading.counts.errors;
    match claimed {
        Some(claim) if claim > held => {
            reading
                .doubtful
                .push(format!("it claims {claim} errors, and holds {held}"));
        }
        None if held == 0 => {
            return Err(Fault::new("nothing in it is of tsc"));
        }
        _ => {}
    }
    Ok(reading)
}

/// tsc prints nothing when all is well, which only its exit code can tell.
pub(crate) fn silent_tsc() -> Reading {
    Reading {
        tools: vec!["tsc".to_owned()],
        ..Reading::default()
    }
}
