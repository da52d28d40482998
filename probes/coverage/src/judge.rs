//! Applies the rules to a measurement. Pure.

use readygate_reports::{
    judge::{self as shared, capped},
    record::Dated,
};
use readygate_sdk::{Checks, Level, Unit, count_of};

use crate::{
    config::{self, CoverageConfig},
    measurement::{Change, CoverageMeasurement, FloorResult, ReportFile},
    model::Count,
    rules,
};

/// Whether the reports can be relied on, then what they say.
pub(crate) fn judge(config: &CoverageConfig, all: &CoverageMeasurement, checks: &mut Checks) {
    if let Some(command) = &all.command {
        shared::command(&rules::COMMAND_FAILED, command, &[0], checks);
    } else if let Some(argv) = &config.run {
        shared::not_run(&rules::COMMAND_FAILED, argv, checks);
    }
    let gaps = &all.gaps;
    shared::unmatched(&rules::NO_REPORT, &gaps.unmatched, checks);
    let total = gaps.unreadable_total;
    shared::unreadable(&rules::UNREADABLE_REPORT, &gaps.unreadable, total, checks);
    let old: Vec<Dated> = all
        .reports
        .iter()
        .filter(|report| report.file.before_run)
        .map(ReportFile::dated)
        .collect();
    let (stale, total) = (old.len() as u64, all.reports_total);
    shared::before_run(&rules::STALE_REPORT, &old, stale, total, checks);
    let dated: Vec<Dated> = all.reports.iter().map(ReportFile::dated).collect();
    if let Some(max_age) = config.max_age {
        shared::max_age(
            &rules::STALE_REPORT,
            max_age,
            all.measured_at,
            &dated,
            checks,
        );
    }
    shared::before_commit(
        &rules::OLDER_THAN_COMMIT,
        all.commit.as_ref(),
        &dated,
        checks,
    );
    other_commit(all, checks);
    shared::duplicates(
        &rules::DUPLICATE_FILE,
        &gaps.duplicates,
        gaps.duplicates_total,
        checks,
    );
    lines(all, checks);
    floors(config, all, checks);
    changes(config, all, checks);
}

fn floors(config: &CoverageConfig, all: &CoverageMeasurement, checks: &mut Checks) {
    for (pattern, text) in &config.floors {
        let floor = all.floors.iter().find(|floor| floor.pattern == *pattern);
        match (floor, config::floor(text)) {
            (Some(floor), Ok(least)) => judge_floor(floor, least, checks),
            // `validate` has refused a floor that is none.
            (Some(_), Err(why)) => unmatched_floor(pattern, why, checks),
            (None, _) => {
                let why = "the measurement did not look at these files";
                unmatched_floor(pattern, why.to_owned(), checks);
            }
        }
    }
}

fn changes(config: &CoverageConfig, all: &CoverageMeasurement, checks: &mut Checks) {
    let asked = config.diff.as_ref().map(|diff| &diff.base);
    match (&all.change, asked) {
        (Some(change), Some(base)) if change.base == *base => judge_change(change, checks),
        (_, Some(base)) => checks
            .check(&rules::NO_DIFF, base)
            .hint("measure again with this config")
            .unmeasured(format!(
                "the measurement did not look at the change since `{base}`"
            )),
        (Some(change), None) => judge_change(change, checks),
        (None, None) => {}
    }
}

fn unmatched_floor(pattern: &str, reason: String, checks: &mut Checks) {
    checks
        .check(&rules::FLOOR_UNMATCHED, pattern)
        .hint(rules::FLOOR_UNMATCHED.fix)
        .unmeasured(reason);
}

fn other_commit(all: &CoverageMeasurement, checks: &mut Checks) {
    let Some(commit) = &all.commit else { return };
    for report in &all.reports {
        let Some(named) = &report.commit else {
            continue;
        };
        let level = if commit.from_target {
            Level::Error
        } else {
            Level::Warning
        };
        checks
            .check(&rules::OTHER_COMMIT, &report.file.path)
            .level(level)
            .message(format!("the report names commit {named}"))
            .expected(commit.id.clone())
            .actual(named.clone())
            .passed_if(commit.is(named));
    }
}

fn said(count: Count) -> String {
    let percent = count
        .percent()
        .map(|p| Unit::Percent.format((p * 100.0).floor() / 100.0));
    let percent = percent.unwrap_or_else(|| "no percentage".to_owned());
    format!("{percent} ({} of {})", count.covered, count.total)
}

fn lines(all: &CoverageMeasurement, checks: &mut Checks) {
    let lines = all.totals.lines.unwrap_or_default();
    let check = checks.check(&rules::NO_LINES, "lines");
    if lines.total == 0 {
        let reports = count_of(all.reports_total, "report", "reports");
        return check
            .hint(rules::NO_LINES.fix)
            .unmeasured(format!("{reports} without any line that can be executed"));
    }
    let worst = all
        .worst
        .iter()
        .map(|file| format!("{}: {}", file.path, said(file.lines)));
    let files = count_of(all.totals.files, "source file", "source files");
    check
        .message(format!(
            "{} of the lines in {files} are covered",
            said(lines)
        ))
        .details(worst.take(5))
        .pass();
}

fn judge_floor(floor: &FloorResult, least: f64, checks: &mut Checks) {
    if floor.lines.total == 0 {
        let reason = if floor.files == 0 {
            format!("no source file of the reports matches `{}`", floor.pattern)
        } else {
            format!(
                "the files that match `{}` have no line that can be executed",
                floor.pattern
            )
        };
        return unmatched_floor(&floor.pattern, reason, checks);
    }
    let worst = floor.worst.iter();
    // Compared as counts: 89.96 % is not 90 %.
    let holds = floor.lines.covered as f64 * 100.0 >= least * floor.lines.total as f64;
    checks
        .check(&rules::BELOW_FLOOR, &floor.pattern)
        .message(format!(
            "{} of the lines in {} are covered",
            said(floor.lines),
            count_of(floor.files, "file", "files")
        ))
        .expected(format!("at least {}", Unit::Percent.format(least)))
        .actual(said(floor.lines))
        .details(worst.map(|file| format!("{}: {}", file.path, said(file.lines))))
        .passed_if(holds);
}

fn judge_change(change: &Change, checks: &mut Checks) {
    let base = &change.base;
    if let Some(unknown) = &change.unknown {
        return checks
            .check(&rules::NO_DIFF, base)
            .hint(rules::NO_DIFF.fix)
            .unmeasured(unknown.clone());
    }
    let files = count_of(change.files, "file", "files");
    checks
        .check(&rules::NO_DIFF, base)
        .message(format!(
            "{} of the changed lines in {files} since `{base}` are covered",
            said(change.lines)
        ))
        .details(capped(
            change.uncovered.listed.iter().cloned(),
            change.uncovered.total,
        ))
        .pass();
    if change.unknown_files.total > 0 {
        let count = count_of(
            change.unknown_files.total,
            "changed file is",
            "changed files are",
        );
        let listed = change.unknown_files.listed.iter().cloned();
        let first = change
            .unknown_files
            .listed
            .first()
            .map_or("files", String::as_str);
        checks
            .check(&rules::UNKNOWN_FILE, first)
            .message(format!("{count} in no report"))
            .details(capped(listed, change.unknown_files.total))
            .fail();
    }
}
