//! Boxes that no gate answers: what the run and the history of the release themselves show.

use super::{Evidence, bind::Status};
use crate::record::{GateRecord, Outcome, Severity, Verdict};

/// Facts that tick a box.
pub const BOXES: &[&str] = &[
    "breach.confirmed",
    "release.failed",
    "release.issues",
    "release.success",
    "rollback.in-time",
    "run.complete",
    "run.no-blockers",
    "run.signed",
    "section.passed",
    "window.open",
];

/// What a fact says of its box; `None` for facts that fill in blanks, and for what is not known.
pub fn status(fact: &str, gate: &GateRecord, evidence: Evidence<'_>) -> Option<Status> {
    let gates = &evidence.run.gates;
    let history = evidence.history;
    match fact {
        // Every gate of the policy, not only those of the stages that ran.
        "run.complete" => all(gates.iter()),
        "run.signed" => all(gates.iter().filter(|g| g.probe == "signoff")),
        // A blocker of a stage that did not run may remain. Those of a rollback only remain after one.
        "run.no-blockers" => all(gates.iter().filter(|g| {
            let pending = g.probe == "signoff" && g.outcome == Outcome::Pending;
            let rolled_back = history.is_some_and(|h| h.rollback.is_some());
            let other = g.stages == ["rollback"] && !g.is_selected() && !rolled_back;
            g.severity == Severity::Blocker && !pending && !other
        })),
        "section.passed" => all(gates
            .iter()
            .filter(|g| g.section == gate.section && g.id != gate.id)),
        "window.open" => {
            // Without declared windows nothing was looked at.
            let history = history?;
            match (history.window.is_empty(), history.window_ok) {
                (false, _) => Some(Status::Failed),
                (true, Some(_)) => Some(Status::Passed),
                (true, None) => None,
            }
        }
        "breach.confirmed" => {
            let confirmed = history?.breaches.iter().any(|b| b.confirmed.is_some());
            confirmed.then_some(Status::Passed)
        }
        "rollback.in-time" => {
            let within = history?.rollback_within.as_ref()?;
            let failed = within.failed(evidence.run.finished)?;
            Some(if failed {
                Status::Failed
            } else {
                Status::Passed
            })
        }
        // One of the three boxes; the others stay open.
        "release.failed" => history?.rollback.map(|_| Status::Passed),
        "release.success" => outcome(evidence)?.then_some(Status::Passed),
        "release.issues" => (!outcome(evidence)?).then_some(Status::Passed),
        _ => None,
    }
}

/// All of them passed, at least one; a failure outweighs what is not known.
fn all<'a>(gates: impl Iterator<Item = &'a GateRecord>) -> Option<Status> {
    let each = gates.map(|g| Status::of(g).unwrap_or(Status::Open));
    each.reduce(Status::and)
}

/// Whether an accepted release has nothing to report; `None` for one that is not accepted, or that no
/// watch accepted after its last deployment.
fn outcome(evidence: Evidence<'_>) -> Option<bool> {
    let history = evidence.history?;
    let (accepted, deployed) = (history.accepted?, history.finished()?);
    let decision = history.decision.as_ref()?;
    let watched = !history.watching && decision.decision == "accept" && decision.at >= deployed;
    if !watched || accepted < deployed {
        return None;
    }
    if history.rollback.is_some() || evidence.run.verdict != Verdict::Go {
        return None;
    }
    let issues =
        evidence.run.counts.warnings > 0 || evidence.run.gates.iter().any(GateRecord::is_waived);
    Some(!issues && history.breaches.is_empty())
}
