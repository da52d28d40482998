//! The scalars of one endpoint.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::record::{HttpMeasurement, Latency};

/// All metrics.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "status",
        Unit::Count,
        "Status code; of several samples or steps, the highest",
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
        "From the start to the end of the body, redirects included; every latency is the median of the samples, and that of the slowest step",
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
    MetricSpec::new(
        "instances",
        Unit::Count,
        "Instances that answered, with `spread`",
    ),
    MetricSpec::new(
        "openapi.coverage",
        Unit::Percent,
        "Operations of the OpenAPI document that the gate asked",
    ),
];

/// The metrics of `record`. Latencies are medians over the samples that were answered.
pub(crate) fn metrics(record: &HttpMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let requests = record.requests();
    let answers = || requests.iter().flat_map(|r| r.answered());
    match answers().map(|a| a.status).max() {
        Some(status) => metrics.count("status", status.into()),
        None => metrics.absent("status", UNANSWERED),
    };
    let mut latency = |name, reason: &str, pick: fn(&Latency) -> Option<f64>| {
        latency(&mut metrics, &requests, name, reason, pick);
    };
    let known = "the URL names an address, or `resolve` gives it";
    latency("dns", known, |l| l.dns);
    latency("connect", UNANSWERED, |l| Some(l.connect));
    latency("tls", "plain HTTP", |l| l.tls);
    latency("first_byte", UNANSWERED, |l| Some(l.first_byte));
    latency("total", UNANSWERED, |l| Some(l.total));
    body(&mut metrics, &requests);
    match answers().map(|a| a.redirects.len()).max() {
        Some(redirects) => metrics.count("redirects", redirects as u64),
        None => metrics.absent("redirects", UNANSWERED),
    };
    let samples = requests.iter().map(|r| r.samples.len() as u64).sum();
    let fine = answers().filter(|a| a.status < 400).count() as u64;
    metrics.count("samples", samples);
    metrics.rate("error_rate", samples - fine, samples);
    version(&mut metrics, &requests);
    match &record.spread {
        Some(spread) => metrics.count("instances", spread.instances.len() as u64),
        None => metrics.absent("instances", "the gate has no `spread`"),
    };
    match &record.openapi {
        Some(openapi) if !openapi.operations.is_empty() => {
            let asked = openapi.operations.iter().filter(|o| !o.answered.is_empty());
            let share = asked.count() as f64 / openapi.operations.len() as f64;
            metrics.percent("openapi.coverage", 100.0 * share)
        }
        _ => metrics.absent("openapi.coverage", "the gate names no OpenAPI document"),
    };
    metrics
}

const UNANSWERED: &str = "no sample was answered";

fn latency(
    metrics: &mut Metrics,
    requests: &[&HttpMeasurement],
    phase: &str,
    reason: &str,
    pick: fn(&Latency) -> Option<f64>,
) {
    let medians = requests.iter().filter_map(|record| {
        let latencies = record.samples.iter().filter_map(|s| s.latency.as_ref());
        median(latencies.filter_map(pick).collect())
    });
    let name = format!("latency.{phase}");
    let reason = if requests.iter().all(|r| r.answers.is_empty()) {
        UNANSWERED
    } else {
        reason
    };
    match medians.max_by(f64::total_cmp) {
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

fn body(metrics: &mut Metrics, requests: &[&HttpMeasurement]) {
    let answers = || requests.iter().flat_map(|r| &r.answers);
    let unknown = answers().find_map(|a| a.body.unknown());
    match (unknown, answers().map(|a| a.body.bytes).max()) {
        (Some(reason), _) => metrics.absent("body.bytes", reason),
        (None, Some(bytes)) => metrics.bytes("body.bytes", bytes),
        (None, None) => metrics.absent("body.bytes", UNANSWERED),
    };
}

fn version(metrics: &mut Metrics, requests: &[&HttpMeasurement]) {
    let answers = || requests.iter().flat_map(|r| &r.answers);
    let facts = || answers().map(|a| a.facts.version.as_ref());
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
