//! Applies the rules of Locust. Could not tell is never passed.

use readygate_reports::judge::capped;
use readygate_sdk::{Checks, Unit, count_of};

use super::{config::LocustConfig, facts::LocustFacts, rules};
use crate::measurement::LoadMeasurement;

/// The part of the run that Locust may miss its rate by: starting offsets and the last wait.
const RATE_SHARE: f64 = 0.95;

pub(crate) fn judge(
    config: Option<&LocustConfig>,
    measurement: &LoadMeasurement,
    checks: &mut Checks,
) {
    let (facts, config) = match (&measurement.locust, config) {
        (Some(facts), Some(config)) => (facts, config),
        (Some(_), None) => {
            return checks
                .check(&rules::LOCUST_RUN, "Locust")
                .unmeasured("the record is of a run of Locust, which this gate does not ask for");
        }
        (None, Some(_)) => {
            return checks
                .check(&rules::LOCUST_RUN, "Locust")
                .unmeasured("the record is of no run of Locust");
        }
        (None, None) => return,
    };
    run(config, facts, checks);
    workers(facts, checks);
    users(config, facts, checks);
    cpu(facts, checks);
    test(facts, checks);
    if facts.void().is_none() {
        rate(config, facts, measurement, checks);
    }
}

fn said(words: &str) -> Vec<String> {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let from = lines.len().saturating_sub(12);
    lines[from..].to_vec()
}

fn run(config: &LocustConfig, facts: &LocustFacts, checks: &mut Checks) {
    let check = checks.check(&rules::LOCUST_RUN, "Locust");
    let asked = config.duration.0.as_secs_f64();
    let least = asked.max(facts.window_asked) * 0.98;
    let asked = Unit::Seconds.format(asked);
    let workers = facts.workers.iter().filter(|w| !w.words.is_empty());
    let workers: Vec<String> = workers
        .flat_map(|w| {
            said(&w.words)
                .into_iter()
                .map(move |line| format!("{}: {line}", w.name))
        })
        .collect();
    let details = said(&facts.words).into_iter().chain(workers);
    let check = check.expected(format!("a measurement of {asked}"));
    if let Some(why) = &facts.aborted {
        return check
            .hint(rules::LOCUST_RUN.fix)
            .details(details)
            .unmeasured(format!("the run was ended early: {why}"));
    }
    let ended = facts.master.as_deref().unwrap_or("was ended");
    if !facts.finished {
        return check
            .actual(format!("the master {ended}"))
            .hint(rules::LOCUST_RUN.fix)
            .details(details)
            .unmeasured("Locust did not go through to the end of its run");
    }
    let Some(window) = facts.window.filter(|w| *w >= least) else {
        let window = facts
            .window
            .map_or_else(|| "none".to_owned(), |w| Unit::Seconds.format(w));
        return check
            .actual(window)
            .details(details)
            .unmeasured("the measurement was shorter than asked for");
    };
    check
        .message(format!(
            "a master and {} measured for {}",
            count_of(facts.seen(), "worker", "workers"),
            Unit::Seconds.format(window)
        ))
        .pass();
}

fn workers(facts: &LocustFacts, checks: &mut Checks) {
    let gone = facts.gone();
    let seen = facts.seen();
    let check = checks
        .check(&rules::LOCUST_WORKERS, "workers")
        .expected(count_of(u64::from(facts.expected), "worker", "workers"));
    if gone.is_empty() && !facts.finished && seen >= u64::from(facts.expected) {
        return check.unmeasured("the run did not go to its end, so nobody knows who stayed");
    }
    if gone.is_empty() && seen >= u64::from(facts.expected) {
        return check
            .message(format!(
                "{} stayed to the end",
                count_of(seen, "worker", "workers")
            ))
            .pass();
    }
    let n = gone.len() as u64;
    let why = gone.first().cloned();
    let why = match n {
        0 => format!("{} came", count_of(seen, "worker", "workers")),
        1 => why.unwrap_or_default(),
        n => format!("{n} workers: {}", gone.join("; ")),
    };
    check
        .actual(count_of(seen, "worker was seen", "workers were seen"))
        .hint(rules::LOCUST_WORKERS.fix)
        .details(capped(gone.into_iter(), n))
        .unmeasured(why);
}

