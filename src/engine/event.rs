//! What happens during a run, as a stream that every display consumes.

use std::time::Duration;

use crate::record::{GateRecord, Outcome};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run starts with so many gates.
    Started {
        /// Gates that will run.
        total: usize,
    },
    /// A gate starts.
    GateStarted {
        /// Its id.
        id: String,
    },
    /// A probe tells what it is doing.
    Progress {
        /// Of which gate.
        id: String,
        /// In its own words; not yet masked.
        message: String,
    },
    /// An attempt ended and another follows.
    Retrying {
        /// Of which gate.
        id: String,
        /// The attempt that ended, from 1.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// Why.
        reason: Option<String>,
        /// Pause before the next.
        delay: Duration,
    },
    /// A gate ended.
    GateEnded {
        /// Everything about it.
        record: Box<GateRecord>,
    },
}
