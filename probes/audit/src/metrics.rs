//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::AuditMeasurement;

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[MetricSpec::new(
    "answer.bytes",
    Unit::Bytes,
    "Length of the answer, up to 64 KiB",
)];

pub fn metrics(measurement: &AuditMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    metrics.bytes("answer.bytes", measurement.bytes);
    metrics
}
