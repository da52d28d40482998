//! What the config says of waivers. Doc comments are the user documentation.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Expiry;

/// One exception. It names a gate, a rule, or both.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Waiver")]
pub struct WaiverFields {
    /// Id of a gate.
    pub gate: Option<String>,
    /// Code of a rule: `tls/expires-soon`, or `expect/METRIC`.
    pub rule: Option<String>,
    /// Glob of the subjects that it covers; all unless said otherwise.
    pub subject: Option<String>,
    /// Why the exception is acceptable.
    pub reason: String,
    /// Who asked for it.
    pub owner: String,
    /// Role that approved it. It must be one that `may_waive` the gate.
    pub approver: String,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// When it ends: a date, which means 23:59:59 UTC of that day, or a time with its zone.
    pub expires: Expiry,
}
