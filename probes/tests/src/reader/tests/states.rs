//! What counts as what.

use super::{suite, text};

#[test]
fn a_case_has_the_worst_state_in_it() {
    for (case, expected) in [
        ("<testcase name='a'/>", [1, 1, 0, 0, 0]),
        ("<testcase/>", [1, 1, 0, 0, 0]),
        ("<testcase><failure/></testcase>", [1, 0, 1, 0, 0]),
        ("<testcase><error/></testcase>", [1, 0, 0, 1, 0]),
        ("<testcase><skipped/></testcase>", [1, 0, 0, 0, 1]),
        ("<testcase><skipped/><failure/></testcase>", [1, 0, 1, 0, 0]),
        (
            "<testcase><failure/><error/><failure/></testcase>",
            [1, 0, 0, 1, 0],
        ),
        ("<testcase><failure/><failure/></testcase>", [1, 0, 1, 0, 0]),
        ("<testcase status='notrun'/>", [1, 0, 0, 0, 1]),
        ("<testcase status='disabled'/>", [1, 0, 0, 0, 1]),
        ("<testcase status='Skipped'/>", [1, 0, 0, 0, 1]),
        ("<testcase result='suppressed'/>", [1, 0, 0, 0, 1]),
        (
            "<testcase status='notrun'><failure/></testcase>",
            [1, 0, 1, 0, 0],
        ),
        (
            "<testcase status='run' result='completed'/>",
            [1, 1, 0, 0, 0],
        ),
        // Only children count, and only as elements.
        (
            "<testcase><system-out>&lt;failure/></system-out></testcase>",
            [1, 1, 0, 0, 0],
        ),
        (
            "<testcase><system-out><![CDATA[<failure/>]]></system-out></testcase>",
            [1, 1, 0, 0, 0],
        ),
        ("<testcase><!-- <failure/> --></testcase>", [1, 1, 0, 0, 0]),
        (
            "<testcase><properties><failure/></properties></testcase>",
            [1, 1, 0, 0, 0],
        ),
        ("<group><testcase/></group>", [1, 1, 0, 0, 0]),
        (
            "<testcase><testcase><failure/></testcase></testcase>",
            [2, 1, 1, 0, 0],
        ),
    ] {
        assert_eq!(suite(case).states(), expected, "{case}");
    }
}

#[test]
fn a_namespace_changes_nothing() {
    let xml = "<j:testsuites xmlns:j='urn:j'><j:testsuite><j:testcase><j:failure/></j:testcase>\
               </j:testsuite></j:testsuites>";
    assert_eq!(text(xml).states(), [1, 0, 1, 0, 0]);
}

#[test]
fn retries_inside_a_case_make_it_flaky_only_if_it_passed() {
    let flaky = suite("<testcase name='a'><flakyFailure/><flakyError/></testcase>");
    assert_eq!((flaky.states(), flaky.counts().flaky), ([1, 1, 0, 0, 0], 1));
    assert_eq!(flaky.tally.flaky[0].name, "a");
    let failed = suite("<testcase><failure/><rerunFailure/></testcase>");
    assert_eq!(
        (failed.states(), failed.counts().flaky),
        ([1, 0, 1, 0, 0], 0)
    );
}

#[test]
fn nested_suites_are_counted_once() {
    let outcome = text(
        "<testsuites tests='3'><testsuite name='a' tests='3' failures='1'>\
         <testsuite name='b' tests='2' failures='1'><testcase/><testcase><failure/></testcase></testsuite>\
         <testcase/></testsuite></testsuites>",
    );
    assert_eq!(outcome.states(), [3, 2, 1, 0, 0]);
    assert_eq!(outcome.counts().suites, 2);
    let claims = outcome.about().claims;
    assert_eq!(
        (claims.tests, claims.failures, claims.errors),
        (Some(3), Some(1), None)
    );
    assert_eq!((claims.missing_tests, claims.missing_failures), (0, 0));
}

#[test]
fn failures_outside_a_case_are_failures_of_the_suite() {
    let mut outcome = suite("<error message='init'/><testcase/><failure>late</failure>");
    assert_eq!(outcome.states(), [1, 1, 0, 0, 0]);
    assert_eq!(outcome.counts().suite_errors, 2);
    let errors = std::mem::take(&mut outcome.tally.suite_errors);
    let said: Vec<_> = errors
        .iter()
        .map(|e| (e.suite.as_str(), e.message.as_str()))
        .collect();
    assert_eq!(said, [("s", "init"), ("s", "late")]);
}

