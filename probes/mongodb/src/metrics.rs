//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    judge::view::{SECONDARY, View},
    judge::{clock_spread, healthy, used, window},
    measurement::{Answer, MongodbMeasurement},
};

pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "members.total",
        Unit::Count,
        "Members in the set's config, arbiters and hidden ones included",
    ),
    MetricSpec::new(
        "members.healthy",
        Unit::Count,
        "Members that answer and are primary, secondary or arbiter",
    ),
    MetricSpec::new("members.voting", Unit::Count, "Members with a vote"),
    MetricSpec::new(
        "primaries",
        Unit::Count,
        "Members of the set that accept writes",
    ),
    MetricSpec::new(
        "replication_lag.max",
        Unit::Seconds,
        "The largest lag of a secondary, declared delays taken off",
    ),
    MetricSpec::new(
        "commit_lag",
        Unit::Seconds,
        "Age of the newest majority-committed write, against the newest write",
    ),
    MetricSpec::new(
        "oplog_window",
        Unit::Seconds,
        "The shortest time that an oplog reaches back; where it is not full yet, will reach back at the rate so far",
    ),
    MetricSpec::new(
        "heartbeat_age.max",
        Unit::Seconds,
        "The longest that a member has not heard from another one",
    ),
    MetricSpec::new(
        "clock_skew",
        Unit::Seconds,
        "The largest difference between the clocks of two members",
    ),
    MetricSpec::new(
        "connections.used_ratio",
        Unit::Percent,
        "Connections in use, of all that a member can take; the fullest member",
    ),
    MetricSpec::new(
        "indexes.missing",
        Unit::Count,
        "Declared indexes that are missing, unfinished or different on a member",
    ),
    MetricSpec::new(
        "migrations.missing",
        Unit::Count,
        "Expected migrations that are not recorded as applied",
    ),
    MetricSpec::new(
        "settled_after",
        Unit::Seconds,
        "From the first look to the one that was judged",
    ),
    MetricSpec::new(
        "drill.write_gap",
        Unit::Seconds,
        "From the last write before the step-down to the first after it",
    ),
    MetricSpec::new(
        "drill.recovery",
        Unit::Seconds,
        "From the step-down until every member was well again",
    ),
];

const NOBODY: &str = "no member could be asked";
const NO_STATUS: &str = "no member told: the role clusterMonitor is needed";

pub fn metrics(measured: &MongodbMeasurement) -> Metrics {
    let view = View::new(measured);
    let mut metrics = Metrics::new();
    members(&view, &mut metrics);
    replication(&view, &mut metrics);
    let servers = view
        .members()
        .filter_map(|up| up.node.server.as_ref()?.got());
    let fullest = servers.map(used).fold(f64::NEG_INFINITY, f64::max);
    if fullest.is_finite() {
        metrics.percent("connections.used_ratio", (fullest * 1e3).round() / 1e3);
    } else {
        metrics.absent("connections.used_ratio", NO_STATUS);
    }
    match measured.indexes_missing {
        Some(missing) => metrics.count("indexes.missing", missing),
        None => metrics.absent(
            "indexes.missing",
            "no index is declared, or a member could not be asked",
        ),
    };
    match &measured.migrations {
        Some(Answer::Got { value }) => metrics.count("migrations.missing", value.missing),
        Some(_) => metrics.absent("migrations.missing", "the migrations could not be read"),
        None => metrics.absent("migrations.missing", "no migrations are declared"),
    };
    metrics.seconds("settled_after", measured.settle.after_s);
    drill(measured, &mut metrics);
    metrics
}

fn members(view: &View<'_>, metrics: &mut Metrics) {
    if let Some(config) = view.config {
        let voting = config.members.iter().filter(|m| m.votes > 0).count();
        metrics.count("members.total", config.members.len() as u64);
        metrics.count("members.voting", voting as u64);
    } else {
        let mut hosts: Vec<&String> = view.members().flat_map(|up| &up.hello.hosts).collect();
        hosts.sort();
        hosts.dedup();
        if hosts.is_empty() {
            metrics.absent("members.total", NOBODY);
        } else {
            metrics.count("members.total", hosts.len() as u64);
        }
        metrics.absent("members.voting", NO_STATUS);
    }
    if view.anyone() {
        let healthy = view.members().filter(|up| healthy(*up)).count();
        let primaries = view.members().filter(|up| up.is_primary()).count();
        metrics.count("members.healthy", healthy as u64);
        metrics.count("primaries", primaries as u64);
    } else {
        metrics
            .absent("members.healthy", NOBODY)
            .absent("primaries", NOBODY);
    }
}

fn replication(view: &View<'_>, metrics: &mut Metrics) {
    let secondaries = view.members().filter(|up| up.state() == Some(SECONDARY));
    let lags: Vec<Option<f64>> = secondaries.map(|up| view.lag(up)).collect();
    let known: Option<Vec<f64>> = lags.into_iter().collect();
    match known.and_then(|lags| lags.into_iter().reduce(f64::max)) {
        Some(lag) => metrics.seconds("replication_lag.max", lag),
        None => metrics.absent("replication_lag.max", "no secondary told where it is"),
    };
    match view.commit_lag() {
        Some(lag) => metrics.seconds("commit_lag", lag),
        None => metrics.absent("commit_lag", "no primary told what is on a majority"),
    };
    let oplogs: Vec<_> = view
        .data()
        .filter_map(|up| up.node.oplog.as_ref()?.got())
        .collect();
    match oplogs.iter().filter_map(|o| window(o)).reduce(f64::min) {
        Some(window) => metrics.seconds("oplog_window", window),
        None if oplogs.is_empty() => metrics.absent("oplog_window", NO_STATUS),
        None => metrics.absent("oplog_window", "nothing has been written yet"),
    };
    let ages = view
        .members()
        .filter_map(crate::judge::view::Up::status)
        .flat_map(|status| {
            let peers = status.members.iter().filter(|m| !m.me && m.health == 1);
            peers.filter_map(|m| Some(status.date.duration_since(m.heard?).as_secs_f64().max(0.0)))
        });
    match ages.reduce(f64::max) {
        Some(age) => metrics.seconds("heartbeat_age.max", age),
        None => metrics.absent("heartbeat_age.max", NO_STATUS),
    };
    match clock_spread(view) {
        Some(spread) => metrics.seconds("clock_skew", spread),
        None => metrics.absent("clock_skew", "fewer than two clocks were read"),
    };
}

fn drill(measured: &MongodbMeasurement, metrics: &mut Metrics) {
    let drill = measured.drill.as_ref();
    let why = match drill {
        None => "no drill is asked for",
        Some(drill) if drill.not_begun.is_some() => "the drill was not begun",
        Some(_) => "the set did not recover",
    };
    for (name, value) in [
        ("drill.write_gap", drill.and_then(|d| d.write_gap_s)),
        ("drill.recovery", drill.and_then(|d| d.recovered_after_s)),
    ] {
        match value {
            Some(seconds) => metrics.seconds(name, seconds),
            None => metrics.absent(name, why),
        };
    }
}
