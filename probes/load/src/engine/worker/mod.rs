//! A worker: one thread, one epoll, many connections.
//!
//! There is no task and no buffer per connection: events carry the number of a connection, whose
//! state is in one slab, and all reads go through one buffer. Times are of the monotonic clock.

mod connection;
mod dial;
mod receive;
mod send;
mod timers;

use std::{
    collections::BinaryHeap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use connection::{Connection, Idle, at};
use timers::Timer;

use super::{
    cap::Cap,
    clock::{self, MILLI, NEVER, SECOND, index, nanos},
    machine,
    plan::Plan,
    poller::{Events, Poller, Waker},
    schedule::{Schedule, Share, Stretch, end_stress, stretches},
    spec::{Arrivals, PhaseKind, Shape, Spec},
    tally::{Book, Gauges, Interval, Kind, MANY_BUCKETS, State, Times},
    tls::Setup,
};

/// Bytes of the buffer that all reads go through.
const BUFFER: usize = 64 << 10;

/// What the parent tells its workers.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// When the first phase begins; 0: not yet known.
    start: AtomicU64,
    /// 1: begin nothing new, and end. 2: end at once.
    stop: AtomicU8,
    /// When the stress was ended, if that was early; 0: it was not.
    calm: AtomicU64,
    /// All workers are done: their sockets may go.
    released: Mutex<bool>,
    release: Condvar,
}

impl Control {
    pub(super) fn start(&self, at: u64) {
        self.start.store(at, Ordering::Release);
    }

    /// The start, 0 if it is not known; and the stop.
    pub(super) fn said(&self) -> (u64, u8) {
        (
            self.start.load(Ordering::Acquire),
            self.stop.load(Ordering::Acquire),
        )
    }

    /// Ends the stress; what follows it begins.
    pub(super) fn calm(&self, at: u64) {
        self.calm.store(at, Ordering::Release);
    }

    /// When the stress was ended early, told once.
    pub(super) fn calmed(&self, known: &mut bool) -> Option<u64> {
        let at = self.calm.load(Ordering::Acquire);
        (at > 0 && !std::mem::replace(known, at > 0)).then_some(at)
    }

    /// Begins nothing new and waits for what is in flight.
    pub(super) fn stop(&self) {
        self.stop.fetch_max(1, Ordering::AcqRel);
    }

    /// Ends at once.
    pub(super) fn halt(&self) {
        self.stop.fetch_max(2, Ordering::AcqRel);
        *self.released.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.release.notify_all();
    }

