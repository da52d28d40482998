//! The cases of `cases/*.md`: two policies and every change that must come out.

use std::{fmt::Write as _, fs, path::Path};

use super::*;
use crate::policy::Origin;

struct Case<'a> {
    title: &'a str,
    /// Kind of block, its text, and where the text stands in the file.
    blocks: Vec<(&'a str, &'a str, usize)>,
}

impl<'a> Case<'a> {
    fn block(&self, kind: &str) -> Option<&'a str> {
        let found = self.blocks.iter().find(|(k, ..)| *k == kind);
        found.map(|(_, text, _)| *text)
    }
}

fn split(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        match open {
            Some((kind, start)) if bare == "```" => {
                let case = cases.last_mut().unwrap();
                case.blocks.push((kind, &text[start..at], start));
                open = None;
            }
            Some(_) => {}
            None => {
                if let Some(title) = bare.strip_prefix("## ") {
                    let blocks = Vec::new();
                    cases.push(Case { title, blocks });
                } else if let Some(info) = bare.strip_prefix("```") {
                    open = Some((info.split_once(' ').unwrap().1, at + line.len()));
                }
            }
        }
        at += line.len();
    }
    cases
}

fn documents(case: &Case<'_>, side: &str, folder: &Path) -> Documents {
    let folder = folder.join(side);
    fs::create_dir_all(&folder).unwrap();
    let text = case
        .block(side)
        .unwrap_or_else(|| panic!("{}: no `{side}`", case.title));
    fs::write(folder.join("readygate.yaml"), format!("version: 1\n{text}")).unwrap();
    for list in ["allowed_signers", "revoked"] {
        if let Some(text) = case.block(&format!("{side} {list}")) {
            fs::write(folder.join(list), text).unwrap();
        }
    }
    Documents::read(side, &Origin::Disk, &[folder.join("readygate.yaml")])
        .unwrap_or_else(|e| panic!("{}: {}", case.title, e.render(false, true)))
}

fn changes(case: &Case<'_>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let base = documents(case, "base", folder.path());
    let head = documents(case, "head", folder.path());
    let found = diff(&base, &head);
    for change in &found.changes {
        assert!(change.base.is_some() || change.head.is_some(), "{change:?}");
    }
    let name = folder.path().display().to_string();
    found.changes.iter().fold(String::new(), |mut out, change| {
        let Change {
            kind,
            weight,
            subject,
            message,
            ..
        } = change;
        let subject = subject.replace(&format!("{name}/"), "");
        writeln!(out, "{} {kind} {subject}: {message}", weight.name()).unwrap();
        out
    })
}

#[expect(clippy::disallowed_methods, reason = "the switch of a test")]
fn updating() -> bool {
    std::env::var_os("READYGATE_UPDATE_CASES").is_some()
}

#[test]
fn every_kind_of_loosening_and_tightening_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy/diff/cases");
    let mut wrong = String::new();
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut new = text.clone();
        for case in split(&text).into_iter().rev() {
            seen += 1;
            let found = changes(&case);
            let (_, wanted, at) = case.blocks.iter().find(|(k, ..)| *k == "changes").unwrap();
            if found != *wanted {
                new.replace_range(*at..at + wanted.len(), &found);
                writeln!(wrong, "{}:\n{found}", case.title).unwrap();
            }
        }
        if updating() {
            fs::write(&path, new).unwrap();
        }
    }
    assert!(seen > 40, "{seen} cases");
    assert!(wrong.is_empty() || updating(), "{wrong}");
}

