//! `measure` against real folders and real repositories.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

use readygate_sdk::{
    Check,
    CheckOutcome::{self, Failed, Unmeasured},
    Checks, Cx, ErrorKind, Probe as _, Target,
};
use readygate_source::{Answer, DebugKind, Source, SourceConfig, SourceMeasurement};
use serde_json::{Value, json};
use tempfile::TempDir;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(root.path(), path, text);
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn context(root: &Path) -> Cx {
    let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    let home = ("HOME".to_owned(), root.display().to_string());
    let stage = ("STAGE".to_owned(), "changeme".to_owned());
    Cx::builder(Duration::from_secs(30))
        .directory(root)
        .environment(BTreeMap::from([path, home, stage]))
        .target(Target {
            name: "shop".into(),
            version: Some("4.0.0".into()),
            commit: Some("0123456789".into()),
            ..Target::default()
        })
        .build()
}

async fn look(root: &Path, with: Value) -> (SourceMeasurement, Vec<Check>) {
    let config: SourceConfig = serde_json::from_value(with).unwrap();
    Source::validate(&config).unwrap();
    let measured = Source::measure(&config, &context(root)).await.unwrap();
    let json = serde_json::to_string(&measured).unwrap();
    assert_eq!(
        serde_json::from_str::<SourceMeasurement>(&json).unwrap(),
        measured
    );
    let mut checks = Checks::new();
    Source::judge(&config, &measured, &mut checks);
    (measured, checks.into_vec())
}

fn bad(checks: &[Check]) -> Vec<(&str, CheckOutcome)> {
    let bad = checks.iter().filter(|c| c.outcome != CheckOutcome::Passed);
    bad.map(|c| (c.rule.as_str(), c.outcome)).collect()
}

fn findings(measured: &SourceMeasurement) -> Vec<String> {
    let Some(Answer::Measured(found)) = &measured.debug else {
        panic!("{measured:?}");
    };
    let shown = |f: &readygate_source::Finding| format!("{} {}", f.location, f.what);
    found.findings.iter().map(shown).collect()
}

#[tokio::test]
async fn debug_code_is_found_where_it_runs() {
    let root = tree(&[
        (
            "src/a.ts",
            "// console.log(1)\nconst t = 'console.log(2)';\nconsole.log(3);\n  debugger\nlogger.console.log(4)\n",
        ),
        (
            "src/a.test.ts",
            "console.log(1)\ntest.only('x', () => {})\ndescribe.skip('y')\n",
        ),
        (
            "src/b.py",
            "\"\"\"print('doc')\"\"\"\nimport pdb\nprint(1)\nself.print(2)\n",
        ),
        (
            "src/c.rs",
            "// dbg!(1)\nlet x = dbg!(y);\nfn f<'a>(x: &'a str) { println!(\"{x}\") }\n",
        ),
        ("src/d.rb", "  binding.pry\nputs total\nparams = p.find\n"),
        ("src/e.php", "<?php\nvar_dump($x);\n$this->dump($y);\n"),
        (
            "src/F.java",
            "e.printStackTrace();\nSystem.out.println(1);\nlog.info(\"System.out.println\");\n",
        ),
        ("node_modules/x/i.js", "console.log(1)"),
        ("dist/x.js", "console.log(1)"),
        ("src/lib.min.js", "console.log(1)"),
        (".gitignore", "ignored/\n"),
        ("ignored/x.js", "console.log(1)"),
        ("README.md", "console.log(1)"),
    ]);
    let (measured, checks) = look(root.path(), json!({"debug": {}})).await;
    assert_eq!(
        findings(&measured),
        [
            "src/F.java:1 .printStackTrace",
            "src/F.java:2 System.out.println",
            "src/a.test.ts:2 test.only",
            "src/a.ts:4 debugger",
            "src/a.ts:3 console.log",
            "src/b.py:2 pdb",
            "src/b.py:3 print",
            "src/c.rs:2 dbg!",
            "src/d.rb:1 binding.pry",
            "src/d.rb:2 puts",
            "src/e.php:2 var_dump",
        ]
        .map(str::to_owned)
        .to_vec()
        .tap_sorted(&measured)
    );
    let rules: Vec<_> = bad(&checks).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(
        rules,
        [
            "source/debug-code",
            "source/debug-print",
            "source/focused-test"
        ]
    );
}

