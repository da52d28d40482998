//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    measurement::{Change, CoverageMeasurement, Totals},
    model::Count,
};

/// What `expect` may name.
pub(crate) const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "lines",
        Unit::Percent,
        "Executed lines among those that can be; statements in Go and Clover",
    ),
    MetricSpec::new("lines.covered", Unit::Count, "Executed lines"),
    MetricSpec::new("lines.total", Unit::Count, "Lines that can be executed"),
    MetricSpec::new("branches", Unit::Percent, "Taken branches among all"),
    MetricSpec::new("branches.covered", Unit::Count, "Taken branches"),
    MetricSpec::new("branches.total", Unit::Count, "Branches"),
    MetricSpec::new("functions", Unit::Percent, "Executed functions among all"),
    MetricSpec::new("functions.covered", Unit::Count, "Executed functions"),
    MetricSpec::new("functions.total", Unit::Count, "Functions"),
    MetricSpec::new("files", Unit::Count, "Source files in the reports"),
    MetricSpec::new("reports", Unit::Count, "Reports read, duplicates left out"),
    MetricSpec::new(
        "changed.lines",
        Unit::Percent,
        "Executed lines among the changed ones that can be",
    ),
    MetricSpec::new(
        "changed.lines.covered",
        Unit::Count,
        "Changed lines that were executed",
    ),
    MetricSpec::new(
        "changed.lines.total",
        Unit::Count,
        "Changed lines that can be executed",
    ),
    MetricSpec::new(
        "changed.lines.uncovered",
        Unit::Count,
        "Changed lines that can be executed and were not",
    ),
    MetricSpec::new(
        "changed.files.unknown",
        Unit::Count,
        "Changed source files that no report knows",
    ),
];

/// Numbers are absent as soon as they would be partial: an expectation must not pass on those.
pub(crate) fn metrics(measurement: &CoverageMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let partial = measurement.gaps.partial();
    if let Some(reason) = partial {
        for spec in METRICS {
            metrics.absent(spec.name, reason.as_str());
        }
        return metrics;
    }
    totals(&mut metrics, &measurement.totals);
    metrics
        .count("files", measurement.totals.files)
        .count("reports", measurement.reports_total);
    change(&mut metrics, measurement.change.as_ref());
    metrics
}

fn totals(metrics: &mut Metrics, totals: &Totals) {
    let lacks = |carries: bool, what: &str| {
        if carries {
            format!("the reports hold no {what}")
        } else {
            format!("the format of the reports carries no {what}")
        }
    };
    let names = [
        (
            "lines",
            totals.lines,
            "the reports hold no line that can be executed".to_owned(),
        ),
        (
            "branches",
            totals.branches,
            lacks(totals.carries_branches, "branches"),
        ),
        (
            "functions",
            totals.functions,
            lacks(totals.carries_functions, "functions"),
        ),
    ];
    for (name, count, reason) in names {
        one(
            metrics,
            name,
            count.filter(|count| count.total > 0),
            &reason,
        );
    }
}

fn one(metrics: &mut Metrics, name: &str, count: Option<Count>, reason: &str) {
    let (covered, total) = (format!("{name}.covered"), format!("{name}.total"));
    match count.and_then(|count| Some((count, count.percent()?))) {
        Some((count, percent)) => {
            metrics
                .percent(name, percent)
                .count(covered, count.covered)
                .count(total, count.total);
        }
        None => {
            metrics
                .absent(name, reason)
                .absent(covered, reason)
                .absent(total, reason);
        }
    }
}

fn change(metrics: &mut Metrics, change: Option<&Change>) {
    let unknown = match change {
        None => Some("no `diff` is configured"),
        Some(change) => change.unknown.as_deref(),
    };
    let Some(change) = change.filter(|_| unknown.is_none()) else {
        let changed = METRICS.iter().filter(|m| m.name.starts_with("changed."));
        for spec in changed {
            metrics.absent(spec.name, unknown.unwrap_or_default());
        }
        return;
    };
    match change.lines.percent() {
        Some(percent) => metrics.percent("changed.lines", percent),
        None => metrics.absent("changed.lines", "no changed line can be executed"),
    };
    metrics
        .count("changed.lines.covered", change.lines.covered)
        .count("changed.lines.total", change.lines.total)
        .count("changed.lines.uncovered", change.uncovered.total)
        .count("changed.files.unknown", change.unknown_files.total);
}
