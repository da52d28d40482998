//! Versions and clocks.

use std::collections::BTreeMap;

use readygate_sdk::{Checks, Level, Unit};

use super::view::View;
use crate::{config::MongodbConfig, measurement::Answer, rules};

pub fn versions(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let mut by_version: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for up in view.members() {
        if let Some(server) = up.node.server.as_ref().and_then(Answer::got) {
            by_version
                .entry(&server.version)
                .or_default()
                .push(&up.node.host);
        }
    }
    let majors: Vec<u32> = by_version
        .keys()
        .filter_map(|v| v.split('.').next()?.parse().ok())
        .collect();
    let apart = majors
        .iter()
        .max()
        .zip(majors.iter().min())
        .map_or(0, |(max, min)| max - min);
    if !by_version.is_empty() {
        let check = checks.check(&rules::VERSIONS, view.set());
        let shown: Vec<_> = by_version.keys().copied().collect();
        let check = check.expected("one version").actual(shown.join(", "));
        let check = if apart > 1 {
            check.level(Level::Error)
        } else {
            check
        };
        let on = |(version, hosts): (&&str, &Vec<&str>)| format!("{version}: {}", hosts.join(", "));
        if by_version.len() == 1 {
            check.message("all members run the same version").pass();
        } else {
            check.details(by_version.iter().map(on)).fail();
        }
    }
    let answers = view
        .members()
        .filter_map(|up| Some((up.node, up.node.server.as_ref()?)));
    super::not_measured(&rules::VERSIONS, answers, checks);
    feature_version(view, checks);
    clocks(config, view, checks);
}

fn feature_version(view: &View<'_>, checks: &mut Checks) {
    let mut seen = Vec::new();
    for up in view.data() {
        let Some(fcv) = up.node.fcv.as_ref().and_then(Answer::got) else {
            continue;
        };
        seen.push(fcv.as_str());
        let Some(server) = up.node.server.as_ref().and_then(Answer::got) else {
            continue;
        };
        let program: Vec<_> = server.version.splitn(3, '.').take(2).collect();
        let program = program.join(".");
        let check = checks.check(&rules::FCV, &up.node.host);
        check
            .message(format!(
                "feature compatibility version {fcv}, program {}",
                server.version
            ))
            .expected(&program)
            .passed_if(*fcv == program);
    }
    seen.sort_unstable();
    seen.dedup();
    if seen.len() > 1 {
        let message = "the members have different feature compatibility versions";
        let check = checks
            .check(&rules::FCV, view.set())
            .message(message)
            .level(Level::Error);
        check.actual(seen.join(", ")).fail();
    }
    let answers = view
        .data()
        .filter_map(|up| Some((up.node, up.node.fcv.as_ref()?)));
    super::not_measured(&rules::FCV, answers, checks);
}

/// Largest difference between the clocks of two members, in seconds.
pub fn clock_spread(view: &View<'_>) -> Option<f64> {
    let offsets: Vec<f64> = view.up().filter_map(|up| up.node.clock_offset_s).collect();
    let most = offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = offsets.iter().copied().fold(f64::INFINITY, f64::min);
    (offsets.len() > 1).then_some(((most - least) * 1e3).round() / 1e3)
}

fn clocks(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let Some(spread) = clock_spread(view) else {
        return;
    };
    let limit = config.limits.clock_skew;
    let of = |up: super::view::Up<'_>| {
        let offset = up.node.clock_offset_s?;
        Some(format!(
            "{}: {} from ours",
            up.node.host,
            Unit::Seconds.format(offset)
        ))
    };
    let check = checks
        .check(&rules::CLOCK, view.set())
        .expected(format!("< {limit}"));
    let check = check.actual(Unit::Seconds.format(spread));
    if spread < limit.0.as_secs_f64() {
        check.message("the clocks of the members agree").pass();
    } else {
        check.details(view.up().filter_map(of)).fail();
    }
}
