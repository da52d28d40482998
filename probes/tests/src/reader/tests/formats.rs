//! The formats beside JUnit: how they count, and that what looks green and is not never passes.

use super::{Outcome, text};

/// Total, passed, failed, errors, skipped, and suite errors.
#[track_caller]
fn counts(input: &str) -> [u64; 6] {
    let outcome = text(input);
    let states = outcome.states();
    let errors = outcome.counts().suite_errors;
    [
        states[0], states[1], states[2], states[3], states[4], errors,
    ]
}

fn format(outcome: &Outcome) -> &'static str {
    outcome.about().format
}

#[test]
fn tap_counts_points_and_judges_the_plan() {
    for (tap, expected) in [
        (
            "TAP version 13\n1..2\nok 1 - a\nok 2 - b\n",
            [2, 2, 0, 0, 0, 0],
        ),
        // Versions 12 to 14: the plan may come last, and CRLF is a line end.
        ("ok 1 a\r\nnot ok 2 b\r\n1..2\r\n", [2, 1, 1, 0, 0, 0]),
        (
            "1..4\nok 1 # skip no db\nnot ok 2 # SKIP x\nnot ok 3 # TODO later\nok 4 # todo\n",
            [4, 1, 0, 0, 3, 0],
        ),
        // A name may hold an escaped hash.
        ("1..1\nok 1 - is \\# SKIP not\n", [1, 1, 0, 0, 0, 0]),
        // Only a hash that stands by itself before the whole word is a directive.
        (
            "1..5\nnot ok 1 - renders the link to #skip-content\nnot ok 2 - issue#skip\nnot ok 3 - # skipping rope\nnot ok 4 - a # skipped: x\nok 5 - # SKIP\n",
            [5, 0, 3, 0, 2, 0],
        ),
        // Subtests count by the point that follows them; YAML may hold what looks like points.
        (
            "1..1\n    ok 1 - inner\n    not ok 2 - inner\n    1..2\nnot ok 1 - outer\n  ---\n  ok 9\n  ...\n",
            [1, 0, 1, 0, 0, 0],
        ),
        ("1..3\nok 1\nok 2\n", [2, 2, 0, 0, 0, 1]),
        ("1..1\nok 1\nok 2\n", [2, 2, 0, 0, 0, 1]),
        ("TAP version 14\nok 1 - a\n", [1, 1, 0, 0, 0, 1]),
        ("1..3\nok 1\nBail out! no database\n", [1, 1, 0, 0, 0, 1]),
        ("1..2\nok 1\nok 1\n", [2, 2, 0, 0, 0, 1]),
        ("1..2\nok 1\nok 7\n", [2, 2, 0, 0, 0, 1]),
        ("ok 1 - a\n1..1\nok 2 - b\n", [1, 1, 0, 0, 0, 1]),
        (
            "> npm test\nTAP version 13\nok 1\n1..1\n",
            [1, 1, 0, 0, 0, 0],
        ),
        (
            "1..1\nok 1\nTAP version 13\n1..1\nok 1\n",
            [2, 2, 0, 0, 0, 4],
        ),
        ("1..0 # skip nothing here\n", [0, 0, 0, 0, 0, 0]),
    ] {
        assert_eq!(counts(tap), expected, "{tap}");
    }
    assert_eq!(format(&text("1..1\nok 1\n")), "tap");
}

