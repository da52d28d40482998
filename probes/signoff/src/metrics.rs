//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    config::number,
    measurement::{Decision, SignoffMeasurement},
};

pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "approvals",
        Unit::Count,
        "Statements that count and approve",
    ),
    MetricSpec::new(
        "rejections",
        Unit::Count,
        "Statements that count and reject",
    ),
    MetricSpec::new("refused", Unit::Count, "Statements that do not count"),
    MetricSpec::new(
        "age",
        Unit::Seconds,
        "Time since the newest approval was signed",
    ),
    MetricSpec::new(
        "answer.*",
        Unit::Text,
        "What the signer filled in, by the id of the question",
    ),
];

pub fn metrics(measurement: &SignoffMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let count = |decision| measurement.counting(decision).count() as u64;
    let refused = measurement
        .statements
        .iter()
        .filter(|s| s.refused.is_some());
    metrics
        .count("approvals", count(Decision::Approve))
        .count("rejections", count(Decision::Reject))
        .count("refused", refused.count() as u64);
    let Some(newest) = measurement.counting(Decision::Approve).next_back() else {
        metrics.absent("age", "nobody has signed");
        return metrics;
    };
    let age = measurement.taken_at.duration_since(newest.issued);
    metrics.seconds("age", age.as_secs_f64().max(0.0));
    for (id, answer) in &newest.answers {
        let name = format!("answer.{id}");
        match number(answer) {
            Some(value) => metrics.number(name, value, Unit::Count),
            None => metrics.text(name, answer),
        };
    }
    metrics
}
