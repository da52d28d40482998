//! The watch after a deployment, as a machine that is fed looks at the target and says what to do
//! next. Pure: no clock, no I/O. The words are those of Argo Rollouts' analysis.
//!
//! A failed blocking gate is a *suspected* breach and is looked at again at once. Failed twice in a
//! row it is *confirmed*. What could not be measured is no failure; too much of it has no conclusion.

mod decide;
mod settings;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::downtime::Sample;
use crate::record::{Breached, Samples};

pub use decide::{Ended, decide, under_way};
pub use settings::Settings;

/// What one look at one blocking gate found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// The target did not answer. That is a failure if it has answered before.
    Unreachable,
    /// It could not be told.
    Unknown,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Wait for the next sample.
    Wait,
    /// Look at these gates again at once.
    Again(Vec<String>),
    /// The watch is over.
    End(End),
}

/// Why a watch ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A breach was confirmed.
    Breach,
    /// A gate could not tell too often in a row.
    Blind {
        /// Which.
        gate: String,
        /// How often.
        errors: u32,
    },
}

/// Something that belongs in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Gates failed for the first time.
    Suspected(Vec<String>),
    /// They failed again, or one failed too often.
    Confirmed(Vec<String>),
    /// They passed again.
    Cleared(Vec<String>),
}

#[derive(Debug, Clone, Default)]
struct GateState {
    /// Failed scheduled samples.
    failures: u32,
    /// Failures in a row, looks at once included.
    streak: u32,
    /// Scheduled samples in a row that could not tell.
    errors: u32,
    /// Whether the target ever answered it.
    answered: bool,
    last: Option<Seen>,
}

/// The state of a watch.
#[derive(Debug, Clone)]
pub struct Machine {
    settings: Settings,
    gates: BTreeMap<String, GateState>,
    samples: Samples,
    looks: Vec<Sample>,
    /// Clean samples in a row, now.
    clean_in_a_row: u32,
    breach: Option<Breached>,
    notices: Vec<Notice>,
}

