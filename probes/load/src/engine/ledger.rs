//! The parent's books: reports of all workers, added up by phase, route and window.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;

use super::{
    clock::{SECOND, nanos, seconds},
    report::{Distribution, Errors, PhaseReport, RouteReport, Tally, WindowReport},
    schedule::Stretch,
    spec::{PhaseKind, Spec},
    tally::{Bucket, Counts, KINDS, RouteTally, TIMES, Time, Times},
};

/// Counts of many reports together.
type Wide = Histogram<u64>;

/// Routes up to which each keeps the counts of its buckets in the record.
const DETAILED_ROUTES: usize = 50;
/// Pairs of all windows together up to which they keep theirs.
const DETAILED_PAIRS: usize = 200_000;

/// A sum of histograms.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum(Option<Wide>);

impl Sum {
    pub(super) fn add(&mut self, times: &Times) {
        if self.0.is_none() {
            self.0 = Wide::new(3).ok();
        }
        if let Some(sum) = &mut self.0 {
            for step in times.iter_recorded() {
                // Makes room for large values; it fails only where there is no memory.
                let _ = sum.record_n(step.value_iterated_to(), u64::from(step.count_at_value()));
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.0 else { return };
        match &mut self.0 {
            // Both grow as they need to, so that adding cannot fail.
            Some(mine) => drop(mine.add(theirs)),
            None => self.0 = Some(theirs.clone()),
        }
    }

    /// The value at a percent; nothing without values.
    pub(super) fn at(&self, percent: f64) -> Option<u64> {
        let sum = self.0.as_ref().filter(|s| !s.is_empty())?;
        Some(sum.value_at_quantile(percent / 100.0))
    }

    /// For the record.
    pub(super) fn distribution(&self, detailed: bool) -> Distribution {
        let Some(sum) = self.0.as_ref().filter(|s| !s.is_empty()) else {
            return Distribution::default();
        };
        let quantile = |percent: f64| match percent {
            0.0 => (percent, sum.min()),
            _ => (percent, sum.value_at_quantile(percent / 100.0)),
        };
        let percents = [0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0];
        let pairs = || {
            let pair = |s: hdrhistogram::iterators::IterationValue<u64>| {
                (s.value_iterated_to(), s.count_at_value())
            };
            sum.iter_recorded().map(pair).collect()
        };
        Distribution {
            n: sum.len(),
            mean: sum.mean(),
            stddev: sum.stdev(),
            quantiles: percents.into_iter().map(quantile).collect(),
            counts: if detailed { pairs() } else { Vec::new() },
        }
    }
}

/// Counts and times of many reports together.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    pub counts: Counts,
    times: [Sum; TIMES],
}

impl Total {
    pub(super) fn add(&mut self, route: &RouteTally) {
        self.add_counts(&route.counts);
        for (sum, times) in self.times.iter_mut().zip(&route.times) {
            if let Some(times) = times {
                sum.add(times);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.add_counts(&other.counts);
        for (mine, theirs) in self.times.iter_mut().zip(&other.times) {
            mine.merge(theirs);
        }
    }

    fn add_counts(&mut self, other: &Counts) {
        let mine = &mut self.counts;
        mine.scheduled += other.scheduled;
        mine.sent += other.sent;
        mine.completed += other.completed;
        mine.delivered += other.delivered;
        mine.bytes_in += other.bytes_in;
        mine.bytes_out += other.bytes_out;
        mine.abandoned += other.abandoned;
        for (sum, n) in mine.errors.iter_mut().zip(other.errors) {
            *sum += n;
        }
        for (sum, n) in mine.cache.iter_mut().zip(other.cache) {
            *sum += n;
        }
        for (status, n) in &other.statuses {
            match mine.statuses.iter_mut().find(|(s, _)| s == status) {
                Some((_, sum)) => *sum += n,
                None => mine.statuses.push((*status, *n)),
            }
        }
    }

    /// Failed requests.
    pub(super) fn failed(&self) -> u64 {
        self.counts.errors.iter().sum()
    }

    /// A time.
    pub(super) fn time(&self, time: Time) -> &Sum {
        &self.times[time as usize]
    }

    /// For the record.
    pub(super) fn tally(&self, detailed: bool) -> Tally {
        let counts = &self.counts;
        let mut statuses = counts.statuses.clone();
        statuses.sort_unstable();
        let [cache_hits, cache_misses, cache_silent] = counts.cache;
        Tally {
            scheduled: counts.scheduled,
            sent: counts.sent,
            completed: counts.completed,
            delivered: Some(counts.delivered),
            errors: errors(&counts.errors),
            statuses,
            bytes_in: counts.bytes_in,
            bytes_out: counts.bytes_out,
            abandoned: counts.abandoned,
            cache_hits,
            cache_misses,
            cache_silent,
            response: self.time(Time::Response).distribution(detailed),
            service: self.time(Time::Service).distribution(false),
            error_latency: self.time(Time::Error).distribution(false),
            ttfb: self.time(Time::FirstByte).distribution(false),
            send_lag: self.time(Time::SendLag).distribution(false),
        }
    }
}

/// By name.
pub(super) fn errors(kinds: &[u64; KINDS]) -> Errors {
    let [
        connect,
        timeout,
        reset,
        closed,
        tls,
        parse,
        status,
        check,
        body_too_large,
        never_sent,
        port_exhausted,
        file_limit,
    ] = *kinds;
    Errors {
        connect,
        timeout,
        reset,
        closed,
        tls,
        parse,
        status,
        check,
        body_too_large,
        never_sent,
        port_exhausted,
        file_limit,
    }
}

/// A phase.
#[derive(Debug, Clone, Default)]
struct PhaseBook {
    total: Total,
    begun: u64,
    unsent: u64,
}

/// Windows of one length.
#[derive(Debug)]
struct Windows {
    /// In seconds.
    length: i64,
    /// Those that may still change, by their number.
    open: BTreeMap<i64, Vec<Total>>,
    closed: Vec<(i64, Vec<Tally>, Tally)>,
}

/// All books of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    kinds: Vec<PhaseKind>,
    phases: Vec<PhaseBook>,
    /// Routes in the measure phases.
    routes: Vec<Total>,
    windows: Vec<Windows>,
    pub own_lag: Sum,
    pub connect: Sum,
}

impl Ledger {
    pub(super) fn new(spec: &Spec, routes: usize) -> Self {
        let window = |length: &std::time::Duration| Windows {
            length: i64::try_from(length.as_secs()).unwrap_or(i64::MAX).max(1),
            open: BTreeMap::new(),
            closed: Vec::new(),
        };
        Self {
            kinds: spec.phases.iter().map(|p| p.kind).collect(),
            phases: vec![PhaseBook::default(); spec.phases.len()],
            routes: vec![Total::default(); routes],
            windows: spec.windows.iter().map(window).collect(),
            own_lag: Sum::default(),
            connect: Sum::default(),
        }
    }

