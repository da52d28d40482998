//! Statements to outcomes: the end of every run.

use readygate_sdk::{Check, CheckOutcome, Metrics};
use readygate_signoff::{ANSWER, Decision, MISSING, SignoffMeasurement};

use super::{
    found,
    matter::{Matter, Settled},
    ready,
    scene::{Inputs, Scene},
    signature::Trust,
    verify::{self, Examined},
};
use crate::{
    config::Gate,
    engine, expect,
    record::{GateRecord, Outcome, Run},
    verdict,
};

/// No release is signed by more people for one sign-off.
const MOST_APPROVALS: u64 = 100;

/// Decides every sign-off that the run waits for, and the verdict anew.
pub fn resolve(run: &mut Run, inputs: &Inputs<'_>) {
    run.decided = (inputs.now > run.finished).then_some(inputs.now);
    let waits = |(gate, record): &(&&Gate, &GateRecord)| {
        gate.signoff().is_some() && record.outcome == Outcome::Pending
    };
    let pairs = inputs.gates.iter().zip(&run.gates).enumerate();
    let open: Vec<usize> = pairs
        .filter(|(_, pair)| waits(pair))
        .map(|(at, _)| at)
        .collect();
    // A name that may lead elsewhere tomorrow is none to keep, whether anybody signs or not.
    if open.is_empty() && (!inputs.fresh || run.target.commit.is_none()) {
        return;
    }
    let scene = Scene::new(run, inputs);
    // A branch moves on; what was measured is the commit that it leads to now.
    if scene.commit.is_some() && (inputs.fresh || run.target.commit.is_none()) {
        run.target.commit.clone_from(&scene.commit);
    }
    if open.is_empty() {
        return;
    }
    let looked = scene
        .trust(inputs.trust)
        .and_then(|trust| look(&trust, &scene, run));
    let (examined, impossible) = match looked {
        Ok(examined) => (examined, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let matter = Matter {
        scene: &scene,
        examined: &examined,
        impossible: impossible.as_deref(),
    };
    let Settled { ready, answers } = matter.settled(run, &open, inputs);
    ready::hold_back(&open, &ready, inputs.gates, &mut run.gates);
    for at in ready {
        let gate = inputs.gates[at];
        if let Some(config) = gate.signoff() {
            let measurement = matter.measurement(at, config, &answers);
            judge(gate, &measurement, &mut run.gates[at]);
        }
    }
    order(inputs.gates, &mut run.gates);
    ready::tell_unfreed(inputs.gates, &mut run.gates);
    run.signoffs = matter.records(run, &answers);
    verdict::settle(run, &inputs.config.required);
}

fn look(trust: &Trust, scene: &Scene<'_>, run: &Run) -> Result<Vec<Examined>, String> {
    let found = found::find(&scene.directory)?;
    let examined = found.iter();
    Ok(examined
        .filter_map(|found| verify::examine(found, trust, scene, run))
        .collect())
}

/// Judges like any other measurement. Where only a signature or an answer in one is missing,
/// nothing has failed: somebody is waited for.
fn judge(gate: &Gate, measurement: &SignoffMeasurement, record: &mut GateRecord) {
    let Ok(value) = serde_json::to_value(measurement) else {
        return;
    };
    let mut judged = engine::rejudge(gate, value, None);
    let waits = |rule: &str| {
        rule == MISSING.code || rule == ANSWER.code || may_come(rule, gate, measurement)
    };
    let failed: Vec<_> = judged.failures().collect();
    let only_waits = !failed.is_empty() && failed.iter().all(|check| waits(&check.rule));
    if only_waits {
        ask(measurement, &mut judged);
    }
    let outcome = if only_waits {
        Outcome::Pending
    } else {
        judged.outcome
    };
    *record = GateRecord { outcome, ..judged };
}

/// Whether an expectation that is not met will be by another signature: by one more, or by one that
/// is made now. Too many approvals are a failure.
fn may_come(rule: &str, gate: &Gate, measurement: &SignoffMeasurement) -> bool {
    if measurement.counting(Decision::Reject).next().is_some() {
        return false;
    }
    if rule == "expect/age" {
        return true;
    }
    let approvals = measurement.counting(Decision::Approve).count() as u64;
    let mut more = approvals + 1..=approvals.max(MOST_APPROVALS);
    rule == "expect/approvals"
        && more.any(|count| {
            let mut metrics = Metrics::new();
            metrics.count("approvals", count);
            let own = gate.expect.iter().filter(|e| e.metric == "approvals");
            let checks = own.flat_map(|e| expect::evaluate(e, &metrics, None));
            checks
                .into_iter()
                .all(|c| c.outcome == CheckOutcome::Passed)
        })
}

/// What is to be done about a signature that is not enough.
fn ask(measurement: &SignoffMeasurement, record: &mut GateRecord) {
    let Some(request) = &measurement.request else {
        return;
    };
    let command = format!("readygate sign {request} --role {}", measurement.role);
    let failed = |check: &&mut Check| check.outcome == CheckOutcome::Failed;
    let checks = record.checks.iter_mut().filter(failed);
    for check in checks.filter(|check| check.rule.starts_with("expect/")) {
        check.hint.get_or_insert_with(|| command.clone());
    }
}

/// A sign-off that needs another one waits for it. Only what is decided so far can lose by it.
fn order(gates: &[&Gate], records: &mut [GateRecord]) {
    let mut settled = false;
    while !settled {
        settled = true;
        for (at, gate) in gates.iter().enumerate() {
            if gate.signoff().is_none() || records[at].measurement.is_none() {
                continue;
            }
            let Some((need, ended)) = engine::lost(gate, records) else {
                continue;
            };
            // A rejection is a rejection, in whatever order it comes.
            if records[at].outcome == Outcome::Failed {
                continue;
            }
            records[at] = match ended {
                Outcome::Pending => GateRecord {
                    outcome: Outcome::Pending,
                    reason: Some(engine::needs(need, ended)),
                    ..engine::blank(gate)
                },
                ended => engine::held_back(gate, need, ended),
            };
            settled = false;
        }
    }
}
