//! One attempt: measure, judge, and survive whatever the probe does.

use std::{sync::Arc, time::Duration};

use readygate_sdk::{ErrorKind, ProbeError};
use serde_json::Value;
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{
    Context, Event,
    judge::{Judgement, judge},
};
use crate::{
    config::Gate,
    record::{Attempt, Outcome},
};

/// A probe that reports what it has at its deadline gets this long to do so.
const GRACE: Duration = Duration::from_millis(500);
/// Progress messages of one gate come at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What one attempt brought.
pub struct Tried {
    /// What the probe brought back.
    pub measurement: Option<Value>,
    /// What it amounts to.
    pub judged: Result<Judgement, ProbeError>,
}

impl Tried {
    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.judged
            .as_ref()
            .map_or(Outcome::Unmeasured, |j| j.outcome)
    }

    /// One sentence, unless it passed.
    pub fn reason(&self) -> Option<String> {
        match &self.judged {
            Ok(judgement) => judgement.reason.clone(),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// Measures and judges once, and notes it.
pub async fn attempt(
    gate: &Arc<Gate>,
    context: &Arc<Context>,
    number: u32,
    attempts: &mut Vec<Attempt>,
) -> Tried {
    let started = context.clock.now();
    let begun = Instant::now();
    let result = measure(gate, context).await;
    attempts.push(Attempt {
        number,
        started,
        duration_s: begun.elapsed().as_secs_f64(),
        outcome: result.outcome(),
        reason: result.reason(),
    });
    result
}

/// Measures in a task of its own, so that a panic or a probe that blocks its thread ends this
/// gate and no other.
async fn measure(gate: &Arc<Gate>, context: &Arc<Context>) -> Tried {
    let timeout = gate.timeout.min(context.remaining());
    let cx = context.cx(gate, timeout);
    let task = {
        let (gate, context) = (Arc::clone(gate), Arc::clone(context));
        tokio::spawn(async move {
            let measurement = gate.probe.measure(&cx).await?;
            let judged = judge(&gate, &measurement, context.baseline_of(&gate.id));
            Ok::<_, ProbeError>((measurement, judged))
        })
    };
    let abort = task.abort_handle();
    let interrupted = async {
        context.cancel.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let joined = tokio::select! {
        joined = tokio::time::timeout(timeout + GRACE, task) => joined.ok(),
        () = interrupted => None,
    };
    let failed = |kind, message: String| Tried {
        measurement: None,
        judged: Err(ProbeError::new(kind, &gate.id, "measuring", message)),
    };
    match joined {
        Some(Ok(Ok((measurement, judged)))) => Tried {
            measurement: Some(measurement),
            judged,
        },
        Some(Ok(Err(error))) => Tried {
            measurement: None,
            judged: Err(context.explain(error)),
        },
        Some(Err(join)) => failed(ErrorKind::Internal, panic_message(join)),
        None if context.cancel.is_cancelled() => {
            abort.abort();
            failed(ErrorKind::Cancelled, context.why_over())
        }
        None => {
            abort.abort();
            let limit = readygate_sdk::Unit::Seconds.format(timeout.as_secs_f64());
            failed(
                ErrorKind::Timeout,
                format!("did not end at its deadline of {limit} and was cut off"),
            )
        }
    }
}

fn panic_message(join: tokio::task::JoinError) -> String {
    let text = join.try_into_panic().ok().and_then(|payload| {
        let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
    });
    format!(
        "the probe panicked: {}; this is a bug in readygate",
        text.as_deref().unwrap_or("no message")
    )
}

/// A progress callback that keeps a chatty probe from flooding the stream.
pub fn throttled(id: String, events: UnboundedSender<Event>) -> impl Fn(&str) + Send + Sync {
    let last = std::sync::Mutex::new(None::<Instant>);
    move |message| {
        let Ok(mut last) = last.lock() else { return };
        if last.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY) {
            *last = Some(Instant::now());
            let message = readygate_sdk::excerpt(message, 200);
            let _ = events.send(Event::Progress {
                id: id.clone(),
                message,
            });
        }
    }
}
