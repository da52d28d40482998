//! Judges what the engine measured: first whether it can be relied on, then the target.

use readygate_sdk::{Bound, CheckBuilder, Checks, Comparison, Level, Rule, Unit, count_of};

use super::LEAST_SAMPLES;
use crate::{
    config::{
        LoadConfig, littles_law,
        rate::{grouped, per_second},
    },
    doubts::{self, Doubt},
    engine::report::{Ended, LoadModel, Report, Tally},
    engine::spec::PhaseKind,
    measurement::{EngineRun, seconds_at},
    rules,
    stress::{self, Undone},
};

const SUBJECT: &str = "load";
/// Share of the requests that may stay unsent at the end.
const UNSENT: f64 = 0.01;
/// Fewer late answers than this say nothing.
const FEW: u64 = 10;
/// Share of the requests that may fail where the gate does not say how many may.
pub(super) const FAILED: f64 = 0.01;
/// What to do where more do.
const MAY_FAIL: &str = "look at the log of the target; if so many may fail, say how many: `expect: { error_rate: \"< 5%\" }`";

/// Every rule, in order.
pub(super) fn judge(config: &LoadConfig, run: &EngineRun, checks: &mut Checks) {
    let report = &run.report;
    aborted(report, checks);
    // A stricter bound than the one that the load was made for asks for more precision.
    let own = littles_law::tightest(&config.bounds);
    let tightest = own
        .into_iter()
        .chain(run.aims.tightest)
        .min_by(f64::total_cmp);
    let mut found = doubts::doubts(run, tightest);
    found.extend(doubts::unlike(config, run));
    for rule in doubts::LOOKED_AT {
        let of_rule = |doubt: &&Doubt| doubt.rule.code == rule.code;
        match found.iter().find(of_rule) {
            Some(doubt) => checks
                .check(doubt.rule, SUBJECT)
                .expected(doubt.expected.as_str())
                .actual(doubt.actual.as_str())
                .hint(doubt.rule.fix)
                .details(doubt.details.iter().cloned())
                .unmeasured(doubt.message.as_str()),
            None => fine(rule, run, tightest, checks),
        }
    }
    let sure = found.is_empty();
    requests(config, report, sure, checks);
    slow(report, sure, checks);
    latency(config, run, checks);
    samples(report, checks);
    recovered(run, checks);
    if run.aims.insecure {
        checks.check(&rules::INSECURE, SUBJECT).fail();
    }
}

fn aborted(report: &Report, checks: &mut Checks) {
    let check = checks.check(&rules::ABORTED, SUBJECT);
    let at = |seconds: f64| Unit::Seconds.format((seconds * 10.0).round() / 10.0);
    match &report.ended {
        Ended::Aborted { expr, value, at_s } => check
            .message(format!("aborted at {}: {expr}", at(*at_s)))
            .actual(abort_value(expr, *value))
            .fail(),
        Ended::SafetyStop { reason, at_s } => {
            let message = format!("stopped at {}: {reason}", at(*at_s));
            check.message(message).details(kinds(&whole(report))).fail();
        }
        _ => match &report.stress_ended {
            Some(when) => check
                .message(format!(
                    "nothing stopped the measured load; the stress ended early, {when}"
                ))
                .pass(),
            None => check.message("nothing stopped the load").pass(),
        },
    }
}

/// A value of an abort condition, in the unit that the user wrote.
fn abort_value(expr: &str, value: f64) -> String {
    if expr.contains("error_rate") {
        Unit::Percent.format(value * 100.0)
    } else if expr.contains("throughput") {
        per_second(value)
    } else {
        Unit::Seconds.format(value)
    }
}

/// All phases together, for what happened before anything was measured.
fn whole(report: &Report) -> Tally {
    let mut all = report.measured.clone();
    if all.scheduled == 0 {
        for phase in &report.phases {
            if phase.tally.scheduled > all.scheduled {
                all = phase.tally.clone();
            }
        }
    }
    all
}

