//! One row a second: what the workers reported, put together, shown and watched.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{
    clock::{SECOND, seconds},
    ledger::{Ledger, Sum, Total},
    report::{Generator, Second},
    schedule::Stretch,
    spec::{Abort, AbortMetric, PhaseKind, Spec},
    tally::{Gauges, Interval, Kind, State, Time},
};

/// Seconds in a row in which more than half of the requests fail before the engine stops.
const BAD_SECONDS: u32 = 10;
/// Windows of `abort_on` are at most as long: each of their seconds is kept.
pub(crate) const LONGEST_WINDOW: Duration = Duration::from_secs(3_600);
/// Rows in the record: a day.
const MOST_ROWS: usize = 86_400;

/// What a worker said last.
#[derive(Debug, Default)]
struct Latest {
    gauges: Gauges,
    end: u64,
    /// CPU time and its clock at the start and the end of the measure phases.
    measure: Option<(Mark, Mark)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    at: u64,
    cpu: u64,
    waiting: Option<u64>,
}

/// A row that is being filled.
#[derive(Debug, Default)]
struct Open {
    routes: Vec<Total>,
    own_lag: Sum,
    cpu: f64,
}

/// Why the engine should stop.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trip {
    /// A condition of the user's.
    Abort { expr: String, value: f64 },
    /// The engine's own.
    Safety(String),
}

/// All rows of a run.
pub(super) struct Rows {
    start: u64,
    /// The measure phases, from the first to the end of the last.
    measure: (u64, u64),
    workers: Vec<Latest>,
    open: BTreeMap<u64, Open>,
    next: u64,
    pub series: Vec<Second>,
    /// Routes of the last seconds, for conditions over windows.
    recent: VecDeque<Vec<Total>>,
    keep: usize,
    bad: u32,
    backlog: u64,
    pub peak: u64,
    pub lowest: Option<u64>,
    /// Backlog at the end of each phase that is over.
    pub left: Vec<u64>,
}

impl Rows {
    pub(super) fn new(spec: &Spec, workers: u32, start: u64, measure: (u64, u64)) -> Self {
        let longest = spec.aborts.iter().filter_map(|a| a.window).max();
        Self {
            start,
            measure,
            workers: (0..workers).map(|_| Latest::default()).collect(),
            open: BTreeMap::new(),
            next: 0,
            series: Vec::new(),
            recent: VecDeque::new(),
            keep: longest.map_or(0, |w| {
                usize::try_from(w.min(LONGEST_WINDOW).as_secs())
                    .unwrap_or(1)
                    .max(1)
            }),
            bad: 0,
            backlog: 0,
            peak: 0,
            lowest: None,
            left: Vec::new(),
        }
    }

    /// The clock starts, or starts anew: what the workers said so far stays. The CPU time that they
    /// took while they opened connections counts for nothing.
    pub(super) fn restart(mut self, start: u64, measure: (u64, u64)) -> Self {
        for worker in &mut self.workers {
            let mark = worker.now(start);
            worker.measure = Some((mark, mark));
        }
        Self {
            start,
            measure,
            open: BTreeMap::new(),
            next: 0,
            left: Vec::new(),
            ..self
        }
    }

    /// Takes a worker's report in; says where in the clock no request is open any more.
    pub(super) fn add(&mut self, interval: &Interval) -> u64 {
        let number = interval.end.saturating_sub(self.start + 1) / SECOND;
        let row = self.open.entry(number.max(self.next)).or_default();
        for bucket in &interval.buckets {
            if let Some(lag) = &bucket.own_lag {
                row.own_lag.add(lag);
            }
            row.routes.resize_with(bucket.routes.len(), Total::default);
            for (total, route) in row.routes.iter_mut().zip(&bucket.routes) {
                total.add(route);
            }
        }
        let Some(latest) = self.workers.get_mut(interval.worker as usize) else {
            return 0;
        };
        let passed = interval.end.saturating_sub(latest.end);
        if passed > SECOND / 10 && latest.end > 0 {
            let used = interval.gauges.cpu.saturating_sub(latest.gauges.cpu);
            row.cpu = row.cpu.max(used as f64 / passed as f64);
        }
        latest.end = interval.end;
        latest.gauges = interval.gauges.clone();
        latest.mark(self.measure);
        self.workers
            .iter()
            .map(Latest::low_water)
            .min()
            .unwrap_or(0)
    }