#[test]
fn the_cases_show_every_weight_of_every_kind_that_has_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy/diff/cases");
    let texts = fs::read_dir(folder).unwrap();
    let all: String = texts
        .map(|e| fs::read_to_string(e.unwrap().path()).unwrap())
        .collect();
    for kind in [
        "looser gate-removed",
        "stricter gate-added",
        "looser signoff-removed",
        "looser stages",
        "stricter stages",
        "unclear stages",
        "unclear source",
        "looser threshold",
        "unclear threshold",
        "stricter threshold",
        "looser severity",
        "stricter severity",
        "looser waivable",
        "stricter waivable",
        "looser rule-level",
        "stricter rule-level",
        "unclear with",
        "unclear probe",
        "looser timing",
        "stricter timing",
        "unclear timing",
        "unclear variable",
        "unclear gate-added",
        "unclear text",
        "looser needs",
        "stricter needs",
        "looser tags",
        "stricter tags",
        "looser require",
        "stricter require",
        "looser disruption",
        "stricter disruption",
        "unclear target",
        "looser waiver",
        "unclear waiver",
        "stricter waiver",
        "looser role",
        "stricter role",
        "looser signers",
        "unclear signers",
        "stricter signers",
        "unclear role",
        "unclear policy-owner",
        "unclear environment",
        "unclear other",
        "neutral text",
        "unclear owner",
    ] {
        assert!(all.contains(&format!("\n{kind} ")), "no case for `{kind}`");
    }
}

#[test]
fn lists_of_included_files_count() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, part: &str| {
        let at = |file: &str| folder.path().join(format!("{name}-{file}"));
        let main = format!(
            "version: 1\nsecrets: [A]\npass_env: [A]\ninclude: [{name}-part.yaml, {name}-more.yaml]\n"
        );
        fs::write(at("main.yaml"), main).unwrap();
        fs::write(at("part.yaml"), format!("version: 1\n{part}")).unwrap();
        fs::write(at("more.yaml"), "version: 1\nsecrets: ~\n").unwrap();
        Documents::read(name, &Origin::Disk, &[at("main.yaml")]).unwrap()
    };
    let base = read("base", "secrets: [DB]\n");
    let head = read("head", "pass_env: [TOKEN]\n");
    let found = diff(&base, &head);
    let said: Vec<String> = found
        .changes
        .iter()
        .map(|c| format!("{} {}", c.weight.name(), c.message))
        .collect();
    assert_eq!(
        said,
        [
            "unclear `secrets`: `DB` was removed",
            "unclear `pass_env`: `TOKEN` was added"
        ]
    );
}

#[test]
fn the_digest_is_bound_to_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        Documents::read(name, &Origin::Disk, &[file]).unwrap()
    };
    let strict = read("strict", "version: 1\nrequire: {min_gates: 3}\n");
    let loose = read("loose", "version: 1\nrequire: {min_gates: 2}\n");
    let commented = read(
        "commented",
        "version: 1\nrequire: {min_gates: 2} # why not\n",
    );
    let digest = |base, head| diff(base, head).digest;
    assert_eq!(digest(&strict, &loose), digest(&strict, &loose));
    assert_ne!(digest(&strict, &loose), digest(&strict, &commented));
    assert_ne!(digest(&strict, &loose), digest(&loose, &strict));
}

#[test]
fn values_are_flat_the_same_only_when_they_are_the_same() {
    let flat = |text: &str| {
        let mut problems = Vec::new();
        let node = crate::config::parse_yaml(0, text, &mut problems);
        assert!(problems.is_empty(), "{text}");
        values::flat(&node.unwrap())
    };
    let different = [
        "[a, b]",
        "- a, b",
        "['a, b']",
        "- [a, b]",
        "- '[a, b]'",
        "[]",
        "['']",
        "[~]",
        "'~'",
        "5",
        "'5'",
        "'\"5\"'",
        "{a: b, c: d}",
        "{'a: b, c': d}",
        "a: b, c",
        "{'\"a\": \"b\", \"c\"': d}",
        "{a: {b: c}}",
        "{}",
        "'{}'",
    ];
    let texts: std::collections::BTreeSet<String> = different.iter().map(|t| flat(t)).collect();
    assert_eq!(texts.len(), different.len(), "{texts:#?}");
    assert_eq!(flat("{c: d, a: [b]}"), flat("a:\n- b\nc: d"));
}

#[test]
fn a_name_cannot_look_like_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        Documents::read(name, &Origin::Disk, &[file]).unwrap()
    };
    let base = read("base", "version: 1\nwatch: {for: 1m}\n");
    let head = read("head", "version: 1\nwatch: {\"x\\nno difference\": 1}\n");
    let found = diff(&base, &head);
    assert!(found.is_looser());
    let text = text(&found, &base, &head);
    assert!(
        !text.lines().any(|l| l.starts_with("no difference")),
        "{text}"
    );
}
