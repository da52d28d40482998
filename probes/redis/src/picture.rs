//! The cluster as a whole, put together from what each node said.

use std::collections::{BTreeMap, BTreeSet};

use crate::measurement::{Contact, Denial, NodeRecord, Peer, Phase, RedisMeasurement};

/// One node of the cluster, by id.
pub(crate) struct Member<'a> {
    pub id: &'a str,
    /// Its own conversation, if it answered with a view.
    pub node: Option<&'a NodeRecord>,
    /// Its line about itself.
    pub own: Option<&'a Peer>,
    /// What the others say of it: the observer, and its line.
    pub seen: Vec<(&'a NodeRecord, &'a Peer)>,
}

impl<'a> Member<'a> {
    /// Its own line, or else one that another has on it; the flag-free ones first.
    pub fn line(&self) -> Option<&'a Peer> {
        self.own.or_else(|| {
            let seen = || self.seen.iter().map(|(_, peer)| *peer);
            seen()
                .find(|p| !p.is("handshake"))
                .or_else(|| seen().next())
        })
    }

    /// How a person knows it: where it was asked, or what it advertises, or its id.
    pub fn name(&self) -> String {
        let advertised = self.line().and_then(|line| line.address.clone());
        self.node
            .map(|node| node.address.clone())
            .or(advertised)
            .unwrap_or_else(|| format!("node {}", short(self.id)))
    }

    /// Whether it is known by its temporary id only.
    pub fn is_handshake(&self) -> bool {
        self.own.is_none() && self.seen.iter().all(|(_, peer)| peer.is("handshake"))
    }

    /// Observers that mark it: `fail`, `fail?` or `noaddr`.
    pub fn marked_by(&self) -> Vec<(&'a NodeRecord, &'static str)> {
        let marks = self.seen.iter().filter_map(|(node, peer)| {
            let mark = ["fail", "fail?", "noaddr"]
                .into_iter()
                .find(|mark| peer.is(mark))?;
            Some((*node, mark))
        });
        marks.collect()
    }

    /// Whether it says of itself that it is a master with slots.
    pub fn is_serving_master(&self) -> bool {
        self.own
            .is_some_and(|own| own.is("master") && !own.slots.is_empty())
    }

    /// Whether it says of itself that it is a replica.
    pub fn is_replica(&self) -> bool {
        self.own.is_some_and(|own| own.is("slave"))
    }

    /// Whether it is known to replicate: a user without INFO cannot tell otherwise.
    pub fn replicates(&self) -> bool {
        let info = self.node.and_then(|node| node.info.value());
        info.is_none_or(|info| info.replication.link.as_deref() != Some("down"))
    }
}

/// The first eight digits of an id.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// All that the nodes said, in one.
pub(crate) struct Picture<'a> {
    /// Nodes that told whom they know.
    pub observers: Vec<(&'a NodeRecord, &'a [Peer])>,
    /// Every id that any node knows, in the order of names.
    pub members: Vec<Member<'a>>,
    /// Nodes that are up, and of which nothing could be told for want of rights or trust.
    pub barred: usize,
    /// Whether no configured node got past TLS or a first word. One node that hangs or hangs up is
    /// ill; when all do, the two sides speak another language.
    pub mismatch: bool,
}

impl<'a> Picture<'a> {
    pub fn of(measurement: &'a RedisMeasurement) -> Self {
        let views = measurement.nodes.iter();
        let observers: Vec<(&NodeRecord, &[Peer])> = views
            .filter_map(|node| node.view.value().map(|view| (node, view.as_slice())))
            .collect();
        let mut members: BTreeMap<&str, Member<'a>> = BTreeMap::new();
        for (node, view) in &observers {
            for peer in *view {
                let member = members.entry(&peer.id).or_insert_with(|| Member {
                    id: &peer.id,
                    node: None,
                    own: None,
                    seen: Vec::new(),
                });
                if peer.is("myself") {
                    member.node = Some(node);
                    member.own = Some(peer);
                } else {
                    member.seen.push((node, peer));
                }
            }
        }
        let mut members: Vec<Member<'a>> = members.into_values().collect();
        members.sort_by_key(Member::name);
        let mut configured = measurement.nodes.iter().filter(|n| n.told_by.is_none());
        let mismatch = configured.all(is_speechless);
        Self {
            observers,
            members,
            barred: measurement
                .nodes
                .iter()
                .filter(|n| is_barred(n, mismatch))
                .count(),
            mismatch,
        }
    }

    /// The member of this id.
    pub fn member(&self, id: &str) -> Option<&Member<'a>> {
        self.members.iter().find(|m| m.id == id)
    }

    /// Masters with slots that answer.
    pub fn masters(&self) -> impl Iterator<Item = &Member<'a>> {
        self.members.iter().filter(|m| m.is_serving_master())
    }

    /// Replicas that answer.
    pub fn replicas(&self) -> impl Iterator<Item = &Member<'a>> {
        self.members.iter().filter(|m| m.is_replica())
    }

    /// Answering replicas of a master.
    pub fn replicas_of(&self, id: &'a str) -> impl Iterator<Item = &Member<'a>> {
        let follows =
            move |m: &&Member<'a>| m.own.is_some_and(|own| own.master.as_deref() == Some(id));
        self.replicas().filter(follows)
    }

    /// Ranges of slots that an answering master claims for itself.
    pub fn covered(&self) -> Vec<(u16, u16)> {
        let ranges = self.masters().filter_map(|m| m.own);
        crate::parse::merged(ranges.flat_map(|own| own.slots.iter().copied()).collect())
    }

    /// Slots that are on their way in or out of a node.
    pub fn open(&self) -> BTreeSet<u16> {
        let own = self.members.iter().filter_map(|m| m.own);
        own.flat_map(|own| own.open.iter().map(|o| o.slot))
            .collect()
    }
}

/// How many slots the ranges hold.
pub(crate) fn size(ranges: &[(u16, u16)]) -> u64 {
    ranges
        .iter()
        .map(|(from, to)| u64::from(to.saturating_sub(*from)) + 1)
        .sum()
}

/// Whether a node does its work as far as it says itself.
pub(crate) fn is_online(node: &NodeRecord) -> bool {
    node.contact == Contact::Answered && node.ping.value().is_some()
}

/// Whether a connection was made and nothing came of it.
fn is_speechless(node: &NodeRecord) -> bool {
    match &node.contact {
        Contact::Silent(silence) => silence.phase == Phase::Tls,
        Contact::Closed(_) => true,
        _ => false,
    }
}

/// Whether a node is up and nothing can be told of it: no rights, no trust, no common language.
fn is_barred(node: &NodeRecord, mismatch: bool) -> bool {
    let no_rights = |denial: Option<&Denial>| denial.is_some_and(|d| d.code == "NOPERM");
    match &node.contact {
        Contact::Refused(_) | Contact::Tls(_) => true,
        Contact::Answered => no_rights(node.ping.error()) || no_rights(node.view.error()),
        _ => mismatch && is_speechless(node),
    }
}
