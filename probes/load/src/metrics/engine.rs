//! The scalars of a run of the engine.

use readygate_sdk::{Metric, Metrics, Unit, Windows};

use super::PERCENTILES;
use crate::{
    doubts,
    engine::report::{Distribution, Ended, Report, Tally},
    engine::spec::PhaseKind,
    interval::interval,
    measurement::{EngineRun, WindowColumns, nanos, seconds_at},
    stress,
};

/// What was measured. What the generator itself may have spoilt is absent, with the reason.
pub(super) fn metrics(run: &EngineRun) -> Metrics {
    let mut metrics = Metrics::new();
    let report = &run.report;
    let doubts = doubts::doubts(run, run.aims.tightest);
    let spoilt = doubts.first().map(|doubt| doubt.message.as_str());
    load(run, spoilt, &mut metrics);
    of_tally(run, &report.measured, None, spoilt, &mut metrics);
    kinds(report, &mut metrics);
    times(report, spoilt, &mut metrics);
    generator(report, &mut metrics);
    if stress::is_stressed(report) {
        stressed(run, spoilt, &mut metrics);
    }
    // The one route of a plain gate is all there is.
    let by_route = report.routes.len() > 1 || run.aims.by_route;
    for route in report.routes.iter().filter(|_| by_route) {
        let name = Some(route.name.as_str());
        of_tally(run, &route.tally, name, spoilt, &mut metrics);
    }
    metrics
}

/// Seconds that rates rest on. A response counts in the phase in which it came (or soon after which,
/// see `Tally::delivered`), and a phase that ran to its end lasted exactly as long as was asked.
fn seconds(report: &Report) -> f64 {
    if report.ended == Ended::Complete {
        let measured = report
            .phases
            .iter()
            .filter(|p| p.kind == PhaseKind::Measure);
        return measured.map(|phase| phase.asked_s).sum();
    }
    report.measured_s
}

fn load(run: &EngineRun, spoilt: Option<&str>, metrics: &mut Metrics) {
    let report = &run.report;
    let measured = || {
        report
            .phases
            .iter()
            .filter(|p| p.kind == PhaseKind::Measure)
    };
    let length: f64 = measured().map(|phase| phase.asked_s).sum();
    let offered = measured().map(|p| p.offered.map(|rate| rate * p.asked_s));
    let offered: Option<f64> = offered.sum();
    match offered.filter(|_| length > 0.0) {
        Some(arrivals) => metrics.number("offered", nanos(arrivals / length), Unit::PerSecond),
        None => metrics.absent("offered", "the load has no rate"),
    };
    metrics.seconds("duration", report.measured_s);
    let users = measured().filter_map(|phase| phase.users).max();
    let users = users.map_or(report.generator.connections.peak, u64::from);
    metrics.count("users", users);
    // As many of them as of the responses came in time.
    let measured = &report.measured;
    let timely = measured.delivered() as f64 / measured.completed.max(1) as f64;
    let timely = if measured.completed > 0 {
        timely.min(1.0)
    } else {
        1.0
    };
    let own = measured.bytes_in as f64 / seconds(report) * timely;
    match spoilt {
        None => metrics.number("bytes_rate", nanos(own), Unit::BytesPerSecond),
        Some(why) => metrics.absent("bytes_rate", why),
    };
}

/// Requests, errors and latency, of all or of one route.
fn of_tally(
    run: &EngineRun,
    tally: &Tally,
    route: Option<&str>,
    spoilt: Option<&str>,
    metrics: &mut Metrics,
) {
    let named = |own: &str| match route {
        Some(route) => format!("routes.{route}.{own}"),
        None => own.to_owned(),
    };
    let ended = (tally.completed + tally.failed()).saturating_sub(tally.errors.never_sent);
    metrics.count(named("requests"), ended);
    let mut put = |own: &str, metric: Result<Metric, &str>| {
        match (metric, spoilt) {
            (Ok(metric), None) => metrics.put(named(own), metric.windows(windows(run, route, own))),
            (Ok(_), Some(why)) | (Err(why), _) => metrics.absent(named(own), why),
        };
    };
    let rate = tally.delivered() as f64 / seconds(&run.report);
    let nothing = "no request was due";
    let due = tally.scheduled > 0;
    put(
        "throughput",
        due.then(|| Metric::number(nanos(rate), Unit::PerSecond))
            .ok_or(nothing),
    );
    let failed = tally.failed().min(tally.scheduled);
    put(
        "error_rate",
        due.then(|| Metric::rate(failed, tally.scheduled))
            .ok_or(nothing),
    );
    let times = &tally.response;
    let untimed = "no response was timed";
    let second = |value: f64| Metric::number(nanos(value), Unit::Seconds);
    let timed = times.n > 0;
    put(
        "latency.mean",
        timed.then(|| second(times.mean / 1e6)).ok_or(untimed),
    );
    for (name, percent) in PERCENTILES {
        let metric = seconds_at(times, percent);
        let metric = metric.map(|value| second(value).interval(interval(times, percent)));
        put(&format!("latency.{name}"), metric.ok_or(untimed));
    }
    put(
        "latency.max",
        seconds_at(times, 100.0).map(second).ok_or(untimed),
    );
    if route.is_none() {
        put(
            "latency.stddev",
            timed.then(|| second(times.stddev / 1e6)).ok_or(untimed),
        );
    }
}

