//! Waivers in signed statements: what a signer accepts although it fails.

use globset::GlobMatcher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expiry, Subject, Waiver, read::powers};
use crate::signoff::config::Role;

/// One entry of `accepts` in a sign-off statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accept {
    /// Id of the gate.
    pub id: String,
    /// Code of the rule; every failed check of the gate without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Glob of the subjects; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the signer was shown: the gate's outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why it is acceptable.
    pub reason: String,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// When it ends.
    pub expires: Expiry,
}

impl Accept {
    /// Gate, rule and subject in one line.
    pub fn covers(&self) -> String {
        let parts = [Some(&self.id), self.rule.as_ref(), self.subject.as_ref()];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join(": ")
    }
}

/// Who signed a statement that was verified and accepted.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Role that the statement speaks for.
    pub role: &'a str,
    /// Its entry in the policy; `None` gives no power to waive.
    pub powers: Option<&'a Role>,
    /// Who signed.
    pub principal: &'a str,
}

impl Signed<'_> {
    /// The waivers of an accepted statement. One that must not count comes along as refused, so
    /// that the record shows it.
    pub fn waivers(&self, accepts: &[Accept]) -> Vec<Waiver> {
        let may_waive = self.powers.map_or(&[][..], |role| &role.may_waive);
        let powers = powers(may_waive);
        let one = |accept| self.waiver(accept, &powers);
        accepts.iter().map(one).collect()
    }

    fn waiver(&self, accept: &Accept, powers: &[GlobMatcher]) -> Waiver {
        let mut refused = None;
        if accept.reason.trim().is_empty() {
            refused = Some("it gives no reason".to_owned());
        }
        let subject = accept.subject.as_deref().map(Subject::new).transpose();
        let subject = subject.unwrap_or_else(|error| {
            refused = Some(format!("its subject is not a glob: {error}"));
            None
        });
        Waiver {
            gate: Some(accept.id.clone()),
            rule: accept.rule.clone(),
            subject,
            reason: accept.reason.clone(),
            owner: self.principal.to_owned(),
            approver: self.role.to_owned(),
            principal: Some(self.principal.to_owned()),
            ticket: accept.ticket.clone(),
            expires: accept.expires,
            location: None,
            powers: powers.to_vec(),
            refused,
        }
    }
}
