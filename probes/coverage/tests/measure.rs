//! `measure` on real files and real git repositories.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use readygate_coverage::{Coverage, CoverageConfig, CoverageMeasurement};
use readygate_sdk::{
    CheckOutcome, Checks, Cx, ErrorKind, Metrics, Probe as _, ProbeError, SystemClock, Value,
};
use serde_json::json;

async fn measure(
    folder: &Path,
    with: serde_json::Value,
) -> Result<CoverageMeasurement, ProbeError> {
    let config: CoverageConfig = serde_json::from_value(with).unwrap();
    Coverage::validate(&config).unwrap();
    let environment = ["PATH", "HOME"].into_iter().filter_map(|name| {
        #[expect(clippy::disallowed_methods, reason = "git is found by PATH")]
        Some((name.to_owned(), std::env::var(name).ok()?))
    });
    let cx = Cx::builder(Duration::from_secs(30))
        .directory(folder)
        .environment(environment.collect())
        .clock(Arc::new(SystemClock))
        .build();
    let measured = Coverage::measure(&config, &cx).await?;
    let json = serde_json::to_string(&measured).unwrap();
    assert_eq!(
        serde_json::from_str::<CoverageMeasurement>(&json).unwrap(),
        measured
    );
    Ok(measured)
}

fn number(metrics: &Metrics, name: &str) -> Option<f64> {
    match metrics.get(name)?.value {
        Value::Number(n) => Some(n),
        Value::Text(_) => None,
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    let status = Command::new("git")
        .args(identity)
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(status.status.success(), "{arguments:?}: {status:?}");
}

#[tokio::test]
async fn a_line_of_two_reports_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "src/a.py", "");
    // The same file by three names: relative, absolute, and below a source folder.
    write(
        folder,
        "1.info",
        "TN:\nSF:src/a.py\nDA:1,0\nDA:2,1\nDA:3,0\nBRDA:2,0,0,1\nBRDA:2,0,1,-\nend_of_record\n",
    );
    let absolute = folder.join("src/a.py").display().to_string();
    write(
        folder,
        "2.info",
        &format!("TN:\nSF:{absolute}\nDA:1,4\nDA:2,0\nBRDA:2,0,1,2\nend_of_record\n"),
    );
    let root = folder.join("src").display().to_string();
    write(
        folder,
        "3.xml",
        &format!(
            "<coverage><sources><source>{root}</source></sources><packages><package><classes><class filename=\"a.py\"><lines><line number=\"3\" hits=\"0\"/><line number=\"4\" hits=\"1\"/></lines></class></classes></package></packages></coverage>"
        ),
    );
    // A copy adds nothing and is told.
    std::fs::copy(folder.join("1.info"), folder.join("4.info")).unwrap();
    let measured = measure(folder, json!({ "reports": ["*.info", "*.xml"] }))
        .await
        .unwrap();
    let metrics = Coverage::metrics(&measured);
    let get = |name| number(&metrics, name);
    assert_eq!(
        (get("lines.covered"), get("lines.total")),
        (Some(3.0), Some(4.0))
    );
    assert_eq!(
        (get("branches.covered"), get("branches.total")),
        (Some(2.0), Some(2.0))
    );
    assert_eq!(
        (get("files"), measured.gaps.duplicates_total),
        (Some(1.0), 1)
    );
    assert_eq!(get("lines"), Some(75.0));
}

#[tokio::test]
async fn the_lines_of_a_change_are_those_of_git() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    git(folder, &["init", "-q"]);
    write(folder, "src/a.js", "one\ntwo\nthree\n");
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "base"]);
    git(folder, &["branch", "base"]);
    write(folder, "src/a.js", "one\nTWO\nthree\nfour\n// five\n");
    write(folder, "src/new.js", "x\n");
    write(folder, "README.md", "text\n");
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "change"]);
    write(
        folder,
        "lcov.info",
        "TN:\nSF:src/a.js\nDA:1,0\nDA:2,1\nDA:3,0\nDA:4,0\nend_of_record\n",
    );
    let with = json!({ "reports": ["lcov.info"], "diff": { "base": "base" }, "floors": { "src/**": "50%" } });
    let measured = measure(folder, with.clone()).await.unwrap();
    let metrics = Coverage::metrics(&measured);
    assert_eq!(number(&metrics, "changed.lines"), Some(50.0));
    let change = measured.change.unwrap();
    assert_eq!(change.uncovered.listed, ["src/a.js:4"]);
    assert_eq!(change.unknown_files.listed, ["src/new.js"]);
    assert!(measured.commit.is_some_and(|commit| commit.at.is_some()));

    // In a shallow clone the place where the branches met is missing.
    let shallow = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.display());
    let target = shallow.path().display().to_string();
    git(folder, &["clone", "-q", "--depth", "1", &url, &target]);
    std::fs::copy(folder.join("lcov.info"), shallow.path().join("lcov.info")).unwrap();
    git(
        shallow.path(),
        &["fetch", "-q", "--depth", "1", "origin", "base:base"],
    );
    let measured = measure(shallow.path(), with.clone()).await.unwrap();
    let change = measured.change.clone().unwrap();
    assert!(
        change.unknown.clone().unwrap().contains("shallow"),
        "{change:?}"
    );
    assert_eq!(number(&Coverage::metrics(&measured), "changed.lines"), None);
    let mut checks = Checks::new();
    Coverage::judge(
        &serde_json::from_value(with).unwrap(),
        &measured,
        &mut checks,
    );
    let no_diff = checks
        .as_slice()
        .iter()
        .find(|c| c.rule == "coverage/no-diff")
        .unwrap();
    assert_eq!(no_diff.outcome, CheckOutcome::Unmeasured);
}

