//! The other subcommands.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::readygate;

#[test]
fn plan_shows_what_would_run_and_runs_nothing() {
    let project = readygate().config(
        r"version: 1
target: {name: production, url: 'https://shop.example.com'}
gates:
- {id: health, probe: command, timeout: 5s, with: {shell: touch ran}}
- {id: smoke, title: Smoke tests, stages: [post-deploy], needs: [health], retry: {attempts: 3, delay: 2s}, exclusive: true, probe: command, with: {shell: touch ran}}
- {id: nightly, stages: [nightly], probe: files, with: {paths: [x]}}
",
    );
    let ran = project.call("plan --only smoke");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_snapshot!(ran.stdout, @r#"
    2 gates of 3 would run against production at https://shop.example.com

    health  health
        command · major · active · at most 5 s · needed by a selected gate
        contacts: /bin/sh -c touch ran

    smoke  Smoke tests
        command · major · active · at most 94 s · alone
        contacts: /bin/sh -c touch ran
        needs: health

    at most 99 s one after the other; 8 side by side
    "#);
    let ran = project.call("plan --stage post-deploy --json");
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ids: Vec<_> = plan["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| &g["id"])
        .collect();
    assert_eq!(ids, ["health", "smoke"]);
    assert!(!project.path("ran").exists());
}

#[test]
fn probe_runs_one_probe_without_a_config() {
    let project = readygate().file("a.txt", "hello");
    let ran = project.call("probe files paths=[a.txt] --expect count==1");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · ad hoc
    1 gate selected of 1

    ✓ files  files  1 count · [TIME]
        ✓ a.txt: the file exists [files/missing]
        ✓ a.txt: the file is not empty [files/empty]
        ✓ `count` is as expected [expect/count]
          age.newest   [TIME]
          age.oldest   [TIME]
          bytes.total  5 B
          count        1
          size.max     5 B
          size.min     5 B
          matches      not measured: the gate has neither `contains` nor `matches`

    GO  1 passed · [TIME] · exit code 0
    "#);
    let ran = project.call("probe files paths=[b.txt]");
    assert_eq!(ran.code, 1);
    let ran = project.call("probe command argv=[no-such-program]");
    assert_eq!(ran.code, 3);
    let ran = project.call("probe files --json paths=[a.txt]");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&json["probe"], &json["outcome"]),
        (&"files".into(), &"passed".into())
    );
    assert_eq!(json["metrics"]["count"]["value"], 1.0);
    let ran = project.call("probe files pahts=[a.txt] --expect cuont==1");
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: unknown key `pahts`
      ╭▸ command line:1:1
      │
    1 │ pahts=[a.txt]
      │ ━━━━━
      │
      ╰ help: did you mean `paths`?

    error: probe `files` has no metric `cuont`
      ╭▸ command line:1:1
      │
    1 │ cuont==1
      │ ━━━━━
      │
      ╰ help: did you mean `count`?

    2 errors in the config; nothing was run
    "#);
}

