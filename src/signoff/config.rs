//! What the config says of roles and signatures. Doc comments are the user documentation.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use readygate_sdk::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where statements and requests are unless the config says otherwise.
pub const DIRECTORY: &str = "signoffs";
/// The namespace of signatures unless the config says otherwise.
pub const NAMESPACE: &str = "signoff@readygate.dev";
/// How long a signature holds unless the config says otherwise.
const MAX_AGE: Duration = Duration::from_secs(72 * 3600);

/// A role that answers for gates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What a person calls it: `Security Lead`.
    pub title: Option<String>,
    /// Who may sign in its name; principals of the `allowed_signers` file. Without any, nobody may.
    #[serde(default)]
    pub principals: Vec<String>,
    /// How long a signature of this role holds; 72h unless said otherwise.
    pub max_age: Option<Period>,
    /// Globs of the gate ids whose failures it may waive; none unless said otherwise.
    #[serde(default)]
    pub may_waive: Vec<String>,
    /// Only signatures of a hardware key that was touched for it count.
    #[serde(default)]
    pub require_touch: bool,
    /// Whether somebody who wrote a part of the release may sign. Unless said otherwise they may,
    /// but for roles that have `qa`, `quality` or `security` in their names. Never for the final
    /// approval.
    pub author_may_sign: Option<bool>,
}

impl Role {
    /// How long a signature holds.
    pub fn holds_for(&self) -> Duration {
        self.max_age.map_or(MAX_AGE, |age| age.0)
    }

    /// Whether an author of the release may hold the role of this name.
    pub fn takes_authors(&self, name: &str) -> bool {
        let independent = |word: &str| ["qa", "quality", "security"].contains(&word);
        self.author_may_sign
            .unwrap_or_else(|| !name.split('-').any(independent))
    }
}

/// Where signatures are and who may make them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signoffs {
    /// OpenSSH `allowed_signers` file: who may sign, with which keys, and until when.
    pub allowed_signers: Option<PathBuf>,
    /// Keys that no longer count: one public key or `SHA256:` fingerprint a line.
    pub revoked: Option<PathBuf>,
    /// Folder of requests and statements; `signoffs` unless said otherwise.
    pub directory: Option<PathBuf>,
    /// SSH namespace of the signatures, `signoff@` and a domain of yours; `signoff@readygate.dev`
    /// unless said otherwise.
    #[schemars(regex(pattern = r"^signoff@[A-Za-z0-9.-]+$|\$\{"))]
    pub namespace: Option<String>,
    /// Roles that one person may hold beside another, by principal.
    #[serde(default)]
    pub may_also: BTreeMap<String, Vec<String>>,
    /// Commits of the release, for telling who wrote a part of it: `v3.9.0..`, or `origin/main` for
    /// everything since. Unless said otherwise, the last commit alone.
    pub authors: Option<String>,
    /// Other e-mail addresses of a principal, to commit or to sign with: two are not two people.
    #[serde(default)]
    pub also_known_as: BTreeMap<String, Vec<String>>,
}

impl Signoffs {
    /// The namespace of signatures.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(NAMESPACE)
    }

    /// The folder of statements and requests, relative to the config.
    pub fn directory(&self) -> PathBuf {
        self.directory
            .clone()
            .unwrap_or_else(|| PathBuf::from(DIRECTORY))
    }

    /// Whether the config says anything of signatures; only then are requests written unasked.
    pub fn is_configured(&self) -> bool {
        self.allowed_signers.is_some() || self.directory.is_some()
    }
}

/// `signoff@` and a domain: a signature for a request must never pass as one for a commit, a file
/// or a mail, whoever wrote the request.
pub fn is_namespace(text: &str) -> bool {
    let domain = text.strip_prefix("signoff@").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    !domain.is_empty() && domain.chars().all(plain)
}

/// Letters, digits and `-`: the name becomes one of a file.
pub fn is_role(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

/// `sha256:` and 64 hex digits.
pub fn is_artifact(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    hex.len() == 64 && hex.bytes().all(digit)
}
