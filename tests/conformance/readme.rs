//! The README of a probe is its documentation: fixed sections, and examples that work.

use std::{collections::BTreeMap, fs};

use readygate::{
    config::{self, Environment, Variables},
    registry::Entry,
};

use crate::support::{blocks, none, probes};

const SECTIONS: &[&str] = &[
    "What it measures",
    "Why it matters",
    "Config",
    "Metrics",
    "Rules",
    "Limits",
];

/// Top-level headings outside of code.
fn headings(text: &str) -> Vec<&str> {
    let mut code = false;
    let lines = text.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code
    });
    lines.filter_map(|line| line.strip_prefix("## ")).collect()
}

#[test]
fn readmes_have_the_fixed_sections_in_order() {
    let mut problems = Vec::new();
    for probe in probes() {
        let (id, text) = (probe.meta.id, probe.meta.readme);
        if !text.starts_with(&format!("# {id}\n")) {
            problems.push(format!("probes/{id}/README.md: begin with `# {id}`"));
        }
        let mut found = headings(text);
        found.retain(|heading| SECTIONS.contains(heading));
        if found != SECTIONS {
            problems.push(format!(
                "probes/{id}/README.md: has {found:?}, wants {SECTIONS:?} in this order (others may \
                 stand between)"
            ));
        }
    }
    none(&problems);
}

/// The `yaml` blocks of a README that are gates.
pub fn examples(probe: &Entry) -> Vec<String> {
    let blocks = blocks(probe.meta.readme, "yaml").into_iter();
    let gates = blocks.filter(|block| {
        let mut keys = block
            .lines()
            .map(|line| line.trim_start_matches([' ', '-']));
        keys.any(|key| key.starts_with("probe:"))
    });
    gates.map(as_config).collect()
}

/// A gate, or a list of gates, as a whole config.
fn as_config(gates: &str) -> String {
    let is_list = gates.starts_with("- ");
    let lead = |index| match (is_list, index) {
        (true, _) => "  ",
        (false, 0) => "  - ",
        (false, _) => "    ",
    };
    let indented: Vec<String> = gates
        .lines()
        .enumerate()
        .map(|(index, line)| format!("{}{line}", lead(index)))
        .collect();
    format!(
        "version: 1\n\
         target: {{ name: production, url: https://shop.example.com, version: 4.0.0 }}\n\
         gates:\n{}\n",
        indented.join("\n")
    )
}

/// A value for every `${NAME}`, so that an example may take what it likes from the environment.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let names = text.split("${").skip(1).filter_map(|rest| {
        let name = rest.split(['}', ':']).next()?;
        Some((name.to_owned(), "example".to_owned()))
    });
    names.collect()
}

#[test]
fn examples_of_readmes_are_valid_configs() {
    let mut problems = Vec::new();
    for probe in probes() {
        let id = probe.meta.id;
        let examples = examples(probe);
        if examples.is_empty() {
            problems.push(format!(
                "probes/{id}/README.md: add a ```yaml block with a whole gate (id, probe, with)"
            ));
        }
        for text in examples {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("readygate.yaml");
            fs::write(&path, &text).unwrap();
            let variables = Variables::new(variables(&text));
            if let Err(error) = config::load(&[path], &Environment::default(), variables) {
                problems.push(format!(
                    "probes/{id}/README.md:\n{}",
                    error.render(false, true)
                ));
            }
        }
    }
    none(&problems);
}
