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
};

pub fn judge(config: &DnsConfig, measurement: &DnsMeasurement, checks: &mut Checks) {
    for (wanted, lookup) in config.records.iter().zip(&measurement.records) {
        records::judge(config, measurement, wanted, lookup, checks);
    }
    for (wanted, zone) in config.zones.iter().zip(&measurement.zones) {
        zones::judge(wanted, zone, &measurement.records, checks);
    }
    if let Some(wanted) = &config.caa {
        for facts in &measurement.caa {
            caa::judge(wanted, facts, checks);
        }
    }
}

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
