//! Where a gate comes from: the lines of a checklist that it answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The lines of a checklist that a gate answers. `readygate import` writes it, and
/// `readygate render checklist` fills in these lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The document, as it was named at import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line at import, from 1. For people; the anchor is what binds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The line: heading path, hash of the normalised text, ordinal among equal ones.
    pub anchor: String,
    /// Anchors of further lines with the same answer: repeated items, and choices
    /// (`□ Yes □ No`: the first option when the gate passed, the second when it failed).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Blanks and choices that take a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fills: Vec<Fill>,
}

/// One blank of the document and where its value comes from. Exactly one of `metric`, `answer` and
/// `fact` is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The line.
    pub anchor: String,
    /// Which blank of the line, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blank: usize,
    /// A metric of this gate: `nodes.online`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// An answer of the signer of this gate, by its id. On a choice line it names the option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Something that the record or the history of the release knows: `deploy.started`,
    /// `deploy.finished`, `deploy.duration`, `deploy.downtime`, `rollback.started`,
    /// `rollback.finished`, `rollback.duration`, `target.version`, `run.date`, `gate.status`. A box
    /// takes `run.complete`, `run.signed`, `run.no-blockers`, `section.passed`, `window.open`,
    /// `breach.confirmed`, `rollback.in-time`, `release.success`, `release.issues`, `release.failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
