//! The loop: sample, look again, wait, until the time is over or something ends it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use readygate_sdk::{Masker, SystemClock, defang};
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Job,
    collect::{Collected, seen},
    select, tell, write_decision,
};
use crate::{
    cli::{event::State, output::Terminal, session},
    config::{Config, Gate},
    engine::{self, Context},
    plan::{Choice, Plan},
    record::{self, Advice, GateRecord, Outcome, Run, Samples, SkipReason, Verdict},
    release::{
        Type,
        events::EventsError,
        watch::{End, Ended, Machine, Next, Notice, Seen, Settings, decide, under_way},
    },
    verdict,
};

const HEARTBEAT: Duration = Duration::from_secs(60);
/// So many samples of a watch are in the history; the record has all of them.
const SAMPLES_IN_HISTORY: u32 = 500;

/// Watches to the end. Gives the record, and whether the history is complete.
pub fn execute(
    config: Config,
    plan: Plan,
    job: Job,
    terminal: Terminal,
) -> Result<(Run, bool), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|e| format!("the runtime could not be started: {e}"))?;
    let run = runtime.block_on(drive(config, plan, job, terminal));
    // A probe that blocks its thread for ever must not hold the exit.
    std::mem::forget(runtime);
    run
}

async fn drive(
    config: Config,
    plan: Plan,
    mut job: Job,
    terminal: Terminal,
) -> Result<(Run, bool), String> {
    let masker = Arc::new(Masker::new(config.secrets.iter().map(String::as_str)));
    let cancel = CancellationToken::new();
    let over = CancellationToken::new();
    let caught = session::catch_signals(&cancel, &over, terminal)?;
    let (events, mut receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    let context = Arc::new(Context {
        target: config.target.clone(),
        directory: config.directory.clone(),
        clock: Arc::new(SystemClock),
        cancel,
        deadline: None,
        baseline: job.baseline.take(),
        waivers: config.waivers.clone(),
        masker: Arc::clone(&masker),
        events,
    });
    let selection = std::mem::take(&mut job.selection);
    let decision = std::mem::take(&mut job.decision);
    let (mut watch, config) = Watch::new(config, plan, job, context, terminal);
    let started = watch.context.clock.now();
    let placeholder = under_way(&watch.machine, watch.ended(None, None, (started, started)));
    write_decision(&decision, watch.state.folder.as_deref(), &placeholder)
        .map_err(|e| format!("nothing was watched, the decision cannot be kept: {e}"))?;
    let early = watch.run().await;
    let finished = watch.context.clock.now();
    over.cancel();
    let signal = caught.get().copied();
    let ended = watch.ended(early, signal, (started, finished));
    let complete = watch.complete;
    let run = watch.into_run(&config, selection, ended);
    let run = record::seal(&run, &masker);
    let run = run.map_err(|e| format!("the record could not be made: {e}"))?;
    Ok((run, complete))
}

/// A watch has its own way of looking again; retries would only delay it. The timeout stays: one that
/// is shorter than what the policy allows would call a slow gate a target that is down.
fn once(gate: Gate) -> Arc<Gate> {
    Arc::new(Gate {
        retry: None,
        sustain: None,
        ..gate
    })
}

struct Watch {
    gates: Vec<Arc<Gate>>,
    plan: Plan,
    concurrency: usize,
    context: Arc<Context>,
    machine: Machine,
    settings: Settings,
    state: State,
    collected: Collected,
    /// Whether all events were written.
    complete: bool,
    /// What the last sample in the history found.
    told: Option<Found>,
    /// Shared with the heartbeat.
    status: Arc<Mutex<Samples>>,
    begun: Instant,
    terminal: Terminal,
    quiet: bool,
}

/// Failed gates, gates that could not tell, and whether the target is down.
type Found = (Vec<String>, Vec<String>, Option<bool>);

impl Watch {
    /// Takes the gates out of the config.
    fn new(
        mut config: Config,
        plan: Plan,
        job: Job,
        context: Arc<Context>,
        terminal: Terminal,
    ) -> (Self, Config) {
        let Job {
            settings,
            state,
            quiet,
            ..
        } = job;
        let blocking = select::watched(&config, &plan).filter(|g| g.severity.blocks());
        let blocking: Vec<String> = blocking.map(|g| g.id.clone()).collect();
        let answered = |id: &str| {
            let mut before = context.baseline.iter().flat_map(|b| &b.gates);
            let told = |g: &GateRecord| matches!(g.outcome, Outcome::Passed | Outcome::Failed);
            before.any(|g| g.id == id && told(g))
        };
        let ids = blocking.iter().map(String::as_str);
        let machine = Machine::new(settings.clone(), ids, answered);
        let gates = std::mem::take(&mut config.gates).into_iter();
        let watch = Self {
            gates: gates.map(once).collect(),
            concurrency: config.concurrency,
            status: Arc::new(Mutex::new(machine.samples())),
            collected: Collected::default(),
            complete: true,
            told: None,
            begun: Instant::now(),
            plan,
            context,
            machine,
            settings,
            state,
            terminal,
            quiet,
        };
        (watch, config)
    }

    /// Runs until the time is over (`None`), or something ends it.
    async fn run(&mut self) -> Option<End> {
        let watched: Vec<&str> = self
            .gates
            .iter()
            .zip(&self.plan.choices)
            .filter(|(_, c)| c.runs())
            .map(|(g, _)| g.id.as_str())
            .collect();
        let data = json!({
            "for_s": self.settings.duration.as_secs_f64(),
            "every_s": self.settings.every.as_secs_f64(),
            "gates": watched,
        });
        self.say(&tell::opening(watched.len(), &self.settings));
        self.record(Type::WatchStarted, data);
        if !self
            .pause_until(Instant::now() + self.settings.initial_delay)
            .await
        {
            return None;
        }
        self.begun = Instant::now();
        let heartbeat = tokio::spawn(beat(
            Arc::clone(&self.status),
            self.settings.clone(),
            self.begun,
            self.terminal,
            self.quiet,
        ));
        let end = self.samples().await;
        heartbeat.abort();
        end
    }

    async fn samples(&mut self) -> Option<End> {
        let end = self.begun + self.settings.duration;
        let mut due = self.begun;
        loop {
            let left_out = due + self.settings.every;
            if let Some(early) = self.sample().await {
                return Some(early);
            }
            // A sample that took longer than its interval leaves out those that it covered.
            while due <= Instant::now() {
                due += self.settings.every;
            }
            if due > end && left_out <= end && left_out < due {
                // The last one that was due was left out: the end is seen all the same.
                return self.sample().await;
            }
            if due > end || !self.pause_until(due).await {
                return None;
            }
        }
    }

    /// One sample, and the look at once after a failure.
    async fn sample(&mut self) -> Option<End> {
        let plan = self.plan.clone();
        let found = self.look(&plan).await?;
        let now = self.context.clock.now();
        let mut next = self.machine.sample(now, &found, self.online(&found));
        self.tell(false);
        if let Next::Again(gates) = &next {
            let ids = [gates.as_slice(), &self.settings.control].concat();
            let plan = select::only(&self.gates, &self.plan, &ids);
            let found = self.look(&plan).await?;
            let now = self.context.clock.now();
            next = self.machine.again(now, &found, self.online(&found));
            self.tell(true);
        }
        match next {
            Next::End(end) => Some(end),
            Next::Wait | Next::Again(_) => None,
        }
    }

    /// Looks at the target; nothing when interrupted, since what a signal cut off is no sample.
    async fn look(&mut self, plan: &Plan) -> Option<Vec<(String, Seen)>> {
        let records = engine::run(&self.gates, plan, self.concurrency, &self.context).await;
        let ran = |record: &&GateRecord| record.is_selected();
        let found = records
            .iter()
            .filter(ran)
            .map(|r| (r.id.clone(), seen(r)))
            .collect();
        self.collected.add(records);
        (!self.context.cancel.is_cancelled()).then_some(found)
    }

    fn online(&self, found: &[(String, Seen)]) -> bool {
        let passed = |id: &String| {
            found
                .iter()
                .any(|(name, s)| name == id && *s == Seen::Passed)
        };
        self.settings.control.iter().all(passed)
    }

    /// What a sample changed: for the history and for people.
    fn tell(&mut self, again: bool) {
        let samples = self.machine.samples();
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = samples;
        let found = self.machine.last();
        let every = samples.planned.div_ceil(SAMPLES_IN_HISTORY).max(1);
        if again || self.told.as_ref() != Some(&found) || samples.n % every == 1 % every {
            let (failed, unknown, down) = &found;
            let mut data =
                json!({"n": samples.n, "failed": failed, "unknown": unknown, "down": down});
            if again {
                data["again"] = true.into();
            }
            self.record(Type::WatchSample, data);
            self.told = Some(found);
        }
        for notice in self.machine.take_notices() {
            self.say(&tell::notice(&notice, |id| {
                self.collected.why(id).map(str::to_owned)
            }));
            let now = self.context.clock.now();
            let (kind, data) = match notice {
                Notice::Suspected(gates) => (Type::BreachSuspected, json!({"gates": gates})),
                Notice::Cleared(gates) => (Type::BreachCleared, json!({"gates": gates})),
                Notice::Confirmed(gates) => {
                    let deadline =
                        jiff::SignedDuration::try_from(self.settings.rollback_within).ok();
                    let deadline = deadline.and_then(|d| now.checked_add(d).ok());
                    (
                        Type::BreachConfirmed,
                        json!({"gates": gates, "deadline": deadline}),
                    )
                }
            };
            self.record(kind, data);
        }
    }

    /// The watch goes on without its history, but does not end well.
    fn record(&mut self, event: Type, data: serde_json::Value) {
        let written: Result<(), EventsError> = self.state.record(event, data);
        if let Err(error) = written {
            if self.complete {
                self.terminal
                    .complain(&format!("the history could not be continued: {error}"));
            }
            self.complete = false;
        }
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            let line = defang(&self.context.masker.mask(line)).replace('\n', " ");
            self.terminal.note(&readygate_sdk::excerpt(&line, 300));
        }
    }

    /// Waits; `false` when interrupted.
    async fn pause_until(&self, due: Instant) -> bool {
        tokio::select! {
            () = self.context.cancel.cancelled() => false,
            () = tokio::time::sleep_until(due) => !self.context.cancel.is_cancelled(),
        }
    }

    fn ended(
        &self,
        early: Option<End>,
        signal: Option<i32>,
        (started, finished): (Timestamp, Timestamp),
    ) -> Ended {
        Ended {
            early,
            signal: signal.map(|s| (s, session::signal_name(s))),
            started,
            finished,
            against: Vec::new(),
            why: Vec::new(),
            release: self.state.release.clone(),
            run: String::new(),
            baseline: self.context.baseline.as_ref().map(|b| b.id.clone()),
        }
    }

    fn into_run(self, config: &Config, selection: record::Selection, mut ended: Ended) -> Run {
        let gates = if self.machine.samples().n == 0 && self.collected.is_empty() {
            let choices = self.gates.iter().zip(&self.plan.choices);
            choices
                .map(|(gate, choice)| unseen(gate, *choice))
                .collect()
        } else {
            ended.why = self.machine.breach().map_or_else(Vec::new, |breach| {
                let why = |id: &String| Some((id.clone(), self.collected.why(id)?.to_owned()));
                breach.gates.iter().filter_map(why).collect()
            });
            self.collected.into_records()
        };
        let signal = ended.signal.map(|(number, _)| number);
        let times = (ended.started, ended.finished);
        let mut run = session::assemble(config, selection, gates, times, signal);
        run.release.clone_from(&ended.release);
        ended.run.clone_from(&run.id);
        if !matches!(run.verdict, Verdict::Go | Verdict::GoWithWaivers) {
            ended.against.clone_from(&run.reasons);
        }
        let decision = decide(&self.machine, ended);
        conclude(&mut run, &decision);
        run.watch = Some(decision);
        run
    }
}

