//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit, process::Ended};

use crate::{LintMeasurement, measurement::LintReports};

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "results",
        Unit::Count,
        "Errors, warnings and notes; suppressed ones left out",
    ),
    MetricSpec::new("errors", Unit::Count, "Results of level error"),
    MetricSpec::new("warnings", Unit::Count, "Results of level warning"),
    MetricSpec::new("notes", Unit::Count, "Results of level note"),
    MetricSpec::new("suppressed", Unit::Count, "Results that are suppressed"),
    MetricSpec::new(
        "new",
        Unit::Count,
        "Results that are not in the baseline, or that SARIF calls new",
    ),
    MetricSpec::new(
        "files",
        Unit::Count,
        "Files that were linted, where the reports list clean ones too",
    ),
    MetricSpec::new("reports", Unit::Count, "Reports read, duplicates left out"),
    MetricSpec::new(
        "command.duration",
        Unit::Seconds,
        "Time that the linter took",
    ),
    MetricSpec::new("command.exit_code", Unit::Count, "Exit code of the linter"),
];

const OF_REPORTS: [&str; 8] = [
    "results",
    "errors",
    "warnings",
    "notes",
    "suppressed",
    "new",
    "files",
    "reports",
];

pub fn metrics(measurement: &LintMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let all = &measurement.reports;
    match partial(all) {
        Some(reason) => {
            for name in OF_REPORTS {
                metrics.absent(name, &reason);
            }
        }
        None => of_reports(all, &mut metrics),
    }
    match &measurement.command {
        None => {
            metrics.absent("command.duration", "no command was run");
            metrics.absent("command.exit_code", "no command was run");
        }
        Some(command) => {
            metrics.seconds("command.duration", command.seconds);
            match command.ended {
                Ended::Code(code) => {
                    metrics.number("command.exit_code", f64::from(code), Unit::Count)
                }
                Ended::Signal(_) => metrics.absent("command.exit_code", command.ended.to_string()),
            };
        }
    }
    metrics
}

/// Why the counts would be those of a part only.
fn partial(all: &LintReports) -> Option<String> {
    let problem = all.unreadable.first().or(all.incomplete.first());
    let nothing = all.doubtful.first().filter(|_| all.counts.results() == 0);
    if let Some(problem) = problem.or(nothing) {
        return Some(format!("{}: {}", problem.path, problem.reason));
    }
    if let Some(pattern) = all.unmatched.first() {
        return Some(format!("no file matches `{pattern}`"));
    }
    (all.files_total == 0).then(|| "no report was read".to_owned())
}

fn of_reports(all: &LintReports, metrics: &mut Metrics) {
    let counts = &all.counts;
    metrics
        .count("results", counts.results())
        .count("errors", counts.errors)
        .count("warnings", counts.warnings)
        .count("notes", counts.notes)
        .count("suppressed", counts.suppressed)
        .count("reports", all.files_total);
    match (&all.baseline, all.stated_new) {
        (Some(baseline), _) => match &baseline.trouble {
            None => metrics.count("new", baseline.new.results()),
            Some(trouble) => metrics.absent("new", format!("{}: {trouble}", baseline.path)),
        },
        (None, Some(new)) => metrics.count("new", new),
        (None, None) => metrics.absent("new", "no `baseline` is configured"),
    };
    match all.linted {
        Some(linted) => metrics.count("files", linted),
        None => metrics.absent("files", "a report does not list the files without results"),
    };
}
