//! The scalars of a measurement.

use std::collections::HashMap;

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    DnsMeasurement,
    measurement::{Answer, Ended, Lookup},
};

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new(
        "records",
        Unit::Count,
        "Records that the resolvers found, each once",
    ),
    MetricSpec::new("servers", Unit::Count, "Resolvers that were asked"),
    MetricSpec::new(
        "servers.answering",
        Unit::Count,
        "Resolvers that answered every question",
    ),
    MetricSpec::new(
        "servers.agreeing",
        Unit::Count,
        "Most resolvers with the same answer, for the name with the fewest",
    ),
    MetricSpec::new(
        "ttl.min",
        Unit::Seconds,
        "Smallest TTL of a record, as the authoritative servers give it where they are asked",
    ),
    MetricSpec::new(
        "ttl.max",
        Unit::Seconds,
        "Largest TTL of a record or alias, as the authoritative servers give it where they are asked",
    ),
    MetricSpec::new(
        "lookup.max",
        Unit::Seconds,
        "Longest time until a resolver answered",
    ),
    MetricSpec::new(
        "name_servers",
        Unit::Count,
        "Authoritative name servers of the zone with the fewest, by name",
    ),
    MetricSpec::new(
        "name_servers.answering",
        Unit::Count,
        "Addresses of name servers, over all zones, that answer by UDP and TCP with authority",
    ),
];

pub fn metrics(measurement: &DnsMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    metrics.count("servers", measurement.resolvers.len() as u64);
    of_records(&measurement.records, &mut metrics);
    of_zones(measurement, &mut metrics);
    metrics
}

fn of_records(records: &[Lookup], metrics: &mut Metrics) {
    let of_lookups = [
        "records",
        "servers.answering",
        "servers.agreeing",
        "lookup.max",
    ];
    let of_ttl = ["ttl.min", "ttl.max"];
    if records.is_empty() {
        for name in of_lookups.into_iter().chain(of_ttl) {
            metrics.absent(name, "`records` lists none");
        }
        return;
    }
    let told = |answer: &&Answer| answer.ended.is_told();
    let silent = records
        .iter()
        .find(|lookup| !lookup.answers.iter().any(|a| told(&a)));
    if let Some(lookup) = silent {
        let reason = format!("no resolver answered for {} {}", lookup.name, lookup.kind);
        for name in of_lookups.into_iter().chain(of_ttl) {
            metrics.absent(name, &reason);
        }
        return;
    }
    let count: usize = records
        .iter()
        .map(|lookup| {
            let mut all: Vec<&String> = lookup.answers.iter().flat_map(|a| &a.records).collect();
            all.sort();
            all.dedup();
            all.len()
        })
        .sum();
    metrics.count("records", count as u64);
    let servers = records[0].answers.len();
    let answering = (0..servers)
        .filter(|&index| {
            let mut answers = records
                .iter()
                .filter_map(|lookup| lookup.answers.get(index));
            answers.all(|a| told(&a))
        })
        .count();
    metrics.count("servers.answering", answering as u64);
    let agreeing = records.iter().map(largest_group).min().unwrap_or(0);
    metrics.count("servers.agreeing", agreeing as u64);
    let answers = || records.iter().flat_map(|lookup| &lookup.answers);
    let slowest = answers()
        .filter(told)
        .map(|a| a.seconds)
        .fold(0.0, f64::max);
    metrics.seconds("lookup.max", slowest);
    times_to_live(records, metrics);
}

fn largest_group(lookup: &Lookup) -> usize {
    let mut groups: HashMap<(bool, &[String]), usize> = HashMap::new();
    for answer in lookup.answers.iter().filter(|a| a.ended.is_told()) {
        let key = (answer.ended == Ended::NxDomain, answer.records.as_slice());
        *groups.entry(key).or_default() += 1;
    }
    groups.into_values().max().unwrap_or(0)
}

fn times_to_live(records: &[Lookup], metrics: &mut Metrics) {
    let (mut min, mut max) = (None::<u32>, None::<u32>);
    for lookup in records {
        let whole = lookup.authoritative.iter().filter(|a| a.authority);
        let whole: Vec<&Answer> = whole.filter(|a| a.ttl_max.is_some()).collect();
        let from = if whole.is_empty() {
            lookup.answers.iter().collect()
        } else {
            whole
        };
        for answer in from {
            let least = answer.ttl_min.or(answer.ttl_max);
            min = min.into_iter().chain(least).min();
            max = max.into_iter().chain(answer.ttl_max).max();
        }
    }
    for (name, ttl) in [("ttl.min", min), ("ttl.max", max)] {
        match ttl {
            Some(ttl) => metrics.seconds(name, f64::from(ttl)),
            None => metrics.absent(name, "no record was found"),
        };
    }
}

fn of_zones(measurement: &DnsMeasurement, metrics: &mut Metrics) {
    if measurement.zones.is_empty() {
        for name in ["name_servers", "name_servers.answering"] {
            metrics.absent(name, "`zones` lists none");
        }
        return;
    }
    let unknown = measurement
        .zones
        .iter()
        .find(|zone| zone.name_servers.is_empty() && !zone.delegation.ended.is_told());
    if let Some(zone) = unknown {
        for name in ["name_servers", "name_servers.answering"] {
            metrics.absent(
                name,
                format!("the name servers of {} are unknown", zone.name),
            );
        }
        return;
    }
    let fewest = measurement.zones.iter().map(|zone| {
        let mut names: Vec<&str> = zone.name_servers.iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    });
    metrics.count("name_servers", fewest.min().unwrap_or(0) as u64);
    let servers = measurement.zones.iter().flat_map(|zone| &zone.name_servers);
    let well = servers.filter(|server| {
        let by = [&server.udp, &server.tcp];
        let mut asked = by.into_iter().flatten().peekable();
        asked.peek().is_some() && asked.all(|a| a.ended == Ended::Answer && a.authority)
    });
    metrics.count("name_servers.answering", well.count() as u64);
}
