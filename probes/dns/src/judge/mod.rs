//! Applies the rules to a measurement. Pure.

mod addresses;
mod caa;
mod mail;
mod records;
mod zones;

use readygate_sdk::Checks;

use crate::{
    DnsConfig, DnsMeasurement,
    measurement::{Answer, Ended},
    names, rules,
    server::Server,
};

pub fn judge(config: &DnsConfig, measurement: &DnsMeasurement, checks: &mut Checks) {
    for server in config.servers.iter().filter_map(|text| Server::parse(text)) {
        let server = server.to_string();
        if !measurement.resolvers.contains(&server) {
            checks.check(&rules::NO_ANSWER, server).unmeasured(NOT_HELD);
        }
    }
    for (index, wanted) in config.records.iter().enumerate() {
        let name = names::normal(&wanted.name);
        let held = measurement.records.get(index);
        match held.filter(|l| names::normal(&l.name) == name && l.kind == wanted.kind) {
            Some(lookup) => records::judge(config, measurement, wanted, lookup, checks),
            None => checks
                .check(&rules::NO_ANSWER, format!("{name} {}", wanted.kind))
                .unmeasured(NOT_HELD),
        }
    }
    for (index, wanted) in config.zones.iter().enumerate() {
        let name = names::normal(&wanted.name);
        let held = measurement.zones.get(index);
        match held.filter(|zone| names::normal(&zone.name) == name) {
            Some(zone) => zones::judge(wanted, zone, &measurement.records, checks),
            None => checks
                .check(&rules::NAME_SERVER_FAILS, name)
                .unmeasured(NOT_HELD),
        }
    }
    if let Some(wanted) = &config.caa {
        for facts in &measurement.caa {
            caa::judge(wanted, facts, checks);
        }
        for name in wanted.names.iter().map(|name| name.to_lowercase()) {
            if !measurement.caa.iter().any(|facts| facts.name == name) {
                let check = checks.check(&rules::CAA_FORBIDS, name);
                check.unmeasured(NOT_HELD);
            }
        }
    }
}

/// A record that was made under another config may lack what this one asks for.
const NOT_HELD: &str = "the record does not hold it; measure again";

/// What a server said, as it reads after its name.
pub(crate) fn said(answer: &Answer) -> String {
    let because = |text: &str| {
        if answer.reason.is_empty() {
            text.to_owned()
        } else {
            format!("{text}: {}", answer.reason)
        }
    };
    match answer.ended {
        Ended::Answer => answer.records.join(", "),
        Ended::Alias => format!("an alias to {}", end_of(answer)),
        Ended::NoData => "NOERROR without such a record".to_owned(),
        Ended::NxDomain => "NXDOMAIN".to_owned(),
        Ended::Loop => "aliases in a circle".to_owned(),
        Ended::LongChain => "too many aliases".to_owned(),
        Ended::ServFail => "SERVFAIL".to_owned(),
        Ended::Refused => "REFUSED".to_owned(),
        Ended::OtherCode => because("an error"),
        Ended::Timeout => "no answer in time".to_owned(),
        Ended::Unreachable => because("not reachable"),
        Ended::NoRoute => because("no way to it from here"),
        Ended::Broken => because("no valid answer"),
    }
}

/// The name at the end of a chain.
pub(crate) fn end_of(answer: &Answer) -> &str {
    answer.chain.last().map_or("nothing", |alias| &alias.target)
}

/// `SERVER: what it said`, for details.
pub(crate) fn line(answer: &Answer) -> String {
    format!("{}: {}", answer.server, said(answer))
}
