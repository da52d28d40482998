//! From the lines of a document to gates. No item is dropped: what nothing else can answer, a person
//! signs.

mod ask;
mod build;
mod matching;
mod section;
mod signature;
mod special;
mod threshold;

use std::collections::BTreeMap;

use super::{
    conflicts::Finding,
    dictionary::{AnswerText, SustainText},
    scan::Document,
    source::Source,
};
use crate::record::Severity;

pub use matching::{Match, on, subject};
pub use section::{Part, Parts, role_of, title_of};
pub use threshold::Expect;

/// A gate as it is proposed.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// Its id.
    pub id: String,
    /// The text of its line.
    pub title: String,
    /// The heading that it stands under.
    pub section: String,
    /// The role that answers for it.
    pub owner: String,
    /// How much it weighs.
    pub severity: Severity,
    /// When it applies.
    pub stages: Vec<String>,
    /// The lines that it answers.
    pub source: Source,
    /// Which probe.
    pub probe: String,
    /// Its `with`, as YAML; for a signature it is made from the fields below.
    pub with: String,
    /// Its `expect`.
    pub expect: Vec<Expect>,
    /// Time for one attempt.
    pub timeout: Option<String>,
    /// Keep passing.
    pub sustain: Option<SustainText>,
    /// A blocker that may be waived all the same.
    pub waivable: bool,
    /// What the signer vouches for.
    pub statement: String,
    /// What the signer fills in.
    pub answers: Vec<AnswerText>,
    /// It signs all others.
    pub is_final: bool,
    /// What a person should know, one comment each.
    pub comments: Vec<String>,
    /// How its lines get their answer.
    pub way: Way,
    /// The entry of the dictionary.
    pub item: Option<String>,
    /// Numbers of lines whose numbers may set its thresholds.
    pub lines: Vec<usize>,
}

impl Proposed {
    /// Whether a person answers it.
    pub fn is_signature(&self) -> bool {
        self.probe == "signoff"
    }
}

/// How a line gets its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By a probe over the network.
    Automatic,
    /// By a probe, once a person connects a report, credentials or the host.
    Connect,
    /// By a signature.
    Signature,
    /// From the run itself and the history of the release.
    Derived,
}

/// What a document becomes.
#[derive(Debug, Default)]
pub struct Proposal {
    /// Gates in the order of their lines.
    pub gates: Vec<Proposed>,
    /// Roles with their titles.
    pub roles: Vec<(String, String)>,
    /// What a person must settle.
    pub findings: Vec<Finding>,
    /// For each line that has a box or is answered: the gate, and how.
    pub covered: BTreeMap<usize, (String, Way)>,
    /// Version that the document names.
    pub version: Option<String>,
}

/// How many lines with boxes there are and what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Lines with a box.
    pub boxes: usize,
    /// Answered by probes as they are.
    pub automatic: usize,
    /// Answered by probes once something is connected.
    pub connect: usize,
    /// Answered by persons.
    pub signature: usize,
    /// Answered by the run itself.
    pub derived: usize,
    /// Not answered by anything: a bug.
    pub dropped: usize,
}

impl Proposal {
    /// Counts lines with boxes.
    pub fn coverage(&self, document: &Document) -> Coverage {
        let mut coverage = Coverage::default();
        for line in document.lines.iter().filter(|l| !l.boxes.is_empty()) {
            coverage.boxes += 1;
            let slot = match self.covered.get(&line.number).map(|(_, way)| way) {
                Some(Way::Automatic) => &mut coverage.automatic,
                Some(Way::Connect) => &mut coverage.connect,
                Some(Way::Signature) => &mut coverage.signature,
                Some(Way::Derived) => &mut coverage.derived,
                None => &mut coverage.dropped,
            };
            *slot += 1;
        }
        coverage
    }
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {} automatic, {} a report or credentials connected, {} a signature, {} derived, {} dropped",
            readygate_sdk::count_of(self.boxes as u64, "box line", "box lines"),
            self.automatic,
            need(self.connect),
            need(self.signature),
            self.derived,
            self.dropped
        )
    }
}

fn need(count: usize) -> String {
    format!("{count} need{}", if count == 1 { "s" } else { "" })
}

/// Proposes gates for a document.
pub fn propose(document: &Document) -> Result<Proposal, String> {
    Ok(build::Builder::new(document)?.build())
}

/// The `with` block of an item when no text says otherwise.
#[cfg(test)]
pub fn with_defaults(item: &super::dictionary::Item) -> String {
    threshold::with(item, &[])
}

#[cfg(test)]
mod tests;
