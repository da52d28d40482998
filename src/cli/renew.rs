//! What `gate` looks at anew: the clock. A window that was open when the record was made may be
//! closed by the time that people have signed. Pure.

use jiff::Timestamp;
use readygate_sdk::ProbeError;
use readygate_window::{GITLAB, WindowConfig};
use serde_json::Value;

use crate::{
    config::Gate,
    engine,
    expect::Baseline,
    record::{Attempt, GateRecord, Outcome},
};

/// Replaces the record of a `window` gate by what it is at `now`; every other gate stays.
pub fn renew(gate: &Gate, record: &mut GateRecord, now: Timestamp, baseline: Baseline<'_>) {
    // What was held back by a gate that it needs stays so: that one is not measured again.
    if record.outcome == Outcome::Skipped {
        return;
    }
    let Some(config) = gate.probe.config().downcast_ref::<WindowConfig>() else {
        return;
    };
    let fresh = look(gate, config, now, baseline);
    // A series says more than a moment: of one that did not pass, a moment makes no other.
    if gate.sustain.is_some() && fresh.outcome == Outcome::Passed {
        return;
    }
    *record = fresh;
}

fn look(
    gate: &Gate,
    config: &WindowConfig,
    now: Timestamp,
    baseline: Baseline<'_>,
) -> GateRecord {
    let record = match measure(gate, config, now) {
        Ok(measurement) => engine::rejudge(gate, measurement, baseline),
        Err(error) => GateRecord {
            reason: Some(error.to_string()),
            error: Some(error),
            ..engine::blank(gate)
        },
    };
    let attempt = Attempt {
        number: 1,
        started: now,
        duration_s: 0.0,
        outcome: record.outcome,
        reason: record.reason.clone(),
    };
    GateRecord {
        attempts: vec![attempt],
        started: Some(now),
        ..record
    }
}

fn measure(gate: &Gate, config: &WindowConfig, now: Timestamp) -> Result<Value, ProbeError> {
    let gitlab = gate.environment.get(GITLAB).map(String::as_str);
    let state = readygate_window::state(config, now, gitlab)?;
    serde_json::to_value(state).map_err(|e| {
        let kind = readygate_sdk::ErrorKind::Internal;
        ProbeError::new(kind, &gate.id, "writing the measurement", e.to_string())
    })
}