impl Machine {
    /// A watch on blocking gates; `answered` are those that the target answered before the watch,
    /// as the baseline knows.
    pub fn new<'a>(
        settings: Settings,
        gates: impl IntoIterator<Item = &'a str>,
        answered: impl Fn(&str) -> bool,
    ) -> Self {
        let state = |id: &str| GateState {
            answered: answered(id),
            ..GateState::default()
        };
        Self {
            gates: gates
                .into_iter()
                .map(|id| (id.to_owned(), state(id)))
                .collect(),
            samples: Samples {
                planned: settings.planned(),
                ..Samples::default()
            },
            settings,
            looks: Vec::new(),
            clean_in_a_row: 0,
            breach: None,
            notices: Vec::new(),
        }
    }

    /// Takes in a scheduled sample. A blocking gate that is missing from `seen` could not tell.
    /// `online` says whether the runner's own connection is known to work.
    pub fn sample(&mut self, at: Timestamp, seen: &[(String, Seen)], online: bool) -> Next {
        self.samples.n += 1;
        let judged: Vec<(String, Seen)> = self
            .gates
            .iter()
            .map(|(id, state)| {
                let found = seen.iter().find(|(name, _)| name == id);
                (
                    id.clone(),
                    judged(state, found.map_or(Seen::Unknown, |(_, s)| *s), online),
                )
            })
            .collect();
        for (id, seen) in &judged {
            self.note(id, *seen, true);
        }
        self.count(&judged);
        self.look(at);
        if let Some(next) = self.confirmed(at) {
            return next;
        }
        self.clear();
        let failed: Vec<String> = of(&judged, Seen::Failed);
        if !failed.is_empty() {
            self.suspect(at, &failed);
            return Next::Again(failed);
        }
        self.flapping(at)
            .or_else(|| self.blind())
            .unwrap_or(Next::Wait)
    }

    /// Takes in a look at some gates that was taken at once after a failure.
    pub fn again(&mut self, at: Timestamp, seen: &[(String, Seen)], online: bool) -> Next {
        self.samples.repeated += 1;
        for (id, found) in seen {
            let Some(state) = self.gates.get(id) else {
                continue;
            };
            let found = judged(state, *found, online);
            self.note(id, found, false);
        }
        self.look(at);
        if let Some(next) = self.confirmed(at) {
            return next;
        }
        self.clear();
        self.flapping(at)
            .or_else(|| self.blind())
            .unwrap_or(Next::Wait)
    }

    /// What happened since it was asked last, for the history.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// What the last look found of all gates: those that failed, those that could not tell, and
    /// whether the target was down.
    pub fn last(&self) -> (Vec<String>, Vec<String>, Option<bool>) {
        let with = |wanted: Seen| {
            let gates = self.gates.iter().filter(|(_, s)| s.last == Some(wanted));
            gates.map(|(id, _)| id.clone()).collect()
        };
        (
            with(Seen::Failed),
            with(Seen::Unknown),
            self.looks.last().and_then(|l| l.down),
        )
    }

    /// The breach, suspected or confirmed.
    pub fn breach(&self) -> Option<&Breached> {
        self.breach.as_ref()
    }

    /// Samples so far.
    pub fn samples(&self) -> Samples {
        self.samples
    }

    fn note(&mut self, id: &str, seen: Seen, scheduled: bool) {
        let Some(state) = self.gates.get_mut(id) else {
            return;
        };
        state.last = Some(seen);
        match seen {
            Seen::Passed => {
                (state.streak, state.errors, state.answered) = (0, 0, true);
            }
            Seen::Failed => {
                state.streak += 1;
                (state.errors, state.answered) = (0, true);
                state.failures += u32::from(scheduled);
            }
            Seen::Unreachable | Seen::Unknown => state.errors += u32::from(scheduled),
        }
    }

    fn count(&mut self, judged: &[(String, Seen)]) {
        let any = |wanted| judged.iter().any(|(_, seen)| *seen == wanted);
        if any(Seen::Failed) {
            self.samples.failed += 1;
        } else if any(Seen::Unknown) {
            self.samples.unknown += 1;
        } else {
            self.samples.clean += 1;
            self.clean_in_a_row += 1;
            return;
        }
        self.clean_in_a_row = 0;
    }

    /// Whether the target is down, by the gates that tell.
    fn look(&mut self, at: Timestamp) {
        let telling = self.gates.iter().filter(|(id, _)| self.settings.tells(id));
        let found: Vec<Option<Seen>> = telling.map(|(_, state)| state.last).collect();
        let down = match () {
            () if found.contains(&Some(Seen::Failed)) => Some(true),
            () if !found.is_empty() && found.iter().all(|s| *s == Some(Seen::Passed)) => {
                Some(false)
            }
            () => None,
        };
        self.looks.push(Sample { at, down });
    }

    fn suspect(&mut self, at: Timestamp, gates: &[String]) {
        if self.breach.is_none() {
            self.notices.push(Notice::Suspected(gates.to_vec()));
        }
        let breach = self.breach.get_or_insert_with(|| Breached {
            gates: Vec::new(),
            suspected: at,
            confirmed: None,
            flapping: false,
        });
        for gate in gates {
            if !breach.gates.contains(gate) {
                breach.gates.push(gate.clone());
            }
        }
    }

    fn confirmed(&mut self, at: Timestamp) -> Option<Next> {
        let twice = self.gates.iter().filter(|(_, s)| s.streak >= 2);
        let twice: Vec<String> = twice.map(|(id, _)| id.clone()).collect();
        (!twice.is_empty()).then(|| self.breached(at, twice, false))
    }

    fn flapping(&mut self, at: Timestamp) -> Option<Next> {
        let limit = self.settings.failure_limit;
        let often = self.gates.iter().filter(|(_, s)| s.failures > limit);
        let often: Vec<String> = often.map(|(id, _)| id.clone()).collect();
        (!often.is_empty()).then(|| self.breached(at, often, true))
    }

    fn breached(&mut self, at: Timestamp, gates: Vec<String>, flapping: bool) -> Next {
        let suspected = self.breach.as_ref().map(|breach| breach.suspected);
        if suspected.is_none() {
            self.notices.push(Notice::Suspected(gates.clone()));
        }
        self.notices.push(Notice::Confirmed(gates.clone()));
        self.breach = Some(Breached {
            gates,
            suspected: suspected.unwrap_or(at),
            confirmed: Some(at),
            flapping,
        });
        Next::End(End::Breach)
    }

    /// A suspicion ends when none of its gates stands at a failure any more.
    fn clear(&mut self) {
        let open = |id: &String| self.gates.get(id).is_some_and(|s| s.streak > 0);
        if let Some(breach) = self.breach.take_if(|b| !b.gates.iter().any(open)) {
            self.notices.push(Notice::Cleared(breach.gates));
        }
    }

    fn blind(&self) -> Option<Next> {
        let limit = self.settings.consecutive_error_limit;
        let (gate, state) = self.gates.iter().find(|(_, s)| s.errors > limit)?;
        Some(Next::End(End::Blind {
            gate: gate.clone(),
            errors: state.errors,
        }))
    }
}

/// A target that answered before and does not now is down, unless it is the runner that is offline.
fn judged(state: &GateState, seen: Seen, online: bool) -> Seen {
    match seen {
        Seen::Unreachable if state.answered && online => Seen::Failed,
        Seen::Unreachable => Seen::Unknown,
        other => other,
    }
}

fn of(judged: &[(String, Seen)], wanted: Seen) -> Vec<String> {
    let matching = judged.iter().filter(|(_, seen)| *seen == wanted);
    matching.map(|(id, _)| id.clone()).collect()
}

#[cfg(test)]
mod tests;
