//! What the gate found. Doc comments go into the schema of the record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The statements of one role, verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignoffMeasurement {
    /// When it was looked, UTC.
    pub taken_at: Timestamp,
    /// The role.
    pub role: String,
    /// Why no statement could count: nobody may sign, nothing is there to be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impossible: Option<String>,
    /// File that says what is to be signed, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Statements of the role, the newest last.
    pub statements: Vec<StatementRecord>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementRecord {
    /// Its file.
    pub file: String,
    /// Who signed.
    pub principal: String,
    /// Fingerprint of the key: `SHA256:...`.
    pub fingerprint: String,
    /// What it decides.
    pub decision: Decision,
    /// Why it decides so, in the signer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it was made, by its own word, UTC.
    pub issued: Timestamp,
    /// When it ends, UTC.
    pub expires: Timestamp,
    /// Blanks that the signer filled in, by their id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
    /// Why it does not count; absent on one that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What a statement decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Go on.
    Approve,
    /// Do not.
    Reject,
}

impl SignoffMeasurement {
    /// Statements that count and decide so.
    pub fn counting(
        &self,
        decision: Decision,
    ) -> impl DoubleEndedIterator<Item = &StatementRecord> {
        let counts = move |s: &&StatementRecord| s.refused.is_none() && s.decision == decision;
        self.statements.iter().filter(counts)
    }
}
