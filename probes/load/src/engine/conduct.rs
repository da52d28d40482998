//! One run from its spec to its report: lays it out, starts the workers, listens to them, stops
//! them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::Instant,
};

use super::{
    child::raise_file_limit,
    clock::{self, MILLI, SECOND, nanos, seconds},
    crew::{Crew, Up},
    layout::{Layout, Limits, layout},
    ledger::{Ledger, epoch, errors, measured_seconds, planned, slot_before},
    machine::{self, Ticks},
    plan::Plan,
    report::{Connections, Ended, Generator, LoadModel, Report},
    rows::{LONGEST_WINDOW, Rows, Trip},
    schedule::{Share, Stretch, end_stress, stretches},
    spec::{Abort, PhaseKind, Shape, Spec},
    tally::{Interval, State},
    targets,
    tls::{self, Setup},
    worker::Job,
};

/// How long the workers have to report for the last time when all is to end at once.
const LAST_WORD: Duration = Duration::from_millis(400);
/// So long before the deadline of the gate the run is ended.
const BEFORE_DEADLINE: Duration = Duration::from_millis(500);
/// How long worker processes that have reported for the last time have to end: the kernel closes
/// their connections meanwhile.
const EXIT: Duration = Duration::from_secs(1);
/// The same where all ends at once: it is still before the deadline.
const QUICK_EXIT: Duration = Duration::from_millis(100);

/// Checks what can be checked of a spec without sending anything: its scenarios, templates,
/// patterns and phases. The message says what is wrong.
pub fn check(spec: &Spec) -> Result<(), String> {
    Plan::new(spec)?;
    if spec.phases.is_empty() {
        return Err("there is no phase".to_owned());
    }
    if spec.connections == 0 {
        return Err("there is no connection to send on".to_owned());
    }
    if spec.quantum.is_zero() || spec.timeout.is_zero() {
        return Err("the timeout and the quantum must be longer than 0".to_owned());
    }
    let longest = |abort: &&Abort| abort.window.is_some_and(|w| w > LONGEST_WINDOW);
    if let Some(abort) = spec.aborts.iter().find(longest) {
        return Err(format!(
            "a window of `abort_on` is at most an hour long: {}",
            abort.expr
        ));
    }
    for phase in &spec.phases {
        let rate = phase.rate.is_some_and(|r| r.is_finite() && r >= 0.0);
        if matches!(spec.shape, Shape::Open { .. }) && !rate {
            return Err(format!("the phase `{}` has no rate", phase.name));
        }
        if phase.duration.is_zero() {
            return Err(format!("the phase `{}` has no length", phase.name));
        }
    }
    Ok(())
}

/// Makes the load that `spec` asks for.
///
/// A target that answers nothing right is a report full of errors. An error is returned when no
/// load could be made at all: the spec is wrong, the machine's limits are too low, or not a single
/// connection could be opened. On cancellation, and at the deadline of the gate, what there is by
/// then is reported, within half a second.
pub async fn run(spec: Spec, cx: &Cx) -> Result<Report, ProbeError> {
    let bad =
        |message: String| ProbeError::new(ErrorKind::BadData, "load", "planning the load", message);
    check(&spec).map_err(bad)?;
    raise_file_limit();
    let (targets, mut notes) = targets::find(&spec, cx).await?;
    let plan = Arc::new(Plan::new(&spec).map_err(bad)?);
    let layout = layout(&spec, &targets, &limits())
        .map_err(|e| ProbeError::new(ErrorKind::NoData, host(&spec), "planning the load", e))?;
    targets::check_sources(&layout.sources, host(&spec))?;
    notes.extend(layout.notes.iter().cloned());
    let job = Job {
        tls: Setup::new(&spec).map_err(bad)?,
        plan,
        spec: Arc::new(spec),
        share: Share {
            index: 0,
            of: layout.workers(),
        },
        targets,
        sources: layout.sources.clone(),
    };
    let (send, receive) = unbounded_channel();
    let crew = Crew::start(&job, &layout, cx, send)?;
    let mut conductor = Conductor::new(job, layout, crew, receive, cx);
    conductor.notes = notes;
    conductor.ramp().await?;
    conductor.play().await;
    Ok(conductor.report())
}

fn limits() -> Limits {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    Limits {
        files: files.current.unwrap_or(u64::MAX),
        open: machine::open_files(),
        ports: machine::port_range(),
        cores: machine::cores(),
    }
}

fn host(spec: &Spec) -> String {
    spec.base.host_str().unwrap_or_default().to_owned()
}