#[test]
fn go_counts_leaves_and_judges_packages() {
    let event = |action: &str, test: &str| match test {
        "" => format!("{{\"Action\":\"{action}\",\"Package\":\"p\"}}\n"),
        test => format!("{{\"Action\":\"{action}\",\"Package\":\"p\",\"Test\":\"{test}\"}}\n"),
    };
    let stream =
        |events: &[(&str, &str)]| events.iter().map(|(a, t)| event(a, t)).collect::<String>();
    for (events, expected) in [
        (
            &[("pass", "A/x"), ("pass", "A"), ("pass", "")][..],
            [1, 1, 0, 0, 0, 0],
        ),
        (
            &[("fail", "A/x"), ("fail", "A"), ("fail", "")],
            [1, 0, 1, 0, 0, 0],
        ),
        // The parent fails by itself.
        (
            &[("pass", "A/x"), ("fail", "A"), ("fail", "")],
            [1, 1, 0, 0, 0, 1],
        ),
        // It did not build, or `TestMain` ended early.
        (&[("fail", "")], [0, 0, 0, 0, 0, 1]),
        (&[("pass", "A"), ("fail", "")], [1, 1, 0, 0, 0, 1]),
        (&[("skip", "A"), ("pass", "")], [1, 0, 0, 0, 1, 0]),
    ] {
        assert_eq!(counts(&stream(events)), expected, "{events:?}");
    }
    let rerun = text(&stream(&[
        ("fail", "A"),
        ("fail", ""),
        ("pass", "A"),
        ("pass", ""),
    ]));
    assert_eq!((rerun.states(), rerun.counts().flaky), ([1, 1, 0, 0, 0], 1));
    let cut = stream(&[("pass", "A"), ("run", "B")]);
    assert!(text(&cut).fault().contains("has no result"));
    let cut = format!(
        "{}{{\"Action\":\"pa",
        stream(&[("pass", "A"), ("pass", "")])
    );
    assert!(text(&cut).fault().contains("breaks off"));
    let build = "{\"ImportPath\":\"p\",\"Action\":\"build-fail\"}\n".to_owned();
    assert_eq!(
        counts(&(build + &stream(&[("pass", "A"), ("pass", "")]))),
        [1, 1, 0, 0, 0, 1]
    );
}

#[test]
fn a_failure_of_go_has_its_place() {
    let mut outcome = text(
        "{\"Action\":\"output\",\"Package\":\"p\",\"Test\":\"A\",\"Output\":\"    a_test.go:7: boom\\n\"}\n\
         {\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"A\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n",
    );
    let failure = outcome.tally.failures().next().unwrap();
    assert_eq!(
        (failure.test.file.as_str(), failure.test.line),
        ("a_test.go", Some(7))
    );
    assert!(failure.message.contains("boom"), "{}", failure.message);
}

#[test]
fn jest_and_vitest_never_pass_what_did_not_load() {
    let jest = |rest: &str, tests: &str, status: &str| {
        format!(
            "{{\"numTotalTests\":1,\"numPassedTests\":1,\"numFailedTests\":0,{rest}\
             \"testResults\":[{{\"name\":\"a.js\",\"status\":\"{status}\",\"message\":\"x\",\"assertionResults\":[{tests}]}}]}}"
        )
    };
    let passed = "{\"title\":\"t\",\"status\":\"passed\",\"duration\":5}";
    for (rest, tests, status, expected) in [
        ("\"success\":true,", passed, "passed", [1, 1, 0, 0, 0, 0]),
        ("\"success\":true,", passed, "failed", [1, 1, 0, 0, 0, 1]),
        ("\"success\":false,", passed, "passed", [1, 1, 0, 0, 0, 1]),
        (
            "\"success\":true,\"wasInterrupted\":true,",
            passed,
            "passed",
            [1, 1, 0, 0, 0, 1],
        ),
        (
            "\"success\":true,\"numRuntimeErrorTestSuites\":1,",
            passed,
            "passed",
            [1, 1, 0, 0, 0, 1],
        ),
        (
            "\"success\":true,",
            "{\"title\":\"t\",\"status\":\"todo\"}",
            "passed",
            [1, 0, 0, 0, 1, 0],
        ),
    ] {
        assert_eq!(
            counts(&jest(rest, tests, status)),
            expected,
            "{rest} {status}"
        );
    }
    let missing = text(&jest("\"success\":true,", "", "passed"));
    assert_eq!(missing.about().claims.missing_tests, 1);
}

