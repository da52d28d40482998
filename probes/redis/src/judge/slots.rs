//! Are all hash slots served, each by one node, and none on the move?

use readygate_sdk::{Checks, Level, count_of};

use super::{Case, Offender, SHOWN, each, together};
use crate::{
    measurement::Direction,
    parse::{SLOTS, merged},
    picture::{Member, size},
    rules,
};

pub(super) fn judge(case: &Case<'_>, checks: &mut Checks) {
    state(case, checks);
    uncovered(case, checks);
    counts(case, checks);
    contested(case, checks);
    open(case, checks);
    partial(case, checks);
}

fn state(case: &Case<'_>, checks: &mut Checks) {
    let states = case.picture.observers.iter().filter_map(|(node, _)| {
        Some((
            node.address.as_str(),
            node.cluster.value()?.state.as_deref()?,
        ))
    });
    let down = states
        .filter(|(_, state)| *state != "ok")
        .map(|(name, state)| {
            Offender::new(name, format!("{name} says cluster_state:{state}"))
                .expected("ok")
                .actual(state)
        });
    let down = down.collect();
    each(
        checks,
        &rules::CLUSTER_STATE,
        "cluster_state is ok on every node that answers",
        down,
    );
}

fn uncovered(case: &Case<'_>, checks: &mut Checks) {
    let covered = case.picture.covered();
    let missing = gaps(&covered);
    let count = size(&covered);
    let check = checks
        .check(&rules::SLOTS_UNCOVERED, "the cluster")
        .expected(SLOTS.to_string())
        .actual(count.to_string());
    if missing.is_empty() {
        check
            .message("all 16384 slots are served by nodes that answer")
            .pass();
    } else if case.picture.barred > 0 {
        check.unmeasured("nodes that could not be asked may serve the other slots");
    } else {
        let lost = count_of(size(&missing), "slot is", "slots are");
        check
            .message(format!("{lost} served by no node that answers"))
            .details(missing.iter().take(SHOWN).map(|range| whose(case, *range)))
            .fail();
    }
}

/// What lies between the ranges, of 0 to 16383.
fn gaps(covered: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut gaps = Vec::new();
    let mut next = 0;
    for (from, to) in covered {
        if *from > next {
            gaps.push((next, from - 1));
        }
        next = to.saturating_add(1);
    }
    if next < SLOTS {
        gaps.push((next, SLOTS - 1));
    }
    gaps
}

fn whose(case: &Case<'_>, (from, to): (u16, u16)) -> String {
    let overlaps = |m: &&Member<'_>| {
        let mut slots = m.seen.iter().flat_map(|(_, peer)| peer.slots.iter());
        slots.any(|(a, b)| *a <= to && *b >= from)
    };
    let owners: Vec<String> = case
        .picture
        .members
        .iter()
        .filter(overlaps)
        .map(Member::name)
        .collect();
    let range = spell((from, to));
    match owners.as_slice() {
        [] => format!("{range}: assigned to no one"),
        owners => format!("{range}: others give them to {}", owners.join(", ")),
    }
}

pub(super) fn spell((from, to): (u16, u16)) -> String {
    if from == to {
        from.to_string()
    } else {
        format!("{from}-{to}")
    }
}

/// What each node counts, which decides what it answers.
fn counts(case: &Case<'_>, checks: &mut Checks) {
    let offenders = case.picture.observers.iter().filter_map(|(node, _)| {
        let info = node.cluster.value()?;
        let assigned = info.slots_assigned.unwrap_or(u64::from(SLOTS));
        let (pfail, fail) = (info.slots_pfail.unwrap_or(0), info.slots_fail.unwrap_or(0));
        let well = assigned == u64::from(SLOTS) && pfail == 0 && fail == 0;
        (!well).then(|| {
            let message = format!(
                "{} counts {assigned} slots as assigned, {pfail} as possibly failing, {fail} as failing",
                node.address
            );
            Offender::new(&node.address, message)
                .expected("16384 assigned, 0 failing")
                .actual(format!("{assigned} assigned, {} failing", pfail + fail))
        })
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::SLOTS_FAILING,
        "every node that answers counts 16384 slots, none failing",
        offenders,
    );
}

fn contested(case: &Case<'_>, checks: &mut Checks) {
    let masters: Vec<&Member<'_>> = case.picture.masters().collect();
    let mut offenders = Vec::new();
    for (index, one) in masters.iter().enumerate() {
        for other in &masters[index + 1..] {
            let shared = shared(one, other);
            if !shared.is_empty() {
                let ranges: Vec<String> = shared.iter().take(SHOWN).map(|r| spell(*r)).collect();
                let message = format!(
                    "{} and {} both serve {}: {}",
                    one.name(),
                    other.name(),
                    count_of(size(&shared), "slot", "slots"),
                    ranges.join(", "),
                );
                offenders.push(Offender::new(one.name(), message));
            }
        }
    }
    each(
        checks,
        &rules::SLOTS_CONTESTED,
        "no slot is served by two nodes",
        offenders,
    );
}

fn shared(one: &Member<'_>, other: &Member<'_>) -> Vec<(u16, u16)> {
    let slots = |m: &Member<'_>| m.own.map(|own| own.slots.clone()).unwrap_or_default();
    let theirs = slots(other);
    let both = slots(one).into_iter().flat_map(|(a, b)| {
        let cut = theirs.iter().map(move |(c, d)| (a.max(*c), b.min(*d)));
        cut.filter(|(from, to)| from <= to).collect::<Vec<_>>()
    });
    merged(both.collect())
}

fn open(case: &Case<'_>, checks: &mut Checks) {
    let offenders = case.picture.members.iter().filter_map(|member| {
        let own = member.own.filter(|own| !own.open.is_empty())?;
        let moves = own.open.iter().map(|open| {
            let peer = case
                .picture
                .member(&open.peer)
                .map_or_else(|| open.peer.clone(), Member::name);
            match open.direction {
                Direction::Migrating => format!("slot {} is migrating to {peer}", open.slot),
                Direction::Importing => format!("slot {} is being imported from {peer}", open.slot),
            }
        });
        let moves: Vec<String> = moves.take(SHOWN).collect();
        let message = format!("{}: {}", member.name(), moves[0]);
        Some(
            Offender::new(member.name(), message)
                .expected("no open slot")
                .actual(count_of(own.open.len() as u64, "open slot", "open slots"))
                .details(moves.into_iter().skip(1)),
        )
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::SLOTS_OPEN,
        "no slot is on the move",
        offenders,
    );
}

fn partial(case: &Case<'_>, checks: &mut Checks) {
    let known = case.picture.observers.iter().filter_map(|(node, _)| {
        Some((node.address.as_str(), node.settings.value()?.full_coverage?))
    });
    let known: Vec<_> = known.collect();
    if known.is_empty() {
        return;
    }
    let off = known.iter().filter(|(_, full)| !full);
    let names: Vec<&str> = off.map(|(name, _)| *name).collect();
    let words = (
        "missing slots stop the cluster",
        "told to go on when slots are missing (cluster-require-full-coverage no)",
    );
    together(checks, &rules::PARTIAL_COVERAGE, words, Level::Info, &names);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_is_not_covered() {
        assert_eq!(gaps(&[]), [(0, 16_383)]);
        assert_eq!(gaps(&[(0, 16_383)]), []);
        assert_eq!(
            gaps(&[(1, 5), (7, 16_382)]),
            [(0, 0), (6, 6), (16_383, 16_383)]
        );
    }
}
