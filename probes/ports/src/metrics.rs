//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    PortsMeasurement,
    measurement::{AddressFacts, PortState, StoreAnswer},
};

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "ports",
        Unit::Count,
        "Ports that were looked at, each once for every address",
    ),
    MetricSpec::new(
        "open",
        Unit::Count,
        "Of these, those that accept connections",
    ),
    MetricSpec::new(
        "closed",
        Unit::Count,
        "Of these, those that refuse them (RST)",
    ),
    MetricSpec::new(
        "filtered",
        Unit::Count,
        "Of these, those of which nothing answers",
    ),
    MetricSpec::new(
        "unreachable",
        Unit::Count,
        "Of these, those that the network cannot reach, or this machine has no way to",
    ),
    MetricSpec::new(
        "stores.open",
        Unit::Count,
        "Data stores that serve anybody who connects",
    ),
    MetricSpec::new(
        "connect.max",
        Unit::Seconds,
        "Longest time until an open port accepted",
    ),
];

pub fn metrics(measurement: &PortsMeasurement) -> Metrics {
    let lists = [&measurement.open, &measurement.closed, &measurement.stores];
    let ports = || lists.into_iter().flatten();
    let mut metrics = Metrics::new();
    if let Some(port) = ports().find(|port| port.addresses.is_empty()) {
        let reason = format!("the host of {} cannot be looked up", port.place);
        for spec in METRICS {
            metrics.absent(spec.name, &reason);
        }
        return metrics;
    }
    let all = || ports().flat_map(|port| &port.addresses);
    let count = |wanted: &[PortState]| all().filter(|a| wanted.contains(&a.state)).count() as u64;
    metrics
        .count("ports", all().count() as u64)
        .count("open", count(&[PortState::Open]))
        .count("closed", count(&[PortState::Closed]))
        .count("filtered", count(&[PortState::Filtered]))
        .count(
            "unreachable",
            count(&[
                PortState::Unreachable,
                PortState::NoRoute,
                PortState::Untried,
            ]),
        );
    let served = |a: &&AddressFacts| {
        let answer = a.store.as_ref().map(|store| store.answer);
        answer == Some(StoreAnswer::Served)
    };
    let asked = all().filter(|a| a.store.is_some()).count();
    if asked > 0 {
        metrics.count("stores.open", all().filter(served).count() as u64);
    } else {
        metrics.absent("stores.open", "no store was asked");
    }
    let times = all()
        .filter(|a| a.state == PortState::Open)
        .map(|a| a.seconds);
    match times.reduce(f64::max) {
        Some(longest) => metrics.seconds("connect.max", longest),
        None => metrics.absent("connect.max", "no port is open"),
    };
    metrics
}