#[test]
fn playwright_tells_flaky_tests_and_errors_at_the_top() {
    let interrupted = |status: &str| {
        format!(
            "{{\"config\":{{}},\"stats\":{{}},\"errors\":[],\"suites\":[{{\"title\":\"a\",\"specs\":[{{\"title\":\"t\",\"tests\":[\
             {{\"status\":\"skipped\",\"results\":[{{\"status\":\"{status}\"}}]}}]}}]}}]}}"
        )
    };
    assert_eq!(counts(&interrupted("skipped")), [1, 0, 0, 0, 1, 0]);
    assert_eq!(counts(&interrupted("interrupted")), [1, 0, 0, 1, 0, 0]);
    let report = |status: &str, errors: &str| {
        format!(
            "{{\"config\":{{}},\"stats\":{{\"expected\":0,\"unexpected\":0,\"flaky\":0,\"skipped\":0}},\"errors\":[{errors}],\
             \"suites\":[{{\"title\":\"a\",\"specs\":[{{\"title\":\"t\",\"file\":\"a.ts\",\"line\":3,\"tests\":[{{\"status\":\"{status}\",\"results\":[]}}]}}]}}]}}"
        )
    };
    assert_eq!(counts(&report("expected", "")), [1, 1, 0, 0, 0, 0]);
    assert_eq!(counts(&report("unexpected", "")), [1, 0, 1, 0, 0, 0]);
    assert_eq!(
        counts(&report("expected", "{\"message\":\"no server\"}")),
        [1, 1, 0, 0, 0, 1]
    );
    assert_eq!(text(&report("flaky", "")).counts().flaky, 1);
}

#[test]
fn the_other_documents_count() {
    for (document, expected) in [
        // Mocha: a hook that fails is a failure and no test.
        (
            "{\"stats\":{\"tests\":1,\"passes\":1,\"pending\":0,\"failures\":1},\"tests\":[{\"title\":\"t\",\"fullTitle\":\"s t\",\"err\":{}}],\
          \"pending\":[],\"passes\":[],\"failures\":[{\"title\":\"before all\",\"fullTitle\":\"s before all\",\"err\":{\"message\":\"x\"}}]}",
            [1, 1, 0, 0, 0, 1],
        ),
        (
            "{\"results\":{\"summary\":{\"tests\":2,\"passed\":1,\"failed\":0,\"other\":1},\"tests\":[{\"name\":\"a\",\"status\":\"passed\"},{\"name\":\"b\",\"status\":\"other\"}]}}",
            [2, 1, 0, 1, 0, 0],
        ),
        (
            "{\"examples\":[{\"description\":\"d\",\"status\":\"passed\"}],\"summary\":{\"example_count\":1,\"errors_outside_of_examples_count\":1}}",
            [1, 1, 0, 0, 0, 1],
        ),
        (
            "{\"exitcode\":2,\"summary\":{\"passed\":1,\"total\":1},\"tests\":[{\"nodeid\":\"a.py::t\",\"outcome\":\"passed\"}]}",
            [1, 1, 0, 0, 0, 1],
        ),
        (
            "{\"exitcode\":0,\"summary\":{\"passed\":1,\"total\":2},\"tests\":[{\"nodeid\":\"a.py::t\",\"outcome\":\"passed\"},{\"nodeid\":\"a.py::u\",\"outcome\":\"xfailed\"}]}",
            [2, 1, 0, 0, 1, 0],
        ),
    ] {
        assert_eq!(counts(document), expected, "{document}");
    }
    assert!(
        text("{\"stats\":{\"tests\":1}, \"tests\": [")
            .fault()
            .contains("breaks off")
    );
}