struct Conductor<'a> {
    job: Job,
    layout: Layout,
    crew: Crew,
    receive: UnboundedReceiver<Up>,
    cx: &'a Cx,
    notes: Vec<String>,
    ledger: Ledger,
    rows: Rows,
    stretches: Vec<Stretch>,
    started: Timestamp,
    ramp: (u64, u64),
    ready: u64,
    ended: Option<Ended>,
    stress_ended: Option<String>,
    end: u64,
    ticks: (Option<Ticks>, Option<Ticks>),
    resident: u64,
}

impl<'a> Conductor<'a> {
    fn new(
        job: Job,
        layout: Layout,
        crew: Crew,
        receive: UnboundedReceiver<Up>,
        cx: &'a Cx,
    ) -> Self {
        let now = clock::now();
        Self {
            ledger: Ledger::new(&job.spec, job.plan.routes.len()),
            rows: Rows::new(&job.spec, layout.workers(), now, (now, now)),
            stretches: Vec::new(),
            started: cx.now(),
            ramp: (now, now),
            ready: 0,
            ended: None,
            stress_ended: None,
            end: now,
            ticks: (None, None),
            resident: 0,
            notes: Vec::new(),
            job,
            layout,
            crew,
            receive,
            cx,
        }
    }

    /// Waits until the connections are open.
    async fn ramp(&mut self) -> Result<(), ProbeError> {
        while !self.rows.all(|s| s != State::Dialing) {
            let phase = "opening connections";
            let message = self
                .cx
                .within(&host(&self.job.spec), phase, self.receive.recv())
                .await?;
            match message {
                Some(Up::Report(interval)) => {
                    if let Some(connect) = &interval.connect {
                        self.ledger.connect.add(connect);
                    }
                    self.rows.add(&interval);
                    let open: u64 = self.rows.gauges().map(|g| g.open).sum();
                    self.cx.progress(&format!(
                        "{open} of {} connections open",
                        self.job.spec.connections
                    ));
                }
                Some(Up::Lost(why)) => return Err(super::internal(&why)),
                None => return Err(super::internal("the workers ended while connecting")),
            }
        }
        self.ready = self.rows.gauges().map(|g| g.open).sum();
        let failed = self.rows.gauges().find_map(|g| g.first_failure.clone());
        if self.ready == 0
            && self.job.spec.keepalive
            && let Some(why) = failed
        {
            let kind = if why.contains(": TLS: ") {
                ErrorKind::Protocol
            } else {
                ErrorKind::Connect
            };
            let error = ProbeError::new(kind, host(&self.job.spec), "opening connections", why);
            return Err(error.hint("no connection could be opened, so no load was made"));
        }
        self.begin();
        Ok(())
    }

    /// Sets the clock of all workers.
    fn begin(&mut self) {
        let now = clock::now();
        // Time for the message to reach all of them.
        let ahead = if self.layout.processes > 0 { 200 } else { 20 } * MILLI;
        let start = now + ahead;
        self.ramp.1 = now;
        self.stretches = stretches(&self.job.spec.phases, start);
        let measure = self.job.spec.phases.iter().zip(&self.stretches);
        let measure: Vec<_> = measure
            .filter(|(p, _)| p.kind == PhaseKind::Measure)
            .collect();
        let from = measure.first().map_or(start, |(_, s)| s.start);
        let to = measure.last().map_or(start, |(_, s)| s.end);
        let empty = Rows::new(&self.job.spec, 0, start, (from, to));
        self.rows = std::mem::replace(&mut self.rows, empty).restart(start, (from, to));
        let ahead = SignedDuration::from_nanos(i64::try_from(ahead).unwrap_or(0));
        self.started = self
            .cx
            .now()
            .checked_add(ahead)
            .unwrap_or_else(|_| self.cx.now());
        self.crew.begin(start);
    }

