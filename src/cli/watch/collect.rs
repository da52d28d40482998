//! The samples of a watch as one record: the last of each gate, and all of them as attempts.

use readygate_sdk::ErrorKind;

use crate::{
    record::{Attempt, GateRecord, Outcome, SkipReason},
    release::watch::Seen,
};

/// What a sample found of one gate.
pub fn seen(record: &GateRecord) -> Seen {
    let unreachable = |kind| matches!(kind, ErrorKind::Connect | ErrorKind::Timeout);
    // A waived failure stands as a pass.
    match (record.standing(), &record.error) {
        (Outcome::Passed, _) => Seen::Passed,
        (Outcome::Failed, _) => Seen::Failed,
        (Outcome::Unmeasured, Some(error)) if unreachable(error.kind) => Seen::Unreachable,
        _ => Seen::Unknown,
    }
}

/// All samples so far.
#[derive(Default)]
pub struct Collected {
    gates: Vec<GateRecord>,
    attempts: Vec<Vec<Attempt>>,
}

impl Collected {
    /// Adds a sample, one record for each declared gate. What was left out keeps its last record.
    pub fn add(&mut self, sample: Vec<GateRecord>) {
        if self.gates.is_empty() {
            self.attempts.resize(sample.len(), Vec::new());
            for (record, attempts) in sample.iter().zip(&mut self.attempts) {
                note(record, attempts);
            }
            self.gates = sample;
            return;
        }
        let slots = self.gates.iter_mut().zip(&mut self.attempts);
        for (record, (last, attempts)) in sample.into_iter().zip(slots) {
            if record.skipped == Some(SkipReason::NotSelected) {
                continue;
            }
            note(&record, attempts);
            let first = last.started;
            *last = record;
            last.started = first.or(last.started);
        }
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty()
    }

    /// The last reason for which a gate did not pass, however it stands now.
    pub fn why(&self, id: &str) -> Option<&str> {
        let at = self.gates.iter().position(|g| g.id == id)?;
        self.attempts[at]
            .iter()
            .rev()
            .find_map(|a| a.reason.as_deref())
    }

    /// One record for each gate.
    pub fn into_records(self) -> Vec<GateRecord> {
        let all = self.gates.into_iter().zip(self.attempts);
        all.map(|(gate, attempts)| finished(gate, attempts))
            .collect()
    }
}

fn finished(mut gate: GateRecord, attempts: Vec<Attempt>) -> GateRecord {
    let missed = attempts.iter().any(|a| a.outcome != Outcome::Passed);
    gate.flaky = gate.outcome == Outcome::Passed && missed;
    if let (Some(first), Some(last)) = (attempts.first(), attempts.last()) {
        let between = last.started.duration_since(first.started);
        gate.duration_s = between.as_secs_f64().max(0.0) + last.duration_s;
    }
    gate.attempts = attempts;
    gate
}

/// A gate that did not run, for want of what it needs, has a sample all the same.
fn note(record: &GateRecord, attempts: &mut Vec<Attempt>) {
    for attempt in &record.attempts {
        let number = u32::try_from(attempts.len() + 1).unwrap_or(u32::MAX);
        attempts.push(Attempt {
            number,
            ..attempt.clone()
        });
    }
}
