//! Is each server fit to serve: memory, disk, connections, settings?

use readygate_sdk::{Checks, Level, Unit};

use super::{Case, Offender, each, fix, together};
use crate::{
    config::Role,
    measurement::{Info, NodeRecord},
    picture::is_online,
    rules,
};

/// Shares of `maxmemory` that are noticed, and that count.
const NEARLY_FULL: f64 = 80.0;
const FULL: f64 = 90.0;
/// Below this the fragmentation of an idle server is all overhead.
const WORTH_DEFRAGMENTING: u64 = 100_000_000;
const FRAGMENTED: f64 = 1.5;
const SWAPPED: f64 = 1.0;
const LOW_HIT_RATE: f64 = 60.0;

type Server<'a> = (&'a NodeRecord, &'a Info);

pub(super) fn judge(case: &Case<'_>, checks: &mut Checks) {
    let nodes = case
        .measurement
        .nodes
        .iter()
        .filter(|n| is_online(n) || n.ping.error().is_some());
    let servers: Vec<Server<'_>> = nodes
        .filter_map(|n| Some((n, n.info.value()?.as_ref())))
        .collect();
    if servers.is_empty() {
        return;
    }
    writes(&servers, checks);
    guards(case, &servers, checks);
    saves(&servers, checks);
    persistence(case, &servers, checks);
    snapshots(case, &servers, checks);
    memory(&servers, checks);
    policy(case, &servers, checks);
    counters(case, checks);
    fragmentation(&servers, checks);
    hit_rate(case, checks);
    versions(&servers, checks);
}

fn is_master(info: &Info) -> bool {
    info.replication.role.as_deref() == Some("master")
}

fn writes(servers: &[Server<'_>], checks: &mut Checks) {
    let guarded = servers.iter().filter(|(_, info)| is_master(info));
    let offenders = guarded.filter_map(|(node, info)| {
        let good = info.replication.good_replicas?;
        let wanted = node
            .settings
            .value()
            .and_then(|s| s.min_replicas)
            .unwrap_or(1);
        (good < wanted).then(|| {
            let message = format!("{} refuses writes: {good} good replicas", node.address);
            Offender::new(&node.address, message)
                .expected(format!("at least {wanted} (min-replicas-to-write)"))
                .actual(good.to_string())
        })
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::WRITES_REFUSED,
        "no master refuses writes for want of replicas",
        offenders,
    );
}

fn guards(case: &Case<'_>, servers: &[Server<'_>], checks: &mut Checks) {
    if case.config.role != Some(Role::Store) {
        return;
    }
    let open = servers.iter().filter(|(node, info)| {
        let settings = node.settings.value();
        is_master(info) && settings.is_some_and(|s| s.min_replicas == Some(0))
    });
    let names: Vec<&str> = open.map(|(node, _)| node.address.as_str()).collect();
    let words = (
        "no master is known to take writes alone",
        "masters that take writes without any replica (min-replicas-to-write 0)",
    );
    together(checks, &rules::NO_WRITE_GUARD, words, Level::Info, &names);
}

fn saves(servers: &[Server<'_>], checks: &mut Checks) {
    let mut offenders = Vec::new();
    for (node, info) in servers {
        let persistence = &info.persistence;
        for (what, status) in [
            ("rdb_last_bgsave_status", &persistence.rdb_status),
            ("aof_last_write_status", &persistence.aof_write_status),
            ("aof_last_bgrewrite_status", &persistence.aof_rewrite_status),
        ] {
            if let Some(status) = status.as_deref().filter(|s| *s != "ok") {
                let message = format!("{} says {what}:{status}", node.address);
                offenders.push(
                    Offender::new(&node.address, message)
                        .expected("ok")
                        .actual(status),
                );
            }
        }
    }
    each(
        checks,
        &rules::PERSISTENCE_FAILING,
        "the last save of every node went well",
        offenders,
    );
}

fn persistence(case: &Case<'_>, servers: &[Server<'_>], checks: &mut Checks) {
    let level = match case.config.role {
        Some(Role::Cache) => return,
        Some(Role::Store) => Level::Warning,
        None => Level::Info,
    };
    let mut known = false;
    let mut names = Vec::new();
    for (node, info) in servers.iter().filter(|(_, info)| is_master(info)) {
        let Some(settings) = node.settings.value() else {
            continue;
        };
        known = true;
        if settings.save.as_deref() == Some("") && info.persistence.aof == Some(false) {
            names.push(node.address.as_str());
        }
    }
    if known {
        let words = (
            "every master saves to disk",
            "masters with neither save points nor an append-only file",
        );
        together(checks, &rules::NOT_PERSISTENT, words, level, &names);
    }
}

fn snapshots(case: &Case<'_>, servers: &[Server<'_>], checks: &mut Checks) {
    let Some(limit) = case.config.max_snapshot_age else {
        return;
    };
    let now = case.measurement.taken_at.as_second();
    for (node, info) in servers.iter().filter(|(_, info)| is_master(info)) {
        let check = checks
            .check(&rules::SNAPSHOT_OLD, &node.address)
            .hint(fix(&rules::SNAPSHOT_OLD, &node.address))
            .expected(format!("at most {limit}"));
        let uptime = info.uptime_s.and_then(|s| i64::try_from(s).ok());
        let (Some(saved), Some(uptime)) = (info.persistence.rdb_last_save, uptime) else {
            check.unmeasured(format!("{} does not say when it saved", node.address));
            continue;
        };
        // Before the first save the field holds the time of the start.
        let never = info
            .persistence
            .rdb_saves
            .map_or(saved <= now - uptime + 1, |saves| saves == 0);
        let age = if never { uptime } else { (now - saved).max(0) };
        let shown = Unit::Seconds.format(age as f64);
        let late = age as f64 > limit.0.as_secs_f64();
        if never && !late {
            check.unmeasured(format!(
                "{} has not saved since its start {shown} ago",
                node.address
            ));
        } else {
            let what = if never {
                "has not saved since its start"
            } else {
                "saved"
            };
            check
                .message(format!("{} {what} {shown} ago", node.address))
                .actual(shown)
                .passed_if(!late);
        }
    }
}

