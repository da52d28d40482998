//! Applies the rules to a measurement. Pure.

use jiff::SignedDuration;
use readygate_sdk::{
    Check, CheckOutcome, Checks, Level, Location, Period, Rule, count_of, process::Ended,
};

use crate::{
    LintConfig, LintMeasurement,
    config::{Format, Severity},
    measurement::{Finding, LintCommand, LintReports, Problem},
    rules,
};

/// Findings shown of one level.
const SHOWN: usize = 20;

pub fn judge(config: &LintConfig, measurement: &LintMeasurement, checks: &mut Checks) {
    let all = &measurement.reports;
    if let Some(command) = &measurement.command {
        ended(config, command, all, checks);
    }
    for pattern in &all.unmatched {
        checks
            .check(&rules::NO_REPORT, pattern)
            .hint(rules::NO_REPORT.fix)
            .unmeasured("no file matches");
    }
    let is_sound = problems(all, checks);
    fresh(config, measurement, checks);
    if all.files_total == 0 {
        if is_sound && all.unmatched.is_empty() {
            checks
                .check(&rules::NO_REPORT, "reports")
                .unmeasured("no report was read");
        }
        return;
    }
    if let Some(baseline) = &all.baseline
        && let Some(trouble) = &baseline.trouble
    {
        return checks
            .check(&rules::BASELINE, &baseline.path)
            .hint(rules::BASELINE.fix)
            .unmeasured(format!("the baseline cannot be read: {trouble}"));
    }
    let is_whole = is_sound && all.unmatched.is_empty();
    results(all, Severity::Error, &rules::ERRORS, is_whole, checks);
    results(all, Severity::Warning, &rules::WARNINGS, is_whole, checks);
    if all.counts.suppressed > 0 {
        let n = count_of(all.counts.suppressed, "result is", "results are");
        checks
            .check(&rules::SUPPRESSED, "results")
            .message(format!("{n} suppressed"))
            .fail();
    }
    for pair in &all.duplicates {
        checks
            .check(&rules::DUPLICATE_FILE, pair)
            .message("the report is counted once")
            .fail();
    }
}

/// Whether the exit code is that of a linter that did its work.
fn is_good(config: &LintConfig, code: i32, all: &LintReports) -> bool {
    if let Some(good) = &config.exit_codes {
        return good.contains(&code);
    }
    let has_results = all.counts.results() > 0;
    let of = |format| all.files.iter().any(|file| file.format == format);
    match code {
        0 => true,
        1 => has_results,
        2 => has_results && (of(Format::Stylelint) || of(Format::Tsc)),
        101 => has_results && of(Format::Cargo),
        _ => false,
    }
}

fn ended(config: &LintConfig, command: &LintCommand, all: &LintReports, checks: &mut Checks) {
    let program = command.argv.first().map_or("command", String::as_str);
    let good = matches!(command.ended, Ended::Code(code) if is_good(config, code, all));
    let expected = match &config.exit_codes {
        Some(codes) => {
            let codes: Vec<String> = codes.iter().map(i32::to_string).collect();
            format!("exit code {}", codes.join(" or "))
        }
        None => "exit code 0, or the one for findings where there are some".to_owned(),
    };
    let how = match command.ended {
        Ended::Code(_) => format!("ended with {}", command.ended),
        Ended::Signal(_) => format!("was {}", command.ended),
    };
    let check = checks
        .check(&rules::COMMAND_FAILED, program)
        .message(format!("`{}` {how}", command.argv.join(" ")))
        .expected(expected)
        .actual(command.ended.to_string());
    if good {
        check.pass();
    } else {
        let lines = command
            .output
            .lines()
            .filter(|line| !line.trim().is_empty());
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        let start = lines.len().saturating_sub(SHOWN);
        check.details(lines[start..].iter().cloned()).fail();
    }
}

/// The place of a problem inside a report.
pub(crate) fn place(problem: &Problem) -> Option<Location> {
    problem.line.map(|line| Location {
        file: problem.path.clone(),
        line: Some(line),
        column: problem.column.filter(|column| *column > 0),
    })
}

