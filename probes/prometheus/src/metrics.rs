//! The scalars of a measurement.

use readygate_sdk::{Interval, Metric, MetricSpec, Metrics, Sample, Unit};

use crate::{
    measurement::{BucketRecord, PrometheusMeasurement, QueryRecord, State},
    text::retention,
};

/// The metrics of this probe.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "query.*",
        Unit::Count,
        "Value of the query of that name, in its unit",
    ),
    MetricSpec::new(
        "targets.total",
        Unit::Count,
        "Targets of all entries of `up`",
    ),
    MetricSpec::new(
        "targets.up",
        Unit::Count,
        "Of these, those whose last scrape succeeded and is fresh",
    ),
    MetricSpec::new(
        "targets.down",
        Unit::Count,
        "Of these, those whose last scrape failed",
    ),
    MetricSpec::new(
        "alerts.firing",
        Unit::Count,
        "Alerts that count, fire and are not silenced",
    ),
    MetricSpec::new(
        "alerts.pending",
        Unit::Count,
        "Alerts that count and wait for their `for`",
    ),
    MetricSpec::new(
        "alerts.silenced",
        Unit::Count,
        "Alerts that count and fire, and that the Alertmanager says are silenced",
    ),
    MetricSpec::new("rules.total", Unit::Count, "Alert rules of the server"),
    MetricSpec::new(
        "rules.broken",
        Unit::Count,
        "Of these, those whose last evaluation failed",
    ),
    MetricSpec::new(
        "clock_skew",
        Unit::Seconds,
        "Distance of the server's clock from the one here",
    ),
    MetricSpec::new(
        "retention",
        Unit::Seconds,
        "For how long the server keeps samples, where no size bounds it",
    ),
    MetricSpec::new("version", Unit::Text, "Version of the server"),
];

pub(crate) fn metrics(record: &PrometheusMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    for (name, query) in &record.queries {
        of_query(&mut metrics, &format!("query.{name}"), query);
    }
    targets(&mut metrics, record);
    alerting(&mut metrics, record);
    let server = &record.server;
    metrics.seconds("clock_skew", server.skew_s.abs());
    match server.retention.as_deref().map(retention) {
        Some((Some(seconds), false)) => metrics.seconds("retention", seconds),
        Some(_) => metrics.absent("retention", "a size bounds it too"),
        None => metrics.absent("retention", "the server does not say it"),
    };
    match &server.version {
        Some(version) => metrics.text("version", version),
        None => metrics.absent("version", "the server does not say it"),
    };
    metrics
}

fn of_query(metrics: &mut Metrics, name: &str, query: &QueryRecord) {
    let value = match query.usable() {
        Ok(value) => value,
        Err(why) => {
            metrics.absent(name, why);
            return;
        }
    };
    let mut metric = Metric::number(value, query.unit);
    let trials = query.trials.filter(|_| query.unit == Unit::Percent);
    metric.sample = trials.map(|trials| sample(value, trials));
    metric.interval = query.bucket.as_ref().map(interval);
    metrics.put(name, metric);
}

/// Nothing is known of where in the bucket a quantile lies, so that a bound is judged only outside of
/// it. Its ends are no part of it: `< 100ms` holds for a bucket that ends at 100 ms. No samples: more
/// of them would not make the bucket smaller.
fn interval(bucket: &BucketRecord) -> Interval {
    const HAIR: f64 = 1e-9;
    Interval {
        quantile: bucket.quantile,
        samples: 0,
        low: bucket.low.map(|low| low + HAIR * low.abs()),
        high: bucket.high.map(|high| high - HAIR * high.abs()),
    }
}

/// How many hits a percentage of so many trials is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 and the trials, which are below 2^53"
)]
fn sample(percent: f64, trials: u64) -> Sample {
    let hits = (percent / 100.0 * trials as f64).round();
    Sample {
        hits: (hits.max(0.0) as u64).min(trials),
        trials,
    }
}

fn targets(metrics: &mut Metrics, record: &PrometheusMeasurement) {
    const NAMES: [&str; 3] = ["targets.total", "targets.up", "targets.down"];
    let partial = record.jobs.iter().any(|job| !job.partial.is_empty());
    if record.jobs.is_empty() || partial {
        let why = if partial {
            "the list of targets is not complete"
        } else {
            "the gate has no `up`"
        };
        for name in NAMES {
            metrics.absent(name, why);
        }
        return;
    }
    let all = |state: Option<State>| {
        let of_job = record.jobs.iter().map(|job| match state {
            Some(state) => job.count(state),
            None => job.total(),
        });
        of_job.sum()
    };
    metrics.count(NAMES[0], all(None));
    metrics.count(NAMES[1], all(Some(State::Fine)));
    metrics.count(NAMES[2], all(Some(State::Bad)));
}

fn alerting(metrics: &mut Metrics, record: &PrometheusMeasurement) {
    const NAMES: [&str; 5] = [
        "alerts.firing",
        "alerts.pending",
        "alerts.silenced",
        "rules.total",
        "rules.broken",
    ];
    let alerting = match &record.alerting {
        Some(alerting) if alerting.partial.is_empty() => alerting,
        alerting => {
            let why = match alerting {
                Some(_) => "the list of rules is not complete",
                None => "the gate has neither `alerts` nor `rules`",
            };
            for name in NAMES {
                metrics.absent(name, why);
            }
            return;
        }
    };
    if alerting.alerts_asked {
        let firing = alerting.firing.saturating_sub(alerting.silenced);
        metrics.count(NAMES[0], firing);
        metrics.count(NAMES[1], alerting.pending);
        metrics.count(NAMES[2], alerting.silenced);
    } else {
        for name in &NAMES[..3] {
            metrics.absent(*name, "the gate has no `alerts`");
        }
    }
    let kept = alerting.rules.len() as u64;
    metrics.count(NAMES[3], kept + alerting.rules_left_out);
    let broken = alerting.rules.iter().filter(|r| r.state() == State::Bad);
    metrics.count(NAMES[4], broken.count() as u64);
}