    /// Whether all workers are at least at this state.
    pub(super) fn all(&self, state: impl Fn(State) -> bool) -> bool {
        self.workers.iter().all(|w| state(w.gauges.state))
    }

    /// What each worker said last.
    pub(super) fn gauges(&self) -> impl Iterator<Item = &Gauges> {
        self.workers.iter().map(|w| &w.gauges)
    }

    fn sum(&self, of: impl Fn(&Gauges) -> u64) -> u64 {
        self.gauges().map(of).sum()
    }

    /// Closes the next row if all workers have reported it.
    pub(super) fn close(&mut self, stretches: &[Stretch]) -> bool {
        let end = self.start + (self.next + 1) * SECOND;
        let done = self.all(|s| s == State::Done);
        let over = |w: &Latest| w.end >= end || w.gauges.state == State::Done;
        let rest = self
            .open
            .keys()
            .next_back()
            .is_some_and(|last| *last >= self.next);
        if !self.workers.iter().all(over) || (done && !rest) {
            return false;
        }
        self.finish(end, stretches);
        true
    }

    fn finish(&mut self, end: u64, stretches: &[Stretch]) {
        let row = self.open.remove(&self.next).unwrap_or_default();
        self.next += 1;
        let mut total = Total::default();
        row.routes.iter().for_each(|r| total.merge(r));
        let backlog = self.sum(|g| g.backlog);
        let counts = &total.counts;
        let due = (counts.scheduled + backlog).saturating_sub(self.backlog);
        // A phase that ended within the second: no more than at both ends of that is sure.
        while let Some(over) = stretches.get(self.left.len()).filter(|s| s.end <= end) {
            let before = if over.end == end {
                backlog
            } else {
                self.backlog
            };
            self.left.push(backlog.min(before));
        }
        self.backlog = backlog;
        let open = self.sum(|g| g.open);
        let middle = end - SECOND / 2;
        let phase = stretches
            .iter()
            .position(|s| (s.start..s.end).contains(&middle));
        let response = total.time(Time::Response);
        let second = Second {
            t_s: seconds(end - self.start),
            phase: phase.and_then(|p| u32::try_from(p).ok()),
            scheduled: due,
            sent: counts.sent,
            completed: counts.completed,
            errors: total.failed(),
            bytes_in: counts.bytes_in,
            open,
            in_flight: self.sum(|g| g.in_flight),
            backlog,
            p50_us: response.at(50.0),
            p95_us: response.at(95.0),
            p99_us: response.at(99.0),
            max_us: response.at(100.0),
            lag_p99_us: row.own_lag.at(99.0),
            cpu: row.cpu,
        };
        self.peak = self.peak.max(open);
        if (self.measure.0..self.measure.1).contains(&middle) && end <= self.measure.1 {
            self.lowest = Some(self.lowest.map_or(open, |l| l.min(open)));
        }
        // What this machine had no port or file for says nothing about the target.
        let own = [Kind::PortExhausted, Kind::FileLimit];
        let own: u64 = own.iter().map(|kind| counts.errors[*kind as usize]).sum();
        self.watch(&second, own);
        if self.series.len() < MOST_ROWS {
            self.series.push(second);
        }
        // A window never reaches back into the warm-up, nor on into stress.
        if self.keep > 0 && end - SECOND >= self.measure.0 && end <= self.measure.1 {
            self.recent.push_back(row.routes);
            if self.recent.len() > self.keep {
                self.recent.pop_front();
            }
        }
    }

    fn watch(&mut self, second: &Second, own: u64) {
        let errors = second.errors.saturating_sub(own);
        let ended = second.completed + errors;
        if errors * 2 > ended {
            self.bad += 1;
        } else if ended > 0 {
            self.bad = 0;
        }
    }

