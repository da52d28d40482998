//! Waivers to records. Pure: waivers, gates and one moment give the same whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use readygate_sdk::{Check, CheckOutcome, Level, count_of};

use super::{
    Cover, Waiver, Waivers,
    words::{span, until},
};
use crate::record::{GateRecord, Outcome, Waived, WaiverRecord};

/// Days before its end at which a waiver is announced.
const WARN_DAYS: i64 = 14;
/// Days ahead beyond which a waiver is no exception any more.
const LONG_DAYS: i64 = 366;
const DAY: i64 = 86_400;
/// Checks that a waiver's record names; the count tells of all.
const NAMED: usize = 200;

/// Marks what is waived in every gate and says what became of every waiver.
///
/// `at` is the end of the run. Marks from an earlier call are replaced.
pub fn apply(waivers: &Waivers, gates: &mut [GateRecord], at: Timestamp) -> Vec<WaiverRecord> {
    let mut tallies: Vec<Tally> = waivers.list.iter().map(|_| Tally::default()).collect();
    for gate in gates.iter_mut() {
        gate.waived = look(waivers, gate, at, &mut tallies);
    }
    let records = waivers.list.iter().zip(tallies);
    records
        .map(|(waiver, tally)| record(waiver, tally, gates, at))
        .collect()
}

/// What is waived in one gate.
pub fn mark(waivers: &Waivers, gate: &GateRecord, at: Timestamp) -> Vec<Waived> {
    let mut tallies: Vec<Tally> = waivers.list.iter().map(|_| Tally::default()).collect();
    look(waivers, gate, at, &mut tallies)
}

/// What a waiver met.
#[derive(Debug, Default)]
struct Tally {
    used: Vec<String>,
    covered: usize,
    subjects: BTreeSet<String>,
    /// Failed checks that it covered when it held.
    missed: usize,
    refusals: BTreeMap<String, usize>,
}

fn look(waivers: &Waivers, gate: &GateRecord, at: Timestamp, tallies: &mut [Tally]) -> Vec<Waived> {
    let terms = waivers.terms(&gate.id);
    let mut waived = Vec::new();
    // What awaits a signature has checks that fail only until it is there.
    let checks = gate.checks.iter().enumerate();
    for (index, check) in checks.filter(|_| gate.outcome != Outcome::Pending) {
        if check.outcome != CheckOutcome::Failed {
            continue;
        }
        let mut by = None;
        for (position, waiver) in waivers.list.iter().enumerate() {
            let tally = &mut tallies[position];
            if !weighs(waiver, check) {
                continue;
            }
            match waiver.cover(&gate.id, terms, check) {
                Cover::None => {}
                Cover::Refused(why) => *tally.refusals.entry(why).or_default() += 1,
                Cover::Full if !waiver.holds(at) => tally.missed += 1,
                Cover::Full => {
                    tally.covered += 1;
                    tally.subjects.insert(check.subject.clone());
                    if tally.used.len() < NAMED {
                        let place = format!("{}: {} {}", gate.id, check.rule, check.subject);
                        tally.used.push(place.trim_end().to_owned());
                    }
                    by = by.or(Some(position));
                }
            }
        }
        waived.extend(by.map(|waiver| Waived {
            check: index,
            waiver,
            until: waivers.list[waiver].expires.0,
            approver: waivers.list[waiver].approver.clone(),
            ticket: waivers.list[waiver].ticket.clone(),
        }));
    }
    waived
}

/// A waiver that names its rule covers warnings too; one of a whole gate is about what fails it.
fn weighs(waiver: &Waiver, check: &Check) -> bool {
    match check.level {
        Level::Error => true,
        Level::Warning => waiver.rule.is_some(),
        Level::Info => false,
    }
}

fn record(waiver: &Waiver, tally: Tally, gates: &[GateRecord], at: Timestamp) -> WaiverRecord {
    let notes = notes(waiver, &tally, gates, at);
    WaiverRecord {
        covers: waiver.covers(),
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        approver: waiver.approver.clone(),
        principal: waiver.principal.clone(),
        ticket: waiver.ticket.clone(),
        expires: waiver.expires.0,
        location: waiver.location.clone(),
        valid: waiver.holds(at),
        covered: tally.covered,
        used: tally.used,
        notes,
    }
}

fn notes(waiver: &Waiver, tally: &Tally, gates: &[GateRecord], at: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    let left = waiver.expires.0.as_second() - at.as_second();
    if let Some(why) = &waiver.refused {
        notes.push(format!("refused: {why}"));
    } else if !waiver.holds(at) {
        let missed = match tally.missed as u64 {
            0 => String::new(),
            missed => {
                let checks = count_of(missed, "failed check", "failed checks");
                format!("; it would have covered {checks}")
            }
        };
        let (ago, end) = (span(left), until(waiver.expires.0));
        notes.push(format!("expired {ago} ago ({end}){missed}"));
    } else if left < WARN_DAYS * DAY {
        notes.push(format!("expires in {}", span(left)));
    } else if left > LONG_DAYS * DAY {
        notes.push("ends more than a year ahead: an exception for so long is a rule".to_owned());
    }
    for (why, checks) in &tally.refusals {
        let failed = count_of(*checks as u64, "failed check", "failed checks");
        notes.push(format!("does not cover {failed}: {why}"));
    }
    if tally.subjects.len() > 1 {
        let subjects = count_of(tally.subjects.len() as u64, "subject", "subjects");
        notes.push(format!("covers {subjects}"));
    }
    if waiver.holds(at) && tally.covered == 0 && tally.refusals.is_empty() {
        notes.push(unused(waiver, gates));
    }
    notes
}

/// A gate that did not run, or could not tell, says nothing of whether the waiver is still needed.
fn unused(waiver: &Waiver, gates: &[GateRecord]) -> String {
    let meant: Vec<_> = gates.iter().filter(|g| waiver.names(&g.id)).collect();
    let told = |g: &&&GateRecord| matches!(g.outcome, Outcome::Passed | Outcome::Failed);
    if meant.iter().any(|g| told(&g)) {
        return "unused: nothing that it covers failed; remove it".to_owned();
    }
    match meant.iter().find(|g| g.is_selected()) {
        Some(gate) => format!(
            "not used: `{}` could not tell, and a waiver covers failed checks only",
            gate.id
        ),
        None => "not used: no gate that it names took part in this run".to_owned(),
    }
}
