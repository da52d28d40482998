//! `measure` against real files and real programs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use readygate_sdk::{
    Check, CheckOutcome, Checks, Cx, ErrorKind, Level, Metrics, Probe as _, ProbeError,
    process::Ended,
};
use readygate_tests::{Tests, TestsConfig, TestsMeasurement};
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSING: &str =
    "<testsuite name='s'><testcase name='a' time='0.5'/><testcase name='b'/></testsuite>";
const FAILING: &str =
    "<testsuite name='t'><testcase name='c'><failure message='no'/></testcase></testsuite>";

fn cx(directory: &Path) -> Cx {
    let path = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    Cx::builder(Duration::from_secs(30))
        .directory(directory)
        .environment(path.into())
        .build()
}

fn config(with: Value) -> TestsConfig {
    let config: TestsConfig = serde_json::from_value(with).unwrap();
    Tests::validate(&config).unwrap();
    config
}

async fn measured(directory: &Path, with: Value) -> Result<TestsMeasurement, ProbeError> {
    Tests::measure(&config(with), &cx(directory)).await
}

/// The whole gate: measurement through JSON, metrics, checks.
struct Gate {
    measurement: TestsMeasurement,
    metrics: Metrics,
    checks: Vec<Check>,
}

impl Gate {
    async fn run(directory: &Path, with: Value) -> Self {
        let config = config(with);
        let measured = Tests::measure(&config, &cx(directory)).await.unwrap();
        let json = serde_json::to_string(&measured).unwrap();
        let measurement: TestsMeasurement = serde_json::from_str(&json).unwrap();
        assert_eq!(measurement, measured);
        let mut checks = Checks::new();
        Tests::judge(&config, &measurement, &mut checks);
        let metrics = Tests::metrics(&measurement);
        Self {
            measurement,
            metrics,
            checks: checks.into_vec(),
        }
    }

    /// Codes of what fails or cannot be told, and warnings.
    fn problems(&self) -> Vec<&str> {
        let bad =
            |check: &&Check| check.outcome != CheckOutcome::Passed && check.level != Level::Info;
        self.checks
            .iter()
            .filter(bad)
            .map(|check| check.rule.as_str())
            .collect()
    }

    fn check(&self, rule: &str) -> &Check {
        self.checks.iter().find(|check| check.rule == rule).unwrap()
    }

    fn metric(&self, name: &str) -> String {
        self.metrics.get(name).map_or_else(
            || {
                format!(
                    "absent: {}",
                    self.metrics.why_absent(name).unwrap_or("(unsaid)")
                )
            },
            readygate_sdk::Metric::display,
        )
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn age(folder: &Path, name: &str, age: Duration) {
    let file = fs::File::options()
        .write(true)
        .open(folder.join(name))
        .unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(now()) - age)
        .unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests set the times of files"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn shell(script: &str) -> Value {
    json!(["/bin/sh", "-c", script])
}

const SECRET: &str = "canary-5ecr3t";

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn reports_are_summed_up() {
    let folder = folder(&[
        ("r/a.xml", PASSING),
        ("r/b.xml", FAILING),
        ("r/c.txt", "no report"),
    ]);
    let gate = Gate::run(folder.path(), json!({ "reports": ["r/*.xml"] })).await;
    assert_eq!(gate.problems(), ["tests/failed"]);
    for (name, value) in [
        ("total", "3"),
        ("passed", "2"),
        ("failed", "1"),
        ("errors", "0"),
        ("skipped", "0"),
        ("flaky", "0"),
        ("pass_rate", "66.6667 %"),
        ("duration", "500 ms"),
        ("files", "2"),
        ("suites", "2"),
        ("suite_errors", "0"),
        ("command.exit_code", "absent: (unsaid)"),
    ] {
        assert_eq!(gate.metric(name), value, "{name}");
    }
    let failed = gate.check("tests/failed");
    assert_eq!(failed.details, ["t > c: no [r/b.xml:1]"]);
    assert_eq!(failed.location.as_ref().unwrap().to_string(), "r/b.xml:1");
}

#[tokio::test]
async fn patterns_match_what_they_say() {
    let files = [
        "a/x.xml",
        "a/b/y.xml",
        "a/.hidden/z.xml",
        "d[1]/w.xml",
        "e/v.xml",
        "e/u.XML",
    ];
    let folder = folder(&files.map(|name| (name, PASSING)));
    write(folder.path(), ".gitignore", "*.xml\n");
    let absolute = folder.path().join("a/*.xml");
    for (patterns, expected) in [
        (json!(["a/*.xml"]), vec!["a/x.xml"]),
        (json!(["./a/../a/*.xml"]), vec!["a/../a/x.xml"]),
        (json!([absolute]), vec!["a/x.xml"]),
        (
            json!(["a/**/*.xml"]),
            vec!["a/.hidden/z.xml", "a/b/y.xml", "a/x.xml"],
        ),
        (json!(["**/y.xml"]), vec!["a/b/y.xml"]),
        (json!(["{a/b,e}/?.xml"]), vec!["a/b/y.xml", "e/v.xml"]),
        (json!(["e/[t-v].xml"]), vec!["e/v.xml"]),
        (json!(["d[1]/w.xml"]), vec!["d[1]/w.xml"]),
        (json!(["a/x.xml", "a/*.xml", absolute]), vec!["a/x.xml"]),
    ] {
        // Equal files are counted once, so make them differ.
        for (n, name) in files.iter().enumerate() {
            write(folder.path(), name, &format!("{PASSING}<!-- {n} -->"));
        }
        let found = measured(folder.path(), json!({ "reports": patterns }))
            .await
            .unwrap();
        let files = found.reports.unwrap().files;
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, expected, "{patterns}");
    }
}

