//! Patterns for names and labels: `*` stands for any text, `|` for or.

use std::collections::BTreeMap;

/// Whether the whole of `text` fits one of the alternatives.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    pattern.split('|').any(|one| fits_one(one.trim(), text))
}

/// Whether every label is there and fits.
pub(crate) fn fit_labels(
    patterns: &BTreeMap<String, String>,
    labels: &BTreeMap<String, String>,
) -> bool {
    let fit = |(name, pattern): (&String, &String)| {
        labels.get(name).is_some_and(|value| fits(pattern, value))
    };
    patterns.iter().all(fit)
}

/// As the config writes them: `severity=critical, team=*`.
pub(crate) fn shown(patterns: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = patterns.iter().map(|(n, p)| format!("{n}={p}")).collect();
    pairs.join(", ")
}

/// The first part begins the text, the last one ends it, and those between come in their order; the
/// leftmost place of each leaves the most room for the next, so nothing is tried twice.
fn fits_one(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_fit() {
        for (pattern, text, wanted) in [
            ("api", "api", true),
            ("api", "api2", false),
            ("*", "", true),
            ("*Disk*", "NodeDiskFull", true),
            ("*Disk*", "NodeFull", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("ServiceDown|Target*", "TargetDown", true),
            ("ServiceDown | Target*", "ServiceDown", true),
            ("critical|page", "warning", false),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
