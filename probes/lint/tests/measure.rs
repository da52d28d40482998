//! The whole gate against real files and real programs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{fs, path::Path, time::Duration};

use readygate_lint::{Lint, LintConfig, LintMeasurement};
use readygate_sdk::{
    Check, CheckOutcome, Checks, Cx, ErrorKind, Level, Metrics, Probe as _, ProbeError,
};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Gate {
    measurement: LintMeasurement,
    metrics: Metrics,
    checks: Vec<Check>,
}

impl Gate {
    async fn try_run(folder: &Path, with: Value) -> Result<Self, ProbeError> {
        let config: LintConfig = serde_json::from_value(with).unwrap();
        Lint::validate(&config).unwrap();
        let path = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        let cx = Cx::builder(Duration::from_secs(20))
            .directory(folder)
            .environment(path.into())
            .build();
        let measured = Lint::measure(&config, &cx).await?;
        let json = serde_json::to_string(&measured).unwrap();
        let measurement: LintMeasurement = serde_json::from_str(&json).unwrap();
        assert_eq!(measurement, measured);
        let mut checks = Checks::new();
        Lint::judge(&config, &measurement, &mut checks);
        Ok(Self {
            metrics: Lint::metrics(&measurement),
            checks: checks.into_vec(),
            measurement,
        })
    }

    async fn run(folder: &Path, with: Value) -> Self {
        Self::try_run(folder, with).await.unwrap()
    }

    /// One report alone.
    async fn report(text: impl AsRef<[u8]>) -> Result<Self, ProbeError> {
        let folder = folder(&[("report", text.as_ref())]);
        Self::try_run(folder.path(), json!({"reports": ["report"]})).await
    }

    fn problems(&self) -> Vec<String> {
        let shown = |c: &Check| {
            let how = match (c.outcome, c.level) {
                (CheckOutcome::Passed, _) | (_, Level::Info) => return None,
                (CheckOutcome::Unmeasured, _) => "unmeasured",
                (CheckOutcome::Failed, Level::Warning) => "warned",
                (CheckOutcome::Failed, _) => "failed",
            };
            Some(format!("{how} {}", c.rule.trim_start_matches("lint/")))
        };
        self.checks.iter().filter_map(shown).collect()
    }

    fn metric(&self, name: &str) -> String {
        let absent = || format!("absent: {}", self.metrics.why_absent(name).unwrap_or("?"));
        self.metrics
            .get(name)
            .map_or_else(absent, readygate_sdk::Metric::display)
    }

    /// Errors, warnings and notes.
    fn counts(&self) -> [u64; 3] {
        let counts = self.measurement.reports.counts;
        [counts.errors, counts.warnings, counts.notes]
    }
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn sarif(run: &str) -> String {
    format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "t", "rules": [
        {{"id": "R1", "defaultConfiguration": {{"level": "error"}}}}, {{"id": "R2"}}]}}}}, {run}}}]}}"#
    )
}

#[tokio::test]
async fn levels_of_sarif_come_from_result_then_rule_then_are_warnings() {
    let results = r#""results": [
        {"ruleId": "R1", "message": {"text": "a"}},
        {"ruleIndex": 0, "message": {"text": "b"}},
        {"ruleId": "R1/sub", "message": {"text": "c"}},
        {"ruleId": "R1", "level": "note", "message": {"text": "d"}},
        {"ruleId": "R2", "message": {"text": "e"}},
        {"message": {"text": "f"}},
        {"ruleId": "R1", "kind": "pass", "message": {"text": "g"}},
        {"ruleId": "R1", "level": "none", "message": {"text": "h"}},
        {"ruleId": "R1", "suppressions": [{"kind": "inSource"}], "message": {"text": "i"}},
        {"ruleId": "R1", "suppressions": [{"kind": "external", "status": "rejected"}], "message": {"text": "j"}},
        {"ruleId": "R1", "suppressions": [], "message": {"text": "k"}},
        {"ruleId": "R1", "baselineState": "absent", "message": {"text": "l"}}]"#;
    let gate = Gate::report(sarif(results)).await.unwrap();
    assert_eq!(gate.counts(), [5, 2, 1]);
    let counts = gate.measurement.reports.counts;
    assert_eq!((counts.none, counts.suppressed, counts.gone), (2, 1, 1));
    assert_eq!(gate.problems(), ["failed errors", "warned warnings"]);
    assert!(gate.checks.iter().any(|c| c.rule == "lint/suppressed"));
    // gitleaks states no level anywhere.
    let folder = folder(&[(
        "r.sarif",
        sarif(r#""results": [{"ruleId": "x"}]"#).as_bytes(),
    )]);
    let with = json!({"reports": ["r.sarif"], "default_levels": {"T": "error"}});
    assert_eq!(Gate::run(folder.path(), with).await.counts(), [1, 0, 0]);
}

