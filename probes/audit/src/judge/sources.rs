//! Whether the sources can be relied on.

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Checks, Location, Period, Rule, Unit, count_of, process::Ended};

use super::capped;
use crate::{
    config::AuditConfig,
    measure::how,
    measurement::{AuditMeasurement, AuditReport, LockFile, ProblemKind, Unmatched},
    metrics::unexplained_exit,
    rules,
};

/// An exit code other than 0 is normal when something was found.
pub(super) fn command(measurement: &AuditMeasurement, checks: &mut Checks) {
    let Some(command) = &measurement.command else {
        return;
    };
    let line = command.argv.join(" ");
    let check = checks
        .check(
            &rules::AUDITOR_FAILED,
            command.argv.first().cloned().unwrap_or_default(),
        )
        .expected("exit code 0, or another with findings")
        .actual(command.ended.to_string());
    let ended = format!("`{line}` {}", how(command.ended));
    if !unexplained_exit(measurement) {
        return check.message(ended).pass();
    }
    let words: Vec<String> = command
        .output
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let last = words.len().saturating_sub(super::SHOWN);
    let what = match command.ended {
        Ended::Signal(_) => "so its report may be incomplete",
        Ended::Code(_) => "and its report shows nothing that it could have found",
    };
    check
        .details(words.into_iter().skip(last))
        .hint(rules::AUDITOR_FAILED.fix)
        .unmeasured(format!("{ended}, {what}"));
}

pub(super) fn problems(measurement: &AuditMeasurement, checks: &mut Checks) {
    for problem in &measurement.problems {
        let rule: &'static Rule = match problem.kind {
            ProblemKind::NoFile => &rules::NO_FILE,
            ProblemKind::Unreadable => &rules::UNREADABLE_FILE,
            ProblemKind::AuditorFailed => &rules::AUDITOR_FAILED,
        };
        let mut check = checks
            .check(rule, &problem.subject)
            .hint(problem.hint.as_deref().unwrap_or(rule.fix));
        if problem.line.is_some() {
            check = check.at(Location {
                file: problem.subject.clone(),
                line: problem.line,
                column: problem.column,
            });
        }
        check.unmeasured(format!("{}: {}", problem.subject, problem.reason));
    }
    let read = measurement.reports.len() + measurement.locks.len();
    if measurement.problems.is_empty() {
        let files = count_of(read as u64, "file was", "files were");
        checks
            .check(&rules::NO_FILE, "the files")
            .message("every pattern matches a file")
            .pass();
        checks
            .check(&rules::UNREADABLE_FILE, "the files")
            .message(format!("{files} read to the end"))
            .pass();
    }
}

pub(super) fn reports(config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
    for report in &measurement.reports {
        stale(report, config.max_age, measurement.measured_at, checks);
        let check = checks.check(&rules::CONTRADICTORY_REPORT, &report.path);
        match &report.contradiction {
            Some(reason) => check
                .hint(rules::CONTRADICTORY_REPORT.fix)
                .unmeasured(format!("{}: {reason}", report.path)),
            None => check
                .message(format!("{} lists what it counts", report.path))
                .pass(),
        }
        skipped(report, checks);
        nothing(report, checks);
    }
}

fn stale(report: &AuditReport, max_age: Option<Period>, now: Timestamp, checks: &mut Checks) {
    let check = checks.check(&rules::STALE_REPORT, &report.path);
    if report.before_run {
        return check
            .message(format!(
                "{} was not written by this run of the auditor",
                report.path
            ))
            .expected("a report of this run")
            .fail();
    }
    let Some(limit) = max_age else {
        return check
            .message(format!("{} is not older than the run", report.path))
            .pass();
    };
    let wanted = format!(
        "at most {} old",
        Unit::Seconds.format(limit.0.as_secs_f64())
    );
    let Some(at) = report.made_at else {
        return check
            .expected(wanted)
            .unmeasured(format!("{}: its age is not known", report.path));
    };
    let of = if report.file_time {
        "its file was written"
    } else {
        "it says that it was made"
    };
    let age = now.duration_since(at);
    // Clocks of two machines differ a little; a report from the future has no age.
    if age < -SignedDuration::from_mins(5) {
        return check.expected(wanted).unmeasured(format!(
            "{}: {of} at {at}, which is in the future",
            report.path
        ));
    }
    let old = age > SignedDuration::try_from(limit.0).unwrap_or(SignedDuration::MAX);
    check
        .message(format!("{}: {of} at {at}", report.path))
        .expected(wanted)
        .actual(format!(
            "{} old",
            Unit::Seconds.format(age.as_secs_f64().max(0.0).round())
        ))
        .passed_if(!old);
}

fn skipped(report: &AuditReport, checks: &mut Checks) {
    let check = checks.check(&rules::SKIPPED_PACKAGE, &report.path);
    if report.skipped_total == 0 {
        return check
            .message(format!("{} skips no package", report.path))
            .pass();
    }
    let packages = count_of(report.skipped_total, "package was", "packages were");
    check
        .expected("no package skipped")
        .actual(report.skipped_total.to_string())
        .details(capped(report.skipped.iter().cloned(), report.skipped_total))
        .hint(rules::SKIPPED_PACKAGE.fix)
        .unmeasured(format!(
            "{}: {packages} skipped by the auditor, which says nothing about them",
            report.path
        ));
}

