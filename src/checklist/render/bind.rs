//! Which gates answer which line.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    checklist::{
        scan::{Document, Line},
        source::Fill,
    },
    record::{GateRecord, Outcome, Run},
};

/// What the evidence says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is so.
    Passed,
    /// It is not so, and a waiver covers that until then.
    Waived(Timestamp),
    /// It is not so.
    Failed,
    /// Nobody knows: it could not be measured, a signature is missing.
    Open,
}

impl Status {
    /// Of one gate; `None` when it took no part in the run.
    pub fn of(gate: &GateRecord) -> Option<Self> {
        if !gate.is_selected() {
            return None;
        }
        if gate.is_waived() {
            let until = gate.waived.iter().map(|w| w.until).min();
            return until.map(Self::Waived);
        }
        Some(match gate.outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed => Self::Failed,
            Outcome::Unmeasured | Outcome::Skipped | Outcome::Pending => Self::Open,
        })
    }

    /// Whether the line is shown to be so or not to be so.
    pub const fn shows(self) -> Option<bool> {
        match self {
            Self::Passed | Self::Waived(_) => Some(true),
            Self::Failed => Some(false),
            Self::Open => None,
        }
    }

    /// Of two gates that answer one line: the worse, and not knowing is worse than a pass.
    pub fn and(self, other: Self) -> Self {
        let weight = |status: &Self| match status {
            Self::Passed => 0,
            Self::Waived(_) => 1,
            Self::Open => 2,
            Self::Failed => 3,
        };
        match (self, other) {
            (Self::Waived(a), Self::Waived(b)) => Self::Waived(a.min(b)),
            (a, b) if weight(&a) >= weight(&b) => a,
            (_, b) => b,
        }
    }
}

/// What answers one line.
#[derive(Debug, Default)]
pub struct Answers<'a> {
    /// Gates that the line is an item of.
    pub gates: Vec<&'a GateRecord>,
    /// Blanks and choices that take a value.
    pub fills: Vec<(&'a Fill, &'a GateRecord)>,
}

impl<'a> Answers<'a> {
    /// What the gates say together; `None` when none of them took part in the run.
    pub fn status(&self) -> Option<Status> {
        let known = self.gates.iter().filter_map(|gate| Status::of(gate));
        known.reduce(Status::and)
    }

    /// Every gate that has a say, once.
    pub fn all(&self) -> Vec<&'a GateRecord> {
        let mut all: Vec<&GateRecord> = Vec::new();
        let fills = self.fills.iter().map(|(_, gate)| *gate);
        for gate in self.gates.iter().copied().chain(fills) {
            if gate.is_selected() && !all.iter().any(|g| g.id == gate.id) {
                all.push(gate);
            }
        }
        all
    }
}

/// Lines by anchor, and by the gate that the document names itself.
#[derive(Debug, Default)]
pub struct Bindings<'a> {
    by_anchor: HashMap<&'a str, Answers<'a>>,
    by_id: HashMap<&'a str, Answers<'a>>,
    primary: Vec<(&'a str, &'a str)>,
}

impl<'a> Bindings<'a> {
    /// Of the gates of a run.
    pub fn of(run: &'a Run) -> Self {
        let mut bindings = Self::default();
        for gate in &run.gates {
            bindings.by_id.entry(&gate.id).or_default().gates.push(gate);
            let Some(source) = &gate.source else { continue };
            bindings.primary.push((&source.anchor, &gate.id));
            for anchor in std::iter::once(&source.anchor).chain(&source.also) {
                let answers = bindings.by_anchor.entry(anchor).or_default();
                if !answers.gates.iter().any(|g| g.id == gate.id) {
                    answers.gates.push(gate);
                }
            }
            for fill in &source.fills {
                let answers = bindings.by_anchor.entry(&fill.anchor).or_default();
                answers.fills.push((fill, gate));
            }
        }
        bindings
    }

    /// What answers a line.
    pub fn at(&self, line: &Line) -> Option<&Answers<'a>> {
        let named = line.pin.as_deref().and_then(|id| self.by_id.get(id));
        named.or_else(|| self.by_anchor.get(line.anchor.as_str()))
    }

    /// Gates whose own line the document does not have.
    pub fn lost(&self, document: &Document) -> Vec<String> {
        let has = |anchor: &str, id: &str| {
            document
                .lines
                .iter()
                .any(|line| line.anchor == anchor || line.pin.as_deref() == Some(id))
        };
        let lost = self.primary.iter().filter(|(anchor, id)| !has(anchor, id));
        lost.map(|(_, id)| (*id).to_owned()).collect()
    }
}
