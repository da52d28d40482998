//! What one policy allows that another did not.
//!
//! Whatever cannot be ordered counts as looser: a comparison that errs does so towards a signature
//! too many. The cases are in `cases/*.md`.

mod expect;
mod gates;
mod people;
mod render;
mod timing;
mod values;
mod variables;
mod whole;

use readygate_sdk::Location;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Documents;
use crate::config::Span;

pub use render::{json, one_line, sum, text};

/// What a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Something passes now that did not.
    Looser,
    /// It cannot be ordered, and counts as looser.
    Unclear,
    /// Something fails now that did not.
    Stricter,
    /// It decides nothing.
    Neutral,
}

impl Weight {
    /// Whether it needs the owner's signature.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Looser | Self::Unclear)
    }

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Unclear => "unclear",
            Self::Stricter => "stricter",
            Self::Neutral => "neutral",
        }
    }

    /// What two changes of one thing amount to.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Neutral, one) | (one, Self::Neutral) => one,
            (Self::Looser, Self::Looser) => Self::Looser,
            (Self::Stricter, Self::Stricter) => Self::Stricter,
            _ => Self::Unclear,
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind: `gate-removed`, `threshold`, `severity`, ...
    pub kind: &'static str,
    /// What it means.
    pub weight: Weight,
    /// Which gate, role or part of the policy.
    pub subject: String,
    /// One sentence.
    pub message: String,
    /// Place in the old policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Location>,
    /// Place in the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Location>,
}

/// All differences, what counts first, otherwise in the order of the files.
#[derive(Debug, Clone)]
pub struct Diff {
    /// The differences.
    pub changes: Vec<Change>,
    /// SHA-256 over both policies and what counts: what the owner signs, hex.
    pub digest: String,
}

impl Diff {
    /// How many changes have this weight.
    pub fn count(&self, weight: Weight) -> usize {
        self.changes.iter().filter(|c| c.weight == weight).count()
    }

    /// Whether something needs the owner's signature.
    pub fn is_looser(&self) -> bool {
        self.changes.iter().any(|c| c.weight.counts())
    }
}

/// Compares two policies.
pub fn diff(base: &Documents, head: &Documents) -> Diff {
    let mut context = Compare {
        base,
        head,
        changes: Vec::new(),
    };
    gates::compare(&mut context);
    whole::compare(&mut context);
    people::compare(&mut context);
    let mut changes = context.changes;
    changes.sort_by_key(|change| change.weight);
    let digest = digest(base, head, &changes);
    Diff { changes, digest }
}

/// Bound to the bytes of both sides, so that an approval does not outlive what was approved.
fn digest(base: &Documents, head: &Documents, changes: &[Change]) -> String {
    let mut hash = Sha256::new();
    hash.update("readygate/policy-diff/v1\n");
    hash.update(format!("{}\n{}\n", base.sha256, head.sha256));
    for change in changes.iter().filter(|c| c.weight.counts()) {
        let Change {
            kind,
            subject,
            message,
            ..
        } = change;
        hash.update(format!("{kind}\t{subject}\t{message}\n"));
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
}

/// Both policies, and what was found so far.
struct Compare<'a> {
    base: &'a Documents,
    head: &'a Documents,
    changes: Vec<Change>,
}

impl Compare<'_> {
    fn push(
        &mut self,
        (kind, weight): (&'static str, Weight),
        subject: &str,
        message: impl Into<String>,
        (base, head): (Option<Span>, Option<Span>),
    ) {
        self.changes.push(Change {
            kind,
            weight,
            subject: subject.to_owned(),
            message: message.into(),
            base: base.map(|span| self.base.place(span)),
            head: head.map(|span| self.head.place(span)),
        });
    }
}

#[cfg(test)]
mod every_key;
#[cfg(test)]
mod tests;
