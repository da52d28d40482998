//! The worker for HTTP/2: as the one for HTTP/1.1, but a request has a stream of a shared
//! connection, and the protocol is that of the `h2` crate, which wants tasks. One thread, one
//! runtime; pacing is by a timerfd, never by the runtime's own clock.

mod link;
mod pacer;
mod stream;

use std::{cell::RefCell, collections::VecDeque, io, rc::Rc, sync::Arc, time::Duration};

use tokio::{sync::Notify, task};

use super::{
    cap::Cap,
    clock::{self, MILLI, NEVER, SECOND, nanos, whole},
    ledger::epoch,
    machine, random,
    schedule::{Due, Schedule, end_stress, stretches},
    spec::{Protocol, Reuse, Shape},
    tally::{Book, Gauges, Interval, Kind, MANY_BUCKETS, State, Times},
    worker::{Control, Job},
};
use pacer::Pacer;

/// How often the worker looks at what its parent says.
const LOOK: u64 = 20 * MILLI;
/// Stands for the route of an arrival until that is known.
const UNBEGUN: u16 = u16::MAX;

/// A worker.
pub(super) struct Worker {
    job: Job,
    control: Arc<Control>,
    outlet: Box<dyn FnMut(Interval) + Send>,
    /// The stress was ended early.
    calmed: bool,
}

/// What all tasks of a worker share.
struct Desk {
    job: Job,
    streams: usize,
    state: State,
    book: Book,
    gauges: Gauges,
    connect_times: Option<Times>,
    links: Vec<link::Link>,
    schedule: Option<Schedule>,
    stretches: Vec<super::schedule::Stretch>,
    /// Numbers of free streams: connection times streams plus stream.
    idle: VecDeque<usize>,
    /// When each stream became free.
    free_since: Vec<u64>,
    /// When each stream's request was due; NEVER without one.
    due: Vec<u64>,
    /// When the request that a user waits to begin becomes due; NEVER while there is one.
    asleep: Vec<u64>,
    /// Of each stream's request its route; `UNBEGUN` while its task has not begun.
    routes: Vec<u16>,
    /// Arrivals whose task has not begun.
    unbegun: u64,
    in_flight: u64,
    iterations: u64,
    /// Turns to send, in the closed model.
    cap: Cap,
    allowance: u64,
    cutoff: u64,
    give_up: u64,
    /// Tells the main task that a stream is free or the state has changed.
    news: Rc<Notify>,
    last_failure: Kind,
}

type Shared = Rc<RefCell<Desk>>;

impl Worker {
    pub(super) fn new(
        job: Job,
        control: Arc<Control>,
        outlet: impl FnMut(Interval) + Send + 'static,
    ) -> Self {
        Self {
            job,
            control,
            outlet: Box::new(outlet),
            calmed: false,
        }
    }

    /// Works until everything has ended, and keeps its sockets until all workers have.
    pub(super) fn run(self) -> io::Result<()> {
        machine::precise_timers();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let control = Arc::clone(&self.control);
        // Its tasks own the connections.
        let tasks = task::LocalSet::new();
        tasks.block_on(&runtime, self.work())?;
        control.hold();
        Ok(())
    }

    async fn work(mut self) -> io::Result<()> {
        let desk = Rc::new(RefCell::new(Desk::new(self.job.clone())));
        let mut pacer = Pacer::new()?;
        link::open_all(&desk);
        let ramp_limit = clock::now() + nanos(self.job.spec.connect.ramp_limit);
        let mut next_report = clock::now() + SECOND;
        loop {
            let now = clock::now();
            if !self.obey(&desk, now) {
                break;
            }
            let ready = desk.borrow().is_settled() || now >= ramp_limit;
            if desk.borrow().state == State::Dialing && ready {
                desk.borrow_mut().state = State::Ready;
                self.report(&desk, now);
            }
            release(&desk, now);
            if now >= next_report || desk.borrow().book.buckets.len() > MANY_BUCKETS {
                next_report = self.flush(&desk, now, next_report);
            }
            if desk.borrow().is_over(now) {
                break;
            }
            let wake = desk
                .borrow()
                .next_release(now)
                .min(now + LOOK)
                .min(next_report);
            let news = Rc::clone(&desk.borrow().news);
            tokio::select! {
                outcome = pacer.until(wake) => outcome?,
                () = news.notified() => {}
            }
        }
        let now = clock::now();
        finish(&desk, now);
        self.report(&desk, now);
        Ok(())
    }

