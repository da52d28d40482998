//! What a worker counts between two reports.
//!
//! A request belongs to the phase and to the second in which it was due, whenever it ends; so a
//! worker holds one [`Bucket`] for each such second of which something happened since its last
//! report. That is one or two, and a few more while a target catches up after a stall.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::{clock::SECOND, delivery::Usual, http1::Cache, schedule::Stretch};

/// Times in microseconds, three significant digits; it grows with its largest value.
pub(super) type Times = Histogram<u32>;

/// Kinds of failed requests, in the order of `report::Errors::by_kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Timeout,
    Reset,
    Closed,
    Tls,
    Parse,
    Status,
    Check,
    BodyTooLarge,
    NeverSent,
    PortExhausted,
    FileLimit,
}

/// How many kinds there are.
pub(super) const KINDS: usize = 12;

/// Which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Response,
    Service,
    Error,
    FirstByte,
    SendLag,
}

/// How many times there are.
pub(super) const TIMES: usize = 5;

/// Counters of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub scheduled: u64,
    pub sent: u64,
    pub completed: u64,
    /// Good responses that count in this second: see [`Usual`].
    pub delivered: u64,
    pub errors: [u64; KINDS],
    pub statuses: Vec<(u16, u64)>,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub abandoned: u64,
    /// Hits, misses, and responses that tell of neither.
    pub cache: [u64; 3],
}

impl Counts {
    /// Counts a response with this status.
    pub(super) fn status(&mut self, status: u16) {
        match self.statuses.iter_mut().find(|(s, _)| *s == status) {
            Some((_, n)) => *n += 1,
            None => self.statuses.push((status, 1)),
        }
    }

    /// Counts what the cache headers told.
    pub(super) fn cache(&mut self, cache: Cache) {
        match cache {
            Cache::Unseen => {}
            Cache::Hit => self.cache[0] += 1,
            Cache::Miss => self.cache[1] += 1,
            Cache::Silent => self.cache[2] += 1,
        }
    }
}

/// A route in a bucket.
#[derive(Debug, Clone, Default)]
pub(super) struct RouteTally {
    pub counts: Counts,
    pub times: [Option<Times>; TIMES],
}

impl RouteTally {
    /// Records a time of some nanoseconds.
    pub(super) fn record(&mut self, time: Time, nanos: u64) {
        record(&mut self.times[time as usize], nanos);
    }

    /// Counts a failed request, and how long it took. One that was given up while it waited for an
    /// answer, or for its turn to be sent, is a latency as well: nobody saw a faster one.
    pub(super) fn fail(&mut self, kind: Kind, nanos: u64) {
        self.counts.errors[kind as usize] += 1;
        self.record(Time::Error, nanos);
        if matches!(kind, Kind::Timeout | Kind::NeverSent) {
            self.record(Time::Response, nanos);
        }
    }
}

/// Records into a histogram that is made when first needed.
pub(super) fn record(times: &mut Option<Times>, nanos: u64) {
    if times.is_none() {
        *times = Times::new(3).ok();
    }
    if let Some(times) = times {
        // `record` makes room for large values; it fails only where there is no memory.
        let _ = times.record((nanos + 500) / 1_000);
    }
}

/// One second in which requests were due, in one phase.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    pub phase: u16,
    /// Seconds since the first measure phase; negative before it.
    pub slot: i64,
    pub routes: Vec<RouteTally>,
    /// The generator's own delay.
    pub own_lag: Option<Times>,
    /// Scenarios begun.
    pub begun: u64,
    /// Scenarios due that never were.
    pub unsent: u64,
}

/// All buckets of a worker.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub buckets: Vec<Bucket>,
    last: usize,
    /// How long the answers of each route take.
    usual: Vec<Usual>,
    /// Zero of the slots.
    epoch: u64,
    stretches: Vec<Stretch>,
}

/// Buckets at which a worker reports early, so that its memory is bounded.
pub(super) const MANY_BUCKETS: usize = 16;

