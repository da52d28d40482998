//! What the config says of waivers. Doc comments are the user documentation.

use schemars::JsonSchema;
use serde::Deserialize;

/// One exception.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    /// Role that approved it.
    pub approver: String,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// When it ends; a date means the end of that day, UTC.
    pub expires: String,
}