    /// Adds what a worker reported.
    pub(super) fn add(&mut self, bucket: &Bucket) {
        let nth = usize::from(bucket.phase);
        let Some(phase) = self.phases.get_mut(nth) else {
            return;
        };
        phase.begun += bucket.begun;
        phase.unsent += bucket.unsent;
        for route in &bucket.routes {
            phase.total.add(route);
        }
        if self.kinds[nth] != PhaseKind::Measure {
            return;
        }
        if let Some(lag) = &bucket.own_lag {
            self.own_lag.add(lag);
        }
        for (total, route) in self.routes.iter_mut().zip(&bucket.routes) {
            total.add(route);
        }
        for windows in &mut self.windows {
            let number = bucket.slot.div_euclid(windows.length);
            let count = self.routes.len();
            let totals = windows.open.entry(number);
            let totals = totals.or_insert_with(|| vec![Total::default(); count]);
            for (total, route) in totals.iter_mut().zip(&bucket.routes) {
                total.add(route);
            }
        }
    }

    /// Closes the windows of which no request can be open any more: those that ended before
    /// `slot`, in seconds since the first measure phase.
    pub(super) fn close_windows(&mut self, slot: i64) {
        for windows in &mut self.windows {
            while let Some(entry) = windows.open.first_entry()
                && (entry.key() + 1) * windows.length <= slot
            {
                let (number, totals) = entry.remove_entry();
                let mut all = Total::default();
                for total in &totals {
                    all.merge(total);
                }
                let each = totals.iter().map(|t| t.tally(true)).collect();
                windows.closed.push((number, each, all.tally(true)));
            }
        }
    }

