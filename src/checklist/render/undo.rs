//! What a filled-in document says of itself: how to get the original back.
//!
//! A comment at its end holds the lines that were changed, and a short hash of every line, so that
//! an edit made afterwards can be pointed at.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::checklist::scan::Document;

const OPEN: &str = "<!-- readygate checklist v1";
const CLOSE: &str = "-->";
/// Stands above all that was added, on a line of its own.
pub const BEGIN: &str = "<!-- readygate evidence -->";

/// A document without what filling in added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// The document.
    pub text: String,
    /// Id of the run that filled it in; `None` when it was not filled in.
    pub run: Option<String>,
    /// Short hashes of the lines as they were filled in.
    pub hashes: Vec<String>,
    /// The lines as they are now, without the appendix.
    pub lines: Vec<String>,
    /// Whether the restored document is the one that was filled in.
    pub intact: bool,
}

/// Why a filled-in document cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The comment at the end is not as it was written.
    #[error(
        "line {line}: the account of what was filled in was edited ({what}); start from the original document"
    )]
    Account {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The document is not the one that was filled in.
    #[error(
        "the document was edited after it was filled in; `readygate verify-checklist` shows where; start from the original document"
    )]
    Edited,
}

/// The comment for the end of a filled-in document.
pub fn account(run: &str, original: &str, document: &Document, lines: &[String]) -> String {
    let hashes: Vec<String> = lines.iter().map(|line| line_hash(line)).collect();
    let mut out = format!(
        "{OPEN}\nrun {}\noriginal sha256:{}\n",
        safe(run),
        hex(original, 64)
    );
    for chunk in hashes.chunks(16) {
        let _ = writeln!(out, "lines {}", chunk.join(" "));
    }
    for (line, now) in document.lines.iter().zip(lines) {
        if line.raw != *now {
            let before = serde_json::Value::String(line.raw.clone()).to_string();
            let _ = writeln!(out, "{} {}", line.number, safe(&before));
        }
    }
    out + CLOSE + "\n"
}

/// Nothing in the comment may end it. `\u002d` is a hyphen to JSON.
fn safe(text: &str) -> String {
    text.replace("--", "\\u002d\\u002d")
}

/// Short hash of a line, for pointing at edits.
pub fn line_hash(line: &str) -> String {
    hex(line.trim_end_matches(['\n', '\r']), 6)
}

fn hex(text: &str, digits: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let all = digest
        .iter()
        .fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
    all.get(..digits).unwrap_or_default().to_owned()
}

/// Takes back what filling in changed. A document that was never filled in comes back as it is.
///
/// # Errors
/// The account at the end was edited.
pub fn restore(text: &str) -> Result<Restored, RestoreError> {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let is = |line: &&str, what: &str| line.trim_end() == what;
    let Some(begin) = all.iter().position(|line| is(line, BEGIN)) else {
        return Ok(Restored {
            text: text.to_owned(),
            intact: true,
            ..Restored::default()
        });
    };
    let wrong = |line: usize, what| RestoreError::Account { line, what };
    let open = all.iter().skip(begin).position(|line| is(line, OPEN));
    let open = begin + open.ok_or_else(|| wrong(begin + 1, "it is missing"))?;
    let mut account = Account::default();
    let mut closed = false;
    for (index, line) in all.iter().enumerate().skip(open + 1) {
        if is(line, CLOSE) {
            closed = true;
            break;
        }
        account
            .read(line.trim_end())
            .map_err(|what| wrong(index + 1, what))?;
    }
    if !closed {
        return Err(wrong(all.len(), "it is cut off"));
    }
    Ok(account.into_restored(&all, begin))
}

#[derive(Default)]
struct Account {
    run: String,
    original: String,
    hashes: Vec<String>,
    before: Vec<(usize, String)>,
}

impl Account {
    fn read(&mut self, line: &str) -> Result<(), &'static str> {
        let (word, rest) = line.split_once(' ').ok_or("a line of it is cut off")?;
        match word {
            "run" => rest.clone_into(&mut self.run),
            "original" => rest.clone_into(&mut self.original),
            "lines" => self.hashes.extend(rest.split(' ').map(str::to_owned)),
            number => {
                let number = number.parse().map_err(|_| "a line of it is not known")?;
                let text = serde_json::from_str(rest).map_err(|_| "a line of it is not JSON")?;
                self.before.push((number, text));
            }
        }
        Ok(())
    }

    /// The text before the appendix; a line feed and a fence that were added stand between them.
    fn into_restored(self, all: &[&str], begin: usize) -> Restored {
        let count = self.hashes.len();
        let lines: Vec<String> = all[..begin].iter().map(|l| (*l).to_owned()).collect();
        let mut body: Vec<String> = lines.iter().take(count).cloned().collect();
        for (number, text) in self.before {
            if let Some(line) = number.checked_sub(1).and_then(|i| body.get_mut(i)) {
                *line = text;
            }
        }
        let mut text = body.concat();
        let is_original = |text: &str| format!("sha256:{}", hex(text, 64)) == self.original;
        // A last line without a line feed got one.
        if !is_original(&text) && is_original(text.trim_end_matches('\n')) {
            text.truncate(text.trim_end_matches('\n').len());
        }
        Restored {
            intact: is_original(&text),
            text,
            run: Some(self.run),
            hashes: self.hashes,
            lines: lines.into_iter().take(count).collect(),
        }
    }
}
