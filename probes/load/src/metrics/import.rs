//! The scalars of what other tools measured.

use readygate_sdk::{Metric, Metrics, Unit, process::Ended};

use crate::{
    interval,
    measurement::{Latency, LoadMeasurement, LoadResult},
};

/// What a file may tell.
const TOLD: [&str; 12] = [
    "requests",
    "throughput",
    "error_rate",
    "latency.mean",
    "latency.p50",
    "latency.p90",
    "latency.p95",
    "latency.p99",
    "latency.max",
    "duration",
    "users",
    "thresholds.failed",
];

const PERCENTILES: [(&str, f64); 4] = [
    ("latency.p50", 50.0),
    ("latency.p90", 90.0),
    ("latency.p95", 95.0),
    ("latency.p99", 99.0),
];

/// Numbers are absent as soon as they would be partial.
pub(super) fn metrics(measurement: &LoadMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let partial = measurement.gaps.partial();
    let partial = partial.or_else(|| crate::fleet::void(measurement));
    match (&measurement.total, partial) {
        (Some(total), None) => of_result(total, &mut metrics),
        (None, None) => nothing(
            &mut metrics,
            "the files are not parts of one run in one format",
        ),
        (_, Some(why)) => nothing(&mut metrics, &why),
    }
    metrics.count("files", measurement.files_total);
    if let Some(run) = &measurement.command {
        metrics.seconds("command.duration", run.seconds);
        match run.ended {
            Ended::Code(code) => metrics.number("command.exit_code", f64::from(code), Unit::Count),
            signal @ Ended::Signal(_) => {
                metrics.absent("command.exit_code", format!("the command was {signal}"))
            }
        };
    }
    metrics
}

fn nothing(metrics: &mut Metrics, why: &str) {
    for name in TOLD {
        metrics.absent(name, why);
    }
}

fn of_result(all: &LoadResult, metrics: &mut Metrics) {
    let why = |name: &str| {
        let said = all.absent.get(name).cloned();
        said.unwrap_or_else(|| format!("{} does not say in this format", all.tool))
    };
    let mut put = |name: &'static str, value: Option<f64>, unit| {
        match value {
            Some(value) => metrics.number(name, value, unit),
            None => metrics.absent(name, why(name)),
        };
    };
    let count = |n: Option<u64>| n.map(|n| n as f64);
    put("requests", count(all.requests), Unit::Count);
    put("throughput", all.throughput, Unit::PerSecond);
    put("duration", all.duration, Unit::Seconds);
    put("users", count(all.users), Unit::Count);
    let failed = all.thresholds.as_ref().map(|all| {
        let failed = all.iter().filter(|threshold| !threshold.passed);
        failed.count() as f64
    });
    put("thresholds.failed", failed, Unit::Count);
    match (all.errors, all.requests) {
        (Some(errors), Some(requests)) => {
            metrics.rate("error_rate", errors.min(requests), requests);
        }
        _ => {
            metrics.absent("error_rate", why("error_rate"));
        }
    }
    if let Some(latency) = &all.latency {
        return of_latency(latency, all.timed(), &why, metrics);
    }
    let names = PERCENTILES.iter().map(|(name, _)| *name);
    for name in names.chain(["latency.mean", "latency.max"]) {
        let said = all.absent.get(name).or(all.absent.get("latency"));
        metrics.absent(name, said.map_or("no response was timed", String::as_str));
    }
}

/// Percentiles come with what their number of samples can tell. Where no count at all is known the gate
/// does not pass anyway (`load/no-requests`).
fn of_latency(
    latency: &Latency,
    timed: Option<u64>,
    why: &dyn Fn(&str) -> String,
    metrics: &mut Metrics,
) {
    for (name, value) in [("latency.mean", latency.mean), ("latency.max", latency.max)] {
        match value {
            Some(value) => metrics.seconds(name, value),
            None => metrics.absent(name, why(name)),
        };
    }
    for (name, percent) in PERCENTILES {
        let Some(value) = latency.at(percent) else {
            metrics.absent(name, why(name));
            continue;
        };
        let metric = Metric::number(value, Unit::Seconds);
        metrics.put(
            name,
            match timed {
                Some(n) => metric.interval(interval::told(latency, n, percent)),
                None => metric,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Format,
        measurement::{Model, Safe},
    };

    fn samples(result: &LoadResult) -> Option<u64> {
        let mut metrics = Metrics::new();
        of_result(result, &mut metrics);
        let p99 = metrics.get("latency.p99").unwrap();
        p99.interval.as_ref().map(|interval| interval.samples)
    }

    #[test]
    fn a_percentile_says_how_many_samples_it_rests_on() {
        let mut latency = Latency::of_tool();
        latency.push(99.0, Some(0.05));
        latency.count = Some(12);
        let mut result = LoadResult::new(Format::K6Summary, "k6", Model::Unknown, Safe::Unknown);
        result.latency = Some(latency.clone());
        (result.requests, result.errors) = (Some(20), Some(3));
        assert_eq!(samples(&result), Some(12));
        // What failed may not have been timed.
        latency.count = None;
        result.latency = Some(latency);
        assert_eq!(samples(&result), Some(17));
        result.errors = None;
        assert_eq!(samples(&result), Some(20));
        result.requests = None;
        assert_eq!(samples(&result), None);
    }
}