impl Book {
    pub(super) fn new(routes: usize) -> Self {
        Self {
            buckets: Vec::new(),
            last: 0,
            usual: vec![Usual::default(); routes],
            epoch: 0,
            stretches: Vec::new(),
        }
    }

    /// The phases are on the clock; slots count from `epoch`.
    pub(super) fn begin(&mut self, epoch: u64, stretches: &[Stretch]) {
        self.epoch = epoch;
        self.stretches = stretches.to_vec();
    }

    /// The phases were put elsewhere on the clock.
    pub(super) fn follow(&mut self, stretches: &[Stretch]) {
        self.stretches = stretches.to_vec();
    }

    /// Counts a good response for throughput: it was due, it was sent, and it came now. One that came
    /// too long after `end`, the end of the load, counts nowhere.
    pub(super) fn deliver(&mut self, route: u16, (due, sent, now): (u64, u64, u64), end: u64) {
        let usual = &mut self.usual[usize::from(route)];
        usual.note(now.saturating_sub(sent));
        let at = usual.counts_at(due, now);
        let phase = self.stretches.partition_point(|s| s.end <= at);
        if at < end && phase < self.stretches.len() {
            let phase = u16::try_from(phase).unwrap_or(u16::MAX);
            self.route(phase, at, route).counts.delivered += 1;
        }
    }

    /// The bucket of a request that was due at `at`.
    pub(super) fn bucket(&mut self, phase: u16, at: u64) -> &mut Bucket {
        let slot = slot(at, self.epoch);
        let is = |b: &Bucket| b.slot == slot && b.phase == phase;
        if !self.buckets.get(self.last).is_some_and(is) {
            self.last = self.buckets.iter().position(is).unwrap_or_else(|| {
                self.buckets.push(Bucket {
                    phase,
                    slot,
                    routes: vec![RouteTally::default(); self.usual.len()],
                    ..Bucket::default()
                });
                self.buckets.len() - 1
            });
        }
        &mut self.buckets[self.last]
    }

    /// The tally of a route of a request that was due at `at`.
    pub(super) fn route(&mut self, phase: u16, at: u64, route: u16) -> &mut RouteTally {
        &mut self.bucket(phase, at).routes[usize::from(route)]
    }

    /// Takes everything.
    pub(super) fn take(&mut self) -> Vec<Bucket> {
        self.last = 0;
        std::mem::take(&mut self.buckets)
    }
}

fn slot(at: u64, epoch: u64) -> i64 {
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    if at >= epoch {
        whole((at - epoch) / SECOND)
    } else {
        -whole((epoch - at).div_ceil(SECOND))
    }
}

/// How far a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum State {
    /// Connections are being opened.
    #[default]
    Dialing,
    /// They are, as far as they can be.
    Ready,
    /// Load is being made.
    Running,
    /// Nothing new is begun.
    Draining,
    /// Everything has ended.
    Done,
}

/// Where a worker stands at the time of a report. Totals are since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gauges {
    pub state: State,
    pub open: u64,
    pub in_flight: u64,
    /// Arrivals due and not begun.
    pub backlog: u64,
    /// How long the oldest of them has been due, in nanoseconds.
    pub backlog_age: u64,
    /// No request that was due before this time can still end.
    pub low_water: u64,
    pub opened: u64,
    pub reopened: u64,
    /// Requests sent again because their idle connection had been closed.
    pub retried: u64,
    pub failed: [u64; KINDS],
    pub first_failure: Option<String>,
    /// CPU time of the thread.
    pub cpu: u64,
    /// Time in which it could run but had no core.
    pub waiting: Option<u64>,
    /// The share of `max_requests` was sent.
    pub limit_reached: bool,
    /// TLS version of the first connection.
    pub tls: Option<String>,
}

/// A report of a worker.
#[derive(Debug, Default)]
pub(super) struct Interval {
    pub worker: u32,
    /// Its end.
    pub end: u64,
    pub gauges: Gauges,
    pub buckets: Vec<Bucket>,
    /// From the start of attempts to open connections.
    pub connect: Option<Times>,
}
