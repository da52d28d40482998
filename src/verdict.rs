//! Outcomes to verdict, once. No reporter decides.

use readygate_sdk::{CheckOutcome, Level};

use crate::{
    engine::sentence as sentence_of,
    exit,
    record::{Counts, GateRecord, Outcome, Run, SkipReason, Verdict},
};

/// The verdict of a set of gates and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The decision.
    pub verdict: Verdict,
    /// One sentence for each gate that weighs against GO.
    pub reasons: Vec<String>,
}

/// Decides. NO-GO outweighs INCONCLUSIVE, which outweighs PENDING.
///
/// `required` are the ids that must have been measured whatever their severity. A run in which
/// nothing at all was measured, or nothing passed, is inconclusive: GO needs something to stand on.
pub fn decide(gates: &[GateRecord], required: &[String]) -> Decision {
    let selected: Vec<_> = gates.iter().filter(|g| g.is_selected()).collect();
    let sentences = |wanted: fn(&GateRecord) -> bool, what: &str| -> Vec<String> {
        selected
            .iter()
            .filter(|g| wanted(g))
            .map(|g| sentence(g, what))
            .collect()
    };
    let failed = sentences(
        |g| g.severity.blocks() && g.standing() == Outcome::Failed,
        "failed",
    );
    let mut unknown = sentences(is_unknown, "could not be measured");
    for gate in selected
        .iter()
        .filter(|g| required.contains(&g.id) && !g.severity.blocks())
    {
        if matches!(gate.standing(), Outcome::Unmeasured | Outcome::Skipped) {
            unknown.push(sentence(gate, "is required and could not be measured"));
        }
    }
    let is_pending = |g: &&&GateRecord| {
        g.outcome == Outcome::Pending && (g.severity.blocks() || required.contains(&g.id))
    };
    let pending: Vec<String> = selected
        .iter()
        .filter(is_pending)
        .map(|g| sentence(g, "awaits a sign-off"))
        .collect();
    let measured = |g: &&&GateRecord| {
        matches!(
            g.outcome,
            Outcome::Passed | Outcome::Failed | Outcome::Pending
        )
    };
    if selected.iter().filter(measured).count() == 0 {
        unknown.push("nothing was measured".to_owned());
    } else if [&failed, &unknown, &pending].iter().all(|r| r.is_empty())
        && !selected.iter().any(|g| g.standing() == Outcome::Passed)
    {
        unknown.push("no gate passed".to_owned());
    }
    let waived: Vec<_> = selected.iter().filter(|g| g.is_waived()).collect();
    let waived: Vec<_> = waived.iter().map(|g| waived_sentence(g)).collect();
    let verdict = match (failed.is_empty(), unknown.is_empty(), pending.is_empty()) {
        (false, _, _) => Verdict::NoGo,
        (true, false, _) => Verdict::Inconclusive,
        (true, true, false) => Verdict::Pending,
        (true, true, true) if waived.is_empty() => Verdict::Go,
        (true, true, true) => Verdict::GoWithWaivers,
    };
    Decision {
        verdict,
        reasons: [failed, unknown, pending, waived].concat(),
    }
}

/// Decides again after outcomes of the record have changed.
pub fn settle(run: &mut Run, required: &[String]) {
    let decision = decide(&run.gates, required);
    run.verdict = decision.verdict;
    run.reasons = decision.reasons;
    run.counts = count(&run.gates);
    let signal = run.interrupted.as_deref().map(|name| match name {
        "SIGHUP" => 1,
        "SIGTERM" => 15,
        _ => 2,
    });
    run.exit_code = exit_code(run.verdict, signal);
}

/// A blocking gate that was skipped because of a dependency was not measured either.
fn is_unknown(gate: &GateRecord) -> bool {
    let skipped = gate.outcome == Outcome::Skipped && gate.skipped == Some(SkipReason::Dependency);
    gate.severity.blocks() && (gate.standing() == Outcome::Unmeasured || skipped)
}

fn sentence(gate: &GateRecord, what: &str) -> String {
    let severity = gate.severity.name();
    match open_reason(gate).or_else(|| gate.reason.clone()) {
        Some(reason) => format!("{} ({severity}) {what}: {reason}", gate.id),
        None => format!("{} ({severity}) {what}", gate.id),
    }
}

/// What is left to weigh, where waivers cover a part of what failed.
fn open_reason(gate: &GateRecord) -> Option<String> {
    if gate.waived.is_empty() {
        return None;
    }
    let wanted = match gate.standing() {
        Outcome::Failed => CheckOutcome::Failed,
        _ => CheckOutcome::Unmeasured,
    };
    let all = gate.checks.iter().enumerate();
    let open: Vec<_> = all
        .filter(|(index, check)| {
            let weighs = check.outcome == wanted && check.level == Level::Error;
            weighs && gate.waiver_of(*index).is_none()
        })
        .collect();
    let (_, first) = open.first()?;
    let more = match open.len() - 1 {
        0 => String::new(),
        more => format!("{more} more, "),
    };
    let waived = gate.waived.len();
    Some(format!("{} ({more}{waived} waived)", sentence_of(first)))
}

/// Every waiver that the gate stands on, in one sentence.
fn waived_sentence(gate: &GateRecord) -> String {
    let mut terms: Vec<String> = Vec::new();
    for waived in &gate.waived {
        let one = waived.terms();
        if !terms.contains(&one) {
            terms.push(one);
        }
    }
    sentence(gate, &format!("failed and is waived {}", terms.join(", ")))
}

/// The exit code of a verdict; a signal outranks it.
pub const fn exit_code(verdict: Verdict, signal: Option<i32>) -> u8 {
    match (signal, verdict) {
        (Some(1 | 15), _) => exit::TERMINATED,
        (Some(_), _) => exit::INTERRUPTED,
        (None, Verdict::Go | Verdict::GoWithWaivers) => exit::GO,
        (None, Verdict::NoGo) => exit::NO_GO,
        (None, Verdict::Inconclusive) => exit::INCONCLUSIVE,
        (None, Verdict::Pending) => exit::PENDING,
    }
}

/// Counts gates by outcome.
pub fn count(gates: &[GateRecord]) -> Counts {
    let of = |outcome| gates.iter().filter(|g| g.outcome == outcome).count();
    let minor = gates
        .iter()
        .filter(|g| g.standing() == Outcome::Failed && !g.severity.blocks());
    Counts {
        total: gates.len(),
        passed: of(Outcome::Passed),
        failed: of(Outcome::Failed),
        unmeasured: of(Outcome::Unmeasured),
        skipped: of(Outcome::Skipped),
        pending: of(Outcome::Pending),
        flaky: gates.iter().filter(|g| g.flaky).count(),
        warnings: minor.count() + gates.iter().flat_map(GateRecord::warnings).count(),
        waived: gates.iter().filter(|g| g.is_waived()).count(),
    }
}
