//! Whether the reports are there, readable, fresh and complete.

use readygate_reports::{judge as shared, record::Dated};
use readygate_sdk::{Checks, Level, Location, count_of};

use crate::{
    config::{Retries, TestsConfig},
    measurement::{ReportFile, TestReports, TestsMeasurement},
    rules,
};

pub(super) fn judge(
    config: &TestsConfig,
    measurement: &TestsMeasurement,
    all: &TestReports,
    checks: &mut Checks,
) {
    shared::unmatched(&rules::NO_REPORT, &all.unmatched, checks);
    let unreadable = &all.unreadable;
    shared::unreadable(
        &rules::UNREADABLE_REPORT,
        unreadable,
        all.unreadable_total,
        checks,
    );
    let stale = all.files.iter().filter(|file| file.before_run);
    let stale: Vec<Dated> = stale.map(ReportFile::dated).collect();
    let total = all.files_total;
    shared::before_run(
        &rules::STALE_REPORT,
        &stale,
        all.before_run_total,
        total,
        checks,
    );
    let dated: Vec<Dated> = all.files.iter().map(ReportFile::dated).collect();
    if let Some(max_age) = config.max_age {
        let now = measurement.measured_at;
        shared::max_age(&rules::STALE_REPORT, max_age, now, &dated, checks);
    }
    shared::before_commit(
        &rules::OLDER_THAN_COMMIT,
        measurement.commit.as_ref(),
        &dated,
        checks,
    );
    complete(config.retries, all, checks);
    unexpanded(all, checks);
    let copies = &all.duplicates;
    shared::duplicates(&rules::DUPLICATE_FILE, copies, all.duplicates_total, checks);
}

/// Claims of more than there is weigh; other differences are only told.
fn complete(retries: Retries, all: &TestReports, checks: &mut Checks) {
    let mut agree = 0_u64;
    for file in &all.files {
        let claims = &file.claims;
        // Attempts are claimed one by one, so folded counts differ from the claims by nature.
        let differences = if retries == Retries::Fold {
            Vec::new()
        } else {
            differences(file)
        };
        if differences.is_empty() && claims.missing_tests == 0 && claims.missing_failures == 0 {
            agree += 1;
            continue;
        }
        let check = checks
            .check(&rules::COUNTS_DISAGREE, &file.path)
            .at(Location {
                file: file.path.clone(),
                line: None,
                column: None,
            })
            .details(differences);
        let lacks = lacks(file);
        if lacks.is_empty() {
            let message = "the attributes claim other counts than the elements, which count";
            let hint = "nothing needs to be done; the elements are counted";
            check.level(Level::Info).message(message).hint(hint).fail();
        } else if file.counts.total == 0 {
            check
                .hint(rules::COUNTS_DISAGREE.fix)
                .unmeasured(format!("{lacks}, and there is no test case"));
        } else {
            check.message(lacks).fail();
        }
    }
    if agree > 0 {
        let held = count_of(
            agree,
            "report holds what it claims",
            "reports hold what they claim",
        );
        checks
            .check(&rules::COUNTS_DISAGREE, "reports")
            .message(held)
            .pass();
    }
}

/// What is claimed and missing, as a sentence; empty when nothing is.
fn lacks(file: &ReportFile) -> String {
    let claims = &file.claims;
    let mut lacks = Vec::new();
    if claims.missing_tests > 0 {
        lacks.push(count_of(
            claims.missing_tests,
            "executed test",
            "executed tests",
        ));
    }
    if claims.missing_failures > 0 {
        lacks.push(count_of(claims.missing_failures, "failure", "failures"));
    }
    if lacks.is_empty() {
        return String::new();
    }
    format!(
        "the report claims {} more than it holds",
        lacks.join(" and ")
    )
}

fn differences(file: &ReportFile) -> Vec<String> {
    let (claims, counts) = (&file.claims, &file.counts);
    let pairs = [
        ("tests", claims.tests, counts.total),
        ("failures", claims.failures, counts.failed),
        ("errors", claims.errors, counts.errors),
        ("skipped", claims.skipped, counts.skipped),
    ];
    let differ = |(name, claimed, held): (&str, Option<u64>, u64)| {
        let claimed = claimed.filter(|claimed| *claimed != held)?;
        Some(format!("{name}: claims {claimed}, holds {held}"))
    };
    pairs.into_iter().filter_map(differ).collect()
}

fn unexpanded(all: &TestReports, checks: &mut Checks) {
    for file in all.files.iter().filter(|file| file.unexpanded > 0) {
        let entities = count_of(file.unexpanded, "entity stands", "entities stand");
        checks
            .check(&rules::UNEXPANDED_ENTITY, &file.path)
            .hint(rules::UNEXPANDED_ENTITY.fix)
            .unmeasured(format!(
                "{entities} where test cases could stand, and none is expanded"
            ));
    }
}
