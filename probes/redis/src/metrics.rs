//! The scalars of a measurement.

use std::collections::BTreeSet;

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    config::Mode,
    judge::distinct_views,
    measurement::{Contact, Info, RedisMeasurement},
    picture::{Picture, is_online, size},
};

const fn spec(name: &'static str, unit: Unit, summary: &'static str) -> MetricSpec {
    MetricSpec::new(name, unit, summary)
}

pub(crate) const METRICS: &[MetricSpec] = &[
    spec(
        "nodes.known",
        Unit::Count,
        "Nodes that any node knows of, ghosts included",
    ),
    spec(
        "nodes.online",
        Unit::Count,
        "Nodes that answered PING with PONG when asked themselves",
    ),
    spec(
        "nodes.failed",
        Unit::Count,
        "Nodes that do not answer, or that another node marks as failing",
    ),
    spec(
        "masters",
        Unit::Count,
        "Masters that answer; in a cluster, those with slots",
    ),
    spec("replicas", Unit::Count, "Replicas that answer"),
    spec(
        "replicas_per_master.min",
        Unit::Count,
        "Fewest answering replicas of any master",
    ),
    spec(
        "slots.covered",
        Unit::Count,
        "Hash slots, of 16384, whose owner answers and claims them",
    ),
    spec(
        "slots.open",
        Unit::Count,
        "Hash slots on the move between two nodes",
    ),
    spec(
        "views",
        Unit::Count,
        "Different pictures of the cluster among its nodes; 1 is agreement",
    ),
    spec(
        "hit_rate",
        Unit::Percent,
        "Key look-ups that found their key, on all nodes, between the first look and the last",
    ),
    spec(
        "replication_lag.max",
        Unit::Seconds,
        "Longest time since a replica acknowledged, as masters see it; whole seconds",
    ),
    spec(
        "replication_behind.max",
        Unit::Bytes,
        "Most bytes that a replica has not acknowledged yet",
    ),
    spec(
        "memory.used.max",
        Unit::Percent,
        "Highest share of `maxmemory` in use, of nodes that have a limit",
    ),
    spec(
        "fragmentation.max",
        Unit::Count,
        "Highest fragmentation ratio of the allocator",
    ),
    spec(
        "connections.max",
        Unit::Percent,
        "Highest share of `maxclients` in use",
    ),
    spec(
        "evictions.rate",
        Unit::PerSecond,
        "Keys thrown out, on all nodes, between the first look and the last",
    ),
    spec("ping.max", Unit::Seconds, "Slowest answer to PING"),
    spec(
        "settled_after",
        Unit::Seconds,
        "Time until nothing was wrong any more; 0 when all was well at once",
    ),
    spec(
        "server.version",
        Unit::Text,
        "Server and version, of all nodes",
    ),
    spec(
        "drill.write_gap",
        Unit::Seconds,
        "Longest time without an acknowledged write in the failover drill",
    ),
    spec(
        "drill.promotion",
        Unit::Seconds,
        "Longest time until a replica called itself master in the drill",
    ),
];

pub(crate) fn metrics(m: &RedisMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let picture = Picture::of(m);
    nodes(m, &picture, &mut metrics);
    if m.mode == Mode::Cluster {
        cluster(&picture, &mut metrics);
    } else {
        roles(m, &picture, &mut metrics);
    }
    window(m, &mut metrics);
    servers(m, &mut metrics);
    if m.settle.well {
        metrics.seconds("settled_after", m.settle.seconds);
    } else {
        metrics.absent(
            "settled_after",
            "something was still wrong in the last look",
        );
    }
    drill(m, &mut metrics);
    metrics
}

fn nodes(m: &RedisMeasurement, picture: &Picture<'_>, metrics: &mut Metrics) {
    if picture.barred > 0 || m.left_out > 0 {
        let reason = format!("{} could not be asked", picture.barred as u64 + m.left_out);
        for name in ["nodes.known", "nodes.online", "nodes.failed"] {
            metrics.absent(name, &reason);
        }
        return;
    }
    let online = m.nodes.iter().filter(|n| is_online(n)).count();
    let silent = m
        .nodes
        .iter()
        .filter(|n| !is_online(n))
        .map(|n| n.address.clone());
    let marked = picture.members.iter().filter(|m| !m.marked_by().is_empty());
    let failed: BTreeSet<String> = silent
        .chain(marked.map(crate::picture::Member::name))
        .collect();
    let known = match m.mode {
        Mode::Cluster if picture.observers.is_empty() => None,
        Mode::Cluster => Some(picture.members.iter().filter(|m| !m.is_handshake()).count()),
        _ => Some(m.nodes.len()),
    };
    match known {
        Some(known) => metrics.count("nodes.known", known as u64),
        None => metrics.absent("nodes.known", "no node told whom it knows"),
    };
    metrics.count("nodes.online", online as u64);
    metrics.count("nodes.failed", failed.len() as u64);
}

const CLUSTER_ONLY: [&str; 4] = [
    "replicas_per_master.min",
    "slots.covered",
    "slots.open",
    "views",
];

fn cluster(picture: &Picture<'_>, metrics: &mut Metrics) {
    if picture.barred > 0 || picture.observers.is_empty() {
        let reason = if picture.barred > 0 {
            "some nodes could not be asked"
        } else {
            "no node told whom it knows"
        };
        for name in ["masters", "replicas"].into_iter().chain(CLUSTER_ONLY) {
            metrics.absent(name, reason);
        }
        return;
    }
    metrics.count("masters", picture.masters().count() as u64);
    metrics.count("replicas", picture.replicas().count() as u64);
    match picture
        .masters()
        .map(|m| picture.replicas_of(m.id).count())
        .min()
    {
        Some(fewest) => metrics.count("replicas_per_master.min", fewest as u64),
        None => metrics.absent("replicas_per_master.min", "no master answers"),
    };
    metrics.count("slots.covered", size(&picture.covered()));
    metrics.count("slots.open", picture.open().len() as u64);
    metrics.count("views", distinct_views(picture) as u64);
}

