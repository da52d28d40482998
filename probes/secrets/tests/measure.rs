//! Measuring, against repositories made by git for each test.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, process::Command, time::Duration};

use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Probe as _, ProbeError};
use readygate_secrets::{Confidence, Secrets, SecretsConfig, SecretsMeasurement};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Token-shaped only when it runs, so that no scanner finds it in this file.
fn token() -> String {
    ["ghp", "_Zk3vQ9xT7bLm2NcR8", "wYp4HsD6fGj1Aa5EoUi"].concat()
}

fn password() -> String {
    ["Tr0ub4", "dor!9"].concat()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn write(folder: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn commit(folder: &Path, path: &str, text: &str) -> String {
    write(folder, path, text);
    git(folder, &["add", "-A", "-f"]);
    git(folder, &["commit", "-q", "-m", "x"]);
    git(folder, &["rev-parse", "HEAD"])
}

fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    folder
}

async fn measure(folder: &Path, config: Value) -> Result<SecretsMeasurement, ProbeError> {
    let config: SecretsConfig = serde_json::from_value(config).unwrap();
    Secrets::validate(&config).unwrap();
    let cx = Cx::builder(Duration::from_secs(30))
        .directory(folder)
        .build();
    let measured = Secrets::measure(&config, &cx).await;
    if let Ok(measured) = &measured {
        let text = serde_json::to_string(measured).unwrap();
        let text = text + &format!("{:?}", judged(&config, measured));
        assert!(
            !text.contains(&token()[4..12]),
            "half a token is in the record: {text}"
        );
        assert!(
            !text.contains(&password()[..5]),
            "half a password is in the record: {text}"
        );
    }
    measured
}

fn judged(config: &SecretsConfig, measured: &SecretsMeasurement) -> Vec<Check> {
    let mut checks = Checks::new();
    Secrets::judge(config, measured, &mut checks);
    checks.into_vec()
}

fn outcome(measured: &SecretsMeasurement, rule: &str) -> Vec<CheckOutcome> {
    // The config that the record was made with, as far as rules look at it.
    let config = json!({
        "tree": measured.tree.is_some(),
        "history": measured.history.as_ref().map(|h| &h.range),
        "reports": measured.reports.as_ref().map(|_| ["*.json"]),
    });
    let config: SecretsConfig = serde_json::from_value(config).unwrap();
    let checks = judged(&config, measured);
    checks
        .iter()
        .filter(|c| c.rule == rule)
        .map(|c| c.outcome)
        .collect()
}

#[tokio::test]
async fn tracked_files_are_scanned_and_ignored_ones_are_not() {
    let folder = repository();
    let here = folder.path();
    commit(here, ".gitignore", "*.log\n.env\n");
    commit(
        here,
        "tracked.log",
        &format!("a\nb\nuse {} here\n", token()),
    );
    write(here, "ignored.log", token());
    write(
        here,
        "untracked.py",
        format!("password = '{}'\n", password()),
    );
    write(here, "binary.bin", b"\0\x01\x02");
    let measured = measure(here, json!({})).await.unwrap();
    let places: Vec<_> = measured
        .findings
        .iter()
        .map(|f| (f.place.path.as_str(), f.place.line, f.place.column))
        .collect();
    assert_eq!(places, [("tracked.log", 3, 5), ("untracked.py", 1, 13)]);
    let tree = measured.tree.unwrap();
    assert_eq!((tree.files, tree.binaries), (3, 1));
    assert_eq!(measured.findings[0].masked, "ghp_****");
    assert_eq!(measured.findings[1].masked, "****");
}

#[tokio::test]
async fn a_secret_that_was_deleted_is_found_in_the_history() {
    let folder = repository();
    let here = folder.path();
    commit(here, "a.txt", "nothing\n");
    let leaked = commit(here, "config/app.txt", &format!("\ntoken {}\n", token()));
    commit(
        here,
        "config/app.txt",
        &format!("\n\n\ntoken {}\n", token()),
    );
    commit(here, "config/app.txt", "gone\n");
    let measured = measure(here, json!({"history": "all"})).await.unwrap();
    assert_eq!(measured.findings.len(), 1, "{:?}", measured.findings);
    let finding = &measured.findings[0];
    assert_eq!(finding.place.commit.as_deref(), Some(leaked.as_str()));
    assert_eq!(
        (finding.place.line, finding.present, finding.occurrences),
        (2, false, 2)
    );
    let history = measured.history.as_ref().unwrap();
    assert_eq!(
        (
            history.commits,
            history.blobs,
            history.incomplete.as_deref()
        ),
        (4, 4, None)
    );
    assert_eq!(
        outcome(&measured, "secrets/incomplete-history"),
        [CheckOutcome::Passed]
    );
}

#[tokio::test]
async fn a_range_holds_what_its_commits_add_and_no_more() {
    let folder = repository();
    let here = folder.path();
    commit(here, "old.txt", &format!("x {}\n", token()));
    let base = commit(here, "other.txt", "x\n");
    git(here, &["checkout", "-q", "-b", "feature"]);
    commit(here, "new.py", &format!("password = '{}'\n", password()));
    git(here, &["mv", "old.txt", "moved.txt"]);
    git(here, &["commit", "-q", "-am", "move"]);
    git(here, &["checkout", "-q", "main"]);
    commit(here, "main.txt", "y\n");
    git(here, &["checkout", "-q", "feature"]);
    git(here, &["merge", "-q", "main", "-m", "merge"]);
    let config = json!({"tree": false, "history": format!("{base}..feature")});
    let measured = measure(here, config).await.unwrap();
    let paths: Vec<_> = measured
        .findings
        .iter()
        .map(|f| f.place.path.as_str())
        .collect();
    assert_eq!(paths, ["new.py"]);
    let merged = measure(here, json!({"tree": false, "history": "main..feature"}))
        .await
        .unwrap();
    assert_eq!(merged.history.unwrap().commits, 3);
}

#[tokio::test]
async fn a_merge_that_adds_a_secret_itself_is_seen() {
    let folder = repository();
    let here = folder.path();
    commit(here, "a.txt", "a\n");
    git(here, &["checkout", "-q", "-b", "side"]);
    commit(here, "b.txt", "b\n");
    git(here, &["checkout", "-q", "main"]);
    commit(here, "c.txt", "c\n");
    git(here, &["merge", "-q", "--no-commit", "--no-ff", "side"]);
    commit(here, "evil.txt", &format!("x {}\n", token()));
    let measured = measure(here, json!({"tree": false, "history": "all"}))
        .await
        .unwrap();
    assert_eq!(measured.findings.len(), 1);
    assert_eq!(measured.findings[0].place.path, "evil.txt");
}

#[tokio::test]
async fn a_shallow_clone_and_a_missing_base_are_unmeasured() {
    let folder = repository();
    commit(folder.path(), "a.txt", "a\n");
    let tip = commit(folder.path(), "a.txt", "b\n");
    let clones = tempfile::tempdir().unwrap();
    let from = format!("file://{}", folder.path().display());
    git(
        clones.path(),
        &["clone", "-q", "--depth", "1", &from, "clone"],
    );
    let clone = clones.path().join("clone");
    for range in ["all", "main~1..main", "origin/release..HEAD"] {
        let measured = measure(&clone, json!({"history": range})).await.unwrap();
        assert_eq!(
            outcome(&measured, "secrets/incomplete-history"),
            [CheckOutcome::Unmeasured],
            "{range}"
        );
        let metrics = Secrets::metrics(&measured);
        assert!(metrics.get("findings").is_none(), "{range}");
    }
    let whole = measure(folder.path(), json!({"history": format!("{tip}~1..{tip}")}))
        .await
        .unwrap();
    assert_eq!(
        outcome(&whole, "secrets/incomplete-history"),
        [CheckOutcome::Passed]
    );
}

#[tokio::test]
async fn nothing_scanned_is_unmeasured() {
    let folder = tempfile::tempdir().unwrap();
    let measured = measure(folder.path(), json!({})).await.unwrap();
    assert_eq!(
        outcome(&measured, "secrets/nothing-scanned"),
        [CheckOutcome::Unmeasured]
    );
    let alone = measure(folder.path(), json!({"history": "all"}))
        .await
        .unwrap();
    assert_eq!(
        outcome(&alone, "secrets/incomplete-history"),
        [CheckOutcome::Unmeasured]
    );
    let missing = measure(folder.path(), json!({"directory": "nowhere"}))
        .await
        .unwrap_err();
    assert!(missing.to_string().contains("no such folder"), "{missing}");
}

#[tokio::test]
async fn what_is_allowed_needs_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(
        here,
        "a.py",
        format!(
            "x = '{}'  # readygate:allow-secret revoked in May\n",
            token()
        ),
    );
    write(
        here,
        "b.py",
        format!("# readygate:allow-secret public demo\nx = '{}'\n", token()),
    );
    write(
        here,
        "c.py",
        format!("x = '{}'  # readygate:allow-secret\n", token()),
    );
    write(here, "tests/d.py", format!("password = '{}'\n", password()));
    let config = json!({"allow": [{"paths": ["tests/**"], "reason": "made up"}]});
    let measured = measure(here, config).await.unwrap();
    assert_eq!(measured.counts.allowed, 3);
    assert_eq!(measured.counts.findings(), 1);
    assert_eq!(measured.unexplained[0].path, "c.py");
    assert_eq!(
        outcome(&measured, "secrets/allow-without-reason"),
        [CheckOutcome::Failed]
    );
}

