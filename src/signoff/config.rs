//! What the config says of roles and signatures. Doc comments are the user documentation.

use std::{collections::BTreeMap, path::PathBuf};

use readygate_sdk::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// A role that answers for gates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What a person calls it: `Security Lead`.
    pub title: Option<String>,
    /// How long a signature of this role holds; 72h unless said otherwise.
    pub max_age: Option<Period>,
    /// Globs of the gate ids whose failures it may waive; none unless said otherwise.
    #[serde(default)]
    pub may_waive: Vec<String>,
}

/// Where signatures are and who may make them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signoffs {
    /// OpenSSH `allowed_signers` file: who may sign, with which keys, and until when.
    pub allowed_signers: Option<PathBuf>,
    /// Folder of requests and statements; `signoffs` unless said otherwise.
    pub directory: Option<PathBuf>,
    /// Roles that one person may hold beside another, by principal.
    #[serde(default)]
    pub may_also: BTreeMap<String, Vec<String>>,
}
