//! Values that the environment of a run decides. Their defaults compare as equal to literals, and a
//! literal that was handed to whoever sets the variable is looser all the same.

use std::collections::BTreeSet;

use super::{
    Compare, Weight,
    values::{flat, flat_with},
};
use crate::{
    config::{Node, Span},
    policy::Documents,
};

/// Names every value below a part of the policy that is put together from other variables.
pub fn compare(
    subject: &str,
    name: &str,
    (base, head): (Option<&Node>, Option<&Node>),
    into: &mut Compare<'_>,
) {
    if !into.base.uses_variables() && !into.head.uses_variables() {
        return;
    }
    let mut walk = Walk {
        base: into.base,
        head: into.head,
        found: Vec::new(),
    };
    walk.pair(name, base, head);
    for (message, places) in walk.found {
        into.push(("variable", Weight::Unclear), subject, message, places);
    }
}

/// Where it stands in the old policy, and in the new one.
type Places = (Option<Span>, Option<Span>);

struct Walk<'a> {
    base: &'a Documents,
    head: &'a Documents,
    found: Vec<(String, Places)>,
}

impl Walk<'_> {
    fn pair(&mut self, name: &str, base: Option<&Node>, head: Option<&Node>) {
        let before = base.and_then(|value| self.base.template(value));
        let after = head.and_then(|value| self.head.template(value));
        if before != after {
            let message = format!("`{name}`: {}", said(before, after));
            let places = (base.map(|n| n.span), head.map(|n| n.span));
            self.found.push((message, places));
        }
        self.entries(name, base, head);
        self.items(name, base, head);
    }

    fn entries(&mut self, name: &str, base: Option<&Node>, head: Option<&Node>) {
        let all = [base, head].into_iter().flatten().flat_map(Node::entries);
        let keys: BTreeSet<&str> = all.map(|entry| entry.key.as_str()).collect();
        for key in keys {
            let name = match name {
                "" => key.to_owned(),
                name => format!("{name}.{key}"),
            };
            let before = base.and_then(|n| n.get(key));
            let after = head.and_then(|n| n.get(key));
            self.pair(&name, before, after);
        }
    }

    /// Items that both lists have, in whatever order, are the same. Of the others, one is held
    /// against the next. Where the values are the same in the same order, so must be how they come
    /// about: an argument is not the one before it.
    fn items(&mut self, name: &str, base: Option<&Node>, head: Option<&Node>) {
        if let (Some(base), Some(head)) = (base, head)
            && flat(base) == flat(head)
        {
            for (before, after) in base.items().iter().zip(head.items()) {
                self.pair(name, Some(before), Some(after));
            }
            return;
        }
        let before = written(self.base, base);
        let after = written(self.head, head);
        let lone = |items: &[(String, Node)], others: &[(String, Node)]| -> Vec<Node> {
            let others: BTreeSet<&str> = others.iter().map(|(text, _)| text.as_str()).collect();
            let lone = items
                .iter()
                .filter(|(text, _)| !others.contains(text.as_str()));
            lone.map(|(_, item)| item.clone()).collect()
        };
        let (old, new) = (lone(&before, &after), lone(&after, &before));
        for at in 0..old.len().max(new.len()) {
            self.pair(name, old.get(at), new.get(at));
        }
    }
}

/// The items of a list, and what tells them apart: values and how they come about.
fn written(documents: &Documents, list: Option<&Node>) -> Vec<(String, Node)> {
    let items = list.map(Node::items).unwrap_or_default().iter();
    items
        .map(|item| {
            let text = flat_with(item, &|node| documents.template(node));
            (text, item.clone())
        })
        .collect()
}

/// The names only: what stands around them could be a credential.
fn said(before: Option<&str>, after: Option<&str>) -> String {
    let (old, new) = (before.map(names), after.map(names));
    match (old, new) {
        (None, Some(new)) => format!("{new} decides it now"),
        (Some(old), None) => format!("{old} does not decide it any more"),
        (Some(old), Some(new)) if old != new => format!("{new} decides it, and {old} did"),
        _ => "other text stands around its variables".to_owned(),
    }
}

fn names(template: &str) -> String {
    let plain = template.replace("$$", "");
    let names = plain.split("${").skip(1);
    let names: Vec<String> = names
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| format!("`${{{}}}`", readygate_sdk::excerpt(name, 60)))
        .collect();
    names.join(" with ")
}