#[tokio::test]
async fn runs_that_failed_are_not_clean() {
    for run in [
        r#""results": null"#,
        r#""columnKind": "utf16CodeUnits""#,
        r#""results": [], "invocations": [{"executionSuccessful": false}]"#,
        r#""results": [], "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": [{"level": "error", "message": {"text": "crash"}}]}]"#,
        r#""results": [], "invocations": [{"executionSuccessful": true, "toolConfigurationNotifications": [{"level": "error", "message": {"text": "no such rule"}}]}]"#,
    ] {
        let gate = Gate::report(sarif(run)).await.unwrap();
        assert_eq!(gate.problems(), ["unmeasured incomplete-run"], "{run}");
        assert!(gate.metric("errors").starts_with("absent"), "{run}");
    }
    let warned = r#""results": [], "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": [{"level": "warning", "message": {"text": "slow"}}]}]"#;
    let gate = Gate::report(sarif(warned)).await.unwrap();
    assert_eq!(gate.problems(), [""; 0]);
    assert_eq!(gate.metric("errors"), "0");
    for nothing in [r#"{"version": "2.1.0", "runs": []}"#, "[]", "<checkstyle/>"] {
        let gate = Gate::report(nothing).await.unwrap();
        assert_eq!(gate.problems(), ["unmeasured doubtful-report"], "{nothing}");
        assert!(gate.metric("results").starts_with("absent"), "{nothing}");
    }
}

