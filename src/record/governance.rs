//! What people decided: waivers and signatures, as the run saw them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use readygate_sdk::Location;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A waiver of the policy, and what it did in this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverRecord {
    /// Gate, rule and subject that it covers, as written.
    pub covers: String,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub owner: String,
    /// Role that approved it.
    pub approver: String,
    /// Who signed it; absent for a waiver of the config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Last moment at which it holds, UTC.
    pub expires: Timestamp,
    /// Where the config declares it; absent for a signed waiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Whether it held at the end of the run.
    pub valid: bool,
    /// How many failed checks it covered; 0 means that it was not needed.
    #[serde(default)]
    pub covered: usize,
    /// The first 200 of them, as `gate: rule subject`.
    #[serde(default)]
    pub used: Vec<String>,
    /// What a reader should know: it expires soon, it is unused, it was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A failed check that a waiver covers. The check stays failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waived {
    /// Position of the check in the gate's `checks`, from 0.
    pub check: usize,
    /// Position of the waiver in the run's `waivers`, from 0.
    pub waiver: usize,
    /// Last moment at which the waiver holds, UTC.
    pub until: Timestamp,
    /// Role that approved it.
    pub approver: String,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

impl Waived {
    /// `until 2026-12-31 by cto (SHOP-12)`
    pub fn terms(&self) -> String {
        let ticket = self.ticket.as_ref();
        let ticket = ticket.map_or_else(String::new, |t| format!(" ({t})"));
        let until = crate::waiver::until(self.until);
        format!("until {until} by {}{ticket}", self.approver)
    }
}

/// What a signed statement decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignDecision {
    /// Go on.
    Approve,
    /// Do not.
    Reject,
}

/// A signed statement that the run looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignoffRecord {
    /// Role that it speaks for.
    pub role: String,
    /// Gates that it answers.
    pub gates: Vec<String>,
    /// Who signed.
    pub principal: String,
    /// Fingerprint of the key: `SHA256:...`.
    pub fingerprint: String,
    /// Whether a hardware key was touched for it.
    #[serde(default)]
    pub hardware: bool,
    /// What it decides.
    pub decision: SignDecision,
    /// When it was made, by its own word, UTC.
    pub issued: Timestamp,
    /// When it ends, UTC.
    pub expires: Timestamp,
    /// SHA-256 of the signed bytes, hex.
    pub sha256: String,
    /// The commit that it names, where that is not the one of the run but counts as the same release:
    /// only statements and requests differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// File, as the run found it.
    pub file: String,
    /// Blanks that the signer filled in, by their id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
    /// Whether it counts.
    pub accepted: bool,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl SignoffRecord {
    /// `security-lead, approved by alice@example.com (SHA256:...) 2026-11-24T09:00:00Z; holds until ...`
    pub fn sentence(&self) -> String {
        let Self {
            role,
            principal,
            fingerprint,
            issued,
            expires,
            file,
            ..
        } = self;
        let verb = match self.decision {
            SignDecision::Approve => "approved",
            SignDecision::Reject => "rejected",
        };
        match &self.reason {
            Some(reason) if principal == "unknown" => format!("{file} does not count: {reason}"),
            Some(reason) => {
                format!("{role}, {verb} by {principal} {issued}: does not count: {reason} ({file})")
            }
            None => {
                format!("{role}, {verb} by {principal} ({fingerprint}) {issued}, until {expires}")
            }
        }
    }
}