/// What was looked at and is as it should be.
fn fine(rule: &'static Rule, run: &EngineRun, tightest: Option<f64>, checks: &mut Checks) {
    let report = &run.report;
    let generator = &report.generator;
    let check = checks.check(rule, SUBJECT);
    if rule.code == rules::INCOMPLETE.code {
        if report.ended == Ended::Complete {
            let length = Unit::Seconds.format(run.aims.asked_s);
            check
                .message(format!("the load ran for {length}, as asked"))
                .pass();
        }
    } else if rule.code == rules::CLIENT_BUSY.code {
        match doubts::busiest(generator) {
            Some(share) => {
                let message = "the workers had CPU to spare";
                let actual = format!("{:.0} % of a core", share * 100.0);
                check.message(message).actual(actual).pass();
            }
            None => check.unmeasured("the system does not tell how busy the workers were"),
        }
    } else if rule.code == rules::STOLEN_TIME.code {
        if let Some(steal) = generator.steal {
            let message = "the machine had its time for itself";
            let actual = format!("{:.1} % taken", steal * 100.0);
            check.message(message).actual(actual).pass();
        }
    } else if rule.code == rules::CLIENT_LATE.code {
        if let Some(lag) = seconds_at(&generator.own_lag, 99.0) {
            let most = Unit::Seconds.format(doubts::patience(tightest));
            check
                .message("requests were sent on time")
                .expected(format!("at most {most} late"))
                .actual(format!("{} in 99 % of all", Unit::Seconds.format(lag)))
                .pass();
        }
    } else if rule.code == rules::RATE_NOT_REACHED.code {
        if report.model == LoadModel::Open && report.measured.scheduled > 0 {
            check
                .message("requests came due at the rate that was asked for")
                .pass();
        }
    } else {
        connected(run, checks);
    }
}

/// Connections that the target refused are its failure.
fn connected(run: &EngineRun, checks: &mut Checks) {
    let connections = &run.report.generator.connections;
    let asked = grouped(&connections.asked.to_string());
    let check = checks.check(&rules::CONNECTIONS_MISSING, SUBJECT);
    if doubts::refused(run) {
        let failed = count_of(connections.failed.total(), "attempt", "attempts");
        return check
            .message(format!("the target did not take all connections: {failed} failed"))
            .expected(format!("{asked} open connections"))
            .actual(grouped(&doubts::there(run).to_string()))
            .details(connections.first_failure.clone())
            .hint("look at the limits of the target: its queue of new connections (somaxconn), worker_connections, files")
            .fail();
    }
    let lost = connections.asked.saturating_sub(connections.lowest);
    let message = if lost > 0 && run.aims.keepalive && run.report.model == LoadModel::Open {
        let lowest = grouped(&connections.lowest.to_string());
        format!("all {asked} connections were open at the start, and never fewer than {lowest}")
    } else {
        format!("all {asked} connections were open")
    };
    check.message(message).pass();
}

fn requests(config: &LoadConfig, report: &Report, sure: bool, checks: &mut Checks) {
    let tally = &report.measured;
    let due = tally.scheduled;
    if due == 0 {
        return checks
            .check(&rules::NO_REQUESTS, SUBJECT)
            .expected("at least one request")
            .hint("the other checks say what kept the load from starting")
            .unmeasured("no request was due in the measured load");
    }
    let made = count_of(due, "request", "requests");
    checks
        .check(&rules::NO_REQUESTS, SUBJECT)
        .message(format!("{made} came due"))
        .pass();
    if tally.completed == 0 {
        return all_failed(tally, SUBJECT, checks);
    }
    checks
        .check(&rules::ALL_FAILED, SUBJECT)
        .message("requests succeeded")
        .pass();
    errors(config, tally, sure, checks);
    if report.routes.len() > 1 {
        routes(report, checks);
    }
}

fn all_failed(tally: &Tally, subject: &str, checks: &mut Checks) {
    let failed = tally.failed();
    let message = match failed {
        1 => "the only request failed".to_owned(),
        n => format!("all {n} requests failed"),
    };
    let check = checks
        .check(&rules::ALL_FAILED, subject)
        .expected("requests that succeed")
        .actual("100 % failed")
        .details(kinds(tally));
    if failed > tally.errors.port_exhausted + tally.errors.file_limit {
        check.message(message).fail();
    } else {
        check.unmeasured(format!(
            "{message} for want of ports or files of this machine"
        ));
    }
}

