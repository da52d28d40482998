//! What a run of the engine brings back, cut to what judging needs.

use std::collections::BTreeMap;

use readygate_sdk::{Bound, Comparison};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nanos;
use crate::{
    config::{LoadConfig, littles_law},
    engine::report::{Distribution, Report, Second, Tally, WindowReport},
    metrics::PERCENTILES,
};

/// Rows of the series: an hour of seconds. Longer runs have coarser rows.
const ROWS: usize = 3_600;
/// Routes whose windows are kept.
const WINDOW_ROUTES: usize = 20;

/// A run of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRun {
    /// What the run was made for.
    #[serde(default)]
    pub aims: Aims,
    /// What came of it. Its windows are in `windows`, and longer runs have rows of several seconds.
    pub report: Report,
    /// The measured load in windows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowColumns>,
}

/// What the config asked for, as far as it says how good the measurement must be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Aims {
    /// Shortest latency that the gate still accepts, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tightest: Option<f64>,
    /// Upper bounds of the gate on the whole load, by metric, in the metric's base unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ceilings: BTreeMap<String, f64>,
    /// Whether the gate expects something of single routes.
    pub by_route: bool,
    /// Whether latency of a closed load is accepted.
    pub accept_closed: bool,
    /// Whether any certificate was accepted.
    pub insecure: bool,
    /// Whether connections served many requests.
    pub keepalive: bool,
    /// Length of the load that was to be measured, in seconds.
    pub asked_s: f64,
}

impl Aims {
    fn of(config: &LoadConfig) -> Self {
        let ceiling = |bound: &&Bound| {
            bound.comparison == Comparison::Below
                && bound.every.or(bound.lasting).is_none()
                && (bound.metric.starts_with("latency.") || bound.metric == "error_rate")
                // How far latency spreads does not say that a load no longer holds.
                && bound.metric != "latency.stddev"
        };
        let mut ceilings = BTreeMap::new();
        for bound in config.bounds.iter().filter(ceiling) {
            let value = nanos(bound.value.value);
            let known = ceilings.entry(bound.metric.clone()).or_insert(value);
            *known = known.min(value);
        }
        Self {
            tightest: littles_law::tightest(&config.bounds).map(nanos),
            ceilings,
            by_route: config
                .bounds
                .iter()
                .any(|b| b.metric.starts_with("routes.")),
            accept_closed: config.accept_closed_model,
            insecure: config.tls.as_ref().is_some_and(|tls| tls.insecure),
            keepalive: config.sockets.keepalive.unwrap_or(true),
            asked_s: nanos(config.measured().as_secs_f64()),
        }
    }
}

/// Windows of one length, in columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowColumns {
    /// Length of each window.
    pub seconds: f64,
    /// The route, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Requests that were due.
    pub scheduled: Vec<u64>,
    /// Those that failed.
    pub failed: Vec<u64>,
    /// Those with a good response, whenever that came.
    pub completed: Vec<u64>,
    /// Good responses that came in the window; empty where they were not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<u64>,
    /// Latencies that were timed.
    pub timed: Vec<u64>,
    /// Latency in seconds by name (`p95`, `mean`, `max`); nothing where none was timed.
    pub latency: BTreeMap<String, Vec<Option<f64>>>,
}

impl WindowColumns {
    /// Good responses that throughput counts.
    pub(crate) fn delivered(&self) -> &[u64] {
        if self.delivered.is_empty() {
            &self.completed
        } else {
            &self.delivered
        }
    }
}

impl EngineRun {
    /// Keeps of a report what judging needs.
    pub(crate) fn new(config: &LoadConfig, mut report: Report) -> Self {
        let windows = columns(config, &report);
        report.windows = Vec::new();
        report.series = thinned(report.series);
        for phase in &mut report.phases {
            lean(&mut phase.tally, false);
        }
        for route in &mut report.routes {
            lean(&mut route.tally, true);
        }
        lean(&mut report.measured, true);
        round(&mut report);
        Self {
            aims: Aims::of(config),
            report,
            windows,
        }
    }
}

/// Counts of buckets are of use for the latency that is judged only.
fn lean(tally: &mut Tally, judged: bool) {
    if !judged {
        tally.response.counts = Vec::new();
    }
    for other in [
        &mut tally.service,
        &mut tally.error_latency,
        &mut tally.ttfb,
        &mut tally.send_lag,
    ] {
        other.counts = Vec::new();
    }
}

/// To nanoseconds and billionths: such numbers survive JSON exactly.
fn round(report: &mut Report) {
    report.wall_s = nanos(report.wall_s);
    report.measured_s = nanos(report.measured_s);
    for phase in &mut report.phases {
        phase.ran_s = nanos(phase.ran_s);
        phase.at_s = nanos(phase.at_s);
    }
}

