//! Runs a plan: gates side by side, each under its own deadline, events out, records back.

mod attempt;
mod event;
mod gate;
mod judge;
mod schedule;
mod sustain;

use std::{collections::HashMap, sync::Arc, time::Duration};

use readygate_sdk::{Clock, Cx, ErrorKind, Masker, ProbeError, Target};
use tokio::{sync::mpsc::UnboundedSender, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Gate,
    expect::Baseline,
    plan::Plan,
    record::{GateRecord, Outcome, Run},
    waiver::{self, Waivers},
};

pub use event::Event;
pub use gate::{blank, rejudge};
pub use judge::sentence;
use schedule::Schedule;
pub use schedule::{held_back, lost, needs};

/// What all gates of a run share.
pub struct Context {
    /// The system to be released.
    pub target: Target,
    /// Folder that relative paths resolve against.
    pub directory: std::path::PathBuf,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Ends everything: a signal, or the deadline of the run.
    pub cancel: CancellationToken,
    /// When the run must be over.
    pub deadline: Option<Instant>,
    /// A record of an earlier run, for relative expectations.
    pub baseline: Option<Run>,
    /// What is waived: a gate whose failures are all waived holds nothing up.
    pub waivers: Waivers,
    /// The secrets of the run.
    pub masker: Arc<Masker>,
    /// Where events go.
    pub events: UnboundedSender<Event>,
}

impl Context {
    fn cx(&self, gate: &Gate, timeout: Duration) -> Cx {
        Cx::builder(timeout)
            .target(self.target.clone())
            .directory(self.directory.clone())
            .environment(gate.environment.as_ref().clone())
            .cancellation(self.cancel.clone())
            .clock(Arc::clone(&self.clock))
            .masker(Arc::clone(&self.masker))
            .progress(attempt::throttled(gate.id.clone(), self.events.clone()))
            .build()
    }

    fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |d| {
            d.saturating_duration_since(Instant::now())
        })
    }

    fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.remaining().is_zero()
    }

    /// Waits; `false` when the run ended meanwhile.
    async fn pause(&self, delay: Duration) -> bool {
        let delay = delay.min(self.remaining());
        tokio::select! {
            () = self.cancel.cancelled() => false,
            () = tokio::time::sleep(delay) => !self.is_over(),
        }
    }

    fn why_over(&self) -> String {
        if self.remaining().is_zero() {
            "the deadline of the run passed".to_owned()
        } else {
            "the run was interrupted".to_owned()
        }
    }

    /// A probe only knows that its time was over or that it was stopped; the run knows why.
    fn explain(&self, mut error: ProbeError) -> ProbeError {
        if error.kind == ErrorKind::Cancelled && self.is_over() {
            error.message = self.why_over();
        }
        if error.kind == ErrorKind::Timeout && self.remaining().is_zero() {
            error.message += "; the deadline of the run passed";
        }
        error
    }

    /// Metrics of the baseline for a gate.
    pub fn baseline_of(&self, id: &str) -> Baseline<'_> {
        baseline_of(self.baseline.as_ref(), id)
    }
}

/// Metrics of an earlier run for a gate. A gate that failed then is no baseline.
pub fn baseline_of<'a>(earlier: Option<&'a Run>, id: &str) -> Baseline<'a> {
    let gate = earlier?.gates.iter().find(|g| g.id == id)?;
    (gate.outcome != Outcome::Failed).then_some(&gate.metrics)
}

/// Runs all gates of the plan and gives one record for every declared gate, in their order.
pub async fn run(
    gates: &[Arc<Gate>],
    plan: &Plan,
    concurrency: usize,
    context: &Arc<Context>,
) -> Vec<GateRecord> {
    let total = plan.choices.iter().filter(|c| c.runs()).count();
    let _ = context.events.send(Event::Started { total });
    let mut schedule = Schedule::new(gates, plan);
    let mut running = JoinSet::new();
    let mut tasks = HashMap::new();
    loop {
        if context.is_over() {
            schedule.abandon(&context.why_over());
        }
        schedule.settle_skipped();
        for record in schedule.take_news() {
            // A sign-off has not ended; whoever decides it tells.
            if record.outcome == Outcome::Pending {
                continue;
            }
            let _ = context.events.send(Event::GateEnded {
                record: Box::new(record),
            });
        }
        while let Some(index) = schedule.next(running.len(), concurrency) {
            let gate = Arc::clone(&gates[index]);
            if gate.signoff().is_some() {
                schedule.end(index, awaiting(&gate));
                continue;
            }
            let _ = context.events.send(Event::GateStarted {
                id: gate.id.clone(),
            });
            let handle = running.spawn(gate::run(gate, Arc::clone(context)));
            tasks.insert(handle.id(), index);
        }
        if running.is_empty() {
            if schedule.has_news() {
                continue;
            }
            if schedule.is_done() {
                break;
            }
            // Nothing runs and nothing can start: only a circle of needs does that.
            schedule.abandon("it waits for a gate that never ends");
            continue;
        }
        let ended = tokio::select! {
            ended = running.join_next_with_id() => ended,
            () = over(context), if !schedule.is_abandoned() => continue,
        };
        let Some(ended) = ended else { continue };
        let (id, record) = match ended {
            Ok((id, record)) => (id, Some(record)),
            Err(join) => (join.id(), None),
        };
        if let Some(index) = tasks.remove(&id) {
            let mut record = record.unwrap_or_else(|| crashed(&gates[index]));
            record.waived = waiver::mark(&context.waivers, &record, context.clock.now());
            schedule.end(index, record);
        }
    }
    schedule.into_records()
}

/// A sign-off is decided when everything else is known, by `signoff::resolve`.
pub fn awaiting(gate: &Gate) -> GateRecord {
    GateRecord {
        outcome: Outcome::Pending,
        ..blank(gate)
    }
}

async fn over(context: &Context) {
    match context.deadline {
        Some(deadline) => tokio::select! {
            () = context.cancel.cancelled() => {}
            () = tokio::time::sleep_until(deadline) => {}
        },
        None => context.cancel.cancelled().await,
    }
}

/// The probe runs in a task of its own; a crash out here is ours.
fn crashed(gate: &Gate) -> GateRecord {
    let error = ProbeError::new(
        ErrorKind::Internal,
        &gate.id,
        "running the gate",
        "the engine crashed; this is a bug in readygate",
    );
    GateRecord {
        reason: Some(error.to_string()),
        error: Some(error),
        ..blank(gate)
    }
}
