//! The self-check: what in the generator's own part makes a result unfit to judge the target by.
//!
//! A result that is in doubt is no pass and no failure: a generator at its limit makes a good
//! target look bad, and one that sends less makes a bad target look good.

use readygate_sdk::{Rule, Unit, count_of};

use crate::{
    config::{
        LoadConfig,
        rate::{grouped, per_second},
    },
    engine::report::{Ended, Generator, LoadModel, PhaseReport, Report},
    engine::spec::{Phase, PhaseKind},
    measurement::{EngineRun, seconds_at},
    rules,
};

/// Share of a core that a worker may use, or wait for.
const BUSY: f64 = 0.90;
/// Share of its time that the machine may lose to others.
const STOLEN: f64 = 0.05;
/// Share of the tightest bound that the generator may be late by.
const LATE: f64 = 0.10;
/// The tightest bound where the gate has none on latency, in seconds.
const TIGHTEST: f64 = 0.5;
/// Share of what was asked for that must have been there.
const ENOUGH: f64 = 0.99;

/// One reason not to rely on a result.
pub(crate) struct Doubt {
    pub rule: &'static Rule,
    pub message: String,
    pub expected: String,
    pub actual: String,
    pub details: Vec<String>,
}

impl Doubt {
    fn new(
        rule: &'static Rule,
        message: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            message: message.into(),
            expected: expected.into(),
            actual: actual.into(),
            details: Vec::new(),
        }
    }
}

/// Every doubt, the weightiest first. `tightest` is the shortest latency that is still accepted.
pub(crate) fn doubts(run: &EngineRun, tightest: Option<f64>) -> Vec<Doubt> {
    let report = &run.report;
    let mut all: Vec<Doubt> = incomplete(run).into_iter().collect();
    all.extend(busy(report));
    all.extend(stolen(report));
    all.extend(late(report, tightest));
    all.extend(unreached(report));
    all.extend(missing(run).or_else(|| starved(run)));
    all
}

/// What the gate asks for and the run was not made for: the record may be of an earlier config.
/// More than is asked for is fine.
pub(crate) fn unlike(config: &LoadConfig, run: &EngineRun) -> Vec<Doubt> {
    let report = &run.report;
    let mut all = Vec::new();
    let (asked, made) = (model(config), report.model);
    if asked != made {
        let message = "the load was made by another model than the gate asks for";
        let (asked, made) = (model_said(asked), model_said(made));
        all.push(Doubt::new(&rules::INCOMPLETE, message, asked, made));
    }
    let measured = config.measured().as_secs_f64();
    if is_less(run.aims.asked_s, measured) {
        let message = "the load was made for less time than the gate asks for";
        let (asked, made) = (said(measured), said(run.aims.asked_s));
        all.push(Doubt::new(&rules::INCOMPLETE, message, asked, made));
    }
    all.extend(phases(config, report));
    let open = config.open.as_ref().and_then(|open| open.connections);
    let keepalive = config.sockets.keepalive.unwrap_or(true);
    let connections = report.generator.connections.asked;
    if let Some(asked) = open.filter(|asked| keepalive && u64::from(*asked) > connections) {
        let message = "the load was made over fewer connections than the gate asks for";
        let (asked, made) = (asked.to_string(), connections.to_string());
        let rule = &rules::CONNECTIONS_MISSING;
        all.push(Doubt::new(rule, message, grouped(&asked), grouped(&made)));
    }
    all
}

/// The first phase that is weaker than the one that the gate asks for in its place.
fn phases(config: &LoadConfig, report: &Report) -> Option<Doubt> {
    // A warm-up is not judged.
    let counts = |kind: PhaseKind| kind != PhaseKind::WarmUp;
    let asked = config.phases();
    let mut asked = asked.iter().filter(|phase| counts(phase.kind));
    let mut made = report.phases.iter().filter(|phase| counts(phase.kind));
    asked.find_map(|asked| {
        let Some(made) = made.next() else {
            // What began last was cut off, or there was no more.
            let message = format!("the load had no phase `{}`", asked.name);
            return (report.ended == Ended::Complete)
                .then(|| Doubt::new(&rules::INCOMPLETE, message, "all phases", "fewer phases"));
        };
        weaker(asked, made)
    })
}

fn weaker(asked: &Phase, made: &PhaseReport) -> Option<Doubt> {
    let name = &asked.name;
    let seconds = asked.duration.as_secs_f64();
    if asked.kind != made.kind || is_less(made.asked_s, seconds) {
        let message = format!("the phase `{name}` was made for less than the gate asks for");
        let (asked, made) = (
            said(seconds),
            format!("{}: {}", made.name, said(made.asked_s)),
        );
        return Some(Doubt::new(&rules::INCOMPLETE, message, asked, made));
    }
    if let (Some(asked), Some(made)) = (asked.rate, made.offered)
        && is_less(made, asked)
    {
        let message = format!("the phase `{name}` was made at a lower rate than the gate asks for");
        let (asked, made) = (per_second(asked), per_second(made));
        return Some(Doubt::new(&rules::RATE_NOT_REACHED, message, asked, made));
    }
    if let (Some(asked), Some(made)) = (asked.users, made.users)
        && made < asked
    {
        let message = format!("the phase `{name}` was made by fewer users than the gate asks for");
        let (asked, made) = (grouped(&asked.to_string()), grouped(&made.to_string()));
        return Some(Doubt::new(
            &rules::CONNECTIONS_MISSING,
            message,
            asked,
            made,
        ));
    }
    None
}

