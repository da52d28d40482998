//! Does every node see the same cluster?

use std::collections::BTreeMap;

use readygate_sdk::Checks;

use super::{Case, Offender, each, slots::spell};
use crate::{
    measurement::{NodeRecord, Peer},
    picture::{Member, short},
    rules,
};

/// What must be equal: role, master and slots. Flags of failure and links differ by nature while
/// something is going on, and have rules of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen<'a> {
    master: bool,
    follows: Option<&'a str>,
    slots: &'a [(u16, u16)],
}

type View<'a> = BTreeMap<&'a str, Seen<'a>>;

fn view(peers: &[Peer]) -> View<'_> {
    let lasting = peers.iter().filter(|peer| !peer.is("handshake"));
    let seen = lasting.map(|peer| {
        let seen = Seen {
            master: peer.is("master"),
            follows: peer.master.as_deref(),
            slots: &peer.slots,
        };
        (peer.id.as_str(), seen)
    });
    seen.collect()
}

/// How many different views there are.
pub(crate) fn distinct(views: impl Iterator<Item = impl AsRef<[Peer]>>) -> usize {
    let all: Vec<_> = views.collect();
    let mut different: Vec<View<'_>> = Vec::new();
    for peers in &all {
        let view = view(peers.as_ref());
        if !different.contains(&view) {
            different.push(view);
        }
    }
    different.len()
}

pub(super) fn judge(case: &Case<'_>, checks: &mut Checks) {
    let views: Vec<(&NodeRecord, View<'_>)> = case
        .picture
        .observers
        .iter()
        .map(|(node, peers)| (*node, view(peers)))
        .collect();
    let votes = |view: &View<'_>| views.iter().filter(|(_, other)| other == view).count();
    let mut reference: Option<&View<'_>> = None;
    for (_, view) in &views {
        // The first of the most common ones.
        if reference.is_none_or(|best| votes(view) > votes(best)) {
            reference = Some(view);
        }
    }
    let Some(reference) = reference else { return };
    let with = views
        .iter()
        .find(|(_, view)| view == reference)
        .map_or("", |(n, _)| &n.address);
    let offenders = views
        .iter()
        .filter(|(_, view)| view != reference)
        .map(|(node, view)| {
            let differences = differences(case, reference, view);
            let message = format!(
                "{} and {with} do not see the same cluster: {}",
                node.address, differences[0]
            );
            Offender::new(&node.address, message).details(differences.into_iter().skip(1))
        });
    let offenders = offenders.collect();
    let well = match views.len() {
        1 => "one node told its view".to_owned(),
        n => format!("all {n} nodes that answer see the same cluster"),
    };
    each(checks, &rules::VIEWS_DIFFER, &well, offenders);
}

fn differences(case: &Case<'_>, reference: &View<'_>, view: &View<'_>) -> Vec<String> {
    let name = |id: &str| {
        case.picture
            .member(id)
            .map_or_else(|| short(id), Member::name)
    };
    let mut out = Vec::new();
    for (id, wanted) in reference {
        match view.get(id) {
            None => out.push(format!("it does not know {}", name(id))),
            Some(seen) if seen == wanted => {}
            Some(seen) if (seen.master, seen.follows) != (wanted.master, wanted.follows) => {
                let role = |seen: &Seen<'_>| match seen.follows {
                    Some(master) => format!("a replica of {}", name(master)),
                    None => "a master".to_owned(),
                };
                out.push(format!(
                    "it takes {} for {}, not for {}",
                    name(id),
                    role(seen),
                    role(wanted)
                ));
            }
            Some(seen) => {
                let slots = |seen: &Seen<'_>| {
                    let ranges: Vec<String> =
                        seen.slots.iter().take(10).map(|r| spell(*r)).collect();
                    if ranges.is_empty() {
                        "no slots".to_owned()
                    } else {
                        ranges.join(" ")
                    }
                };
                out.push(format!(
                    "it gives {} {}, not {}",
                    name(id),
                    slots(seen),
                    slots(wanted)
                ));
            }
        }
    }
    let strangers = view.keys().filter(|id| !reference.contains_key(*id));
    out.extend(strangers.map(|id| format!("it knows {}, which the others do not", name(id))));
    if out.is_empty() {
        out.push("they differ".to_owned());
    }
    out
}
