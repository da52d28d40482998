//! The scalars of a measurement.

use jiff::Timestamp;
use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{FilesMeasurement, TextRole};

/// A modification time up to this far ahead of the clock counts as now: clocks differ.
pub const SKEW_SECONDS: f64 = 120.0;

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "count",
        Unit::Count,
        "Files that matched; with `absent: true`, whatever exists at the paths",
    ),
    MetricSpec::new("bytes.total", Unit::Bytes, "Size of all files together"),
    MetricSpec::new("size.min", Unit::Bytes, "Size of the smallest file"),
    MetricSpec::new("size.max", Unit::Bytes, "Size of the largest file"),
    MetricSpec::new(
        "age.newest",
        Unit::Seconds,
        "Time since the newest file was modified; absent when that lies in the future",
    ),
    MetricSpec::new(
        "age.oldest",
        Unit::Seconds,
        "Time since the oldest file was modified",
    ),
    MetricSpec::new(
        "matches",
        Unit::Count,
        "Occurrences of the `contains` texts and lines that match `matches`, in all files",
    ),
];

/// Seconds from a modification to the look at it; negative when it lies in the future.
pub fn age(taken_at: Timestamp, modified: Timestamp) -> f64 {
    taken_at.duration_since(modified).as_secs_f64()
}

pub fn metrics(measurement: &FilesMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let paths = &measurement.paths;
    if let Some(lost) = paths.iter().flat_map(|p| &p.unreadable).next() {
        let reason = format!("could not read {}: {}", lost.path, lost.problem);
        for spec in METRICS {
            metrics.absent(spec.name, reason.clone());
        }
        return metrics;
    }
    let others: u64 = paths.iter().map(|p| p.others_total).sum();
    let matched: u64 = paths.iter().map(|p| p.matched).sum();
    metrics.count(
        "count",
        if measurement.absence {
            matched + others
        } else {
            matched
        },
    );
    metrics.bytes("bytes.total", paths.iter().map(|p| p.bytes).sum());
    let sizes = || paths.iter().flat_map(|p| &p.files).map(|f| f.size);
    for (name, size) in [("size.min", sizes().min()), ("size.max", sizes().max())] {
        match size {
            Some(size) => metrics.bytes(name, size),
            None => metrics.absent(name, "no file matched"),
        };
    }
    ages(measurement, &mut metrics);
    matches(measurement, &mut metrics);
    metrics
}

fn ages(measurement: &FilesMeasurement, metrics: &mut Metrics) {
    let files = || measurement.paths.iter().flat_map(|p| &p.files);
    let undated = files().find(|f| f.modified.is_none());
    let times = || files().filter_map(|f| f.modified);
    for (name, at) in [("age.newest", times().max()), ("age.oldest", times().min())] {
        match (undated, at.map(|at| age(measurement.taken_at, at))) {
            (Some(file), _) => {
                metrics.absent(name, format!("{} has no modification time", file.path))
            }
            (None, None) => metrics.absent(name, "no file matched"),
            (None, Some(age)) if age < -SKEW_SECONDS => metrics.absent(
                name,
                format!(
                    "a file was modified {} in the future",
                    Unit::Seconds.format(-age)
                ),
            ),
            (None, Some(age)) => metrics.seconds(name, age.max(0.0)),
        };
    }
}

fn matches(measurement: &FilesMeasurement, metrics: &mut Metrics) {
    let mut texts = measurement
        .paths
        .iter()
        .flat_map(|p| &p.texts)
        .filter(|t| t.role != TextRole::NotContains)
        .peekable();
    if texts.peek().is_none() {
        metrics.absent("matches", "the gate has neither `contains` nor `matches`");
        return;
    }
    let (mut total, mut unjudged) = (0, 0);
    for text in texts {
        total += text.occurrences;
        unjudged += text.files_unjudged;
    }
    if unjudged > 0 {
        metrics.absent("matches", "a file has lines too long to search");
    } else {
        metrics.count("matches", total);
    }
}
