//! Gates, matched by their ids.

use std::collections::BTreeMap;

use readygate_sdk::{Level, Meta, Unit};

use super::{
    Compare, Weight, expect,
    values::{Ordered, Sides, Way, entries, flat, list, tree},
};
use crate::{
    config::{Kind, Node, Span},
    record::Severity,
    registry,
};

/// Keys that are compared by what they mean, or mean nothing.
const KNOWN: [&str; 20] = [
    "id",
    "title",
    "description",
    "section",
    "source",
    "owner",
    "severity",
    "waivable",
    "stages",
    "tags",
    "needs",
    "exclusive",
    "timeout",
    "retry",
    "sustain",
    "pass_env",
    "rules",
    "probe",
    "with",
    "expect",
];

/// One gate that both policies have.
struct Pair<'a> {
    id: &'a str,
    base: &'a Node,
    head: &'a Node,
    base_defaults: Option<&'a Node>,
    head_defaults: Option<&'a Node>,
}

pub fn compare(into: &mut Compare<'_>) {
    let (base, head) = (into.base, into.head);
    let old: Vec<&Node> = base.items("gates").collect();
    let new: Vec<&Node> = head.items("gates").collect();
    let (before, after) = (by_id(&old), by_id(&new));
    for gate in &old {
        let Some(id) = id(gate) else { continue };
        let Some(head_gate) = after.get(id) else {
            removed(id, gate, &after, into);
            continue;
        };
        let pair = Pair {
            id,
            base: gate,
            head: head_gate,
            base_defaults: base.get("defaults"),
            head_defaults: head.get("defaults"),
        };
        gate_of_both(&pair, into);
    }
    for gate in &new {
        let known = id(gate).filter(|id| !before.contains_key(id));
        if let Some(id) = known {
            let places = (None, Some(place(gate)));
            into.push(
                ("gate-added", Weight::Stricter),
                id,
                "the gate was added",
                places,
            );
        }
    }
}

fn id(gate: &Node) -> Option<&str> {
    gate.get("id").and_then(Node::text)
}

fn by_id<'a>(gates: &[&'a Node]) -> BTreeMap<&'a str, &'a Node> {
    gates
        .iter()
        .filter_map(|gate| Some((id(gate)?, *gate)))
        .collect()
}

fn place(gate: &Node) -> Span {
    gate.get("id").map_or(gate.span, |n| n.span)
}

fn probe(gate: &Node) -> &str {
    gate.get("probe").and_then(Node::text).unwrap_or_default()
}

fn removed(id: &str, gate: &Node, after: &BTreeMap<&str, &Node>, into: &mut Compare<'_>) {
    let (kind, what) = match probe(gate) {
        "signoff" => ("signoff-removed", "the sign-off was removed"),
        _ => ("gate-removed", "the gate was removed"),
    };
    let bare = |gate: &Node| {
        let entries = gate.entries().iter().filter(|e| e.key != "id");
        let mut all: Vec<String> = entries
            .map(|e| format!("{}: {}", e.key, flat(&e.value)))
            .collect();
        all.sort();
        all
    };
    let twin = after.iter().find(|(_, other)| bare(other) == bare(gate));
    let message = match twin {
        Some((name, _)) => format!("{what}; `{name}` reads the same, as if it had been renamed"),
        None => what.to_owned(),
    };
    into.push(
        (kind, Weight::Looser),
        id,
        message,
        (Some(place(gate)), None),
    );
}

impl<'a> Pair<'a> {
    fn both(&self, key: &str) -> (Option<&'a Node>, Option<&'a Node>) {
        (self.base.get(key), self.head.get(key))
    }

    /// What the gate says, else what the defaults say.
    fn effective(&self, key: &str) -> (Option<&'a Node>, Option<&'a Node>) {
        let of = |gate: &'a Node, defaults: Option<&'a Node>| {
            gate.get(key).or_else(|| defaults.and_then(|d| d.get(key)))
        };
        (
            of(self.base, self.base_defaults),
            of(self.head, self.head_defaults),
        )
    }

    /// Where a thing stands, or the gate where it is not said.
    fn places(&self, (base, head): (Option<&Node>, Option<&Node>)) -> (Option<Span>, Option<Span>) {
        let of = |node: Option<&Node>, gate| Some(node.map_or_else(|| place(gate), |n| n.span));
        (of(base, self.base), of(head, self.head))
    }
}

