//! Does every master have a copy that is connected, up to date, and elsewhere?

use std::collections::{BTreeMap, BTreeSet};

use readygate_sdk::{Checks, Level, Unit, count_of};

use super::{Case, Offender, each};
use crate::{
    address::Entry,
    measurement::{Info, NodeRecord},
    picture::{Member, is_online, short},
    rules,
};

/// A quorum of one or two masters cannot outlive the loss of one.
const FEWEST_MASTERS: u64 = 3;
/// A replica acknowledges every second; three missed are noticed, ten count.
const SLOW_ACK_S: u64 = 3;
const LOST_ACK_S: u64 = 10;

pub(super) fn in_cluster(case: &Case<'_>, checks: &mut Checks) {
    master_count(case, checks);
    copies(case, checks);
    misplaced(case, checks);
    no_failover(case, checks);
    empty(case, checks);
    hosts(case, checks);
    epochs(case, checks);
    links(case, checks);
    behind(case, checks);
}

fn master_count(case: &Case<'_>, checks: &mut Checks) {
    let masters = case.picture.masters().count() as u64;
    let declared = case.config.topology.masters.map(u64::from);
    let holds = declared.map_or(masters >= FEWEST_MASTERS, |n| masters == n);
    let expected = declared.map_or_else(|| format!("at least {FEWEST_MASTERS}"), |n| n.to_string());
    let check = checks
        .check(&rules::MASTER_COUNT, "the cluster")
        .message(format!("{} with slots", answer(masters)))
        .expected(expected)
        .actual(masters.to_string());
    if !holds && case.picture.barred > 0 {
        check.unmeasured("nodes that could not be asked may be masters");
    } else {
        check.passed_if(holds);
    }
}

fn answer(masters: u64) -> String {
    match masters {
        1 => "1 master answers".to_owned(),
        n => format!("{n} masters answer"),
    }
}

fn usable(member: &Member<'_>) -> bool {
    member.node.is_some_and(is_online) && member.marked_by().is_empty() && member.replicates()
}

fn copies(case: &Case<'_>, checks: &mut Checks) {
    let wanted = usize::from(case.config.topology.replicas_per_master.0);
    let count = |m: &Member<'_>| case.picture.replicas_of(m.id).filter(|r| usable(r)).count();
    let short_of = case.picture.masters().filter(|m| count(m) < wanted);
    let short_of: Vec<&Member<'_>> = short_of.collect();
    if !short_of.is_empty() && case.picture.barred > 0 {
        return checks
            .check(&rules::MASTER_WITHOUT_REPLICA, "the cluster")
            .unmeasured("nodes that could not be asked may be replicas");
    }
    let spare: Vec<String> = case
        .picture
        .masters()
        .filter(|m| count(m) > wanted)
        .map(|m| {
            format!(
                "{} has {}",
                m.name(),
                count_of(count(m) as u64, "replica", "replicas")
            )
        })
        .collect();
    let offenders = short_of.into_iter().map(|master| {
        let followers = case.picture.replicas_of(master.id).filter(|r| !usable(r));
        let unusable = followers.map(|r| format!("{} follows it and is not usable", r.name()));
        let n = count(master);
        Offender::new(
            master.name(),
            format!("{} has {}", master.name(), usable_replicas(n)),
        )
        .expected(usable_replicas(wanted))
        .actual(n.to_string())
        .details(unusable.chain(spare.iter().cloned()))
    });
    let offenders = offenders.collect();
    let well = format!("every master that answers has {}", usable_replicas(wanted));
    each(checks, &rules::MASTER_WITHOUT_REPLICA, &well, offenders);
}

fn usable_replicas(n: usize) -> String {
    match n {
        0 => "no usable replica".to_owned(),
        n => count_of(n as u64, "usable replica", "usable replicas"),
    }
}

