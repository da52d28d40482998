//! Time, retries and series of a gate.

use std::time::Duration;

use super::{
    Compare, Weight,
    gates::{Pair, probe},
    values::{Ordered, Way, entries},
};
use crate::{
    config::{Node, Sink},
    registry,
};

fn sub((base, head): (Option<&Node>, Option<&Node>), key: &str) -> (Option<Node>, Option<Node>) {
    let of = |node: Option<&Node>| node.and_then(|n| n.said(key)).cloned();
    (of(base), of(head))
}

pub fn timing(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let mut ordered = |name, fallback, way, both: (Option<&Node>, Option<&Node>)| {
        let ordered = Ordered {
            kind: "timing",
            subject: pair.id,
            name,
            fallback,
            way,
        };
        ordered.compare(both.0, both.1, into);
    };
    let of_default = one_falls_back(pair);
    if !of_default {
        let timeout = pair.effective("timeout");
        ordered("timeout", Some("30s"), Way::UpIsLooser, timeout);
    }
    let retry = pair.effective("retry");
    for (name, key, fallback) in [
        ("retry.attempts", "attempts", "1"),
        ("retry.delay", "delay", "1s"),
    ] {
        let (base, head) = sub(retry, key);
        let both = (base.as_ref(), head.as_ref());
        ordered(name, Some(fallback), Way::UpIsLooser, both);
    }
    if of_default {
        let timeout = pair.both("timeout");
        let message = "`timeout`: the default adds what the gate is meant to take, and its own does \
                       not";
        let places = pair.places(timeout);
        into.push(("timing", Weight::Unclear), pair.id, message, places);
    }
    retried_after(pair, &sub(retry, "on"), retry, into);
    series(pair, into);
}

/// Whether only one of the two has a timeout of its own, and the other may get time on top.
fn one_falls_back(pair: &Pair<'_>) -> bool {
    match pair.both("timeout") {
        (Some(_), None) => takes(pair.head) != Some(Duration::ZERO),
        (None, Some(_)) => takes(pair.base) != Some(Duration::ZERO),
        (Some(_), Some(_)) | (None, None) => false,
    }
}

/// How long a gate is meant to take; `None` where nobody can tell before its variables have values.
fn takes(gate: &Node) -> Option<Duration> {
    let entry = registry::find(probe(gate))?;
    let bound = (entry.bind)(gate.get("with")?, &Sink::default())?;
    Some(bound.footprint().duration.unwrap_or_default())
}

fn series(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let sustain = pair.both("sustain");
    let (weight, message) = match sustain {
        (None, None) => return,
        (Some(_), None) => (Weight::Looser, "`sustain` was removed: it is measured once"),
        (None, Some(added)) => added_series(added),
        (Some(_), Some(_)) => {
            for (name, key, fallback, way) in [
                ("sustain.for", "for", None, Way::DownIsLooser),
                ("sustain.every", "every", None, Way::UpIsLooser),
                (
                    "sustain.failure_limit",
                    "failure_limit",
                    Some("0"),
                    Way::UpIsLooser,
                ),
                (
                    "sustain.consecutive_error_limit",
                    "consecutive_error_limit",
                    Some("4"),
                    Way::UpIsLooser,
                ),
            ] {
                let (base, head) = sub(sustain, key);
                let ordered = Ordered {
                    kind: "timing",
                    subject: pair.id,
                    name,
                    fallback,
                    way,
                };
                ordered.compare(base.as_ref(), head.as_ref(), into);
            }
            return;
        }
    };
    into.push(("timing", weight), pair.id, message, pair.places(sustain));
}

/// More is measured, but what is tolerated then would have ended a gate that is measured once.
fn added_series(sustain: &Node) -> (Weight, &'static str) {
    let nothing = |key| sustain.said(key).and_then(Node::text) == Some("0");
    if sustain.said("failure_limit").is_some() && !nothing("failure_limit") {
        let message = "`sustain` was added, and tolerates measurements that fail";
        return (Weight::Unclear, message);
    }
    if !nothing("consecutive_error_limit") {
        let message = "`sustain` was added, and tolerates measurements that cannot tell";
        return (Weight::Unclear, message);
    }
    (Weight::Stricter, "`sustain` was added")
}

/// A gate without `retry` is tried once, after no outcome again; without `on` after both.
fn retried_after(
    pair: &Pair<'_>,
    (base, head): &(Option<Node>, Option<Node>),
    retry: (Option<&Node>, Option<&Node>),
    into: &mut Compare<'_>,
) {
    if retry.0.is_none() || retry.1.is_none() {
        return;
    }
    let outcomes = |node: &Option<Node>| match node {
        Some(node) => entries(Some(node)).into_keys().collect(),
        None => vec!["failed".to_owned(), "unmeasured".to_owned()],
    };
    let (before, after): (Vec<String>, Vec<String>) = (outcomes(base), outcomes(head));
    let lost = before.iter().any(|outcome| !after.contains(outcome));
    let won = after.iter().any(|outcome| !before.contains(outcome));
    let weight = match (won, lost) {
        (false, false) => return,
        (true, false) => Weight::Looser,
        (false, true) => Weight::Stricter,
        (true, true) => Weight::Unclear,
    };
    let message = format!("`retry.on`: {} -> {}", before.join(", "), after.join(", "));
    into.push(
        ("timing", weight),
        pair.id,
        message,
        pair.places((base.as_ref(), head.as_ref())),
    );
}
