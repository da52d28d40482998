//! A measurement to checks and an outcome. Pure, so that `readygate judge` gives the same.

use readygate_sdk::{Check, CheckOutcome, Level, Metrics, ProbeError};
use serde_json::Value;

use crate::{
    config::Gate,
    expect::{self, Baseline},
    record::Outcome,
};

/// What one measurement amounts to.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence, unless it passed.
    pub reason: Option<String>,
    /// Named scalars.
    pub metrics: Metrics,
    /// Every check.
    pub checks: Vec<Check>,
}

/// Applies the probe's rules, graded as the gate says, and the gate's expectations.
pub fn judge(
    gate: &Gate,
    measurement: &Value,
    baseline: Baseline<'_>,
) -> Result<Judgement, ProbeError> {
    let (metrics, mut checks) = gate.probe.evaluate(measurement)?;
    for check in &mut checks {
        if let Some(level) = gate.rules.get(&check.rule) {
            check.level = *level;
        }
    }
    for expectation in &gate.expect {
        checks.extend(expect::evaluate(expectation, &metrics, baseline));
    }
    let (outcome, reason) = outcome(&checks);
    Ok(Judgement {
        outcome,
        reason,
        metrics,
        checks,
    })
}

/// A failure outweighs could-not-tell; a gate on which nothing was checked has not passed.
fn outcome(checks: &[Check]) -> (Outcome, Option<String>) {
    let of = |wanted| {
        checks
            .iter()
            .filter(move |c: &&Check| c.outcome == wanted && c.level == Level::Error)
    };
    for (wanted, outcome) in [
        (CheckOutcome::Failed, Outcome::Failed),
        (CheckOutcome::Unmeasured, Outcome::Unmeasured),
    ] {
        if let Some(first) = of(wanted).next() {
            let more = of(wanted).count() - 1;
            let more = if more > 0 {
                format!(" (and {more} more)")
            } else {
                String::new()
            };
            return (outcome, Some(sentence(first) + &more));
        }
    }
    if checks.iter().any(|c| c.outcome == CheckOutcome::Passed) {
        return (Outcome::Passed, None);
    }
    (
        Outcome::Unmeasured,
        Some("nothing was checked: add an `expect`".to_owned()),
    )
}

/// A check in one line.
pub fn sentence(check: &Check) -> String {
    let named = readygate_sdk::mentions(&check.message, &check.subject)
        || check.rule.starts_with("expect/");
    let subject = if named {
        String::new()
    } else {
        format!("{}: ", check.subject)
    };
    let facts = match (&check.expected, &check.actual) {
        (Some(expected), Some(actual)) => format!(": expected {expected}, actual {actual}"),
        (Some(expected), None) if check.outcome == CheckOutcome::Failed => {
            format!(": expected {expected}")
        }
        (None, Some(actual)) => format!(": {actual}"),
        _ => String::new(),
    };
    readygate_sdk::excerpt(&format!("{subject}{}{facts}", check.message), 600)
}
