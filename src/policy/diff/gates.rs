//! Gates, matched by their ids.

use std::collections::{BTreeMap, BTreeSet};

use readygate_sdk::{Level, Meta, Unit};

use super::{
    Compare, Weight, expect,
    timing::timing,
    values::{Sides, entries, flat, list, tree},
    variables,
};
use crate::{
    config::{Kind, Node, Span},
    policy::Documents,
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

/// The probe of gates that people sign.
const SIGNOFF: &str = readygate_signoff::ID;
/// The stage that `readygate watch` looks at unless it is told another one.
const WATCHED: &str = "post-deploy";
/// The fact that ticks a box for all gates of a section.
const SECTION_PASSED: &str = "section.passed";

/// One gate that both policies have.
pub struct Pair<'a> {
    /// Its id.
    pub id: &'a str,
    /// As it was.
    pub base: &'a Node,
    /// As it is.
    pub head: &'a Node,
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
        if let Some(id) = id(gate).filter(|id| !before.contains_key(id)) {
            added(id, gate, into);
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

pub fn probe(gate: &Node) -> &str {
    gate.get("probe").and_then(Node::text).unwrap_or_default()
}

/// The first gate of a section narrows its sign-off, which spoke for all gates before. One that
/// answers lines of a checklist ticks boxes that were open.
fn added(id: &str, gate: &Node, into: &mut Compare<'_>) {
    let section = gate.said("section").and_then(Node::text);
    let signed = |section| {
        let both = [into.base, into.head];
        both.map(signed_sections)
            .iter()
            .any(|all| all.contains(section))
    };
    let (weight, message) = match section {
        Some(name) if probe(gate) != SIGNOFF && signed(name) => (
            Weight::Unclear,
            format!("the gate was added to `{name}`, which a sign-off speaks for"),
        ),
        _ if gate.said("source").is_some() => (
            Weight::Unclear,
            "the gate was added, and fills in lines of a checklist".to_owned(),
        ),
        _ => (Weight::Stricter, "the gate was added".to_owned()),
    };
    let places = (None, Some(place(gate)));
    into.push(("gate-added", weight), id, message, places);
}

fn removed(id: &str, gate: &Node, after: &BTreeMap<&str, &Node>, into: &mut Compare<'_>) {
    let (kind, what) = match probe(gate) {
        SIGNOFF => ("signoff-removed", "the sign-off was removed"),
        _ => ("gate-removed", "the gate was removed"),
    };
    let bare = |gate: &Node| {
        let entries = gate.entries().iter().filter(|e| e.key != "id");
        let mut all: Vec<String> = entries
            .map(|e| format!("{:?}: {}", e.key, flat(&e.value)))
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
    /// What both gates say; nothing (`~`) is as if the key were not there.
    pub fn both(&self, key: &str) -> (Option<&'a Node>, Option<&'a Node>) {
        (self.base.said(key), self.head.said(key))
    }

    fn is_signoff(&self) -> bool {
        [self.base, self.head].map(probe).contains(&SIGNOFF)
    }

    /// What the gate says, else what the defaults say.
    pub fn effective(&self, key: &str) -> (Option<&'a Node>, Option<&'a Node>) {
        let of = |gate: &'a Node, defaults: Option<&'a Node>| {
            gate.said(key)
                .or_else(|| defaults.and_then(|d| d.said(key)))
        };
        (
            of(self.base, self.base_defaults),
            of(self.head, self.head_defaults),
        )
    }

    /// Where a thing stands, or the gate where it is not said.
    pub fn places(
        &self,
        (base, head): (Option<&Node>, Option<&Node>),
    ) -> (Option<Span>, Option<Span>) {
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
    // A `window` without `with` takes the one of the policy, and one with `~` takes nothing.
    let with = (pair.base.get("with"), pair.head.get("with"));
    tree(("with", Weight::Unclear), pair.id, "with", with, into);
    unordered("owner", "owner", Weight::Unclear, into);
    for (kind, key, added, removed) in [
        ("tags", "tags", Weight::Stricter, Weight::Looser),
        ("needs", "needs", Weight::Stricter, Weight::Looser),
        ("environment", "pass_env", Weight::Unclear, Weight::Unclear),
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
    for key in ["description", "exclusive"] {
        unordered("text", key, Weight::Neutral, into);
    }
    let title = title(pair);
    unordered("text", "title", title, into);
    let section = section(pair, into);
    unordered("text", "section", section, into);
    source(pair, into);
    from_variables(pair, into);
    let others = pair.base.entries().iter().chain(pair.head.entries());
    let mut others: Vec<&str> = others.map(|e| e.key.as_str()).collect();
    others.retain(|key| !KNOWN.contains(key));
    others.sort_unstable();
    others.dedup();
    for key in others {
        unordered("other", key, Weight::Unclear, into);
    }
}

/// What a person signs is the title of the gate where there is no statement.
fn title(pair: &Pair<'_>) -> Weight {
    let states = |gate: &Node| {
        gate.get("with")
            .is_some_and(|w| w.said("statement").is_some())
    };
    if pair.is_signoff() && !(states(pair.base) && states(pair.head)) {
        return Weight::Unclear;
    }
    Weight::Neutral
}

/// Which lines of a checklist its outcome fills in: another gate's evidence must not come to tick the
/// box of a penetration test. File and line are for people, the anchors bind.
fn source(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let (base, head) = pair.both("source");
    let all = [base, head].into_iter().flatten().flat_map(Node::entries);
    let keys: BTreeSet<&str> = all.map(|entry| entry.key.as_str()).collect();
    for key in keys {
        let of = |source: Option<&'_ Node>| source.and_then(|s| s.said(key)).cloned();
        let (before, after) = (of(base), of(head));
        let both = (before.as_ref(), after.as_ref());
        let name = format!("source.{key}");
        if ["file", "line"].contains(&key) {
            tree(("text", Weight::Neutral), pair.id, &name, both, into);
        } else {
            tree(("source", Weight::Unclear), pair.id, &name, both, into);
            variables::compare(pair.id, &name, both, into);
        }
    }
}

/// A sign-off speaks for the gates of its section, or for all where there are none. A box may tell of
/// a section, too.
fn section(pair: &Pair<'_>, into: &Compare<'_>) -> Weight {
    let (base, head) = pair.both("section");
    if base.map(flat) == head.map(flat) {
        return Weight::Neutral;
    }
    let told = |documents| !signed_sections(documents).is_empty() || tells_sections(documents);
    if pair.is_signoff() || told(into.base) || told(into.head) {
        return Weight::Unclear;
    }
    Weight::Neutral
}

/// Whether a box of a checklist is ticked when all gates of a section passed.
fn tells_sections(documents: &Documents) -> bool {
    let sources = documents.items("gates").filter_map(|g| g.said("source"));
    let mut fills = sources
        .filter_map(|s| s.said("fills"))
        .flat_map(Node::items);
    fills.any(|fill| fill.said("fact").and_then(Node::text) == Some(SECTION_PASSED))
}

/// The sections that a sign-off speaks for.
fn signed_sections(documents: &Documents) -> BTreeSet<&str> {
    let gates = documents.items("gates").filter(|g| probe(g) == SIGNOFF);
    gates
        .filter_map(|gate| gate.said("section")?.text())
        .collect()
}

/// Texts that only describe may come from wherever they like; a new expectation asks for more,
/// whoever says how much.
fn from_variables(pair: &Pair<'_>, into: &mut Compare<'_>) {
    let entries = pair.base.entries().iter().chain(pair.head.entries());
    let mut keys: Vec<&str> = entries.map(|e| e.key.as_str()).collect();
    keys.retain(|key| match *key {
        "description" | "exclusive" | "source" | "expect" => false,
        "title" => pair.is_signoff(),
        _ => true,
    });
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let both = (pair.base.get(key), pair.head.get(key));
        variables::compare(pair.id, key, both, into);
    }
    let (old, new) = pair.both("expect");
    for entry in old.map(Node::entries).unwrap_or_default() {
        if let Some(after) = new.and_then(|n| n.get(&entry.key)) {
            let name = format!("expect.{}", entry.key);
            variables::compare(pair.id, &name, (Some(&entry.value), Some(after)), into);
        }
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
        let said = node.and_then(Node::text);
        let said = said.map(|text| matches!(text, "true" | "True" | "TRUE"));
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

/// Without stages a gate always applies in a run, but no watch takes it.
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
        (false, true) if before.contains_key(WATCHED) => (
            Weight::Looser,
            format!("`stages`: without `{WATCHED}` no watch looks at it any more"),
        ),
        (false, true) => (
            Weight::Unclear,
            format!(
                "`stages`: it now applies always, but in no watch of {}",
                all(&before)
            ),
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