    /// The line for people.
    pub(super) fn line(&self, spec: &Spec) -> Option<String> {
        let row = self.series.last()?;
        let phase = row.phase.and_then(|p| spec.phases.get(p as usize));
        let name = phase.map_or("drain", |p| p.name.as_str());
        let ms =
            |us: Option<u64>| us.map_or_else(|| "-".into(), |us| format!("{:.1}", us as f64 / 1e3));
        Some(format!(
            "{:.0} s {name}: {} due, {} done, {} errors; {} open, {} in flight, {} waiting; \
             p50 {} p95 {} p99 {} ms; lag p99 {} ms; CPU {:.0} %",
            row.t_s,
            row.scheduled,
            row.completed,
            row.errors,
            row.open,
            row.in_flight,
            row.backlog,
            ms(row.p50_us),
            ms(row.p95_us),
            ms(row.p99_us),
            ms(row.lag_p99_us),
            row.cpu * 100.0,
        ))
    }

    /// Whether the run should stop now. The user's conditions are about the measured load: after it
    /// throughput falls to nothing, and stress is meant to break the target.
    pub(super) fn trip(&self, spec: &Spec, ledger: &Ledger, names: &[String]) -> Option<Trip> {
        let now = self.start + self.next * SECOND;
        // What the stress left is worked off in the recovery, and whether that comes about in time is
        // what is measured: until it is over, a target that still fails is no reason to stop.
        if self.is_after_stress(spec) {
            return None;
        }
        if spec.safety_stop && self.bad >= BAD_SECONDS {
            let text = format!("more than half of the requests failed for {BAD_SECONDS} s");
            return Some(Trip::Safety(text));
        }
        let age = self.gauges().map(|g| g.backlog_age).max().unwrap_or(0);
        if age > super::clock::nanos(spec.max_backlog) {
            let text = format!(
                "the oldest unsent request had been due for {:.1} s",
                seconds(age)
            );
            return Some(Trip::Safety(text));
        }
        if now > self.measure.1 {
            return None;
        }
        let grace = |a: &&Abort| {
            let first = a.after.max(a.window.unwrap_or_default());
            now >= self.measure.0 + super::clock::nanos(first).max(SECOND)
        };
        let mut tripped = spec.aborts.iter().filter(grace).filter_map(|abort| {
            let value = self.value(abort, ledger, names)?;
            let over = if abort.above {
                value > abort.bound
            } else {
                value < abort.bound
            };
            over.then(|| Trip::Abort {
                expr: abort.expr.clone(),
                value,
            })
        });
        tripped.next()
    }

    /// What the phase of the last row is for.
    pub(super) fn kind(&self, spec: &Spec) -> Option<PhaseKind> {
        let phase = self.series.last()?.phase?;
        spec.phases.get(phase as usize).map(|p| p.kind)
    }

    /// Whether the last row is of the recovery, or of the drain after that or after the stress.
    fn is_after_stress(&self, spec: &Spec) -> bool {
        let stressed = || spec.phases.iter().any(|p| p.kind == PhaseKind::Stress);
        match self.kind(spec) {
            Some(kind) => kind == PhaseKind::Recovery,
            None => !self.series.is_empty() && stressed(),
        }
    }

    /// The stress is over: the bad seconds were its own.
    pub(super) fn calm(&mut self) {
        self.bad = 0;
    }

    fn value(&self, abort: &Abort, ledger: &Ledger, names: &[String]) -> Option<f64> {
        let route = match &abort.route {
            Some(name) => Some(names.iter().position(|n| n == name)?),
            None => None,
        };
        let (total, length) = if let Some(window) = abort.window {
            let n = usize::try_from(window.as_secs()).unwrap_or(1).max(1);
            // Not before the window is full.
            let skip = self.recent.len().checked_sub(n)?;
            let mut total = Total::default();
            for routes in self.recent.iter().skip(skip) {
                add_routes(&mut total, routes, route);
            }
            (total, n as f64)
        } else {
            let now = (self.start + self.next * SECOND).min(self.measure.1);
            let passed = now.saturating_sub(self.measure.0);
            let total = match route {
                Some(nth) => ledger.route(nth)?.clone(),
                None => ledger.measured(),
            };
            (total, seconds(passed))
        };
        match abort.metric {
            AbortMetric::ErrorRate => {
                let counts = &total.counts;
                let due = counts.completed + total.failed();
                (due > 0).then(|| total.failed() as f64 / due as f64)
            }
            AbortMetric::Latency { percent } => total
                .time(Time::Response)
                .at(percent)
                .map(|us| us as f64 / 1e6),
            AbortMetric::Throughput => Some(total.counts.completed as f64 / length),
        }
    }

