//! Names and texts of probes, rules and metrics.

use std::collections::HashSet;

use readygate::registry::PROBES;
use readygate_sdk::Meta;

use crate::support::{none, probes};

fn is_kebab(text: &str) -> bool {
    let mut words = text.split('-');
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && words.all(|w| {
            !w.is_empty()
                && w.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

fn is_metric(name: &str) -> bool {
    let name = name.strip_suffix(".*").unwrap_or(name);
    name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// `the URL is empty`, `JSON is broken`, not `The URL is empty.`
fn is_fragment(text: &str) -> bool {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), letters.next());
    let acronym = second.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit());
    !text.is_empty()
        && text.trim() == text
        && !text.ends_with('.')
        && (acronym || !first.is_some_and(char::is_uppercase))
}

/// `Files that matched`, a title without a full stop.
fn is_title(text: &str) -> bool {
    text.trim() == text
        && !text.contains('\n')
        && text.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic())
        && !text.ends_with('.')
}

/// `One sentence. Or two.`
fn is_prose(text: &str) -> bool {
    text.trim() == text && text.starts_with(|c: char| !c.is_lowercase()) && text.ends_with('.')
}

#[test]
fn names_are_well_formed_and_unique() {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    let mut take = |name: &str, good: bool, problems: &mut Vec<String>| {
        if !good {
            problems.push(format!("`{name}` is not well-formed"));
        }
        if !seen.insert(name.to_owned()) {
            problems.push(format!("`{name}` is taken twice"));
        }
    };
    for probe in probes() {
        let Meta {
            id, rules, metrics, ..
        } = probe.meta;
        take(id, is_kebab(id), &mut problems);
        for rule in *rules {
            let name = rule.code.strip_prefix(&format!("{id}/"));
            take(rule.code, name.is_some_and(is_kebab), &mut problems);
        }
        for metric in *metrics {
            let name = format!("{id} {}", metric.name);
            take(&name, is_metric(metric.name), &mut problems);
        }
        if rules.is_empty() || metrics.is_empty() {
            problems.push(format!(
                "{id}: a probe has at least one rule and one metric"
            ));
        }
    }
    none(&problems);
}

#[test]
fn the_registry_is_sorted() {
    assert!(!PROBES.is_empty());
    assert!(PROBES.windows(2).all(|two| two[0].meta.id < two[1].meta.id));
}

/// A lowercase fragment follows the code in every report, and sentences make up the documentation.
#[test]
fn texts_are_there_and_in_the_style_of_the_house() {
    let mut problems = Vec::new();
    let mut demand = |holds: bool, owner: &str, what: &str, text: &str| {
        if !holds {
            problems.push(format!("{owner}: {what}: `{text}`"));
        }
    };
    for probe in probes() {
        let Meta {
            id,
            summary,
            rules,
            metrics,
            ..
        } = probe.meta;
        let title = "the summary is a title: capital letter, no full stop";
        demand(is_title(summary), id, title, summary);
        for metric in *metrics {
            demand(is_title(metric.summary), metric.name, title, metric.summary);
        }
        for rule in *rules {
            let fragment = "`summary` and `fix` are fragments: lowercase, no full stop";
            demand(is_fragment(rule.summary), rule.code, fragment, rule.summary);
            demand(is_fragment(rule.fix), rule.code, fragment, rule.fix);
            let prose = "`why` is prose: capital letter, full stop";
            demand(is_prose(rule.why), rule.code, prose, rule.why);
            let source = "`source` has no blanks around it";
            demand(
                rule.source.trim() == rule.source,
                rule.code,
                source,
                rule.source,
            );
        }
    }
    none(&problems);
}

#[test]
fn the_demands_can_fail() {
    assert!(
        is_kebab("expires-soon") && !is_kebab("Expires") && !is_kebab("a--b") && !is_kebab("-a")
    );
    assert!(
        is_metric("latency.p95") && is_metric("perf.*") && !is_metric("a-b") && !is_metric("a.")
    );
    assert!(is_fragment("TLS is off") && !is_fragment("It is off") && !is_fragment("it is off."));
    assert!(is_prose("It is.") && !is_prose("it is.") && !is_prose("It is") && !is_prose(""));
    assert!(is_title("Files that matched") && !is_title("Files.") && !is_title(""));
}
