//! The parts of a judgement that tell whether reports can be relied on. Each takes the rule of the
//! probe that it is for.

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Checks, Period, Rule, Unit, count_of, process::Ended};

use crate::{
    command::CommandRun,
    record::{Commit, Dated, DuplicateReport, UnreadableReport},
};

/// Lines of evidence in one check.
const SHOWN: usize = 20;
/// How far the clocks of two machines may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The first lines, and how many there are besides.
pub fn capped(lines: impl Iterator<Item = String>, total: u64) -> Vec<String> {
    let mut lines: Vec<String> = lines.take(SHOWN).collect();
    let more = total.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Whether a command ended with one of `codes`.
pub fn command(rule: &'static Rule, run: &CommandRun, codes: &[i32], checks: &mut Checks) {
    let line = run.argv.join(" ");
    let program = run.argv.first().cloned().unwrap_or_default();
    let wanted: Vec<String> = codes.iter().map(ToString::to_string).collect();
    let check = checks
        .check(rule, program)
        .expected(format!("exit code {}", wanted.join(" or ")))
        .actual(run.ended.to_string());
    let ended = match run.ended {
        Ended::Code(code) if codes.contains(&code) => {
            return check
                .message(format!("`{line}` ended with exit code {code}"))
                .pass();
        }
        Ended::Code(code) => format!("`{line}` ended with exit code {code}"),
        signal @ Ended::Signal(_) => format!("`{line}` was {signal}"),
    };
    let words = run.output.lines().filter(|line| !line.trim().is_empty());
    let words: Vec<String> = words.map(str::to_owned).collect();
    let last = words.len().saturating_sub(SHOWN);
    check
        .message(ended)
        .details(words.into_iter().skip(last))
        .fail();
}

/// A command that the config asks for, and that was not run when the record was made.
pub fn not_run(rule: &'static Rule, argv: &[String], checks: &mut Checks) {
    let program = argv.first().cloned().unwrap_or_default();
    let line = argv.join(" ");
    checks
        .check(rule, program)
        .hint("measure again with this config")
        .unmeasured(format!("the measurement did not run `{line}`"));
}

/// Patterns of a config whose files were not looked for when the record was made.
pub fn not_read(rule: &'static Rule, patterns: &[String], checks: &mut Checks) {
    for pattern in patterns {
        checks
            .check(rule, pattern)
            .hint("measure again with this config")
            .unmeasured("the measurement did not read reports");
    }
}

/// Patterns that match nothing.
pub fn unmatched(rule: &'static Rule, patterns: &[String], checks: &mut Checks) {
    for pattern in patterns {
        let reason = format!("no file matches `{pattern}`");
        checks
            .check(rule, pattern)
            .hint(rule.fix)
            .unmeasured(reason);
    }
}

/// Files that could not be read.
pub fn unreadable(
    rule: &'static Rule,
    files: &[UnreadableReport],
    total: u64,
    checks: &mut Checks,
) {
    for file in files {
        checks
            .check(rule, &file.path)
            .at(file.location())
            .hint(file.hint.as_deref().unwrap_or(rule.fix))
            .unmeasured(file.sentence());
    }
    let unlisted = total.saturating_sub(files.len() as u64);
    if unlisted > 0 {
        let reports = count_of(unlisted, "more report", "more reports");
        checks
            .check(rule, "other reports")
            .unmeasured(format!("{reports} could not be read"));
    }
}

/// Files that the command did not write. Jenkins: "none of them are new. Did tests run?"
pub fn before_run(
    rule: &'static Rule,
    listed: &[Dated],
    stale: u64,
    total: u64,
    checks: &mut Checks,
) {
    if stale == 0 {
        return;
    }
    let lines = listed
        .iter()
        .map(|file| format!("{}, written {}", file.path, file.modified));
    let message = if stale == total {
        "the command wrote none of the reports; did it run as it should?".to_owned()
    } else {
        let reports = count_of(total, "report", "reports");
        format!("the command did not write {stale} of {reports}")
    };
    let subject = listed.first().map_or("reports", |file| &file.path);
    checks
        .check(rule, subject)
        .message(message)
        .details(capped(lines, stale))
        .fail();
}

/// Evidence that is older than it may be, or of the future.
pub fn max_age(
    rule: &'static Rule,
    max_age: Period,
    now: Timestamp,
    files: &[Dated],
    checks: &mut Checks,
) {
    let oldest = SignedDuration::try_from(max_age.0).unwrap_or(SignedDuration::MAX);
    let age = |file: &Dated| now.duration_since(file.evidence_at());
    let is_fresh = |file: &&Dated| (-SKEW..=oldest).contains(&age(file));
    let stale: Vec<&Dated> = files.iter().filter(|file| !is_fresh(file)).collect();
    let expected = format!("at most {max_age} old");
    let Some(first) = stale.iter().min_by_key(|file| file.evidence_at()) else {
        if let Some(file) = files.iter().min_by_key(|file| file.evidence_at()) {
            checks
                .check(rule, &file.path)
                .message(format!("the oldest report is {}", said_age(age(file))))
                .expected(expected)
                .pass();
        }
        return;
    };
    let lines = stale.iter().map(|file| {
        let source = said_source(file);
        let at = file.evidence_at();
        format!("{}: {}, {source} {at}", file.path, said_age(age(file)))
    });
    let count = stale.len() as u64;
    checks
        .check(rule, &first.path)
        .message(format!(
            "{} not fresh",
            count_of(count, "report is", "reports are")
        ))
        .expected(expected)
        .actual(said_age(age(first)))
        .details(capped(lines, count))
        .fail();
}

/// Evidence that was made before the commit. Says nothing where the time of the commit is unknown.
pub fn before_commit(
    rule: &'static Rule,
    commit: Option<&Commit>,
    files: &[Dated],
    checks: &mut Checks,
) {
    let Some((commit, at)) = commit.and_then(|commit| Some((commit, commit.at?))) else {
        return;
    };
    let older: Vec<&Dated> = files
        .iter()
        .filter(|file| file.at_latest() < at - SKEW)
        .collect();
    let Some(first) = older.iter().min_by_key(|file| file.evidence_at()) else {
        if let Some(first) = files.first() {
            checks
                .check(rule, &first.path)
                .message("no report is older than the commit")
                .pass();
        }
        return;
    };
    let lines = older.iter().map(|file| {
        format!(
            "{}: {} {}",
            file.path,
            said_source(file),
            file.evidence_at()
        )
    });
    let count = older.len() as u64;
    let id: String = commit.id.chars().take(12).collect();
    checks
        .check(rule, &first.path)
        .message(format!(
            "{} than commit {id}",
            count_of(count, "report is older", "reports are older")
        ))
        .expected(format!("written after {at}"))
        .actual(first.evidence_at().to_string())
        .details(capped(lines, count))
        .fail();
}

fn said_source(file: &Dated) -> &'static str {
    match (file.trusted_timestamp(), file.zoneless) {
        (None, _) => "modification time",
        (Some(_), false) => "timestamp inside",
        (Some(_), true) => "timestamp inside, without a zone and read as UTC,",
    }
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

/// Files that are copies of another.
pub fn duplicates(rule: &'static Rule, files: &[DuplicateReport], total: u64, checks: &mut Checks) {
    if total == 0 {
        return;
    }
    let lines = files
        .iter()
        .map(|file| format!("{} is the same as {}", file.path, file.of));
    let first = files.first().map_or("reports", |file| &file.path);
    let copies = count_of(total, "report is a copy", "reports are copies");
    checks
        .check(rule, first)
        .message(format!("{copies} of another and not counted again"))
        .details(capped(lines, total))
        .fail();
}
