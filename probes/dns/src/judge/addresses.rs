//! Addresses of the answers: whether they are public and alive, and how long they may be cached.

use std::{collections::BTreeSet, net::IpAddr};

use readygate_sdk::{Checks, Unit};

use crate::{
    measurement::{Answer, Lookup, Reach},
    names, rules,
};

pub fn private(told: &[&Answer], subject: &str, checks: &mut Checks) {
    let addresses: BTreeSet<IpAddr> = told
        .iter()
        .flat_map(|answer| &answer.records)
        .filter_map(|record| record.parse().ok())
        .collect();
    if addresses.is_empty() {
        return;
    }
    let special: Vec<String> = addresses
        .iter()
        .filter_map(|ip| names::special(*ip).map(|what| format!("{ip} is {what}")))
        .collect();
    let check = checks.check(&rules::PRIVATE_ADDRESS, subject);
    match special.first() {
        None => check.message("every address is a public one").pass(),
        Some(first) => check
            .message(format!("the internet cannot reach it: {first}"))
            .details(special.iter().skip(1).cloned())
            .fail(),
    }
}

pub fn connections(lookup: &Lookup, port: u16, subject: &str, checks: &mut Checks) {
    let addresses: BTreeSet<&String> = lookup.answers.iter().flat_map(|a| &a.records).collect();
    if addresses.is_empty() {
        // There may be no such record on purpose; a missing one is `dns/missing-record`.
        return;
    }
    if lookup.connections.is_empty() || lookup.connections.iter().any(|c| c.port != port) {
        return checks
            .check(&rules::DEAD_ADDRESS, subject)
            .expected(format!("a connection to port {port}"))
            .unmeasured(super::NOT_HELD);
    }
    if addresses.len() > lookup.connections.len() {
        checks
            .check(&rules::DEAD_ADDRESS, subject)
            .hint("a name with so many addresses is best checked in parts")
            .unmeasured(format!(
                "only {} of {} addresses were tried",
                lookup.connections.len(),
                addresses.len()
            ));
    }
    for connection in &lookup.connections {
        let at = if connection.address.contains(':') {
            format!("[{}]:{port}", connection.address)
        } else {
            format!("{}:{port}", connection.address)
        };
        let check = checks
            .check(&rules::DEAD_ADDRESS, format!("{subject} {at}"))
            .expected("a connection");
        match connection.ended {
            Reach::Connected => check.message("it accepts connections").pass(),
            Reach::Refused => check
                .message("the connection is refused")
                .actual("refused")
                .fail(),
            Reach::Timeout => check
                .message("nothing answers in time")
                .actual("silence")
                .fail(),
            Reach::Unreachable => check
                .message("the network says that it cannot be reached")
                .actual("unreachable")
                .fail(),
            Reach::NoRoute => check
                .hint("run the gate from a machine with IPv4 and IPv6")
                .unmeasured("this machine has no way to such addresses"),
        }
    }
}

pub fn time_to_live(
    lookup: &Lookup,
    told: &[&Answer],
    max: f64,
    subject: &str,
    checks: &mut Checks,
) {
    let whole: Vec<&Answer> = lookup
        .authoritative
        .iter()
        .filter(|a| a.authority && a.ttl_max.is_some())
        .collect();
    let format = |ttl: u32| Unit::Seconds.format(f64::from(ttl));
    let check = checks
        .check(&rules::TTL_TOO_LONG, subject)
        .expected(format!("at most {}", Unit::Seconds.format(max)));
    let longest = told
        .iter()
        .copied()
        .chain(whole.iter().copied())
        .filter_map(|a| a.ttl_max.map(|ttl| (ttl, a)))
        .max_by_key(|(ttl, _)| *ttl);
    match longest {
        Some((ttl, answer)) if f64::from(ttl) > max => check
            .message(format!(
                "{} lets it be cached for {}",
                answer.server,
                format(ttl)
            ))
            .actual(format(ttl))
            .fail(),
        // What a resolver has left of a TTL says nothing of the whole.
        Some((ttl, _)) if !whole.is_empty() => check
            .message("the TTL is short enough")
            .actual(format(ttl))
            .pass(),
        _ => check
            .hint("is this the right zone, and does a name server of it answer?")
            .unmeasured("no authoritative server told the TTL"),
    }
}