fn roles(m: &RedisMeasurement, picture: &Picture<'_>, metrics: &mut Metrics) {
    let role = |role: &str| {
        let infos = m.nodes.iter().filter_map(|n| n.info.value());
        infos
            .filter(|i| i.replication.role.as_deref() == Some(role))
            .count() as u64
    };
    if picture.barred > 0 {
        metrics.absent("masters", "some nodes could not be asked");
        metrics.absent("replicas", "some nodes could not be asked");
    } else {
        metrics.count("masters", role("master"));
        metrics.count("replicas", role("slave"));
    }
    for name in CLUSTER_ONLY {
        metrics.absent(name, "the servers are no cluster");
    }
}

fn window(m: &RedisMeasurement, metrics: &mut Metrics) {
    let window = &m.window;
    let lookups = window.hits + window.misses;
    if window.nodes == 0 {
        let reason = if window.seconds == 0.0 {
            "there was one look only; set `hit_rate: { window: 5s }`, and a `timeout` that leaves time for it"
        } else {
            "no node gave its counters twice"
        };
        metrics.absent("hit_rate", reason);
        metrics.absent("evictions.rate", reason);
        return;
    }
    if lookups < window.min_lookups || lookups == 0 {
        let span = Unit::Seconds.format((window.seconds * 10.0).round() / 10.0);
        metrics.absent(
            "hit_rate",
            format!(
                "{lookups} look-ups within {span}, and fewer than {} say nothing",
                window.min_lookups.max(1)
            ),
        );
    } else {
        metrics.rate("hit_rate", window.hits, lookups);
    }
    let evicted: u64 = window.evicted.values().sum();
    metrics.number(
        "evictions.rate",
        evicted as f64 / window.seconds,
        Unit::PerSecond,
    );
}

fn servers(m: &RedisMeasurement, metrics: &mut Metrics) {
    let online = || m.nodes.iter().filter(|n| n.contact == Contact::Answered);
    let infos: Vec<&Info> = online()
        .filter_map(|n| n.info.value().map(AsRef::as_ref))
        .collect();
    replicas(&infos, metrics);
    load(&infos, metrics);
    let ping = max(online().filter_map(|n| n.ping.value().copied()));
    or_absent(
        metrics,
        "ping.max",
        Unit::Seconds,
        ping,
        "no node answered PING",
    );
    let named = infos.iter();
    let named = named.filter_map(|i| Some(format!("{} {}", i.server, i.version.as_deref()?)));
    let versions: BTreeSet<String> = named.collect();
    if versions.is_empty() {
        metrics.absent("server.version", "no node reports it");
    } else {
        let versions: Vec<String> = versions.into_iter().collect();
        metrics.text("server.version", versions.join(", "));
    }
}

fn replicas(infos: &[&Info], metrics: &mut Metrics) {
    let attached = || {
        infos.iter().flat_map(|info| {
            let offset = info.replication.offset.unwrap_or(0);
            info.replication.replicas.iter().map(move |r| (r, offset))
        })
    };
    let none = "no master reports a replica";
    let lag = max(attached().map(|(r, _)| r.lag_s as f64));
    or_absent(metrics, "replication_lag.max", Unit::Seconds, lag, none);
    let behind = max(attached().map(|(r, offset)| offset.saturating_sub(r.offset) as f64));
    or_absent(metrics, "replication_behind.max", Unit::Bytes, behind, none);
}

fn load(infos: &[&Info], metrics: &mut Metrics) {
    let share = |part: Option<u64>, whole: Option<u64>| {
        Some(100.0 * part? as f64 / whole.filter(|w| *w > 0)? as f64)
    };
    let used = max(infos
        .iter()
        .filter_map(|i| share(i.memory.used, i.memory.max)));
    let none = "no node that answers has a memory limit";
    or_absent(metrics, "memory.used.max", Unit::Percent, used, none);
    let none = "no node reports it";
    let fragmentation = max(infos.iter().filter_map(|i| i.memory.fragmentation));
    or_absent(
        metrics,
        "fragmentation.max",
        Unit::Count,
        fragmentation,
        none,
    );
    let clients = max(infos.iter().filter_map(|i| share(i.clients, i.max_clients)));
    or_absent(metrics, "connections.max", Unit::Percent, clients, none);
}

fn max(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(f64::max)
}

fn or_absent(metrics: &mut Metrics, name: &str, unit: Unit, value: Option<f64>, why: &str) {
    match value {
        Some(value) => metrics.number(name, value, unit),
        None => metrics.absent(name, why),
    };
}

fn drill(m: &RedisMeasurement, metrics: &mut Metrics) {
    let names = ["drill.write_gap", "drill.promotion"];
    let Some(drill) = &m.drill else {
        for name in names {
            metrics.absent(name, "no drill was asked for");
        }
        return;
    };
    let all = |read: fn(&crate::Handover) -> Option<f64>| {
        let values: Option<Vec<f64>> = drill.handovers.iter().map(read).collect();
        values.and_then(|v| max(v.into_iter()))
    };
    let why = "the drill did not come that far";
    or_absent(
        metrics,
        names[0],
        Unit::Seconds,
        all(|h| h.write_gap_s),
        why,
    );
    or_absent(
        metrics,
        names[1],
        Unit::Seconds,
        all(|h| h.promoted_after_s),
        why,
    );
}
