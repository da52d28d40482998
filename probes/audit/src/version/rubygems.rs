//! `Gem::Version` (<https://docs.ruby-lang.org/en/master/Gem/Version.html>).

use std::cmp::Ordering;

use super::digits;

/// Compares segment by segment; a word is below any number, and what is missing is 0.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (segments(a), segments(b));
    for at in 0..a.len().max(b.len()) {
        let left = a.get(at).map_or("0", String::as_str);
        let right = b.get(at).map_or("0", String::as_str);
        let order = match (digits::all(left), digits::all(right)) {
            (true, true) => digits::compare(left, right),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => left.cmp(right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Numbers and words; zeros at the end of the release and of the whole go.
fn segments(text: &str) -> Vec<String> {
    let text = text.replace('-', ".pre.");
    let mut all: Vec<String> = Vec::new();
    let kind = |c: char| match c {
        _ if c.is_ascii_digit() => 1,
        _ if c.is_ascii_alphabetic() => 2,
        _ => 0,
    };
    let mut last = 0;
    for c in text.chars() {
        let now = kind(c);
        if now != 0 {
            match all.last_mut() {
                Some(segment) if now == last => segment.push(c),
                _ => all.push(c.to_string()),
            }
        }
        last = now;
    }
    let words = all
        .iter()
        .position(|s| !digits::all(s))
        .unwrap_or(all.len());
    let mut tail = all.split_off(words);
    for part in [&mut all, &mut tail] {
        while part.last().is_some_and(|s| s.bytes().all(|c| c == b'0')) {
            part.pop();
        }
    }
    all.append(&mut tail);
    all
}
