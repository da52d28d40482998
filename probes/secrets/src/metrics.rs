//! Names the scalars.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::measurement::SecretsMeasurement;

/// Every metric.
pub(crate) const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "findings",
        Unit::Count,
        "Secrets that nothing allows, each once a file",
    ),
    MetricSpec::new(
        "verified",
        Unit::Count,
        "Those with a checksum that holds, or that a tool has verified",
    ),
    MetricSpec::new(
        "likely",
        Unit::Count,
        "Those in the form of a provider, or that look drawn at random",
    ),
    MetricSpec::new(
        "possible",
        Unit::Count,
        "Those that only a name or a weak form suggests",
    ),
    MetricSpec::new(
        "allowed",
        Unit::Count,
        "Findings that the config, the baseline or a marker allows",
    ),
    MetricSpec::new(
        "files.scanned",
        Unit::Count,
        "Files of the work tree that were scanned",
    ),
    MetricSpec::new(
        "files.binary",
        Unit::Count,
        "Files of the work tree that hold no text, and were skipped",
    ),
    MetricSpec::new(
        "commits.scanned",
        Unit::Count,
        "Commits whose changes were scanned",
    ),
    MetricSpec::new(
        "bytes.scanned",
        Unit::Bytes,
        "Text that was scanned, of tree and history",
    ),
    MetricSpec::new(
        "reports",
        Unit::Count,
        "Reports of other scanners that were read",
    ),
];

/// The scalars of a measurement. Where something was not looked at, its counts are absent.
pub(crate) fn metrics(measurement: &SecretsMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let counts = &measurement.counts;
    let why = gap(measurement);
    for (name, value) in [
        ("findings", counts.findings()),
        ("verified", counts.verified),
        ("likely", counts.likely),
        ("possible", counts.possible),
        ("allowed", counts.allowed),
    ] {
        match &why {
            None => metrics.count(name, value),
            Some(why) => metrics.absent(name, why.clone()),
        };
    }
    if let Some(tree) = &measurement.tree {
        metrics.count("files.scanned", tree.files);
        metrics.count("files.binary", tree.binaries);
    } else {
        let why = "the work tree was not scanned";
        metrics.absent("files.scanned", why);
        metrics.absent("files.binary", why);
    }
    match &measurement.history {
        Some(history) => metrics.count("commits.scanned", history.commits),
        None => metrics.absent("commits.scanned", "the history was not scanned"),
    };
    if measurement.tree.is_some() || measurement.history.is_some() {
        let bytes = measurement.tree.as_ref().map_or(0, |t| t.bytes)
            + measurement.history.as_ref().map_or(0, |h| h.bytes);
        metrics.bytes("bytes.scanned", bytes);
    } else {
        metrics.absent("bytes.scanned", "nothing but reports was read");
    }
    match &measurement.reports {
        Some(reports) => metrics.count("reports", reports.files.len() as u64),
        None => metrics.absent("reports", "no `reports` are configured"),
    };
    metrics
}

/// Why the number of findings is not known: a part was not looked at, so it would be too low.
fn gap(measurement: &SecretsMeasurement) -> Option<String> {
    if let Some(why) = measurement
        .history
        .as_ref()
        .and_then(|h| h.incomplete.as_ref())
    {
        return Some(format!("the history is not complete: {why}"));
    }
    if let Some(tree) = &measurement.tree
        && let Some(first) = tree.unreadable.first()
    {
        return Some(format!("{} could not be read", first.path));
    }
    if let Some(reports) = &measurement.reports {
        if let Some(first) = reports.unreadable.first() {
            return Some(format!("{} could not be read", first.path));
        }
        if let Some(first) = reports.unmatched.first() {
            return Some(format!("no file matches `{first}`"));
        }
        if !reports.files.is_empty() {
            return None;
        }
    }
    let scanned = measurement.tree.as_ref().map_or(0, |t| t.files)
        + measurement.history.as_ref().map_or(0, |h| h.commits);
    (scanned == 0).then(|| "nothing was scanned".to_owned())
}