fn is_less(made: f64, asked: f64) -> bool {
    made < asked * (1.0 - 1e-6)
}

fn said(seconds: f64) -> String {
    Unit::Seconds.format(seconds)
}

fn model(config: &LoadConfig) -> LoadModel {
    if config.open.is_some() {
        LoadModel::Open
    } else if config.users.is_some() {
        LoadModel::Closed
    } else {
        LoadModel::Max
    }
}

fn model_said(model: LoadModel) -> &'static str {
    match model {
        LoadModel::Open => "`open`",
        LoadModel::Closed => "`users`",
        LoadModel::Max => "`max`",
    }
}

fn at(seconds: f64) -> String {
    Unit::Seconds.format((seconds * 10.0).round() / 10.0)
}

/// The rules that a doubt can be of, for those that were looked at and are fine.
pub(crate) const LOOKED_AT: [&Rule; 6] = [
    &rules::INCOMPLETE,
    &rules::CLIENT_BUSY,
    &rules::STOLEN_TIME,
    &rules::CLIENT_LATE,
    &rules::RATE_NOT_REACHED,
    &rules::CONNECTIONS_MISSING,
];

fn incomplete(run: &EngineRun) -> Option<Doubt> {
    let report = &run.report;
    let asked = run.aims.asked_s;
    let message = match &report.ended {
        // Whatever ended it, the target had its part in it: that is a failure of its own.
        Ended::Aborted { .. } | Ended::SafetyStop { .. } => return None,
        Ended::Complete if report.measured_s >= asked * ENOUGH => return None,
        Ended::Complete => "the load ended early".to_owned(),
        Ended::Interrupted { at_s } => format!("the load was interrupted after {}", at(*at_s)),
        Ended::MaxRequests { at_s } => format!("`max_requests` ended the load after {}", at(*at_s)),
        Ended::Deadline { at_s } => {
            format!(
                "the deadline of the gate ended the load after {}",
                at(*at_s)
            )
        }
        Ended::WorkerLost { reason, at_s } => {
            format!("a worker was lost after {}: {reason}", at(*at_s))
        }
    };
    Some(Doubt {
        rule: &rules::INCOMPLETE,
        message,
        expected: format!("{} of measured load", Unit::Seconds.format(asked)),
        actual: at(report.measured_s),
        details: Vec::new(),
    })
}

/// Share of a core that the busiest worker used or waited for.
pub(crate) fn busiest(generator: &Generator) -> Option<f64> {
    let waiting = |index: usize| generator.waiting.get(index).copied().unwrap_or(0.0);
    let shares = generator.cpu.iter().enumerate();
    shares
        .map(|(index, cpu)| cpu + waiting(index))
        .max_by(f64::total_cmp)
}

fn busy(report: &Report) -> Option<Doubt> {
    let generator = &report.generator;
    let share = busiest(generator).filter(|share| *share > BUSY)?;
    let message = match report.model {
        LoadModel::Max => {
            "the generator, not the target, was the limit: the target's capacity is above what was measured"
        }
        _ => "the busiest worker had hardly any CPU to spare",
    };
    let workers = generator.cpu.iter().enumerate().take(16);
    let details = workers.map(|(index, cpu)| {
        let waiting = generator.waiting.get(index).copied().unwrap_or(0.0);
        format!(
            "worker {}: {:.0} % of a core used, {:.0} % waited for",
            index + 1,
            cpu * 100.0,
            waiting * 100.0
        )
    });
    Some(Doubt {
        rule: &rules::CLIENT_BUSY,
        message: message.to_owned(),
        expected: "at most 90 % of a core".to_owned(),
        actual: format!("{:.0} %", share * 100.0),
        details: details.collect(),
    })
}

fn stolen(report: &Report) -> Option<Doubt> {
    let share = report.generator.steal.filter(|share| *share > STOLEN)?;
    Some(Doubt {
        rule: &rules::STOLEN_TIME,
        message: "the hypervisor took time from this machine during the load".to_owned(),
        expected: "at most 5 % of the time".to_owned(),
        actual: format!("{:.1} %", share * 100.0),
        details: Vec::new(),
    })
}

/// The longest that the generator may be late by, in seconds.
pub(crate) fn patience(tightest: Option<f64>) -> f64 {
    tightest.unwrap_or(TIGHTEST) * LATE
}

