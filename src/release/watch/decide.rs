//! The end of a watch: its advice and the reasons.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

use super::{End, Machine, Seen};
use crate::{
    exit,
    record::{Advice, Breached, Decision},
    release::{bound, downtime},
    verdict,
};

/// The value of [`Decision::schema`].
pub const SCHEMA: &str = "readygate/decision/v1";
/// Clean samples in a row after which a target that failed before counts as steady again.
const STEADY: u32 = 3;

/// How a watch came to its end.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Why before its time, if so.
    pub early: Option<End>,
    /// The signal that ended it, by number and name.
    pub signal: Option<(i32, &'static str)>,
    /// First sample, UTC.
    pub started: Timestamp,
    /// End of the last sample, UTC.
    pub finished: Timestamp,
    /// What weighs against GO in the last sample of each gate, where the run as a whole is no GO.
    pub against: Vec<String>,
    /// Why each gate of a breach failed, by id.
    pub why: Vec<(String, String)>,
    /// Release that was watched.
    pub release: Option<String>,
    /// Id of the run.
    pub run: String,
    /// Id of the baseline.
    pub baseline: Option<String>,
}

/// What stands in the place of the decision while the watch goes on, and stays there if it is killed.
pub fn under_way(machine: &Machine, ended: Ended) -> Decision {
    let reason = format!(
        "the watch that started at {} has not ended: it is under way, or was killed",
        ended.started
    );
    told(machine, ended, Advice::Inconclusive, vec![reason])
}

/// Decides, once.
pub fn decide(machine: &Machine, ended: Ended) -> Decision {
    let (decision, reasons) = advise(machine, &ended);
    told(machine, ended, decision, reasons)
}

fn told(machine: &Machine, ended: Ended, decision: Advice, reasons: Vec<String>) -> Decision {
    let settings = &machine.settings;
    let confirmed = machine.breach.as_ref().and_then(|b| b.confirmed);
    let after = |time: Duration| {
        let confirmed = confirmed.filter(|_| decision == Advice::Rollback)?;
        confirmed
            .checked_add(SignedDuration::try_from(time).ok()?)
            .ok()
    };
    let samples = machine.samples;
    Decision {
        schema: SCHEMA.to_owned(),
        decision,
        reasons,
        exit_code: exit_code(decision, ended.signal.map(|(number, _)| number)),
        release: ended.release,
        run: ended.run,
        baseline: ended.baseline,
        started: ended.started,
        finished: ended.finished,
        planned_s: settings.duration.as_secs_f64(),
        every_s: settings.every.as_secs_f64(),
        interrupted: ended.signal.map(|(_, name)| name.to_owned()),
        breach: machine.breach.clone(),
        deadline: after(settings.rollback_within),
        warn_at: after(settings.warn_after),
        samples,
        bound: bound::upper(samples.clean + samples.failed, samples.failed),
        downtime: downtime::of(machine.looks.iter().copied()),
    }
}

fn exit_code(advice: Advice, signal: Option<i32>) -> u8 {
    match (signal, advice) {
        (Some(_), _) => verdict::exit_code(crate::record::Verdict::Inconclusive, signal),
        (None, Advice::Accept) => exit::GO,
        (None, Advice::Hold) => exit::NO_GO,
        (None, Advice::Rollback) => exit::ROLLBACK,
        (None, Advice::Inconclusive) => exit::INCONCLUSIVE,
    }
}

fn advise(machine: &Machine, ended: &Ended) -> (Advice, Vec<String>) {
    if let Some(End::Breach) = &ended.early
        && let Some(breach) = &machine.breach
    {
        return (
            Advice::Rollback,
            breach_reasons(machine, breach, &ended.why),
        );
    }
    let unclear = unclear(machine, ended);
    if !unclear.is_empty() {
        return (Advice::Inconclusive, unclear);
    }
    let unsteady = unsteady(machine);
    if !unsteady.is_empty() {
        return (Advice::Hold, unsteady);
    }
    (Advice::Accept, accepted(machine))
}

