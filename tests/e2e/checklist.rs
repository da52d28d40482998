//! From a checklist to a config that `plan` accepts.

use std::{fs, path::PathBuf};

use crate::support::{Ran, readygate};

const BAKERY: &str = include_str!("../../fixtures/checklists/bakery.md");

/// A checklist from outside of the repository, where it is present: `READYGATE_SEED` names its
/// folder.
#[expect(clippy::disallowed_methods, reason = "tells the test where files are")]
fn seed(name: &str) -> Option<Vec<u8>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/seed");
    let folder = std::env::var_os("READYGATE_SEED").map_or(beside, PathBuf::from);
    fs::read(folder.join(name)).ok()
}

fn imported(document: &[u8], options: &str) -> (Ran, Ran, String) {
    let project = readygate().file("list.md", document);
    let import = project.call(&format!("import list.md {options}"));
    assert_eq!(import.code, 0, "{}", import.stderr);
    let plan = project.call("plan");
    (import, plan, project.read("readygate.yaml"))
}

#[test]
fn the_fixture_becomes_a_config_that_plan_accepts() {
    let (import, plan, yaml) = imported(BAKERY.as_bytes(), "");
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(
        plan.stdout
            .contains("would run against production at https://app.example.com")
    );
    assert!(yaml.starts_with("# yaml-language-server: $schema="));
    let last = import.stderr.lines().last().unwrap();
    assert!(
        last.contains("box lines: ") && last.ends_with(" 0 dropped"),
        "{last}"
    );
    assert!(
        import.stderr.contains("to settle: throughput"),
        "{}",
        import.stderr
    );
    assert!(yaml.contains("# - throughput: the document names several numbers"));
}

#[test]
fn an_update_keeps_what_people_changed() {
    let project = readygate().file("list.md", BAKERY);
    assert_eq!(project.call("import list.md").code, 0);
    let yaml = project
        .read("readygate.yaml")
        .replace("lines: \">= 85%\"", "lines: \">= 99%\"");
    let project = project.file("readygate.yaml", &yaml).file(
        "list.md",
        BAKERY.replace("Test coverage ≥ 85%", "Test coverage ≥ 90%"),
    );
    let ran = project.call("import list.md");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("exists already"), "{}", ran.stderr);
    let ran = project.call("import list.md --update readygate.yaml -o readygate.yaml");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("the text says `lines: >= 90%`, the gate expects `>= 99%`"),
        "{}",
        ran.stderr
    );
    assert!(project.read("readygate.yaml").contains("lines: \">= 99%\""));
    assert_eq!(project.call("plan").code, 0);
}

#[test]
fn bad_documents_are_refused() {
    let project = readygate()
        .file("words.md", "# Words\n")
        .file("bytes.md", b"\xff\xfe\x00x");
    for (name, why) in [
        ("words.md", "nothing to import"),
        ("bytes.md", "not UTF-8, from byte 0 in line 1"),
        ("none.md", "cannot be read"),
        (".", "is a folder"),
    ] {
        let ran = project.call(&format!("import {name}"));
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{name}: {}", ran.stderr);
    }
    assert!(!project.path("readygate.yaml").exists());
}

#[test]
fn the_seed_is_covered() {
    let Some(document) = seed("checklist.md") else {
        return;
    };
    let (import, plan, _) = imported(&document, "");
    check_seed(&import, &plan);
}

#[test]
fn the_garbled_seed_is_repaired_only_when_asked() {
    let Some(document) = seed("checklist.raw.txt") else {
        return;
    };
    let refused = readygate()
        .file("list.md", &document)
        .call("import list.md");
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("--repair-encoding"),
        "{}",
        refused.stderr
    );
    let (import, plan, _) = imported(&document, "--repair-encoding");
    assert!(import.stderr.contains("UTF-8 had been read as Mac Roman"));
    check_seed(&import, &plan);
}

fn check_seed(import: &Ran, plan: &Ran) {
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let last = import.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("195 box lines: ") && last.ends_with(" 0 dropped"),
        "{last}"
    );
    for conflict in [
        "list.md:108: □ Can handle expected traffic (50K req/s)",
        "list.md:127: ├─ Requests/sec: 45,000+",
        "list.md:517: □ Throughput > 40K req/s",
        "list.md:129: ├─ Error Rate: < 0.01%",
        "list.md:485: Error Rate: □ < 0.1% □ > 0.1%",
        "list.md:516: □ Error rate < 0.1%",
        "to settle: everything before the deployment",
        "list.md:142: Performance Engineer",
        "list.md:274: DevOps",
        "list.md:585: Tech Writer",
        "list.md:700: Incident Commander",
        "list.md:750: QA Lead",
        "list.md:755: Product Owner",
        "31 samples without a failure only show a rate below 9.2 %; 29956 are needed",
        "note: FLUSHALL reaches one node",
        "note: BGSAVE returns before",
        "note: the `mongo` shell is gone",
        "note: localhost is the view of the host",
        "note: curl without --fail",
    ] {
        assert!(
            import.stderr.contains(conflict),
            "{conflict}\n{}",
            import.stderr
        );
    }
}
