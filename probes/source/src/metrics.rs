//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{Answer, SourceMeasurement, State};

/// What `expect` may name.
pub(crate) const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "files.scanned",
        Unit::Count,
        "Source files read for debug code",
    ),
    MetricSpec::new(
        "debug.breakpoints",
        Unit::Count,
        "Statements that stop the program or dump its state",
    ),
    MetricSpec::new("debug.prints", Unit::Count, "Debug prints outside of tests"),
    MetricSpec::new("debug.focused", Unit::Count, "Focused tests"),
    MetricSpec::new(
        "debug.patterns",
        Unit::Count,
        "Lines that match the config's own patterns",
    ),
    MetricSpec::new(
        "debug.allowed",
        Unit::Count,
        "Findings that a comment allows",
    ),
    MetricSpec::new(
        "environment.declared",
        Unit::Count,
        "Variables that the program declares",
    ),
    MetricSpec::new(
        "environment.missing",
        Unit::Count,
        "Declared, not optional, and not deployed",
    ),
    MetricSpec::new(
        "environment.placeholders",
        Unit::Count,
        "Deployed with a placeholder, or with the example of a secret",
    ),
    MetricSpec::new(
        "environment.undeclared",
        Unit::Count,
        "Deployed and not declared",
    ),
    MetricSpec::new(
        "documents.missing",
        Unit::Count,
        "Documents that are not there",
    ),
    MetricSpec::new(
        "links.dead",
        Unit::Count,
        "Local links that do not resolve, in all documents",
    ),
    MetricSpec::new("git.dirty", Unit::Count, "Changed and untracked files"),
    MetricSpec::new(
        "git.unsigned",
        Unit::Count,
        "Commits without a good signature, of those looked at",
    ),
];

pub(crate) fn metrics(measurement: &SourceMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    debug(measurement, &mut metrics);
    environment(measurement, &mut metrics);
    documents(measurement, &mut metrics);
    git(measurement, &mut metrics);
    metrics
}

/// Declares the metrics of a section absent, with the reason; gives what was found otherwise.
fn measured<'a, T>(
    answer: Option<&'a Answer<T>>,
    key: &str,
    prefixes: &[&str],
    metrics: &mut Metrics,
) -> Option<&'a T> {
    let reason = match answer {
        Some(Answer::Measured(found)) => return Some(found),
        Some(Answer::Unmeasured(error)) => error.to_string(),
        None => format!("the gate has no `{key}`"),
    };
    let names = METRICS.iter().map(|spec| spec.name);
    for name in names.filter(|name| prefixes.iter().any(|p| name.starts_with(p))) {
        metrics.absent(name, reason.clone());
    }
    None
}

fn debug(measurement: &SourceMeasurement, metrics: &mut Metrics) {
    let answer = measurement.debug.as_ref();
    if let Some(found) = measured(answer, "debug", &["debug.", "files."], metrics) {
        metrics.count("files.scanned", found.files);
        if found.unread_total > 0 {
            for name in [
                "debug.breakpoints",
                "debug.prints",
                "debug.focused",
                "debug.patterns",
                "debug.allowed",
            ] {
                metrics.absent(
                    name,
                    format!("{} source files could not be read", found.unread_total),
                );
            }
            return;
        }
        metrics
            .count("debug.breakpoints", found.breakpoints)
            .count("debug.prints", found.prints)
            .count("debug.focused", found.focused)
            .count("debug.patterns", found.patterns)
            .count("debug.allowed", found.allowed);
    }
}

fn environment(measurement: &SourceMeasurement, metrics: &mut Metrics) {
    let answer = measurement.environment.as_ref();
    if let Some(found) = measured(answer, "environment", &["environment."], metrics) {
        let count = |test: fn(&crate::Variable) -> bool| {
            found.variables.iter().filter(|v| test(v)).count() as u64
        };
        metrics
            .count("environment.declared", count(|v| v.declared))
            .count(
                "environment.missing",
                count(|v| v.declared && !v.optional && v.state.is_none()),
            )
            .count(
                "environment.placeholders",
                count(|v| matches!(v.state, Some(State::Placeholder | State::Example))),
            )
            .count("environment.undeclared", count(|v| !v.declared));
    }
}

fn documents(measurement: &SourceMeasurement, metrics: &mut Metrics) {
    let documents = &measurement.documents;
    if documents.is_empty() {
        metrics.absent("documents.missing", "the gate has no `documents`");
        metrics.absent("links.dead", "the gate has no `documents`");
        return;
    }
    let missing = documents.iter().filter(|d| !d.exists).count();
    metrics.count("documents.missing", missing as u64);
    match documents
        .iter()
        .find(|d| !d.exists || d.unreadable.is_some())
    {
        Some(lost) => metrics.absent("links.dead", format!("{} was not read", lost.path)),
        None => metrics.count(
            "links.dead",
            documents.iter().map(|d| d.links.dead_total).sum(),
        ),
    };
}

fn git(measurement: &SourceMeasurement, metrics: &mut Metrics) {
    if let Some(found) = measured(measurement.git.as_ref(), "git", &["git."], metrics) {
        match found.dirty_total {
            Some(total) => metrics.count("git.dirty", total),
            None => metrics.absent("git.dirty", "the gate does not ask for a clean tree"),
        };
        match &found.history_problem {
            Some(problem) => metrics.absent("git.unsigned", problem.clone()),
            None if found.commits == 0 => {
                metrics.absent("git.unsigned", "no commit's signature was looked at")
            }
            None => metrics.count("git.unsigned", found.unsigned_total),
        };
    }
}
