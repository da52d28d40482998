//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{Answer, CheckState, ReviewMeasurement, ReviewVerdict, approval};

/// What `expect` may name.
pub(crate) const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "approvals",
        Unit::Count,
        "Approvals of the last push by people with write access who wrote none of it",
    ),
    MetricSpec::new(
        "changes_requested",
        Unit::Count,
        "Reviewers whose last word asks for changes",
    ),
    MetricSpec::new("checks.total", Unit::Count, "Checks on the commit"),
    MetricSpec::new(
        "checks.failed",
        Unit::Count,
        "Checks that failed, were cancelled, or ran out of time",
    ),
    MetricSpec::new("checks.pending", Unit::Count, "Checks that have not ended"),
    MetricSpec::new(
        "issues.open",
        Unit::Count,
        "Open issues, over all rules of the gate",
    ),
];

pub(crate) fn metrics(measurement: &ReviewMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    change(measurement, &mut metrics);
    checks(measurement, &mut metrics);
    issues(measurement, &mut metrics);
    metrics
}

fn change(measurement: &ReviewMeasurement, metrics: &mut Metrics) {
    let reason = match measurement.change.as_ref().map(Answer::found) {
        Some(Ok(change)) => {
            let (sure, _) = approval::count(change, false);
            let asks = |r: &&crate::LastWord| r.verdict == ReviewVerdict::ChangesRequested;
            if change.authors_complete {
                metrics.count("approvals", sure);
            } else {
                metrics.absent("approvals", "the authors of some commits are not known");
            }
            metrics.count(
                "changes_requested",
                change.reviews.iter().filter(asks).count() as u64,
            );
            return;
        }
        Some(Err(error)) => error.to_string(),
        None => "the gate asks for no change".to_owned(),
    };
    metrics
        .absent("approvals", reason.clone())
        .absent("changes_requested", reason);
}

fn checks(measurement: &ReviewMeasurement, metrics: &mut Metrics) {
    let reason = match measurement.checks.as_ref().map(Answer::found) {
        Some(Ok(runs)) => {
            let count = |state| runs.iter().filter(|run| run.state == state).count() as u64;
            metrics
                .count("checks.total", runs.len() as u64)
                .count("checks.failed", count(CheckState::Failed))
                .count("checks.pending", count(CheckState::Pending));
            return;
        }
        Some(Err(error)) => error.to_string(),
        None => "the gate has no `checks`".to_owned(),
    };
    for name in ["checks.total", "checks.failed", "checks.pending"] {
        metrics.absent(name, reason.clone());
    }
}

fn issues(measurement: &ReviewMeasurement, metrics: &mut Metrics) {
    if measurement.issues.is_empty() {
        metrics.absent("issues.open", "the gate has no `issues`");
        return;
    }
    let totals: Result<Vec<u64>, _> = measurement
        .issues
        .iter()
        .map(|count| count.open.found().map(|open| open.total))
        .collect();
    match totals {
        Ok(totals) => metrics.count("issues.open", totals.iter().sum()),
        Err(error) => metrics.absent("issues.open", error.to_string()),
    };
}
