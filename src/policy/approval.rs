//! The signature of the policy's owner under a difference.
//!
//! Who that is, and with which key, is said by the policy that holds. A change that names another
//! owner, or brings a key, is a change that the owner of before must sign.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Documents, diff::Diff};
use crate::{
    config::{Node, Sink, decode},
    signoff::{
        Revoked,
        allowed_signers::AllowedSigners,
        config::{NAMESPACE, Role, is_namespace},
        found::{self, Found},
        sign,
        signature::{self, Trust},
        statement::{Digests, STATEMENT, Subject},
    },
};

/// The `predicateType` of approvals.
pub const PREDICATE: &str = "https://readygate.dev/policy-approval/v1";
/// Clocks of signers differ from ours by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// An in-toto Statement that approves a looser policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// One: `policy-diff` with the digest of the difference.
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Predicate {
    role: String,
    principal: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the signer was shown; the digest is what binds.
    changes: Vec<String>,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// Only what tells the kind.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "predicateType", default)]
    predicate_type: String,
}

/// A signature that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// In whose name.
    pub role: String,
    /// Who.
    pub principal: String,
    /// With which key: `SHA256:...`.
    pub fingerprint: String,
    /// Until when.
    pub expires: Timestamp,
    /// Why, in the signer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The file.
    pub file: String,
}

/// Who may approve, by the policy that holds.
pub struct Owner {
    name: String,
    role: Role,
    trust: Trust,
}

impl Owner {
    /// The owner of a policy; the error says why nobody can approve a looser one.
    pub fn of(policy: &Documents) -> Result<Self, String> {
        let at = &policy.name;
        let name = policy.get("policy").and_then(|p| p.get("owner"));
        let name = name.and_then(Node::text);
        let name = name.ok_or_else(|| format!("{at} names no `policy: {{ owner: ROLE }}`"))?;
        let role = policy.get("roles").and_then(|roles| roles.get(name));
        let role = role.and_then(|role| decode::<Role>(role, &Sink::default()));
        let role = role.ok_or_else(|| format!("{at} has no role `{name}` that can be read"))?;
        if role.principals.is_empty() {
            return Err(format!("nobody holds the role `{name}` in {at}"));
        }
        Ok(Self {
            name: name.to_owned(),
            role,
            trust: trust(policy)?,
        })
    }

    /// The role.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first approval of this difference that counts, and why others do not.
    pub fn approval(
        &self,
        diff: &Diff,
        directory: &Path,
        now: Timestamp,
    ) -> Result<(Option<Approval>, Vec<String>), String> {
        let mut refused = Vec::new();
        for found in found::find(directory)? {
            let head = serde_json::from_slice::<Head>(&found.bytes);
            if head.is_ok_and(|head| head.predicate_type == PREDICATE) {
                match self.hold(&found, diff, now) {
                    Ok(approval) => return Ok((Some(approval), refused)),
                    Err(why) => refused.push(format!("{}: {why}", found.file)),
                }
            }
        }
        Ok((None, refused))
    }

    fn hold(&self, found: &Found, diff: &Diff, now: Timestamp) -> Result<Approval, String> {
        let armored = found.signature.as_ref().map_err(Clone::clone)?;
        let signature = signature::read(armored)?;
        let signer = signature::verify(&found.bytes, &signature, &self.trust.namespace)?;
        let statement: Statement =
            serde_json::from_slice(&found.bytes).map_err(|e| format!("it cannot be read: {e}"))?;
        let said = statement.predicate;
        let digests: Vec<&String> = statement
            .subject
            .iter()
            .filter_map(|subject| subject.digest.get("sha256"))
            .collect();
        if statement.kind != STATEMENT || digests != [&diff.digest] {
            return Err("it approves another difference".to_owned());
        }
        if said.role != self.name {
            return Err(format!(
                "it is in the name of {}, not {}",
                said.role, self.name
            ));
        }
        self.trust
            .check(&signer, &said.principal, &[said.issued_at, now])?;
        if !self.role.principals.contains(&said.principal) {
            return Err(format!(
                "{} does not hold the role {}",
                said.principal, self.name
            ));
        }
        if self.role.require_touch && !signer.touched {
            return Err("the hardware key was not touched for it".to_owned());
        }
        let latest = now.checked_add(SKEW).unwrap_or(Timestamp::MAX);
        if said.issued_at > latest {
            return Err(format!("it is from the future: {}", said.issued_at));
        }
        let expires = said.expires_at.min(self.ends(said.issued_at));
        if now > expires {
            return Err(format!("it expired {expires}"));
        }
        Ok(Approval {
            role: said.role,
            principal: said.principal,
            fingerprint: signer.fingerprint,
            expires,
            reason: said.reason,
            file: found.file.clone(),
        })
    }