#[tokio::test]
async fn links_are_followed_once() {
    let folder = folder(&[("a/x.xml", PASSING)]);
    std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("a/x.xml"), folder.path().join("a/y.xml"))
        .unwrap();
    let gate = Gate::run(folder.path(), json!({ "reports": ["**/*.xml"] })).await;
    assert_eq!(
        (gate.problems(), gate.metric("files").as_str()),
        (vec![], "1")
    );
    std::os::unix::fs::symlink("nowhere", folder.path().join("a/z.xml")).unwrap();
    let gate = Gate::run(folder.path(), json!({ "reports": ["**/*.xml"] })).await;
    assert_eq!(gate.problems(), ["tests/unreadable-report"]);
}

#[tokio::test]
async fn nothing_to_read_is_no_data() {
    let folder = folder(&[]);
    let error = measured(folder.path(), json!({ "reports": ["r/*.xml"] }))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::NoData, "`r/*.xml`")
    );
    assert!(error.message.contains(folder.path().to_str().unwrap()) && error.hint.is_some());
}

#[tokio::test]
async fn a_pattern_without_a_match_leaves_the_gate_unmeasured() {
    let folder = folder(&[("a.xml", PASSING)]);
    let gate = Gate::run(folder.path(), json!({ "reports": ["a.xml", "e2e/*.xml"] })).await;
    assert_eq!(gate.problems(), ["tests/no-report"]);
    assert_eq!(
        gate.check("tests/no-report").outcome,
        CheckOutcome::Unmeasured
    );
    assert!(gate.metric("failed").contains("1 pattern matched no file"));
}

#[tokio::test]
async fn one_broken_report_among_good_ones_leaves_the_gate_unmeasured() {
    let folder = folder(&[
        ("a.xml", PASSING),
        ("b.xml", "<testsuite>\n<testcase/>"),
        ("c.xml", ""),
    ]);
    let gate = Gate::run(folder.path(), json!({ "reports": ["*.xml"] })).await;
    assert_eq!(
        gate.problems(),
        ["tests/unreadable-report", "tests/unreadable-report"]
    );
    let check = gate.check("tests/unreadable-report");
    assert_eq!(check.location.as_ref().unwrap().to_string(), "b.xml:2:12");
    assert!(
        check.message.contains("1 test case before it"),
        "{}",
        check.message
    );
    assert!(
        gate.metric("failed")
            .contains("2 reports could not be read")
    );
    let reports = gate.measurement.reports.unwrap();
    assert_eq!((reports.counts.passed, reports.unreadable_total), (2, 2));
}