    /// Listens until all workers are done, or have to be.
    async fn play(&mut self) {
        let start = self.stretches.first().map_or(0, |s| s.start);
        let latest = planned(&self.job.spec) + nanos(self.job.spec.drain) + 5 * SECOND;
        let overdue =
            Instant::now() + Duration::from_nanos(start.saturating_sub(clock::now()) + latest);
        let deadline = self
            .cx
            .deadline()
            .checked_sub(BEFORE_DEADLINE)
            .unwrap_or_else(Instant::now);
        let mut last_word = overdue + Duration::from_secs(86_400);
        while !self.rows.all(|s| s == State::Done) {
            let halted = self.ended.as_ref().is_some_and(is_abrupt);
            tokio::select! {
                biased;
                () = self.cx.cancellation().cancelled(), if !halted => {
                    self.halt(Ended::Interrupted { at_s: self.at() });
                    last_word = Instant::now() + LAST_WORD;
                }
                () = tokio::time::sleep_until(deadline), if !halted => {
                    self.halt(Ended::Deadline { at_s: self.at() });
                    last_word = Instant::now() + LAST_WORD;
                }
                () = tokio::time::sleep_until(last_word) => break,
                () = tokio::time::sleep_until(overdue), if !halted => {
                    let reason = "a worker did not end when it had to".to_owned();
                    self.halt(Ended::WorkerLost { reason, at_s: self.at() });
                    last_word = Instant::now() + LAST_WORD;
                }
                message = self.receive.recv() => match message {
                    Some(Up::Report(interval)) => self.hear(&interval),
                    Some(Up::Lost(reason)) if !halted => {
                        self.halt(Ended::WorkerLost { reason, at_s: self.at() });
                        last_word = Instant::now() + LAST_WORD;
                    }
                    Some(Up::Lost(_)) => {}
                    None => break,
                },
            }
        }
        self.end = clock::now();
        let hurried = self.ended.as_ref().is_some_and(is_abrupt);
        let within = if hurried { QUICK_EXIT } else { EXIT };
        self.crew.finish(within).await;
    }

    /// Seconds since the start of the first phase.
    fn at(&self) -> f64 {
        let start = self.stretches.first().map_or(0, |s| s.start);
        seconds(clock::now().saturating_sub(start))
    }

    fn halt(&mut self, why: Ended) {
        self.ended = Some(why);
        self.crew.halt();
    }

    fn hear(&mut self, interval: &Interval) {
        if let Some(connect) = &interval.connect {
            self.ledger.connect.add(connect);
        }
        for bucket in &interval.buckets {
            self.ledger.add(bucket);
        }
        let low = self.rows.add(interval);
        let epoch = epoch(&self.job.spec, &self.stretches);
        self.ledger.close_windows(slot_before(low, epoch));
        self.read_machine(interval.end);
        let mut closed = false;
        // Each row is looked at, also where several end at once.
        while self.rows.close(&self.stretches) {
            closed = true;
            self.watch();
        }
        if !closed {
            return;
        }
        self.resident = self.crew.resident().max(self.resident);
        if let Some(line) = self.rows.line(&self.job.spec) {
            self.cx.progress(&line);
        }
    }

    /// Stops the load where a condition says so.
    fn watch(&mut self) {
        if self.ended.is_some() {
            return;
        }
        match self
            .rows
            .trip(&self.job.spec, &self.ledger, &self.job.plan.routes)
        {
            Some(Trip::Abort { expr, value }) => {
                let at_s = self.at();
                self.ended = Some(Ended::Aborted { expr, value, at_s });
                self.crew.stop();
            }
            // It is meant to break the target, and has.
            Some(Trip::Safety(reason))
                if self.rows.kind(&self.job.spec) == Some(PhaseKind::Stress) =>
            {
                self.end_stress(&reason);
            }
            Some(Trip::Safety(reason)) => {
                let at_s = self.at();
                self.ended = Some(Ended::SafetyStop { reason, at_s });
                self.crew.stop();
            }
            None => {}
        }
    }

    /// Goes on to the recovery, if that has not begun.
    fn end_stress(&mut self, reason: &str) {
        let now = clock::now();
        self.rows.calm();
        if end_stress(&mut self.stretches, &self.job.spec.phases, now).is_some() {
            self.stress_ended = Some(format!("at {:.1} s: {reason}", self.at()));
            self.crew.calm(now);
        }
    }

    /// Reads the machine's clocks at both ends of the measure phases.
    fn read_machine(&mut self, now: u64) {
        let phases = self.job.spec.phases.iter().zip(&self.stretches);
        let measure = phases
            .filter(|(p, _)| p.kind == PhaseKind::Measure)
            .map(|(_, s)| s);
        let (from, to) = measure.fold((u64::MAX, 0), |(a, b), s| (a.min(s.start), b.max(s.end)));
        if now < from || self.ticks.0.is_none() {
            self.ticks.0 = Ticks::read();
        } else if now <= to || self.ticks.1.is_none() {
            self.ticks.1 = Ticks::read();
        }
    }

