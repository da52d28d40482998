//! The scalars of a measurement.

use jiff::Timestamp;
use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::WindowMeasurement;

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "remaining",
        Unit::Seconds,
        "Time until the window closes or a freeze begins; absent when no deployment may start, or nothing ends it",
    ),
    MetricSpec::new(
        "opens_in",
        Unit::Seconds,
        "Time until the next window opens; absent inside of one, or without any",
    ),
];

/// Why there is no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEnd {
    /// No deployment may start now.
    Closed,
    /// Nothing ends the time in which one may.
    Unbounded,
}

/// When the time ends in which a deployment may start, if one may.
pub fn end(seen: &WindowMeasurement) -> Option<Timestamp> {
    [seen.open_until, seen.next_freeze]
        .into_iter()
        .flatten()
        .min()
}

/// Seconds until then.
pub fn remaining(seen: &WindowMeasurement) -> Result<f64, NoEnd> {
    let frozen = seen.freeze.iter().any(|f| f.since.is_some());
    if frozen || (seen.open_until.is_none() && !seen.allow.is_empty()) {
        return Err(NoEnd::Closed);
    }
    let end = end(seen).ok_or(NoEnd::Unbounded)?;
    Ok(end.duration_since(seen.taken_at).as_secs_f64())
}

pub fn metrics(seen: &WindowMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    match remaining(seen) {
        Ok(seconds) => metrics.seconds("remaining", seconds),
        Err(NoEnd::Closed) => metrics.absent("remaining", "no deployment may start now"),
        Err(NoEnd::Unbounded) => {
            metrics.absent("remaining", "nothing ends the time in which one may start")
        }
    };
    let next = seen.allow.iter().filter_map(|w| w.next).min();
    match next {
        _ if seen.allow.is_empty() => metrics.absent("opens_in", "no window restricts deployments"),
        _ if seen.open_until.is_some() => metrics.absent("opens_in", "a window is open"),
        Some(next) => metrics.seconds("opens_in", next.duration_since(seen.taken_at).as_secs_f64()),
        None => metrics.absent("opens_in", "no window opens within eight years"),
    };
    metrics
}
