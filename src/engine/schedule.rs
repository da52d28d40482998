//! Who may start, who waits, who is done. Knows no probe and no clock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use readygate_sdk::{ErrorKind, ProbeError};

use super::gate::blank;
use crate::{
    config::Gate,
    plan::Plan,
    record::{GateRecord, Outcome, SkipReason},
};

/// The state of every gate of a run.
pub struct Schedule<'a> {
    gates: &'a [Arc<Gate>],
    /// Positions of what each gate needs.
    needs: Vec<Vec<usize>>,
    states: Vec<State>,
    records: BTreeMap<usize, GateRecord>,
    news: Vec<usize>,
    exclusive: bool,
    abandoned: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
}

impl<'a> Schedule<'a> {
    /// Everything selected waits.
    pub fn new(gates: &'a [Arc<Gate>], plan: &Plan) -> Self {
        let places: HashMap<&str, usize> = gates
            .iter()
            .enumerate()
            .map(|(i, g)| (g.id.as_str(), i))
            .collect();
        let of = |gate: &Arc<Gate>| {
            // What a signer accepts frees sign-offs, too: `signoff::resolve` looks at their needs.
            let needs = gate.needs.iter().filter(|_| gate.signoff().is_none());
            let places = needs.filter_map(|id| places.get(id.as_str()));
            places.copied().collect()
        };
        let mut schedule = Self {
            gates,
            needs: gates.iter().map(of).collect(),
            states: vec![State::Waiting; gates.len()],
            records: BTreeMap::new(),
            news: Vec::new(),
            exclusive: false,
            abandoned: false,
        };
        for (index, choice) in plan.choices.iter().enumerate() {
            if !choice.runs() {
                schedule.skip(index, SkipReason::NotSelected, "not selected".into());
            }
        }
        schedule.news.clear();
        schedule
    }

    /// The next gate that may start now. An exclusive gate waits for the others to end, and holds
    /// back those behind it, so that it gets its turn.
    pub fn next(&mut self, running: usize, concurrency: usize) -> Option<usize> {
        if self.exclusive || running >= concurrency {
            return None;
        }
        let index = (0..self.gates.len()).find(|i| self.is_ready(*i))?;
        let exclusive = self.gates[index].exclusive;
        if exclusive && running > 0 {
            return None;
        }
        self.exclusive = exclusive;
        self.states[index] = State::Running;
        Some(index)
    }

    fn is_ready(&self, index: usize) -> bool {
        self.states[index] == State::Waiting
            && self
                .needs(index)
                .all(|n| self.outcome(n) == Some(Outcome::Passed))
    }

    fn needs(&self, index: usize) -> impl Iterator<Item = usize> {
        self.needs[index].iter().copied()
    }

    fn outcome(&self, index: usize) -> Option<Outcome> {
        self.records.get(&index).map(GateRecord::standing)
    }

    /// Gates that wait for one that has ended without passing will never run.
    pub fn settle_skipped(&mut self) {
        loop {
            let lost = (0..self.gates.len())
                .filter(|i| self.states[*i] == State::Waiting)
                .find_map(|i| {
                    let need = self
                        .needs(i)
                        .find(|n| self.outcome(*n).is_some_and(|o| o != Outcome::Passed))?;
                    let outcome = self.outcome(need)?;
                    Some((i, needs(&self.gates[need].id, outcome)))
                });
            let Some((index, reason)) = lost else { break };
            self.skip(index, SkipReason::Dependency, reason);
        }
    }

    fn skip(&mut self, index: usize, why: SkipReason, reason: String) {
        let mut record = blank(&self.gates[index]);
        record.outcome = Outcome::Skipped;
        record.skipped = Some(why);
        record.reason = Some(reason);
        self.finish(index, record);
    }

    /// Whatever has not started will not.
    pub fn abandon(&mut self, why: &str) {
        self.abandoned = true;
        for index in 0..self.gates.len() {
            if self.states[index] == State::Waiting {
                let gate = &self.gates[index];
                let error =
                    ProbeError::new(ErrorKind::Cancelled, &gate.id, "waiting to start", why);
                let record = GateRecord {
                    reason: Some(error.to_string()),
                    error: Some(error),
                    ..blank(gate)
                };
                self.finish(index, record);
            }
        }
    }

    /// A gate that ran has ended.
    pub fn end(&mut self, index: usize, record: GateRecord) {
        self.exclusive &= !self.gates[index].exclusive;
        self.finish(index, record);
    }

    fn finish(&mut self, index: usize, record: GateRecord) {
        self.states[index] = State::Done;
        self.records.insert(index, record);
        self.news.push(index);
    }

    /// What ended since the last call.
    pub fn take_news(&mut self) -> Vec<GateRecord> {
        let news = std::mem::take(&mut self.news);
        news.into_iter()
            .filter_map(|index| self.records.get(&index).cloned())
            .collect()
    }

    /// Whether something ended that nobody has taken yet.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Whether every gate has a record.
    pub fn is_done(&self) -> bool {
        self.news.is_empty() && self.states.iter().all(|s| *s == State::Done)
    }

    /// Whether the run was given up.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// One record for every declared gate, in their order.
    pub fn into_records(self) -> Vec<GateRecord> {
        self.records.into_values().collect()
    }
}

/// The record of a gate that needs one which did not pass.
pub fn held_back(gate: &Gate, need: &str, outcome: Outcome) -> GateRecord {
    GateRecord {
        outcome: Outcome::Skipped,
        skipped: Some(SkipReason::Dependency),
        reason: Some(needs(need, outcome)),
        ..blank(gate)
    }
}

/// Why a gate is held back: what it needs, and how that ended.
pub fn needs(need: &str, outcome: Outcome) -> String {
    format!("needs `{need}`, which {}", ended(outcome))
}

/// The first need of a gate that does not stand, and how it ended.
pub fn lost<'g>(gate: &'g Gate, records: &[GateRecord]) -> Option<(&'g str, Outcome)> {
    gate.needs.iter().find_map(|id| {
        let ended = records.iter().find(|r| r.id == *id)?.standing();
        (ended != Outcome::Passed).then_some((id.as_str(), ended))
    })
}

/// How a gate ended, as it reads after "which".
fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Unmeasured => "could not be measured",
        Outcome::Skipped => "was skipped",
        Outcome::Pending => "is pending",
    }
}