fn late(report: &Report, tightest: Option<f64>) -> Option<Doubt> {
    let most = patience(tightest);
    let lag = seconds_at(&report.generator.own_lag, 99.0).filter(|lag| *lag > most)?;
    let of = match tightest {
        Some(tightest) => format!("a tenth of {}", Unit::Seconds.format(tightest)),
        None => "without a bound on latency".to_owned(),
    };
    Some(Doubt {
        rule: &rules::CLIENT_LATE,
        message: "one request in a hundred was sent late, and not because of the target".to_owned(),
        expected: format!("at most {} ({of})", Unit::Seconds.format(most)),
        actual: format!("{} or more", Unit::Seconds.format(lag)),
        details: Vec::new(),
    })
}

/// Arrivals are due by the clock alone; where they are missing, the generator did not get to them.
fn unreached(report: &Report) -> Option<Doubt> {
    if report.model != LoadModel::Open {
        return None;
    }
    let measured = report
        .phases
        .iter()
        .filter(|p| p.kind == PhaseKind::Measure);
    let short = measured.filter_map(|phase| {
        let asked = phase.offered? * phase.ran_s.min(phase.asked_s);
        // The first seconds' rounding must not count, nor the chance in random arrivals.
        let chance = 4.0 * asked.sqrt() + 1.0;
        let enough = asked.min((asked - chance).max(0.0).max(asked * ENOUGH - chance));
        ((phase.arrivals as f64) < enough).then_some((phase, asked))
    });
    let details: Vec<String> = short
        .map(|(phase, asked)| {
            let arrivals = grouped(&phase.arrivals.to_string());
            let rate = per_second(phase.arrivals as f64 / phase.ran_s.max(1e-9));
            let asked = grouped(&format!("{asked:.0}"));
            format!(
                "{}: {arrivals} of {asked} requests came due, {rate}",
                phase.name
            )
        })
        .collect();
    let first = details.first()?.clone();
    Some(Doubt {
        rule: &rules::RATE_NOT_REACHED,
        message: "the generator did not reach the rate that was asked for".to_owned(),
        expected: "99 % of the arrivals".to_owned(),
        actual: first,
        details: details.into_iter().skip(1).collect(),
    })
}

/// Connections that are missing for want of ports, files or time: what the target refuses is its own
/// failure.
fn missing(run: &EngineRun) -> Option<Doubt> {
    let connections = &run.report.generator.connections;
    let failed = &connections.failed;
    let own = failed.port_exhausted + failed.file_limit;
    if !short(run) || (own == 0 && refused(run)) {
        return None;
    }
    let there = there(run);
    let mut details = Vec::new();
    for (n, what) in [
        (failed.port_exhausted, "had no local port"),
        (failed.file_limit, "were over the limit of open files"),
    ] {
        if n > 0 {
            details.push(format!("{} {what}", count_of(n, "attempt", "attempts")));
        }
    }
    details.extend(connections.first_failure.clone());
    details.extend(run.report.generator.notes.iter().cloned());
    Some(Doubt {
        rule: &rules::CONNECTIONS_MISSING,
        message: format!(
            "{} of {} connections were open",
            grouped(&there.to_string()),
            grouped(&connections.asked.to_string())
        ),
        expected: format!(
            "{} open connections",
            grouped(&connections.asked.to_string())
        ),
        actual: grouped(&there.to_string()),
        details,
    })
}

/// Requests that found no port or no file of this machine: where each opens a connection of its own,
/// or one that was lost could not be opened again.
fn starved(run: &EngineRun) -> Option<Doubt> {
    let errors = &run.report.measured.errors;
    let (ports, files) = (errors.port_exhausted, errors.file_limit);
    let n = ports + files;
    if n == 0 {
        return None;
    }
    let mut details = Vec::new();
    for (n, what) in [(ports, "no local port"), (files, "no open file to spare")] {
        if n > 0 {
            details.push(format!("{what}: {}", count_of(n, "request", "requests")));
        }
    }
    details.extend(run.report.generator.notes.iter().cloned());
    let failed = count_of(n, "request", "requests");
    Some(Doubt {
        rule: &rules::CONNECTIONS_MISSING,
        message: format!("this machine had no connection for {failed}"),
        expected: "a connection for each request".to_owned(),
        actual: format!("{} without", grouped(&n.to_string())),
        details,
    })
}

/// Whether connections were missing at the start, or got lost for good.
fn short(run: &EngineRun) -> bool {
    let connections = &run.report.generator.connections;
    connections.ready < connections.asked || there(run) < connections.ready
}

/// Connections that were there: those of the start, or fewer where they could not be opened again.
pub(crate) fn there(run: &EngineRun) -> u64 {
    let connections = &run.report.generator.connections;
    let lost = run.aims.keepalive
        && connections.failed.total() > 0
        && run.report.measured_s >= 1.0
        // One or two may just be opening.
        && ((connections.lowest + 2) as f64) < connections.asked as f64 * 0.9;
    if lost {
        connections.ready.min(connections.lowest)
    } else {
        connections.ready
    }
}

/// Whether the target refused connections, or did not answer to them.
pub(crate) fn refused(run: &EngineRun) -> bool {
    let failed = &run.report.generator.connections.failed;
    let theirs = failed.connect + failed.tls + failed.timeout + failed.reset + failed.closed;
    theirs > 0 && short(run)
}
