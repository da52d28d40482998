//! Programs that speak readygate/1: their checks are taken over as they are.

use readygate_sdk::{Check, CheckOutcome, Checks};

use crate::{CommandMeasurement, ExternalCheck, rules};

pub fn judge(measurement: &CommandMeasurement, checks: &mut Checks) {
    let program = &measurement.program;
    let Some(reply) = &measurement.reply else {
        let reason = "the measurement was not taken with protocol json";
        return checks.check(&rules::EXTERNAL, program).unmeasured(reason);
    };
    for check in &reply.checks {
        checks.push(adopted(check));
    }
    if let Some(error) = &reply.error {
        let subject = error.subject.as_ref().unwrap_or(program);
        let hint = error.hint.as_deref().unwrap_or(rules::EXTERNAL.fix);
        let phase = error.phase.as_deref().unwrap_or("measuring");
        checks
            .check(&rules::EXTERNAL, subject)
            .hint(hint)
            .unmeasured(format!("{} (while {phase})", error.message));
    }
}

fn adopted(check: &ExternalCheck) -> Check {
    Check {
        rule: format!("ext/{}", check.rule),
        subject: check.subject.clone(),
        outcome: check.outcome,
        level: check.level,
        message: check.message.clone(),
        expected: check.expected.clone(),
        actual: check.actual.clone(),
        // As in a check of our own: what holds needs no fix.
        hint: check
            .hint
            .clone()
            .filter(|_| check.outcome != CheckOutcome::Passed),
        location: check.location.clone(),
        details: Vec::new(),
    }
}