fn breach_reasons(machine: &Machine, breach: &Breached, why: &[(String, String)]) -> Vec<String> {
    let sentence = |id: &String| {
        let why = why.iter().find(|(gate, _)| gate == id);
        let why = why.map_or_else(String::new, |(_, reason)| format!(": {reason}"));
        if breach.flapping {
            let failures = machine.gates.get(id).map_or(0, |s| s.failures);
            let (n, limit) = (machine.samples.n, machine.settings.failure_limit);
            return format!(
                "{id} failed in {failures} of {n} samples where {limit} are tolerated{why}"
            );
        }
        format!("{id} failed twice in a row{why}")
    };
    breach.gates.iter().map(sentence).collect()
}

/// What keeps the watch from a conclusion.
fn unclear(machine: &Machine, ended: &Ended) -> Vec<String> {
    let mut reasons = Vec::new();
    let samples = machine.samples;
    if let Some((_, signal)) = ended.signal {
        reasons.push(format!(
            "the watch was interrupted by {signal} after {} of {} samples",
            samples.n, samples.planned
        ));
    }
    if let Some(End::Blind { gate, errors }) = &ended.early {
        let limit = machine.settings.consecutive_error_limit;
        reasons.push(format!(
            "{gate} could not tell {errors} times in a row where {limit} are tolerated"
        ));
    }
    if samples.n == 0 {
        reasons.push("no sample was taken".to_owned());
    }
    if ended.early.is_none() && ended.signal.is_none() {
        reasons.extend(too_little(machine, ended.finished));
    }
    for (id, state) in &machine.gates {
        if samples.n > 0 && !matches!(state.last, Some(Seen::Passed | Seen::Failed)) {
            reasons.push(format!("{id} could not tell in the last sample"));
        }
    }
    let limit = machine.settings.inconclusive_limit;
    if samples.unknown > limit {
        let (unknown, n) = (samples.unknown, samples.n);
        reasons.push(format!(
            "{unknown} of {n} samples could not tell where {limit} are tolerated"
        ));
    }
    reasons.extend(ended.against.iter().cloned());
    reasons
}

/// Too few samples, or none near the end, say nothing of the time between and after them.
fn too_little(machine: &Machine, finished: Timestamp) -> Vec<String> {
    let (samples, settings) = (machine.samples, &machine.settings);
    let seconds = |s: f64| readygate_sdk::Unit::Seconds.format(s);
    let every = settings.every.as_secs_f64();
    let mut reasons = Vec::new();
    let known = samples.clean + samples.failed;
    if samples.n > 0 && samples.n < settings.least() {
        reasons.push(format!(
            "{} of {} planned samples were taken where {} are needed, since samples took longer than their interval of {}; make `--every` longer, or the gates faster",
            samples.n,
            samples.planned,
            settings.least(),
            seconds(every)
        ));
    } else if known == 1 {
        reasons.push("only one sample could tell; one moment is no watch".to_owned());
    }
    let last = machine.looks.last().map(|look| look.at);
    let ago = last.map(|at| finished.duration_since(at).as_secs_f64());
    if let Some(ago) = ago.filter(|ago| *ago > 2.0 * every) {
        reasons.push(format!(
            "the last sample was {} before the end of the watch, with a sample every {}",
            seconds(ago.round()),
            seconds(every)
        ));
    }
    reasons
}

fn unsteady(machine: &Machine) -> Vec<String> {
    if let Some(breach) = &machine.breach {
        return vec![format!(
            "a breach is suspected and was not cleared: {}",
            breach.gates.join(", ")
        )];
    }
    let (samples, clean) = (machine.samples, machine.clean_in_a_row);
    if samples.failed > 0 && clean < STEADY {
        let failed = readygate_sdk::count_of(samples.failed.into(), "sample", "samples");
        return vec![format!(
            "{failed} failed, and only the last {clean} were clean where {STEADY} show a steady target; watch again"
        )];
    }
    Vec::new()
}

fn accepted(machine: &Machine) -> Vec<String> {
    let samples = machine.samples;
    let n = readygate_sdk::count_of(samples.n.into(), "sample", "samples");
    let mut reasons = vec![format!("{} of {n} were clean", samples.clean)];
    if samples.failed > 0 {
        let limit = machine.settings.failure_limit;
        reasons.push(format!(
            "{} failed and passed when looked at again at once; {limit} are tolerated of each gate",
            samples.failed
        ));
    }
    if samples.unknown > 0 {
        reasons.push(format!("{} could not tell", samples.unknown));
    }
    if samples.n < samples.planned {
        reasons.push(format!(
            "samples took longer than their interval: {} of {} planned",
            samples.n, samples.planned
        ));
    }
    reasons
}
