//! Finds secrets in text: keywords first, then the pattern or parser of each keyword, then doubts.

mod assign;
mod files;
mod names;
mod pem;
#[cfg(test)]
mod sample;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod verify;
mod words;

use std::{collections::BTreeMap, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::{memchr, memrchr};

use crate::measurement::Confidence;
pub(crate) use files::key_store;
use table::{Format, TABLE};
use verify::{Proof, Verifier};

/// How far before a keyword its line is looked at.
const BEFORE: usize = 256;
/// How far behind it: the longest token that is found.
const BEHIND: usize = 4_096;

/// One secret in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The rule's id.
    pub rule: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// The secret's first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
    /// How many of its first bytes say no more than the rule does (`ghp_`), and may be shown.
    pub shown: usize,
    pub confidence: Confidence,
}

/// What a keyword starts.
#[derive(Debug, Clone, Copy)]
enum Look {
    Format(usize),
    Assignment,
    PrivateKey,
}

/// The keywords of all rules, in one automaton.
struct Keywords {
    automaton: Option<AhoCorasick>,
    looks: Vec<Vec<Look>>,
}

static KEYWORDS: LazyLock<Keywords> = LazyLock::new(|| {
    let mut words: Vec<&str> = Vec::new();
    let mut looks: Vec<Vec<Look>> = Vec::new();
    let mut add = |word: &'static str, look| {
        if let Some(at) = words.iter().position(|w| *w == word) {
            looks[at].push(look);
        } else {
            words.push(word);
            looks.push(vec![look]);
        }
    };
    for (index, format) in TABLE.iter().enumerate() {
        for word in &format.find {
            add(word, Look::Format(index));
        }
    }
    for word in names::KEYWORDS {
        add(word, Look::Assignment);
    }
    add(pem::KEYWORD, Look::PrivateKey);
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&words);
    Keywords {
        automaton: automaton.ok(),
        looks,
    }
});

/// Every id that a finding may carry, for the check of allowlists.
pub(crate) fn rule_ids() -> impl Iterator<Item = &'static str> {
    let others = [
        assign::ASSIGNMENT,
        files::STORED,
        files::KEY_STORE,
        pem::PRIVATE_KEY,
    ];
    TABLE.iter().map(|f| f.id).chain(others)
}

/// Finds the secrets of `text`, in order. `path` tells the kind of file.
pub(crate) fn scan(path: &str, text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    let language = assign::language(path);
    let generic = !is_noise(path);
    let mut done = vec![0_usize; TABLE.len()];
    let mut named = 0;
    let keywords = &*KEYWORDS;
    let Some(automaton) = &keywords.automaton else {
        return hits;
    };
    for found in automaton.find_overlapping_iter(text) {
        for look in &keywords.looks[found.pattern().as_usize()] {
            match *look {
                Look::Format(index) if found.start() >= done[index] => {
                    done[index] = try_format(&TABLE[index], text, found.start(), &mut hits);
                }
                Look::Assignment if generic && found.start() >= named => {
                    named = assign::look(text, found.start(), language, &mut hits);
                }
                Look::PrivateKey => pem::look(text, found.start(), &mut hits),
                _ => {}
            }
        }
    }
    files::look(path, text, &mut hits);
    settle(hits)
}

/// Lock files, minified scripts and translations, where names and values of all kinds meet.
fn is_noise(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "Cargo.lock",
        "poetry.lock",
        "uv.lock",
        "Pipfile.lock",
        "composer.lock",
        "Gemfile.lock",
        "go.sum",
        "flake.lock",
        "packages.lock.json",
        "Package.resolved",
        "pubspec.lock",
        "bun.lock",
        "gradle.lockfile",
        "deno.lock",
        "mix.lock",
        ".min.js",
        ".min.css",
        ".map",
        ".svg",
        ".po",
        ".pot",
        ".xlf",
        ".xliff",
        ".resx",
        ".pbxproj",
    ];
    let folder = |name: &str| path.split('/').rev().skip(1).any(|part| part == name);
    NAMES.iter().any(|end| path.ends_with(end))
        || ["locales", "locale", "i18n", "translations", "_locales"]
            .into_iter()
            .any(folder)
}