    fn obey(&mut self, desk: &Shared, now: u64) -> bool {
        let (start, stop) = self.control.said();
        let state = desk.borrow().state;
        let begun = matches!(state, State::Running | State::Draining);
        if stop >= 2 || (stop == 1 && !begun) {
            return false;
        }
        if !begun && start != 0 {
            begin(desk, start);
        }
        let mut desk = desk.borrow_mut();
        if desk.state == State::Running
            && let Some(at) = self.control.calmed(&mut self.calmed)
        {
            desk.end_stress(at, now);
        }
        if desk.state == State::Running && (stop == 1 || now >= desk.cutoff) {
            let cutoff = desk.cutoff.min(now);
            desk.wind_down(cutoff);
        }
        true
    }

    /// Reports at whole seconds of the run, once that has begun.
    fn flush(&mut self, desk: &Shared, now: u64, due: u64) -> u64 {
        let start = desk.borrow().stretches.first().map_or(NEVER, |s| s.start);
        self.report(desk, if now >= due { due } else { now });
        if now < due {
            return due;
        }
        if start > now {
            now + SECOND
        } else {
            start + ((now - start) / SECOND + 1) * SECOND
        }
    }

    fn report(&mut self, desk: &Shared, end: u64) {
        let mut desk = desk.borrow_mut();
        let now = clock::now();
        let next = desk.schedule.as_ref().map_or(NEVER, Schedule::next_at);
        let until = now.min(desk.cutoff.saturating_sub(1));
        desk.gauges.state = desk.state;
        desk.gauges.open = desk.links.iter().filter(|l| l.sender.is_some()).count() as u64;
        desk.gauges.in_flight = desk.in_flight;
        desk.gauges.backlog = desk.schedule.as_ref().map_or(0, |s| s.backlog(until));
        desk.gauges.backlog_age = now.saturating_sub(next.min(desk.cutoff));
        // A user that wakes late still begins what was due before.
        let waiting = desk.due.iter().chain(&desk.asleep).copied();
        desk.gauges.low_water = waiting.fold(now.min(next), u64::min);
        desk.gauges.cpu = clock::thread_cpu();
        desk.gauges.waiting = machine::thread_waiting();
        let interval = Interval {
            worker: desk.job.share.index,
            end,
            gauges: desk.gauges.clone(),
            buckets: desk.book.take(),
            connect: desk.connect_times.take(),
        };
        drop(desk);
        (self.outlet)(interval);
    }
}

impl Desk {
    fn new(job: Job) -> Self {
        let count = usize::try_from(job.share.part(u64::from(job.spec.connections))).unwrap_or(0);
        let streams = match job.spec.protocol {
            Protocol::Http2 { streams } => usize::try_from(streams).unwrap_or(1).max(1),
            Protocol::Auto | Protocol::Http1 => 1,
        };
        let slots = count * streams;
        let open = matches!(job.spec.shape, Shape::Open { .. });
        let capped = (!open).then_some(job.spec.cap).flatten();
        Self {
            streams,
            state: State::Dialing,
            book: Book::new(job.plan.routes.len()),
            gauges: Gauges::default(),
            connect_times: None,
            links: (0..count).map(|_| link::Link::default()).collect(),
            schedule: None,
            stretches: Vec::new(),
            // The streams of all connections in turn.
            idle: (0..streams)
                .flat_map(|s| (0..count).map(move |c| c * streams + s))
                .collect(),
            free_since: vec![0; slots],
            due: vec![NEVER; slots],
            asleep: vec![NEVER; slots],
            routes: vec![UNBEGUN; slots],
            unbegun: 0,
            in_flight: 0,
            iterations: 0,
            cap: Cap::new(capped, job.share),
            allowance: job.spec.max_requests.map_or(NEVER, |n| job.share.part(n)),
            cutoff: NEVER,
            give_up: NEVER,
            news: Rc::new(Notify::new()),
            last_failure: Kind::Connect,
            job,
        }
    }