/// Lines are visited in order, so expectations are put into the order of places.
trait Sorted {
    fn tap_sorted(self, measured: &SourceMeasurement) -> Self;
}

impl Sorted for Vec<String> {
    fn tap_sorted(mut self, measured: &SourceMeasurement) -> Self {
        let order = findings(measured);
        self.sort_by_key(|line| order.iter().position(|l| l == line));
        self
    }
}

#[tokio::test]
async fn exceptions_need_a_reason() {
    let root = tree(&[
        (
            "a.js",
            "console.log(1) // readygate:allow-debug start banner\nconsole.log(2) // readygate:allow-debug\n// eslint-disable-next-line no-console\nconsole.log(3)\n",
        ),
        ("cli.js", "console.log(4)\n"),
    ]);
    let with =
        json!({"debug": {"may_print": ["cli.js"], "kinds": ["print"], "patterns": "start b.nner"}});
    let (measured, checks) = look(root.path(), with).await;
    assert_eq!(findings(&measured), ["a.js:2 console.log"]);
    let rules: Vec<_> = bad(&checks).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["source/debug-print", "source/allow-without-reason"]);
}

#[tokio::test]
async fn nothing_scanned_is_nothing_known() {
    let root = tree(&[("a.txt", "console.log"), ("b.js", "x\0y")]);
    for (paths, rule) in [
        (json!(["a.txt"]), "source/debug-code"),
        (json!(["none"]), "source/debug-code"),
    ] {
        let (_, checks) = look(root.path(), json!({"debug": {"paths": paths}})).await;
        assert_eq!(bad(&checks), [(rule, Unmeasured)]);
    }
    let (_, checks) = look(root.path(), json!({"debug": {}})).await;
    assert!(
        bad(&checks).iter().all(|(_, o)| *o == Unmeasured),
        "{checks:?}"
    );
    assert!(bad(&checks).contains(&("source/unread", Unmeasured)));
}

#[tokio::test]
async fn variables_are_compared_and_no_value_is_kept() {
    let root = tree(&[
        (
            ".env.example",
            "DATABASE_URL=\nJWT_SECRET=s3cr3t-example\nPORT=3000\nSENTRY_DSN=\nSTAGE=\nMAIL=\n",
        ),
        (
            "prod.env",
            "DATABASE_URL=postgres://u:hunter2@db/x\nJWT_SECRET=s3cr3t-example\nPORT=3000\nPROT=1\nMAIL=\n",
        ),
    ]);
    let with = json!({"environment": {
        "declared": ".env.example", "deployed": ["prod.env"], "process": true, "optional": ["SENTRY_DSN"],
    }});
    let (measured, checks) = look(root.path(), with).await;
    let text = format!("{}{checks:?}", serde_json::to_string(&measured).unwrap());
    assert!(
        !text.contains("hunter2") && !text.contains("s3cr3t"),
        "{text}"
    );
    let rules: Vec<_> = bad(&checks).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(
        rules,
        [
            "source/env-empty",
            "source/env-placeholder",
            "source/env-undeclared"
        ]
    );
    let placeholder = checks
        .iter()
        .find(|c| c.rule == "source/env-placeholder")
        .unwrap();
    assert_eq!(placeholder.details, ["JWT_SECRET (prod.env:2)", "STAGE"]);
}

#[tokio::test]
async fn unreadable_variables_are_unmeasured_with_the_line() {
    let root = tree(&[
        (".env.example", "A=1\n"),
        ("prod.env", "A=1\nnonsense\n"),
        ("empty", "# none\n"),
    ]);
    for (declared, deployed, says) in [
        (".env.example", "prod.env", "line 2"),
        (".env.example", "missing.env", "No such file"),
        ("empty", "prod.env", "declares no variable"),
    ] {
        let with = json!({"environment": {"declared": declared, "deployed": [deployed]}});
        let (_, checks) = look(root.path(), with).await;
        assert_eq!(bad(&checks), [("source/env-missing", Unmeasured)]);
        assert!(checks[0].message.contains(says), "{}", checks[0].message);
    }
}

