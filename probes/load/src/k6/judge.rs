//! Applies the rules of k6. Could not tell is never passed.

use readygate_reports::judge::capped;
use readygate_sdk::{Checks, Unit, count_of, process::Ended};

use super::{
    config::K6Config,
    facts::{self, Counted, K6Facts, Segment},
    rules,
};
use crate::measurement::LoadMeasurement;

/// Share of the requests due that must have been made; the first and the last may fall outside.
const RATE_SHARE: f64 = 0.99;

/// By what the gate asks for: the record may be of an earlier config, with other bounds.
pub(crate) fn judge(config: Option<&K6Config>, measurement: &LoadMeasurement, checks: &mut Checks) {
    let (facts, config) = match (&measurement.k6, config) {
        (Some(facts), Some(config)) => (facts, config),
        (Some(_), None) => {
            return checks
                .check(&rules::K6_RUN, "k6")
                .unmeasured("the record is of a run of k6, which this gate does not ask for");
        }
        (None, Some(_)) => {
            return checks
                .check(&rules::K6_RUN, "k6")
                .unmeasured("the record is of no run of k6");
        }
        (None, None) => return,
    };
    for segment in &facts.segments {
        run(segment, checks);
        if segment.summary {
            script(segment, checks);
        }
    }
    if facts.segments.is_empty() {
        checks
            .check(&rules::K6_RUN, "k6")
            .unmeasured("no process was started");
    }
    if facts.broken().is_some() {
        return;
    }
    let most = most_lag(config);
    let late = facts.worst_lag().is_some_and(|lag| lag > most);
    if facts.rate_asked.is_some() {
        lag(facts, most, checks);
        dropped(facts, late, checks);
    }
    rate(config, facts, checks);
    for (percentile, period) in &config.bounds {
        let (percent, seconds) = (percentile.percent(), period.0.as_secs_f64());
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let same = |b: &&Counted| near(b.percent, percent) && near(b.seconds, seconds);
        match facts.bounds.iter().find(same) {
            Some(bound) => within(bound, late, checks),
            None => checks
                .check(&rules::K6_BOUND, format!("p{percent}"))
                .expected(format!(
                    "{} of the requests within {}",
                    Unit::Percent.format(percent),
                    Unit::Seconds.format(seconds)
                ))
                .hint("run it again: requests are counted by bounds while they are made")
                .unmeasured(
                    "the run had another bound, so nobody counted the requests within this one",
                ),
        }
    }
    errors(config, measurement, checks);
}

fn most_lag(config: &K6Config) -> f64 {
    let bounds = config.bounds.values();
    facts::most_lag(bounds.map(|period| period.0.as_secs_f64()))
}

fn said(words: &str) -> Vec<String> {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let n = lines.len() as u64;
    capped(lines.into_iter().take(12), n.min(12))
}

fn run(segment: &Segment, checks: &mut Checks) {
    let check = checks.check(&rules::K6_RUN, &segment.name);
    if segment.went_through() {
        let message = if segment.ended == Some(Ended::Code(99)) {
            "it ended; a threshold of this part alone was crossed, and the sum is judged below"
        } else {
            "it ended with exit code 0"
        };
        return check.message(message).pass();
    }
    check
        .expected("exit code 0 and a summary")
        .actual(segment.meaning())
        .hint(rules::K6_RUN.fix)
        .details(said(&segment.words))
        .unmeasured(format!("{} {}", segment.name, segment.meaning()));
}

fn script(segment: &Segment, checks: &mut Checks) {
    let thrown = segment.started.saturating_sub(segment.done);
    let iterations = count_of(segment.started, "iteration", "iterations");
    let check = checks.check(&rules::K6_SCRIPT, &segment.name);
    if segment.done > 0 && thrown == 0 {
        return check.message(format!("{iterations} went through")).pass();
    }
    let reason = match segment.started {
        0 => "no iteration began while it measured".to_owned(),
        _ => format!("{thrown} of {iterations} did not go through the test"),
    };
    check
        .hint(rules::K6_SCRIPT.fix)
        .details(said(&segment.words))
        .unmeasured(reason);
}

fn lag(facts: &K6Facts, most: f64, checks: &mut Checks) {
    let check = checks.check(&rules::K6_LAG, "k6").expected(format!(
        "at most {} at the 99th percentile",
        Unit::Seconds.format(most)
    ));
    match facts.worst_lag() {
        None => check.unmeasured("k6 did not tell how late it began"),
        Some(lag) if lag <= most => check
            .message(format!(
                "requests began up to {} late",
                Unit::Seconds.format(lag)
            ))
            .pass(),
        Some(lag) => check
            .actual(Unit::Seconds.format(lag))
            .hint(rules::K6_LAG.fix)
            .unmeasured("k6 was late with its own requests, so it was short of CPU"),
    }
}