#[tokio::test]
async fn only_broken_reports_are_bad_data() {
    let folder = folder(&[
        ("a.xml", "<testsuite><testcase><failure/></testcase>"),
        ("b.xml", ""),
    ]);
    let error = measured(folder.path(), json!({ "reports": ["*.xml"] }))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::BadData, "a.xml:1:43")
    );
    assert!(
        error.message.contains("at least 1 failure"),
        "{}",
        error.message
    );
    let error = measured(folder.path(), json!({ "reports": ["."] }))
        .await
        .unwrap_err();
    assert!(
        error
            .message
            .contains("it is a folder; name the files in it"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_copy_of_a_report_is_counted_once() {
    let folder = folder(&[("a.xml", PASSING), ("b.xml", PASSING)]);
    let gate = Gate::run(folder.path(), json!({ "reports": ["*.xml"] })).await;
    assert_eq!(
        (gate.problems(), gate.metric("total").as_str()),
        (vec!["tests/duplicate-file"], "2")
    );
}

#[tokio::test]
async fn the_command_runs_before_the_reports_are_read() {
    let folder = folder(&[("sub/x", "")]);
    let script =
        format!("mkdir ../r && echo \"$GREETING\" && printf %s \"{PASSING}\" > ../r/a.xml");
    let with = json!({
        "run": shell(&script), "directory": "sub", "env": { "GREETING": "hello" }, "reports": ["r/*.xml"],
    });
    let gate = Gate::run(folder.path(), with).await;
    assert_eq!(
        (gate.problems(), gate.metric("total").as_str()),
        (vec![], "2")
    );
    assert_eq!(gate.metric("command.exit_code"), "0");
    assert_eq!(gate.measurement.command.unwrap().output, "hello");
}

#[tokio::test]
async fn a_report_that_the_command_did_not_write_is_stale() {
    let folder = folder(&[("old.xml", PASSING)]);
    let with = json!({ "run": ["true"], "reports": ["*.xml"] });
    let gate = Gate::run(folder.path(), with).await;
    assert_eq!(gate.problems(), ["tests/stale-report"]);
    assert!(
        gate.check("tests/stale-report")
            .message
            .contains("did it run as it should?")
    );

    let script = format!("printf %s \"{FAILING}\" > new.xml");
    let gate = Gate::run(
        folder.path(),
        json!({ "run": shell(&script), "reports": ["*.xml"] }),
    )
    .await;
    assert_eq!(gate.problems(), ["tests/stale-report", "tests/failed"]);
    assert!(gate.check("tests/stale-report").details[0].starts_with("old.xml, written "));

    // Touched, or copied with its old time: neither is the work of this run.
    let gate = Gate::run(
        folder.path(),
        json!({ "run": shell("touch -d '1 hour ago' old.xml && rm new.xml"), "reports": ["*.xml"] }),
    )
    .await;
    assert_eq!(gate.problems(), ["tests/stale-report"]);
}

#[tokio::test]
async fn a_failing_command_fails_the_gate_even_without_a_report() {
    let folder = folder(&[]);
    let with = json!({ "run": shell("echo out; echo 'Error: no database' >&2; exit 3"), "reports": ["*.xml"] });
    let gate = Gate::run(folder.path(), with).await;
    assert_eq!(
        gate.problems(),
        [
            "tests/command-failed",
            "tests/no-report",
            "tests/nothing-executed"
        ]
    );
    assert_eq!(
        gate.check("tests/command-failed").details,
        ["Error: no database"]
    );
    assert_eq!(gate.metric("command.exit_code"), "3");
    assert!(gate.metric("total").starts_with("absent"));
}

#[tokio::test]
async fn without_reports_only_the_exit_code_is_judged() {
    let folder = folder(&[]);
    let gate = Gate::run(folder.path(), json!({ "run": ["true"] })).await;
    assert_eq!((gate.problems(), gate.checks.len()), (vec![], 1));
    assert!(gate.metric("total").contains("no `reports` are configured"));
    let gate = Gate::run(folder.path(), json!({ "run": shell("kill -9 $$") })).await;
    assert_eq!(gate.problems(), ["tests/command-failed"]);
    assert_eq!(
        gate.measurement.command.as_ref().unwrap().ended,
        Ended::Signal(9)
    );
    assert_eq!(
        gate.metric("command.exit_code"),
        "absent: killed by SIGKILL"
    );
}

#[tokio::test]
async fn a_command_that_cannot_start_or_hangs_is_not_measured() {
    let folder = folder(&[("a.xml", PASSING)]);
    let with = json!({ "run": ["no-such-test-runner"], "reports": ["*.xml"] });
    let error = measured(folder.path(), with).await.unwrap_err();
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::Connect, "no-such-test-runner")
    );
    let hangs = config(json!({ "run": shell("echo still here; sleep 60"), "reports": ["*.xml"] }));
    let cx = Cx::builder(Duration::from_secs(2))
        .directory(folder.path())
        .build();
    let error = Tests::measure(&hangs, &cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("still here"), "{}", error.message);
}