#[tokio::test]
async fn what_is_no_coverage_is_an_error_with_its_place() {
    for (name, text, expected) in [
        ("cut.info", "TN:\nSF:a\nDA:1,1\n", "has no end"),
        (
            "bad.info",
            "TN:\nSF:a\nDA:x,1\nend_of_record\n",
            "3:1: `DA:x,1` is no line",
        ),
        ("cut.out", "mode: set\na.go:1.1,2.2 1", "breaks off"),
        (
            "cut.json",
            "{\"type\":\"llvm.coverage.json.export\",",
            "breaks off",
        ),
        ("junit.xml", "<testsuites/>", "a JUnit report"),
        (
            "last.json",
            "{\"result\":{\"line\":93.2}}",
            "rounded percentage",
        ),
        ("empty.xml", "", "empty"),
        ("text.txt", "hello", "starts with `hello`"),
        (
            "bomb.xml",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><coverage>&b;</coverage>",
            "entity",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), name, text);
        let error = measure(folder.path(), json!({ "reports": [name] }))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadData);
        let said = format!("{}: {}", error.subject, error.message);
        assert!(said.contains(expected), "{name}: {said}");
    }
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "a.info",
        "TN:\nSF:a\nDA:1,1\nend_of_record\n",
    );
    let with = json!({ "reports": ["a.info"], "format": "go" });
    let error = measure(folder.path(), with).await.unwrap_err();
    assert!(
        error
            .message
            .contains("`format` names go, and this is lcov"),
        "{error}"
    );
}

#[tokio::test]
async fn a_command_runs_first_and_old_reports_are_stale() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "old.info",
        "TN:\nSF:b\nDA:1,1\nend_of_record\n",
    );
    let script = "printf 'TN:\\nSF:a\\nDA:1,1\\nend_of_record\\n' > new.info";
    let with = json!({ "run": ["sh", "-c", script], "reports": ["*.info"] });
    let measured = measure(folder.path(), with).await.unwrap();
    let stale: Vec<_> = measured
        .reports
        .iter()
        .map(|r| (r.file.path.as_str(), r.file.before_run))
        .collect();
    assert_eq!(stale, [("new.info", false), ("old.info", true)]);
}

#[tokio::test]
async fn packages_that_name_the_same_path_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (package, hits) in [("p1", 0), ("p2", 1)] {
        write(folder, &format!("{package}/src/index.ts"), "x\n");
        let report = format!("TN:\nSF:src/index.ts\nDA:1,{hits}\nend_of_record\n");
        write(folder, &format!("{package}/coverage/lcov.info"), &report);
    }
    let with =
        json!({ "reports": ["*/coverage/lcov.info"], "floors": { "p1/**": "0%", "p2/**": "0%" } });
    let measured = measure(folder, with).await.unwrap();
    let floors = measured.floors.iter().map(|f| (f.files, f.lines.covered));
    assert_eq!(floors.collect::<Vec<_>>(), [(1, 0), (1, 1)]);
    assert_eq!(measured.totals.files, 2);
}

#[cfg(unix)]
#[tokio::test]
async fn a_repository_names_no_program_to_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    git(folder, &["init", "-q"]);
    write(folder, "a.js", "one\n");
    git(folder, &["add", "."]);
    git(folder, &["commit", "-qm", "base"]);
    write(folder, "lcov.info", "TN:\nSF:a.js\nDA:1,1\nend_of_record\n");
    write(folder, "watch.sh", "#!/bin/sh\ntouch \"$0.ran\"\n");
    let script = folder.join("watch.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.display().to_string();
    git(folder, &["config", "core.fsmonitor", &script]);
    let with = json!({ "reports": ["lcov.info"], "diff": { "base": "HEAD" } });
    measure(folder, with).await.unwrap();
    assert!(!folder.join("watch.sh.ran").exists());
}