/// A gate that no sample saw.
fn unseen(gate: &Gate, choice: Choice) -> GateRecord {
    let mut record = engine::blank(gate);
    record.reason = Some("the watch ended before its first sample".to_owned());
    if !choice.runs() {
        record.outcome = Outcome::Skipped;
        record.skipped = Some(SkipReason::NotSelected);
        record.reason = Some("not selected".to_owned());
    }
    record
}

/// The record of a watch says what the watch says, which may be worse than its last sample.
fn conclude(run: &mut Run, decision: &record::Decision) {
    let verdict = match decision.decision {
        Advice::Accept => run.verdict,
        Advice::Hold | Advice::Rollback => Verdict::NoGo,
        Advice::Inconclusive if run.verdict == Verdict::NoGo => Verdict::NoGo,
        Advice::Inconclusive => Verdict::Inconclusive,
    };
    run.verdict = verdict;
    run.exit_code = decision.exit_code;
    if decision.decision != Advice::Accept {
        run.reasons.clone_from(&decision.reasons);
    }
    run.counts = verdict::count(&run.gates);
}

async fn beat(
    status: Arc<Mutex<Samples>>,
    settings: Settings,
    begun: Instant,
    terminal: Terminal,
    quiet: bool,
) {
    let mut ticks = tokio::time::interval_at(begun + HEARTBEAT, HEARTBEAT);
    loop {
        ticks.tick().await;
        let samples = *status.lock().unwrap_or_else(PoisonError::into_inner);
        if !quiet {
            terminal.note(&tell::heartbeat(begun.elapsed(), &settings, samples));
        }
    }
}