    /// The measure phases so far.
    pub(super) fn measured(&self) -> Total {
        let mut all = Total::default();
        self.routes.iter().for_each(|r| all.merge(r));
        all
    }

    /// One route of the measure phases so far.
    pub(super) fn route(&self, nth: usize) -> Option<&Total> {
        self.routes.get(nth)
    }

    /// Phases that began before `end`, both on the clock.
    pub(super) fn phase_reports(
        &self,
        spec: &Spec,
        stretches: &[Stretch],
        end: u64,
    ) -> Vec<PhaseReport> {
        let zero = stretches.first().map_or(0, |s| s.start);
        let all = spec.phases.iter().zip(stretches).zip(&self.phases);
        all.filter(|((_, stretch), _)| stretch.start < end)
            .map(|((phase, stretch), book)| PhaseReport {
                name: phase.name.clone(),
                kind: phase.kind,
                at_s: seconds(stretch.start - zero),
                asked_s: phase.duration.as_secs_f64(),
                ran_s: seconds(stretch.end.min(end) - stretch.start),
                offered: phase.rate,
                users: phase.users,
                arrivals: book.begun + book.unsent,
                arrivals_sent: book.begun,
                backlog: None,
                tally: book.total.tally(false),
            })
            .collect()
    }

    /// All routes of the measure phases.
    pub(super) fn route_reports(&self, names: &[String]) -> Vec<RouteReport> {
        let detailed = names.len() <= DETAILED_ROUTES;
        let report = |(name, total): (&String, &Total)| RouteReport {
            name: name.clone(),
            tally: total.tally(detailed),
        };
        names.iter().zip(&self.routes).map(report).collect()
    }