/// Whether the reports can be relied on.
fn problems(all: &LintReports, checks: &mut Checks) -> bool {
    let lists = [
        (
            &rules::UNREADABLE_REPORT,
            &all.unreadable,
            all.unreadable_total,
        ),
        (
            &rules::INCOMPLETE_RUN,
            &all.incomplete,
            all.incomplete_total,
        ),
        (
            &rules::DOUBTFUL_REPORT,
            &all.doubtful,
            all.doubtful.len() as u64,
        ),
    ];
    let mut sound = true;
    for (rule, list, total) in lists {
        for problem in list {
            sound = false;
            let mut check = checks.check(rule, &problem.path).hint(rule.fix);
            if let Some(place) = place(problem) {
                check = check.at(place);
            }
            check.unmeasured(&problem.reason);
        }
        let more = total - list.len() as u64;
        if more > 0 {
            let n = count_of(more, "more problem", "more problems");
            checks.check(rule, "reports").unmeasured(n);
        }
        if list.is_empty() && all.files_total > 0 {
            let n = count_of(all.files_total, "report", "reports");
            let message = match rule.code {
                code if code == rules::UNREADABLE_REPORT.code => format!("{n} could be read"),
                code if code == rules::INCOMPLETE_RUN.code => {
                    "no linter says that its work was not done".to_owned()
                }
                _ => "no report is of nothing, or of less than it claims".to_owned(),
            };
            checks.check(rule, "reports").message(message).pass();
        }
    }
    sound
}

fn fresh(config: &LintConfig, measurement: &LintMeasurement, checks: &mut Checks) {
    let all = &measurement.reports;
    for file in all.files.iter().filter(|file| file.before_run) {
        checks
            .check(&rules::STALE_REPORT, &file.path)
            .message("the command did not write it; it was there before")
            .fail();
    }
    let Some(Period(limit)) = config.max_age else {
        return;
    };
    let limit_shown = Period(limit).to_string();
    for file in &all.files {
        let check = checks
            .check(&rules::STALE_REPORT, &file.path)
            .expected(format!("at most {limit_shown} old"));
        // What a command has just printed has no time, and needs none.
        let Some(written) = file.written else {
            if measurement.command.is_some() {
                check.message("the command has just printed it").pass();
            } else {
                check.unmeasured("when it was written is not known");
            }
            continue;
        };
        let age = measurement.measured_at.duration_since(written);
        let shown = format!("written {written}");
        if age < -SignedDuration::from_mins(5) {
            check
                .actual(shown)
                .unmeasured("it was written in the future");
        } else {
            let is_new = age <= SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
            let message = if is_new {
                "it is fresh"
            } else {
                "it is too old"
            };
            check.message(message).actual(shown).passed_if(is_new);
        }
    }
}

fn results(
    all: &LintReports,
    level: Severity,
    rule: &'static Rule,
    is_whole: bool,
    checks: &mut Checks,
) {
    let mut counts = all.baseline.as_ref().map_or(all.counts, |b| b.new);
    let count = *counts.of(level);
    let new = if all.baseline.is_some() { "new " } else { "" };
    let words = count_of(count, &format!("{new}{level}"), &format!("{new}{level}s"));
    if count == 0 {
        // Of reports that are not whole, "none" is no answer; they are unmeasured already.
        if is_whole {
            let message = format!("no {new}{level}s");
            checks.check(rule, "results").message(message).pass();
        }
        return;
    }
    let mut findings = all.results.iter().filter(|finding| finding.level == level);
    let first = findings.clone().next().cloned();
    let lines: Vec<String> = findings.by_ref().take(SHOWN).map(line).collect();
    let rest = count.saturating_sub(lines.len() as u64);
    let more = (rest > 0).then(|| format!("and {rest} more"));
    let location = first.filter(|f| !f.file.is_empty()).map(|f| Location {
        file: f.file,
        line: f.line.filter(|line| *line > 0),
        column: f.column.filter(|column| *column > 0),
    });
    checks.push(Check {
        rule: rule.code.to_owned(),
        subject: "results".to_owned(),
        outcome: CheckOutcome::Failed,
        level: if level == Severity::Error {
            Level::Error
        } else {
            rule.level
        },
        message: words.clone(),
        expected: Some(format!("0 {new}{level}s")),
        actual: Some(words),
        hint: Some(rule.fix.to_owned()),
        location,
        details: lines.into_iter().chain(more).collect(),
    });
}

/// `src/a.js:3:5 no-undef: 'x' is not defined`
fn line(finding: &Finding) -> String {
    let place = Location {
        file: finding.file.clone(),
        line: finding.line,
        column: finding.column,
    };
    let parts = [place.to_string(), finding.rule.clone()];
    let head: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let message = finding.message.replace('\n', " ");
    format!("{}: {message}", head.join(" "))
}
