//! Which of the open sign-offs are asked for: those that need nothing which did not pass. Pure.

use crate::{
    config::Gate,
    engine,
    record::{GateRecord, Outcome, SkipReason},
};

/// Those of the open sign-offs, as places in the record, whose needs stand. One that is open itself
/// may still come; one that is not asked for takes those along that need it.
pub fn ready(open: &[usize], gates: &[&Gate], records: &[GateRecord]) -> Vec<usize> {
    let mut ready = open.to_vec();
    loop {
        let known = ready.clone();
        ready.retain(|at| lost(gates[*at], &known, records).is_none());
        if ready.len() == known.len() {
            return ready;
        }
    }
}

/// Says of the others what they need.
pub fn hold_back(open: &[usize], ready: &[usize], gates: &[&Gate], records: &mut [GateRecord]) {
    for &at in open.iter().filter(|at| !ready.contains(at)) {
        if let Some((need, ended)) = lost(gates[at], ready, records) {
            records[at] = engine::held_back(gates[at], need, ended);
        }
    }
}

/// Says of the gates that measure what a signer's word does for them: nothing. They were held back
/// in the run, and another run holds them back again, since it asks people last.
pub fn tell_unfreed(gates: &[&Gate], records: &mut [GateRecord]) {
    for (at, gate) in gates.iter().enumerate() {
        let is_held_back = records[at].skipped == Some(SkipReason::Dependency);
        if gate.signoff().is_some() || !is_held_back || engine::lost(gate, records).is_some() {
            continue;
        }
        let is_accepted = |id: &&String| records.iter().any(|r| r.id == **id && r.is_waived());
        if let Some(need) = gate.needs.iter().find(is_accepted) {
            records[at].reason = Some(format!(
                "was not measured, because `{need}` failed; accepting that in a signature frees \
                 sign-offs only: give `{need}` a waiver in the config, and run the gates again"
            ));
        }
    }
}

/// The first need that did not pass, and how it ended.
fn lost<'g>(gate: &'g Gate, ready: &[usize], records: &[GateRecord]) -> Option<(&'g str, Outcome)> {
    gate.needs.iter().find_map(|id| {
        let at = records.iter().position(|record| record.id == *id)?;
        match records[at].standing() {
            Outcome::Passed => None,
            Outcome::Pending if ready.contains(&at) => None,
            Outcome::Pending => Some((id.as_str(), Outcome::Skipped)),
            ended => Some((id.as_str(), ended)),
        }
    })
}