fn gate_of_both(pair: &Pair<'_>, into: &mut Compare<'_>) {
    severity(pair, into);
    stages(pair, into);
    let unordered = |kind, key: &str, weight, into: &mut Compare<'_>| {
        tree((kind, weight), pair.id, key, pair.both(key), into);
    };
    unordered("probe", "probe", Weight::Unclear, into);
    unordered("with", "with", Weight::Unclear, into);
    unordered("owner", "owner", Weight::Unclear, into);
    for (kind, key, added, removed) in [
        ("tags", "tags", Weight::Stricter, Weight::Looser),
        ("needs", "needs", Weight::Stricter, Weight::Looser),
        ("environment", "pass_env", Weight::Unclear, Weight::Neutral),
    ] {
        list(
            kind,
            pair.id,
            key,
            Sides { added, removed },
            pair.both(key),
            into,
        );
    }
    rules(pair, into);
    expectations(pair, into);
    timing(pair, into);
    for key in ["title", "description", "section", "exclusive"] {
        unordered("text", key, Weight::Neutral, into);
    }
    let others = pair.base.entries().iter().chain(pair.head.entries());
    let mut others: Vec<&str> = others.map(|e| e.key.as_str()).collect();
    others.retain(|key| !KNOWN.contains(key));
    others.sort_unstable();
    others.dedup();
    for key in others {
        unordered("other", key, Weight::Unclear, into);
    }
}

fn severity(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let both = pair.effective("severity");
    let read = |node: Option<&Node>| match node.and_then(Node::text) {
        None | Some("major") => Some(Severity::Major),
        Some("blocker") => Some(Severity::Blocker),
        Some("minor") => Some(Severity::Minor),
        Some("info") => Some(Severity::Info),
        Some(_) => None,
    };
    let text = |node: Option<&Node>| node.and_then(Node::text).unwrap_or("major").to_owned();
    let (before, after) = (read(both.0), read(both.1));
    if text(both.0) != text(both.1) {
        let weight = match (before, after) {
            (Some(before), Some(after)) if after < before => Weight::Looser,
            (Some(_), Some(_)) => Weight::Stricter,
            _ => Weight::Unclear,
        };
        let message = format!("`severity`: {} -> {}", text(both.0), text(both.1));
        into.push(("severity", weight), pair.id, message, pair.places(both));
    }
    // A blocker says so itself; what follows from a lower severity alone was just told.
    let waivable = pair.both("waivable");
    let effective = |node: Option<&Node>, severity: Option<Severity>| {
        let said = node.and_then(Node::text).map(|text| text == "true");
        said.unwrap_or(severity != Some(Severity::Blocker))
    };
    let (old, new) = (effective(waivable.0, before), effective(waivable.1, after));
    if old != new {
        let (weight, message) = if new {
            (Weight::Looser, "its failures may now be waived")
        } else {
            (Weight::Stricter, "its failures may not be waived any more")
        };
        into.push(
            ("waivable", weight),
            pair.id,
            message,
            pair.places(waivable),
        );
    }
}

/// Without stages a gate always applies.
fn stages(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let both = pair.both("stages");
    let (before, after) = (entries(both.0), entries(both.1));
    let all = |names: &BTreeMap<String, Span>| {
        let names: Vec<String> = names.keys().map(|n| format!("`{n}`")).collect();
        names.join(", ")
    };
    let (weight, message) = match (before.is_empty(), after.is_empty()) {
        (true, true) => return,
        (true, false) => (
            Weight::Looser,
            format!(
                "`stages`: it applied always, and now in {} only",
                all(&after)
            ),
        ),
        (false, true) => (
            Weight::Stricter,
            "`stages`: it now applies always".to_owned(),
        ),
        (false, false) => {
            let sides = Sides {
                added: Weight::Stricter,
                removed: Weight::Looser,
            };
            return list("stages", pair.id, "stages", sides, both, into);
        }
    };
    into.push(("stages", weight), pair.id, message, pair.places(both));
}

fn meta(gate: &Node) -> Option<&'static Meta> {
    registry::find(probe(gate)).map(|entry| entry.meta)
}

/// How much a level weighs, from what the gate says or the rule itself.
fn level(gate: &Node, code: &str) -> Option<(String, u8)> {
    let said = gate
        .get("rules")
        .and_then(|r| r.get(code))
        .and_then(Node::text);
    let own = || {
        let rule = meta(gate)?.rules.iter().find(|rule| rule.code == code)?;
        Some(match rule.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        })
    };
    let name = said.or_else(own)?;
    let rank = ["info", "warning", "error"]
        .iter()
        .position(|n| *n == name)?;
    Some((name.to_owned(), u8::try_from(rank).ok()?))
}

