//! Who belongs to the cluster, and who takes whom for dead.

use readygate_sdk::{Checks, count_of};

use super::{Case, Offender, SHOWN, each};
use crate::{
    picture::{Member, is_online},
    rules,
};

pub(super) fn judge(case: &Case<'_>, checks: &mut Checks) {
    missing(case, checks);
    unexpected(case, checks);
    failing(case, checks);
    handshakes(case, checks);
    links(case, checks);
}

/// Ids that stand for a node: no handshakes, and no ghosts without an address.
fn real<'a, 'b>(case: &'b Case<'a>) -> impl Iterator<Item = &'b Member<'a>> {
    let ghost = |m: &Member<'_>| m.own.is_none() && m.seen.iter().all(|(_, p)| p.is("noaddr"));
    case.picture
        .members
        .iter()
        .filter(move |m| !m.is_handshake() && !ghost(m))
}

fn missing(case: &Case<'_>, checks: &mut Checks) {
    let wanted = case.config.wanted_nodes();
    let known = real(case).count() as u64;
    let online = case
        .measurement
        .nodes
        .iter()
        .filter(|n| is_online(n))
        .count() as u64;
    let away: Vec<String> = case
        .measurement
        .nodes
        .iter()
        .filter(|n| !is_online(n))
        .map(|n| n.address.clone())
        .take(SHOWN)
        .collect();
    let check = checks
        .check(&rules::NODE_MISSING, "the cluster")
        .expected(format!("{wanted} nodes, all online"))
        .actual(format!("{known} known, {online} online"));
    if known >= wanted && online >= wanted {
        check
            .message(format!("{online}/{wanted} nodes are online"))
            .pass();
    } else if online + case.picture.barred as u64 >= wanted {
        check.unmeasured(format!("{online}/{wanted} nodes could be asked"));
    } else {
        let who = if away.is_empty() {
            "the others are not known to any node".to_owned()
        } else {
            format!("not {}", away.join(", "))
        };
        check
            .message(format!("{online}/{wanted} nodes are online; {who}"))
            .fail();
    }
}

fn unexpected(case: &Case<'_>, checks: &mut Checks) {
    let wanted = case.config.wanted_nodes();
    let known = real(case).count() as u64;
    let listed = case.config.entries();
    let is_listed = |m: &&Member<'_>| !listed.iter().any(|e| e.address.to_string() == m.name());
    let strangers: Vec<String> = real(case).filter(is_listed).map(Member::name).collect();
    let offenders = if known > wanted {
        let message = format!("{known} nodes belong to the cluster, {wanted} are declared");
        let offender = Offender::new("the cluster", message)
            .expected(wanted.to_string())
            .actual(known.to_string())
            .details(
                strangers
                    .into_iter()
                    .map(|name| format!("not in `nodes`: {name}")),
            );
        vec![offender]
    } else {
        Vec::new()
    };
    each(
        checks,
        &rules::NODE_UNEXPECTED,
        "no undeclared node",
        offenders,
    );
}

fn failing(case: &Case<'_>, checks: &mut Checks) {
    let offenders = case.picture.members.iter().filter_map(|member| {
        let marks = member.marked_by();
        let (witness, mark) = marks.first()?;
        let others = case.picture.observers.iter();
        let others =
            others.filter(|(node, _)| member.node.is_none_or(|own| own.address != node.address));
        let by = format!(
            "{} of {}",
            marks.len(),
            count_of(others.count() as u64, "node", "nodes")
        );
        let answers = member.node.is_some_and(is_online);
        let message = match (*mark, answers) {
            ("noaddr", _) => {
                format!("an id without an address, a node that is gone or was wiped, known to {by}")
            }
            (mark, true) => format!("marked `{mark}` by {by}, though it answers here"),
            (mark, false) => format!("marked `{mark}` by {by}"),
        };
        let details = marks
            .iter()
            .map(|(node, mark)| format!("{} says {mark}", node.address));
        Some(
            Offender::new(member.name(), message)
                .actual(*mark)
                .seen_on(&witness.address)
                .details(details),
        )
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::NODE_FAILING,
        "no node marks another as failing",
        offenders,
    );
}

fn handshakes(case: &Case<'_>, checks: &mut Checks) {
    let met = case.picture.members.iter().filter(|m| m.is_handshake());
    let offenders = met.map(|member| {
        let by: Vec<&str> = member
            .seen
            .iter()
            .map(|(node, _)| node.address.as_str())
            .collect();
        let message = format!(
            "{} is being met by {} and does not answer",
            member.name(),
            by.join(", ")
        );
        let offender = Offender::new(member.name(), message);
        match by.first() {
            Some(witness) => offender.seen_on(witness),
            None => offender,
        }
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::HANDSHAKE,
        "no handshake is pending",
        offenders,
    );
}

/// Links to nodes that do not answer, or are marked, say nothing new.
fn links(case: &Case<'_>, checks: &mut Checks) {
    let up = |m: &&Member<'_>| m.node.is_some() && m.marked_by().is_empty();
    let offenders = case.picture.members.iter().filter(up).filter_map(|member| {
        let broken: Vec<_> = member
            .seen
            .iter()
            .filter(|(_, p)| !p.linked && !p.is("handshake"))
            .collect();
        let (witness, line) = broken.first()?;
        let known_as = line.address.as_deref().unwrap_or("no address");
        let message = format!(
            "{} have no bus link to {}, which they know as {known_as}",
            count_of(broken.len() as u64, "node", "nodes"),
            member.name(),
        );
        let details = broken
            .iter()
            .map(|(node, _)| format!("from {}", node.address));
        Some(
            Offender::new(member.name(), message)
                .actual("disconnected")
                .seen_on(&witness.address)
                .details(details),
        )
    });
    let offenders = offenders.collect();
    each(checks, &rules::LINK_DOWN, "every bus link is up", offenders);
}
