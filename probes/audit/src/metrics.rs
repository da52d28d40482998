//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit, count_of, process::Ended};

use crate::measurement::{AuditMeasurement, ProblemKind};

/// Every metric, in the order of the documentation.
pub(crate) const SPECS: &[MetricSpec] = &[
    MetricSpec::new(
        "total",
        Unit::Count,
        "Unique advisories; ids that are aliases of each other are one",
    ),
    MetricSpec::new(
        "critical",
        Unit::Count,
        "Advisories of critical severity (CVSS from 9.0)",
    ),
    MetricSpec::new(
        "high",
        Unit::Count,
        "Advisories of high severity (from 7.0)",
    ),
    MetricSpec::new(
        "moderate",
        Unit::Count,
        "Advisories of moderate severity (from 4.0)",
    ),
    MetricSpec::new("low", Unit::Count, "Advisories of low severity (above 0)"),
    MetricSpec::new(
        "none",
        Unit::Count,
        "Advisories of severity none, info or negligible",
    ),
    MetricSpec::new(
        "unknown",
        Unit::Count,
        "Advisories whose severity nobody gave",
    ),
    MetricSpec::new(
        "packages",
        Unit::Count,
        "Vulnerable packages: name and version",
    ),
    MetricSpec::new(
        "findings",
        Unit::Count,
        "Pairs of an advisory and a package",
    ),
    MetricSpec::new(
        "fixable",
        Unit::Count,
        "Advisories for which every vulnerable package has a fixed version",
    ),
    MetricSpec::new(
        "notices",
        Unit::Count,
        "Unmaintained, unsound, yanked or deprecated packages",
    ),
    MetricSpec::new(
        "ignored",
        Unit::Count,
        "Findings that an entry of `ignore` covers",
    ),
    MetricSpec::new(
        "audited",
        Unit::Count,
        "Packages or targets that were looked at, where the sources say so",
    ),
    MetricSpec::new(
        "database.age",
        Unit::Seconds,
        "Age of the newest record in the oldest copy of the database",
    ),
    MetricSpec::new(
        "command.duration",
        Unit::Seconds,
        "Time that the auditor took",
    ),
    MetricSpec::new("command.exit_code", Unit::Count, "Exit code of the auditor"),
];

/// Counts are absent as soon as they would be partial: an expectation must not pass on those.
pub(crate) fn metrics(measurement: &AuditMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let counts = &measurement.counts;
    let by = &counts.advisories;
    let numbers = [
        ("total", by.total()),
        ("critical", by.critical),
        ("high", by.high),
        ("moderate", by.moderate),
        ("low", by.low),
        ("none", by.none),
        ("unknown", by.unknown),
        ("packages", counts.packages),
        ("findings", counts.findings),
        ("fixable", counts.fixable),
        ("notices", counts.notices),
        ("ignored", measurement.ignored.len() as u64),
        ("audited", counts.audited),
    ];
    let partial = partial(measurement);
    for (name, value) in numbers {
        match &partial {
            None => metrics.count(name, value),
            Some(reason) => metrics.absent(name, reason.as_str()),
        };
    }
    let oldest = measurement
        .databases
        .iter()
        .filter(|d| d.records.is_some())
        .map(|d| d.newest)
        .min();
    match oldest {
        Some(Some(newest)) => metrics.seconds(
            "database.age",
            (measurement.measured_at - newest)
                .total(jiff::Unit::Second)
                .unwrap_or(f64::NAN),
        ),
        Some(None) => metrics.absent(
            "database.age",
            "no record of the database says when it was changed",
        ),
        None => metrics.absent("database.age", "no copy of a database was used"),
    };
    if let Some(command) = &measurement.command {
        metrics.seconds("command.duration", command.seconds);
        match command.ended {
            Ended::Code(code) => metrics.number("command.exit_code", f64::from(code), Unit::Count),
            ended @ Ended::Signal(_) => metrics.absent("command.exit_code", ended.to_string()),
        };
    }
    metrics
}

/// Why the counts are not the whole answer.
#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(crate) fn partial(measurement: &AuditMeasurement) -> Option<String> {
    let mut reasons = Vec::new();
    let problems = |kind: ProblemKind| {
        measurement
            .problems
            .iter()
            .filter(|p| p.kind == kind)
            .count() as u64
    };
    let mut say = |n: u64, one: &str, many: &str, what: &str| {
        if n > 0 {
            reasons.push(format!("{} {what}", count_of(n, one, many)));
        }
    };
    say(
        problems(ProblemKind::AuditorFailed),
        "auditor",
        "auditors",
        "failed",
    );
    say(
        problems(ProblemKind::Unreadable),
        "file",
        "files",
        "could not be read",
    );
    say(
        problems(ProblemKind::NoFile),
        "pattern",
        "patterns",
        "matched no file",
    );
    let reports = || measurement.reports.iter();
    say(
        reports().map(|r| r.skipped_total).sum(),
        "package",
        "packages",
        "skipped by the auditor",
    );
    say(
        reports().filter(|r| r.contradiction.is_some()).count() as u64,
        "report",
        "reports",
        "contradicting themselves",
    );
    say(
        reports().filter(|r| r.before_run).count() as u64,
        "report",
        "reports",
        "older than the run",
    );
    say(
        reports().filter(|r| r.looked_at_nothing()).count() as u64,
        "report",
        "reports",
        "about no package",
    );
    let locks = || measurement.locks.iter();
    say(
        locks().filter(|l| !l.stale.is_empty()).count() as u64,
        "lock file",
        "lock files",
        "out of date",
    );
    say(
        locks()
            .flat_map(|l| &l.unmatched)
            .filter(|u| u.from_registry)
            .count() as u64,
        "package",
        "packages",
        "without a version that can be matched",
    );
    say(
        measurement
            .databases
            .iter()
            .map(|d| d.missing.len() as u64)
            .sum(),
        "ecosystem",
        "ecosystems",
        "missing in the database",
    );
    if unexplained_exit(measurement) {
        reasons.push("an exit code that the report does not explain".to_owned());
    }
    (!reasons.is_empty())
        .then(|| format!("{}, so the numbers would be partial", reasons.join(" and ")))
}

/// Whether the auditor did not end well and its report shows nothing that it could have found.
pub(crate) fn unexplained_exit(measurement: &AuditMeasurement) -> bool {
    let Some(command) = &measurement.command else {
        return false;
    };
    let found = measurement
        .reports
        .iter()
        .any(|r| r.entries.total() + r.advisories.total() + r.suppressed.total() > 0)
        || !measurement.findings.is_empty()
        || !measurement.ignored.is_empty();
    match command.ended {
        Ended::Code(0) => false,
        Ended::Code(_) => !found,
        Ended::Signal(_) => true,
    }
}