fn rules(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let both = pair.both("rules");
    let entries = |node: Option<&Node>| node.map(Node::entries).unwrap_or_default().to_vec();
    let mut codes: Vec<String> = entries(both.0)
        .into_iter()
        .chain(entries(both.1))
        .map(|e| e.key)
        .collect();
    codes.sort();
    codes.dedup();
    for code in codes {
        let (before, after) = (level(pair.base, &code), level(pair.head, &code));
        let weight = match (&before, &after) {
            (Some((_, before)), Some((_, after))) if after == before => continue,
            (Some((_, before)), Some((_, after))) if after < before => Weight::Looser,
            (Some(_), Some(_)) => Weight::Stricter,
            _ => Weight::Unclear,
        };
        let name = |level: Option<(String, u8)>| level.map_or_else(|| "?".to_owned(), |(n, _)| n);
        let message = format!("rule `{code}`: {} -> {}", name(before), name(after));
        let of = |node: Option<&'_ Node>| node.and_then(|n| n.get(&code)).cloned();
        let (old, new) = (of(both.0), of(both.1));
        let places = pair.places((old.as_ref(), new.as_ref()));
        into.push(("rule-level", weight), pair.id, message, places);
    }
}

fn expectations(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let both = pair.both("expect");
    let entries = |node: Option<&Node>| node.map(Node::entries).unwrap_or_default().to_vec();
    let (old, new) = (entries(both.0), entries(both.1));
    for entry in &old {
        let metric = &entry.key;
        let base = Some(entry.key_span);
        let Some(other) = new.iter().find(|e| e.key == *metric) else {
            let message = format!("`{metric}`: `{}` was removed", joined(&entry.value));
            let places = (base, Some(place(pair.head)));
            into.push(("threshold", Weight::Looser), pair.id, message, places);
            continue;
        };
        let (before, after) = (conditions(&entry.value), conditions(&other.value));
        let weight = expect::weigh(&before, &after, unit(pair.head, metric));
        if before == after || weight == Weight::Neutral {
            continue;
        }
        let message = format!(
            "`{metric}`: `{}` -> `{}`",
            joined(&entry.value),
            joined(&other.value)
        );
        let places = (base, Some(other.key_span));
        into.push(("threshold", weight), pair.id, message, places);
    }
    for entry in new.iter().filter(|e| !old.iter().any(|o| o.key == e.key)) {
        let message = format!("`{}`: `{}` was added", entry.key, joined(&entry.value));
        let places = (Some(place(pair.base)), Some(entry.key_span));
        into.push(("threshold", Weight::Stricter), pair.id, message, places);
    }
}

/// Of a metric of a family the unit is known only after measuring.
fn unit(gate: &Node, metric: &str) -> Option<Unit> {
    let spec = meta(gate)?
        .metrics
        .iter()
        .find(|spec| spec.covers(metric))?;
    (!spec.is_family()).then_some(spec.unit)
}

fn conditions(node: &Node) -> Vec<&str> {
    match &node.kind {
        Kind::Sequence(items) => items.iter().filter_map(Node::text).collect(),
        _ => node.text().into_iter().collect(),
    }
}

fn joined(node: &Node) -> String {
    conditions(node).join(" and ")
}

fn sub((base, head): (Option<&Node>, Option<&Node>), key: &str) -> (Option<Node>, Option<Node>) {
    let of = |node: Option<&Node>| node.and_then(|n| n.get(key)).cloned();
    (of(base), of(head))
}

fn timing(pair: &Pair<'_>, into: &mut Compare<'_>) {
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
    let timeout = pair.effective("timeout");
    ordered("timeout", Some("30s"), Way::UpIsLooser, timeout);
    let retry = pair.effective("retry");
    for (name, key, fallback) in [
        ("retry.attempts", "attempts", "1"),
        ("retry.delay", "delay", "1s"),
    ] {
        let (base, head) = sub(retry, key);
        let both = (base.as_ref(), head.as_ref());
        ordered(name, Some(fallback), Way::UpIsLooser, both);
    }
    retried_after(pair, &sub(retry, "on"), retry, into);
    series(pair, into);
}

fn series(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let sustain = pair.both("sustain");
    let (weight, message) = match sustain {
        (None, None) => return,
        (Some(_), None) => (Weight::Looser, "`sustain` was removed: it is measured once"),
        (None, Some(_)) => (Weight::Stricter, "`sustain` was added"),
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