#[test]
fn claims_of_more_than_there_is_are_noticed() {
    for (xml, missing) in [
        ("<testsuite tests='6' failures='1'/>", (6, 1)),
        ("<testsuite tests='6' skipped='6'/>", (0, 0)),
        (
            "<testsuite tests='2' disabled='1'><testcase/></testsuite>",
            (0, 0),
        ),
        ("<testsuite tests='2'><testcase/></testsuite>", (1, 0)),
        (
            "<testsuite tests='1'><testcase/><testcase/></testsuite>",
            (0, 0),
        ),
        // Two failures in one case are two elements.
        (
            "<testsuite failures='2'><testcase><failure/><failure/></testcase></testsuite>",
            (0, 0),
        ),
        (
            "<testsuite tests='1' errors='1'><testcase/></testsuite>",
            (0, 1),
        ),
        ("<testsuite errors='1'><error/></testsuite>", (0, 0)),
        // What one suite lacks, another does not make up for.
        (
            "<testsuites tests='2'><testsuite tests='2'/><testsuite><testcase/><testcase/>\
             </testsuite></testsuites>",
            (2, 0),
        ),
        (
            "<testsuites tests='5'><testsuite tests='1'><testcase/></testsuite></testsuites>",
            (4, 0),
        ),
        ("<testsuite tests='99999999999999999999'/>", (0, 0)),
        (
            "<testsuite tests='18446744073709551615' skipped='-1' failures='x'/>",
            (u64::MAX, 0),
        ),
    ] {
        let claims = text(xml).about().claims;
        assert_eq!(
            (claims.missing_tests, claims.missing_failures),
            missing,
            "{xml}"
        );
    }
}

#[test]
fn claims_of_siblings_add_up_with_the_elements_of_those_that_claim_nothing() {
    let outcome = text(
        "<testsuites><testsuite><testcase/><testcase/></testsuite><testcase/>\
         <testsuite tests='4'><testcase/></testsuite><testsuite><testcase/></testsuite></testsuites>",
    );
    assert_eq!(outcome.about().claims.tests, Some(2 + 1 + 4 + 1));
}

#[test]
fn bad_times_are_counted_and_do_not_spoil_the_sum() {
    let outcome = suite(
        "<testcase time='1.5'/><testcase time='1,000.25'/><testcase time='NaN'/><testcase time=''/>\
         <testcase time='-2'/><testcase/><testcase time='2020-01-01T00:00:00'/>",
    );
    let counts = outcome.counts();
    assert_eq!((counts.total, counts.bad_times), (7, 4));
    assert!(
        (counts.seconds - 1_001.75).abs() < 1e-9,
        "{}",
        counts.seconds
    );
    assert!((outcome.tally.slowest[0].seconds - 1_000.25).abs() < 1e-9);
}

#[test]
fn a_failure_is_told_with_its_place_and_its_message() {
    let mut outcome = text(
        "<testsuite name='s'>\n <testcase name='a' classname='C' file='c.py' line='7'>\n\
         <failure type='E' message='1 &lt; 2&#10;more'>text</failure></testcase>\n\
         <testcase name='b'><error type='Oops'>  went wrong\n at x</error></testcase>\
         <testcase name='c'><failure type='only.Type'/></testcase></testsuite>",
    );
    let failures: Vec<_> = outcome.tally.failures().collect();
    let said: Vec<_> = failures.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        said,
        ["1 < 2\nmore", "Oops: went wrong\n at x", "only.Type"]
    );
    assert_eq!(failures[0].test.to_string(), "C > a (c.py:7)");
    assert_eq!(failures[0].test.location().to_string(), "r.xml:2");
    assert_eq!(failures[1].test.to_string(), "s > b");
}

#[test]
fn a_status_that_contradicts_the_elements_is_noticed() {
    let outcome = suite("<testcase status='failed'/><testcase result='error'><error/></testcase>");
    assert_eq!(outcome.states(), [2, 1, 0, 1, 0]);
    assert_eq!(outcome.counts().contradictory, 1);
    for status in ["timedout", "timeout", "Aborted", "crashed"] {
        let outcome = suite(&format!("<testcase status='{status}'/>"));
        assert_eq!(outcome.counts().contradictory, 1, "{status}");
    }
}

#[test]
fn the_oldest_timestamp_counts() {
    let outcome = text(
        "<testsuites timestamp='2024-01-02T00:00:00Z'><testsuite timestamp='2024-01-01T10:00:00+02:00'/>\
         <testsuite timestamp='yesterday'/></testsuites>",
    );
    assert_eq!(
        outcome.about().started.unwrap().at.to_string(),
        "2024-01-01T08:00:00Z"
    );
}
