//! in-toto Statements about a run, unsigned, for the signer of the CI (`actions/attest`,
//! `cosign attest-blob`): the predicate alone, and the whole statement.
//!
//! Source: in-toto attestation framework, Statement v1; predicates `test-result` v0.1 and `svr`
//! (simple verification result) v0.2.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::record::{Advice, GateRecord, Outcome, Run, Severity, Verdict};

/// Type of a test result.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// Type of a simple verification result.
pub const SVR: &str = "https://in-toto.io/attestation/svr/v0.2";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// Namespace of the properties.
const PROPERTY: &str = "https://readygate.dev/properties/v1#";

/// How a gate counts in a test result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Passed,
    Warned,
    Failed,
}

/// A blocking gate that is not known to have passed has failed: the predicate knows nothing between.
fn class(gate: &GateRecord) -> Class {
    match gate.outcome {
        Outcome::Passed if gate.warnings().next().is_none() => Class::Passed,
        Outcome::Passed => Class::Warned,
        _ if gate.severity < Severity::Major => Class::Warned,
        _ => Class::Failed,
    }
}

/// The policy, as a resource.
fn policy(run: &Run) -> Value {
    json!({"name": run.config.files.join(" "), "digest": {"sha256": run.config.sha256}})
}

/// The predicate `test-result` v0.1: PASSED and WARNED only for GO.
pub fn test_result(run: &Run) -> Value {
    let of = |wanted: Class| -> Vec<&str> {
        let selected = run.gates.iter().filter(|g| g.is_selected());
        let matching = selected.filter(|g| class(g) == wanted);
        matching.map(|g| g.id.as_str()).collect()
    };
    let (passed, warned, failed) = (of(Class::Passed), of(Class::Warned), of(Class::Failed));
    let result = match run.verdict {
        _ if run.exit_code != 0 => "FAILED",
        Verdict::Go if warned.is_empty() && failed.is_empty() => "PASSED",
        Verdict::Go | Verdict::GoWithWaivers => "WARNED",
        Verdict::NoGo | Verdict::Inconclusive | Verdict::Pending => "FAILED",
    };
    json!({
        "result": result,
        "configuration": [policy(run)],
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    })
}

/// The predicate `svr` v0.2: its properties name only what passed.
pub fn svr(run: &Run, decided: Timestamp) -> Value {
    let mut properties: Vec<String> = Vec::new();
    let advice = run.watch.as_ref().map(|watch| watch.decision);
    match (run.exit_code, run.verdict, advice) {
        (0, Verdict::Go, None) => properties.push(format!("{PROPERTY}go")),
        (0, Verdict::GoWithWaivers, None) => properties.push(format!("{PROPERTY}go-with-waivers")),
        (0, _, Some(Advice::Accept)) => properties.push(format!("{PROPERTY}watch-accepted")),
        _ => {}
    }
    let passed = run.gates.iter().filter(|g| g.outcome == Outcome::Passed);
    properties.extend(passed.map(|g| format!("{PROPERTY}gate/{}", g.id)));
    json!({
        "verifier": {"id": env!("CARGO_PKG_REPOSITORY"), "policies": [policy(run)]},
        "timeCreated": decided,
        "properties": properties,
    })
}

/// A whole statement. Its subjects are the record, by the digest of its bytes, and the commit.
pub fn statement(run: &Run, predicate_type: &str, predicate: &Value, record: &str) -> Value {
    let mut subject = vec![json!({"name": "run.json", "digest": {"sha256": record}})];
    let commit = run.target.commit.as_deref().map(str::to_ascii_lowercase);
    let is_digest =
        |c: &String| matches!(c.len(), 40 | 64) && c.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(commit) = commit.filter(is_digest) {
        subject.push(json!({"name": run.target.name, "digest": {"gitCommit": commit}}));
    }
    json!({
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": predicate,
    })
}

/// Every file that goes beside a record, with its text.
pub fn files(run: &Run, record: &str) -> Vec<(&'static str, Value)> {
    files_of(run, record, run.decided_at())
}

/// The same as earlier versions wrote it, which took the end of the run for the decision.
pub fn earlier(run: &Run, record: &str) -> Vec<(&'static str, Value)> {
    files_of(run, record, run.finished)
}

fn files_of(run: &Run, record: &str, decided: Timestamp) -> Vec<(&'static str, Value)> {
    let (test_result, svr) = (test_result(run), svr(run, decided));
    let statements = [
        (
            "test-result.statement.json",
            statement(run, TEST_RESULT, &test_result, record),
        ),
        ("svr.statement.json", statement(run, SVR, &svr, record)),
    ];
    let predicates = [
        ("test-result.predicate.json", test_result),
        ("svr.predicate.json", svr),
    ];
    predicates.into_iter().chain(statements).collect()
}