/// Few requests of one route are lost among those of all, and what is behind a step that always fails
/// is never sent.
fn routes(report: &Report, checks: &mut Checks) {
    for route in &report.routes {
        let (tally, name) = (&route.tally, route.name.as_str());
        if tally.scheduled > 0 && tally.completed == 0 {
            all_failed(tally, name, checks);
        } else if tally.scheduled == 0 && report.ended == Ended::Complete {
            let left_out = report.measured.abandoned;
            let (why, hint) = if left_out > 0 {
                let steps = count_of(left_out, "step was", "steps were");
                (
                    format!("; {steps} left out since an earlier one of the scenario failed"),
                    "look at the routes before it, or make `for` longer if its scenario is rare",
                )
            } else {
                let hint = "make `for` longer, or the rate or the weight of its scenario higher";
                (String::new(), hint)
            };
            checks
                .check(&rules::NO_REQUESTS, name)
                .expected("at least one request")
                .hint(hint)
                .unmeasured(format!("no request was due on this route{why}"));
        }
    }
}

/// A gate that bounds errors says itself how many are too many. One that does not still does not
/// accept that the target fails: a quick error is in no latency.
fn errors(config: &LoadConfig, tally: &Tally, sure: bool, checks: &mut Checks) {
    let (due, failed) = (tally.scheduled, tally.failed());
    let check = checks.check(&rules::ERRORS, SUBJECT);
    if failed == 0 {
        return check.message("no request failed").pass();
    }
    let made = count_of(due, "request", "requests");
    let message = format!("{failed} of {made} failed");
    let percent = Unit::Percent.format(100.0 * failed as f64 / due as f64);
    let check = check
        .actual(format!("{percent} failed"))
        .details(kinds(tally));
    // These have checks of their own.
    let own = &tally.errors;
    let own = own.never_sent + own.port_exhausted + own.file_limit;
    let many = failed.saturating_sub(own) as f64 > due as f64 * FAILED;
    if !many || bounds_errors(config) {
        return check.message(message).expected("no failed request").fail();
    }
    let doubt = (!sure).then_some("or the generator is to blame, which is in doubt itself");
    too_many(check, message, doubt);
}

/// More failed than a gate accepts that bounds no errors. A doubt about the run itself makes that
/// could-not-tell.
pub(super) fn too_many(check: CheckBuilder<'_>, message: String, doubt: Option<&str>) {
    let most = Unit::Percent.format(FAILED * 100.0);
    let check = check
        .expected(format!(
            "at most {most} failed, since the gate bounds no errors"
        ))
        .hint(MAY_FAIL)
        .level(Level::Error);
    match doubt {
        None => check.message(message).fail(),
        Some(doubt) => check.unmeasured(format!("{message}, {doubt}")),
    }
}

pub(super) fn bounds_errors(config: &LoadConfig) -> bool {
    let errors = |bound: &Bound| {
        matches!(bound.metric.as_str(), "error_rate" | "errors")
            && bound.comparison != Comparison::Above
    };
    config.bounds.iter().any(errors)
}

/// Kinds of errors, and statuses where these are among them, the most frequent first.
fn kinds(tally: &Tally) -> Vec<String> {
    let mut all: Vec<(u64, String)> = tally
        .errors
        .by_kind()
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| (n, kind.replace('_', " ")))
        .collect();
    all.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let mut lines: Vec<String> = all
        .into_iter()
        .map(|(n, kind)| format!("{n} x {kind}"))
        .collect();
    if tally.errors.status > 0 {
        let statuses: Vec<String> = tally
            .statuses
            .iter()
            .take(12)
            .map(|(status, n)| format!("{status} ({n})"))
            .collect();
        lines.push(format!("responses by status: {}", statuses.join(", ")));
    }
    lines
}

/// Requests that stayed unsent, or were answered after the load only, beyond what is in flight, while the generator was fine.
fn slow(report: &Report, sure: bool, checks: &mut Checks) {
    let tally = &report.measured;
    if report.model != LoadModel::Open || tally.scheduled == 0 || tally.completed == 0 {
        return;
    }
    let check = checks.check(&rules::TARGET_SLOW, SUBJECT);
    let Some((message, expected)) = behind(report) else {
        return check.message("the target kept up with the load").pass();
    };
    let check = check.expected(expected).details(carried(report));
    if sure {
        check.message(message).fail();
    } else {
        check.unmeasured(format!(
            "{message}, or for the generator, which is in doubt itself"
        ));
    }
}

