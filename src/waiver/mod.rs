//! Waivers: reasoned, owned, expiring exceptions. The check still runs and is shown as waived.
//!
//! A waiver covers *failed* checks. What could not be measured is never waived: nobody can accept
//! what nobody knows. Whether it holds is decided at one moment, the end of the run.

mod apply;
pub mod config;
mod expiry;
mod read;
mod signed;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use globset::GlobMatcher;
use jiff::Timestamp;
use readygate_sdk::{Check, Location};

pub use apply::{apply, mark};
pub use expiry::Expiry;
pub use read::{Declared, read};
pub use signed::{Accept, Signed};
pub use words::until;

/// Everything that decides what is waived, besides the record itself.
#[derive(Debug, Clone, Default)]
pub struct Waivers {
    list: Vec<Waiver>,
    terms: BTreeMap<String, Terms>,
}

/// What a gate says of being waived.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// A waiver may cover it.
    pub waivable: bool,
    /// It is measured again and again, and its record shows one measurement of many.
    pub sustained: bool,
}

/// One exception, ready to be applied.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// Id of a gate.
    pub gate: Option<String>,
    /// Code of a rule.
    pub rule: Option<String>,
    /// Subjects that it covers; all without it.
    pub subject: Option<Subject>,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub owner: String,
    /// Role that approved it.
    pub approver: String,
    /// Who signed it, where it is a signed one.
    pub principal: Option<String>,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// Last moment at which it holds.
    pub expires: Expiry,
    /// Where it is declared.
    pub location: Option<Location>,
    /// Gates that the approver may waive.
    powers: Vec<GlobMatcher>,
    /// Why it does not count at all.
    refused: Option<String>,
}

/// A glob over subjects. A subject that is written out also matches itself, brackets and all.
#[derive(Debug, Clone)]
pub struct Subject {
    text: String,
    glob: GlobMatcher,
}

/// What a waiver says to a failed check.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cover {
    /// Nothing.
    None,
    /// It would cover it, but must not, for this reason.
    Refused(String),
    /// It covers it, as long as it holds.
    Full,
}

impl Subject {
    /// Reads a glob; `*` crosses slashes, since subjects are hosts, URLs and names as well as paths.
    pub fn new(text: &str) -> Result<Self, globset::Error> {
        Ok(Self {
            text: text.to_owned(),
            glob: globset::Glob::new(text)?.compile_matcher(),
        })
    }

    fn matches(&self, subject: &str) -> bool {
        self.text == subject || self.glob.is_match(subject)
    }
}

impl Waiver {
    /// Gate, rule and subject in one line: `security.tls: tls/expires-soon on *.example.com`.
    pub fn covers(&self) -> String {
        let target = match (&self.gate, &self.rule) {
            (Some(gate), Some(rule)) => format!("{gate}: {rule}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => "nothing".to_owned(),
        };
        match &self.subject {
            Some(subject) => format!("{target} on {}", subject.text),
            None => target,
        }
    }

    /// Whether it holds at a moment, its last second included.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.refused.is_none() && self.expires.holds(at)
    }

    fn names(&self, gate: &str) -> bool {
        self.gate.as_deref().is_none_or(|id| id == gate)
    }

    fn cover(&self, gate: &str, terms: Option<Terms>, check: &Check) -> Cover {
        let hit = self.names(gate)
            && self.rule.as_deref().is_none_or(|rule| rule == check.rule)
            && self
                .subject
                .as_ref()
                .is_none_or(|s| s.matches(&check.subject));
        if !hit {
            return Cover::None;
        }
        match terms {
            None => Cover::Refused(format!("`{gate}` is not in the policy")),
            Some(terms) if !terms.waivable => Cover::Refused(format!("`{gate}` is not waivable")),
            Some(terms) if terms.sustained && (self.rule.is_some() || self.subject.is_some()) => {
                Cover::Refused(format!(
                    "`{gate}` is measured again and again, of which its checks show one measurement only; it can be waived as a whole"
                ))
            }
            Some(_) if !self.powers.iter().any(|p| p.is_match(gate)) => {
                Cover::Refused(format!("`{}` may not waive `{gate}`", self.approver))
            }
            Some(_) => Cover::Full,
        }
    }
}

impl Waivers {
    /// Waivers of the policy, then signed ones.
    pub fn iter(&self) -> impl Iterator<Item = &Waiver> {
        self.list.iter()
    }

    /// Adds waivers from signed statements.
    pub fn extend(&mut self, signed: impl IntoIterator<Item = Waiver>) {
        self.list.extend(signed);
    }

    fn terms(&self, gate: &str) -> Option<Terms> {
        self.terms.get(gate).copied()
    }
}
