//! Values that compare one by one: ordered ones, lists, and whole trees.

use std::collections::BTreeMap;

use readygate_sdk::{Period, Quantity};

use super::{Compare, Weight};
use crate::config::{Kind, Node, Span, Variables};

/// Which way is looser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// More of it tolerates more.
    UpIsLooser,
    /// Less of it asks for less.
    DownIsLooser,
    /// It decides nothing by itself.
    Neutral,
}

impl Way {
    fn weigh(self, base: f64, head: f64) -> Weight {
        let up = head > base;
        match self {
            Self::Neutral => Weight::Neutral,
            Self::UpIsLooser if up => Weight::Looser,
            Self::DownIsLooser if !up => Weight::Looser,
            Self::UpIsLooser | Self::DownIsLooser => Weight::Stricter,
        }
    }
}

/// A value as both sides say it; without one, `fallback` holds.
pub struct Ordered<'a> {
    /// What kind of change it would be.
    pub kind: &'static str,
    /// What it belongs to.
    pub subject: &'a str,
    /// Its name in sentences: `retry.attempts`.
    pub name: &'a str,
    /// What is meant where it is not said; `None`: without bound.
    pub fallback: Option<&'a str>,
    /// Which way is looser.
    pub way: Way,
}

impl Ordered<'_> {
    /// Compares; nothing is said of equal values, however they are written.
    pub fn compare(&self, base: Option<&Node>, head: Option<&Node>, into: &mut Compare<'_>) {
        let text = |node: Option<&Node>| {
            let said = node.filter(|n| !n.is_null()).and_then(Node::text);
            said.or(self.fallback).map(str::to_owned)
        };
        let (before, after) = (text(base), text(head));
        if before == after {
            return;
        }
        let number = |text: &Option<String>| match text {
            Some(text) => amount(text),
            None => Some(f64::INFINITY),
        };
        let weight = match (number(&before), number(&after)) {
            (Some(before), Some(after)) if (before - after).abs() < f64::EPSILON => return,
            (Some(before), Some(after)) if before.total_cmp(&after).is_eq() => return,
            (Some(before), Some(after)) => self.way.weigh(before, after),
            _ if self.way == Way::Neutral => Weight::Neutral,
            _ => Weight::Unclear,
        };
        let shown = |text: Option<String>| text.unwrap_or_else(|| "no limit".to_owned());
        let message = format!("`{}`: {} -> {}", self.name, shown(before), shown(after));
        let places = (base.map(|n| n.span), head.map(|n| n.span));
        into.push((self.kind, weight), self.subject, message, places);
    }
}

fn amount(text: &str) -> Option<f64> {
    if let Ok(number) = text.trim().parse::<f64>() {
        return Some(number).filter(|n| n.is_finite());
    }
    let period = text.parse::<Period>();
    period.ok().map(|p| p.0.as_secs_f64())
}

/// A switch: `Some(true)` where turning it on is looser.
pub fn switch(
    kind: &'static str,
    subject: &str,
    name: &str,
    on_is_looser: bool,
    (base, head): (Option<&Node>, Option<&Node>),
    into: &mut Compare<'_>,
) {
    let on = |node: Option<&Node>| node.and_then(Node::text).unwrap_or("false").to_lowercase();
    let (before, after) = (on(base), on(head));
    if before == after {
        return;
    }
    let weight = match (before.as_str(), after.as_str()) {
        ("false", "true") | ("true", "false") if (after == "true") == on_is_looser => {
            Weight::Looser
        }
        ("false", "true") | ("true", "false") => Weight::Stricter,
        _ => Weight::Unclear,
    };
    let message = format!("`{name}`: {before} -> {after}");
    let places = (base.map(|n| n.span), head.map(|n| n.span));
    into.push((kind, weight), subject, message, places);
}

/// What adding to a list, and taking from it, means.
#[derive(Debug, Clone, Copy)]
pub struct Sides {
    /// An entry more.
    pub added: Weight,
    /// An entry less.
    pub removed: Weight,
}

