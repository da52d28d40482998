//! Repeats that are attempts of one test.

use super::{Outcome, from};
use crate::config::Retries;

fn fold(cases: &str) -> Outcome {
    let xml = format!("<testsuite name='s'>{cases}</testsuite>");
    from(xml.as_bytes(), Retries::Fold)
}

const PASS: &str = "<testcase name='a'/>";
const FAIL: &str = "<testcase name='a'><failure message='f'/></testcase>";
const ERROR: &str = "<testcase name='a'><error message='e'/></testcase>";
const SKIP: &str = "<testcase name='a'><skipped/></testcase>";

#[test]
fn the_best_attempt_counts_in_any_order() {
    for (attempts, states, flaky) in [
        ([FAIL, ERROR, PASS], [1, 1, 0, 0, 0], 1),
        ([PASS, ERROR, FAIL], [1, 1, 0, 0, 0], 1),
        ([FAIL, PASS, FAIL], [1, 1, 0, 0, 0], 1),
        ([PASS, PASS, PASS], [1, 1, 0, 0, 0], 0),
        ([ERROR, FAIL, ERROR], [1, 0, 1, 0, 0], 0),
        ([ERROR, ERROR, ERROR], [1, 0, 0, 1, 0], 0),
        // A skip never hides a failure.
        ([SKIP, FAIL, SKIP], [1, 0, 1, 0, 0], 0),
        ([SKIP, SKIP, SKIP], [1, 0, 0, 0, 1], 0),
        // TestNG calls a failed attempt that is repeated skipped.
        ([SKIP, SKIP, PASS], [1, 1, 0, 0, 0], 1),
    ] {
        let mut outcome = fold(&attempts.concat());
        assert_eq!(outcome.states(), states, "{attempts:?}");
        assert_eq!(outcome.counts().flaky, flaky, "{attempts:?}");
        assert_eq!(outcome.tally.flaky.len() as u64, flaky, "{attempts:?}");
        let failing = states[2] + states[3];
        assert_eq!(
            outcome.tally.failures().count() as u64,
            failing,
            "{attempts:?}"
        );
    }
}

#[test]
fn another_class_file_or_suite_is_another_test() {
    let outcome = fold(
        "<testcase name='a'/><testcase name='a' classname='c'><failure/></testcase>\
         <testcase name='a' file='f'><failure/></testcase>\
         <testsuite name='t'><testcase name='a'><failure/></testcase></testsuite>",
    );
    assert_eq!(outcome.states(), [4, 1, 3, 0, 0]);
}

#[test]
fn long_names_are_told_apart_by_their_ends() {
    let long = "x".repeat(5_000);
    let outcome = fold(&format!(
        "<testcase name='{long}1'/><testcase name='{long}2'><failure/></testcase>"
    ));
    assert_eq!(outcome.states(), [2, 1, 1, 0, 0]);
}

#[test]
fn attempts_without_a_name_are_ambiguous_when_they_differ() {
    assert_eq!(
        fold("<testcase/><testcase><failure/></testcase>")
            .counts()
            .ambiguous,
        1
    );
    assert_eq!(fold("<testcase/><testcase/>").counts().ambiguous, 0);
    assert_eq!(fold(&[PASS, FAIL].concat()).counts().ambiguous, 0);
}
