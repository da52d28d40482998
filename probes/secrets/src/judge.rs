//! Applies the rules to a measurement. Pure.

use jiff::SignedDuration;
use readygate_sdk::{Checks, Location, Rule, Unit, count_of};

use crate::{
    config::SecretsConfig,
    measurement::{
        Confidence, HistoryScan, ReportsRead, SecretFinding, SecretPlace, SecretsMeasurement,
        Unread,
    },
    rules,
};

/// Findings with a check of their own.
const SHOWN: usize = 100;

/// First whether enough was looked at, then what was found.
pub(crate) fn judge(config: &SecretsConfig, measurement: &SecretsMeasurement, checks: &mut Checks) {
    judge_asked(config, measurement, checks);
    judge_scan(measurement, checks);
    if let Some(reports) = &measurement.reports {
        judge_reports(config, measurement, reports, checks);
    }
    let counts = &measurement.counts;
    let (sure, possible): (Vec<_>, Vec<_>) = measurement
        .findings
        .iter()
        .partition(|f| f.confidence > Confidence::Possible);
    judge_findings(
        &rules::FOUND,
        &sure,
        counts.verified + counts.likely,
        checks,
    );
    judge_findings(&rules::POSSIBLE, &possible, counts.possible, checks);
    for place in &measurement.unexplained {
        checks
            .check(&rules::UNEXPLAINED, subject(place))
            .message("the marker `readygate:allow-secret` gives no reason, and allows nothing")
            .at(location(place))
            .fail();
    }
    if measurement.unexplained.is_empty() && counts.allowed > 0 {
        checks
            .check(&rules::UNEXPLAINED, "markers")
            .message(format!(
                "{} allowed, each with a reason",
                count_of(counts.allowed, "finding is", "findings are")
            ))
            .details(
                measurement
                    .allowed
                    .iter()
                    .take(20)
                    .map(|a| format!("{} {}: {} ({})", subject(&a.place), a.rule, a.reason, a.by)),
            )
            .pass();
    }
}

/// What the config asks for and the record does not hold, since it was made with another config.
fn judge_asked(config: &SecretsConfig, measurement: &SecretsMeasurement, checks: &mut Checks) {
    let again = "measure again with this config";
    if config.scans_tree() && measurement.tree.is_none() {
        checks
            .check(&rules::NOTHING, "the work tree")
            .hint(again)
            .unmeasured("the measurement did not scan the work tree");
    }
    let scanned = measurement.history.as_ref().map(|h| &h.range);
    if let Some(range) = config.history.as_ref().filter(|r| Some(*r) != scanned) {
        checks
            .check(&rules::HISTORY, range.clone())
            .hint(again)
            .unmeasured(format!(
                "the measurement did not scan the history `{range}`"
            ));
    }
    if measurement.reports.is_none() {
        for pattern in config.reports.iter().flatten() {
            checks
                .check(&rules::NO_REPORT, pattern.clone())
                .hint(again)
                .unmeasured("the measurement did not read reports");
        }
    }
}

fn judge_scan(measurement: &SecretsMeasurement, checks: &mut Checks) {
    let (tree, history) = (&measurement.tree, &measurement.history);
    if tree.is_none() && history.is_none() {
        return;
    }
    let files = tree.as_ref().map_or(0, |t| t.files);
    let commits = history.as_ref().map_or(0, |h| h.commits);
    let check = checks.check(&rules::NOTHING, "the scan");
    if files + commits == 0 {
        check.unmeasured("no file and no commit was scanned");
    } else {
        let mut parts = Vec::new();
        if let Some(tree) = tree {
            parts.push(format!(
                "{} ({}, and {})",
                count_of(tree.files, "file", "files"),
                Unit::Bytes.format(tree.bytes as f64),
                count_of(tree.binaries, "binary skipped", "binaries skipped")
            ));
        }
        if let Some(history) = history {
            parts.push(format!(
                "{} ({} in {})",
                count_of(history.commits, "commit", "commits"),
                Unit::Bytes.format(history.bytes as f64),
                count_of(history.blobs, "content", "contents")
            ));
        }
        check
            .message(format!("scanned {}", parts.join(" and ")))
            .pass();
    }
    if let Some(history) = history {
        judge_history(history, checks);
    }
    if let Some(tree) = tree {
        for Unread { path, reason } in &tree.unreadable {
            checks
                .check(&rules::UNREADABLE, path.clone())
                .hint(rules::UNREADABLE.fix)
                .unmeasured(format!("{path} could not be read: {reason}"));
        }
        if tree.unreadable.is_empty() && tree.files > 0 {
            checks
                .check(&rules::UNREADABLE, "the work tree")
                .message("every file could be read")
                .pass();
        }
    }
}