/// A metric in the windows that were measured.
fn windows(run: &EngineRun, route: Option<&str>, own: &str) -> Vec<Windows> {
    let same = |columns: &&WindowColumns| columns.route.as_deref() == route;
    let all = run.windows.iter().filter(same);
    all.filter_map(|columns| {
        let (values, samples) = match own {
            "throughput" => {
                let rate = |n: &u64| Some(nanos(*n as f64 / columns.seconds));
                (
                    columns.delivered().iter().map(rate).collect(),
                    columns.scheduled.clone(),
                )
            }
            "error_rate" => {
                let rates = columns.failed.iter().zip(&columns.scheduled);
                let rate = |(failed, due): (&u64, &u64)| {
                    (*due > 0).then(|| nanos(100.0 * *failed as f64 / *due as f64))
                };
                (rates.map(rate).collect(), columns.scheduled.clone())
            }
            own => {
                let column = columns.latency.get(own.strip_prefix("latency.")?)?;
                (column.clone(), columns.timed.clone())
            }
        };
        Some(Windows {
            seconds: columns.seconds,
            values,
            samples,
        })
    })
    .collect()
}

fn kinds(report: &Report, metrics: &mut Metrics) {
    let errors = &report.measured.errors;
    metrics.count("errors", errors.total());
    for (kind, n) in errors.by_kind() {
        metrics.count(format!("errors.{kind}"), n);
    }
    metrics.count("timeouts", errors.timeout);
}

fn times(report: &Report, spoilt: Option<&str>, metrics: &mut Metrics) {
    let measured = &report.measured;
    for (name, times) in [("service", &measured.service), ("ttfb", &measured.ttfb)] {
        for (own, percent) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)] {
            let value = seconds_at(times, percent).ok_or("no response was timed");
            let name = format!("{name}.{own}");
            match (value, spoilt) {
                (Ok(value), None) => metrics.seconds(name, value),
                (Ok(_), Some(why)) | (Err(why), _) => metrics.absent(name, why),
            };
        }
    }
}

fn generator(report: &Report, metrics: &mut Metrics) {
    let own = &report.generator;
    let mut quantile = |name: &str, times: &Distribution, percent, none: &str| {
        match seconds_at(times, percent) {
            Some(value) => metrics.seconds(name, value),
            None => metrics.absent(name, none),
        };
    };
    quantile("send_lag.p99", &own.own_lag, 99.0, "nothing was sent");
    let connect = &own.connections.connect;
    quantile("connect.p95", connect, 95.0, "no connection was opened");
    let measuring = |phase: Option<u32>| {
        let phase = phase.and_then(|index| report.phases.get(index as usize));
        phase.is_some_and(|phase| phase.kind == PhaseKind::Measure)
    };
    let rows = report.series.iter().filter(|row| measuring(row.phase));
    match rows.map(|row| row.backlog).max() {
        Some(most) => metrics.count("backlog.max", most),
        None => metrics.absent("backlog.max", "the load was shorter than a second"),
    };
    metrics.count("connections.open", own.connections.lowest);
    metrics.count("connections.failed", own.connections.failed.total());
    metrics.count("connections.reopened", own.connections.reopened);
    match doubts::busiest(own) {
        Some(share) => metrics.percent("client.cpu", nanos(share * 100.0)),
        None => metrics.absent("client.cpu", "the system does not tell"),
    };
    if own.rss_bytes > 0 {
        metrics.bytes("client.memory", own.rss_bytes);
    } else {
        metrics.absent("client.memory", "the system does not tell");
    }
}

fn stressed(run: &EngineRun, spoilt: Option<&str>, metrics: &mut Metrics) {
    let mut put = |name: &str, told: stress::Told, unit| {
        match (told, spoilt) {
            (Ok(value), None) => metrics.number(name, nanos(value), unit),
            (Ok(_), Some(why)) => metrics.absent(name, why),
            (Err(why), _) => metrics.absent(name, why),
        };
    };
    put("stress.knee", stress::knee(run), Unit::PerSecond);
    if let Some(told) = stress::recovery(run) {
        put("stress.recovery", told, Unit::Seconds);
    }
}
