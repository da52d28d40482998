//! A config and a plan to a sealed record: runtime, signals, progress, verdict.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use readygate_sdk::{Masker, SystemClock, Value};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{output::Terminal, progress};
use crate::{
    config::{Config, Gate},
    engine::{self, Context},
    plan::Plan,
    record::{
        self, ConfigRecord, GateRecord, Outcome, Run, Selection, SkipReason, TargetRecord, Tool,
        Verdict,
    },
    signoff::{self, request, trust::Source},
    verdict, waiver,
};

/// What a run needs besides its config and plan.
#[derive(Default)]
pub struct Options {
    /// For the record.
    pub selection: Selection,
    /// Time for the whole run.
    pub deadline: Option<Duration>,
    /// A record of an earlier run.
    pub baseline: Option<Run>,
    /// No progress.
    pub quiet: bool,
    /// What concerns signatures.
    pub signing: Signing,
}

/// What concerns signatures.
#[derive(Default)]
pub struct Signing {
    /// The release that the run belongs to.
    pub release: Option<String>,
    /// Folder of statements and requests, where it is not that of the config.
    pub directory: Option<PathBuf>,
    /// Write requests for the signatures that are missing.
    pub requests: bool,
}

/// Runs the plan and decides. Always gives a record, whatever happens to the gates.
pub fn execute(
    config: Config,
    plan: &Plan,
    options: Options,
    terminal: &Terminal,
) -> Result<Run, String> {
    let workers = std::thread::available_parallelism().map_or(4, |n| n.get().max(4));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|e| format!("the runtime could not be started: {e}"))?;
    let run = runtime.block_on(drive(config, plan, options, *terminal));
    // A probe that blocks its thread for ever must not hold the exit, and a report that goes to a
    // pipe without a reader must not hold it against a signal: the runtime ends with the process.
    std::mem::forget(runtime);
    run
}

async fn drive(
    mut config: Config,
    plan: &Plan,
    options: Options,
    terminal: Terminal,
) -> Result<Run, String> {
    let masker = Arc::new(Masker::new(config.secrets.iter().map(String::as_str)));
    let (events, receiver) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let over = CancellationToken::new();
    let caught = catch_signals(&cancel, &over, terminal)?;
    let limit = options.deadline.or(config.deadline);
    let context = Arc::new(Context {
        target: config.target.clone(),
        directory: config.directory.clone(),
        clock: Arc::new(SystemClock),
        cancel,
        deadline: limit.map(|limit| Instant::now() + limit),
        baseline: options.baseline,
        waivers: config.waivers.clone(),
        masker: Arc::clone(&masker),
        events,
    });
    let started = context.clock.now();
    let shown = tokio::spawn(progress::show(
        receiver,
        terminal,
        Arc::clone(&masker),
        options.quiet,
    ));
    let gates = std::mem::take(&mut config.gates).into_iter();
    let gates: Vec<Arc<Gate>> = gates.map(Arc::new).collect();
    let records = engine::run(&gates, plan, config.concurrency, &context).await;
    let finished = context.clock.now();
    let signal = caught.get().copied();
    let mut run = assemble(
        &config,
        options.selection,
        records,
        (started, finished),
        signal,
    );
    run.release.clone_from(&options.signing.release);
    let (sealed, problem) = conclude(run, &config, &gates, &options.signing, &context);
    drop(context);
    let _ = tokio::time::timeout(Duration::from_secs(1), shown).await;
    over.cancel();
    if let Some(problem) = problem {
        terminal.complain(&problem);
    }
    sealed.map_err(|e| format!("the record could not be made: {e}"))
}

/// Decides the sign-offs, seals the record, and writes requests for what is missing. Beside the
/// record comes what is wrong with the requests.
fn conclude(
    mut run: Run,
    config: &Config,
    gates: &[Arc<Gate>],
    signing: &Signing,
    context: &Context,
) -> (Result<Run, serde_json::Error>, Option<String>) {
    let inputs = signoff::Inputs {
        config,
        gates: &gates.iter().map(Arc::as_ref).collect::<Vec<_>>(),
        directory: signing.directory.as_deref(),
        fresh: true,
        trust: &Source::of(config),
        now: run.finished,
        waived_at: run.finished,
    };
    run.target.head = signoff::head(config);
    signoff::resolve(&mut run, &inputs);
    tell_signoffs(&run, context);
    let sealed = record::seal(&run, &context.masker);
    let wanted = signing.requests && run.interrupted.is_none();
    let problem = match &sealed {
        Ok(run) if wanted => request::write(run, &inputs, context.baseline.as_ref()).err(),
        _ => None,
    };
    let problem = problem.map(|e| format!("a sign-off request could not be written: {e}"));
    (sealed, problem)
}