#[tokio::test]
async fn a_baseline_survives_moved_lines_and_knows_the_salt() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(here, "a.py", format!("x = '{}'\n", token()));
    let first = measure(here, json!({})).await.unwrap();
    let known = &first.findings[0].fingerprint;
    write(
        here,
        "known.txt",
        format!("# known\n{known} until=2999-01-01 rotated in March\n"),
    );
    write(here, "a.py", format!("\n\n\nx = '{}'\n", token()));
    let again = measure(here, json!({"baseline": "known.txt"}))
        .await
        .unwrap();
    assert_eq!((again.counts.findings(), again.counts.allowed), (0, 1));
    let salted = measure(here, json!({"baseline": "known.txt", "salt": "other"}))
        .await
        .unwrap();
    assert_eq!(salted.counts.findings(), 1);
    write(
        here,
        "known.txt",
        format!("{known} until=2020-01-01 rotated\n"),
    );
    let ended = measure(here, json!({"baseline": "known.txt"}))
        .await
        .unwrap();
    assert!(
        ended.findings[0]
            .note
            .as_ref()
            .unwrap()
            .contains("2020-01-01")
    );
    write(here, "known.txt", "nonsense\n");
    let broken = measure(here, json!({"baseline": "known.txt"}))
        .await
        .unwrap_err();
    assert!(broken.to_string().contains("line 1"), "{broken}");
}