/// How far the target was behind at the end of the measured load, and what was expected.
fn behind(report: &Report) -> Option<(String, &'static str)> {
    let tally = &report.measured;
    let due = count_of(tally.scheduled, "request", "requests");
    let unsent = tally.errors.never_sent;
    let most = tally.scheduled as f64 * UNSENT;
    let late = Some(tally.late()).filter(|n| *n >= FEW).unwrap_or(0);
    if unsent as f64 > most {
        let unsent = grouped(&unsent.to_string());
        return Some((
            format!(
                "{unsent} of {due} that were due were never sent: all connections waited for the target"
            ),
            "every request sent",
        ));
    }
    let phases = &report.phases;
    let last = phases.iter().rfind(|p| p.kind == PhaseKind::Measure)?;
    let undone = Undone::requests(late + unsent, tally.scheduled, last);
    if undone.is_behind(last, &report.series) {
        let late = grouped(&late.to_string());
        return Some((
            format!(
                "the answers to {late} of {due} came after the end of the measured load, and later than answers usually do"
            ),
            "requests answered as fast as they come due",
        ));
    }
    let backlog = last.backlog?;
    if !Undone::arrivals(last)?.is_behind(last, &report.series) {
        return None;
    }
    let arrivals = count_of(last.arrivals, "request", "requests");
    let backlog = grouped(&backlog.to_string());
    Some((
        format!(
            "{backlog} of {arrivals} were still unsent when the measured load ended: all connections waited for the target"
        ),
        "every request sent when it is due",
    ))
}

/// What the connections carry at the latency that was seen, by Little's law.
fn carried(report: &Report) -> Option<String> {
    let service = &report.measured.service;
    let connections = report.generator.connections.lowest;
    if service.n == 0 || service.mean <= 0.0 || connections == 0 {
        return None;
    }
    let rate = connections as f64 * 1e6 / service.mean;
    Some(format!(
        "{} connections carry {} at the mean of {} that a response took",
        grouped(&connections.to_string()),
        per_second(rate),
        Unit::Seconds.format((service.mean / 10.0).round() / 1e5)
    ))
}

/// What the model says about latency. Of users that wait it may be flattered, and of a search for
/// capacity it says nothing.
fn latency(config: &LoadConfig, run: &EngineRun, checks: &mut Checks) {
    if run.report.measured.response.n == 0 {
        return;
    }
    let accepted = config.accept_closed_model;
    match run.report.model {
        LoadModel::Open => {
            let message = "latency counts from the time at which a request was due";
            checks
                .check(&rules::UNSAFE_LATENCY, SUBJECT)
                .message(message)
                .pass();
        }
        LoadModel::Closed => {
            let message =
                "latency of users that wait (a closed model) is not safe from coordinated omission";
            let check = checks.check(&rules::UNSAFE_LATENCY, SUBJECT);
            if accepted {
                return check.message(format!("{message}; accepted")).pass();
            }
            check
                .message(message)
                .expected("latency from the time at which a request was due")
                .hint("use `open` for what is judged by latency, or accept it with `accept_closed_model: true`")
                .fail();
        }
        LoadModel::Max if !littles_law::judges_latency(&config.bounds) => {}
        LoadModel::Max => {
            let check = checks.check(&rules::CAPACITY_LATENCY, SUBJECT);
            let message = "latency of a search for capacity says nothing about a load";
            if accepted {
                return check.message(format!("{message}; accepted")).pass();
            }
            check.hint(rules::CAPACITY_LATENCY.fix).unmeasured(message);
        }
    }
}

fn samples(report: &Report, checks: &mut Checks) {
    let n = report.measured.response.n;
    if n == 0 {
        return;
    }
    let timed = count_of(n, "request was timed", "requests were timed");
    checks
        .check(&rules::FEW_SAMPLES, SUBJECT)
        .message(timed)
        .expected(format!("at least {LEAST_SAMPLES}"))
        .actual(n.to_string())
        .hint("make `for` longer or the rate higher")
        .passed_if(n >= LEAST_SAMPLES);
}

fn recovered(run: &EngineRun, checks: &mut Checks) {
    let Some(told) = stress::recovery(run) else {
        return;
    };
    let phases = run.report.phases.iter();
    let within = phases
        .filter(|p| p.kind == PhaseKind::Recovery)
        .map(|p| p.asked_s);
    let within = Unit::Seconds.format(within.sum());
    let check = checks.check(&rules::NOT_RECOVERED, SUBJECT);
    let check = check.expected(format!(
        "the latency from before the stress within {within}"
    ));
    match told {
        Ok(seconds) => {
            let after = Unit::Seconds.format(seconds);
            check
                .message(format!("the target recovered {after} after the stress"))
                .pass();
        }
        Err(why) => check
            .message(format!("the target did not recover: {why}"))
            .fail(),
    }
}
