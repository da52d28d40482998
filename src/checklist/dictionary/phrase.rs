//! Phrases of the dictionary, and how well a line says one.

use crate::checklist::normal::normal;

/// Words that say nothing of the subject.
const EMPTY: &[&str] = &[
    "the",
    "a",
    "an",
    "of",
    "is",
    "are",
    "be",
    "been",
    "being",
    "has",
    "have",
    "in",
    "on",
    "to",
    "for",
    "with",
    "and",
    "or",
    "by",
    "at",
    "any",
    "our",
    "your",
    "if",
    "as",
    "can",
    "will",
    "should",
    "must",
    "via",
    "per",
    "into",
    "from",
    "that",
    "this",
    "http",
    "https",
    "localhost",
    "s",
    "it",
    "في",
    "من",
    "على",
    "عن",
    "الى",
    "تم",
    "يتم",
    "مع",
    "كل",
    "هل",
];
/// Words that turn a sentence round: a phrase must have every one of the line.
const NOT: &[&str] = &[
    "no",
    "not",
    "without",
    "never",
    "dont",
    "isnt",
    "arent",
    "fails",
    "failed",
    "disabled",
    "off",
    "لا",
    "عدم",
    "بدون",
    "ليس",
    "غير",
    "تعطيل",
    "ايقاف",
];
const SAME: &[(&str, &str)] = &[
    ("ssl", "tl"),
    ("tls", "tl"),
    ("db", "database"),
    ("repo", "repository"),
    ("prod", "production"),
    ("env", "environment"),
    ("cert", "certificate"),
    ("config", "configuration"),
    ("doc", "documentation"),
    ("auth", "authentication"),
    ("perf", "performance"),
    ("infra", "infrastructure"),
    ("app", "application"),
    ("vulns", "vulnerabilitie"),
    ("mongo", "mongodb"),
];

/// One word of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    text: String,
    weight: f64,
    /// Without it the sentence says the opposite.
    negates: bool,
}

impl Word {
    /// As it is compared.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The words of a line that count. What stands in brackets, and numbers, hardly do.
pub fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let mut depth = 0_usize;
    for part in text.split_inclusive(['(', ')']) {
        let weight = if depth == 0 { 1.0 } else { 0.2 };
        for raw in normal(part)
            .split(' ')
            .filter(|w| !w.is_empty() && !EMPTY.contains(w))
        {
            let negates = depth == 0 && NOT.contains(&raw);
            let number = raw.starts_with(|c: char| c.is_ascii_digit() || "<>%+".contains(c));
            out.push(Word {
                text: stem(raw),
                weight: if number { 0.0 } else { weight },
                negates,
            });
        }
        if part.ends_with('(') {
            depth += 1;
        } else if part.ends_with(')') {
            depth = depth.saturating_sub(1);
        }
    }
    out
}

/// Plural and article off, synonyms to one.
fn stem(word: &str) -> String {
    let same = |w: &str| {
        SAME.iter()
            .find(|(from, _)| *from == w)
            .map(|(_, to)| (*to).to_owned())
    };
    if let Some(other) = same(word) {
        return other;
    }
    for article in ["وال", "بال", "لل", "ال"] {
        if let Some(rest) = word
            .strip_prefix(article)
            .filter(|r| r.chars().count() >= 3)
        {
            return rest.to_owned();
        }
    }
    let plural = word.len() > 3 && word.is_ascii() && word.ends_with('s') && !word.ends_with("ss");
    let single = if plural {
        &word[..word.len() - 1]
    } else {
        word
    };
    same(single).unwrap_or_else(|| single.to_owned())
}

/// A phrase: words in order, with others between them. `a|b` is either, `a*` any word that begins so.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase(Vec<Vec<Pattern>>);

#[derive(Debug, Clone, PartialEq)]
struct Pattern {
    text: String,
    prefix: bool,
}

impl Pattern {
    fn covers(&self, word: &str) -> bool {
        word == self.text || (self.prefix && word.starts_with(&self.text))
    }
}

impl Phrase {
    /// Reads a phrase of the dictionary.
    pub fn new(text: &str) -> Self {
        let pattern = |raw: &str| {
            let prefix = raw.ends_with('*');
            let word = normal(raw);
            Pattern {
                text: if prefix { word } else { stem(&word) },
                prefix,
            }
        };
        let known = |raw: &&str| !EMPTY.contains(&normal(raw).as_str());
        let parts = text.split_whitespace().filter(known);
        // `n+1` and `post-mortem` are what normalising makes of them.
        let parts = parts.flat_map(|p| {
            if p.contains('|') {
                vec![p.to_owned()]
            } else {
                p.split('-').map(str::to_owned).collect()
            }
        });
        Self(parts.map(|p| p.split('|').map(pattern).collect()).collect())
    }

    /// Whether it is one of its words.
    pub fn has(&self, word: &Word) -> bool {
        let mut all = self.0.iter().flatten();
        all.any(|p| p.covers(&word.text))
    }

    /// How well a line says it: 0 for not at all, 1 for nothing else.
    pub fn score(&self, line: &[Word]) -> f64 {
        let mut rest = line.iter();
        let mut matched = 0.0;
        let mut wanted = 0.0;
        let mut negations = line.iter().filter(|w| w.negates).count();
        for part in &self.0 {
            let Some(word) = rest.find(|w| part.iter().any(|p| p.covers(&w.text))) else {
                return 0.0;
            };
            negations -= usize::from(word.negates);
            matched += word.weight;
            wanted += word.weight;
        }
        let all: f64 = line.iter().map(|w| w.weight).sum();
        if negations > 0 || wanted + all <= 0.0 {
            return 0.0;
        }
        2.0 * matched / (wanted + all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(phrase: &str, line: &str) -> f64 {
        Phrase::new(phrase).score(&words(line))
    }

    #[test]
    fn the_same_words_score_full() {
        for (phrase, line) in [
            ("code coverage", "Code coverage > 80%"),
            (
                "tls certificates valid not expir*",
                "SSL certificates valid and not expiring soon (30 days)",
            ),
            (
                "جميع الاختبارات ناجحة",
                "جميع الاختبارات ناجحة (961/961 passing)",
            ),
            ("no n+1 query|queries", "No N+1 queries"),
            ("database", "DB"),
        ] {
            assert!(
                score(phrase, line) > 0.85,
                "{phrase} / {line}: {}",
                score(phrase, line)
            );
        }
    }

    #[test]
    fn negations_must_agree() {
        assert!(score("errors logs", "No errors in logs").abs() < f64::EPSILON);
        assert!(score("no errors logs", "Errors in logs").abs() < f64::EPSILON);
        assert!(score("backup tested", "Backup not tested").abs() < f64::EPSILON);
    }

    #[test]
    fn other_subjects_score_low() {
        assert!(
            score(
                "tls certificates installed",
                "SSL certificates installed on the laptops of all new developers"
            ) < 0.65
        );
        assert!(score("cpu", "CPU usage acceptable under load") < 0.5);
    }
}