#[tokio::test]
async fn nothing_is_read_after_the_deadline_or_cancellation() {
    let folder = folder(&[("a.xml", PASSING)]);
    let config = config(json!({ "reports": ["*.xml"] }));
    let cx = Cx::builder(Duration::ZERO).directory(folder.path()).build();
    assert_eq!(
        Tests::measure(&config, &cx).await.unwrap_err().kind,
        ErrorKind::Timeout
    );
    let cx = Cx::builder(Duration::from_secs(30))
        .directory(folder.path())
        .build();
    cx.cancellation().cancel();
    assert_eq!(
        Tests::measure(&config, &cx).await.unwrap_err().kind,
        ErrorKind::Cancelled
    );
}

#[tokio::test]
async fn old_evidence_is_stale() {
    let folder = folder(&[("a.xml", PASSING)]);
    let with = json!({ "reports": ["a.xml"], "max_age": "24h" });
    assert_eq!(
        Gate::run(folder.path(), with.clone()).await.problems(),
        [""; 0]
    );
    age(folder.path(), "a.xml", 25 * HOUR);
    let gate = Gate::run(folder.path(), with.clone()).await;
    assert_eq!(gate.problems(), ["tests/stale-report"]);
    let check = gate.check("tests/stale-report");
    assert_eq!(check.expected.as_deref(), Some("at most 1 d old"));
    assert!(
        check.details[0].contains("modification time"),
        "{:?}",
        check.details
    );

    // The timestamp inside counts, not the time of a file that was just unpacked.
    for (timestamp, problems) in [
        ("2001-01-01T00:00:00", vec!["tests/stale-report"]),
        ("2999-01-01T00:00:00Z", vec!["tests/stale-report"]),
        ("2999-01-01T00:00:00", vec![]), // local time somewhere, so the file decides
        ("soon", vec![]),
    ] {
        let xml = format!("<testsuite timestamp='{timestamp}'><testcase/></testsuite>");
        write(folder.path(), "a.xml", &xml);
        assert_eq!(
            Gate::run(folder.path(), with.clone()).await.problems(),
            problems,
            "{timestamp}"
        );
    }
}

#[tokio::test]
async fn the_lists_of_a_measurement_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let cases = "<testcase name='n'><failure/></testcase>".repeat(300);
    for n in 0..600 {
        let xml = format!(
            "<testsuite name='{n}'>{}</testsuite>",
            if n == 0 { &cases } else { "<testcase/>" }
        );
        write(folder.path(), &format!("{n:03}.xml"), &xml);
    }
    age(folder.path(), "599.xml", HOUR);
    let measured = measured(folder.path(), json!({ "reports": ["*.xml"] }))
        .await
        .unwrap();
    let reports = measured.reports.unwrap();
    assert_eq!((reports.files_total, reports.files.len()), (600, 500));
    assert_eq!((reports.counts.failed, reports.failures.len()), (300, 100));
    assert!(
        reports.files.iter().any(|file| file.path == "599.xml"),
        "the oldest is kept"
    );
    assert!(serde_json::to_string(&reports).unwrap().len() < 400_000);
}

#[tokio::test]
async fn secrets_are_masked_before_texts_are_cut() {
    // The secret lies across the place where a message is cut.
    let filler = "x".repeat(495);
    let xml = format!(
        "<testsuite><testcase name='a'><failure message='{filler}{SECRET}'/></testcase></testsuite>"
    );
    let folder = folder(&[("a.xml", &xml)]);
    let masker = readygate_sdk::Masker::new([SECRET]);
    let path = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    let cx = Cx::builder(Duration::from_secs(30))
        .directory(folder.path())
        .environment(path.into())
        .masker(std::sync::Arc::new(masker))
        .build();
    let script = r#"printf "$TOKEN" >&2; head -c 1995 /dev/zero | tr '\0' y >&2; touch a.xml"#;
    let env = json!({ "TOKEN": SECRET });
    let with = json!({ "run": shell(script), "env": env, "reports": ["a.xml"] });
    let measured = Tests::measure(&config(with), &cx).await.unwrap();
    let record = serde_json::to_string(&measured).unwrap();
    assert!(record.contains(&filler) && record.contains("yyyy"));
    assert!(!record.contains("cana") && !record.contains("cr3t"));
}
