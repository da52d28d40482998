//! Zones and their name servers.

use std::collections::BTreeMap;

use readygate_sdk::{Checks, Level, count_of};

use super::{NOT_HELD, line, mail, said};
use crate::{
    config::{RecordKind, ZoneConfig},
    measurement::{Answer, DnssecFacts, Ended, Lookup, NameServer, Transfer, ZoneFacts},
    rules,
    server::Server,
};

pub fn judge(wanted: &ZoneConfig, zone: &ZoneFacts, records: &[Lookup], checks: &mut Checks) {
    enough(wanted, zone, checks);
    servers(zone, checks);
    serials(zone, checks);
    apex(zone, checks);
    let inside = |lookup: &&Lookup| {
        lookup.name == zone.name || lookup.name.ends_with(&format!(".{}", zone.name))
    };
    for lookup in records.iter().filter(inside) {
        answers(lookup, checks);
    }
    if wanted.refuse_transfer {
        transfers(zone, checks);
    }
    for facts in &zone.dnssec {
        dnssec(facts, &zone.name, checks);
    }
    if let Some(answer) = &zone.spf {
        mail::spf(answer, &zone.name, checks);
    }
    if let (Some(answer), Some(least)) = (&zone.dmarc, wanted.dmarc) {
        mail::dmarc(answer, &zone.name, least, checks);
    }
    missing(wanted, zone, checks);
}

/// What this config asks of the zone, and the record does not hold.
fn missing(wanted: &ZoneConfig, zone: &ZoneFacts, checks: &mut Checks) {
    let servers = wanted.name_servers.iter();
    for server in servers.filter_map(|text| Server::parse(text)) {
        let server = server.to_string();
        if !zone.name_servers.iter().any(|held| held.name == server) {
            checks
                .check(&rules::NAME_SERVER_FAILS, format!("{} {server}", zone.name))
                .unmeasured(NOT_HELD);
        }
    }
    let lacks = [
        (
            &rules::DNSSEC_INVALID,
            wanted.dnssec && zone.dnssec.is_empty(),
        ),
        (&rules::SPF, wanted.spf && zone.spf.is_none()),
        (
            &rules::DMARC,
            wanted.dmarc.is_some() && zone.dmarc.is_none(),
        ),
    ];
    for (rule, _) in lacks.into_iter().filter(|(_, lacks)| *lacks) {
        let check = checks.check(rule, &zone.name);
        check.unmeasured(NOT_HELD);
    }
}