    /// Every connection is open, or has failed for good.
    fn is_settled(&self) -> bool {
        self.links
            .iter()
            .all(|l| l.sender.is_some() || l.failures >= 3)
    }

    fn wind_down(&mut self, cutoff: u64) {
        self.state = State::Draining;
        self.cutoff = cutoff;
        self.give_up = cutoff.saturating_add(nanos(self.job.spec.drain));
    }

    /// The stress broke the target: what it left unsent never will be, and what follows begins.
    fn end_stress(&mut self, at: u64, now: u64) {
        let spec = Arc::clone(&self.job.spec);
        let Some(next) = end_stress(&mut self.stretches, &spec.phases, at) else {
            return;
        };
        self.book.follow(&self.stretches);
        self.cutoff = self.stretches.last().map_or(at, |s| s.end);
        let Some(mut schedule) = self.schedule.take() else {
            return;
        };
        while schedule.next_at() < at {
            let Some(due) = schedule.take() else { break };
            self.never_sent(due.at, due.phase, now);
        }
        self.schedule = Some(schedule.resume(self.stretches.clone(), next));
    }

    fn is_over(&self, now: u64) -> bool {
        let waiting = self
            .schedule
            .as_ref()
            .is_some_and(|s| s.next_at() < self.cutoff);
        let idle = self.in_flight == 0 && self.unbegun == 0 && !waiting;
        self.state == State::Draining && (now >= self.give_up || idle)
    }

    fn next_release(&self, now: u64) -> u64 {
        let next = self.schedule.as_ref().map_or(NEVER, Schedule::next_at);
        if self.idle.is_empty() || next >= self.cutoff {
            return NEVER;
        }
        next.max(now + nanos(self.job.spec.quantum))
    }

    /// Takes the next arrival that is due.
    fn take_due(&mut self, now: u64) -> Option<Due> {
        let cutoff = self.cutoff;
        let schedule = self.schedule.as_mut()?;
        (schedule.next_at() <= now && schedule.next_at() < cutoff).then(|| schedule.take())?
    }

    fn phase_at(&self, due: u64) -> u16 {
        let nth = self.stretches.partition_point(|s| s.end <= due);
        u16::try_from(nth.min(self.stretches.len().saturating_sub(1))).unwrap_or(u16::MAX)
    }

    /// The number of the next iteration, unique over all workers.
    fn number(&mut self) -> u64 {
        let share = self.job.share;
        self.iterations += 1;
        (self.iterations - 1) * u64::from(share.of) + u64::from(share.index)
    }

    /// Counts an arrival whose first request was never sent.
    fn never_sent(&mut self, due: u64, phase: u16, now: u64) {
        let number = self.number();
        let scenario = usize::from(self.job.plan.choose(number));
        let route = self.job.plan.scenarios[scenario].steps[0].route;
        let bucket = self.book.bucket(phase, due);
        bucket.unsent += 1;
        let tally = &mut bucket.routes[usize::from(route)];
        tally.counts.scheduled += 1;
        let waited = now.saturating_sub(due);
        tally.fail(Kind::NeverSent, waited.max(nanos(self.job.spec.timeout)));
    }
}