fn misplaced(case: &Case<'_>, checks: &mut Checks) {
    let wanted = usize::from(case.config.topology.replicas_per_master.0);
    let followers = |m: &Member<'_>| case.picture.replicas_of(m.id).count();
    let lacking: Vec<String> = case
        .picture
        .masters()
        .filter(|m| followers(m) < wanted)
        .map(Member::name)
        .collect();
    let mut offenders = Vec::new();
    for replica in case.picture.replicas() {
        let Some(own) = replica.own else { continue };
        let master = own.master.as_deref().and_then(|id| case.picture.member(id));
        let name = replica.name();
        match master {
            None => {
                let id = own
                    .master
                    .as_deref()
                    .map_or_else(|| "nobody".to_owned(), short);
                offenders.push(Offender::new(
                    &name,
                    format!("{name} follows {id}, which no node knows"),
                ));
            }
            Some(master) if master.own.is_some_and(|own| !own.is("master")) => {
                let message = format!("{name} follows {}, which is no master", master.name());
                offenders.push(Offender::new(&name, message));
            }
            _ => {}
        }
    }
    for master in case.picture.masters().filter(|m| followers(m) > wanted) {
        if let Some(extra) = case.picture.replicas_of(master.id).last()
            && !lacking.is_empty()
        {
            let message = format!(
                "{} has {}, {} has too few; one of them belongs there",
                master.name(),
                count_of(followers(master) as u64, "replica", "replicas"),
                lacking.join(", "),
            );
            offenders.push(Offender::new(extra.name(), message));
        }
    }
    each(
        checks,
        &rules::REPLICA_MISPLACED,
        "every replica follows a master that needs it",
        offenders,
    );
}

