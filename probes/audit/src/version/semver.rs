//! SemVer 2 (<https://semver.org>), read as leniently as registries are: a `v` before it, any
//! count of numbers, numbers of any length.

use std::cmp::Ordering;

use super::digits;

struct Version<'a> {
    numbers: Vec<&'a str>,
    pre: &'a str,
    build: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text
        .strip_prefix(['v', 'V', '='])
        .unwrap_or(text)
        .trim_start();
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (numbers, pre) = text.split_at(end);
    let numbers: Vec<&str> = numbers.split('.').filter(|n| !n.is_empty()).collect();
    if numbers.is_empty() {
        return None;
    }
    Some(Version {
        numbers,
        pre: pre.strip_prefix('-').unwrap_or(pre),
        build,
    })
}

/// By precedence; build metadata does not count.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(precedence(&parse(a)?, &parse(b)?))
}

/// As Dart's `pub` does: build metadata is compared last, and some is more than none.
pub(super) fn compare_with_build(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(
        precedence(&a, &b).then_with(|| match (a.build.is_empty(), b.build.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => identifiers(a.build, b.build),
        }),
    )
}

fn precedence(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let longest = a.numbers.len().max(b.numbers.len());
    let number =
        |version: &Version<'_>, at: usize| version.numbers.get(at).map_or("0", |n| *n).to_owned();
    for at in 0..longest {
        let order = digits::compare(&number(a, at), &number(b, at));
        if order.is_ne() {
            return order;
        }
    }
    match (a.pre.is_empty(), b.pre.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => identifiers(a.pre, b.pre),
    }
}

/// Dot-separated identifiers: numbers by value and below words, words by ASCII.
fn identifiers(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (digits::all(a), digits::all(b)) {
                (true, true) => digits::compare(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
