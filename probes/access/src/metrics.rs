//! The scalars of a gate: how many claims have which grade.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    grade::{Grade, grades},
    record::AccessMeasurement,
};

/// All metrics.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new("claims", Unit::Count, "Claims that the gate makes"),
    MetricSpec::new(
        "claims.verified",
        Unit::Count,
        "Claims whose positive and negative controls both behaved",
    ),
    MetricSpec::new(
        "claims.no_evidence",
        Unit::Count,
        "Claims whose canaries found nothing, which is no proof",
    ),
    MetricSpec::new(
        "claims.not_checked",
        Unit::Count,
        "Claims that could not be told",
    ),
    MetricSpec::new(
        "claims.refuted",
        Unit::Count,
        "Claims of which a negative control was let through",
    ),
];

/// The metrics of `record`.
pub(crate) fn metrics(record: &AccessMeasurement) -> Metrics {
    let grades = grades(record);
    let count = |wanted| {
        grades
            .iter()
            .filter(|(_, graded)| graded.grade == wanted)
            .count() as u64
    };
    let mut metrics = Metrics::new();
    metrics.count("claims", grades.len() as u64);
    metrics.count("claims.verified", count(Grade::Verified));
    metrics.count("claims.no_evidence", count(Grade::NoEvidence));
    metrics.count("claims.not_checked", count(Grade::NotChecked));
    metrics.count("claims.refuted", count(Grade::Refuted));
    metrics
}