fn enough(wanted: &ZoneConfig, zone: &ZoneFacts, checks: &mut Checks) {
    let least = u64::from(wanted.min_name_servers);
    let check = checks
        .check(&rules::FEW_NAME_SERVERS, &zone.name)
        .expected(count_of(least, "name server", "name servers") + " or more");
    if wanted.name_servers.is_empty() && !zone.delegation.ended.is_told() {
        return check.unmeasured(format!(
            "the name servers are unknown: {}",
            line(&zone.delegation)
        ));
    }
    let mut names: Vec<&str> = zone.name_servers.iter().map(|s| s.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    // Several names of one address are one server.
    let mut places: Vec<&str> = zone
        .name_servers
        .iter()
        .filter_map(|server| server.address.as_deref())
        .collect();
    places.sort_unstable();
    places.dedup();
    let found = names.len().min(places.len()) as u64;
    let actual = count_of(found, "name server", "name servers");
    let message = match zone.delegation.ended {
        Ended::NxDomain if wanted.name_servers.is_empty() => "the zone does not exist".to_owned(),
        _ => format!("the zone has {actual} at different addresses"),
    };
    let unknown = |s: &NameServer| s.unresolved.is_some_and(|ended| !ended.is_told());
    if found < least && zone.name_servers.iter().any(unknown) {
        return check.unmeasured("the addresses of some name servers could not be looked up");
    }
    check
        .message(message)
        .actual(actual)
        .details(names.iter().map(|&name| name.to_owned()))
        .passed_if(found >= least);
}

/// Whether the server answered the SOA question as an authority.
fn well(answer: &Answer) -> bool {
    answer.ended == Ended::Answer && answer.authority
}

fn servers(zone: &ZoneFacts, checks: &mut Checks) {
    // Where not one is heard, it may be this machine that cannot reach any.
    let some_heard = zone.name_servers.iter().any(NameServer::is_heard);
    for server in &zone.name_servers {
        let address = server.address.as_deref().filter(|a| *a != server.name);
        let subject = match address {
            Some(address) => format!("{} {} ({address})", zone.name, server.name),
            None => format!("{} {}", zone.name, server.name),
        };
        let check = checks.check(&rules::NAME_SERVER_FAILS, subject);
        if let Some(ended) = server.unresolved {
            let check = check.expected("an address");
            match ended {
                Ended::NxDomain => check
                    .message("the name of the name server does not exist; whoever registers it answers for the zone")
                    .actual("NXDOMAIN")
                    .fail(),
                Ended::NoData | Ended::Loop | Ended::LongChain => {
                    check.message("the name of the name server has no address").fail();
                }
                _ => check.unmeasured("the address of the name server could not be looked up"),
            }
            continue;
        }
        let by = [("UDP", &server.udp), ("TCP", &server.tcp)];
        let asked: Vec<(&str, &Answer)> = by
            .into_iter()
            .filter_map(|(how, answer)| answer.as_ref().map(|a| (how, a)))
            .collect();
        if asked.iter().any(|(_, a)| a.ended == Ended::NoRoute) || asked.is_empty() {
            // Other machines may have a way; the other addresses are judged.
            check
                .level(Level::Info)
                .unmeasured("this machine has no way to its address");
            continue;
        }
        let bad: Vec<String> = asked
            .iter()
            .filter(|(_, answer)| !well(answer))
            .map(|(how, answer)| format!("by {how}: {}", lame(answer)))
            .collect();
        match bad.first() {
            None => check
                .message("it answers by UDP and TCP, with authority")
                .pass(),
            Some(first) if some_heard => check
                .message(format!("it does not answer for the zone {first}"))
                .details(bad.iter().skip(1).cloned())
                .fail(),
            Some(first) => check
                .hint("does the firewall let this machine ask name servers, by UDP and TCP on port 53?")
                .details(bad.iter().skip(1).cloned())
                .unmeasured(format!("no name server of the zone could be asked; {first}")),
        }
    }
}

fn lame(answer: &Answer) -> String {
    match answer.ended {
        Ended::Answer => "it answers, but not with authority".to_owned(),
        Ended::NoData if !answer.authority => {
            "it is not responsible for the zone (lame delegation)".to_owned()
        }
        _ => said(answer),
    }
}

fn serials(zone: &ZoneFacts, checks: &mut Checks) {
    let mut by_serial: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for server in &zone.name_servers {
        let by = [&server.udp, &server.tcp];
        let answer = by.into_iter().flatten().find(|a| well(a));
        let serial = answer
            .and_then(|a| a.records.first())
            .and_then(|soa| soa.split(' ').nth(2));
        if let Some(serial) = serial {
            let name = server.address.as_deref().unwrap_or(&server.name);
            by_serial.entry(serial.to_owned()).or_default().push(name);
        }
    }
    let check = checks.check(&rules::SERIALS_DIFFER, &zone.name);
    let shown = || {
        let all = by_serial.iter();
        all.map(|(serial, servers)| format!("{serial}: {}", servers.join(", ")))
    };
    match by_serial.len() {
        0 => check.unmeasured("no name server told the version of the zone"),
        1 => check
            .message(format!(
                "all name servers that answer hold version {}",
                by_serial.keys().next().map_or("", String::as_str)
            ))
            .pass(),
        n => check
            .message(format!("name servers hold {n} versions of the zone"))
            .details(shown())
            .fail(),
    }
}

fn apex(zone: &ZoneFacts, checks: &mut Checks) {
    let aliased = zone
        .name_servers
        .iter()
        .find_map(|server| server.apex_alias.as_ref());
    let check = checks.check(&rules::CNAME_CONFLICT, &zone.name);
    match aliased {
        Some(target) => check
            .message("the top of the zone is an alias (CNAME)")
            .actual(target)
            .fail(),
        None if zone.name_servers.iter().any(NameServer::is_heard) => check
            .message("the top of the zone is no alias (CNAME)")
            .pass(),
        None => check.unmeasured("no name server of the zone could be asked"),
    }
}

fn answers(lookup: &Lookup, checks: &mut Checks) {
    let subject = format!("{} {}", lookup.name, lookup.kind);
    let told: Vec<&Answer> = lookup
        .authoritative
        .iter()
        .filter(|answer| answer.authority && answer.ended.is_told())
        .collect();
    let check = checks.check(&rules::SERVERS_DISAGREE, &subject);
    let Some(first) = told.first() else {
        return check.unmeasured("no authoritative server answered for the name");
    };
    let differs = |a: &&&Answer| {
        a.ended != first.ended || a.records != first.records || a.chain != first.chain
    };
    // As among resolvers: a name that is balanced has other addresses at each server on purpose.
    let balanced = matches!(lookup.kind, RecordKind::A | RecordKind::Aaaa)
        && told.iter().all(|a| a.ended == Ended::Answer);
    let is_silent = |a: &&Answer| !a.ended.is_told() && a.ended != Ended::NoRoute;
    let silent: Vec<&Answer> = lookup.authoritative.iter().filter(is_silent).collect();
    let differ = told.iter().any(|a| differs(&a));
    if differ {
        let level = if balanced {
            Level::Warning
        } else {
            rules::SERVERS_DISAGREE.level
        };
        check
            .level(level)
            .message("name servers of the zone give different answers")
            .details(told.iter().map(|a| line(a)))
            .fail();
    } else if silent.is_empty() {
        let n = count_of(told.len() as u64, "name server", "name servers");
        check
            .message(format!("the same answer from {n}"))
            .actual(said(first))
            .pass();
    }
    if let Some(server) = silent.first() {
        checks
            .check(&rules::SERVERS_DISAGREE, &subject)
            .expected("an answer from every name server of the zone")
            .details(silent.iter().skip(1).map(|a| line(a)))
            .unmeasured(format!(
                "{} says nothing of the name: {}",
                server.server,
                said(server)
            ));
    }
}

fn transfers(zone: &ZoneFacts, checks: &mut Checks) {
    for server in &zone.name_servers {
        let Some(address) = &server.address else {
            continue;
        };
        let check = checks
            .check(
                &rules::ZONE_TRANSFER_OPEN,
                format!("{} {address}", zone.name),
            )
            .expected("a refusal");
        match &server.transfer {
            Some(Transfer::Open) => check
                .message("it begins to send the whole zone")
                .actual("a zone transfer")
                .fail(),
            Some(Transfer::Refused) => check.message("it refuses to send the zone").pass(),
            Some(Transfer::Untried(why)) => {
                check.unmeasured(format!("the transfer could not be tried: {why}"));
            }
            None if server
                .udp
                .as_ref()
                .is_some_and(|a| a.ended == Ended::NoRoute) =>
            {
                check
                    .level(Level::Info)
                    .unmeasured("this machine has no way to its address");
            }
            None => check.unmeasured(NOT_HELD),
        }
    }
}

fn dnssec(facts: &DnssecFacts, zone: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::DNSSEC_INVALID, format!("{zone} ({})", facts.server))
        .expected("a validated answer (AD)");
    if facts.root.ended != Ended::Answer {
        return check.unmeasured(format!(
            "the resolver cannot resolve the root zone: {}",
            said(&facts.root)
        ));
    }
    if !facts.root.validated {
        return check
            .hint("name a resolver that validates under `validating`, and reach it directly")
            .unmeasured(
                "the resolver does not validate: its answer for the signed root zone lacks AD",
            );
    }
    let answer = &facts.zone;
    let without_check = facts.unchecked.as_ref();
    match answer.ended {
        Ended::Answer if answer.validated => check.message("the signatures hold").pass(),
        Ended::Answer => check
            .message("the zone is not signed, or its parent does not say so (no DS record)")
            .actual("an answer without AD")
            .fail(),
        Ended::NxDomain | Ended::NoData => check
            .message("the zone does not exist")
            .actual(said(answer))
            .fail(),
        Ended::ServFail if without_check.is_some_and(|a| a.ended.is_told()) => check
            .message(
                "the signatures do not hold: the resolver answers only when told not to validate",
            )
            .actual("SERVFAIL, and an answer with `+cd`")
            .fail(),
        _ => check.unmeasured(format!("the zone does not resolve there: {}", said(answer))),
    }
}