fn users(config: &LocustConfig, facts: &LocustFacts, checks: &mut Checks) {
    let asked = u64::from(config.users);
    let check = checks
        .check(&rules::LOCUST_USERS, "users")
        .expected(asked.to_string());
    match facts.users_least {
        Some(least) if least >= asked && !facts.finished => {
            check.unmeasured("the run did not go to its end");
        }
        Some(least) if least >= asked => check
            .message(format!(
                "{} at work throughout",
                count_of(asked, "user was", "users were")
            ))
            .pass(),
        Some(least) => check
            .actual(format!("{least} at the fewest"))
            .hint(rules::LOCUST_USERS.fix)
            .unmeasured("fewer users were at work than asked for"),
        None => check
            .hint(rules::LOCUST_USERS.fix)
            .unmeasured("the measurement never began, so no user was counted"),
    }
}

fn cpu(facts: &LocustFacts, checks: &mut Checks) {
    for worker in facts.workers.iter().filter(|w| w.seen) {
        let check = checks
            .check(&rules::LOCUST_CPU, &worker.name)
            .expected("at most 90 % of a core");
        let Some(most) = worker.cpu_most else {
            check.unmeasured("it never said how much CPU it takes");
            continue;
        };
        let most = Unit::Percent.format((most * 10.0).round() / 10.0);
        if worker.is_hot() {
            check
                .actual(most)
                .hint(rules::LOCUST_CPU.fix)
                .unmeasured("the worker was short of CPU, so its latencies are partly its own");
        } else {
            check
                .message(format!("the worker took {most} of a core at the most"))
                .pass();
        }
    }
}

fn test(facts: &LocustFacts, checks: &mut Checks) {
    let check = checks.check(&rules::LOCUST_TEST, "the test");
    if facts.exceptions.is_empty() {
        if facts.finished {
            return check.message("the test raised no error").pass();
        }
        return check.unmeasured("Locust did not come so far as to say");
    }
    let n = facts.exceptions.len() as u64;
    check
        .details(capped(facts.exceptions.iter().cloned(), n))
        .fail();
}

/// Requests of all kinds: a target that fails them quickly got the load all the same, and its errors
/// are another matter.
fn rate(
    config: &LocustConfig,
    facts: &LocustFacts,
    measurement: &LoadMeasurement,
    checks: &mut Checks,
) {
    let Some(asked) = config.rate.map(|rate| rate.0) else {
        if let Some(made) = facts.rate_asked {
            let made = Unit::PerSecond.format(made);
            checks
                .check(&rules::LOCUST_RATE, "rate")
                .unmeasured(format!(
                    "the run kept to {made}, and the gate asks for users that think"
                ));
        }
        return;
    };
    let total = measurement.total.as_ref();
    let check = checks.check(&rules::LOCUST_RATE, "rate").expected(format!(
        "at least {}",
        Unit::PerSecond.format(asked * RATE_SHARE)
    ));
    let made = total.and_then(|total| total.requests.zip(total.duration));
    let Some((made, seconds)) = made.filter(|(_, seconds)| *seconds > 0.0) else {
        return check.unmeasured("no rate is known");
    };
    let reached = made as f64 / seconds;
    let shown = Unit::PerSecond.format((reached * 10.0).round() / 10.0);
    let check = check.actual(shown);
    // The target was not asked for more, so it is not to blame.
    if let Some(tried) = facts
        .rate_asked
        .filter(|tried| *tried < asked * (1.0 - 1e-9))
    {
        return check.unmeasured(format!(
            "the run tried {} only, and the gate asks for {}",
            Unit::PerSecond.format(tried),
            Unit::PerSecond.format(asked)
        ));
    }
    if facts.rate_asked.is_none() {
        return check.unmeasured("the run kept to no rate");
    }
    check
        .message(format!("{} was asked for", Unit::PerSecond.format(asked)))
        .passed_if(reached >= asked * RATE_SHARE);
}