/// Tries a format on the line around `at`; returns where the window ends.
fn try_format(format: &'static Format, text: &[u8], at: usize, hits: &mut Vec<Hit>) -> usize {
    let floor = at.saturating_sub(BEFORE);
    let start = memrchr(b'\n', &text[floor..at]).map_or(floor, |n| floor + n + 1);
    let ceiling = text.len().min(at + BEHIND);
    let end = memchr(b'\n', &text[at..ceiling]).map_or(ceiling, |n| at + n);
    let window = &text[start..end];
    // Where a line is cut, the next window begins before the cut, so that no token is.
    let done = if end == ceiling && end < text.len() {
        end - BEHIND / 2
    } else {
        end
    };
    if format
        .also
        .is_some_and(|byte| memchr(byte, window).is_none())
    {
        return done;
    }
    for groups in format.regex().captures_iter(window) {
        if let Some(group) = groups.get(1).or_else(|| groups.get(0)) {
            hits.extend(weigh(
                format,
                text,
                start + group.start(),
                start + group.end(),
            ));
        }
    }
    done
}

/// The doubts: edges, placeholders, entropy, checksum.
fn weigh(format: &'static Format, text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let secret = &text[start..end];
    if !format.open && (touches_before(text, start) || touches_behind(text, end)) {
        return None;
    }
    if value::entropy(secret) < format.entropy || value::is_filled_in(secret) {
        return None;
    }
    if format.plain && is_plain(text, start, secret) {
        return None;
    }
    if format.plain
        && !format.open
        && secret.iter().all(u8::is_ascii_alphabetic)
        && !value::is_random(secret)
    {
        return None;
    }
    let confidence = match format.check.map(|check| check.verify(secret)) {
        Some(Proof::Holds) => Confidence::Verified,
        // What does not decode to `user:password` is a word behind the word "basic".
        Some(Proof::Fails) if format.check == Some(Verifier::Basic) => return None,
        Some(Proof::Fails) => Confidence::Possible,
        Some(Proof::Plausible) | None => format.level,
    };
    let lower = secret.to_ascii_lowercase();
    let prefix = format
        .find
        .iter()
        .filter(|w| lower.starts_with(w.as_bytes()));
    Some(Hit {
        rule: format.id,
        name: format.name,
        start,
        end,
        shown: prefix
            .map(|w| w.len())
            .max()
            .unwrap_or(0)
            .min(secret.len() / 3),
        confidence,
    })
}

/// A placeholder, a reference, a plain word, or the user's own name for a password.
fn is_plain(text: &[u8], start: usize, secret: &[u8]) -> bool {
    let user = &text[..start.saturating_sub(1)];
    value::is_placeholder(secret)
        || value::is_reference(secret)
        || user.ends_with(secret)
        || value::is_uuid(secret)
        || secret.len() >= 12
            && value::is_wordy(secret)
            && secret
                .iter()
                .any(|b| matches!(b, b'-' | b'_' | b'.' | b' '))
}

fn part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a word runs into the secret; `\n` and `%3D` in front of it are no word.
fn touches_before(text: &[u8], start: usize) -> bool {
    let Some(last) = start.checked_sub(1).map(|at| text[at]) else {
        return false;
    };
    let escape = start >= 2 && text[start - 2] == b'\\' && matches!(last, b'n' | b't' | b'r');
    let percent = start >= 3
        && text[start - 3] == b'%'
        && text[start - 2].is_ascii_hexdigit()
        && last.is_ascii_hexdigit();
    part_of_word(last) && part_of_word(text[start]) && !escape && !percent
}

fn touches_behind(text: &[u8], end: usize) -> bool {
    text.get(end).is_some_and(|next| part_of_word(*next)) && text[end - 1] != b'='
}

/// One hit for each place: of the more telling rule, then the most confident.
fn settle(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_cached_key(|hit| {
        let order = TABLE.iter().position(|f| f.id == hit.rule);
        let generic = order.is_none_or(|at| TABLE[at].plain) && hit.rule != pem::PRIVATE_KEY;
        let order = order.unwrap_or(usize::MAX);
        (generic, std::cmp::Reverse(hit.confidence), order, hit.start)
    });
    let mut kept: BTreeMap<usize, Hit> = BTreeMap::new();
    for hit in hits {
        let before = kept.range(..hit.end).next_back();
        if before.is_none_or(|(_, other)| other.end <= hit.start) {
            kept.insert(hit.start, hit);
        }
    }
    kept.into_values().collect()
}
