//! Expectations compare by what they allow: intervals, not texts.

use readygate_sdk::{Quantity, Unit};

use super::Weight;
use crate::expect::{self, Condition, Margin, Op};

/// One end of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    at: f64,
    /// The end itself is allowed.
    closed: bool,
}

/// What a set of conditions allows.
#[derive(Debug, Default)]
struct Allowed {
    low: Option<End>,
    high: Option<End>,
    /// Numbers that are not allowed.
    holes: Vec<f64>,
    /// Texts that must be equal, and must not be.
    equal: Vec<String>,
    unequal: Vec<String>,
    /// Bounds relative to an earlier run.
    relative: Vec<(Op, Margin)>,
    units: Vec<Unit>,
}

/// What it means that conditions on one metric changed. `unit` is the metric's, where it is known.
pub fn weigh(base: &[&str], head: &[&str], unit: Option<Unit>) -> Weight {
    let read = |texts: &[&str]| expect::parse(texts, unit).ok().map(|c| allowed(&c));
    match (read(base), read(head)) {
        (Some(before), Some(after)) => {
            let weight = compare(&before, &after);
            // `4.10` and `4.1` are one number and two versions.
            let exact = |texts: &[&str]| texts.iter().any(|t| t.contains("==") || t.contains("!="));
            let versions = unit.is_none() && base != head && (exact(base) || exact(head));
            if weight == Weight::Neutral && versions {
                return Weight::Unclear;
            }
            weight
        }
        _ if base == head => Weight::Neutral,
        // A variable without a value, or a mistake that the run will tell.
        _ => Weight::Unclear,
    }
}

fn allowed(conditions: &[Condition]) -> Allowed {
    let mut all = Allowed::default();
    for condition in conditions {
        match condition {
            Condition::Compare(op, bound) => number(*op, *bound, &mut all),
            Condition::Between(low, high) => {
                number(Op::AtLeast, *low, &mut all);
                number(Op::AtMost, *high, &mut all);
            }
            Condition::Baseline(op, margin) => {
                if let Margin::Amount(amount) = margin {
                    all.units.push(amount.unit);
                }
                all.relative.push((*op, *margin));
            }
            Condition::Text(Op::NotEqual, text) => all.unequal.push(text.clone()),
            Condition::Text(_, text) => all.equal.push(text.clone()),
        }
    }
    all
}

fn number(op: Op, bound: Quantity, all: &mut Allowed) {
    all.units.push(bound.unit);
    let at = bound.value;
    let open = End { at, closed: false };
    let closed = End { at, closed: true };
    match op {
        Op::Less => raise(&mut all.high, open, false),
        Op::AtMost => raise(&mut all.high, closed, false),
        Op::Greater => raise(&mut all.low, open, true),
        Op::AtLeast => raise(&mut all.low, closed, true),
        Op::Equal => {
            raise(&mut all.low, closed, true);
            raise(&mut all.high, closed, false);
        }
        Op::NotEqual => all.holes.push(at),
    }
}

/// Keeps the end that allows less.
fn raise(end: &mut Option<End>, new: End, is_low: bool) {
    let tighter = end.is_none_or(|old| tighter(new, old, is_low));
    if tighter {
        *end = Some(new);
    }
}

fn tighter(new: End, old: End, is_low: bool) -> bool {
    let further = if is_low {
        new.at > old.at
    } else {
        new.at < old.at
    };
    further || (new.at.total_cmp(&old.at).is_eq() && old.closed && !new.closed)
}

fn compare(base: &Allowed, head: &Allowed) -> Weight {
    let mut units = base.units.iter().chain(&head.units);
    let first = units.next();
    if first.is_some_and(|first| units.any(|unit| unit != first)) {
        return Weight::Unclear;
    }
    let low = ends(base.low, head.low, true);
    let high = ends(base.high, head.high, false);
    let numbers = low.and(high).and(holes(base, head));
    numbers
        .and(texts(&base.equal, &head.equal))
        .and(texts(&base.unequal, &head.unequal))
        .and(relative(base, head))
}

fn ends(base: Option<End>, head: Option<End>, is_low: bool) -> Weight {
    match (base, head) {
        (Some(_), None) => Weight::Looser,
        (None, Some(_)) => Weight::Stricter,
        (Some(base), Some(head)) if tighter(head, base, is_low) => Weight::Stricter,
        (Some(base), Some(head)) if tighter(base, head, is_low) => Weight::Looser,
        (Some(_), Some(_)) | (None, None) => Weight::Neutral,
    }
}

/// A number that is not allowed any more, or is again. One outside of the interval is no hole.
fn holes(base: &Allowed, head: &Allowed) -> Weight {
    let lost = |from: &Allowed, to: &Allowed| {
        let open = |at: &&f64| to.takes(**at) && from.within(**at);
        from.holes.iter().any(|at| open(&at))
    };
    match (lost(base, head), lost(head, base)) {
        (true, true) => Weight::Unclear,
        (true, false) => Weight::Looser,
        (false, true) => Weight::Stricter,
        (false, false) => Weight::Neutral,
    }
}

impl Allowed {
    fn within(&self, at: f64) -> bool {
        let above = self
            .low
            .is_none_or(|e| at > e.at || (e.closed && at >= e.at));
        let below = self
            .high
            .is_none_or(|e| at < e.at || (e.closed && at <= e.at));
        above && below
    }

    fn takes(&self, at: f64) -> bool {
        self.within(at) && !self.holes.iter().any(|hole| hole.total_cmp(&at).is_eq())
    }
}

/// All of the texts must hold, so that one less is looser.
fn texts(base: &[String], head: &[String]) -> Weight {
    let lost = base.iter().any(|text| !head.contains(text));
    let won = head.iter().any(|text| !base.contains(text));
    match (lost, won) {
        (true, true) => Weight::Unclear,
        (true, false) => Weight::Looser,
        (false, true) => Weight::Stricter,
        (false, false) => Weight::Neutral,
    }
}

fn relative(base: &Allowed, head: &Allowed) -> Weight {
    [true, false]
        .into_iter()
        .fold(Weight::Neutral, |so_far, is_low| {
            so_far.and(margins(&side(base, is_low), &side(head, is_low), is_low))
        })
}

fn side(all: &Allowed, is_low: bool) -> Vec<(Op, Margin)> {
    let from = |op: &Op| matches!(op, Op::Greater | Op::AtLeast) == is_low;
    all.relative
        .iter()
        .filter(|(op, _)| from(op))
        .copied()
        .collect()
}

fn margins(base: &[(Op, Margin)], head: &[(Op, Margin)], is_low: bool) -> Weight {
    match (base, head) {
        ([], []) => Weight::Neutral,
        (_, []) => Weight::Looser,
        ([], _) => Weight::Stricter,
        ([(old, before)], [(new, after)]) => {
            let (before, after) = match (before, after) {
                (Margin::Percent(before), Margin::Percent(after)) => (*before, *after),
                (Margin::Amount(before), Margin::Amount(after)) => (before.value, after.value),
                _ => return Weight::Unclear,
            };
            let end = |at, op: &Op| End {
                at,
                closed: matches!(op, Op::AtMost | Op::AtLeast),
            };
            ends(Some(end(before, old)), Some(end(after, new)), is_low)
        }
        _ if base == head => Weight::Neutral,
        _ => Weight::Unclear,
    }
}
