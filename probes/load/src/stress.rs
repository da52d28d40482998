//! What more load than asked for did: the knee, and the way back.

use crate::{
    engine::report::{LoadModel, PhaseReport, Report, Second},
    engine::spec::PhaseKind,
    measurement::{EngineRun, seconds_at},
};

/// Share of the arrivals that must be sent and answered for a step to hold, and this while it lasts:
/// what is worked off later, in the next step or while the load is drained, was not held.
const KEPT_UP: f64 = 0.99;
/// What comes due in less than this, in seconds, is no backlog.
const MOMENT: f64 = 0.1;
/// A pause of at most so many seconds, at the very end, is no sign of falling behind.
const PAUSE: f64 = 0.5;
/// Seconds from which on a phase has a row that tells such a pause from a backlog.
const LONG: f64 = 3.0;
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
    let series = &run.report.series;
    let unsent = Undone::arrivals(phase);
    if unsent.is_some_and(|n| n.is_behind(phase, series)) {
        return Err("requests were still unsent at its end".to_owned());
    }
    let done = tally.delivered() + tally.failed();
    let undone = Undone::requests(tally.scheduled.saturating_sub(done), tally.scheduled, phase);
    if undone.is_behind(phase, series) {
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

/// What was not done when a phase ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Undone {
    left: f64,
    /// Of so many.
    due: f64,
    /// How many came due in a second of the phase.
    pace: f64,
}

impl Undone {
    /// Arrivals that were not sent.
    pub(crate) fn arrivals(phase: &PhaseReport) -> Option<Self> {
        let due = phase.arrivals as f64;
        phase.backlog.map(|backlog| Self {
            left: backlog as f64,
            due,
            pace: due / phase.ran_s.max(1e-9),
        })
    }

    /// Requests that were not answered, of those of this phase and perhaps of others before it.
    pub(crate) fn requests(left: u64, due: u64, phase: &PhaseReport) -> Self {
        Self {
            left: left as f64,
            due: due as f64,
            pace: phase.tally.scheduled as f64 / phase.ran_s.max(1e-9),
        }
    }

    /// Whether it means that the target fell behind: it is more than is in flight at any time, and it
    /// was there a second before, or is more than a short pause leaves.
    pub(crate) fn is_behind(self, phase: &PhaseReport, series: &[Second]) -> bool {
        let some = self.due * (1.0 - KEPT_UP);
        let most = some.max(self.pace * MOMENT).max(in_flight(phase));
        if self.left <= most {
            return false;
        }
        let before = undone_before(phase, series);
        self.left > self.pace * PAUSE || before.is_none_or(|n| n >= self.left / 2.0)
    }
}

/// How many requests may be in flight at the end of a phase, by Little's law: as many as were answered
/// in a second, times the mean that an answer took, and twice the standard deviation that chance gives
/// such a count.
///
/// An answer takes its time from the real send, so what waits for a connection is not among these. Of a
/// queue that grows within the target it is half: the mean is over all of the phase.
fn in_flight(phase: &PhaseReport) -> f64 {
    let rate = phase.tally.delivered() as f64 / phase.ran_s.max(1e-9);
    let mean = rate * phase.tally.service.mean / 1e6;
    mean + 2.0 * mean.max(0.0).sqrt()
}

/// What was in flight or waited about a second before the end of a phase. Of what grows from the start
/// of a shorter phase less than half may have been there by then.
fn undone_before(phase: &PhaseReport, series: &[Second]) -> Option<f64> {
    let (start, end) = (phase.at_s, phase.at_s + phase.ran_s);
    let before = |row: &&Second| row.t_s > start && row.t_s <= end - PAUSE;
    let row = series.iter().rfind(before);
    let row = row.filter(|_| phase.ran_s >= LONG)?;
    Some((row.in_flight + row.backlog) as f64)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Ten seconds at `rate`, all answered in the end, so many of them in time.
    fn ten_seconds(rate: u64, delivered: u64, mean_ms: f64) -> PhaseReport {
        let due = rate * 10;
        let phase = json!({
            "name": "measure", "kind": "measure", "at_s": 0, "asked_s": 10, "ran_s": 10,
            "offered": rate, "users": null, "arrivals": due, "arrivals_sent": due,
            "tally": {
                "scheduled": due, "sent": due, "completed": due, "delivered": delivered,
                "service": { "n": due, "mean": mean_ms * 1e3 },
            },
        });
        serde_json::from_value(phase).unwrap()
    }

    fn is_late(phase: &PhaseReport, series: &[Second]) -> bool {
        let due = phase.tally.scheduled;
        let late = Undone::requests(phase.tally.late(), due, phase);
        late.is_behind(phase, series)
    }

    fn is_unsent(phase: &PhaseReport, backlog: u64, series: &[Second]) -> bool {
        let phase = PhaseReport {
            backlog: Some(backlog),
            ..phase.clone()
        };
        Undone::arrivals(&phase).unwrap().is_behind(&phase, series)
    }

    /// What is undone at the end of each second.
    fn rows(undone: impl Fn(u32) -> u64) -> Vec<Second> {
        let row = |t| Second {
            t_s: f64::from(t),
            backlog: undone(t),
            ..Second::default()
        };
        (1..=10).map(row).collect()
    }

    #[test]
    fn a_target_that_falls_behind_is_not_excused() {
        // 64 connections that carry 700/s: each answer takes 91 ms, so 64 are in flight.
        let phase = ten_seconds(1_000, 7_070, 91.4);
        assert!((in_flight(&phase) - 80.6).abs() < 1.0);
        assert!(is_late(&phase, &[]));
        assert!(is_unsent(&phase, 2_940, &rows(|t| u64::from(t) * 294)));
        // The same with a connection for each request: the queue is within the target, and the mean
        // grows with it.
        for done in [100_u32, 400, 700, 950] {
            let rate = f64::from(done);
            let mean_s = (10_000.0 - 10.0 * rate) / rate / 2.0;
            let delivered = u64::from(done) * 101 / 10;
            let phase = ten_seconds(1_000, delivered, mean_s * 1e3);
            assert!(is_late(&phase, &[]), "{done}");
        }
    }

    #[test]
    fn slow_answers_in_a_short_phase_are_in_flight() {
        // 5 % take 3 s and the others 20 ms: what is due in the last seconds comes after the end.
        for rate in [100, 1_000, 10_000] {
            let phase = ten_seconds(rate, rate * 10 - rate * 145 / 1_000, 169.0);
            assert!(!is_late(&phase, &[]), "{rate}");
        }
        // From 60 ms, which is usual, to 210 ms in a step: 1.1 %.
        assert!(!is_late(&ten_seconds(100, 989, 210.0), &[]));
        // As many late ones of a target that answers in 20 ms are a backlog.
        assert!(is_late(&ten_seconds(1_000, 9_855, 20.0), &[]));
    }

    #[test]
    fn a_pause_at_the_end_is_told_from_a_backlog() {
        let pause = rows(|t| if t == 10 { 250 } else { 20 });
        let grown = rows(|t| u64::from(t) * 25);
        let phase = ten_seconds(1_000, 9_850, 20.0);
        assert!(!is_late(&phase, &pause));
        assert!(is_late(&phase, &grown));
        assert!(!is_unsent(&phase, 186, &pause));
        assert!(is_unsent(&phase, 186, &grown));
        // One from the warm-up that is never worked off; and a target that stopped for good.
        assert!(is_unsent(&phase, 250, &rows(|_| 250)));
        let stopped = rows(|t| if t == 10 { 900 } else { 20 });
        assert!(is_unsent(&phase, 900, &stopped));
    }
}