/// The engine leaves these to whoever decides them.
fn tell_signoffs(run: &Run, context: &Context) {
    let is_signoff = |gate: &&GateRecord| gate.probe == readygate_signoff::ID;
    for gate in run.gates.iter().filter(is_signoff) {
        let held_back = gate.skipped == Some(SkipReason::Dependency);
        if gate.measurement.is_some() || gate.outcome == Outcome::Pending || held_back {
            let record = Box::new(gate.clone());
            let _ = context.events.send(engine::Event::GateEnded { record });
        }
    }
}

/// The first SIGINT, SIGTERM or SIGHUP cancels the run; the record and the reports are still written. One
/// that comes when the run is over ends the process: writing reports may hang.
pub fn catch_signals(
    cancel: &CancellationToken,
    over: &CancellationToken,
    terminal: Terminal,
) -> Result<Arc<std::sync::OnceLock<i32>>, String> {
    let caught = Arc::new(std::sync::OnceLock::new());
    for kind in ending_signals() {
        let mut stream = signal(kind).map_err(|e| format!("signals cannot be caught: {e}"))?;
        let (caught, cancel, over) = (Arc::clone(&caught), cancel.clone(), over.clone());
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if over.is_cancelled() {
                    leave(kind.as_raw_value(), terminal);
                }
                let _ = caught.set(kind.as_raw_value());
                cancel.cancel();
            }
        });
    }
    Ok(caught)
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the main thread hangs in a write, and no child process is left"
)]
fn leave(signal: i32, terminal: Terminal) {
    terminal.complain("interrupted while the reports were written; some may be missing");
    let code = verdict::exit_code(Verdict::Inconclusive, Some(signal));
    std::process::exit(code.into());
}

/// SIGHUP too, since a run that it killed would leave its commands behind; but where it is ignored,
/// as under `nohup`, it stays ignored.
fn ending_signals() -> Vec<SignalKind> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mut signals = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if ignored.is_some_and(|mask| mask & 1 == 0) {
        signals.push(SignalKind::hangup());
    }
    signals
}

pub fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => "SIGHUP",
        15 => "SIGTERM",
        _ => "SIGINT",
    }
}

/// Puts the record together and decides, once.
pub fn assemble(
    config: &Config,
    selection: Selection,
    mut gates: Vec<GateRecord>,
    (started, finished): (Timestamp, Timestamp),
    signal: Option<i32>,
) -> Run {
    let waivers = waiver::apply(&config.waivers, &mut gates, finished);
    let decision = verdict::decide(&gates, &config.required);
    let target = &config.target;
    Run {
        schema: record::SCHEMA.to_owned(),
        id: format!(
            "{}-{}",
            started.strftime("%Y%m%dT%H%M%SZ"),
            std::process::id()
        ),
        tool: Tool {
            name: "readygate".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        target: TargetRecord {
            name: target.name.clone(),
            url: target.url.clone(),
            environment: target.environment.clone(),
            version: target.version.clone(),
            commit: target.commit.clone(),
            head: None,
            artifact: config.artifact.clone(),
            observed_versions: observed_versions(&gates),
        },
        config: ConfigRecord {
            files: config.sources.names().map(str::to_owned).collect(),
            sha256: config.digest.clone(),
            trusted: config.origin.record(),
        },
        selection,
        release: None,
        started,
        finished,
        decided: None,
        interrupted: signal.map(|s| signal_name(s).to_owned()),
        verdict: decision.verdict,
        reasons: decision.reasons,
        exit_code: verdict::exit_code(decision.verdict, signal),
        counts: verdict::count(&gates),
        gates,
        waivers,
        signoffs: Vec::new(),
        judged: None,
        watch: None,
        digest: None,
    }
}

fn observed_versions(gates: &[GateRecord]) -> Vec<String> {
    let mut versions: Vec<String> = gates
        .iter()
        .filter(|g| matches!(g.outcome, Outcome::Passed | Outcome::Failed))
        .filter_map(|g| match &g.metrics.get("version")?.value {
            Value::Text(version) => Some(version.clone()),
            Value::Number(_) => None,
        })
        .collect();
    versions.sort();
    versions.dedup();
    versions
}