#[tokio::test]
async fn a_large_file_is_scanned_in_pieces_with_the_right_lines() {
    let folder = tempfile::tempdir().unwrap();
    let line = "an ordinary line of text that says nothing at all, over and over again\n";
    let count = (9 << 20) / line.len();
    let text = line.repeat(count) + &format!("x {}\n", token());
    write(folder.path(), "large.txt", text);
    // One line without an end is cut anywhere, and the secret is still seen.
    write(folder.path(), "long.txt", "x ".repeat(4 << 20) + &token());
    let measured = measure(folder.path(), json!({})).await.unwrap();
    let lines: Vec<_> = measured
        .findings
        .iter()
        .map(|f| (f.place.path.as_str(), f.place.line))
        .collect();
    assert_eq!(lines, [("large.txt", count as u64 + 1), ("long.txt", 1)]);
}

#[tokio::test]
async fn utf_16_is_read_and_key_stores_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let wide = [0xfeff].into_iter().chain(
        format!("x {}\r\n", token())
            .encode_utf16()
            .collect::<Vec<u16>>(),
    );
    write(
        folder.path(),
        "wide.txt",
        wide.flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    );
    write(
        folder.path(),
        "store.jks",
        [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[7; 300]].concat(),
    );
    let measured = measure(folder.path(), json!({})).await.unwrap();
    let rules: Vec<_> = measured.findings.iter().map(|f| f.rule.as_str()).collect();
    assert_eq!(rules, ["key-store", "github-token"]);
    assert_eq!(measured.findings[1].confidence, Confidence::Possible);
}

#[tokio::test]
async fn reports_are_read_and_broken_ones_are_unmeasured() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let entry = json!([{"RuleID": "github-pat", "File": "a.py", "StartLine": 3, "Secret": token(), "Match": token()}]);
    write(here, "r/leaks.json", entry.to_string());
    write(here, "r/empty.json", "");
    write(here, "r/cut.json", &entry.to_string()[..20]);
    let measured = measure(here, json!({"reports": ["r/*.json", "other/*.json"]}))
        .await
        .unwrap();
    assert_eq!(measured.counts.likely, 1);
    assert_eq!(measured.findings[0].report.as_deref(), Some("r/leaks.json"));
    assert_eq!(
        outcome(&measured, "secrets/no-report"),
        [CheckOutcome::Unmeasured]
    );
    let reports = outcome(&measured, "secrets/unreadable-report");
    assert_eq!(
        reports,
        [
            CheckOutcome::Unmeasured,
            CheckOutcome::Unmeasured,
            CheckOutcome::Passed
        ]
    );
    assert!(measured.tree.is_none());
}

