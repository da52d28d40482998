//! What was found, and what is ignored.

use readygate_sdk::{Checks, Rule, count_of};

use crate::{
    measurement::{AuditMeasurement, BySeverity, Finding},
    rules,
    severity::Severity,
};

/// Checks of one rule; the rest is counted in the last.
const MOST: usize = 50;

/// The worst first.
const BANDS: [(&Rule, Severity); 5] = [
    (&rules::CRITICAL, Severity::Critical),
    (&rules::HIGH, Severity::High),
    (&rules::UNKNOWN_SEVERITY, Severity::Unknown),
    (&rules::MODERATE, Severity::Moderate),
    (&rules::LOW, Severity::Low),
];

pub(super) fn findings(measurement: &AuditMeasurement, checks: &mut Checks) {
    let vulnerable = || {
        measurement
            .findings
            .iter()
            .filter(|finding| finding.notice.is_none())
    };
    for (rule, severity) in BANDS {
        let of_band: Vec<&Finding> = vulnerable()
            .filter(|finding| band(finding.severity) == severity)
            .collect();
        let counted = count(&measurement.counts.advisories, severity);
        if of_band.is_empty() && counted == 0 {
            let name = severity.name();
            let message = match severity {
                Severity::Unknown => "no advisory of unknown severity".to_owned(),
                _ => format!("no advisory of {name} severity"),
            };
            checks.check(rule, "all packages").message(message).pass();
            continue;
        }
        for finding in of_band.iter().take(MOST) {
            one(rule, finding, checks);
        }
        let cut = measurement.counts.findings > vulnerable().count() as u64;
        if of_band.len() > MOST || cut || of_band.is_empty() {
            let more = of_band.len().saturating_sub(MOST);
            let message = if more > 0 {
                format!("and {} more findings of {} severity", more, severity.name())
            } else {
                format!(
                    "{} of {} severity in all, not all of them listed",
                    count_of(counted, "advisory", "advisories"),
                    severity.name()
                )
            };
            checks.check(rule, "all packages").message(message).fail();
        }
    }
    notices(measurement, checks);
}

/// `none` has no rule of its own and is never worse than low.
fn band(severity: Severity) -> Severity {
    match severity {
        Severity::None => Severity::Low,
        other => other,
    }
}

fn count(counts: &BySeverity, severity: Severity) -> u64 {
    match severity {
        Severity::Critical => counts.critical,
        Severity::High => counts.high,
        Severity::Moderate => counts.moderate,
        Severity::Low | Severity::None => counts.low + counts.none,
        Severity::Unknown => counts.unknown,
    }
}

fn one(rule: &'static Rule, finding: &Finding, checks: &mut Checks) {
    let package = finding.package_version();
    let title = if finding.title.is_empty() {
        "no title given"
    } else {
        &finding.title
    };
    let score = finding
        .score
        .map(|score| format!(", score {score}"))
        .unwrap_or_default();
    let mut details = Vec::new();
    if finding.path.len() > 1 {
        details.push(format!("path: {}", finding.path.join(" > ")));
    } else if let Some(place) = finding.path.first().filter(|place| **place != package) {
        details.push(format!("in: {place}"));
    }
    if !finding.aliases.is_empty() {
        details.push(format!("also known as {}", finding.aliases.join(", ")));
    }
    if finding.dev {
        details.push("used for development only".to_owned());
    }
    details.push(format!("found in {}", finding.source));
    let mut check = checks
        .check(rule, package.clone())
        .message(format!(
            "{package} has {}: {title} ({}{score})",
            finding.id,
            finding.severity.name()
        ))
        .details(details);
    if finding.fixed.is_empty() {
        check = check.expected("no known vulnerability").hint(format!(
            "no fixed version is known; replace {}, or ignore {} with a reason and a date",
            finding.package, finding.id
        ));
    } else {
        let fixed = finding.fixed.join(", ");
        check = check
            .expected(format!("a fixed version: {fixed}"))
            .hint(format!("update {} ({fixed})", finding.package));
    }
    if !finding.version.is_empty() {
        check = check.actual(finding.version.clone());
    }
    check.fail();
}

fn notices(measurement: &AuditMeasurement, checks: &mut Checks) {
    let notices: Vec<&Finding> = measurement
        .findings
        .iter()
        .filter(|finding| finding.notice.is_some())
        .collect();
    if measurement.counts.notices == 0 {
        return checks
            .check(&rules::NOTICE, "all packages")
            .message("no package is unmaintained, unsound, yanked or deprecated")
            .pass();
    }
    for notice in notices.iter().take(MOST) {
        let kind = notice.notice.as_deref().unwrap_or_default();
        let title = if notice.title.is_empty() {
            String::new()
        } else {
            format!(": {}", notice.title)
        };
        checks
            .check(&rules::NOTICE, notice.package_version())
            .message(format!(
                "{} is {kind} ({}){title}",
                notice.package_version(),
                notice.id
            ))
            .details((notice.path.len() > 1).then(|| format!("path: {}", notice.path.join(" > "))))
            .fail();
    }
    let more = measurement
        .counts
        .notices
        .saturating_sub(notices.len().min(MOST) as u64);
    if more > 0 {
        checks
            .check(&rules::NOTICE, "all packages")
            .message(format!("and {more} more"))
            .fail();
    }
}

pub(super) fn ignores(measurement: &AuditMeasurement, checks: &mut Checks) {
    for entry in &measurement.ignores {
        let check = checks.check(&rules::EXPIRED_IGNORE, &entry.id);
        match (&entry.until, entry.expired) {
            (Some(until), true) => check
                .message(format!(
                    "`ignore` of {} ended with {until}, and it counts again",
                    entry.id
                ))
                .expected("a day that is not over")
                .actual(until.clone())
                .fail(),
            (Some(until), false) => check
                .message(format!("{} is ignored until {until}", entry.id))
                .pass(),
            (None, _) => checks
                .check(&rules::ENDLESS_IGNORE, &entry.id)
                .message(format!(
                    "`ignore` of {} has no `until`, so nobody will look again",
                    entry.id
                ))
                .fail(),
        }
        let used = checks.check(&rules::UNUSED_IGNORE, &entry.id);
        if entry.matched == 0 {
            used.message(format!(
                "`ignore` of {} names nothing that was found",
                entry.id
            ))
            .fail();
        } else {
            used.message(format!(
                "`ignore` of {} names {}",
                entry.id,
                count_of(entry.matched, "finding", "findings")
            ))
            .pass();
        }
    }
}
