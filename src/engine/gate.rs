//! One gate: attempts, retries, sustained measurement.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    Context, Event,
    attempt::{Tried, attempt},
    judge::judge,
    sustain::sustained,
};
use crate::{
    config::{Gate, Retry, RetryOn},
    record::{Attempt, GateRecord, Outcome},
};

/// Runs a gate to its end. Never fails: whatever happens is in the record.
pub async fn run(gate: Arc<Gate>, context: Arc<Context>) -> GateRecord {
    let started = context.clock.now();
    let begun = Instant::now();
    let mut attempts = Vec::new();
    let (last, verdict) = match &gate.sustain {
        Some(sustain) => sustained(&gate, sustain, &context, &mut attempts).await,
        None => retried(&gate, gate.retry.as_ref(), &context, &mut attempts).await,
    };
    let mut record = blank(&gate);
    fill(&mut record, last);
    if let Some((outcome, reason)) = verdict {
        (record.outcome, record.reason) = (outcome, Some(reason));
    }
    record.flaky = record.outcome == Outcome::Passed
        && attempts
            .iter()
            .any(|attempt: &Attempt| attempt.outcome != Outcome::Passed);
    record.attempts = attempts;
    record.started = Some(started);
    record.duration_s = begun.elapsed().as_secs_f64();
    record
}

/// The attempt that stands for the gate, and what overrules its outcome.
pub type Ending = (Tried, Option<(Outcome, String)>);

async fn retried(
    gate: &Arc<Gate>,
    retry: Option<&Retry>,
    context: &Arc<Context>,
    attempts: &mut Vec<Attempt>,
) -> Ending {
    let most = retry.map_or(1, |r| r.attempts.max(1));
    let delay = retry
        .and_then(|r| r.delay)
        .map_or(Duration::from_secs(1), |d| d.0);
    let mut number = 1;
    loop {
        let result = attempt(gate, context, number, attempts).await;
        let again = number < most
            && retry.is_some_and(|r| worth_retrying(r, &result))
            && !context.is_over();
        if !again {
            return (result, None);
        }
        let _ = context.events.send(Event::Retrying {
            id: gate.id.clone(),
            attempt: number,
            outcome: result.outcome(),
            reason: result.reason(),
            delay,
        });
        if !context.pause(delay).await {
            return (result, None);
        }
        number += 1;
    }
}

/// Refused credentials stay refused, and a bug stays a bug.
fn worth_retrying(retry: &Retry, result: &Tried) -> bool {
    let wanted = match result.outcome() {
        Outcome::Failed => RetryOn::Failed,
        Outcome::Unmeasured => RetryOn::Unmeasured,
        Outcome::Passed | Outcome::Skipped | Outcome::Pending => return false,
    };
    retry.on.contains(&wanted)
        && result
            .judged
            .as_ref()
            .err()
            .is_none_or(|e| e.kind.is_transient())
}

fn fill(record: &mut GateRecord, result: Tried) {
    record.outcome = result.outcome();
    record.reason = result.reason();
    record.measurement = result.measurement;
    match result.judged {
        Ok(judgement) => {
            let own = |(n, m): (&str, &readygate_sdk::Metric)| (n.to_owned(), m.clone());
            record.metrics = judgement.metrics.iter().map(own).collect();
            let absent = judgement.metrics.iter_absent();
            record.absent_metrics = absent.map(|(n, r)| (n.to_owned(), r.to_owned())).collect();
            record.checks = judgement.checks;
        }
        Err(error) => record.error = Some(error),
    }
}

/// Fills a record from a measurement that was taken earlier.
pub fn rejudge(
    gate: &Gate,
    measurement: Value,
    baseline: crate::expect::Baseline<'_>,
) -> GateRecord {
    let mut record = blank(gate);
    let judged = judge(gate, &measurement, baseline);
    fill(
        &mut record,
        Tried {
            measurement: Some(measurement),
            judged,
        },
    );
    record
}

/// The record of a gate of which nothing is known yet.
pub fn blank(gate: &Gate) -> GateRecord {
    GateRecord {
        id: gate.id.clone(),
        title: gate.title.clone(),
        section: gate.section.clone(),
        owner: gate.owner.clone(),
        severity: gate.severity,
        stages: gate.stages.clone(),
        tags: gate.tags.clone(),
        probe: gate.probe.meta().id.to_owned(),
        source: gate.source.clone(),
        location: gate.location.clone(),
        outcome: Outcome::Unmeasured,
        skipped: None,
        reason: None,
        error: None,
        flaky: false,
        measurement: None,
        metrics: BTreeMap::new(),
        absent_metrics: BTreeMap::new(),
        checks: Vec::new(),
        waived: Vec::new(),
        attempts: Vec::new(),
        started: None,
        duration_s: 0.0,
    }
}
