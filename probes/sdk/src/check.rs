//! Checks: evaluated rules, each on one subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Level, Rule};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// The world is as the rule wants it.
    Passed,
    /// It is not.
    Failed,
    /// It could not be told; never counts as a pass.
    Unmeasured,
}

/// Where in a file a check points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Path as the user knows it.
    pub file: String,
    /// 1-based line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// 1-based column, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// One evaluated rule or expectation on one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Code of the rule (`tls/expires-soon`), or `expect/METRIC` for an expectation.
    pub rule: String,
    /// What was judged: a host, a file, a test, a metric.
    pub subject: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What a failure weighs.
    pub level: Level,
    /// One sentence: what is so.
    pub message: String,
    /// What was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// How to fix it; absent on a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The place in a file, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Longer evidence, one item a line: names of failed tests, excerpts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// Collects the checks of one judgement.
#[derive(Debug, Default)]
pub struct Checks {
    list: Vec<Check>,
}

impl Checks {
    /// No checks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a check of `rule` on `subject`; finish it with [`CheckBuilder::passed_if`],
    /// [`CheckBuilder::pass`], [`CheckBuilder::fail`] or [`CheckBuilder::unmeasured`].
    pub fn check(&mut self, rule: &'static Rule, subject: impl Into<String>) -> CheckBuilder<'_> {
        CheckBuilder {
            into: self,
            fix: rule.fix,
            check: Check {
                rule: rule.code.to_owned(),
                subject: subject.into(),
                outcome: CheckOutcome::Unmeasured,
                level: rule.level,
                message: rule.summary.to_owned(),
                expected: None,
                actual: None,
                hint: None,
                location: None,
                details: Vec::new(),
            },
        }
    }

    /// Adds a finished check.
    pub fn push(&mut self, check: Check) {
        self.list.push(check);
    }

    /// The checks so far.
    pub fn as_slice(&self) -> &[Check] {
        &self.list
    }

    /// All checks, in order.
    pub fn into_vec(self) -> Vec<Check> {
        self.list
    }
}

/// One check in the making.
#[must_use = "a check counts only when it is finished with passed_if, pass, fail or unmeasured"]
pub struct CheckBuilder<'a> {
    into: &'a mut Checks,
    fix: &'static str,
    check: Check,
}

impl CheckBuilder<'_> {
    /// What is wanted.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.check.expected = Some(expected.into());
        self
    }

    /// What was found.
    pub fn actual(mut self, actual: impl Into<String>) -> Self {
        self.check.actual = Some(actual.into());
        self
    }

    /// One sentence in place of the rule's summary.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.check.message = message.into();
        self
    }

    /// How to fix it, in place of the rule's.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.check.hint = Some(hint.into());
        self
    }

    /// The place in a file.
    pub fn at(mut self, location: Location) -> Self {
        self.check.location = Some(location);
        self
    }

    /// Longer evidence, one item a line.
    pub fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.check.details.extend(details);
        self
    }

    /// Weighs this one check otherwise than its rule.
    pub fn level(mut self, level: Level) -> Self {
        self.check.level = level;
        self
    }

    /// Ends as passed or failed.
    pub fn passed_if(self, holds: bool) {
        if holds { self.pass() } else { self.fail() }
    }

    /// Ends as passed.
    pub fn pass(mut self) {
        self.check.hint = None;
        self.finish(CheckOutcome::Passed);
    }

    /// Ends as failed; the rule's fix is the hint unless one was given.
    pub fn fail(mut self) {
        if self.check.hint.is_none() && !self.fix.is_empty() {
            self.check.hint = Some(self.fix.to_owned());
        }
        self.finish(CheckOutcome::Failed);
    }

    /// Ends as could-not-tell.
    pub fn unmeasured(mut self, reason: impl Into<String>) {
        self.check.message = reason.into();
        self.finish(CheckOutcome::Unmeasured);
    }

    fn finish(mut self, outcome: CheckOutcome) {
        self.check.outcome = outcome;
        self.into.list.push(self.check);
    }
}
