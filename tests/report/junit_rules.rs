//! What the consumers of JUnit demand, and the rule that red means a non-zero exit code.

use std::{collections::HashSet, path::Path, process::Command};

use proptest::prelude::*;
use readygate::{
    record::{GateRecord, Outcome, Run, Severity, SkipReason, Waived},
    verdict,
};
use readygate_sdk::{Check, CheckOutcome, ErrorKind, Level, ProbeError};

use crate::{
    junit::junit,
    support::{FIXTURES, fixture, read_junit},
};

/// <https://docs.gitlab.com/ci/testing/unit_test_reports/>: of two testcases with one name in one
/// class the second is dropped; only the text is shown; the file is a link; time is in seconds.
#[test]
fn gitlab_keeps_and_shows_every_row() {
    for name in FIXTURES {
        let bytes = junit(&fixture(name));
        assert!(bytes.len() < 30_000_000);
        let mut seen = HashSet::new();
        for suite in read_junit(&bytes) {
            for case in suite.cases {
                assert!(!case.classname.is_empty() && !case.name.is_empty());
                assert!(
                    seen.insert((case.classname.clone(), case.name.clone())),
                    "{}",
                    case.name
                );
                assert!(case.time.parse::<f64>().unwrap() >= 0.0);
                assert!(!case.time.contains(['e', 'E']));
                assert!(!case.file.is_empty(), "{}", case.name);
                if let Some(ending) = case.ending {
                    let first = ending.message.split(' ').next().unwrap();
                    assert!(ending.text.starts_with(first), "{}", ending.text);
                }
            }
        }
    }
}

/// Azure DevOps refuses names over 512 characters and takes the outcome from `@message`.
#[test]
fn azure_devops_gets_short_names_and_messages() {
    for name in FIXTURES {
        for suite in read_junit(&junit(&fixture(name))) {
            for case in suite.cases {
                assert!(case.name.chars().count() <= 512);
                let message = case.ending.map(|e| e.message);
                assert!(message.is_none_or(|m| !m.is_empty()), "{}", case.name);
            }
        }
    }
}

/// `SUREFIRE_TIME` of `junit-10.xsd` has at most three decimals.
#[test]
fn times_have_at_most_three_decimals() {
    let mut run = fixture("go");
    for seconds in [1.118, 1.122, 14.203, 0.0004, 59.9996, 1e9, -1.0, f64::NAN] {
        run.gates[0].duration_s = seconds;
        let suite = &read_junit(&junit(&run))[1];
        let decimals = suite
            .time
            .split_once('.')
            .map_or("", |(_, decimals)| decimals);
        assert!(decimals.len() <= 3, "{seconds} became {}", suite.time);
        assert_eq!(suite.time, suite.cases[0].time);
    }
}

#[test]
fn a_record_from_before_the_common_era_is_no_panic() {
    let mut run = fixture("go");
    run.started = jiff::Timestamp::MIN;
    run.gates[0].started = Some(jiff::Timestamp::MAX);
    let suites = read_junit(&junit(&run));
    assert_eq!(suites[0].timestamp, "1970-01-01T00:00:00Z");
    assert_eq!(suites[1].timestamp, "9999-12-30T22:00:00Z");
}

/// Needs `xmllint` and `READYGATE_SCHEMAS`, the folder with `junit-10.xsd`.
#[test]
fn the_schema_of_jenkins_accepts_every_fixture() {
    #[expect(
        clippy::disallowed_methods,
        reason = "other people's schemas are not in the tree"
    )]
    let Some(folder) = std::env::var_os("READYGATE_SCHEMAS") else {
        return;
    };
    let schema = Path::new(&folder).join("junit-10.xsd");
    // Whoever names the schemas wants them used: a missing validator is a failure, not a pass.
    let validator = Command::new("xmllint").arg("--version").output();
    assert!(validator.is_ok(), "xmllint is missing: cargo xtask setup");
    for name in FIXTURES {
        let text = String::from_utf8(junit(&fixture(name))).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), without_file_attributes(&text)).unwrap();
        let checked = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .args([&schema, file.path()])
            .output()
            .unwrap();
        let says = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{name}: {says}");
    }
}

/// `testcase@file` is the one thing that GitLab reads and the schema does not know.
fn without_file_attributes(text: &str) -> String {
    let mut parts = text.split(" file=\"");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push_str(part.split_once('"').unwrap().1);
    }
    out
}

