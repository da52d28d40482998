//! What the config says of itself. Doc comments are the user documentation.

use schemars::JsonSchema;
use serde::Deserialize;

/// Who answers for the policy.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Role whose signature a looser policy needs.
    pub owner: Option<String>,
}