#[tokio::test]
async fn documents_are_judged_by_what_they_say() {
    let root = tree(&[
        ("CHANGELOG.md", "# Changelog\n## Unreleased\n## 14.0.0\nx\n"),
        (
            "good/CHANGELOG.md",
            "# Changelog\n## [4.0.0] - 2026-01-01\n- faster\n",
        ),
        (
            "RUNBOOK.md",
            "# Runbook\n## Rollback\n## Start\nsee [there](good/CHANGELOG.md#400---2026-01-01), [x](nowhere.md), [y](#start), [z](#none), https://example.com\n",
        ),
        ("EMPTY.md", "  \n"),
    ]);
    let with = json!({"documents": [
        {"path": "CHANGELOG.md", "names_version": true, "changelog": true},
        {"path": "good/CHANGELOG.md", "names_version": true, "changelog": true},
        {"path": "RUNBOOK.md", "headings": ["rollback", "start", "stop"], "links": true},
        {"path": "EMPTY.md"}, {"path": "NONE.md"},
    ]});
    let (measured, checks) = look(root.path(), with).await;
    let bad: Vec<_> = bad(&checks).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(
        bad,
        [
            "source/document-lacks-version",
            "source/changelog",
            "source/document-lacks-section",
            "source/document-lacks-section",
            "source/dead-link",
            "source/document-missing",
            "source/document-missing",
        ]
    );
    let dead: Vec<_> = measured.documents[2]
        .links
        .dead
        .iter()
        .map(|l| l.target.as_str())
        .collect();
    assert_eq!(dead, ["nowhere.md", "#none"]);
}

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(root)
        .env("HOME", root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> (TempDir, String) {
    let root = tree(&[("a.txt", "1")]);
    git(root.path(), &["init", "-q", "-b", "main"]);
    git(root.path(), &["add", "."]);
    git(root.path(), &["commit", "-qm", "one"]);
    let head = git(root.path(), &["rev-parse", "HEAD"]);
    (root, head)
}

#[tokio::test]
async fn git_tells_clean_from_dirty_and_signed_from_not() {
    let (root, _) = repository();
    git(root.path(), &["tag", "v4.0.0"]);
    let with = json!({"git": {"clean": true, "tag": "v4.0.0", "contains": "main"}});
    let (_, checks) = look(root.path(), with).await;
    assert_eq!(bad(&checks), []);
    write(root.path(), "b.txt", "2");
    let with = json!({"git": {
        "clean": true, "commit": true, "tag": "v4.0.1", "signed": true, "contains": "origin/main",
    }});
    let (measured, checks) = look(root.path(), with).await;
    let Some(Answer::Measured(found)) = &measured.git else {
        panic!("{measured:?}")
    };
    assert_eq!(found.dirty, ["?? b.txt"]);
    assert_eq!(
        bad(&checks),
        [
            ("source/git-dirty", Failed),
            ("source/git-commit", Failed),
            ("source/git-tag", Failed),
            // A ref that is not there must not read as a good history.
            ("source/git-unsigned", Unmeasured),
            ("source/git-behind", Unmeasured),
        ]
    );
    let (_, checks) = look(root.path(), json!({"git": {"signed": true}})).await;
    assert_eq!(bad(&checks), [("source/git-unsigned", Failed)]);
}

#[tokio::test]
async fn a_shallow_clone_does_not_vouch_for_history() {
    let (root, first) = repository();
    git(root.path(), &["commit", "-q", "--allow-empty", "-m", "two"]);
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", root.path().display());
    git(clone.path(), &["clone", "-q", "--depth=1", &url, "c"]);
    let with =
        json!({"git": {"directory": "c", "signed": true, "since": first, "contains": first}});
    let (_, checks) = look(clone.path(), with).await;
    let outcomes: Vec<_> = bad(&checks)
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(outcomes, [Unmeasured; 2]);
}

#[tokio::test]
async fn no_repository_is_unmeasured_and_leaves_the_rest_alone() {
    let root = tree(&[("a.js", "x()")]);
    let (measured, checks) = look(root.path(), json!({"git": {"clean": true}, "debug": {}})).await;
    let Some(Answer::Unmeasured(error)) = &measured.git else {
        panic!("{measured:?}")
    };
    assert_eq!(error.kind, ErrorKind::NoData, "{error}");
    assert_eq!(bad(&checks), [("source/git-state", Unmeasured)]);
    assert_eq!(findings(&measured), [] as [&str; 0]);
}

#[test]
fn every_kind_has_a_name() {
    for (kind, name) in [
        (DebugKind::Focus, "\"focus\""),
        (DebugKind::Print, "\"print\""),
    ] {
        assert_eq!(serde_json::to_string(&kind).unwrap(), name);
    }
}
