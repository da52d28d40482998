//! Statements to outcomes: the end of every run.

use readygate_sdk::{CheckOutcome, Level};
use readygate_signoff::{ANSWER, MISSING, SignoffMeasurement};

use super::{
    found,
    matter::Matter,
    scene::{Inputs, Scene},
    signature::Trust,
    verify::{self, Examined},
};
use crate::{
    config::Gate,
    engine,
    record::{GateRecord, Outcome, Run, SkipReason},
    verdict,
};

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
    if open.is_empty() {
        return;
    }
    let scene = Scene::new(run, inputs);
    // A branch moves on; what was measured is the commit that it leads to now.
    if scene.commit.is_some() && (inputs.fresh || run.target.commit.is_none()) {
        run.target.commit.clone_from(&scene.commit);
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
    let answers = matter.settled(run, &open, inputs);
    for at in open {
        let gate = inputs.gates[at];
        if let Some(config) = gate.signoff() {
            let measurement = matter.measurement(at, config, &answers);
            judge(gate, &measurement, &mut run.gates[at]);
        }
    }
    order(inputs.gates, &mut run.gates);
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
    let Ok(measurement) = serde_json::to_value(measurement) else {
        return;
    };
    let judged = engine::rejudge(gate, measurement, None);
    let waits = |rule: &str| rule == MISSING.code || rule == ANSWER.code;
    let mut failed = judged
        .checks
        .iter()
        .filter(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Error)
        .peekable();
    let only_waits = failed.peek().is_some() && failed.all(|check| waits(&check.rule));
    let outcome = if only_waits {
        Outcome::Pending
    } else {
        judged.outcome
    };
    *record = GateRecord { outcome, ..judged };
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
            let need = gate.needs.iter().find_map(|id| {
                let need = records.iter().find(|r| r.id == *id)?;
                (need.standing() != Outcome::Passed).then_some((id, need.standing()))
            });
            let Some((need, ended)) = need else { continue };
            // A rejection is a rejection, in whatever order it comes.
            if records[at].outcome == Outcome::Failed {
                continue;
            }
            let waits = ended == Outcome::Pending;
            records[at] = GateRecord {
                outcome: if waits {
                    Outcome::Pending
                } else {
                    Outcome::Skipped
                },
                skipped: (!waits).then_some(SkipReason::Dependency),
                reason: Some(format!("needs `{need}`, which {}", engine::ended(ended))),
                ..engine::blank(gate)
            };
            settled = false;
        }
    }
}
