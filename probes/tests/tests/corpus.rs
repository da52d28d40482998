//! Agreement with a corpus of real reports that is not part of the repository.
//!
//! `READYGATE_CORPUS=DIR cargo nextest run -p readygate-tests --no-capture` reads
//! `DIR/manifest.json` and measures every JUnit file that it names, each alone, the whole way that
//! a gate goes: config, measurement, JSON, metrics, judgement.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that tells what it finds"
)]

use std::{path::Path, time::Duration};

use readygate_sdk::{
    Check, CheckOutcome, Checks, ErrorKind, Level, Metrics, Probe as _, ProbeError, Value, testkit,
};
use readygate_tests::{Tests, TestsConfig, TestsMeasurement};
use serde_json::{Value as Json, json};

/// Metric and its name in the manifest.
const COUNTS: [(&str, &str); 5] = [
    ("total", "tests"),
    ("passed", "passed"),
    ("failed", "failed"),
    ("errors", "errors"),
    ("skipped", "skipped"),
];

#[tokio::test]
async fn the_counts_agree_with_the_corpus() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the corpus lies outside the repository"
    )]
    let Some(directory) = std::env::var_os("READYGATE_CORPUS") else {
        println!("not run: READYGATE_CORPUS names no folder");
        return;
    };
    let directory = Path::new(&directory);
    let manifest = std::fs::read_to_string(directory.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_str(&manifest).unwrap();
    let entries = manifest["entries"].as_array().unwrap();
    let mut tally = Tally::default();
    for entry in entries.iter().filter(|entry| entry["format"] == "junit") {
        let file = entry["file"].as_str().unwrap();
        let path = directory.join(file);
        let outcome = judged(&path, "separate").await;
        tally.note(file, "separate", compare(&entry["expected"], outcome));
        let folded = &entry["expected_if_same_id_repeats_are_retries"];
        if !folded.is_null() && !entry["expected"].is_null() {
            tally.note(file, "fold", compare(folded, judged(&path, "fold").await));
        }
    }
    println!(
        "{} agreed, {} disagreed",
        tally.agreed,
        tally.disagreed.len()
    );
    assert!(tally.agreed > 0, "no JUnit file in the manifest");
    assert!(tally.disagreed.is_empty(), "{}", tally.disagreed.join("\n"));
}

#[derive(Default)]
struct Tally {
    agreed: usize,
    disagreed: Vec<String>,
}

impl Tally {
    fn note(&mut self, file: &str, retries: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.agreed += 1,
            Err(why) => self.disagreed.push(format!("{file} ({retries}): {why}")),
        }
    }
}

type Judged = Result<(Metrics, Vec<Check>), ProbeError>;

async fn judged(path: &Path, retries: &str) -> Judged {
    let with = json!({ "reports": [path], "retries": retries });
    let config: TestsConfig = serde_json::from_value(with).unwrap();
    Tests::validate(&config).unwrap();
    let measured = Tests::measure(&config, &testkit::cx(Duration::from_secs(60))).await?;
    let json = serde_json::to_string(&measured).unwrap();
    let read: TestsMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, measured, "the measurement does not survive JSON");
    let mut checks = Checks::new();
    Tests::judge(&config, &read, &mut checks);
    Ok((Tests::metrics(&read), checks.into_vec()))
}

fn compare(expected: &Json, outcome: Judged) -> Result<(), String> {
    let (metrics, checks) = match (expected.is_null(), outcome) {
        (true, Err(error)) if error.kind == ErrorKind::BadData => return Ok(()),
        (true, other) => return Err(format!("malformed, but measured as {other:?}")),
        (false, Err(error)) => return Err(format!("{}: {}", error.subject, error.message)),
        (false, Ok(judged)) => judged,
    };
    let mut differences = Vec::new();
    for (metric, name) in COUNTS.into_iter().chain([("flaky", "flaky")]) {
        let Some(wanted) = expected[name].as_f64() else {
            continue;
        };
        let got = metrics.get(metric).map(|metric| metric.value.clone());
        if got != Some(Value::Number(wanted)) {
            differences.push(format!("{metric}: expected {wanted}, got {got:?}"));
        }
    }
    let ran = expected["tests"].as_u64() > expected["skipped"].as_u64();
    let failing = expected["failed"].as_u64().max(expected["errors"].as_u64()) > Some(0);
    let passes = checks.iter().all(|check| {
        check.outcome == CheckOutcome::Passed
            || check.outcome == CheckOutcome::Failed && check.level != Level::Error
    });
    if passes && (!ran || failing) {
        differences.push("it passes".to_owned());
    }
    if !passes && ran && !failing {
        let why = checks
            .iter()
            .filter(|check| check.outcome != CheckOutcome::Passed);
        for Check {
            rule,
            message,
            details,
            ..
        } in why
        {
            println!("no test failed, but {rule}: {message} {details:?}");
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join(", "))
    }
}
