//! Rules: the documented things that can be wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a failed check weighs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Reported, never weighed.
    Info,
    /// Shown as a warning; the gate still passes.
    Warning,
    /// Fails the gate.
    Error,
}

/// A documented thing that can be wrong, with a stable code.
///
/// The texts are the user documentation: `readygate explain CODE` and the generated pages print
/// them, and a failed check without a hint of its own shows `fix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `probe/problem`, kebab-case, named after the problem and not the cure: `tls/expires-soon`.
    pub code: &'static str,
    /// What a failure weighs unless the config grades the rule otherwise.
    pub level: Level,
    /// One sentence: what is wrong when this rule fails.
    pub summary: &'static str,
    /// Why it matters for a release.
    pub why: &'static str,
    /// How to fix it, and how to see it by hand.
    pub fix: &'static str,
    /// RFC, specification or document that the rule rests on; empty if it is ours.
    pub source: &'static str,
}
