//! The same everywhere?

use std::collections::{BTreeMap, BTreeSet};

use readygate_sdk::{Checks, count_of};

use crate::{
    measurement::{Peer, TlsMeasurement},
    rules,
};

/// Leaves by the kind of key: a server may have one for RSA and one for ECDSA.
fn leaves(peer: &Peer) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for leaf in peer.chains.iter().filter_map(|c| c.walk.leaf()) {
        let kind = if leaf.key.algorithm.starts_with("P-") {
            "ECDSA"
        } else {
            leaf.key.algorithm.as_str()
        };
        found.entry(kind).or_default().insert(&leaf.sha256);
    }
    found
}

pub(super) fn judge(measurement: &TlsMeasurement, checks: &mut Checks) {
    let mut groups: BTreeMap<(&str, &str), Vec<&Peer>> = BTreeMap::new();
    for peer in measurement.peers.iter().filter(|p| !p.chains.is_empty()) {
        groups
            .entry((&peer.endpoint, &peer.name))
            .or_default()
            .push(peer);
    }
    for ((endpoint, name), peers) in groups {
        let seen: Vec<_> = peers.iter().map(|p| (*p, leaves(p))).collect();
        let mixed = seen
            .iter()
            .any(|(_, kinds)| kinds.values().any(|set| set.len() > 1));
        if peers.len() < 2 && !mixed {
            continue;
        }
        let own = endpoint
            .rsplit_once(':')
            .is_some_and(|(host, _)| host == name);
        let subject = if own {
            endpoint.to_owned()
        } else {
            format!("{name} on {endpoint}")
        };
        let first = seen.first().map(|(_, kinds)| kinds);
        let same = !mixed && seen.iter().all(|(_, kinds)| Some(kinds) == first);
        let details = seen.iter().map(|(peer, kinds)| {
            let list: Vec<String> = kinds
                .iter()
                .flat_map(|(kind, all)| {
                    all.iter()
                        .map(move |s| format!("{kind} {}", s.get(..16).unwrap_or(s)))
                })
                .collect();
            format!(
                "{}: {}",
                peer.address.as_deref().unwrap_or("?"),
                list.join(", ")
            )
        });
        let what = count_of(peers.len() as u64, "address presents", "addresses present");
        let check = checks.check(&rules::NOT_THE_SAME, subject);
        if same {
            check.message(format!("{what} the same certificate")).pass();
        } else {
            check
                .message(format!("{what} different certificates"))
                .details(details)
                .fail();
        }
    }
}
