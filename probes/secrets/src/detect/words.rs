//! Reads `words.txt`: the words by which placeholders and harmless names are told.

use std::{collections::HashSet, sync::LazyLock};

/// The lists of the file.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub placeholder_parts: Vec<&'static str>,
    /// Whole values.
    pub whole: HashSet<&'static str>,
    pub reference_starts: Vec<&'static str>,
    pub location_ends: Vec<&'static str>,
    pub harmless: HashSet<&'static str>,
    /// Names of passwords, secrets, tokens, keys, and of random values that are weaker than these.
    pub kinds: Vec<NameWords>,
}

/// How names of one kind are told.
#[derive(Debug, Default)]
pub(super) struct NameWords {
    pub words: Vec<&'static str>,
    pub parts: Vec<&'static str>,
    pub ends: Vec<&'static str>,
}

/// All words.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    placeholder_parts: list("placeholder-parts").collect(),
    whole: list("stop-words").collect(),
    reference_starts: list("reference-starts").collect(),
    location_ends: list("location-ends").collect(),
    harmless: list("harmless").collect(),
    kinds: ["password", "secret", "token", "key", "weak"]
        .into_iter()
        .map(|kind| NameWords {
            words: list(&format!("{kind}-words")).collect(),
            parts: list(&format!("{kind}-parts")).collect(),
            ends: list(&format!("{kind}-ends")).collect(),
        })
        .collect(),
});

/// The words below a heading.
fn list(heading: &str) -> impl Iterator<Item = &'static str> {
    let heading = format!("[{heading}]");
    let lines = include_str!("words.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .skip_while(move |line| !line.starts_with(&heading))
        .skip(1)
        .take_while(|line| !line.is_empty() && !line.starts_with('['))
        .flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_there() {
        assert!(WORDS.placeholder_parts.contains(&"changeme"));
        assert!(WORDS.whole.contains("password"));
        assert!(WORDS.reference_starts.contains(&"${"));
        assert!(WORDS.location_ends.contains(&".pem"));
        assert!(WORDS.harmless.contains("hash"));
        assert_eq!(WORDS.kinds.len(), 5);
        assert!(WORDS.kinds.iter().all(|kind| !kind.words.is_empty()));
    }
}