fn dropped(facts: &K6Facts, late: bool, checks: &mut Checks) {
    let n: u64 = facts.segments.iter().map(|s| s.dropped).sum();
    let check = checks.check(&rules::K6_DROPPED, "k6").expected("none");
    if n == 0 {
        return check.message("every request that was due was sent").pass();
    }
    let by_segment = facts.segments.iter().filter(|s| s.dropped > 0);
    let lines: Vec<String> = by_segment
        .map(|s| format!("{}: {}", s.name, s.dropped))
        .collect();
    let total = lines.len() as u64;
    let users = count_of(facts.users_asked, "user", "users");
    let check = check
        .actual(n.to_string())
        .details(capped(lines.into_iter(), total));
    let message = format!("{n} requests that were due were never sent: all {users} were waiting");
    if late {
        return check
            .hint(rules::K6_LAG.fix)
            .unmeasured(format!("{message}, and k6 was short of CPU"));
    }
    check.message(message).fail();
}

/// What the run was made for, where that is less than the gate asks for.
fn asked_less(config: &K6Config, facts: &K6Facts) -> Option<String> {
    let least = 1.0 - 1e-9;
    let window = config.duration.0.as_secs_f64();
    if facts.window_asked < window * least {
        return Some(format!(
            "the run was to measure {}, and the gate asks for {}",
            Unit::Seconds.format(facts.window_asked),
            Unit::Seconds.format(window)
        ));
    }
    match (facts.rate_asked, config.rate.map(|rate| rate.0)) {
        (Some(made), Some(asked)) if made < asked * least => Some(format!(
            "the run was made for {}, and the gate asks for {}",
            Unit::PerSecond.format(made),
            Unit::PerSecond.format(asked)
        )),
        (None, Some(_)) => Some("the run kept to no rate, and the gate asks for one".to_owned()),
        (Some(_), None) => Some("the run kept to a rate, and the gate asks for users".to_owned()),
        (None, None) if facts.users_asked < u64::from(config.vus()) => Some(format!(
            "the run was made with {}, and the gate asks for {}",
            count_of(facts.users_asked, "user", "users"),
            config.vus()
        )),
        _ => None,
    }
}

fn rate(config: &K6Config, facts: &K6Facts, checks: &mut Checks) {
    if let Some(reason) = asked_less(config, facts) {
        return checks
            .check(&rules::K6_RATE, "k6")
            .hint("run it again with this config")
            .unmeasured(reason);
    }
    let Some(rate) = facts.rate_asked else { return };
    let due = rate * facts.window_asked;
    let made: u64 = facts.segments.iter().map(|s| s.started).sum();
    let least = (due * RATE_SHARE - facts.segments.len() as f64)
        .floor()
        .max(1.0);
    let check = checks
        .check(&rules::K6_RATE, "k6")
        .expected(format!("at least {least} requests"))
        .actual(made.to_string());
    if made as f64 >= least {
        return check
            .message(format!(
                "{made} of {} requests that were due were made",
                due.round()
            ))
            .pass();
    }
    check
        .hint(rules::K6_RATE.fix)
        .unmeasured("fewer requests were made than asked for");
}

fn within(bound: &Counted, late: bool, checks: &mut Checks) {
    let asked = Unit::Percent.format(bound.percent);
    let limit = Unit::Seconds.format(bound.seconds);
    let check = checks
        .check(&rules::K6_BOUND, format!("p{}", bound.percent))
        .expected(format!("{asked} of the requests within {limit}"));
    if bound.of == 0 {
        return check.unmeasured("no request was made");
    }
    // As many must lie above the percentile as it takes for one of them to be seen.
    let least = (10.0 / (1.0 - bound.percent / 100.0)).ceil();
    if (bound.of as f64) < least {
        let reason = format!(
            "{} made; it takes {least}",
            count_of(bound.of, "request was", "requests were")
        );
        return check.hint("let the run be longer").unmeasured(reason);
    }
    let share = 100.0 * bound.within as f64 / bound.of as f64;
    let shown = Unit::Percent.format((share * 1e3).floor() / 1e3);
    if late && share < bound.percent {
        let reason = "too few requests were within the bound, and k6 itself was late";
        return check
            .actual(shown)
            .hint(rules::K6_LAG.fix)
            .unmeasured(reason);
    }
    check
        .message(format!(
            "{} of {} requests succeeded within {limit}",
            bound.within, bound.of
        ))
        .actual(shown)
        .passed_if(share >= bound.percent);
}

fn errors(config: &K6Config, measurement: &LoadMeasurement, checks: &mut Checks) {
    let Some(most) = config.max_error_rate.map(|share| share.0) else {
        return;
    };
    let total = measurement.total.as_ref();
    let counts = total.and_then(|total| Some((total.errors?, total.requests?)));
    let check = checks
        .check(&rules::K6_ERRORS, "requests")
        .expected(format!("at most {} failed", Unit::Percent.format(most)));
    let Some((errors, requests)) = counts.filter(|(_, n)| *n > 0) else {
        return check.unmeasured("no request was made");
    };
    // Rule of three: none of n failures is a rate below 3/n with 95 % confidence.
    let share = 100.0 * errors as f64 / requests as f64;
    let least = if most > 0.0 {
        (300.0 / most).ceil()
    } else {
        1.0
    };
    let message = format!("{errors} of {requests} requests failed");
    if share <= most && (requests as f64) < least {
        let reason = format!("{message}; to show a rate this low takes {least} requests");
        return check.hint("let the run be longer").unmeasured(reason);
    }
    check
        .message(message)
        .actual(Unit::Percent.format(share))
        .passed_if(share <= most);
}
