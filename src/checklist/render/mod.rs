//! Fills a checklist in from the record of a run. Pure.
//!
//! A box is ticked by evidence alone. With a run that binds nothing in the document, the output is
//! the input, byte for byte; a document that is already filled in is filled in anew.

mod appendix;
mod bind;
mod combine;
pub mod derived;
mod edit;
mod line;
mod undo;
mod value;

use crate::{
    checklist::scan::{self, Mark},
    record::Run,
    release::timeline::Timeline,
};

use bind::{Bindings, Status};
pub use combine::{CombineError, combine};
pub use undo::{RestoreError, Restored, line_hash, restore};
pub use value::{Text, minute, version};

/// What a checklist is filled in from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The record; see [`combine`] for several.
    pub run: &'a Run,
    /// The records that it was put together from.
    pub parts: &'a [Run],
    /// The history of the release, where there is one.
    pub history: Option<&'a Timeline>,
}

/// A checklist, filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// The document.
    pub text: String,
    /// Boxes that a person had ticked or crossed in it.
    pub claims: Vec<Claim>,
    /// Gates that answer a line which the document does not have.
    pub lost: Vec<String>,
    /// Lines with a box that evidence ticked.
    pub ticked: usize,
    /// Lines with a box that evidence crossed.
    pub crossed: usize,
    /// Lines with a box that stay open.
    pub open: usize,
    /// Blanks that took a value.
    pub filled: usize,
    /// Blanks that stay empty.
    pub empty: usize,
}

/// A box that a person ticked or crossed: a claim, never counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Line, from 1.
    pub line: usize,
    /// What the line says.
    pub text: String,
    /// What the box said.
    pub ticked: bool,
    /// What the evidence says of the line; `None` when there is none.
    pub evidence: Option<bool>,
}

impl Claim {
    /// One sentence.
    pub fn sentence(&self) -> String {
        let mark = if self.ticked { "ticked" } else { "crossed" };
        let found = match self.evidence {
            Some(true) => "the evidence shows it",
            Some(false) => "the evidence shows that it is not so",
            None => "nothing shows it, so it stays open",
        };
        format!("line {}: {mark} by hand: {}; {found}", self.line, self.text)
    }
}

/// Fills a document in.
///
/// # Errors
/// The document was filled in before and its own account of that cannot be read.
pub fn fill(text: &str, evidence: Evidence<'_>) -> Result<Filled, RestoreError> {
    let restored = restore(text)?;
    if !restored.intact {
        return Err(RestoreError::Edited);
    }
    let original = restored.text;
    let document = scan::scan(&original);
    let bindings = Bindings::of(evidence.run);
    let mut filled = Filled {
        lost: bindings.lost(&document),
        claims: Vec::new(),
        ..Filled::default()
    };
    let bound = document
        .lines
        .iter()
        .any(|line| bindings.at(line).is_some());
    let mut marks = appendix::Marks::default();
    let mut lines = Vec::with_capacity(document.lines.len());
    for line in &document.lines {
        let answers = bindings.at(line);
        let status = answers.and_then(bind::Answers::status);
        claim(line, status, &mut filled);
        if !bound {
            lines.push(line.raw.clone());
            continue;
        }
        let result = line::fill(line, answers, evidence, &mut marks);
        filled.count(line, status, &result);
        lines.push(result.text);
    }
    filled.text = if lines.concat() == original {
        original
    } else {
        appendix::finish(
            &document,
            &lines,
            &marks,
            evidence,
            &filled.claims,
            &original,
        )
    };
    Ok(filled)
}

fn claim(line: &scan::Line, status: Option<Status>, filled: &mut Filled) {
    let by_hand = line.boxes.iter().find(|b| b.mark != Mark::Open);
    let Some(tick) = by_hand else { return };
    filled.claims.push(Claim {
        line: line.number,
        text: line.text.clone(),
        ticked: tick.mark == Mark::Ticked,
        evidence: status.and_then(Status::shows),
    });
}

impl Filled {
    fn count(&mut self, line: &scan::Line, status: Option<Status>, result: &line::Result) {
        if !line.boxes.is_empty() {
            match status.and_then(Status::shows) {
                _ if result.chosen => self.ticked += 1,
                Some(true) => self.ticked += 1,
                Some(false) => self.crossed += 1,
                None => self.open += 1,
            }
        }
        self.filled += result.filled;
        self.empty += line.blanks.len() - result.filled;
    }
}

#[cfg(test)]
mod tests;
