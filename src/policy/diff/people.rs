//! Who decides: roles, keys, waivers, and the owner of the policy.

use std::collections::BTreeMap;

use super::{
    Compare, Weight,
    values::{Ordered, Sides, Way, flat, list, switch, tree},
    variables,
};
use crate::{
    config::{Node, Span},
    waiver::Expiry,
};

pub fn compare(into: &mut Compare<'_>) {
    let both = (into.base.get("policy"), into.head.get("policy"));
    tree(
        ("policy-owner", Weight::Unclear),
        "policy",
        "policy",
        both,
        into,
    );
    variables::compare("policy", "policy", both, into);
    roles(into);
    signoffs(into);
    keys(into);
    waivers(into);
}

fn sub<'a>(node: Option<&'a Node>, key: &str) -> Option<&'a Node> {
    node.and_then(|n| n.get(key))
}

/// The keys of two mappings, each once, in the order of letters.
fn names<'a>(base: Option<&'a Node>, head: Option<&'a Node>) -> Vec<&'a str> {
    let all = [base, head].into_iter().flatten().flat_map(Node::entries);
    let mut names: Vec<&str> = all.map(|e| e.key.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn roles(into: &mut Compare<'_>) {
    let (base, head) = (into.base.get("roles"), into.head.get("roles"));
    for name in names(base, head) {
        let subject = format!("roles.{name}");
        match (sub(base, name), sub(head, name)) {
            (Some(before), Some(after)) => role(&subject, before, after, into),
            (Some(before), None) => {
                let places = (Some(before.span), None);
                into.push(
                    ("role", Weight::Looser),
                    &subject,
                    "the role was removed",
                    places,
                );
            }
            (None, Some(after)) => {
                let places = (None, Some(after.span));
                into.push(
                    ("role", Weight::Unclear),
                    &subject,
                    "the role was added",
                    places,
                );
            }
            (None, None) => {}
        }
    }
}

fn role(subject: &str, base: &Node, head: &Node, into: &mut Compare<'_>) {
    variables::compare(subject, "", (Some(base), Some(head)), into);
    for key in names(Some(base), Some(head)) {
        let both = (base.get(key), head.get(key));
        let more_is_looser = |removed| Sides {
            added: Weight::Looser,
            removed,
        };
        match key {
            "title" => tree(("text", Weight::Neutral), subject, key, both, into),
            // Whoever leaves takes a rejection along that may be all that keeps a release back.
            "principals" => {
                let sides = more_is_looser(Weight::Unclear);
                list("role", subject, key, sides, both, into);
            }
            "may_waive" => {
                let sides = more_is_looser(Weight::Stricter);
                list("role", subject, key, sides, both, into);
            }
            "require_touch" => touch(subject, both, into),
            "max_age" => {
                let ordered = Ordered {
                    kind: "role",
                    subject,
                    name: key,
                    fallback: Some("72h"),
                    way: Way::UpIsLooser,
                };
                ordered.compare(both.0, both.1, into);
            }
            _ => tree(("role", Weight::Unclear), subject, key, both, into),
        }
    }
}

/// Required, it voids rejections without a touch as well as approvals.
fn touch(subject: &str, both: (Option<&Node>, Option<&Node>), into: &mut Compare<'_>) {
    let first = into.changes.len();
    switch("role", subject, "require_touch", false, both, into);
    for change in into.changes.iter_mut().skip(first) {
        change.weight = change.weight.min(Weight::Unclear);
    }
}

fn signoffs(into: &mut Compare<'_>) {
    let (base, head) = (into.base.get("signoffs"), into.head.get("signoffs"));
    variables::compare("policy", "signoffs", (base, head), into);
    for key in names(base, head) {
        let both = (sub(base, key), sub(head, key));
        let name = format!("signoffs.{key}");
        if key != "may_also" {
            tree(("signers", Weight::Unclear), "policy", &name, both, into);
            continue;
        }
        for principal in names(both.0, both.1) {
            let sides = Sides {
                added: Weight::Looser,
                removed: Weight::Stricter,
            };
            let name = format!("{name}.{principal}");
            let both = (sub(both.0, principal), sub(both.1, principal));
            list("signers", "policy", &name, sides, both, into);
        }
    }
}

/// Lines of a list of keys: an `allowed_signers` line more is looser, a `revoked` line less is. The
/// other way round approvals end, and with them rejections.
fn keys(into: &mut Compare<'_>) {
    for key in ["allowed_signers", "revoked"] {
        let read = |documents: &super::Documents| {
            let list = documents.lists.iter().find(|list| list.key == key);
            list.map_or_else(
                || (None, Vec::new()),
                |l| (Some(l.name.clone()), lines(l.text.as_deref())),
            )
        };
        let ((_, before), (name, after)) = (read(into.base), read(into.head));
        let (base_name, _) = read(into.base);
        let subject = name
            .clone()
            .or_else(|| base_name.clone())
            .unwrap_or_default();
        let (added, removed) = match key {
            "allowed_signers" => (Weight::Looser, Weight::Unclear),
            _ => (Weight::Unclear, Weight::Looser),
        };
        for (from, to, weight, what, file, is_base) in [
            (&after, &before, added, "was added", &name, false),
            (&before, &after, removed, "was removed", &base_name, true),
        ] {
            for (number, line) in from
                .iter()
                .filter(|(_, line)| !to.iter().any(|(_, l)| l == line))
            {
                let who = line.split(' ').next().unwrap_or_default();
                let who = readygate_sdk::excerpt(who, 60);
                let place = file.clone().map(|file| readygate_sdk::Location {
                    file,
                    line: Some(*number),
                    column: None,
                });
                let (base, head) = if is_base {
                    (place, None)
                } else {
                    (None, place)
                };
                into.changes.push(super::Change {
                    kind: "signers",
                    weight,
                    subject: subject.clone(),
                    message: format!("the line of `{who}` {what}"),
                    base,
                    head,
                });
            }
        }
    }
}

fn lines(text: Option<&str>) -> Vec<(u64, String)> {
    let lines = text.unwrap_or_default().lines().zip(1_u64..);
    let bare = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines
        .map(|(line, number)| (number, bare(line)))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// Gate, rule and subject are what a waiver is; the rest is what it says.
fn waivers(into: &mut Compare<'_>) {
    let (old, new) = (by_target(into.base), by_target(into.head));
    for (target, after) in &new {
        if let Some(before) = old.get(target) {
            one_waiver(target, before, after, into);
            continue;
        }
        let ends = sub(Some(after), "expires").and_then(Node::text);
        let message = format!("a waiver was added, until {}", ends.unwrap_or("?"));
        let places = (None, Some(head_of(after)));
        into.push(("waiver", Weight::Looser), target, message, places);
    }
    for (target, before) in old.iter().filter(|(target, _)| !new.contains_key(*target)) {
        let places = (Some(head_of(before)), None);
        into.push(
            ("waiver", Weight::Stricter),
            target,
            "the waiver was removed",
            places,
        );
    }
}

fn head_of(waiver: &Node) -> Span {
    waiver.entries().first().map_or(waiver.span, |e| e.key_span)
}

fn by_target(documents: &super::Documents) -> BTreeMap<String, Node> {
    let mut found: BTreeMap<String, Node> = BTreeMap::new();
    for waiver in documents.items("waivers") {
        let text = |key| waiver.said(key).and_then(Node::text);
        let parts = [text("gate"), text("rule"), text("subject").or(Some("*"))];
        let mut target = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        while found.contains_key(&target) {
            target.push_str(" (again)");
        }
        found.insert(target, waiver.clone());
    }
    found
}

fn one_waiver(target: &str, base: &Node, head: &Node, into: &mut Compare<'_>) {
    variables::compare(target, "", (Some(base), Some(head)), into);
    for key in names(Some(base), Some(head)) {
        let both = (base.get(key), head.get(key));
        if key != "expires" {
            tree(("waiver", Weight::Unclear), target, key, both, into);
            continue;
        }
        let end = |node: Option<&Node>| node.and_then(Node::text).map(str::parse::<Expiry>);
        let weight = match (end(both.0), end(both.1)) {
            (Some(Ok(before)), Some(Ok(after))) if before == after => continue,
            (Some(Ok(before)), Some(Ok(after))) if after < before => Weight::Stricter,
            (Some(Ok(_)), Some(Ok(_))) => Weight::Looser,
            _ if both.0.map(flat) == both.1.map(flat) => continue,
            _ => Weight::Unclear,
        };
        let text = |node: Option<&Node>| node.and_then(Node::text).unwrap_or("?").to_owned();
        let message = format!("`expires`: {} -> {}", text(both.0), text(both.1));
        let places = (both.0.map(|n| n.span), both.1.map(|n| n.span));
        into.push(("waiver", weight), target, message, places);
    }
}