/// Compares two lists as sets.
pub fn list(
    kind: &'static str,
    subject: &str,
    name: &str,
    sides: Sides,
    (base, head): (Option<&Node>, Option<&Node>),
    into: &mut Compare<'_>,
) {
    let (before, after) = (entries(base), entries(head));
    for (entry, span) in &before {
        if !after.contains_key(entry) {
            let message = format!("`{name}`: `{entry}` was removed");
            let places = (Some(*span), head.map(|n| n.span));
            into.push((kind, sides.removed), subject, message, places);
        }
    }
    for (entry, span) in &after {
        if !before.contains_key(entry) {
            let message = format!("`{name}`: `{entry}` was added");
            let places = (base.map(|n| n.span), Some(*span));
            into.push((kind, sides.added), subject, message, places);
        }
    }
}

/// The texts of a list with their places. Lists of the policy hold texts; one that holds anything
/// else is refused by every run.
pub fn entries(list: Option<&Node>) -> BTreeMap<String, Span> {
    let items = list.map(Node::items).unwrap_or_default().iter();
    items
        .map(|item| {
            (
                item.text().map_or_else(|| flat(item), str::to_owned),
                item.span,
            )
        })
        .collect()
}

/// A value on one line, the same for equal values and for no others: keys in their order of letters,
/// every text and key in quotes, so that none of them can hold what looks like two. To compare, not
/// to show.
pub fn flat(node: &Node) -> String {
    flat_with(node, &|_| None)
}

/// The same with what else tells a text apart, right behind it.
pub fn flat_with<'n>(node: &'n Node, more: &impl Fn(&'n Node) -> Option<&'n str>) -> String {
    match &node.kind {
        Kind::Scalar { text, plain } => {
            let quoted = if *plain { "" } else { "!" };
            let more = more(node).map_or_else(String::new, |more| format!("${more:?}"));
            format!("{quoted}{text:?}{more}")
        }
        Kind::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| flat_with(item, more)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Mapping(entries) => {
            let mut entries: Vec<String> = entries
                .iter()
                .map(|e| format!("{:?}: {}", e.key, flat_with(&e.value, more)))
                .collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Compares two trees and names every place where they differ.
pub fn tree(
    (kind, weight): (&'static str, Weight),
    subject: &str,
    name: &str,
    (base, head): (Option<&Node>, Option<&Node>),
    into: &mut Compare<'_>,
) {
    match (base, head) {
        (Some(before), Some(after)) if same(before, after) => {}
        (Some(before), Some(after)) => {
            differing((kind, weight), subject, name, (before, after), into);
        }
        (Some(before), None) => {
            let message = format!("`{name}` was removed");
            into.push((kind, weight), subject, message, (Some(before.span), None));
        }
        (None, Some(after)) => {
            let message = format!("`{name}` was added");
            into.push((kind, weight), subject, message, (None, Some(after.span)));
        }
        (None, None) => {}
    }
}

fn differing(
    change: (&'static str, Weight),
    subject: &str,
    name: &str,
    (before, after): (&Node, &Node),
    into: &mut Compare<'_>,
) {
    if let (Kind::Mapping(old), Kind::Mapping(new)) = (&before.kind, &after.kind) {
        let mut keys: Vec<&str> = old.iter().chain(new).map(|e| e.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let name = format!("{name}.{key}");
            let pair = (before.get(key), after.get(key));
            tree(change, subject, &name, pair, into);
        }
        return;
    }
    let message = match (shown(name, before), shown(name, after)) {
        (Some(old), Some(new)) => format!("`{name}`: {old} -> {new}"),
        _ => format!("`{name}` was changed"),
    };
    let places = (Some(before.span), Some(after.span));
    into.push(change, subject, message, places);
}

/// `5` and `"5"` differ: one of them may be a version.
fn same(base: &Node, head: &Node) -> bool {
    flat(base) == flat(head)
}

/// A value that may be shown: numbers, switches, durations, single words. Whatever could hold a
/// credential is named and not shown.
fn shown(name: &str, node: &Node) -> Option<String> {
    let text = node.text()?;
    let key = name.rsplit('.').next().unwrap_or(name).replace('-', "_");
    let harmless = matches!(text, "true" | "false")
        || text.parse::<Quantity>().is_ok()
        || amount(text).is_some();
    (harmless && !Variables::default().is_secret(&key)).then(|| text.to_owned())
}
