//! What a watch says while it runs and when it ends.

use std::time::Duration;

use readygate_sdk::Unit;

use crate::{
    record::{Advice, Decision, Samples},
    release::watch::{Notice, Settings},
};

/// `watching 3 gates for 15 min, a sample every 30 s`
pub fn opening(gates: usize, settings: &Settings) -> String {
    format!(
        "watching {} for {}, a sample every {}",
        readygate_sdk::count_of(gates as u64, "gate", "gates"),
        seconds(settings.duration),
        seconds(settings.every)
    )
}

/// One line a minute, so that no CI takes silence for a hang.
pub fn heartbeat(elapsed: Duration, settings: &Settings, samples: Samples) -> String {
    let Samples {
        n,
        clean,
        failed,
        unknown,
        ..
    } = samples;
    format!(
        "watch      {} of {}: {}, {clean} clean, {failed} failed, {unknown} could not tell",
        seconds(Duration::from_secs(elapsed.as_secs())),
        seconds(settings.duration),
        readygate_sdk::count_of(n.into(), "sample", "samples")
    )
}

/// A change in the state of the breach.
pub fn notice(notice: &Notice, why: impl Fn(&str) -> Option<String>) -> String {
    let told = |gates: &[String]| {
        let told = gates.iter().map(|id| match why(id) {
            Some(reason) => format!("{id} ({reason})"),
            None => id.clone(),
        });
        told.collect::<Vec<_>>().join(", ")
    };
    match notice {
        Notice::Suspected(gates) => format!("suspected  {}; looking again at once", told(gates)),
        Notice::Confirmed(gates) => format!("breach     {}", told(gates)),
        Notice::Cleared(gates) => format!("cleared    {}", gates.join(", ")),
    }
}

/// The decision in a few lines.
pub fn conclusion(decision: &Decision) -> Vec<String> {
    let word = match decision.decision {
        Advice::Accept => "ACCEPT: keep the deployment",
        Advice::Hold => "HOLD: do not go on yet",
        Advice::Rollback => "ROLLBACK: roll the deployment back",
        Advice::Inconclusive => "INCONCLUSIVE: the watch could not tell",
    };
    let mut lines = vec![word.to_owned()];
    lines.extend(decision.reasons.iter().map(|r| format!("  {r}")));
    if let Some(deadline) = decision.deadline {
        lines.push(format!("  the rollback must have started by {deadline}"));
    }
    lines.extend(decision.bound.map(|b| format!("  {}", b.sentence())));
    lines.extend(
        decision
            .downtime
            .as_ref()
            .map(|d| format!("  downtime: {}", d.sentence())),
    );
    lines
}

fn seconds(duration: Duration) -> String {
    Unit::Seconds.format(duration.as_secs_f64())
}
