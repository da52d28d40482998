//! `version_compare` of PHP (<https://www.php.net/manual/en/function.version-compare.php>).

use std::cmp::Ordering;

use super::digits;

/// Compares part by part: any word < dev < alpha < beta < RC < number < pl.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    compare_parts(&parts(a), &parts(b))
}

fn compare_parts(a: &[String], b: &[String]) -> Ordering {
    for (left, right) in a.iter().zip(b) {
        let order = match (digits::all(left), digits::all(right)) {
            (true, true) => digits::compare(left, right),
            (false, false) => form(left).cmp(&form(right)),
            (true, false) => NUMBER.cmp(&form(right)),
            (false, true) => form(left).cmp(&NUMBER),
        };
        if order.is_ne() {
            return order;
        }
    }
    // A number more is greater; a word more is compared with a number that is not there.
    let rest = |more: &[String]| {
        if more.first().is_some_and(|part| digits::all(part)) {
            Ordering::Greater
        } else {
            compare_parts(more, &["#".to_owned()])
        }
    };
    match a.len().cmp(&b.len()) {
        Ordering::Equal => Ordering::Equal,
        Ordering::Greater => rest(&a[b.len()..]),
        Ordering::Less => rest(&b[a.len()..]).reverse(),
    }
}

/// The rank of a number among the words.
const NUMBER: u8 = 5;

fn form(word: &str) -> u8 {
    // By the beginning of the word, as PHP does; capitals count.
    const FORMS: [(&str, u8); 10] = [
        ("dev", 1),
        ("alpha", 2),
        ("a", 2),
        ("beta", 3),
        ("b", 3),
        ("RC", 4),
        ("rc", 4),
        ("pl", 6),
        ("p", 6),
        ("#", NUMBER),
    ];
    FORMS
        .iter()
        .find(|(form, _)| word.starts_with(form))
        .map_or(0, |(_, rank)| *rank)
}

/// Split at anything that is not a letter or digit, and between letters and digits.
fn parts(text: &str) -> Vec<String> {
    let text = match text.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    };
    let mut parts: Vec<String> = Vec::new();
    let mut last = 0;
    for c in text.chars() {
        let now = match c {
            _ if c.is_ascii_digit() => 1,
            _ if c.is_alphabetic() || c == '#' => 2,
            _ => 0,
        };
        if now != 0 {
            match parts.last_mut() {
                Some(part) if now == last => part.push(c),
                _ => parts.push(c.to_string()),
            }
        }
        last = now;
    }
    parts
}
