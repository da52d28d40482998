//! What a policy says outside of its gates and of people: target, requirements, and the rest.

use super::{
    Compare, Weight,
    values::{Ordered, Sides, Way, list, tree},
    variables,
};
use crate::{
    config::{Kind, Node},
    policy::Documents,
};

/// Keys that other rooms compare, or that decide nothing.
const ELSEWHERE: [&str; 8] = [
    "version", "include", "gates", "defaults", "roles", "signoffs", "waivers", "policy",
];
const HERE: [&str; 6] = [
    "target",
    "require",
    "secrets",
    "pass_env",
    "concurrency",
    "deadline",
];

pub fn compare(into: &mut Compare<'_>) {
    let (base, head) = (into.base, into.head);
    require(into);
    target(into);
    for (key, added, removed) in [
        ("secrets", Weight::Neutral, Weight::Unclear),
        // A program that lacks a variable may check less.
        ("pass_env", Weight::Unclear, Weight::Unclear),
    ] {
        let (before, after) = (of_all_files(base, key), of_all_files(head, key));
        let both = (before.as_ref(), after.as_ref());
        let sides = Sides { added, removed };
        list("environment", "policy", key, sides, both, into);
        variables::compare("policy", key, both, into);
    }
    for key in ["concurrency", "deadline"] {
        let both = (base.get(key), head.get(key));
        tree(("timing", Weight::Neutral), "policy", key, both, into);
    }
    let mut others: Vec<&str> = base.keys().chain(head.keys()).collect();
    others.retain(|key| !ELSEWHERE.contains(key) && !HERE.contains(key));
    others.sort_unstable();
    others.dedup();
    for key in others {
        let both = (base.get(key), head.get(key));
        tree(("other", Weight::Unclear), "policy", key, both, into);
        variables::compare("policy", key, both, into);
    }
    for key in ["target", "require", "defaults"] {
        let both = (base.get(key), head.get(key));
        variables::compare("policy", key, both, into);
    }
}

/// Lists that every file may have a part of.
fn of_all_files(documents: &Documents, key: &str) -> Option<Node> {
    let items: Vec<Node> = documents.items(key).cloned().collect();
    let span = documents.get(key)?.span;
    let kind = Kind::Sequence(items);
    Some(Node { span, kind })
}

fn require(into: &mut Compare<'_>) {
    let both = |key: &str, into: &Compare<'_>| {
        let of = |documents: &Documents| documents.get("require")?.said(key).cloned();
        (of(into.base), of(into.head))
    };
    let ordered = Ordered {
        kind: "require",
        subject: "policy",
        name: "require.min_gates",
        fallback: Some("0"),
        way: Way::DownIsLooser,
    };
    let (base, head) = both("min_gates", into);
    ordered.compare(base.as_ref(), head.as_ref(), into);
    let sides = Sides {
        added: Weight::Stricter,
        removed: Weight::Looser,
    };
    let (base, head) = both("ids", into);
    list(
        "require",
        "policy",
        "require.ids",
        sides,
        (base.as_ref(), head.as_ref()),
        into,
    );
}

/// Another target is another question. Version, commit and artifact are those of each release, but
/// signatures are bound to what is said of them, so that saying it at all decides. The values of
/// variables show where they are used.
fn target(into: &mut Compare<'_>) {
    let (base, head) = (into.base.get("target"), into.head.get("target"));
    let keys = [base, head].into_iter().flatten().flat_map(Node::entries);
    let mut keys: Vec<&str> = keys.map(|e| e.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let both = (
            base.and_then(|t| t.said(key)),
            head.and_then(|t| t.said(key)),
        );
        let name = format!("target.{key}");
        match key {
            "variables" => {}
            "allow_disruptive" => {
                let sides = Sides {
                    added: Weight::Looser,
                    removed: Weight::Stricter,
                };
                list("disruption", "policy", &name, sides, both, into);
            }
            "version" | "commit" | "artifact" => {
                let weight = match both {
                    (Some(_), Some(_)) => Weight::Neutral,
                    _ => Weight::Unclear,
                };
                tree(("target", weight), "policy", &name, both, into);
            }
            _ => tree(("target", Weight::Unclear), "policy", &name, both, into),
        }
    }
}