#[tokio::test]
async fn every_format_is_read() {
    let eslint = r#"[{"filePath": "/a.js", "messages": [
        {"ruleId": "no-undef", "severity": 2, "message": "m", "line": 3, "column": 4},
        {"ruleId": null, "fatal": true, "severity": 2, "message": "parse"},
        {"ruleId": "semi", "severity": 1, "message": "m"}], "errorCount": 2, "warningCount": 1},
        {"filePath": "/b.js", "messages": [], "errorCount": 0, "warningCount": 0}]"#;
    let stylelint = r#"[{"source": "a.css", "errored": true, "warnings": [
        {"line": 1, "column": 2, "rule": "r", "severity": "error", "text": "t"},
        {"line": 1, "column": 2, "rule": "r", "severity": "warning", "text": "t"}], "parseErrors": []}]"#;
    let rubocop = r#"{"metadata": {}, "files": [{"path": "a.rb", "offenses": [
        {"severity": "convention", "message": "m", "cop_name": "C", "corrected": false, "location": {"line": 1, "column": 1}},
        {"severity": "fatal", "message": "m", "cop_name": "F", "location": {"line": 1, "column": 1}},
        {"severity": "warning", "message": "m", "cop_name": "W", "corrected": true}]}],
        "summary": {"offense_count": 3, "target_file_count": 1, "inspected_file_count": 1}}"#;
    let golangci = r#"{"Issues": [{"FromLinter": "errcheck", "Text": "t", "Severity": "", "Pos": {"Filename": "a.go", "Line": 1, "Column": 2}},
        {"FromLinter": "lll", "Text": "t", "Severity": "warning"}], "Report": {"Linters": [{"Name": "errcheck", "Enabled": true}]}}"#;
    let diagnostic = |level: &str, text: &str| {
        format!(
            r#"{{"reason":"compiler-message","message":{{"message":"{text}","level":"{level}","code":{{"code":"clippy::x"}},"spans":[{{"file_name":"src/a.rs","line_start":1,"column_start":1,"is_primary":true}}]}}}}"#
        )
    };
    let cargo = [
        diagnostic("warning", "same"),
        diagnostic("warning", "same"),
        diagnostic("error", "other"),
        r#"{"reason":"compiler-message","message":{"message":"aborting due to 1 previous error","level":"error","code":null,"spans":[]}}"#.to_owned(),
        r#"{"reason":"build-finished","success":false}"#.to_owned(),
    ]
    .join("\n");
    let prettier = "Checking formatting...\n[warn] src/a.js\n[warn] b.js\n[warn] Code style issues found in 2 files. Run Prettier with --write to fix.\n";
    let tsc = "src/a.ts(3,5): error TS2304: Cannot find name 'x'.\n  detail\nerror TS6053: File 'y' not found.\n";
    let pretty = "\u{1b}[96msrc/a.ts\u{1b}[0m:\u{1b}[93m3\u{1b}[0m:\u{1b}[93m5\u{1b}[0m - \u{1b}[91merror\u{1b}[0m\u{1b}[90m TS2304: \u{1b}[0mCannot find\n\nFound 1 error in src/a.ts:3\n";
    let checkstyle = "<?xml version='1.0'?><checkstyle><file name='a'><error line='1' severity='error' message='&lt;x&gt;' source='r'/><error severity='info'/><error severity='ignore'/></file><file name='b'/></checkstyle>";
    for (text, counts, problems) in [
        (eslint, [2, 1, 0], &["failed errors", "warned warnings"][..]),
        (stylelint, [1, 1, 0], &["failed errors", "warned warnings"]),
        (rubocop, [1, 1, 0], &["failed errors", "warned warnings"]),
        (golangci, [1, 1, 0], &["failed errors", "warned warnings"]),
        (&cargo, [1, 1, 0], &["failed errors", "warned warnings"]),
        (prettier, [2, 0, 0], &["failed errors"]),
        (tsc, [2, 0, 0], &["failed errors"]),
        (pretty, [1, 0, 0], &["failed errors"]),
        (checkstyle, [1, 0, 1], &["failed errors"]),
    ] {
        let gate = Gate::report(text).await.unwrap();
        assert_eq!(gate.counts(), counts, "{text}");
        assert_eq!(gate.problems(), problems, "{text}");
    }
    let gate = Gate::report(tsc).await.unwrap();
    let first = gate
        .checks
        .iter()
        .find(|c| c.rule == "lint/errors")
        .unwrap();
    assert_eq!(first.location.as_ref().unwrap().to_string(), "src/a.ts:3:5");
    let gate = Gate::report(eslint).await.unwrap();
    assert_eq!(gate.metric("files"), "2");
}