fn nothing(report: &AuditReport, checks: &mut Checks) {
    let check = checks.check(&rules::NOTHING_AUDITED, &report.path);
    match report.audited {
        _ if report.looked_at_nothing() => check
            .expected("at least one package or target")
            .actual("none")
            .hint(rules::NOTHING_AUDITED.fix)
            .unmeasured(format!(
                "{}: it is about no package, so that it finds nothing says nothing",
                report.path
            )),
        Some(n) => check
            .message(format!(
                "{} is about {}",
                report.path,
                count_of(n, "package or target", "packages or targets")
            ))
            .pass(),
        None => check
            .message(format!(
                "{} does not say how much was looked at",
                report.path
            ))
            .pass(),
    }
}

pub(super) fn locks(measurement: &AuditMeasurement, checks: &mut Checks) {
    for lock in &measurement.locks {
        if let Some(manifest) = &lock.manifest {
            let check = checks.check(&rules::STALE_LOCKFILE, &lock.path);
            if lock.stale.is_empty() {
                check
                    .message(format!("{} holds what {manifest} asks for", lock.path))
                    .pass();
            } else {
                check
                    .details(capped(lock.stale.iter().cloned(), lock.stale.len() as u64))
                    .hint(rules::STALE_LOCKFILE.fix)
                    .unmeasured(format!("{} does not agree with {manifest}, so other versions will be installed: {}", lock.path, lock.stale[0]));
            }
        }
        if lock.packages + lock.local + lock.unmatched_total == 0 {
            checks
                .check(&rules::NOTHING_AUDITED, &lock.path)
                .hint(rules::NOTHING_AUDITED.fix)
                .unmeasured(format!("{} holds no package", lock.path));
        }
        unmatched(lock, checks);
    }
}

fn unmatched(lock: &LockFile, checks: &mut Checks) {
    let line = |unmatched: &Unmatched| format!("{}: {}", unmatched.package, unmatched.reason);
    let (open, foreign): (Vec<_>, Vec<_>) = lock
        .unmatched
        .iter()
        .partition(|unmatched| unmatched.from_registry);
    let check = checks.check(&rules::UNPINNED_PACKAGE, &lock.path);
    if open.is_empty() {
        check
            .message(format!(
                "all {} of {} have a version",
                count_of(lock.packages, "package", "packages"),
                lock.path
            ))
            .pass();
    } else {
        let n = open.len() as u64;
        check
            .expected("a version for every package")
            .actual(format!("{} without", count_of(n, "package", "packages")))
            .details(capped(open.iter().map(|u| line(u)), n))
            .hint(rules::UNPINNED_PACKAGE.fix)
            .unmeasured(format!(
                "{}: {} cannot be matched, first {}",
                lock.path,
                count_of(n, "package", "packages"),
                line(open[0])
            ));
    }
    let check = checks.check(&rules::UNMATCHED_PACKAGE, &lock.path);
    if foreign.is_empty() {
        return check
            .message(format!("{} uses public registries only", lock.path))
            .pass();
    }
    let n = foreign.len() as u64;
    check
        .message(format!(
            "{}: {} not from a public registry, first {}",
            lock.path,
            count_of(n, "package is", "packages are"),
            foreign[0].package
        ))
        .details(capped(foreign.iter().map(|u| line(u)), n))
        .fail();
}

pub(super) fn databases(config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
    for database in &measurement.databases {
        let check = checks.check(&rules::MISSING_ECOSYSTEM, &database.source);
        if database.missing.is_empty() {
            let told = match (database.records, database.newest) {
                (Some(n), Some(newest)) => format!(
                    "{} holds {}, the newest of {newest}",
                    database.source,
                    count_of(n, "record", "records")
                ),
                (Some(n), None) => format!(
                    "{} holds {}",
                    database.source,
                    count_of(n, "record", "records")
                ),
                (None, _) => format!("{} answered every query", database.source),
            };
            check.message(told).pass();
        } else {
            let missing = database.missing.join(", ");
            check
                .expected(format!("records about {missing}"))
                .actual("none")
                .hint(rules::MISSING_ECOSYSTEM.fix)
                .unmeasured(format!("no database has a record about {missing}, so nothing can be said of such packages"));
        }
        if let (Some(limit), Some(_)) = (config.database_max_age, database.records) {
            age(
                &database.source,
                database.newest,
                limit,
                measurement.measured_at,
                checks,
            );
        }
    }
}

fn age(
    source: &str,
    newest: Option<Timestamp>,
    limit: Period,
    now: Timestamp,
    checks: &mut Checks,
) {
    let wanted = format!(
        "a record of the last {}",
        Unit::Seconds.format(limit.0.as_secs_f64())
    );
    let check = checks.check(&rules::OLD_DATABASE, source).expected(wanted);
    let Some(newest) = newest else {
        return check.unmeasured(format!(
            "{source}: no record says when it was changed, so its age is not known"
        ));
    };
    let age = now.duration_since(newest);
    let old = age > SignedDuration::try_from(limit.0).unwrap_or(SignedDuration::MAX);
    check
        .message(format!("{source}: the newest record is of {newest}"))
        .actual(format!(
            "{} old",
            Unit::Seconds.format(age.as_secs_f64().max(0.0).round())
        ))
        .passed_if(!old);
}