fn check() -> impl Strategy<Value = Check> {
    let outcomes = prop::sample::select(vec![
        CheckOutcome::Passed,
        CheckOutcome::Failed,
        CheckOutcome::Unmeasured,
    ]);
    let levels = prop::sample::select(vec![Level::Info, Level::Warning, Level::Error]);
    ("[ab]{1,2}", outcomes, levels, "\\PC{0,20}").prop_map(|(subject, outcome, level, message)| {
        Check {
            rule: "x/y".to_owned(),
            subject,
            outcome,
            level,
            message,
            expected: None,
            actual: None,
            hint: None,
            location: None,
            details: vec![],
        }
    })
}

fn waived_by_cto(check: usize) -> Waived {
    Waived {
        check,
        waiver: 0,
        until: "2026-12-31T23:59:59Z".parse().unwrap(),
        approver: "cto".to_owned(),
        ticket: None,
    }
}

fn gate() -> impl Strategy<Value = GateRecord> {
    let severities = prop::sample::select(vec![
        Severity::Info,
        Severity::Minor,
        Severity::Major,
        Severity::Blocker,
    ]);
    let outcomes = prop::sample::select(vec![
        (Outcome::Passed, None),
        (Outcome::Failed, None),
        (Outcome::Unmeasured, None),
        (Outcome::Pending, None),
        (Outcome::Skipped, Some(SkipReason::NotSelected)),
        (Outcome::Skipped, Some(SkipReason::Dependency)),
    ]);
    let parts = (
        severities,
        outcomes,
        prop::collection::vec(check(), 0..4),
        any::<bool>(),
        prop::collection::vec(any::<bool>(), 4),
    );
    parts.prop_map(|(severity, (outcome, skipped), checks, error, covered)| {
        let mut gate = fixture("go").gates.remove(0);
        gate.severity = severity;
        gate.outcome = outcome;
        gate.skipped = skipped;
        let failed =
            |(at, check): &(usize, &Check)| check.outcome == CheckOutcome::Failed && covered[*at];
        let waived = checks.iter().enumerate().filter(failed);
        gate.waived = waived.map(|(at, _)| waived_by_cto(at)).collect();
        gate.checks = checks;
        gate.error = error.then(|| ProbeError::new(ErrorKind::Timeout, "s", "waiting", "too slow"));
        gate
    })
}

fn run() -> impl Strategy<Value = Run> {
    let gates = prop::collection::vec(gate(), 0..5);
    let signals = prop::sample::select(vec![None, None, Some(2), Some(15)]);
    let required = any::<bool>();
    (gates, signals, required).prop_map(|(mut gates, signal, required)| {
        for (n, gate) in gates.iter_mut().enumerate() {
            gate.id = format!("gate.{n}");
        }
        let required: Vec<_> = gates
            .first()
            .filter(|_| required)
            .map(|g| g.id.clone())
            .into_iter()
            .collect();
        let decision = verdict::decide(&gates, &required);
        let mut run = fixture("go");
        run.verdict = decision.verdict;
        run.reasons = decision.reasons;
        run.exit_code = verdict::exit_code(run.verdict, signal);
        run.interrupted = signal.map(|n| if n == 2 { "SIGINT" } else { "SIGTERM" }.to_owned());
        run.counts = verdict::count(&gates);
        run.gates = gates;
        run
    })
}

proptest! {
    #[test]
    fn red_exactly_when_the_exit_code_is_not_zero(run in run()) {
        let suites = read_junit(&junit(&run));
        let red = suites.iter().any(|s| s.failures + s.errors > 0);
        prop_assert_eq!(red, run.exit_code != 0);
        for suite in &suites {
            let names: HashSet<_> = suite.cases.iter().map(|c| &c.name).collect();
            prop_assert_eq!(names.len(), suite.cases.len());
        }
    }

    /// A gate that keeps the run from GO has a red row of its own, not only the verdict's.
    #[test]
    fn a_gate_that_weighs_is_red_itself(run in run()) {
        let suites = read_junit(&junit(&run));
        for (suite, gate) in suites[1..].iter().zip(&run.gates) {
            let weighs = match gate.standing() {
                Outcome::Failed | Outcome::Unmeasured | Outcome::Pending => gate.severity.blocks(),
                Outcome::Passed | Outcome::Skipped => false,
            };
            prop_assert_eq!(suite.failures + suite.errors > 0, weighs);
        }
    }
}
