//! The scalars of a measurement.

mod engine;
mod import;
mod specs;

use readygate_sdk::Metrics;

pub(crate) use specs::{ROUTE, SPECS};

use crate::{measurement::LoadMeasurement, observe};

/// Percentiles by their names.
pub(crate) const PERCENTILES: [(&str, f64); 6] = [
    ("p50", 50.0),
    ("p75", 75.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p99_9", 99.9),
];

/// Which percentile a metric is: 95 of `latency.p95`.
pub(crate) fn percentile(metric: &str) -> Option<f64> {
    let name = metric.strip_prefix("latency.")?.replace('.', "_");
    let mut known = PERCENTILES.iter();
    known
        .find(|(own, _)| *own == name)
        .map(|(_, percent)| *percent)
}

/// What was measured, and why the rest was not.
pub(crate) fn metrics(measurement: &LoadMeasurement) -> Metrics {
    let mut metrics = match &measurement.engine {
        Some(run) => engine::metrics(run),
        None => import::metrics(measurement),
    };
    if let Some(watched) = &measurement.observed {
        let measured = measurement.engine.as_ref().map(|run| &run.report.measured);
        let asked = watched.seen.cache.is_some();
        let sampled = measured
            .filter(|_| asked)
            .map(|tally| (tally.cache_hits, tally.cache_misses));
        observe::metrics(&watched.seen, watched.min_lookups, sampled, &mut metrics);
    }
    metrics
}