    fn report(mut self) -> Report {
        let start = self.stretches.first().map_or(0, |s| s.start);
        let spec = Arc::clone(&self.job.spec);
        // Each worker has its own part of them: the first that stops leaves the target with less load.
        let limit = self.rows.gauges().any(|g| g.limit_reached);
        let at_s = seconds(self.end.saturating_sub(start));
        let ended = self.ended.take().unwrap_or(if limit {
            Ended::MaxRequests { at_s }
        } else {
            Ended::Complete
        });
        let cut = cut_at(&ended).map_or(u64::MAX, |s| start + clock::whole(s * 1e9));
        let stretches = std::mem::take(&mut self.stretches);
        let windows = self.ledger.window_reports(&stretches, cut);
        let mut phases = self.ledger.phase_reports(&spec, &stretches, cut);
        for ((phase, stretch), left) in phases.iter_mut().zip(&stretches).zip(&self.rows.left) {
            phase.backlog = (stretch.end <= cut).then_some(*left);
        }
        let generator = self.generator();
        let series = std::mem::take(&mut self.rows.series);
        let mut addresses: Vec<_> = self.job.targets.iter().map(SocketAddr::ip).collect();
        addresses.dedup();
        Report {
            started: self.started,
            wall_s: at_s,
            model: match spec.shape {
                Shape::Open { .. } => LoadModel::Open,
                Shape::Closed { .. } => LoadModel::Closed,
                Shape::Max => LoadModel::Max,
            },
            protocol: tls::alpn(&spec).to_owned(),
            tls: self.rows.gauges().find_map(|g| g.tls.clone()),
            addresses,
            phases,
            measured: self.ledger.measured().tally(true),
            measured_s: measured_seconds(&spec, &stretches, cut),
            routes: self.ledger.route_reports(&self.job.plan.routes),
            windows,
            series,
            generator,
            stress_ended: self.stress_ended.take(),
            ended,
        }
    }

    fn generator(&mut self) -> Generator {
        let machine = self.ticks.0.zip(self.ticks.1).and_then(|(a, b)| b.since(a));
        let retried: u64 = self.rows.gauges().map(|g| g.retried).sum();
        if retried > 0 {
            self.notes.push(format!(
                "{retried} requests were sent again, once, because the target closed their idle \
                 connection while they were on their way."
            ));
        }
        let mut generator = Generator {
            processes: self.layout.processes,
            threads: self.layout.workers(),
            steal: machine.map(|(steal, _)| steal),
            idle: machine.map(|(_, idle)| idle),
            own_lag: self.ledger.own_lag.distribution(false),
            quantum_us: nanos(self.job.spec.quantum) / 1_000,
            connections: self.connections(),
            rss_bytes: self.resident,
            notes: std::mem::take(&mut self.notes),
            ..Generator::default()
        };
        self.rows.fill(&mut generator);
        generator
    }

    fn connections(&self) -> Connections {
        let sum = |of: &dyn Fn(&super::tally::Gauges) -> u64| self.rows.gauges().map(of).sum();
        let mut failed = [0; super::tally::KINDS];
        for gauges in self.rows.gauges() {
            failed
                .iter_mut()
                .zip(gauges.failed)
                .for_each(|(sum, n)| *sum += n);
        }
        Connections {
            asked: if self.job.spec.keepalive {
                u64::from(self.job.spec.connections)
            } else {
                0
            },
            ready: self.ready,
            peak: self.rows.peak.max(self.ready),
            lowest: self.rows.lowest.unwrap_or(self.ready),
            opened: sum(&|g| g.opened),
            reopened: sum(&|g| g.reopened),
            failed: errors(&failed),
            first_failure: self.rows.gauges().find_map(|g| g.first_failure.clone()),
            ramp_s: seconds(self.ramp.1 - self.ramp.0),
            connect: self.ledger.connect.distribution(false),
            sources: self.layout.sources.clone(),
        }
    }
}

/// Whether what is in flight is not waited for.
fn is_abrupt(ended: &Ended) -> bool {
    matches!(
        ended,
        Ended::Interrupted { .. } | Ended::Deadline { .. } | Ended::WorkerLost { .. }
    )
}

/// When the load ended, if that was early.
fn cut_at(ended: &Ended) -> Option<f64> {
    match ended {
        Ended::Complete => None,
        Ended::Interrupted { at_s }
        | Ended::Aborted { at_s, .. }
        | Ended::SafetyStop { at_s, .. }
        | Ended::MaxRequests { at_s }
        | Ended::Deadline { at_s }
        | Ended::WorkerLost { at_s, .. } => Some(*at_s),
    }
}
