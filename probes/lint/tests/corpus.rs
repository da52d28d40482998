//! Agreement with a corpus of real reports that is not part of the repository.
//!
//! `READYGATE_CORPUS=DIR cargo nextest run -p readygate-lint --no-capture` reads
//! `DIR/manifest.json` and measures every lint report that it names, each alone.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{path::Path, time::Duration};

use readygate_lint::{Counts, Lint, LintConfig, LintMeasurement};
use readygate_sdk::{CheckOutcome, Checks, ErrorKind, Level, Probe as _, ProbeError, testkit};
use serde_json::{Value as Json, json};

/// Figures of the corpus that follow other rules on purpose, and why.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "output.json.txt",
        "its severities are words, which count as errors and warnings, not as nothing",
    ),
    (
        "TEST1007.ValidateBaseline.LessResultsThanBaseline.sarif",
        "a result with `baselineState: absent` is gone, and is no result",
    ),
    (
        "sample-ai-bom-sarif.json",
        "a level that is an empty text is none stated, so it is a warning",
    ),
];

#[expect(clippy::disallowed_methods, reason = "the switch of a test")]
fn corpus() -> Option<String> {
    std::env::var("READYGATE_CORPUS").ok()
}

#[tokio::test]
async fn figures_agree_with_the_corpus() {
    let Some(corpus) = corpus() else {
        println!("not run: READYGATE_CORPUS names no corpus");
        return;
    };
    let corpus = Path::new(&corpus);
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_str(&manifest).unwrap();
    let (mut agreed, mut different, mut disagreed) = (0, 0, Vec::new());
    for entry in manifest["entries"].as_array().unwrap() {
        let format = entry["format"].as_str().unwrap_or_default();
        let file = entry["file"].as_str().unwrap();
        let is_lint = file.starts_with("lint/") || file.starts_with("sarif/");
        if !is_lint || !["sarif", "eslint", "checkstyle"].contains(&format) {
            continue;
        }
        let outcome = measured(&corpus.join(file)).await;
        match compare(format, &entry["expected"], outcome) {
            Ok(()) => agreed += 1,
            Err(why) => match DIFFERENT.iter().find(|(name, _)| file.ends_with(name)) {
                Some((_, reason)) => {
                    different += 1;
                    println!("{file}: {why}; {reason}");
                }
                None => disagreed.push(format!("{file}: {why}")),
            },
        }
    }
    println!(
        "{agreed} agreed, {different} differ on purpose, {} disagreed",
        disagreed.len()
    );
    assert!(disagreed.is_empty(), "{}", disagreed.join("\n"));
    assert_eq!(different, DIFFERENT.len(), "a difference is no longer one");
    assert!(agreed > 50, "{agreed} is too few to be the corpus");
}

async fn measured(path: &Path) -> Result<LintMeasurement, ProbeError> {
    let config: LintConfig = serde_json::from_value(json!({"reports": [path]})).unwrap();
    Lint::validate(&config).unwrap();
    let measured = Lint::measure(&config, &testkit::cx(Duration::from_secs(60))).await?;
    let text = serde_json::to_string(&measured).unwrap();
    let read: LintMeasurement = serde_json::from_str(&text).unwrap();
    assert_eq!(read, measured, "the measurement does not survive JSON");
    let mut checks = Checks::new();
    Lint::judge(&config, &read, &mut checks);
    let passes = checks
        .as_slice()
        .iter()
        .all(|c| c.outcome == CheckOutcome::Passed || c.level != Level::Error);
    assert!(
        !passes || read.reports.counts.errors == 0,
        "{}",
        path.display()
    );
    Ok(read)
}

fn compare(
    format: &str,
    expected: &Json,
    outcome: Result<LintMeasurement, ProbeError>,
) -> Result<(), String> {
    let measured = match (expected.is_null(), outcome) {
        (true, Err(error)) if error.kind == ErrorKind::BadData => return Ok(()),
        (true, other) => return Err(format!("malformed, but measured as {other:?}")),
        (false, Err(error)) => return Err(error.to_string()),
        (false, Ok(measured)) => measured,
    };
    let counts = measured.reports.counts;
    let found = |counts: Counts| [counts.errors, counts.warnings, counts.notes, counts.none];
    let number = |value: &Json| value.as_u64().unwrap_or(0);
    let wanted = match format {
        "eslint" => {
            let both = [&expected["messages_sev2"], &expected["messages_sev1"]];
            [number(both[0]), number(both[1]), 0, 0]
        }
        "checkstyle" => {
            let by = &expected["by_severity"];
            [
                number(&by["error"]),
                number(&by["warning"]),
                number(&by["info"]),
                0,
            ]
        }
        _ => {
            let by = &expected["unsuppressed_by_level"];
            ["error", "warning", "note", "none"].map(|level| number(&by[level]))
        }
    };
    let mut differences = Vec::new();
    if found(counts) != wanted {
        differences.push(format!("expected {wanted:?}, got {:?}", found(counts)));
    }
    if format == "sarif" && counts.suppressed != number(&expected["suppressed"]) {
        differences.push(format!("{} suppressed", counts.suppressed));
    }
    if format == "sarif" && counts.gone == 0 {
        let all = counts.errors + counts.warnings + counts.notes + counts.none + counts.suppressed;
        if all != number(&expected["results"]) {
            differences.push(format!("{all} results in all"));
        }
    }
    if format != "sarif" && measured.reports.linted != expected["files"].as_u64() {
        differences.push(format!("files: {:?}", measured.reports.linted));
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join(", "))
    }
}
