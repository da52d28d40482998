//! Applies the rules to what was observed.

use readygate_sdk::{Checks, count_of};

use super::{
    config::{MAX_GROWTH, ObserveConfig},
    measurement::{Missed, Observed, Resources},
    metrics, rules,
};

/// Share of the looks that must have told something.
const ENOUGH: f64 = 0.8;

/// Each source first, then what became of the process and its memory.
pub fn judge(config: &ObserveConfig, observed: &Observed, checks: &mut Checks) {
    let within = |at: f64| {
        observed
            .window
            .is_some_and(|(from, to)| at >= from && at <= to)
    };
    if let Some(resources) = &observed.resources {
        let seen = resources.looks.iter().filter(|look| within(look.at_s));
        source(&resources.subject, seen.count(), &resources.missed, checks);
        ended(resources, checks);
        leak(config, observed, resources, checks);
    }
    if let Some(redis) = &observed.redis {
        let seen = redis.looks.iter().filter(|look| within(look.at_s));
        source("Redis", seen.count(), &redis.missed, checks);
    }
    for query in &observed.prometheus {
        let seen = query.looks.iter().filter(|(at, _)| within(*at)).count();
        let name = format!("Prometheus query {}", query.name);
        source(&name, seen, &query.missed, checks);
    }
    if let Some(cache) = &observed.cache {
        let seen = cache.looks.iter().filter(|(at, _)| within(*at)).count();
        source("cache headers", seen, &cache.missed, checks);
    }
}

/// Whether it could be watched.
fn source(subject: &str, seen: usize, missed: &Missed, checks: &mut Checks) {
    let why = missed.why.as_deref();
    let all = seen as u64 + missed.looks;
    let told = format!("{seen} of {}", count_of(all, "look", "looks"));
    let check = checks
        .check(&rules::NOT_OBSERVED, subject)
        .expected("seen while the load was measured")
        .actual(told.clone());
    if seen == 0 {
        let reason = why.unwrap_or("there was no time to look");
        check.unmeasured(format!("it was not seen: {reason}"));
    } else if (seen as f64) < ENOUGH * all as f64 {
        let reason = why.unwrap_or("no reason is known");
        check.unmeasured(format!("it was seen in {told} only: {reason}"));
    } else {
        check.message("it was watched").pass();
    }
}

fn ended(resources: &Resources, checks: &mut Checks) {
    if resources.looks.is_empty() {
        return;
    }
    let check = checks.check(&rules::PROCESS_ENDED, &resources.subject);
    match resources.ended_s {
        None => check.message("it ran throughout").pass(),
        Some(at) => check
            .message(format!(
                "it ended, or was started anew, about {at:.0} s after watching began"
            ))
            .expected("one process throughout")
            .fail(),
    }
}

/// Where nobody asked for it, a run that is too short to tell is no fault.
fn leak(config: &ObserveConfig, observed: &Observed, resources: &Resources, checks: &mut Checks) {
    let bound = config.max_growth.unwrap_or(MAX_GROWTH);
    let slope = metrics::slope(resources, observed.window).and_then(|slope| {
        // Growth above the bound that may as well be below it.
        if slope.percent_per_hour > bound && slope.low <= bound {
            Err(format!(
                "memory changes by {:.2} % an hour, but varies so much that it may be {:.2} (95 % \
                 confidence over {} minutes); a longer run tells",
                slope.percent_per_hour, slope.low, slope.minutes
            ))
        } else {
            Ok(slope)
        }
    });
    if slope.is_err() && config.max_growth.is_none() {
        return;
    }
    let check = checks
        .check(&rules::MEMORY_LEAK, &resources.subject)
        .expected(format!("at most {bound} % an hour"));
    match slope {
        Err(why) => check.unmeasured(why),
        Ok(slope) => check
            .message(format!(
                "memory changes by {:.2} % an hour over {} minutes from {:.0} MB on",
                slope.percent_per_hour,
                slope.minutes,
                slope.level / 1e6
            ))
            .actual(format!("{:.2} % an hour", slope.percent_per_hour))
            .passed_if(slope.percent_per_hour <= bound),
    }
}