#[test]
fn explain_tells_of_gates_probes_and_rules() {
    let project = readygate().gates(
        "- {id: docs.readme, title: It is there, description: New people start here., owner: Docs, probe: files, with: {paths: [README.md]}, expect: {count: '== 1'}}",
    );
    let ran = project.call("explain docs.readme");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_snapshot!(ran.stdout, @r#"
    docs.readme  It is there

      New people start here.

    severity  major: a failure keeps the run from GO
    owner     Docs
    declared  readygate.yaml:3:8
    probe     files: Files that must exist (or must not), with their size, age, checksum and text
    contacts  README.md
    expects   count: Files that matched; with `absent: true`, whatever exists at the paths

    rules of the probe:
      files/missing               no regular file is at the path
      files/unexpected            something exists where nothing may be
      files/unreadable            a file or folder could not be read
      files/empty                 a file has zero bytes
      files/too-small             a file is smaller than `min_size`
      files/too-large             a file is larger than `max_size`
      files/too-old               a file was last modified longer ago than `max_age`
      files/future-mtime          a file was modified in the future
      files/lacks-text            a file lacks a text that it must have
      files/has-text              a file has a text that it must not have
      files/checksum              the SHA-256 checksum of the file is another one
    "#);
    let ran = project.call("explain files/empty");
    assert_snapshot!(ran.stdout, @r#"
    files/empty

      a file has zero bytes

    why     An empty file is mostly the trace of a step that failed half-way: a dump that broke off, a report never written.
    fix     look at the step that writes it; if empty is right, say so with `min_size: 0B`
    weight  warning: the gate still passes

    measured by the probe `files`; grade it otherwise with

      rules: { "files/empty": warning }
    "#);
    for id in ["files", "command", "probes"] {
        let ran = project.call(&format!("explain {id}"));
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("files") || ran.stdout.contains("command"));
    }
    let ran = project.call("explain docs.raedme");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("did you mean `docs.readme`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn every_probe_and_rule_can_be_explained() {
    let project = readygate();
    let list = project.call("explain probes").stdout;
    for entry in readygate::registry::PROBES {
        assert!(list.contains(entry.meta.id));
        assert_eq!(project.call(&format!("explain {}", entry.meta.id)).code, 0);
        for rule in entry.meta.rules {
            let ran = project.call(&format!("explain {}", rule.code));
            assert_eq!(ran.code, 0, "{}", rule.code);
            assert!(ran.stdout.starts_with(rule.code));
        }
    }
}

#[test]
fn init_writes_a_config_that_plan_accepts() {
    let package = r#"{"name": "@shop/web: \"x\" #y", "scripts": {"test": "jest", "lint": "eslint", "build": "tsc"}}"#;
    for (file, content, gates) in [
        (
            "package.json",
            package,
            "quality.tests quality.lint quality.build docs.readme",
        ),
        (
            "Cargo.toml",
            "[package]",
            "quality.tests quality.lint docs.readme",
        ),
        (
            "go.mod",
            "module x",
            "quality.tests quality.lint docs.readme",
        ),
        ("pyproject.toml", "", "quality.tests docs.readme"),
        ("CHANGELOG.md", "", "docs.changelog docs.readme"),
        ("reports/junit/a.xml", "", "docs.readme"),
        ("package.json", "not json", "docs.readme"),
    ] {
        let project = readygate().file(file, content).args(["init"]);
        let ran = project.run();
        assert_eq!(ran.code, 0, "{file}: {}", ran.stderr);
        let ran = project.call("plan --json");
        assert_eq!(
            ran.code,
            0,
            "{file}: {}\n{}",
            ran.stderr,
            project.read("readygate.yaml")
        );
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
        let ids: Vec<_> = plan["gates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|g| g["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.join(" "), gates, "{file}");
    }
}

#[test]
fn init_uses_the_reports_that_are_there() {
    let project = readygate()
        .file("Cargo.toml", "[package]")
        .file("target/nextest/junit.xml", "<testsuites/>");
    assert_eq!(project.call("init").code, 0);
    assert!(
        project
            .read("readygate.yaml")
            .contains("reports: [\"target/nextest/*.xml\"]")
    );
    assert_eq!(project.call("plan").code, 0);
}

#[test]
fn init_overwrites_only_when_forced() {
    let project = readygate().config("mine");
    let ran = project.call("init");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(project.read("readygate.yaml"), "mine");
    assert_eq!(project.call("init --force").code, 0);
    assert_ne!(project.read("readygate.yaml"), "mine");
    let ran = project.call("init -o -");
    assert_eq!(ran.code, 0);
    assert_eq!(ran.stdout, project.read("readygate.yaml"));
}

#[test]
fn the_schemas_accept_what_the_gate_reads_and_writes() {
    let project = readygate()
        .gates("- {id: a, probe: files, with: {paths: [readygate.yaml]}, expect: {count: '== 1'}}");
    let ran = project.run();
    let schema = |args: &str| {
        let ran = project.call(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    let run = schema("schema run");
    assert!(run.is_valid(&ran.record()));
    let mut broken = ran.record();
    broken["verdict"] = "MAYBE".into();
    assert!(!run.is_valid(&broken));
    let config = schema("schema");
    let good = serde_json::json!({"version": 1, "gates": [{"id": "a", "probe": "files", "with": {"paths": ["x"]}}]});
    assert!(config.is_valid(&good), "{:?}", config.validate(&good).err());
    let mut bad = good;
    bad["gates"][0]["probee"] = "files".into();
    assert!(!config.is_valid(&bad));
}

#[test]
fn completions_and_the_manual_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = readygate().call(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.contains("judge"), "{shell}");
    }
    assert_eq!(readygate().call("completions cmd").code, 2);
    let ran = readygate().call("man");
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains(".TH readygate"), "{}", ran.stdout);
}

/// A drill typed in passing must not fail a store over.
#[test]
fn probe_disrupts_nothing_unless_told_to() {
    let project = readygate();
    let ran = project.call("probe redis nodes=[\"127.0.0.1:1\"] topology={\"nodes\":6} drill=true");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_snapshot!(ran.stderr, @"error: with these settings the probe may disrupt what it measures; if you mean it, add --allow-disruptive");
    let ran = project
        .call("probe redis nodes=[\"127.0.0.1:1\"] topology={\"nodes\":6} drill=true --allow-disruptive --timeout 3s");
    assert_ne!(ran.code, 2);
}
