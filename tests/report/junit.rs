//! JUnit, read back and compared with the record.

use insta::assert_snapshot;
use readygate::{
    record::{GateRecord, Outcome, Run},
    report::{Format, Style, render},
};
use readygate_sdk::{Check, CheckOutcome, Level, Location};

use crate::support::{Case, FIXTURES, Suite, fixture, read_junit};

pub fn junit(run: &Run) -> Vec<u8> {
    render(Format::Junit, run, &Style::plain()).unwrap()
}

fn suites(name: &str) -> Vec<Suite> {
    read_junit(&junit(&fixture(name)))
}

fn case<'a>(suites: &'a [Suite], suite: &str, name: &str) -> &'a Case {
    let suite = suites.iter().find(|s| s.name == suite).unwrap();
    suite.cases.iter().find(|c| c.name == name).unwrap()
}

/// One element a line, for people; the report itself has no line breaks between elements.
#[test]
fn the_dialect_on_one_page() {
    let text = String::from_utf8(junit(&fixture("pending"))).unwrap();
    assert_snapshot!(text.replace("><", ">\n<"), @r#"
    <?xml version="1.0" encoding="utf-8"?>
    <testsuites>
    <testsuite id="0" name="readygate" package="" tests="1" errors="0" failures="1" hostname="localhost" timestamp="2026-11-20T10:00:00Z" time="0">
    <testcase name="verdict: PENDING" time="0" classname="readygate" file="readygate.yaml">
    <failure type="sign-off" message="governance.approval (blocker) awaits a sign-off: no approval by Security Engineer for abc1234">
    <![CDATA[governance.approval (blocker) awaits a sign-off: no approval by Security Engineer for abc1234]]>
    </failure>
    </testcase>
    <system-out>
    <![CDATA[verdict: PENDING
    exit code: 4
    target: production
    version: 4.0.0
    commit: abc1234def5678900000000000000000000000ff
    url: https://shop.example.com
    run: 20261120T100000Z-4711
    config sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08]]>
    </system-out>
    </testsuite>
    <testsuite id="1" name="quality.tests-pass" package="" tests="3" errors="0" failures="0" hostname="localhost" timestamp="2026-11-20T10:00:00Z" time="12.3">
    <testcase name="tests/failed suite" time="12.3" classname="quality.tests-pass" file="readygate.yaml"/>
    <testcase name="expect/passed passed" time="0" classname="quality.tests-pass" file="readygate.yaml"/>
    <testcase name="expect/failed failed" time="0" classname="quality.tests-pass" file="readygate.yaml"/>
    <system-out>
    <![CDATA[All tests pass
    section: 1. Code Quality & Testing
    outcome: passed]]>
    </system-out>
    </testsuite>
    <testsuite id="2" name="governance.approval" package="" tests="1" errors="0" failures="1" hostname="localhost" timestamp="2026-11-20T10:00:01Z" time="0.01">
    <testcase name="gate" time="0.01" classname="governance.approval" file="readygate.yaml">
    <failure type="sign-off" message="no approval by Security Engineer for abc1234">
    <![CDATA[no approval by Security Engineer for abc1234
    gate: Security has approved the release (readygate.yaml:70:5)
    severity: blocker
    owner: Security Engineer]]>
    </failure>
    </testcase>
    <system-out>
    <![CDATA[Security has approved the release
    outcome: pending
    reason: no approval by Security Engineer for abc1234]]>
    </system-out>
    </testsuite>
    </testsuites>
    "#);
}

#[test]
fn every_gate_is_a_suite_and_every_check_a_testcase() {
    for name in FIXTURES {
        let run = fixture(name);
        let suites = suites(name);
        assert_eq!(suites[0].name, "readygate");
        let names: Vec<_> = suites[1..].iter().map(|s| s.name.as_str()).collect();
        let ids: Vec<_> = run.gates.iter().map(|g| g.id.as_str()).collect();
        assert_eq!(names, ids, "{name}");
        for (suite, gate) in suites[1..].iter().zip(&run.gates) {
            let own = suite.cases.iter().filter(|c| c.name == "gate").count();
            assert!(own <= 1);
            assert_eq!(suite.cases.len(), gate.checks.len() + own, "{}", gate.id);
            assert!(!suite.cases.is_empty(), "{}", gate.id);
            assert!(suite.cases.iter().all(|c| c.classname == gate.id));
        }
    }
}

#[test]
fn counts_are_those_of_the_elements() {
    for name in FIXTURES {
        for suite in suites(name) {
            assert_eq!(suite.tests, suite.cases.len());
            assert_eq!(suite.failures, suite.count("failure"));
            assert_eq!(suite.errors, suite.count("error"));
        }
    }
}

#[test]
fn failure_error_and_skipped_are_kept_apart() {
    let suites = suites("no-go");
    let kinds = |suite: &str, name: &str| {
        let ending = case(&suites, suite, name).ending.clone().unwrap();
        (ending.tag, ending.kind, ending.message)
    };
    let of = |tag: &str, kind: &str, message: &str| {
        (tag.to_owned(), kind.to_owned(), message.to_owned())
    };
    assert_eq!(
        kinds("perf.load", "expect/latency.p95 latency.p95"),
        of(
            "failure",
            "expect/latency.p95",
            "latency.p95 is 61.2 ms, expected < 50 ms"
        )
    );
    assert_eq!(
        kinds("infra.mongo", "gate"),
        of(
            "error",
            "connect",
            "db1:27017: connection refused (while connecting)"
        )
    );
    assert_eq!(
        kinds("security.audit", "audit/stale-database advisory database"),
        of(
            "error",
            "unmeasured",
            "could not tell how old the advisory database is"
        )
    );
    assert_eq!(
        kinds("deploy.smoke", "gate"),
        of(
            "skipped",
            "dependency",
            "needs infra.mongo, which could not be measured"
        )
    );
    assert_eq!(
        kinds("release.notes", "gate"),
        of("skipped", "not-selected", "not in stage pre-deploy")
    );
    assert_eq!(
        kinds("infra.backup", "gate"),
        of(
            "skipped",
            "no-data",
            "backups/*.json: no file matched (while listing the evidence)"
        ),
        "a minor gate that could not be measured does not turn the job red"
    );
}

#[test]
fn what_is_waived_is_skipped_and_says_until_when_and_by_whom() {
    let suites = suites("go-with-waivers");
    assert!(suites.iter().all(|s| s.failures == 0 && s.errors == 0));
    let left_pad = case(&suites, "security.audit", "audit/vulnerable left-pad 1.0.0");
    let ending = left_pad.ending.as_ref().unwrap();
    assert_eq!(
        (
            ending.tag.as_str(),
            ending.kind.as_str(),
            ending.message.as_str()
        ),
        (
            "skipped",
            "waived",
            "waived until 2026-11-30 by cto (SHOP-12): left-pad 1.0.0 has a critical vulnerability"
        )
    );
    let own = &suites[0];
    assert_eq!(own.cases[0].name, "verdict: GO-WITH-WAIVERS");
    assert!(
        own.system_out
            .contains("waiver: tls/expires-soon until 2026-11-17 by cto")
    );
    assert!(own.system_out.contains("expired 2 days ago"));
}

#[test]
fn what_only_warns_passes_and_says_so() {
    let suites = suites("no-go");
    let minor = case(&suites, "quality.coverage", "expect/line line");
    assert!(minor.ending.is_none());
    assert!(minor.system_out.starts_with("WARNING: line is 78.9 %"));
    let warning = case(&suites, "perf.load", "load/generator-lag generator");
    assert!(warning.ending.is_none());
    assert!(warning.system_out.starts_with("WARNING: the generator ran"));
    let info = "headers/server-banner https://shop.example.com/";
    assert!(
        case(&suites, "security.headers", info)
            .system_out
            .starts_with("INFO: ")
    );
}

#[test]
fn a_flaky_pass_says_so() {
    let suites = suites("no-go");
    let flaky = suites.iter().find(|s| s.name == "infra.redis").unwrap();
    let says = &flaky.cases[0].system_out;
    assert!(says.contains("flaky: passed on attempt 3 of 3"), "{says}");
    assert!(
        says.contains("attempt 1 unmeasured: 10.0.0.3:7000"),
        "{says}"
    );
}

#[test]
fn the_run_has_rows_of_its_own() {
    let ending = |name: &str, row: &str| {
        let suites = suites(name);
        let ending = case(&suites, "readygate", row).ending.clone();
        ending.map(|e| format!("{} {}", e.tag, e.kind))
    };
    assert_eq!(ending("go", "verdict: GO"), None);
    assert_eq!(ending("no-go", "verdict: NO-GO").unwrap(), "failure no-go");
    assert_eq!(
        ending("pending", "verdict: PENDING").unwrap(),
        "failure sign-off"
    );
    assert_eq!(
        ending("empty", "verdict: INCONCLUSIVE").unwrap(),
        "error inconclusive"
    );
    assert_eq!(
        ending("interrupted", "interrupted").unwrap(),
        "error interrupted"
    );
    let pending = suites("pending");
    let gate = case(&pending, "governance.approval", "gate")
        .ending
        .clone()
        .unwrap();
    assert_eq!(
        (gate.tag.as_str(), gate.kind.as_str()),
        ("failure", "sign-off")
    );
}

#[test]
fn hostile_texts_come_back_as_they_were() {
    let suites = suites("hostile");
    let suite = &suites[1];
    let subject = "http/body https://例え.jp/\"<path>\"?a=1&b=2";
    let names: Vec<_> = suite.cases.iter().map(|c| c.name.clone()).collect();
    assert_eq!(
        names,
        [
            subject,
            &format!("{subject} (2)"),
            &format!("{subject} (3)")
        ]
    );
    let text = suite.cases[0].text();
    assert!(text.contains("the page says ]]><evil attr=\"x\"> & 'more'\nsecond line"));
    assert!(text.contains("expected: \"ok\" ]]>\nactual: مرحبا بالعالم 🚀"));
    assert!(text.contains("where: sites/a b/\"q\".html:3"));
    assert!(text.contains("| [ [ATTACHMENT|/etc/passwd]]"));
    assert_eq!(suite.cases[0].file, "sites/a b/\"q\".html");
    let message = &suite.cases[0].ending.as_ref().unwrap().message;
    assert_eq!(
        message,
        "the page says ]]><evil attr=\"x\"> & 'more' second line with tab"
    );
}

#[test]
fn characters_outside_xml_are_dropped() {
    let mut run = fixture("hostile");
    run.gates[0].checks[0].message = "a\u{0}\u{8}\u{1b}\u{fffe}\u{ffff}b".to_owned();
    run.gates[0].checks[0].subject = "s\u{1}\u{ffff}t".to_owned();
    let suites = read_junit(&junit(&run));
    assert_eq!(suites[1].cases[0].name, "http/body st");
    assert!(suites[1].cases[0].text().starts_with("ab\n"));
}

fn flood(checks: usize, bytes: usize) -> Run {
    let mut run = fixture("go");
    let gate: &mut GateRecord = &mut run.gates[0];
    gate.outcome = Outcome::Failed;
    gate.checks = (0..checks)
        .map(|n| Check {
            rule: "tests/failed".to_owned(),
            subject: format!("suite::case_{n}"),
            outcome: CheckOutcome::Failed,
            level: Level::Error,
            message: format!("{n} {}", "m".repeat(bytes / 2)),
            expected: None,
            actual: None,
            hint: None,
            location: Some(Location {
                file: "src/lib.rs".to_owned(),
                line: Some(n as u64),
                column: None,
            }),
            details: vec!["]]>".repeat(bytes / 6)],
        })
        .collect();
    run
}

#[test]
fn twenty_thousand_long_failures_fit_into_ten_megabytes() {
    let bytes = junit(&flood(20_000, 10_000));
    assert!(bytes.len() <= 10 * 1024 * 1024, "{} bytes", bytes.len());
    let suites = read_junit(&bytes);
    assert_eq!(suites[1].count("failure"), 20_000);
    assert!(suites[1].cases[7].text().starts_with("7 mmm"));
    assert!(
        suites[1].cases[7]
            .text()
            .contains("[cut here; the json report has the rest]")
    );
}

#[test]
fn more_failures_than_fit_leave_a_red_row_that_counts_them() {
    let mut run = flood(200_000, 60);
    run.gates[0].checks[0].outcome = CheckOutcome::Passed;
    let bytes = junit(&run);
    assert!(bytes.len() <= 10 * 1024 * 1024, "{} bytes", bytes.len());
    let suite = &read_junit(&bytes)[1];
    let last = suite.cases.last().unwrap();
    assert!(last.is("failure"));
    assert_eq!(
        last.name,
        format!("and {} checks more", 200_000 - (suite.tests - 1))
    );
    assert!(suite.cases.iter().all(|c| c.is("failure")));
}

#[test]
fn one_node_is_capped() {
    let suites = read_junit(&junit(&flood(3, 1_000_000)));
    let text = suites[1].cases[0].text();
    assert!(text.len() < 33 * 1024, "{} bytes", text.len());
    assert!(text.ends_with("[cut here; the json report has the rest]"));
}
