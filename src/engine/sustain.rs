//! Sustained measurement, with the budgets of Argo Rollouts' analysis.

use std::sync::Arc;

use readygate_sdk::{ErrorKind, ProbeError};
use tokio::time::Instant;

use super::{
    Context,
    attempt::{Tried, attempt},
    gate::Ending,
};
use crate::{
    config::{Gate, Sustain},
    record::{Attempt, Outcome},
};

/// What has happened so far, against what is tolerated.
#[derive(Debug, Default)]
struct Budget {
    failures: u32,
    errors_in_a_row: u32,
}

impl Budget {
    /// Counts a measurement; `Some` when it was one too many.
    fn exceeded(
        &mut self,
        tried: &Tried,
        limits: &Sustain,
        number: u32,
    ) -> Option<(Outcome, String)> {
        let why = tried.reason().unwrap_or_default();
        match tried.outcome() {
            Outcome::Passed => {
                self.errors_in_a_row = 0;
                None
            }
            Outcome::Failed => {
                self.errors_in_a_row = 0;
                self.failures += 1;
                let Self { failures, .. } = self;
                let limit = limits.failure_limit;
                let reason = format!(
                    "measurement {number} failed, {failures} in all where {limit} are tolerated: {why}"
                );
                (self.failures > limit).then_some((Outcome::Failed, reason))
            }
            Outcome::Unmeasured | Outcome::Skipped | Outcome::Pending => {
                self.errors_in_a_row += 1;
                let errors = self.errors_in_a_row;
                let reason = format!("{errors} measurements in a row could not tell: {why}");
                (errors > limits.consecutive_error_limit).then_some((Outcome::Unmeasured, reason))
            }
        }
    }
}

/// Measures every so often for a while. More than `failure_limit` failures fail; more than
/// `consecutive_error_limit` errors in a row end it unmeasured, and so does a series in which
/// nothing ever passed, or whose end could not be told.
pub async fn sustained(
    gate: &Arc<Gate>,
    sustain: &Sustain,
    context: &Arc<Context>,
    attempts: &mut Vec<Attempt>,
) -> Ending {
    let begun = Instant::now();
    let mut budget = Budget::default();
    let mut last_pass = None;
    let mut number = 0;
    loop {
        number += 1;
        let tried = attempt(gate, context, number, attempts).await;
        if let Some(verdict) = budget.exceeded(&tried, sustain, number) {
            return (tried, Some(verdict));
        }
        let due = begun + sustain.every.0 * number;
        let end = begun + sustain.duration.0;
        // Measurements that take longer than `every` must not make the series longer than `for`.
        if due > end || Instant::now() >= end {
            return concluded(gate, tried, last_pass, number, budget.errors_in_a_row);
        }
        if tried.outcome() == Outcome::Passed {
            last_pass = Some(tried);
        }
        if !context
            .pause(due.saturating_duration_since(Instant::now()))
            .await
        {
            let reason = format!(
                "stopped after {}, before {} were over",
                readygate_sdk::count_of(number.into(), "measurement", "measurements"),
                sustain.duration
            );
            let stopped = last_pass.unwrap_or_else(|| nothing(gate, &reason));
            return (stopped, Some((Outcome::Unmeasured, reason)));
        }
    }
}

/// The series is over and no budget is spent. What could not be told at its end is not known to
/// have recovered; tolerated failures and errors before that stay in the attempts, visibly flaky.
fn concluded(
    gate: &Gate,
    last: Tried,
    passed: Option<Tried>,
    number: u32,
    errors_in_a_row: u32,
) -> Ending {
    match (last.outcome(), passed) {
        (Outcome::Passed, _) => (last, None),
        (_, None) => {
            let reason = format!("none of {number} measurements passed");
            (nothing(gate, &reason), Some((Outcome::Unmeasured, reason)))
        }
        (Outcome::Failed, Some(passed)) => (passed, None),
        (_, Some(_)) => {
            let why = last.reason().unwrap_or_default();
            let reason = format!(
                "the last {errors_in_a_row} of {number} measurements could not tell: {why}"
            );
            (last, Some((Outcome::Unmeasured, reason)))
        }
    }
}

fn nothing(gate: &Gate, reason: &str) -> Tried {
    let error = ProbeError::new(ErrorKind::NoData, &gate.id, "sustaining", reason);
    Tried {
        measurement: None,
        judged: Err(error),
    }
}