    fn ends(&self, issued: Timestamp) -> Timestamp {
        let age = SignedDuration::try_from(self.role.holds_for()).ok();
        let end = age.and_then(|age| issued.checked_add(age).ok());
        end.unwrap_or(Timestamp::MAX)
    }

    /// Who signs: the one that is named, or the only one who may.
    pub fn principal(&self, named: Option<&str>) -> Result<String, String> {
        let known = &self.role.principals;
        match (named, known.as_slice()) {
            (Some(name), known) if known.iter().any(|k| k == name) => Ok(name.to_owned()),
            (None, [only]) => Ok(only.clone()),
            (Some(name), _) => Err(format!("{name} does not hold the role {}", self.name)),
            (None, _) => Err(format!(
                "say who you are with --principal: {}",
                known.join(", ")
            )),
        }
    }

    /// Signs a difference and writes the statement and its signature side by side.
    pub fn sign(
        &self,
        diff: &Diff,
        (principal, reason): (String, Option<String>),
        key: &Path,
        directory: &Path,
        now: Timestamp,
    ) -> Result<PathBuf, String> {
        let issued_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let counting = diff.changes.iter().filter(|c| c.weight.counts());
        let digest = Digests::from([("sha256".to_owned(), diff.digest.clone())]);
        let statement = Statement {
            kind: STATEMENT.to_owned(),
            subject: vec![Subject {
                name: "policy-diff".to_owned(),
                digest,
            }],
            predicate_type: PREDICATE.to_owned(),
            predicate: Predicate {
                role: self.name.clone(),
                principal,
                reason,
                changes: counting
                    .map(|c| format!("{} {}: {}", c.weight.name(), c.subject, c.message))
                    .collect(),
                issued_at,
                expires_at: self.ends(issued_at),
            },
        };
        let mut bytes = serde_json::to_vec_pretty(&statement).map_err(|e| e.to_string())?;
        bytes.push(b'\n');
        let by = (self.name.as_str(), issued_at);
        sign::write_bytes(&bytes, by, key, &self.trust.namespace, directory)
    }
}

fn trust(policy: &Documents) -> Result<Trust, String> {
    let list = |key: &str| policy.lists.iter().find(|list| list.key == key);
    let Some(allowed) = list("allowed_signers") else {
        return Err(format!(
            "{} names no `signoffs: {{ allowed_signers: FILE }}`",
            policy.name
        ));
    };
    let text = |list: &super::documents::List| {
        let text = list.text.clone();
        text.ok_or_else(|| format!("{} cannot be read", list.name))
    };
    let place =
        |list: &super::documents::List, e: &dyn std::fmt::Display| format!("{}:{e}", list.name);
    let signers = AllowedSigners::parse(&text(allowed)?).map_err(|e| place(allowed, &e))?;
    let revoked = match list("revoked") {
        Some(list) => Revoked::parse(&text(list)?).map_err(|e| place(list, &e))?,
        None => Revoked::default(),
    };
    let namespace = policy.get("signoffs").and_then(|s| s.get("namespace"));
    let namespace = namespace.and_then(Node::text).unwrap_or(NAMESPACE);
    if !is_namespace(namespace) {
        return Err(format!("`{namespace}` is not a namespace of sign-offs"));
    }
    Ok(Trust {
        allowed: signers,
        revoked,
        namespace: namespace.to_owned(),
    })
}
