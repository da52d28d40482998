//! Maven (<https://maven.apache.org/pom.html#version-order-specification>), as its own
//! `ComparableVersion` does it: a tree in which each hyphen opens a sub-list.

use std::cmp::Ordering;

use super::digits;

enum Item {
    Number(String),
    Word(String),
    List(Vec<Item>),
}

/// Compares two versions, ignoring case.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    lists(&parse(a), &parse(b))
}

/// Builds the lists from the right end inwards, so that no recursion is as deep as the version.
struct Builder {
    stack: Vec<Vec<Item>>,
}

impl Builder {
    fn add(&mut self, item: Item) {
        if let Some(list) = self.stack.last_mut() {
            list.push(item);
        }
    }

    fn open(&mut self) {
        self.stack.push(Vec::new());
    }

    fn open_unless_empty(&mut self) {
        if self.stack.last().is_some_and(|list| !list.is_empty()) {
            self.open();
        }
    }

    fn finish(mut self) -> Vec<Item> {
        while let Some(mut list) = self.stack.pop() {
            normalize(&mut list);
            // `1-ga-1` is `1-1`: a hyphen after nothing opens nothing.
            if let [Item::List(inner)] = &mut list[..]
                && !self.stack.is_empty()
            {
                list = std::mem::take(inner);
            }
            match self.stack.last_mut() {
                None => return list,
                Some(outer) => outer.push(Item::List(list)),
            }
        }
        Vec::new()
    }
}

fn parse(text: &str) -> Vec<Item> {
    let text = text.to_lowercase();
    let mut builder = Builder {
        stack: vec![Vec::new()],
    };
    let mut start = 0;
    let mut number = false;
    for (at, c) in text.char_indices() {
        match c {
            '.' | '-' => {
                builder.add(if at == start {
                    Item::Number(String::new())
                } else {
                    item(number, &text[start..at])
                });
                start = at + 1;
                if c == '-' {
                    builder.open_unless_empty();
                }
            }
            '0'..='9' => {
                if !number && at > start {
                    builder.open_unless_empty();
                    builder.add(word(&text[start..at], true));
                    start = at;
                    builder.open();
                }
                number = true;
            }
            _ => {
                if number && at > start {
                    builder.add(item(true, &text[start..at]));
                    start = at;
                    builder.open();
                }
                number = false;
            }
        }
    }
    if text.len() > start {
        if !number {
            builder.open_unless_empty();
        }
        builder.add(item(number, &text[start..]));
    }
    builder.finish()
}

fn item(number: bool, text: &str) -> Item {
    if number {
        Item::Number(text.trim_start_matches('0').to_owned())
    } else {
        word(text, false)
    }
}

fn word(text: &str, before_digit: bool) -> Item {
    let text = match text {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "cr" => "rc",
        "ga" | "final" | "release" => "",
        other => other,
    };
    Item::Word(text.to_owned())
}

/// Drops what means nothing at the end, and before a sub-list.
fn normalize(list: &mut Vec<Item>) {
    let mut at = list.len();
    while at > 0 {
        at -= 1;
        if is_null(&list[at]) {
            list.remove(at);
        } else if !matches!(list[at], Item::List(_)) {
            break;
        }
    }
}

fn is_null(item: &Item) -> bool {
    match item {
        Item::Number(text) | Item::Word(text) => text.is_empty(),
        Item::List(list) => list.is_empty(),
    }
}

fn lists(a: &[Item], b: &[Item]) -> Ordering {
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(a), b) => items(a, b),
            (None, Some(b)) => items(b, None).reverse(),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn items(a: &Item, b: Option<&Item>) -> Ordering {
    match (a, b) {
        (Item::Number(a), None) => digits::compare(a, ""),
        (Item::Number(a), Some(Item::Number(b))) => digits::compare(a, b),
        (Item::Number(_), Some(_)) | (Item::List(_), Some(Item::Word(_))) => Ordering::Greater,
        (Item::Word(a), None) => rank(a).cmp(&rank("")),
        (Item::Word(a), Some(Item::Word(b))) => rank(a).cmp(&rank(b)),
        (Item::Word(_), Some(_)) | (Item::List(_), Some(Item::Number(_))) => Ordering::Less,
        (Item::List(a), None) => a
            .iter()
            .map(|item| items(item, None))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
        (Item::List(a), Some(Item::List(b))) => lists(a, b),
    }
}

/// Known qualifiers in their order; unknown ones after them, by the alphabet.
fn rank(word: &str) -> (usize, &str) {
    const KNOWN: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    match KNOWN.iter().position(|known| *known == word) {
        Some(at) => (at, ""),
        None => (KNOWN.len(), word),
    }
}