    /// Waits, with the sockets of a worker that is done, until all are: closing thousands of them
    /// takes the kernel so long that others would measure it.
    pub(super) fn hold(&self) {
        let mut released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        while !*released {
            released = self
                .release
                .wait(released)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What a worker is to do.
#[derive(Clone)]
pub(super) struct Job {
    pub spec: Arc<Spec>,
    pub plan: Arc<Plan>,
    pub tls: Option<Setup>,
    pub share: Share,
    /// Addresses of the target.
    pub targets: Vec<SocketAddr>,
    /// Source addresses to go through; empty: the kernel's choice.
    pub sources: Vec<IpAddr>,
}

/// How it makes load.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Model {
    Open,
    /// With the pause between scenarios.
    Closed(u64),
}

/// A worker at work.
pub(super) struct Worker {
    job: Job,
    model: Model,
    control: Arc<Control>,
    outlet: Box<dyn FnMut(Interval) + Send>,
    poller: Poller,
    all: Vec<Connection>,
    /// When each connection's wait is over.
    deadlines: Vec<u64>,
    idle: Idle,
    timers: BinaryHeap<Timer>,
    buffer: Box<[u8]>,
    /// The last time that was read.
    now: u64,
    phase_state: State,
    stretches: Vec<Stretch>,
    schedule: Option<Schedule>,
    /// Current phase, for the closed model.
    phase: u16,
    /// Active users.
    users: u32,
    /// When load began; NEVER before.
    started: u64,
    /// The stress was ended early.
    calmed: bool,
    /// After this time nothing becomes due.
    cutoff: u64,
    /// The drain is over then.
    give_up: u64,
    next_release: u64,
    next_sweep: u64,
    next_flush: u64,
    /// Connections that were not attempted yet start here.
    undialed: u32,
    ramp_began: u64,
    connecting: u32,
    in_flight: u32,
    /// Connections whose last attempt failed.
    broken: u32,
    last_failure: Kind,
    iterations: u64,
    /// Turns to send, in the closed model.
    cap: Cap,
    /// Requests that may still be sent.
    allowance: u64,
    responses: u64,
    book: Book,
    connect_times: Option<Times>,
    gauges: Gauges,
}

impl Worker {
    pub(super) fn new(
        job: Job,
        control: Arc<Control>,
        outlet: impl FnMut(Interval) + Send + 'static,
    ) -> io::Result<Self> {
        let spec = &job.spec;
        let count = usize::try_from(job.share.part(u64::from(spec.connections))).unwrap_or(0);
        let model = match spec.shape {
            Shape::Open { .. } => Model::Open,
            Shape::Closed { think } => Model::Closed(nanos(think)),
            Shape::Max => Model::Closed(0),
        };
        let capped = (model != Model::Open).then_some(spec.cap).flatten();
        let cap = Cap::new(capped, job.share);
        let allowance = spec.max_requests.map_or(NEVER, |n| job.share.part(n));
        let book = Book::new(job.plan.routes.len());
        let mut all = Vec::with_capacity(count);
        all.resize_with(count, Connection::default);
        let now = clock::now();
        Ok(Self {
            model,
            control,
            outlet: Box::new(outlet),
            poller: Poller::new()?,
            all,
            deadlines: vec![NEVER; count],
            idle: Idle::new(),
            timers: BinaryHeap::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            now,
            phase_state: State::Dialing,
            stretches: Vec::new(),
            schedule: None,
            phase: 0,
            users: 0,
            started: NEVER,
            calmed: false,
            cutoff: NEVER,
            give_up: NEVER,
            next_release: NEVER,
            next_sweep: now,
            next_flush: now + SECOND,
            undialed: 0,
            ramp_began: now,
            connecting: 0,
            in_flight: 0,
            broken: 0,
            last_failure: Kind::Connect,
            iterations: 0,
            cap,
            allowance,
            responses: 0,
            book,
            connect_times: None,
            gauges: Gauges::default(),
            job,
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Works until everything has ended, and keeps its sockets until all workers have.
    pub(super) fn run(mut self) -> io::Result<()> {
        machine::precise_timers();
        if !self.job.spec.keepalive {
            self.make_cold();
        }
        let mut events = Events::new();
        loop {
            self.now = clock::now();
            if !self.obey() {
                break;
            }
            self.dial_more();
            self.fire_timers();
            if self.now >= self.next_release {
                self.release();
            }
            if self.now >= self.next_sweep {
                self.sweep();
            }
            if self.now >= self.next_flush || self.book.buckets.len() > MANY_BUCKETS {
                self.flush();
            }
            if self.is_over() {
                break;
            }
            let precise = self.next_release.min(self.next_timer());
            let coarse = self.next_sweep.min(self.next_flush).min(self.give_up);
            self.poller.wait(&mut events, precise, coarse)?;
            self.handle(&events);
        }
        self.finish();
        self.control.hold();
        Ok(())
    }

    fn handle(&mut self, events: &Events) {
        for nth in 0..events.len() {
            if let Some((token, flags)) = events.at(nth) {
                self.event(token, flags);
                // A long batch must not hold up what is due.
                if self.now >= self.next_release {
                    self.release();
                }
            }
        }
    }

    /// Looks at what the parent says; false when everything is to end at once.
    fn obey(&mut self) -> bool {
        let stop = self.control.stop.load(Ordering::Acquire);
        if stop >= 2 || (stop == 1 && self.started == NEVER) {
            return false;
        }
        if self.started == NEVER {
            let start = self.control.start.load(Ordering::Acquire);
            if start != 0 {
                self.begin_load(start);
            }
        }
        if self.phase_state == State::Running
            && let Some(at) = self.control.calmed(&mut self.calmed)
        {
            self.end_stress(at);
        }
        if stop == 1 && self.cutoff > self.now {
            self.wind_down(self.now);
        }
        if self.phase_state == State::Running && self.now >= self.cutoff {
            self.wind_down(self.cutoff);
        }
        true
    }

    /// The clock starts.
    fn begin_load(&mut self, start: u64) {
        let spec = Arc::clone(&self.job.spec);
        self.stretches = stretches(&spec.phases, start);
        let measure = spec
            .phases
            .iter()
            .position(|p| p.kind == PhaseKind::Measure);
        let epoch = measure.map_or(start, |nth| self.stretches[nth].start);
        self.book.begin(epoch, &self.stretches);
        self.started = start;
        self.cutoff = self.stretches.last().map_or(start, |s| s.end);
        self.next_flush = start + SECOND;
        self.phase_state = State::Running;
        match spec.shape {
            Shape::Open { arrivals } => self.plan_arrivals(arrivals),
            Shape::Closed { .. } | Shape::Max => self.timers.push(Timer::phase(start)),
        }
    }

    fn plan_arrivals(&mut self, arrivals: Arrivals) {
        let stretches = self.stretches.clone();
        let seed = self.job.spec.seed;
        let schedule = Schedule::new(stretches, self.job.share, arrivals, seed);
        self.next_release = schedule.next_at();
        self.schedule = Some(schedule);
    }

    /// The stress broke the target: what it left unsent never will be, and what follows begins.
    fn end_stress(&mut self, at: u64) {
        let phases = Arc::clone(&self.job.spec);
        let Some(next) = end_stress(&mut self.stretches, &phases.phases, at) else {
            return;
        };
        self.book.follow(&self.stretches);
        self.cutoff = self.stretches.last().map_or(at, |s| s.end);
        self.timers.push(Timer::phase(at));
        let Some(mut schedule) = self.schedule.take() else {
            return;
        };
        self.give_up_arrivals(&mut schedule, at);
        let schedule = schedule.resume(self.stretches.clone(), next);
        self.next_release = schedule.next_at();
        self.schedule = Some(schedule);
    }

    /// Nothing becomes due after `cutoff`; what is due already is still sent until the drain ends.
    fn wind_down(&mut self, cutoff: u64) {
        self.cutoff = cutoff;
        self.phase_state = State::Draining;
        self.give_up = cutoff.saturating_add(nanos(self.job.spec.drain));
    }

    /// Arrivals due by now (and before the cutoff) that were not begun.
    fn backlog(&self) -> u64 {
        let until = self.now.min(self.cutoff.saturating_sub(1));
        self.schedule.as_ref().map_or(0, |s| s.backlog(until))
    }

    fn is_over(&self) -> bool {
        if self.phase_state != State::Draining {
            return false;
        }
        let waiting = self
            .schedule
            .as_ref()
            .is_some_and(|s| s.next_at() < self.cutoff);
        self.now >= self.give_up || (self.in_flight == 0 && !waiting)
    }

    /// Reports what happened since the last report.
    fn flush(&mut self) {
        let end = if self.now >= self.next_flush {
            let end = self.next_flush;
            let late = (self.now - end) / SECOND;
            self.next_flush = end + (late + 1) * SECOND;
            end + late * SECOND
        } else {
            self.now
        };
        self.report(end);
    }

    fn report(&mut self, end: u64) {
        self.gauges.state = self.phase_state;
        self.gauges.in_flight = u64::from(self.in_flight);
        self.gauges.backlog = self.backlog();
        let oldest = self
            .schedule
            .as_ref()
            .map_or(NEVER, Schedule::next_at)
            .min(self.cutoff);
        self.gauges.backlog_age = self.now.saturating_sub(oldest);
        self.gauges.low_water = self.low_water();
        self.gauges.cpu = clock::thread_cpu();
        self.gauges.waiting = machine::thread_waiting();
        (self.outlet)(Interval {
            worker: self.job.share.index,
            end,
            gauges: self.gauges.clone(),
            buckets: self.book.take(),
            connect: self.connect_times.take(),
        });
    }

    /// Nothing that was due before this time is still open.
    fn low_water(&self) -> u64 {
        let open = self.all.iter().filter(|c| c.has_request()).map(|c| c.due);
        let due = self.schedule.as_ref().map_or(NEVER, Schedule::next_at);
        // The clock has moved on since timers were looked at.
        let due = due.min(self.next_timer());
        open.fold(self.now.min(due), u64::min)
    }

    /// Settles what is still open, and reports for the last time.
    fn finish(&mut self) {
        let halted = self.phase_state != State::Draining;
        if !halted {
            self.give_up_requests();
        }
        self.phase_state = State::Done;
        // The sockets are closed with the worker, when all are done.
        self.report(self.now);
    }

    /// What is open at the end of the drain is a timeout, what was never sent is an error too.
    fn give_up_requests(&mut self) {
        for id in 0..index(self.all.len()) {
            if self.all[at(id)].has_request() {
                self.record_failure(id, Kind::Timeout);
                self.all[at(id)].waiting = false;
                self.close(id, true);
            }
        }
        let Some(mut schedule) = self.schedule.take() else {
            return;
        };
        self.give_up_arrivals(&mut schedule, self.cutoff);
    }

    /// Counts what was due before `until` and never sent.
    fn give_up_arrivals(&mut self, schedule: &mut Schedule, until: u64) {
        while schedule.next_at() < until {
            let Some(due) = schedule.take() else { break };
            self.never_sent(due.at, due.phase, Kind::NeverSent);
            if self.book.buckets.len() > MANY_BUCKETS {
                self.report(self.now);
            }
        }
    }

    /// Counts an arrival whose first request cannot be sent.
    fn never_sent(&mut self, due: u64, phase: u16, kind: Kind) {
        let iteration = self.number();
        let scenario = usize::from(self.job.plan.choose(iteration));
        let route = self.job.plan.scenarios[scenario].steps[0].route;
        let bucket = self.book.bucket(phase, due);
        bucket.unsent += 1;
        let tally = &mut bucket.routes[usize::from(route)];
        tally.counts.scheduled += 1;
        let mut waited = self.now.saturating_sub(due);
        if kind == Kind::NeverSent {
            // As with a timeout: the drain may be shorter.
            waited = waited.max(nanos(self.job.spec.timeout));
        }
        tally.fail(kind, waited);
    }

    /// The number of the next iteration, unique over all workers.
    fn number(&mut self) -> u64 {
        let share = self.job.share;
        let number = self.iterations * u64::from(share.of) + u64::from(share.index);
        self.iterations += 1;
        number
    }
}

/// A period of looking at deadlines that suits a timeout.
fn sweep_period(timeout: u64) -> u64 {
    (timeout / 50).clamp(10 * MILLI, 100 * MILLI)
}
