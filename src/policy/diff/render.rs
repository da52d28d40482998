//! A difference for people, and for programs.

use std::fmt::Write as _;

use readygate_sdk::{Location, defang};
use serde_json::{Value, json as object};

use super::{Change, Diff, Weight};
use crate::policy::{Approval, Documents};

/// One line for each change with its places, what counts first, and the sum.
pub fn text(diff: &Diff, base: &Documents, head: &Documents) -> String {
    let mut out = String::new();
    for weight in [
        Weight::Looser,
        Weight::Unclear,
        Weight::Stricter,
        Weight::Neutral,
    ] {
        let changes = diff.changes.iter().filter(|c| c.weight == weight);
        let changes: Vec<&Change> = changes.collect();
        if changes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}", title(weight));
        for change in changes {
            let _ = writeln!(out, "  {}", one_line(change));
            let _ = writeln!(out, "      {}", places(change));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{} -> {}: {}", base.name, head.name, sum(diff));
    // Texts of a policy come from a pull request and go to the log of a CI.
    out.lines()
        .fold(String::new(), |all, line| all + &defang(line) + "\n")
}

/// `1 looser, 2 unclear, 3 stricter`, or `no difference`.
pub fn sum(diff: &Diff) -> String {
    let all = [
        Weight::Looser,
        Weight::Unclear,
        Weight::Stricter,
        Weight::Neutral,
    ];
    let parts: Vec<String> = all
        .into_iter()
        .filter(|weight| diff.count(*weight) > 0)
        .map(|weight| format!("{} {}", diff.count(weight), weight.name()))
        .collect();
    match parts.as_slice() {
        [] => "no difference".to_owned(),
        parts => parts.join(", "),
    }
}

fn title(weight: Weight) -> &'static str {
    match weight {
        Weight::Looser => "Looser",
        Weight::Unclear => "Needs a look, and counts as looser",
        Weight::Stricter => "Stricter",
        Weight::Neutral => "Decides nothing",
    }
}

/// Names come from the policy: none of them must look like a line of its own.
pub fn one_line(change: &Change) -> String {
    format!("{}: {}", change.subject, change.message).replace(['\n', '\r'], " ")
}

fn places(change: &Change) -> String {
    let shown = |place: &Option<Location>| place.as_ref().map(ToString::to_string);
    match (shown(&change.base), shown(&change.head)) {
        (Some(base), Some(head)) => format!("{base} -> {head}"),
        (Some(base), None) => format!("{base} -> gone"),
        (None, Some(head)) => format!("new in {head}"),
        (None, None) => String::new(),
    }
}

/// The same as an object: `readygate/policy-diff/v1`.
pub fn json(
    diff: &Diff,
    (base, head): (&Documents, &Documents),
    (approval, refused): (Option<&Approval>, &[String]),
) -> Value {
    let side = |documents: &Documents| {
        object!({
            "name": documents.name,
            "files": documents.sources.names().collect::<Vec<_>>(),
            "sha256": documents.sha256,
            "commit": documents.trusted.as_ref().map(|t| &t.commit),
        })
    };
    object!({
        "schema": "readygate/policy-diff/v1",
        "base": side(base),
        "head": side(head),
        "digest": diff.digest,
        "summary": {
            "looser": diff.count(Weight::Looser),
            "unclear": diff.count(Weight::Unclear),
            "stricter": diff.count(Weight::Stricter),
            "neutral": diff.count(Weight::Neutral),
        },
        "approval": approval,
        "refused": refused,
        "changes": diff.changes,
    })
}