#[tokio::test]
async fn the_deadline_ends_a_scan() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.txt", "x\n");
    let config: SecretsConfig = serde_json::from_value(json!({})).unwrap();
    let cx = Cx::builder(Duration::ZERO).directory(folder.path()).build();
    let error = Secrets::measure(&config, &cx).await.unwrap_err();
    assert_eq!(error.kind.name(), "timeout");
}

#[tokio::test]
async fn a_repository_that_cannot_be_opened_is_unmeasured() {
    let folder = repository();
    commit(folder.path(), "a.txt", "a\n");
    write(
        folder.path(),
        ".git/config",
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n",
    );
    let measured = measure(folder.path(), json!({})).await.unwrap();
    assert_eq!(
        outcome(&measured, "secrets/unreadable-file"),
        [CheckOutcome::Unmeasured]
    );
}

#[tokio::test]
async fn utf_16_beyond_one_piece_is_told_as_unread() {
    let folder = tempfile::tempdir().unwrap();
    let units = |count: usize| [vec![0xff, 0xfe], b"a\0".repeat(count)].concat();
    write(folder.path(), "fits.txt", units((2 << 20) - 1));
    write(folder.path(), "large.txt", units(2 << 20));
    let measured = measure(folder.path(), json!({})).await.unwrap();
    let tree = measured.tree.unwrap();
    let unread: Vec<_> = tree.unreadable.iter().map(|u| u.path.as_str()).collect();
    assert_eq!((unread, tree.files), (vec!["large.txt"], 1));
}

#[tokio::test]
async fn a_folder_at_an_allowed_path_hides_no_other() {
    let folder = repository();
    let here = folder.path();
    commit(here, "tests/a/key.txt", &format!("x {}\n", token()));
    let tests = git(here, &["rev-parse", "HEAD"]);
    commit(here, "z/a/key.txt", &format!("x {}\n", token()));
    let allow = json!([{"reason": "made for tests", "paths": ["tests/**"]}]);
    for range in ["all".to_owned(), format!("{tests}..HEAD")] {
        let with = json!({"tree": false, "history": range, "allow": allow});
        let measured = measure(here, with).await.unwrap();
        let paths: Vec<_> = measured.findings.iter().map(|f| &f.place.path).collect();
        assert_eq!(paths, ["z/a/key.txt"], "{range}");
    }
}

#[tokio::test]
async fn what_lies_too_deep_or_is_gone_makes_the_history_incomplete() {
    let deep = repository();
    commit(deep.path(), &format!("{}f", "a/".repeat(205)), "x\n");
    let gone = repository();
    commit(gone.path(), "a.txt", "a\n");
    let id = "0123456789abcdef0123456789abcdef01234567\n";
    write(gone.path(), ".git/refs/heads/gone", id);
    let empty = repository();
    commit(empty.path(), "a.txt", "a\n");
    for (folder, range, why) in [
        (&deep, "all", "deeper"),
        (&gone, "all", "refs/heads/gone"),
        (&empty, "HEAD..HEAD", "no commit lies in the range"),
    ] {
        let with = json!({"tree": false, "history": range});
        let measured = measure(folder.path(), with).await.unwrap();
        let said = measured.history.unwrap().incomplete.unwrap_or_default();
        assert!(said.contains(why), "{why}: {said}");
    }
    let stale = repository();
    commit(stale.path(), "a.txt", "a\n");
    let head = "ref: refs/remotes/origin/gone\n";
    write(stale.path(), ".git/refs/remotes/origin/HEAD", head);
    let with = json!({"tree": false, "history": "all"});
    let measured = measure(stale.path(), with).await.unwrap();
    assert_eq!(measured.history.unwrap().incomplete, None);
}

#[cfg(unix)]
#[tokio::test]
async fn every_report_that_matches_is_read_or_told() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for number in 0..1_001 {
        write(here, &format!("r/{number:04}.json"), "[]");
    }
    std::os::unix::fs::symlink("nowhere", here.join("r/gone.json")).unwrap();
    let measured = measure(here, json!({"reports": ["r/*.json"]}))
        .await
        .unwrap();
    let reports = measured.reports.unwrap();
    assert_eq!(reports.files.len(), 1_001);
    assert_eq!(reports.unreadable[0].path, "r/gone.json");
}
