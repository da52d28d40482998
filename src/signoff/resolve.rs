//! Statements to outcomes: the end of every run.

use jiff::Timestamp;
use readygate_sdk::{CheckOutcome, Level};
use readygate_signoff::{ANSWER, MISSING, SignoffConfig, SignoffMeasurement};

use crate::{
    config::{Config, Gate},
    engine,
    record::{GateRecord, Outcome, Run, SkipReason},
    verdict,
};

/// What deciding needs besides the record.
pub struct Inputs<'a> {
    /// The policy.
    pub config: &'a Config,
    /// Its gates, in the order of the record.
    pub gates: &'a [&'a Gate],
    /// Now, UTC.
    pub now: Timestamp,
}

/// Decides every sign-off that the run waits for, and the verdict anew.
pub fn resolve(run: &mut Run, inputs: &Inputs<'_>) {
    for (gate, record) in inputs.gates.iter().zip(&mut run.gates) {
        if let (Some(config), Outcome::Pending) = (gate.signoff(), record.outcome) {
            let measurement = SignoffMeasurement {
                taken_at: inputs.now,
                role: config.role.clone(),
                impossible: Some("not built yet".to_owned()),
                request: None,
                statements: Vec::new(),
            };
            judge(gate, config, &measurement, record);
        }
    }
    order(inputs.gates, &mut run.gates);
    verdict::settle(run, &inputs.config.required);
}

/// Judges like any other measurement. Where only a signature or an answer in one is missing,
/// nothing has failed: somebody is waited for.
fn judge(
    gate: &Gate,
    _config: &SignoffConfig,
    measurement: &SignoffMeasurement,
    record: &mut GateRecord,
) {
    let Ok(measurement) = serde_json::to_value(measurement) else {
        return;
    };
    let judged = engine::rejudge(gate, measurement, None);
    let waits = |rule: &str| rule == MISSING.code || rule == ANSWER.code;
    let mut failed = judged
        .checks
        .iter()
        .filter(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Error)
        .peekable();
    let only_waits = failed.peek().is_some() && failed.all(|check| waits(&check.rule));
    let outcome = if only_waits {
        Outcome::Pending
    } else {
        judged.outcome
    };
    *record = GateRecord { outcome, ..judged };
}

/// A sign-off that needs another one waits for it.
fn order(gates: &[&Gate], records: &mut [GateRecord]) {
    let mut settled = false;
    while !settled {
        settled = true;
        for (at, gate) in gates.iter().enumerate() {
            let open = matches!(records[at].outcome, Outcome::Passed | Outcome::Failed)
                || records[at].outcome == Outcome::Pending && !records[at].checks.is_empty();
            if gate.signoff().is_none() || !open {
                continue;
            }
            let need = gate.needs.iter().find_map(|id| {
                let need = records.iter().find(|r| r.id == *id)?;
                (need.outcome != Outcome::Passed).then_some((id, need.outcome))
            });
            let Some((need, ended)) = need else { continue };
            let reason = format!("needs `{need}`, which {}", engine::ended(ended));
            let waits = ended == Outcome::Pending;
            records[at] = GateRecord {
                outcome: if waits {
                    Outcome::Pending
                } else {
                    Outcome::Skipped
                },
                skipped: (!waits).then_some(SkipReason::Dependency),
                reason: Some(reason),
                ..engine::blank(gate)
            };
            settled = false;
        }
    }
}