fn no_failover(case: &Case<'_>, checks: &mut Checks) {
    let told = case
        .picture
        .replicas()
        .filter(|m| m.own.is_some_and(|own| own.is("nofailover")));
    let offenders = told.map(|m| {
        let message = format!("{} will not take over from its master", m.name());
        Offender::new(m.name(), message).actual("cluster-replica-no-failover yes")
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::REPLICA_NO_FAILOVER,
        "every replica may take over",
        offenders,
    );
}

fn empty(case: &Case<'_>, checks: &mut Checks) {
    if case.picture.masters().next().is_none() {
        return; // a cluster that was never made; said already
    }
    let idle = |m: &&Member<'_>| {
        m.own
            .is_some_and(|own| own.is("master") && own.slots.is_empty())
    };
    let offenders = case.picture.members.iter().filter(idle).map(|m| {
        Offender::new(m.name(), format!("{} is a master without slots", m.name())).actual("0 slots")
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::MASTER_EMPTY,
        "every master has slots",
        offenders,
    );
}

/// The machine that a member is on: as declared, or its announced name, or its address.
fn host(case: &Case<'_>, member: &Member<'_>) -> Option<String> {
    let line = member.line()?;
    let advertised = line
        .address
        .as_deref()
        .and_then(|a| Entry::parse(a).ok())
        .map(|e| e.address);
    let asked = member
        .node
        .and_then(|n| Entry::parse(&n.address).ok())
        .map(|e| e.address);
    let keys = [&asked, &advertised].into_iter().flatten();
    let hosts = &case.config.hosts;
    let mut declared =
        keys.filter_map(|a| hosts.get(&a.to_string()).or_else(|| hosts.get(&a.host)));
    let declared = declared.next().cloned();
    declared
        .or_else(|| line.hostname.clone())
        .or_else(|| advertised.as_ref().map(|a| a.host.clone()))
}

fn hosts(case: &Case<'_>, checks: &mut Checks) {
    let placed = case.picture.members.iter().filter(|m| m.own.is_some());
    let placed: Vec<(&Member<'_>, String)> =
        placed.filter_map(|m| Some((m, host(case, m)?))).collect();
    let distinct: BTreeSet<&str> = placed.iter().map(|(_, host)| host.as_str()).collect();
    let only = distinct.first().copied().unwrap_or_default();
    if distinct.len() <= 1
        && (only.starts_with("127.") || only == "::1" || only == "localhost" || only.is_empty())
    {
        return checks
            .check(&rules::HOST_SHARED, "all nodes")
            .message("all nodes are on the loopback address, which says nothing of machines")
            .pass();
    }
    let host_of = |id: &str| {
        placed
            .iter()
            .find(|(m, _)| m.id == id)
            .map(|(_, h)| h.as_str())
    };
    let mut offenders = Vec::new();
    for (replica, host) in placed.iter().filter(|(m, _)| m.is_replica()) {
        let master = replica.own.and_then(|own| own.master.as_deref());
        if let Some(id) = master
            && host_of(id) == Some(host)
        {
            let master = case
                .picture
                .member(id)
                .map_or_else(|| short(id), Member::name);
            let message = format!(
                "{} and its master {master} are both on {host}",
                replica.name()
            );
            offenders.push(Offender::new(replica.name(), message));
        }
    }
    let mut crowd: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, host) in placed.iter().filter(|(m, _)| m.is_serving_master()) {
        *crowd.entry(host).or_default() += 1;
    }
    let masters: u64 = crowd.values().sum();
    for (host, n) in crowd
        .into_iter()
        .filter(|(_, n)| masters > 1 && n * 2 > masters)
    {
        let message = format!("{n} of {masters} masters are on {host}: a majority goes with it");
        offenders.push(Offender::new(host, message));
    }
    each(
        checks,
        &rules::HOST_SHARED,
        "no machine holds a master and its replica, or most masters",
        offenders,
    );
}

fn epochs(case: &Case<'_>, checks: &mut Checks) {
    let mut by_epoch: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for master in case.picture.masters() {
        if let Some(own) = master.own {
            by_epoch.entry(own.epoch).or_default().push(master.name());
        }
    }
    let shared = by_epoch
        .into_iter()
        .filter(|(_, masters)| masters.len() > 1);
    let offenders = shared.map(|(epoch, masters)| {
        let message = format!("{} share config epoch {epoch}", masters.join(" and "));
        Offender::new(masters[0].clone(), message).actual(epoch.to_string())
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::EPOCH_COLLISION,
        "config epochs are unique",
        offenders,
    );
}

fn infos<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a NodeRecord, &'a Info)> {
    let nodes = case.measurement.nodes.iter();
    nodes.filter_map(|node| node.info.value().map(|info| (node, info.as_ref())))
}

fn is_role(info: &Info, role: &str) -> bool {
    info.replication.role.as_deref() == Some(role)
}

fn links(case: &Case<'_>, checks: &mut Checks) {
    let replicas = infos(case).filter(|(node, info)| is_role(info, "slave") && is_online(node));
    let mut offenders: Vec<Offender> = replicas
        .filter_map(|(node, info)| {
            let replication = &info.replication;
            let link = replication.link.as_deref().unwrap_or("unknown");
            let master = replication.master.as_deref().unwrap_or("its master");
            let doing = if replication.syncing == Some(true) {
                ", a full copy is under way"
            } else {
                ""
            };
            let message = format!("{} is not connected to {master}{doing}", node.address);
            let offender = || {
                Offender::new(&node.address, message)
                    .expected("up")
                    .actual(link)
            };
            (link != "up").then(offender)
        })
        .collect();
    for master in case.picture.masters() {
        let Some(info) = master.node.and_then(|n| n.info.value()) else {
            continue;
        };
        let sees = info
            .replication
            .replicas
            .iter()
            .filter(|r| r.state == "online")
            .count();
        let claim = case
            .picture
            .replicas_of(master.id)
            .filter(|r| usable(r))
            .count();
        if sees < claim {
            let message = format!(
                "{} has {sees} replicas online, {claim} say that they follow it",
                master.name()
            );
            offenders.push(Offender::new(master.name(), message).actual(sees.to_string()));
        }
    }
    each(
        checks,
        &rules::REPLICATION_BROKEN,
        "every replica is connected to its master",
        offenders,
    );
}

/// Both numbers of each pair come from one answer of the master.
fn behind(case: &Case<'_>, checks: &mut Checks) {
    let mut offenders = Vec::new();
    for (node, info) in infos(case).filter(|(_, info)| is_role(info, "master")) {
        let offset = info.replication.offset.unwrap_or(0);
        let backlog = info.replication.backlog_bytes.filter(|b| *b > 0);
        for replica in info
            .replication
            .replicas
            .iter()
            .filter(|r| r.state == "online")
        {
            let bytes = offset.saturating_sub(replica.offset);
            let far = backlog.map_or(0, |backlog| bytes.saturating_mul(2) / backlog);
            let level = match (far, replica.lag_s) {
                (2.., _) | (_, LOST_ACK_S..) => Level::Error,
                (1, _) | (_, SLOW_ACK_S..) => Level::Warning,
                _ => continue,
            };
            let message = format!(
                "{} is {} behind {}, and last acknowledged {} s ago",
                replica.address,
                Unit::Bytes.format(bytes as f64),
                node.address,
                replica.lag_s,
            );
            let expected = backlog.map_or_else(
                || format!("less than {LOST_ACK_S} s"),
                |b| {
                    format!(
                        "less than {LOST_ACK_S} s and {}",
                        Unit::Bytes.format(b as f64)
                    )
                },
            );
            let actual = format!("{} s, {}", replica.lag_s, Unit::Bytes.format(bytes as f64));
            let offender = Offender::new(&replica.address, message).expected(expected);
            offenders.push(offender.actual(actual).level(level));
        }
    }
    each(
        checks,
        &rules::REPLICA_BEHIND,
        "every connected replica keeps up",
        offenders,
    );
}

/// One master and its replicas.
pub(super) fn without_cluster(case: &Case<'_>, checks: &mut Checks) {
    let masters: Vec<(&NodeRecord, &Info)> = infos(case)
        .filter(|(_, info)| is_role(info, "master"))
        .collect();
    let names: Vec<&str> = masters
        .iter()
        .map(|(node, _)| node.address.as_str())
        .collect();
    let message = match names.as_slice() {
        [] => "no node is a master".to_owned(),
        [one] => format!("{one} is the master"),
        many => format!("{} all call themselves master", many.join(", ")),
    };
    let check = checks
        .check(&rules::MASTER_COUNT, "all nodes")
        .message(message)
        .expected("1")
        .actual(names.len().to_string());
    if names.is_empty() && case.picture.barred > 0 {
        check.unmeasured("nodes that could not be asked may be the master");
    } else {
        check.passed_if(names.len() == 1);
    }
    online(case, checks);
    links(case, checks);
    strangers(&masters, case, checks);
    behind(case, checks);
}

/// A replica whose history is not the master's follows someone else.
fn strangers(masters: &[(&NodeRecord, &Info)], case: &Case<'_>, checks: &mut Checks) {
    let [(master, theirs)] = masters else { return };
    let replicas = infos(case).filter(|(_, info)| is_role(info, "slave"));
    let offenders = replicas.filter_map(|(node, info)| {
        let (ours, theirs) = (
            info.replication.replid.as_ref()?,
            theirs.replication.replid.as_ref()?,
        );
        let up = info.replication.link.as_deref() == Some("up");
        (up && ours != theirs).then(|| {
            let follows = info
                .replication
                .master
                .as_deref()
                .unwrap_or("another server");
            let message = format!("{} follows {follows}, not {}", node.address, master.address);
            Offender::new(&node.address, message).actual(follows)
        })
    });
    let offenders = offenders.collect();
    each(
        checks,
        &rules::REPLICA_MISPLACED,
        "every replica has the master's history",
        offenders,
    );
}

fn online(case: &Case<'_>, checks: &mut Checks) {
    let wanted = case.config.wanted_nodes();
    let online = case
        .measurement
        .nodes
        .iter()
        .filter(|n| is_online(n))
        .count() as u64;
    let check = checks
        .check(&rules::NODE_MISSING, "all nodes")
        .message(format!("{online}/{wanted} nodes are online"))
        .expected(wanted.to_string())
        .actual(online.to_string());
    if online < wanted && online + case.picture.barred as u64 >= wanted {
        check.unmeasured(format!("{online}/{wanted} nodes could be asked"));
    } else {
        check.passed_if(online >= wanted);
    }
}

/// Servers that know nothing of each other: each must be a master.
pub(super) fn alone(case: &Case<'_>, checks: &mut Checks) {
    online(case, checks);
    for (node, info) in infos(case) {
        let role = info.replication.role.as_deref().unwrap_or("unknown");
        checks
            .check(&rules::MASTER_COUNT, &node.address)
            .message(format!("{} is a {role}", node.address))
            .expected("master")
            .actual(role)
            .passed_if(role == "master");
    }
}
