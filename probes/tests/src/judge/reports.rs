//! Whether the reports are there, readable, fresh and complete.

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Checks, Level, Location, Period, Unit, count_of};

use super::capped;
use crate::{
    config::{Retries, TestsConfig},
    measurement::{ReportFile, TestReports},
    rules,
};

/// How far the clocks of two machines may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn judge(config: &TestsConfig, now: Timestamp, all: &TestReports, checks: &mut Checks) {
    for pattern in &all.unmatched {
        let reason = format!("no file matches `{pattern}`");
        checks
            .check(&rules::NO_REPORT, pattern)
            .hint(rules::NO_REPORT.fix)
            .unmeasured(reason);
    }
    unreadable(all, checks);
    written_by_run(all, checks);
    if let Some(max_age) = config.max_age {
        fresh(max_age, now, all, checks);
    }
    complete(config.retries, all, checks);
    unexpanded(all, checks);
    duplicates(all, checks);
}

fn unreadable(all: &TestReports, checks: &mut Checks) {
    for file in &all.unreadable {
        checks
            .check(&rules::UNREADABLE_REPORT, &file.path)
            .at(file.location())
            .hint(file.hint.as_deref().unwrap_or(rules::UNREADABLE_REPORT.fix))
            .unmeasured(file.sentence());
    }
    let unlisted = all.unreadable_total - (all.unreadable.len() as u64).min(all.unreadable_total);
    if unlisted > 0 {
        let reason = format!(
            "{} could not be read",
            count_of(unlisted, "more report", "more reports")
        );
        checks
            .check(&rules::UNREADABLE_REPORT, "other reports")
            .unmeasured(reason);
    }
}

/// Jenkins: "none of them are new. Did tests run?"
fn written_by_run(all: &TestReports, checks: &mut Checks) {
    let stale = all.before_run_total;
    if stale == 0 {
        return;
    }
    let listed = all.files.iter().filter(|file| file.before_run);
    let lines = listed
        .clone()
        .map(|file| format!("{}, written {}", file.path, file.modified));
    let message = if stale == all.files_total {
        "the command wrote none of the reports; did the tests run?".to_owned()
    } else {
        format!(
            "the command did not write {} of {}",
            stale,
            count_of(all.files_total, "report", "reports")
        )
    };
    let subject = listed
        .clone()
        .next()
        .map_or_else(|| "reports".to_owned(), |file| file.path.clone());
    checks
        .check(&rules::STALE_REPORT, subject)
        .message(message)
        .details(capped(lines, stale))
        .fail();
}

fn fresh(max_age: Period, now: Timestamp, all: &TestReports, checks: &mut Checks) {
    let oldest = SignedDuration::try_from(max_age.0).unwrap_or(SignedDuration::MAX);
    let age = |file: &ReportFile| now.duration_since(file.evidence_at());
    let is_fresh = |file: &&ReportFile| (-SKEW..=oldest).contains(&age(file));
    let stale: Vec<&ReportFile> = all.files.iter().filter(|file| !is_fresh(file)).collect();
    let expected = format!("at most {max_age} old");
    let Some(first) = stale.iter().min_by_key(|file| file.evidence_at()) else {
        if let Some(file) = all.files.iter().min_by_key(|file| file.evidence_at()) {
            checks
                .check(&rules::STALE_REPORT, &file.path)
                .message(format!("the oldest report is {}", said_age(age(file))))
                .expected(expected)
                .pass();
        }
        return;
    };
    let lines = stale.iter().map(|file| {
        let source = match (file.trusted_timestamp(), file.zoneless) {
            (None, _) => "modification time",
            (Some(_), false) => "timestamp inside",
            (Some(_), true) => "timestamp inside, without a zone and read as UTC,",
        };
        format!(
            "{}: {}, {source} {}",
            file.path,
            said_age(age(file)),
            file.evidence_at()
        )
    });
    checks
        .check(&rules::STALE_REPORT, &first.path)
        .message(format!(
            "{} not fresh",
            count_of(stale.len() as u64, "report is", "reports are")
        ))
        .expected(expected)
        .actual(said_age(age(first)))
        .details(capped(lines, stale.len() as u64))
        .fail();
}

fn said_age(age: SignedDuration) -> String {
    let seconds = age.as_secs_f64();
    let shown = Unit::Seconds.format(seconds.abs().round());
    if seconds < -1.0 {
        format!("{shown} in the future")
    } else {
        format!("{shown} old")
    }
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

fn duplicates(all: &TestReports, checks: &mut Checks) {
    if all.duplicates_total == 0 {
        return;
    }
    let lines = all
        .duplicates
        .iter()
        .map(|file| format!("{} is the same as {}", file.path, file.of));
    let first = all.duplicates.first().map_or("reports", |file| &file.path);
    let copies = count_of(
        all.duplicates_total,
        "report is a copy",
        "reports are copies",
    );
    checks
        .check(&rules::DUPLICATE_FILE, first)
        .message(format!("{copies} of another and not counted again"))
        .details(capped(lines, all.duplicates_total))
        .fail();
}
