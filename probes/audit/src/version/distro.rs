//! Debian (<https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>) and RPM
//! (<https://rpm-software-management.github.io/rpm/man/rpm-version.7>).

use std::cmp::Ordering;

use super::digits;

/// `[epoch:]upstream[-revision]`; `None` where the epoch is not a number.
pub(super) fn debian(a: &str, b: &str) -> Option<Ordering> {
    let (epoch_a, a) = epoch(a);
    let (epoch_b, b) = epoch(b);
    if !digits::all(epoch_a) || !digits::all(epoch_b) {
        return None;
    }
    let (a, revision_a) = a.rsplit_once('-').unwrap_or((a, "0"));
    let (b, revision_b) = b.rsplit_once('-').unwrap_or((b, "0"));
    Some(
        digits::compare(epoch_a, epoch_b)
            .then_with(|| dpkg(a, b))
            .then_with(|| dpkg(revision_a, revision_b)),
    )
}

fn epoch(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or(("0", text))
}

/// Runs of non-digits and digits in turn.
fn dpkg(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let split = |text: &str| {
            text.find(|c: char| c.is_ascii_digit())
                .unwrap_or(text.len())
        };
        let (word_a, rest_a) = a.split_at(split(a));
        let (word_b, rest_b) = b.split_at(split(b));
        let order = words(word_a, word_b);
        if order.is_ne() {
            return order;
        }
        let (number_a, rest_a) = digits::split(rest_a);
        let (number_b, rest_b) = digits::split(rest_b);
        let order = digits::compare(number_a, number_b);
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// A tilde sorts before the end, letters before all else.
fn words(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        None => 0,
        Some('~') => -1,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + 256,
    };
    let (mut left, mut right) = (a.chars(), b.chars());
    loop {
        let (x, y) = (left.next(), right.next());
        let order = weight(x).cmp(&weight(y));
        if order.is_ne() || (x.is_none() && y.is_none()) {
            return order;
        }
    }
}

/// `[epoch:]version[-release]`.
pub(super) fn rpm(a: &str, b: &str) -> Ordering {
    let (epoch_a, a) = numeric_epoch(a);
    let (epoch_b, b) = numeric_epoch(b);
    let (a, release_a) = release(a);
    let (b, release_b) = release(b);
    digits::compare(epoch_a, epoch_b)
        .then_with(|| rpmvercmp(a, b))
        .then_with(|| match (release_a, release_b) {
            (Some(a), Some(b)) => rpmvercmp(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// What is no number before a colon is part of the version.
fn numeric_epoch(text: &str) -> (&str, &str) {
    match text.split_once(':') {
        Some((epoch, rest)) if digits::all(epoch) => (epoch, rest),
        _ => ("0", text),
    }
}

fn release(text: &str) -> (&str, Option<&str>) {
    text.rsplit_once('-')
        .map_or((text, None), |(version, release)| (version, Some(release)))
}

/// Segments of digits or letters; `~` before everything, `^` after the end and before the rest.
fn rpmvercmp(mut a: &str, mut b: &str) -> Ordering {
    let skip = |text: &str| {
        text.find(|c: char| c.is_ascii_alphanumeric() || c == '~' || c == '^')
            .unwrap_or(text.len())
    };
    while !a.is_empty() || !b.is_empty() {
        a = &a[skip(a)..];
        b = &b[skip(b)..];
        if a.starts_with('~') || b.starts_with('~') {
            match (a.strip_prefix('~'), b.strip_prefix('~')) {
                (Some(x), Some(y)) => (a, b) = (x, y),
                (None, _) => return Ordering::Greater,
                (_, None) => return Ordering::Less,
            }
            continue;
        }
        if a.starts_with('^') || b.starts_with('^') {
            match (a.strip_prefix('^'), b.strip_prefix('^')) {
                (Some(x), Some(y)) => (a, b) = (x, y),
                (None, _) if a.is_empty() => return Ordering::Less,
                (_, None) if b.is_empty() => return Ordering::Greater,
                (None, _) => return Ordering::Greater,
                (_, None) => return Ordering::Less,
            }
            continue;
        }
        if a.is_empty() || b.is_empty() {
            break;
        }
        let number = a.starts_with(|c: char| c.is_ascii_digit());
        let (segment_a, rest_a) = segment(a, number);
        let (segment_b, rest_b) = segment(b, number);
        if segment_b.is_empty() {
            // A number is newer than a word.
            return if number {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let order = if number {
            digits::compare(segment_a, segment_b)
        } else {
            segment_a.cmp(segment_b)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.len().min(1).cmp(&b.len().min(1))
}

fn segment(text: &str, number: bool) -> (&str, &str) {
    let end = text
        .find(|c: char| {
            if number {
                !c.is_ascii_digit()
            } else {
                !c.is_ascii_alphabetic()
            }
        })
        .unwrap_or(text.len());
    text.split_at(end)
}