fn memory(servers: &[Server<'_>], checks: &mut Checks) {
    let limited = servers.iter().filter_map(|(node, info)| {
        let (used, max) = (info.memory.used?, info.memory.max.filter(|m| *m > 0)?);
        let evicts = info.memory.policy.as_deref() != Some("noeviction");
        Some((node, used, max, 100.0 * used as f64 / max as f64, evicts))
    });
    let offenders = limited.filter(|(.., share, evicts)| !evicts && *share >= NEARLY_FULL);
    let offenders = offenders.map(|(node, used, max, share, _)| {
        let shown = |bytes: u64| Unit::Bytes.format(bytes as f64);
        let message = format!(
            "{} uses {} of its {}",
            node.address,
            shown(used),
            shown(max)
        );
        Offender::new(&node.address, message)
            .expected(format!("below {FULL} %"))
            .actual(Unit::Percent.format(share.round()))
            .level(if share >= FULL {
                Level::Error
            } else {
                Level::Warning
            })
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::MEMORY_FULL,
        "no server is at its memory limit",
        offenders,
    );
    let unlimited = servers
        .iter()
        .filter(|(_, info)| info.memory.max == Some(0));
    let names: Vec<&str> = unlimited.map(|(node, _)| node.address.as_str()).collect();
    let words = ("every server has a memory limit", "without a memory limit");
    together(checks, &rules::MEMORY_UNLIMITED, words, Level::Info, &names);
}

fn policy(case: &Case<'_>, servers: &[Server<'_>], checks: &mut Checks) {
    let Some(role) = case.config.role else { return };
    let offenders = servers.iter().filter_map(|(node, info)| {
        let policy = info.memory.policy.as_deref()?;
        let evicts = policy != "noeviction";
        let (fits, what) = match role {
            Role::Cache => (evicts || info.memory.max == Some(0), "a cache"),
            Role::Store => (!evicts || policy.starts_with("volatile"), "a store"),
        };
        let message = format!("{} is {what} with maxmemory-policy {policy}", node.address);
        (!fits).then(|| Offender::new(&node.address, message).actual(policy))
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::POLICY_MISMATCH,
        "the eviction policies fit",
        offenders,
    );
}

fn counters(case: &Case<'_>, checks: &mut Checks) {
    let window = &case.measurement.window;
    if window.nodes == 0 {
        return;
    }
    let span = Unit::Seconds.format((window.seconds * 10.0).round() / 10.0);
    let level = match case.config.role {
        Some(Role::Store) => Level::Error,
        Some(Role::Cache) => Level::Info,
        None => Level::Warning,
    };
    let evicted = window.evicted.iter().map(|(node, n)| {
        let message = format!("{node} threw {n} keys away within {span}");
        Offender::new(node, message)
            .expected("0")
            .actual(n.to_string())
            .level(level)
    });
    let evicted = evicted.collect();
    each(
        checks,
        &rules::EVICTING,
        "no keys were thrown away",
        evicted,
    );
    let rejected = window.rejected.iter().map(|(node, n)| {
        let message = format!("{node} turned {n} connections away within {span}");
        Offender::new(node, message)
            .expected("0")
            .actual(n.to_string())
    });
    let rejected = rejected.collect();
    each(
        checks,
        &rules::REJECTING_CONNECTIONS,
        "no connection was turned away",
        rejected,
    );
}

fn fragmentation(servers: &[Server<'_>], checks: &mut Checks) {
    let offenders = servers.iter().filter_map(|(node, info)| {
        info.memory
            .used
            .filter(|used| *used > WORTH_DEFRAGMENTING)?;
        let (ratio, resident) = (info.memory.fragmentation?, info.memory.resident?);
        let (shown, expected) = if resident < SWAPPED {
            (
                format!(
                    "{} is partly swapped out: resident/used is {resident}",
                    node.address
                ),
                "at least 1",
            )
        } else if ratio >= FRAGMENTED {
            (
                format!("{} has a fragmentation ratio of {ratio}", node.address),
                "below 1.5",
            )
        } else {
            return None;
        };
        Some(Offender::new(&node.address, shown).expected(expected))
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::FRAGMENTED,
        "memory is not fragmented where it matters",
        offenders,
    );
}

fn hit_rate(case: &Case<'_>, checks: &mut Checks) {
    let window = &case.measurement.window;
    let lookups = window.hits + window.misses;
    if case.config.role != Some(Role::Cache) || lookups == 0 || lookups < window.min_lookups {
        return;
    }
    let rate = 100.0 * window.hits as f64 / lookups as f64;
    checks
        .check(&rules::HIT_RATE_LOW, "all nodes")
        .message(format!(
            "{} of {lookups} look-ups found their key",
            window.hits
        ))
        .expected(format!("at least {LOW_HIT_RATE} %"))
        .actual(Unit::Percent.format((rate * 10.0).round() / 10.0))
        .passed_if(rate >= LOW_HIT_RATE);
}

fn versions(servers: &[Server<'_>], checks: &mut Checks) {
    let name = |info: &Info| format!("{} {}", info.server, info.version.as_deref().unwrap_or("?"));
    let mut all: Vec<String> = servers.iter().map(|(_, info)| name(info)).collect();
    all.sort();
    all.dedup();
    let offenders = if all.len() > 1 {
        let lines = servers
            .iter()
            .map(|(node, info)| format!("{}: {}", node.address, name(info)));
        vec![
            Offender::new(
                "all nodes",
                format!("different versions: {}", all.join(", ")),
            )
            .expected("one version")
            .actual(all.len().to_string())
            .details(lines),
        ]
    } else {
        Vec::new()
    };
    let well = format!("all run {}", all.first().map_or("", String::as_str));
    each(checks, &rules::VERSION_SKEW, &well, offenders);
}
