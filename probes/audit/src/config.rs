//! The `with` block of a `audit` gate.

use readygate_sdk::{ConfigError, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which peer, and with which credentials.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Host and port of the peer: `db.example.com:7000`.
    pub address: String,
    /// Token that is sent in the first line, where the peer wants one.
    pub token: Option<Secret>,
}

impl AuditConfig {
    /// Finds what cannot work, without I/O; every problem, not the first only.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        let port = self.address.rsplit_once(':').map(|(_, port)| port);
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            error.add(
                "/address",
                format!("`{}` names no port", self.address),
                Some("write host and port: db.example.com:7000"),
            );
        }
        error.into_result()
    }
}
