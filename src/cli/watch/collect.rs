//! The samples of a watch as one record: the last of each gate, and all of them as attempts.

use readygate_sdk::{ErrorKind, ProbeError};

use crate::{
    record::{Attempt, GateRecord, Outcome, SkipReason},
    release::watch::Seen,
};

/// What a sample found of one gate.
pub fn seen(record: &GateRecord) -> Seen {
    // A waived failure stands as a pass.
    match (record.standing(), &record.error) {
        (Outcome::Passed, _) => Seen::Passed,
        (Outcome::Failed, _) => Seen::Failed,
        (Outcome::Unmeasured, Some(error)) if unreachable(&record.probe, error) => {
            Seen::Unreachable
        }
        _ => Seen::Unknown,
    }
}

/// Phases in which a program of the runner's own is started: what goes wrong there tells nothing of
/// the target.
const LOCAL: [&str; 2] = ["starting", "entering the folder"];
/// Its output is that of a program: a broken one is no broken connection.
const COMMAND: &str = "command";

/// Whether nothing answered. A load balancer of level 4 takes the connection and resets or closes
/// it when nothing is behind it; what speaks another protocol now is not the target either.
fn unreachable(probe: &str, error: &ProbeError) -> bool {
    match error.kind {
        ErrorKind::Timeout => true,
        ErrorKind::Connect | ErrorKind::Protocol => {
            probe != COMMAND && !LOCAL.contains(&error.phase.as_str())
        }
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_runner_is_not_wrong_with_the_target() {
        let error = |kind, phase: &str| ProbeError::new(kind, "x", phase, "y");
        for (probe, error, down) in [
            ("http", error(ErrorKind::Connect, "connecting to x"), true),
            ("http", error(ErrorKind::Timeout, "reading the body"), true),
            ("http", error(ErrorKind::Protocol, "waiting"), true),
            ("http", error(ErrorKind::Refused, "waiting"), false),
            ("http", error(ErrorKind::BadData, "reading the body"), false),
            ("command", error(ErrorKind::Timeout, "running"), true),
            ("command", error(ErrorKind::Connect, "starting"), false),
            ("command", error(ErrorKind::Protocol, "reading"), false),
            ("lint", error(ErrorKind::Connect, "starting"), false),
        ] {
            assert_eq!(unreachable(probe, &error), down, "{probe}: {error:?}");
        }
    }
}
