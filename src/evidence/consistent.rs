//! Whether a record agrees with itself: an edit of the verdict alone does not. Pure.

use jiff::Timestamp;

use crate::{
    record::{Advice, Run, Verdict},
    verdict,
    waiver::Expiry,
};

/// How far a verdict is from GO.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Go => 0,
        Verdict::GoWithWaivers => 1,
        Verdict::Pending => 2,
        Verdict::Inconclusive => 3,
        Verdict::NoGo => 4,
    }
}

/// What in a record contradicts what else is in it, one sentence each. `required` are the gates that
/// the policy requires, as far as it is known.
pub fn contradictions(run: &Run, required: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let amounts = verdict::decide(&run.gates, required).verdict;
    // A record may be worse than its gates: a policy can require more.
    if rank(run.verdict) < rank(amounts) {
        found.push(format!(
            "it says {}, but its gates amount to {}",
            run.verdict.name(),
            amounts.name()
        ));
    }
    if run.counts != verdict::count(&run.gates) {
        found.push("its counts are not those of its gates".to_owned());
    }
    let signal = run.interrupted.as_deref().map(signal_of);
    let code = match run.watch.as_ref().filter(|_| signal.is_none()) {
        Some(watch) => watch.exit_code,
        None => verdict::exit_code(run.verdict, signal),
    };
    if run.exit_code != code {
        found.push(format!(
            "it says exit code {}, its verdict means {code}",
            run.exit_code
        ));
    }
    if let Some(watch) = &run.watch {
        let good = watch.decision == Advice::Accept;
        let go = rank(run.verdict) <= rank(Verdict::GoWithWaivers);
        if good != go || (good != (watch.exit_code == 0)) {
            let (decision, verdict, code) =
                (watch.decision.name(), run.verdict.name(), watch.exit_code);
            found.push(format!(
                "its watch says {decision} with exit code {code}, the record {verdict}"
            ));
        }
    }
    found.extend(waivers(run, run.decided_at()));
    found
}

/// Waivers that did their work without holding at the time.
fn waivers(run: &Run, at: Timestamp) -> impl Iterator<Item = String> {
    let used = run.waivers.iter().filter(|w| !w.used.is_empty());
    let wrong = used.filter(move |w| !w.valid || !Expiry(w.expires).holds(at));
    wrong.map(|w| {
        format!(
            "the waiver of {} covered failures, but had ended at {}",
            w.covers, w.expires
        )
    })
}

/// Waivers that have ended since.
pub fn lapsed(run: &Run, now: Timestamp) -> impl Iterator<Item = String> {
    let used = run.waivers.iter().filter(|w| !w.used.is_empty() && w.valid);
    let lapsed = used.filter(move |w| !Expiry(w.expires).holds(now));
    lapsed.map(|w| {
        format!(
            "the waiver of {} ended at {}; it held at the time of the run",
            w.covers, w.expires
        )
    })
}

fn signal_of(name: &str) -> i32 {
    match name {
        "SIGHUP" => 1,
        "SIGTERM" => 15,
        _ => 2,
    }
}