#[test]
fn dotnet_reports_count_and_a_crash_is_no_pass() {
    let trx = |outcome: &str, summary: &str| {
        format!(
            "<TestRun><Results><UnitTestResult testName=\"N.C.t\" {outcome} duration=\"00:00:01.5\"/></Results>{summary}</TestRun>"
        )
    };
    let crash = "<ResultSummary outcome=\"Failed\"><RunInfos><RunInfo outcome=\"Error\"><Text>host crashed</Text></RunInfo></RunInfos></ResultSummary>";
    for (xml, expected) in [
        (trx("outcome=\"Passed\"", ""), [1, 1, 0, 0, 0, 0]),
        (trx("outcome=\"Failed\"", crash), [1, 0, 1, 0, 0, 0]),
        (trx("outcome=\"Passed\"", crash), [1, 1, 0, 0, 0, 1]),
        (trx("outcome=\"Aborted\"", ""), [1, 0, 0, 1, 0, 0]),
        (trx("", ""), [1, 0, 0, 1, 0, 0]),
        (trx("outcome=\"NotExecuted\"", ""), [1, 0, 0, 0, 1, 0]),
        ("<assemblies><assembly><errors><error name=\"f\"><failure><message>m</message></failure></error></errors><collection><test name=\"a\" result=\"Pass\"/><test name=\"b\" result=\"NotRun\"/></collection></assembly></assemblies>".to_owned(), [2, 1, 0, 0, 1, 1]),
        ("<test-run><test-suite result=\"Failed\" site=\"SetUp\"><failure><message>m</message></failure></test-suite><test-case name=\"a\" result=\"Passed\"/></test-run>".to_owned(), [1, 1, 0, 0, 0, 1]),
        ("<test-run><test-case name=\"a\" result=\"Failed\" label=\"Error\"/></test-run>".to_owned(), [1, 0, 0, 1, 0, 0]),
        ("<test-results><test-case name=\"n.a\" executed=\"True\"><failure><message>m</message></failure></test-case><test-case name=\"n.b\" executed=\"False\"/></test-results>".to_owned(), [2, 0, 1, 0, 1, 0]),
    ] {
        assert_eq!(counts(&xml), expected, "{xml}");
    }
    let claims = text(
        "<assemblies><assembly total=\"3\" passed=\"2\" failed=\"1\"><test result=\"Pass\"/></assembly></assemblies>",
    );
    let claims = claims.about().claims;
    assert_eq!((claims.missing_tests, claims.missing_failures), (2, 1));
}

#[test]
fn streams_of_events_count() {
    let libtest = "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":2}\n{\"type\":\"test\",\"event\":\"ok\",\"name\":\"a::b\"}\n{\"type\":\"test\",\"event\":\"ignored\",\"name\":\"a::c\"}\n";
    let ended = format!("{libtest}{{\"type\":\"suite\",\"event\":\"ok\"}}\n");
    assert_eq!(counts(&ended), [2, 1, 0, 0, 1, 0]);
    assert!(text(libtest).fault().contains("not ended"));
    let failed = format!("{libtest}{{\"type\":\"suite\",\"event\":\"failed\"}}\n");
    assert_eq!(counts(&failed), [2, 1, 0, 0, 1, 1]);
    let dart = "{\"protocolVersion\":\"0.1.1\",\"type\":\"start\"}\n{\"type\":\"testStart\",\"test\":{\"id\":1,\"name\":\"t\"}}\n{\"type\":\"testDone\",\"testID\":1,\"result\":\"success\"}\n";
    assert_eq!(counts(dart), [1, 1, 0, 0, 0, 1]);
    assert_eq!(
        counts(&format!("{dart}{{\"type\":\"done\",\"success\":true}}\n")),
        [1, 1, 0, 0, 0, 0]
    );
}

#[test]
fn a_commit_that_a_report_names_is_read() {
    let junit = "<testsuite><properties><property name=\"git.commit\" value=\"0123456789abcdef\"/></properties></testsuite>";
    assert_eq!(
        text(junit).about().commit.as_deref(),
        Some("0123456789abcdef")
    );
}