/// The clock starts.
fn begin(desk: &Shared, start: u64) {
    let mut this = desk.borrow_mut();
    let spec = Arc::clone(&this.job.spec);
    this.stretches = stretches(&spec.phases, start);
    let epoch = epoch(&spec, &this.stretches);
    let stretches = this.stretches.clone();
    this.book.begin(epoch, &stretches);
    this.cutoff = this.stretches.last().map_or(start, |s| s.end);
    this.state = State::Running;
    let think = match spec.shape {
        Shape::Open { arrivals } => {
            let (stretches, share) = (this.stretches.clone(), this.job.share);
            this.schedule = Some(Schedule::new(stretches, share, arrivals, spec.seed));
            return;
        }
        Shape::Closed { think } => nanos(think),
        Shape::Max => 0,
    };
    let users = this.due.len();
    drop(this);
    for slot in 0..users {
        let bits = random::at(spec.seed ^ 0x5eed, slot as u64);
        let first = start + whole(random::unit(bits) * think as f64);
        desk.borrow_mut().asleep[slot] = first;
        task::spawn_local(stream::user(Rc::clone(desk), slot, first, think));
    }
}

/// Begins what is due on the streams that are free.
fn release(desk: &Shared, now: u64) {
    loop {
        let mut this = desk.borrow_mut();
        if this.idle.is_empty() {
            return;
        }
        let Some(due) = this.take_due(now) else {
            return;
        };
        let slot = match this.job.spec.reuse {
            Reuse::Fifo => this.idle.pop_front(),
            Reuse::Lifo => this.idle.pop_back(),
        };
        let Some(slot) = slot else { return };
        // From now on, and not when the task begins, or it would be missing in a report between.
        this.due[slot] = due.at;
        this.routes[slot] = UNBEGUN;
        this.unbegun += 1;
        drop(this);
        task::spawn_local(stream::arrival(Rc::clone(desk), slot, due));
    }
}

/// Settles what is still open at the end of the drain.
fn finish(desk: &Shared, now: u64) {
    let mut this = desk.borrow_mut();
    let drained = this.state == State::Draining;
    this.state = State::Done;
    if !drained {
        return;
    }
    for slot in 0..this.due.len() {
        let (due, route) = (this.due[slot], this.routes[slot]);
        if due == NEVER {
            continue;
        }
        let phase = this.phase_at(due);
        if route == UNBEGUN {
            this.never_sent(due, phase, now);
        } else {
            let late = now.saturating_sub(due).max(nanos(this.job.spec.timeout));
            this.book.route(phase, due, route).fail(Kind::Timeout, late);
        }
    }
    let Some(mut schedule) = this.schedule.take() else {
        return;
    };
    while schedule.next_at() < this.cutoff {
        let Some(due) = schedule.take() else { break };
        this.never_sent(due.at, due.phase, now);
    }
}

/// A pause of the runtime's clock, for what need not be precise.
async fn pause(nanos: u64) {
    tokio::time::sleep(Duration::from_nanos(nanos)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::engine::{plan::Plan, schedule::Share, spec::Spec};

    #[test]
    fn what_a_sleeping_user_will_begin_is_still_open() {
        let mut spec = Spec::get("http://127.0.0.1/".parse().unwrap(), "/");
        spec.protocol = Protocol::Http2 { streams: 1 };
        spec.shape = Shape::Max;
        let job = Job {
            tls: None,
            plan: Arc::new(Plan::new(&spec).unwrap()),
            spec: Arc::new(spec),
            share: Share { index: 0, of: 1 },
            targets: Vec::new(),
            sources: Vec::new(),
        };
        let (send, receive) = channel();
        let outlet = move |interval| drop(send.send(interval));
        let mut worker = Worker::new(job.clone(), Arc::default(), outlet);
        let desk = Rc::new(RefCell::new(Desk::new(job)));
        let due = clock::now() - 5 * MILLI;
        desk.borrow_mut().asleep[0] = due;
        worker.report(&desk, clock::now());
        assert_eq!(receive.recv().unwrap().gauges.low_water, due);
    }
}