    /// CPU facts of the workers over the measure phases.
    pub(super) fn fill(&self, generator: &mut Generator) {
        for worker in &self.workers {
            let Some((from, to)) = worker.measure.filter(|(a, b)| b.at > a.at) else {
                continue;
            };
            let share = |a: u64, b: u64| b.saturating_sub(a) as f64 / (to.at - from.at) as f64;
            generator.cpu.push(share(from.cpu, to.cpu));
            if let (Some(a), Some(b)) = (from.waiting, to.waiting) {
                generator.waiting.push(share(a, b));
            }
        }
        generator.cpu_s = seconds(self.sum(|g| g.cpu));
    }
}

fn add_routes(total: &mut Total, routes: &[Total], route: Option<usize>) {
    match route {
        Some(nth) => routes.get(nth).into_iter().for_each(|r| total.merge(r)),
        None => routes.iter().for_each(|r| total.merge(r)),
    }
}

impl Latest {
    fn low_water(&self) -> u64 {
        if self.gauges.state == State::Done {
            u64::MAX
        } else {
            self.gauges.low_water
        }
    }

    /// What it has used so far, noted for a time.
    fn now(&self, at: u64) -> Mark {
        Mark {
            at,
            cpu: self.gauges.cpu,
            waiting: self.gauges.waiting,
        }
    }

