//! Lag, commit point, oplog, elections.

use readygate_sdk::{Checks, Level, Period, Unit};

use super::view::{SECONDARY, Up, View};
use crate::{
    config::MongodbConfig,
    measurement::{Answer, Oplog},
    rules,
};

/// A full oplog drops its oldest entries; the span of one that is not full says nothing yet.
const FULL: f64 = 0.9;
/// So many elections make a pattern.
const SEVERAL: u64 = 3;

pub fn lag(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    for up in view.members().filter(|up| up.state() == Some(SECONDARY)) {
        let check = checks.check(&rules::LAG, &up.node.host);
        let delay = view.entry(up).map_or(0, |entry| entry.delay_s);
        match view.lag(up) {
            None => check.unmeasured("does not say where in the oplog it is"),
            Some(lag) => {
                let besides = if delay > 0 {
                    format!(" besides its delay of {delay} s")
                } else {
                    String::new()
                };
                let limits = (config.limits.lag_warning, config.limits.lag);
                graded(check, "behind the primary", lag, limits, &besides);
            }
        }
    }
    if let Some(primary) = view.primary() {
        let check = checks.check(&rules::COMMIT_LAG, &primary.node.host);
        match view.commit_lag() {
            None => check.unmeasured("does not say what is on a majority"),
            Some(lag) => {
                let limits = (config.limits.commit_lag_warning, config.limits.commit_lag);
                graded(
                    check,
                    "between its newest write and the newest on a majority",
                    lag,
                    limits,
                    "",
                );
            }
        }
    }
}

fn graded(
    check: readygate_sdk::CheckBuilder<'_>,
    what: &str,
    value: f64,
    (warn, fail): (Period, Period),
    besides: &str,
) {
    let message = format!("{} {what}{besides}", Unit::Seconds.format(value));
    let (limit, level) = if value >= fail.0.as_secs_f64() {
        (fail, Level::Error)
    } else {
        (warn, Level::Warning)
    };
    let check = check.message(message).expected(format!("< {limit}"));
    let well = value < warn.0.as_secs_f64();
    let check = if well { check } else { check.level(level) };
    check.passed_if(well);
}

pub fn oplog(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let (warn, fail) = (
        config.limits.oplog_window_warning,
        config.limits.oplog_window,
    );
    for up in view.data() {
        let Some(Answer::Got { value: oplog }) = &up.node.oplog else {
            continue;
        };
        let check = checks.check(&rules::OPLOG, &up.node.host);
        let window = oplog.first.behind(oplog.last);
        let shown = Unit::Seconds.format(window);
        if !full(oplog) {
            // A fresh set, or an enlarged oplog: nothing has been dropped so far.
            let message = format!("not full yet: reaches back {shown} so far");
            check.message(message).pass();
            continue;
        }
        let level = if window < fail.0.as_secs_f64() {
            Level::Error
        } else {
            Level::Warning
        };
        let limit = if level == Level::Error { fail } else { warn };
        let well = window >= warn.0.as_secs_f64();
        let check = check
            .message(format!("reaches back {shown}"))
            .expected(format!(">= {limit}"));
        let check = if well { check } else { check.level(level) };
        check.passed_if(well);
    }
    let answers = view
        .data()
        .filter_map(|up| Some((up.node, up.node.oplog.as_ref()?)));
    super::not_measured(&rules::OPLOG, answers, checks);
}

/// How far an oplog reaches back, in seconds; one that is not full, how far it will at the rate so
/// far. `None` where nothing has happened yet.
pub fn window(oplog: &Oplog) -> Option<f64> {
    let span = oplog.first.behind(oplog.last);
    if full(oplog) {
        return Some(span);
    }
    let growth = oplog.max_size as f64 / oplog.size.max(1) as f64;
    (span > 0.0).then_some((span * growth).round())
}

pub fn full(oplog: &Oplog) -> bool {
    oplog.size as f64 >= FULL * oplog.max_size as f64
}

pub fn elections(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let primary = view.primary();
    let status = primary.and_then(Up::status);
    if let Some((up, status)) = primary.zip(status) {
        let check = checks.check(&rules::ELECTION, &up.node.host);
        // The first term is the birth of the set.
        match status
            .election
            .as_ref()
            .filter(|election| election.term > 1)
        {
            None => check.message("was not elected since it started").pass(),
            Some(election) => {
                let age = status
                    .date
                    .duration_since(election.at)
                    .as_secs_f64()
                    .max(0.0);
                let limit = config.limits.recent_election;
                let shown = Unit::Seconds.format(age.round());
                let message = format!(
                    "became primary {shown} ago ({}), term {}",
                    election.reason, election.term
                );
                let check = check.message(message).expected(format!(">= {limit} ago"));
                check.passed_if(age >= limit.0.as_secs_f64());
            }
        }
    }
    let servers = view
        .members()
        .filter_map(|up| up.node.server.as_ref()?.got());
    let won: u64 = servers
        .clone()
        .filter_map(|server| server.elections_won)
        .sum();
    let uptime = servers
        .map(|server| server.uptime_s)
        .fold(f64::INFINITY, f64::min);
    if uptime.is_finite() {
        // The shortest uptime makes the rate an upper bound; one election is the birth of the set.
        let rate = won.saturating_sub(1) as f64 / (uptime / 3600.0).max(1.0 / 60.0);
        let shown = Unit::Seconds.format(uptime.round());
        let message = format!("{won} elections, the youngest process is up for {shown}");
        let check = checks.check(&rules::ELECTIONS, view.set()).message(message);
        check
            .expected("less than one an hour")
            .passed_if(won <= SEVERAL || rate < 1.0);
    }
}
