//! Every rule is produced by some case file: a rule that nothing produces is untested, and the case
//! is the example that documents it.

use std::{collections::BTreeSet, fs};

use readygate::registry::Entry;

use crate::support::{blocks, folder, none, probes};

/// Codes that some case of the probe fails or leaves unmeasured.
fn produced(probe: &Entry) -> BTreeSet<String> {
    let folder = folder(probe).join("cases");
    let files = fs::read_dir(&folder).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path());
    let texts = paths
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| codes(&text)).collect()
}

fn codes(text: &str) -> Vec<String> {
    let checks = blocks(text, "text checks");
    let lines = checks.into_iter().flat_map(str::lines);
    let words = lines.filter_map(|line| line.split_once(' '));
    words
        .filter(|(word, _)| ["FAILED", "WARNING", "info", "UNMEASURED"].contains(word))
        .filter_map(|(_, rest)| rest.split(' ').next().map(str::to_owned))
        .collect()
}

#[test]
fn every_rule_is_produced_by_a_case() {
    let mut problems = Vec::new();
    for probe in probes() {
        let id = probe.meta.id;
        let produced = produced(probe);
        for rule in probe.meta.rules {
            if !produced.contains(rule.code) {
                problems.push(format!(
                    "{}: add a case to probes/{id}/cases/ in which it fails",
                    rule.code
                ));
            }
        }
        let known = |code: &str| probe.meta.rules.iter().any(|rule| rule.code == code);
        let own = format!("{id}/");
        for code in produced.iter().filter(|code| code.starts_with(&own)) {
            if !known(code) {
                problems.push(format!("{code}: some case has it, and the probe does not"));
            }
        }
    }
    none(&problems);
}

#[test]
fn codes_are_read_from_the_expected_checks_only() {
    let text = "FAILED a/prose x\n```text checks\nFAILED a/b x: y\n  - FAILED a/c\npassed a/d x: y\n\
                UNMEASURED a/e x: y\n```\n```text metrics\nFAILED a/f x\n```\n";
    assert_eq!(codes(text), ["a/b", "a/e"]);
}