#[tokio::test]
async fn clean_reports_pass_and_work_that_was_not_done_does_not() {
    for clean in [
        r#"[{"filePath": "/b.js", "messages": []}]"#,
        r#"{"Issues": null, "Report": {"Linters": [{"Enabled": true}]}}"#,
        r#"{"files": [{"path": "a", "offenses": []}], "summary": {"offense_count": 0, "target_file_count": 1, "inspected_file_count": 1}}"#,
        "{\"reason\":\"compiler-artifact\"}\n{\"reason\":\"build-finished\",\"success\":true}\n",
        "Checking formatting...\nAll matched files use Prettier code style!\n",
        "<checkstyle><file name='a'/></checkstyle>",
    ] {
        assert_eq!(
            Gate::report(clean).await.unwrap().problems(),
            [""; 0],
            "{clean}"
        );
    }
    for (undone, rule) in [
        (
            r#"{"Issues": [], "Report": {"Error": "timeout"}}"#,
            "incomplete-run",
        ),
        (r#"{"Issues": []}"#, "incomplete-run"),
        ("{\"reason\":\"compiler-artifact\"}\n", "incomplete-run"),
        (
            "{\"reason\":\"build-finished\",\"success\":false}\n",
            "incomplete-run",
        ),
        (
            "{\"reason\":\"build-finished\",\"success\":true}\n",
            "doubtful-report",
        ),
        ("Checking formatting...\n", "incomplete-run"),
        (
            "Checking formatting...\n[error] a.js: SyntaxError\nAll matched files use Prettier code style!\n",
            "incomplete-run",
        ),
        (
            r#"[{"filePath": "a", "messages": [], "errorCount": 3}]"#,
            "doubtful-report",
        ),
        (
            r#"{"files": [], "summary": {"offense_count": 0, "target_file_count": 0, "inspected_file_count": 0}}"#,
            "doubtful-report",
        ),
        (
            "<checkstyle><file name='a'><exception>boom</exception></file></checkstyle>",
            "incomplete-run",
        ),
        (
            r#"[{"source": "a.css", "warnings": [], "invalidOptionWarnings": [{"text": "bad option"}]}]"#,
            "incomplete-run",
        ),
    ] {
        let gate = Gate::report(undone).await.unwrap();
        assert_eq!(gate.problems(), [format!("unmeasured {rule}")], "{undone}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_with_its_place() {
    let bomb =
        "<!DOCTYPE c [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><checkstyle>&b;</checkstyle>";
    let deep = "<checkstyle>".to_owned() + &"<a>".repeat(100_000);
    let deep_json = format!(r#"{{"version":"2.1.0","runs":{}"#, "[".repeat(100_000));
    for (text, part) in [
        (&b""[..], "empty"),
        (b"  \n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"{\"version\": \"2.1.0\", \"runs\": [", "cut off"),
        (
            b"{\"version\": \"2.1.0\", \"runs\": [{\"results\": 42}]}",
            "another shape",
        ),
        (b"<checkstyle><file name='a'>", "cut off"),
        (b"<checkstyle><file></checkstyle>", "not well-formed"),
        (b"<checkstyle/><checkstyle/>", "root"),
        (
            b"<checkstyle><file name='&nope;'/></checkstyle>",
            "not well-formed",
        ),
        (
            b"<checkstyle><file name='a'>&results;</file></checkstyle>",
            "entity",
        ),
        (b"<testsuites/>", "JUnit"),
        (b"{\"a\": 1}", "not known"),
        (b"hello", "not known"),
        (b"[1]", "another shape"),
        (b"{\"version\":\"2.1.0\"}", "not known"),
        (b"\xff\xfe[\0", "cut off"),
        (b"[{\"filePath\": \"\xff\"}]", "UTF-8"),
        (bomb.as_bytes(), "entities"),
        (deep.as_bytes(), "deep"),
        (deep_json.as_bytes(), ""),
    ] {
        let shown = String::from_utf8_lossy(&text[..text.len().min(60)]);
        let error = Gate::report(text)
            .await
            .err()
            .unwrap_or_else(|| panic!("read: {shown}"));
        assert_eq!(error.kind, ErrorKind::BadData, "{shown}");
        assert!(error.message.contains(part), "{shown}: {error}");
    }
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            "a.ts(1,2): error TS1: m"
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    assert_eq!(Gate::report(utf16).await.unwrap().counts(), [1, 0, 0]);
}

#[tokio::test]
async fn a_wrong_format_and_a_missing_file_are_named() {
    let folder = folder(&[("a", b"[{\"filePath\": \"a\", \"messages\": []}]")]);
    let with = json!({"reports": ["a"], "format": "checkstyle"});
    let error = Gate::try_run(folder.path(), with).await.err().unwrap();
    assert!(
        error.message.contains("`format` says checkstyle XML"),
        "{error}"
    );
    let plain = [("plain", &b"error: could not compile `a`"[..])];
    let plain = self::folder(&plain);
    for format in ["cargo", "tsc", "eslint", "sarif", "checkstyle", "golangci"] {
        let with = json!({"reports": ["plain"], "format": format});
        let outcome = Gate::try_run(plain.path(), with).await;
        assert_eq!(outcome.err().unwrap().kind, ErrorKind::BadData, "{format}");
    }
    let error = Gate::try_run(folder.path(), json!({"reports": ["b*"]}))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::NoData);
    let gate = Gate::run(folder.path(), json!({"reports": ["a", "b*"]})).await;
    assert_eq!(gate.problems(), ["unmeasured no-report"]);
    assert!(gate.metric("errors").starts_with("absent"));
    fs::copy(folder.path().join("a"), folder.path().join("c")).unwrap();
    let gate = Gate::run(folder.path(), json!({"reports": ["*"]})).await;
    assert_eq!(gate.problems(), ["warned duplicate-file"]);
    assert_eq!(gate.metric("files"), "1");
}

#[tokio::test]
async fn only_new_results_count_against_a_baseline() {
    let report = |messages: &[(&str, u64, u8)]| {
        let list: Vec<Value> = messages
            .iter()
            .map(|(text, line, severity)| json!({"ruleId": "r", "severity": severity, "message": text, "line": line}))
            .collect();
        json!([{"filePath": "/a.js", "messages": list}])
            .to_string()
            .into_bytes()
    };
    let old = report(&[("one", 1, 2), ("two", 2, 1)]);
    // The lines have moved, "one" occurs once more, and there is a new warning.
    let new = report(&[
        ("one", 11, 2),
        ("one", 12, 2),
        ("two", 20, 1),
        ("three", 9, 1),
    ]);
    let folder = folder(&[("old", &old), ("new", &new), ("broken", b"{")]);
    let with = |baseline: &str| json!({"reports": ["new"], "baseline": baseline});
    let gate = Gate::run(folder.path(), with("old")).await;
    assert_eq!(gate.problems(), ["failed errors", "warned warnings"]);
    assert_eq!(gate.metric("new"), "2");
    assert_eq!(gate.metric("results"), "4");
    fs::copy(folder.path().join("new"), folder.path().join("same")).unwrap();
    let gate = Gate::run(folder.path(), with("same")).await;
    assert_eq!(gate.problems(), [""; 0]);
    // A report that is its own baseline would hide everything.
    for missing in ["none", "broken", "new"] {
        let gate = Gate::run(folder.path(), with(missing)).await;
        assert_eq!(gate.problems(), ["unmeasured unreadable-baseline"]);
        assert!(gate.metric("new").starts_with("absent"));
    }
}

#[tokio::test]
async fn a_command_is_run_and_its_output_read() {
    let folder = folder(&[("old.json", b"[{\"filePath\": \"a\", \"messages\": []}]")]);
    let run = |script: &str| json!({"run": ["sh", "-c", script], "read_output": true});
    let finding = "echo 'a.ts(1,2): error TS1: m'";
    for (script, problems) in [
        (format!("{finding}; exit 2"), &["failed errors"][..]),
        (format!("{finding}; exit 3"), &["failed command-failed", "failed errors"]),
        (format!("{finding}; kill -9 $$"), &["failed command-failed", "failed errors"]),
        ("echo Checking formatting...; echo '[warn] a.js' >&2; echo '[warn] Code style issues found in the above file.' >&2; exit 1".to_owned(), &["failed errors"]),
        ("echo Checking formatting...; echo All matched files use Prettier code style!".to_owned(), &[]),
        ("true".to_owned(), &["unmeasured unreadable-report"]),
        ("exit 2".to_owned(), &["failed command-failed", "unmeasured unreadable-report"]),
    ] {
        let gate = Gate::run(folder.path(), run(&script)).await;
        assert_eq!(gate.problems(), problems, "{script}");
    }
    // Stylelint's report is on stderr; paths below the folder of the config are shown from there.
    let gate = Gate::run(
        folder.path(),
        run("echo '[{\"source\": \"'$PWD'/a.css\", \"warnings\": [{\"severity\": \"error\", \"rule\": \"r\"}]}]' >&2; exit 2"),
    )
    .await;
    assert_eq!(gate.problems(), ["failed errors"]);
    assert_eq!(gate.measurement.reports.results[0].file, "a.css");
    let mut silent = run("exit 0");
    silent["format"] = json!("tsc");
    assert_eq!(Gate::run(folder.path(), silent).await.problems(), [""; 0]);
    let mut silent = run("exit 1");
    silent["format"] = json!("tsc");
    let gate = Gate::run(folder.path(), silent).await;
    assert_eq!(
        gate.problems(),
        ["failed command-failed", "unmeasured unreadable-report"]
    );
    // A report that the command did not write is not its own.
    let with = json!({"run": ["true"], "reports": ["old.json"]});
    assert_eq!(
        Gate::run(folder.path(), with).await.problems(),
        ["failed stale-report"]
    );
    let with = json!({"run": ["sh", "-c", "cp old.json new.json"], "reports": ["new.json"], "max_age": "1h"});
    assert_eq!(Gate::run(folder.path(), with).await.problems(), [""; 0]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_nowhere_is_an_unreadable_report() {
    let folder = folder(&[("a.json", b"[{\"filePath\": \"a\", \"messages\": []}]")]);
    std::os::unix::fs::symlink("nowhere", folder.path().join("b.json")).unwrap();
    let gate = Gate::run(folder.path(), json!({"reports": ["*.json"]})).await;
    assert_eq!(gate.problems(), ["unmeasured unreadable-report"]);
}