    /// Notes the CPU time at the reports nearest to both ends of the measure phases.
    fn mark(&mut self, (from, to): (u64, u64)) {
        let mark = self.now(self.end);
        match &mut self.measure {
            _ if self.end <= from => self.measure = Some((mark, mark)),
            Some((_, last)) if self.end <= to || last.at <= from => *last = mark,
            Some(_) => {}
            None => self.measure = Some((mark, mark)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        schedule::stretches,
        spec::{Phase, PhaseKind},
        tally::{Bucket, RouteTally},
    };

    const START: u64 = 100 * SECOND;

    fn phase(kind: PhaseKind, seconds: u64) -> Phase {
        Phase {
            name: "a phase".to_owned(),
            kind,
            rate: Some(10.0),
            users: None,
            duration: Duration::from_secs(seconds),
        }
    }

    /// Two measured seconds and two of stress, stopped below 5/s.
    fn spec() -> Spec {
        let base = url::Url::parse("http://127.0.0.1/").unwrap();
        let mut spec = Spec::get(base, "/");
        spec.phases = vec![phase(PhaseKind::Measure, 2), phase(PhaseKind::Stress, 2)];
        spec.aborts = vec![Abort {
            expr: "throughput below 5/s".to_owned(),
            metric: AbortMetric::Throughput,
            above: false,
            bound: 5.0,
            window: Some(Duration::from_secs(1)),
            after: Duration::ZERO,
            route: None,
        }];
        spec
    }

    fn report(end: u64, completed: u64, cpu: u64) -> Interval {
        let mut route = RouteTally::default();
        route.counts.scheduled = completed;
        route.counts.completed = completed;
        Interval {
            end,
            gauges: Gauges {
                cpu,
                state: State::Running,
                ..Gauges::default()
            },
            buckets: vec![Bucket {
                routes: vec![route],
                ..Bucket::default()
            }],
            ..Interval::default()
        }
    }

    /// The second, from 1, whose end trips a condition.
    fn tripped(completed: &[u64]) -> Option<usize> {
        tripped_in(&spec(), (START, START + 2 * SECOND), completed)
    }

    fn tripped_in(spec: &Spec, measure: (u64, u64), completed: &[u64]) -> Option<usize> {
        let stretches = stretches(&spec.phases, START);
        let mut rows = Rows::new(spec, 1, START, measure);
        let ledger = Ledger::new(spec, 1);
        let mut end = START;
        completed.iter().position(|n| {
            end += SECOND;
            rows.add(&report(end, *n, 0));
            assert!(rows.close(&stretches), "one row for each report");
            rows.trip(spec, &ledger, &["/".to_owned()]).is_some()
        })
    }

    #[test]
    fn conditions_are_about_the_measured_load() {
        assert_eq!(tripped(&[10, 10, 0, 0]), None, "stress, and the end");
        assert_eq!(tripped(&[10, 0, 0, 0]), Some(1), "the last measured second");
        assert_eq!(tripped(&[0, 10, 10, 10]), Some(0));
    }

    #[test]
    fn a_window_does_not_reach_back_into_the_warm_up() {
        let tripped = |completed: &[u64]| {
            let mut spec = spec();
            spec.phases = vec![phase(PhaseKind::WarmUp, 2), phase(PhaseKind::Measure, 3)];
            spec.aborts[0].window = Some(Duration::from_secs(2));
            let measure = (START + 2 * SECOND, START + 5 * SECOND);
            tripped_in(&spec, measure, completed)
        };
        assert_eq!(tripped(&[0, 0, 9, 9, 9]), None, "a slow start");
        assert_eq!(
            tripped(&[10, 10, 0, 0, 10]),
            Some(3),
            "as soon as it is full"
        );
    }

    #[test]
    fn the_ramp_does_not_dilute_the_cpu() {
        let spec = spec();
        let begun = START - 60 * SECOND;
        let mut rows = Rows::new(&spec, 1, begun, (begun, begun));
        // A minute of opening connections, with next to no CPU.
        for second in 1..=60 {
            rows.add(&report(begun + second * SECOND - 1, 0, second));
        }
        let mut rows = rows.restart(START, (START, START + 2 * SECOND));
        for second in 1..=2 {
            rows.add(&report(START + second * SECOND, 10, 60 + second * SECOND));
        }
        let mut generator = Generator::default();
        rows.fill(&mut generator);
        assert_eq!(generator.cpu.len(), 1);
        assert!((generator.cpu[0] - 1.0).abs() < 0.01, "{:?}", generator.cpu);
    }

    /// Which second, from 1, stops a load whose every request fails from the third second on.
    fn stopped(phases: Vec<Phase>, seconds: u64) -> Option<u64> {
        let mut spec = spec();
        spec.aborts.clear();
        spec.phases = phases;
        let stretches = stretches(&spec.phases, START);
        let mut rows = Rows::new(&spec, 1, START, (START, START + 2 * SECOND));
        let ledger = Ledger::new(&spec, 1);
        (1..=seconds).find(|second| {
            let mut said = report(START + second * SECOND, 0, 0);
            let counts = &mut said.buckets[0].routes[0].counts;
            if *second > 2 {
                counts.errors[Kind::Timeout as usize] = 10;
            } else {
                counts.completed = 10;
            }
            rows.add(&said);
            assert!(rows.close(&stretches), "one row for each report");
            rows.trip(&spec, &ledger, &["/".to_owned()]).is_some()
        })
    }

    #[test]
    fn a_target_may_fail_as_long_as_it_has_time_to_recover() {
        let measured = phase(PhaseKind::Measure, 2);
        assert_eq!(stopped(vec![phase(PhaseKind::Measure, 40)], 40), Some(12));
        let stress = phase(PhaseKind::Stress, 2);
        let recovery = phase(PhaseKind::Recovery, 60);
        let all = vec![measured.clone(), stress, recovery];
        assert_eq!(stopped(all, 69), None, "nor while it is drained");
        // The bad seconds of the stress are not those of the drain.
        let all = vec![measured.clone(), phase(PhaseKind::Stress, 8)];
        assert_eq!(stopped(all, 15), None);
        let all = vec![measured, phase(PhaseKind::Stress, 20)];
        assert_eq!(stopped(all, 15), Some(12), "which ends the stress");
    }

    #[test]
    fn ports_that_ran_out_are_not_the_target_breaking() {
        let stopped = |kind: Kind| {
            let spec = spec();
            let mut rows = Rows::new(&spec, 1, START, (START, START + 20 * SECOND));
            let stretches = stretches(&[phase(PhaseKind::Measure, 20)], START);
            for second in 1..=12 {
                let mut said = report(START + second * SECOND, 2, 0);
                said.buckets[0].routes[0].counts.errors[kind as usize] = 8;
                rows.add(&said);
                while rows.close(&stretches) {}
            }
            rows.bad >= BAD_SECONDS
        };
        assert!(stopped(Kind::Status));
        assert!(!stopped(Kind::PortExhausted));
        assert!(!stopped(Kind::FileLimit));
    }
}
