//! What the tests say.

use readygate_reports::judge::capped;
use readygate_sdk::{Checks, Location, count_of};

use crate::{
    measurement::{Counts, TestRef, TestReports},
    rules,
};

pub(super) fn judge(all: &TestReports, checks: &mut Checks) {
    let counts = &all.counts;
    if counts.executed() == 0 {
        nothing_executed(all, checks);
    } else {
        checks
            .check(&rules::NOTHING_EXECUTED, "tests")
            .message(executed(counts))
            .pass();
    }
    failed(all, checks);
    suite_errors(all, checks);
    contradictory(all, checks);
    if counts.ambiguous > 0 {
        let tests = count_of(counts.ambiguous, "group of cases", "groups of cases");
        let reason = format!("{tests} without a name hold passes and failures");
        checks
            .check(&rules::AMBIGUOUS_RETRY, "tests")
            .hint(rules::AMBIGUOUS_RETRY.fix)
            .unmeasured(reason);
    }
    flaky(all, checks);
}

fn executed(counts: &Counts) -> String {
    let ran = count_of(counts.executed(), "test was", "tests were");
    match counts.skipped {
        0 => format!("{ran} executed"),
        n => format!("{ran} executed and {n} skipped"),
    }
}

fn nothing_executed(all: &TestReports, checks: &mut Checks) {
    let counts = &all.counts;
    let files = count_of(all.files_total, "report", "reports");
    let reason = match (all.files_total, counts.total, counts.skipped) {
        (0, ..) => "there is no report to count tests in".to_owned(),
        (_, 0, _) => format!("{files} without any test case"),
        (_, 1, _) => "the only test case was skipped".to_owned(),
        (_, total, _) => format!("all {total} test cases were skipped"),
    };
    checks
        .check(&rules::NOTHING_EXECUTED, "tests")
        .expected("at least one executed test")
        .hint(rules::NOTHING_EXECUTED.fix)
        .unmeasured(reason);
}

/// Where a list of tests starts.
fn place(test: Option<&TestRef>) -> Option<Location> {
    test.map(TestRef::location)
}

fn failed(all: &TestReports, checks: &mut Checks) {
    let counts = &all.counts;
    if counts.failing() == 0 {
        // With nothing executed, or only a part readable, "no failure" would say too much.
        if counts.executed() > 0 && all.unreadable_total == 0 && all.unmatched.is_empty() {
            checks
                .check(&rules::FAILED, "tests")
                .message("no test failed")
                .pass();
        }
        return;
    }
    let lines = all.failures.iter().map(|failure| {
        let message = failure.message.lines().next().unwrap_or_default().trim();
        let report = failure.test.location();
        match message {
            "" => format!("{} [{report}]", failure.test),
            message => format!("{}: {message} [{report}]", failure.test),
        }
    });
    let failing = counts.failing();
    let mut check = checks
        .check(&rules::FAILED, "tests")
        .message(format!(
            "{failing} of {} failed",
            count_of(counts.executed(), "executed test", "executed tests")
        ))
        .expected("no failed test")
        .actual(format!(
            "{} and {}",
            count_of(counts.failed, "failure", "failures"),
            count_of(counts.errors, "error", "errors")
        ))
        .details(capped(lines, failing));
    if let Some(location) = place(all.failures.first().map(|failure| &failure.test)) {
        check = check.at(location);
    }
    check.fail();
}

fn suite_errors(all: &TestReports, checks: &mut Checks) {
    let total = all.counts.suite_errors;
    let Some(first) = all.suite_errors.first().filter(|_| total > 0) else {
        return;
    };
    let lines = all.suite_errors.iter().map(|error| {
        let message = error.message.lines().next().unwrap_or_default();
        let suite = if error.suite.is_empty() {
            "(a suite without a name)"
        } else {
            &error.suite
        };
        format!(
            "{suite}: {message} [{}:{}]",
            error.report, error.report_line
        )
    });
    checks
        .check(&rules::SUITE_ERROR, &first.suite)
        .message(format!(
            "{} outside any test case",
            count_of(total, "suite failed", "suites failed")
        ))
        .at(Location {
            file: first.report.clone(),
            line: Some(first.report_line),
            column: None,
        })
        .details(capped(lines, total))
        .fail();
}

fn contradictory(all: &TestReports, checks: &mut Checks) {
    let total = all.counts.contradictory;
    if total == 0 {
        return;
    }
    let lines = all
        .contradictory
        .iter()
        .map(|test| format!("{test} [{}]", test.location()));
    let cases = count_of(
        total,
        "test case says that it failed and holds",
        "test cases say that they failed and hold",
    );
    let mut check = checks
        .check(&rules::CONTRADICTORY_STATUS, "tests")
        .message(format!("{cases} no failure"))
        .details(capped(lines, total));
    if let Some(location) = place(all.contradictory.first()) {
        check = check.at(location);
    }
    check.fail();
}

fn flaky(all: &TestReports, checks: &mut Checks) {
    let total = all.counts.flaky;
    if total == 0 {
        return;
    }
    let lines = all
        .flaky
        .iter()
        .map(|test| format!("{test} [{}]", test.location()));
    let mut check = checks
        .check(&rules::FLAKY, "tests")
        .message(format!(
            "{} in one attempt and not in another",
            count_of(total, "test passed", "tests passed")
        ))
        .details(capped(lines, total));
    if let Some(location) = place(all.flaky.first()) {
        check = check.at(location);
    }
    check.fail();
}
