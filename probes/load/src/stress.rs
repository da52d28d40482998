//! What more load than asked for did: the knee, and the way back.

use crate::{
    engine::report::{LoadModel, PhaseReport, Report, Second},
    engine::spec::PhaseKind,
    measurement::{EngineRun, seconds_at},
};

/// Share of the arrivals that must be sent and answered for a step to hold, and this while it lasts:
/// what is worked off later, in the next step or while the load is drained, was not held.
const KEPT_UP: f64 = 0.99;
/// A backlog that comes due in less than this, in seconds, is none.
const MOMENT: f64 = 0.1;
/// Latency counts as recovered when it is at most so many times what it was before.
const RECOVERED: f64 = 1.25;
/// ... or at most so much more, where it was next to nothing, in microseconds.
const HAIR_US: f64 = 1_000.0;
/// For so many seconds on end.
const STEADY: usize = 3;

/// A value, or why there is none.
pub(crate) type Told = Result<f64, String>;

/// Whether there was a stress phase.
pub(crate) fn is_stressed(report: &Report) -> bool {
    report
        .phases
        .iter()
        .any(|phase| phase.kind == PhaseKind::Stress)
}

/// The highest load that still held: arrivals a second, or of users what they got answered a second.
pub(crate) fn knee(run: &EngineRun) -> Told {
    let report = &run.report;
    let base = report.phases.iter().rfind(|p| p.kind == PhaseKind::Measure);
    let Some(base) = base else {
        return Err("no load was measured".to_owned());
    };
    let bounds_latency = run.aims.ceilings.keys().any(|name| name != "error_rate");
    if !bounds_latency {
        if report.model != LoadModel::Open {
            return Err(
                "users wait for the target and never fall behind: only a bound on latency can tell which load held"
                    .to_owned(),
            );
        }
        if base.backlog.is_none() {
            return Err(
                "neither the backlog nor a bound on latency tells which load held".to_owned(),
            );
        }
    }
    if let Err(why) = holds(run, base) {
        return Err(format!("the measured load itself did not hold: {why}"));
    }
    let steps = report.phases.iter().filter(|p| p.kind == PhaseKind::Stress);
    let mut last = base;
    for step in steps {
        if step.ran_s < step.asked_s * KEPT_UP || holds(run, step).is_err() {
            break;
        }
        last = step;
    }
    let got = last.tally.delivered() as f64 / last.asked_s.max(1e-9);
    Ok(last.offered.unwrap_or(got))
}

/// Why a phase broke, if it did: what the gate expects of the measured load, and that the target
/// kept up.
fn holds(run: &EngineRun, phase: &PhaseReport) -> Result<(), String> {
    let tally = &phase.tally;
    if tally.scheduled == 0 {
        return Err("nothing was sent".to_owned());
    }
    let answered = tally.completed as f64 / tally.scheduled as f64;
    let ceilings = &run.aims.ceilings;
    if answered < KEPT_UP && !ceilings.contains_key("error_rate") {
        return Err(format!(
            "{:.1} % of the requests were answered",
            answered * 100.0
        ));
    }
    if (phase.arrivals_sent as f64) < phase.arrivals as f64 * KEPT_UP {
        return Err("not all requests could be sent".to_owned());
    }
    if phase.backlog.is_some_and(|n| is_behind(n, phase)) {
        return Err("requests were still unsent at its end".to_owned());
    }
    if ((tally.delivered() + tally.failed()) as f64) < tally.scheduled as f64 * KEPT_UP {
        return Err("the target answered too few of the requests while it lasted".to_owned());
    }
    for (metric, ceiling) in ceilings {
        let value = match metric.as_str() {
            "error_rate" => tally.error_rate().map(|rate| rate * 100.0),
            "latency.mean" => (tally.response.n > 0).then_some(tally.response.mean / 1e6),
            "latency.max" => seconds_at(&tally.response, 100.0),
            name => crate::metrics::percentile(name)
                .and_then(|percent| seconds_at(&tally.response, percent)),
        };
        if value.is_none_or(|value| value > *ceiling) {
            return Err(format!("`{metric}` was above its bound"));
        }
    }
    Ok(())
}

/// Whether so many arrivals that wait at the end of a phase mean that the target fell behind.
pub(crate) fn is_behind(backlog: u64, phase: &PhaseReport) -> bool {
    let arrivals = phase.arrivals as f64;
    let moment = arrivals * MOMENT / phase.ran_s.max(1e-9);
    backlog as f64 > (arrivals * (1.0 - KEPT_UP)).max(moment)
}

/// Seconds from the end of the stress until the latency of the measured load was back, and stayed
/// for some seconds; nothing without a recovery phase.
pub(crate) fn recovery(run: &EngineRun) -> Option<Told> {
    let report = &run.report;
    let index = report
        .phases
        .iter()
        .position(|phase| phase.kind == PhaseKind::Recovery)?;
    let phase = &report.phases[index];
    Some(recovered(report, index, phase))
}

fn recovered(report: &Report, index: usize, phase: &PhaseReport) -> Told {
    let Some(before) = report
        .measured
        .response
        .at(95.0)
        .filter(|_| report.measured.response.n > 0)
    else {
        return Err("no response of the measured load was timed".to_owned());
    };
    let limit = (before as f64 * RECOVERED).max(before as f64 + HAIR_US);
    let own = |row: &&Second| row.phase.is_some_and(|p| p as usize == index);
    let rows: Vec<&Second> = report.series.iter().filter(own).collect();
    let good = |row: &&Second| {
        row.p95_us.is_some_and(|p95| p95 as f64 <= limit) && row.errors * 100 <= row.scheduled
    };
    let steady = STEADY.min(rows.len());
    if steady == 0 {
        return Err("the recovery was not measured".to_owned());
    }
    let first = rows.windows(steady).position(|rows| rows.iter().all(good));
    match first {
        Some(first) => Ok(crate::measurement::nanos(
            (rows[first].t_s - 1.0 - phase.at_s).max(0.0),
        )),
        None => Err(format!(
            "P95 did not come back to {} within {}",
            readygate_sdk::Unit::Seconds.format(limit / 1e6),
            readygate_sdk::Unit::Seconds.format(phase.ran_s)
        )),
    }
}