fn judge_history(history: &HistoryScan, checks: &mut Checks) {
    let check = checks.check(&rules::HISTORY, history.range.clone());
    match &history.incomplete {
        Some(why) => check.hint(rules::HISTORY.fix).unmeasured(why.clone()),
        None => check.message("every commit of it was there").pass(),
    }
    for Unread { path, reason } in &history.too_large {
        checks
            .check(&rules::TOO_LARGE, path.clone())
            .message(format!("{path} was not scanned: {reason}"))
            .fail();
    }
    if history.too_large.is_empty() {
        checks
            .check(&rules::TOO_LARGE, history.range.clone())
            .message("no content was too large")
            .pass();
    }
}

fn judge_reports(
    config: &SecretsConfig,
    measurement: &SecretsMeasurement,
    reports: &ReportsRead,
    checks: &mut Checks,
) {
    for pattern in &reports.unmatched {
        checks
            .check(&rules::NO_REPORT, pattern.clone())
            .hint(rules::NO_REPORT.fix)
            .unmeasured(format!("no file matches `{pattern}`"));
    }
    for Unread { path, reason } in &reports.unreadable {
        checks
            .check(&rules::UNREADABLE_REPORT, path.clone())
            .hint(rules::UNREADABLE_REPORT.fix)
            .unmeasured(reason.clone());
    }
    for report in &reports.files {
        let count = count_of(report.findings, "finding", "findings");
        checks
            .check(&rules::UNREADABLE_REPORT, report.path.clone())
            .message(format!("{count}, read as {}", report.format))
            .pass();
    }
    if reports.unmatched.is_empty() && !reports.files.is_empty() {
        checks
            .check(&rules::NO_REPORT, "reports")
            .message("every pattern matches a file")
            .pass();
    }
    let Some(limit) = config.max_age else { return };
    let limit_seconds = limit.0.as_secs_f64();
    for report in &reports.files {
        let age: SignedDuration = measurement.measured_at.duration_since(report.modified);
        let old = Unit::Seconds.format(age.as_secs_f64().max(0.0).round());
        checks
            .check(&rules::STALE_REPORT, report.path.clone())
            .message(format!("the report is {old} old"))
            .expected(format!("at most {}", Unit::Seconds.format(limit_seconds)))
            .actual(old)
            .passed_if(age.as_secs_f64() <= limit_seconds);
    }
}

fn judge_findings(
    rule: &'static Rule,
    findings: &[&SecretFinding],
    total: u64,
    checks: &mut Checks,
) {
    if total == 0 {
        checks
            .check(rule, "the repository")
            .message("none was found in what was looked at")
            .pass();
        return;
    }
    for finding in findings.iter().take(SHOWN) {
        let place = &finding.place;
        let mut details = vec![format!(
            "rule {}, fingerprint {}",
            finding.rule, finding.fingerprint
        )];
        if finding.occurrences > 1 {
            details.push(format!("seen {} times", finding.occurrences));
        }
        if !finding.present && finding.report.is_none() {
            details.push("not in the work tree any more; the history still holds it".to_owned());
        }
        details.extend(finding.report.iter().map(|r| format!("reported in {r}")));
        details.extend(finding.note.clone());
        checks
            .check(rule, subject(place))
            .message(format!(
                "{}: {} ({})",
                finding.name,
                finding.masked,
                finding.confidence.name()
            ))
            .at(location(place))
            .details(details)
            .fail();
    }
    let more = total.saturating_sub(findings.len().min(SHOWN) as u64);
    if more > 0 {
        checks
            .check(rule, "the repository")
            .message(format!("and {more} more"))
            .fail();
    }
}

fn subject(place: &SecretPlace) -> String {
    match &place.commit {
        Some(commit) => format!(
            "{} in {}",
            place.path,
            commit.chars().take(12).collect::<String>()
        ),
        None => place.path.clone(),
    }
}

fn location(place: &SecretPlace) -> Location {
    let some = |n: u64| (n > 0).then_some(n);
    Location {
        file: place.path.clone(),
        line: some(place.line),
        column: some(place.column),
    }
}