fn columns(config: &LoadConfig, report: &Report) -> Vec<WindowColumns> {
    let mut lengths: Vec<f64> = report.windows.iter().map(|w| w.length_s).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.dedup();
    let asked = |name: &str| {
        let prefix = format!("routes.{name}.");
        let mut bounds = config.bounds.iter();
        bounds.any(|b| b.every.or(b.lasting).is_some() && b.metric.starts_with(&prefix))
    };
    let routes: Vec<(usize, &str)> = report
        .routes
        .iter()
        .enumerate()
        .map(|(index, route)| (index, route.name.as_str()))
        .filter(|(_, name)| asked(name))
        .take(WINDOW_ROUTES)
        .collect();
    let mut all = Vec::new();
    for length in lengths {
        let same = |w: &&WindowReport| (w.length_s - length).abs() < 1e-9;
        let windows: Vec<&WindowReport> = report.windows.iter().filter(same).collect();
        all.push(column(length, None, windows.iter().map(|w| &w.tally)));
        for (index, name) in &routes {
            // With one route the windows are its own.
            let own = windows
                .iter()
                .map(|w| w.routes.get(*index).unwrap_or(&w.tally));
            all.push(column(length, Some((*name).to_owned()), own));
        }
    }
    all
}

fn column<'a>(
    seconds: f64,
    route: Option<String>,
    tallies: impl Iterator<Item = &'a Tally>,
) -> WindowColumns {
    let mut columns = WindowColumns {
        seconds,
        route,
        scheduled: Vec::new(),
        failed: Vec::new(),
        completed: Vec::new(),
        delivered: Vec::new(),
        timed: Vec::new(),
        latency: BTreeMap::new(),
    };
    for tally in tallies {
        columns.scheduled.push(tally.scheduled);
        columns.failed.push(tally.failed());
        columns.completed.push(tally.completed);
        columns.delivered.push(tally.delivered());
        columns.timed.push(tally.response.n);
        let mut put = |name: &str, value: Option<f64>| {
            let column = columns.latency.entry(name.to_owned()).or_default();
            column.push(value);
        };
        let times = &tally.response;
        put("mean", (times.n > 0).then(|| nanos(times.mean / 1e6)));
        put("max", seconds_at(times, 100.0));
        for (name, percent) in PERCENTILES {
            put(name, seconds_at(times, percent));
        }
    }
    columns
}

/// A quantile in seconds; nothing without values.
pub(crate) fn seconds_at(times: &Distribution, percent: f64) -> Option<f64> {
    let us = (times.n > 0).then(|| times.at(percent)).flatten()?;
    Some(nanos(us as f64 / 1e6))
}

/// At most an hour of rows: neighbours are added, and of quantiles the worst is kept.
fn thinned(series: Vec<Second>) -> Vec<Second> {
    let step = series.len().div_ceil(ROWS);
    if step <= 1 {
        return series;
    }
    series.chunks(step).map(merged).collect()
}

fn merged(rows: &[Second]) -> Second {
    let mut all = rows.first().cloned().unwrap_or_default();
    for row in rows.iter().skip(1) {
        all.t_s = row.t_s;
        all.scheduled += row.scheduled;
        all.sent += row.sent;
        all.completed += row.completed;
        all.errors += row.errors;
        all.bytes_in += row.bytes_in;
        all.open = all.open.min(row.open);
        all.in_flight = all.in_flight.max(row.in_flight);
        all.backlog = all.backlog.max(row.backlog);
        all.p50_us = all.p50_us.max(row.p50_us);
        all.p95_us = all.p95_us.max(row.p95_us);
        all.p99_us = all.p99_us.max(row.p99_us);
        all.max_us = all.max_us.max(row.max_us);
        all.lag_p99_us = all.lag_p99_us.max(row.lag_p99_us);
        all.cpu = all.cpu.max(row.cpu);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_nothing_of_a_broken_target_is_no_ceiling() {
        let with = "url: /api\nopen: { rate: 10/s, for: 10s }";
        let mut config: LoadConfig = serde_saphyr::from_str(with).unwrap();
        config.bounds = ["latency.p95", "latency.stddev", "throughput"]
            .map(|metric| Bound {
                metric: metric.to_owned(),
                comparison: Comparison::Below,
                value: "50ms".parse().unwrap(),
                every: None,
                lasting: None,
            })
            .to_vec();
        let aims = Aims::of(&config);
        assert_eq!(aims.ceilings.keys().collect::<Vec<_>>(), ["latency.p95"]);
    }

    #[test]
    fn a_day_is_kept_in_an_hour_of_rows() {
        let rows = (1..=86_400_u32).map(|t| Second {
            t_s: f64::from(t),
            scheduled: 10,
            p95_us: Some(u64::from(t)),
            open: 5,
            ..Second::default()
        });
        let kept = thinned(rows.collect());
        assert_eq!(kept.len(), 3_600);
        assert_eq!(kept.iter().map(|row| row.scheduled).sum::<u64>(), 864_000);
        assert_eq!(kept[0].p95_us, Some(24));
        assert!((kept[3_599].t_s - 86_400.0).abs() < 1e-9);
        assert_eq!(kept[9].open, 5);
    }
}
