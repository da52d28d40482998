//! The scalars of a measurement.

use readygate_reports::gather::Gaps;
use readygate_sdk::{MetricSpec, Metrics, Unit, process::Ended};

use crate::measurement::{Counts, TestReports, TestsMeasurement};

/// Every metric, in the order of the documentation.
pub(crate) const SPECS: &[MetricSpec] = &[
    MetricSpec::new(
        "total",
        Unit::Count,
        "Test cases in all reports, skipped ones too",
    ),
    MetricSpec::new("passed", Unit::Count, "Test cases that ran and passed"),
    MetricSpec::new("failed", Unit::Count, "Test cases whose assertion failed"),
    MetricSpec::new(
        "errors",
        Unit::Count,
        "Test cases that an unexpected error ended",
    ),
    MetricSpec::new("skipped", Unit::Count, "Test cases that did not run"),
    MetricSpec::new(
        "flaky",
        Unit::Count,
        "Tests that passed in one attempt and not in another",
    ),
    MetricSpec::new(
        "pass_rate",
        Unit::Percent,
        "Passed test cases among those that ran",
    ),
    MetricSpec::new(
        "duration",
        Unit::Seconds,
        "Sum of the times of all test cases",
    ),
    MetricSpec::new("suites", Unit::Count, "Test suites, nested ones too"),
    MetricSpec::new(
        "suite_errors",
        Unit::Count,
        "Failures of whole suites, outside any test case",
    ),
    MetricSpec::new("files", Unit::Count, "Reports read, duplicates left out"),
    MetricSpec::new(
        "command.duration",
        Unit::Seconds,
        "Time that the test command took",
    ),
    MetricSpec::new(
        "command.exit_code",
        Unit::Count,
        "Exit code of the test command",
    ),
];

/// Counts are absent as soon as they would be partial: an expectation must not pass on those.
pub(crate) fn metrics(measurement: &TestsMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    match measurement
        .reports
        .as_ref()
        .map_or_else(|| Err(NO_REPORTS.to_owned()), complete)
    {
        Ok(reports) => {
            counts(&mut metrics, &reports.counts);
            metrics.count("files", reports.files_total);
        }
        Err(reason) => {
            for spec in SPECS
                .iter()
                .filter(|spec| !spec.name.starts_with("command."))
            {
                metrics.absent(spec.name, reason.as_str());
            }
        }
    }
    if let Some(command) = &measurement.command {
        metrics.seconds("command.duration", command.seconds);
        match command.ended {
            Ended::Code(code) => metrics.number("command.exit_code", f64::from(code), Unit::Count),
            ended @ Ended::Signal(_) => metrics.absent("command.exit_code", ended.to_string()),
        };
    }
    metrics
}

const NO_REPORTS: &str = "no `reports` are configured, so tests were not counted";

fn complete(reports: &TestReports) -> Result<&TestReports, String> {
    let gaps = Gaps {
        unmatched: reports.unmatched.clone(),
        unreadable_total: reports.unreadable_total,
        ..Gaps::default()
    };
    gaps.partial().map_or(Ok(reports), Err)
}

fn counts(metrics: &mut Metrics, counts: &Counts) {
    metrics
        .count("total", counts.total)
        .count("passed", counts.passed)
        .count("failed", counts.failed)
        .count("errors", counts.errors)
        .count("skipped", counts.skipped)
        .count("flaky", counts.flaky);
    match counts.executed() {
        0 => metrics.absent("pass_rate", "no test was executed"),
        n => metrics.percent("pass_rate", 100.0 * counts.passed as f64 / n as f64),
    };
    metrics
        .seconds("duration", counts.seconds)
        .count("suites", counts.suites)
        .count("suite_errors", counts.suite_errors);
}
