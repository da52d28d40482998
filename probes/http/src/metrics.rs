//! The scalars of one endpoint.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::record::{HttpMeasurement, Latency};

/// All metrics.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "status",
        Unit::Count,
        "Status code; of several samples, the highest",
    ),
    MetricSpec::new("latency.dns", Unit::Seconds, "Look-up of the host's name"),
    MetricSpec::new(
        "latency.connect",
        Unit::Seconds,
        "Opening of the TCP connection",
    ),
    MetricSpec::new("latency.tls", Unit::Seconds, "TLS handshake"),
    MetricSpec::new(
        "latency.first_byte",
        Unit::Seconds,
        "From the open connection to the end of the response headers",
    ),
    MetricSpec::new(
        "latency.total",
        Unit::Seconds,
        "From the start to the end of the body, redirects included",
    ),
    MetricSpec::new(
        "body.bytes",
        Unit::Bytes,
        "Length of the body, after decompression; of several samples, the largest",
    ),
    MetricSpec::new(
        "redirects",
        Unit::Count,
        "Redirects followed; of several samples, the most",
    ),
    MetricSpec::new(
        "samples",
        Unit::Count,
        "Requests sent, redirects not counted",
    ),
    MetricSpec::new(
        "error_rate",
        Unit::Percent,
        "Samples without an answer or with a status of 400 and above",
    ),
    MetricSpec::new("version", Unit::Text, "Version that the response names"),
];

/// The metrics of `record`. Latencies are medians over the samples that were answered.
pub(crate) fn metrics(record: &HttpMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    match record.answered().map(|a| a.status).max() {
        Some(status) => metrics.count("status", status.into()),
        None => metrics.absent("status", UNANSWERED),
    };
    latency(
        &mut metrics,
        record,
        "dns",
        "the URL names an address, or `resolve` gives it",
        |l| l.dns,
    );
    latency(&mut metrics, record, "connect", UNANSWERED, |l| {
        Some(l.connect)
    });
    latency(&mut metrics, record, "tls", "plain HTTP", |l| l.tls);
    latency(&mut metrics, record, "first_byte", UNANSWERED, |l| {
        Some(l.first_byte)
    });
    latency(&mut metrics, record, "total", UNANSWERED, |l| Some(l.total));
    body(&mut metrics, record);
    match record.answered().map(|a| a.redirects.len()).max() {
        Some(redirects) => metrics.count("redirects", redirects as u64),
        None => metrics.absent("redirects", UNANSWERED),
    };
    let samples = record.samples.len() as u64;
    let fine = record.answered().filter(|a| a.status < 400).count() as u64;
    metrics.count("samples", samples);
    metrics.rate("error_rate", samples - fine, samples);
    version(&mut metrics, record);
    metrics
}

const UNANSWERED: &str = "no sample was answered";

fn latency(
    metrics: &mut Metrics,
    record: &HttpMeasurement,
    phase: &str,
    reason: &str,
    pick: impl Fn(&Latency) -> Option<f64>,
) {
    let latencies = record.samples.iter().filter_map(|s| s.latency.as_ref());
    let name = format!("latency.{phase}");
    let reason = if record.answers.is_empty() {
        UNANSWERED
    } else {
        reason
    };
    match median(latencies.filter_map(pick).collect()) {
        Some(value) => metrics.seconds(name, value),
        None => metrics.absent(name, reason),
    };
}

/// The middle value, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(*upper);
    }
    let lower = values.get(values.len() / 2 - 1)?;
    Some(f64::midpoint(*lower, *upper))
}

fn body(metrics: &mut Metrics, record: &HttpMeasurement) {
    let unknown = record.answers.iter().find_map(|a| a.body.unknown());
    match (unknown, record.answers.iter().map(|a| a.body.bytes).max()) {
        (Some(reason), _) => metrics.absent("body.bytes", reason),
        (None, Some(bytes)) => metrics.bytes("body.bytes", bytes),
        (None, None) => metrics.absent("body.bytes", UNANSWERED),
    };
}

fn version(metrics: &mut Metrics, record: &HttpMeasurement) {
    let facts = || record.answers.iter().map(|a| a.facts.version.as_ref());
    let mut named: Vec<_> = facts()
        .flatten()
        .filter_map(|v| v.value.as_deref())
        .collect();
    named.dedup();
    match named.as_slice() {
        [one] if facts().flatten().all(|v| v.value.is_some()) => metrics.text("version", *one),
        [] if facts().flatten().next().is_none() => metrics.absent(
            "version",
            "the gate does not say where the response names it",
        ),
        [] => metrics.absent("version", "the response does not name it"),
        several => metrics.absent(
            "version",
            format!("the samples do not agree: {}", several.join(", ")),
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