    /// Windows that lie within measure phases that follow each other, up to `end`. One in which
    /// nothing was due is there as well: users that wait for a target that stands still send nothing.
    pub(super) fn window_reports(&mut self, stretches: &[Stretch], end: u64) -> Vec<WindowReport> {
        self.close_windows(i64::MAX);
        let ranges = measured_ranges(&self.kinds, stretches, end);
        let several = self.routes.len() > 1;
        let mut reports = Vec::new();
        let routes = self.routes.len();
        for windows in &mut self.windows {
            windows.fill(&ranges, routes);
            for (number, routes, tally) in windows.closed.drain(..) {
                let length_s = windows.length as f64;
                if is_within(number, windows.length, &ranges) {
                    reports.push(WindowReport {
                        length_s,
                        at_s: number as f64 * length_s,
                        tally,
                        routes: if several { routes } else { Vec::new() },
                    });
                }
            }
        }
        trim(&mut reports);
        reports
    }
}

impl Windows {
    /// Adds the windows of the run in which nothing was due.
    fn fill(&mut self, ranges: &[(f64, f64)], routes: usize) {
        let known: BTreeSet<i64> = self.closed.iter().map(|(number, ..)| *number).collect();
        let end = ranges.last().map_or(0.0, |(_, to)| *to);
        let length = self.length;
        let all = (0_i64..).take_while(|n| (n + 1).saturating_mul(length) as f64 <= end);
        let missing = all.filter(|n| !known.contains(n) && is_within(*n, length, ranges));
        let empty = |n| (n, vec![Tally::default(); routes], Tally::default());
        self.closed.extend(missing.map(empty));
        self.closed.sort_by_key(|(number, ..)| *number);
    }
}

/// Whether a window lies within one range, in seconds since the first measure phase.
fn is_within(number: i64, length: i64, ranges: &[(f64, f64)]) -> bool {
    let at = |number: i64| number.saturating_mul(length) as f64;
    let (start, end) = (at(number), at(number + 1));
    let fits = |(from, to): &(f64, f64)| start >= *from && end <= *to;
    ranges.iter().any(fits)
}

/// Without their counts, if they are too many for the record.
fn trim(reports: &mut [WindowReport]) {
    let pairs = |r: &WindowReport| {
        r.tally.response.counts.len()
            + r.routes
                .iter()
                .map(|t| t.response.counts.len())
                .sum::<usize>()
    };
    if reports.iter().map(pairs).sum::<usize>() <= DETAILED_PAIRS {
        return;
    }
    for report in reports {
        report.tally.response.counts = Vec::new();
        for route in &mut report.routes {
            route.response.counts = Vec::new();
        }
    }
}

/// Measure phases that follow each other as one range, in seconds since the first of them.
fn measured_ranges(kinds: &[PhaseKind], stretches: &[Stretch], end: u64) -> Vec<(f64, f64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for (kind, stretch) in kinds.iter().zip(stretches) {
        if *kind != PhaseKind::Measure || stretch.start >= end {
            continue;
        }
        let to = stretch.end.min(end);
        match ranges.last_mut() {
            Some((_, last)) if *last == stretch.start => *last = to,
            _ => ranges.push((stretch.start, to)),
        }
    }
    let zero = ranges.first().map_or(0, |r| r.0);
    let relative = |at: u64| seconds(at - zero);
    ranges
        .iter()
        .map(|(from, to)| (relative(*from), relative(*to)))
        .collect()
}

/// Seconds of the measure phases that were run.
pub(super) fn measured_seconds(spec: &Spec, stretches: &[Stretch], end: u64) -> f64 {
    let kinds: Vec<PhaseKind> = spec.phases.iter().map(|p| p.kind).collect();
    let ranges = measured_ranges(&kinds, stretches, end);
    ranges.iter().map(|(from, to)| to - from).sum()
}

/// Start of the first measure phase, or of the run.
pub(super) fn epoch(spec: &Spec, stretches: &[Stretch]) -> u64 {
    let nth = spec
        .phases
        .iter()
        .position(|p| p.kind == PhaseKind::Measure);
    stretches.get(nth.unwrap_or(0)).map_or(0, |s| s.start)
}

/// Length of all phases.
pub(super) fn planned(spec: &Spec) -> u64 {
    spec.phases.iter().map(|p| nanos(p.duration)).sum()
}

/// The slot of a time, rounded down.
pub(super) fn slot_before(at: u64, epoch: u64) -> i64 {
    if at < epoch {
        return -1;
    }
    i64::try_from((at - epoch) / SECOND).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::{schedule::stretches, spec::Phase, tally::RouteTally};

    fn ledger(seconds: u64, window: u64) -> (Ledger, Vec<Stretch>) {
        let base = url::Url::parse("http://127.0.0.1/").unwrap();
        let mut spec = Spec::get(base, "/");
        spec.phases = vec![Phase {
            name: "measure".to_owned(),
            kind: PhaseKind::Measure,
            rate: None,
            users: Some(1),
            duration: Duration::from_secs(seconds),
        }];
        spec.windows = vec![Duration::from_secs(window)];
        let stretches = stretches(&spec.phases, 7 * SECOND);
        (Ledger::new(&spec, 1), stretches)
    }

    fn answered(slot: i64) -> Bucket {
        let mut route = RouteTally::default();
        route.counts.scheduled = 5;
        route.counts.completed = 5;
        Bucket {
            slot,
            routes: vec![route],
            ..Bucket::default()
        }
    }

    #[test]
    fn a_window_in_which_nothing_was_sent_is_there() {
        let (mut ledger, stretches) = ledger(8, 2);
        ledger.add(&answered(0));
        ledger.close_windows(2);
        // The target stands still from 2 s to 6 s.
        ledger.add(&answered(7));
        let reports = ledger.window_reports(&stretches, u64::MAX);
        let seen: Vec<(f64, u64)> = reports
            .iter()
            .map(|window| (window.at_s, window.tally.completed))
            .collect();
        assert_eq!(seen, [(0.0, 5), (2.0, 0), (4.0, 0), (6.0, 5)]);
        assert_eq!(reports[1].tally.response.n, 0);
    }

    #[test]
    fn windows_after_the_end_are_not_made_up() {
        let (mut ledger, stretches) = ledger(8, 2);
        ledger.add(&answered(0));
        let reports = ledger.window_reports(&stretches, 7 * SECOND + 5 * SECOND);
        assert_eq!(reports.len(), 2, "0 to 2 s and 2 to 4 s");
    }
}
