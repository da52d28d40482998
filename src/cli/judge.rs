//! `readygate judge`

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use clap::Args;
use readygate_sdk::{ErrorKind, ProbeError, SystemClock};
use tokio_util::sync::CancellationToken;

use super::{
    ConfigArgs, SelectArgs, admit,
    output::{self, Target, Terminal},
    run, session,
};
use crate::{
    config::{Config, Environment, Gate},
    engine::{self, Context},
    exit,
    plan::Plan,
    record::{self, GateRecord, JUDGED, Outcome, Run, SkipReason, TargetRecord, Verdict},
    signoff::{self, trust::Source},
    verdict, waiver,
};

/// Arguments of `judge`.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// Record of the run whose measurements are judged.
    #[arg(value_name = "RUN.JSON")]
    record: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// Report to write, as often as you like: console, json or junit; `-` is stdout.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    reports: Vec<Target>,
    /// Record of an earlier run, for expectations relative to it.
    #[arg(long, value_name = "RUN.JSON")]
    baseline: Option<PathBuf>,
    /// Name of the release; must be that of the record.
    #[arg(long, value_name = "ID")]
    release: Option<String>,
    /// Folder of signed statements.
    #[arg(long, value_name = "DIR")]
    signoffs: Option<PathBuf>,
    /// Every check and metric in the console report.
    #[arg(short, long)]
    verbose: bool,
}

/// Judges old measurements by the config given, and exits as `run` would have.
pub fn main(args: &JudgeArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    if let Err(message) = output::check_targets(&args.reports) {
        return terminal.usage_error(&message);
    }
    let old = record::read_sealed(&args.record).map_err(|e| e.to_string());
    let old = old.and_then(|old| {
        let shown = args.record.display();
        admit::no_watch(&old)
            .and_then(|()| admit::of_this_release(&old, args.release.as_deref()))
            .map_err(|why| format!("{shown} {why}"))?;
        Ok(old)
    });
    let ready = old.and_then(|old| {
        let baseline = run::read_baseline(args.baseline.as_deref())?;
        let target = &old.target;
        run::is_of_target(baseline.as_ref(), &target.name, target.environment.as_ref())?;
        Ok((old, baseline))
    });
    let (old, baseline) = match ready {
        Ok(ready) => ready,
        Err(message) => return terminal.usage_error(&message),
    };
    let (config, plan) = match run::prepare(&args.config, &args.select, terminal, environment) {
        Ok(ready) => ready,
        Err(code) => return code,
    };
    if let Err(message) = output::spare_config(&args.reports, run::spared(&args.config, &config)) {
        return terminal.usage_error(&message);
    }
    let masker = readygate_sdk::Masker::new(config.secrets.iter().map(String::as_str));
    let judged = judge(&config, &plan, &old, baseline, args);
    match record::seal(&judged, &masker) {
        Ok(run) => output::write_reports(&run, &args.reports, args.verbose, terminal),
        Err(error) => {
            terminal.complain(&format!("the record could not be made: {error}"));
            exit::INCONCLUSIVE
        }
    }
}

fn judge(config: &Config, plan: &Plan, old: &Run, baseline: Option<Run>, args: &JudgeArgs) -> Run {
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let context = Context {
        target: config.target.clone(),
        directory: config.directory.clone(),
        clock: Arc::new(SystemClock),
        cancel: CancellationToken::new(),
        deadline: None,
        baseline,
        waivers: config.waivers.clone(),
        masker: Arc::new(readygate_sdk::Masker::new([])),
        events,
    };
    let mut gates = Vec::new();
    for (gate, choice) in config.gates.iter().zip(&plan.choices) {
        gates.push(match gate.signoff() {
            _ if !choice.runs() => left(gate),
            Some(_) => engine::awaiting(gate),
            None => rejudge(gate, old, &context),
        });
    }
    let now = context.clock.now();
    // Marked before anything is skipped: a gate whose failures are all waived holds nothing up.
    waiver::apply(&config.waivers, &mut gates, now);
    skip_dependents(config, &mut gates);
    let mut run = session::assemble(
        config,
        (&args.select).into(),
        gates,
        (old.started, old.finished),
        None,
    );
    // What was measured is what is judged, whatever the other config would have measured.
    run.target = TargetRecord {
        observed_versions: run.target.observed_versions,
        ..old.target.clone()
    };
    run.id = format!("{}{JUDGED}{}", old.id, now.as_second());
    // What is decided now needs waivers that hold now.
    run.waivers = waiver::apply(&config.waivers, &mut run.gates, now);
    run.interrupted.clone_from(&old.interrupted);
    verdict::settle(&mut run, &config.required);
    run.release.clone_from(&old.release);
    let measured = old.judged.as_ref().unwrap_or(&old.id);
    run.judged = Some(measured.clone());
    let inputs = signoff::Inputs {
        config,
        gates: &config.gates.iter().collect::<Vec<_>>(),
        directory: args.signoffs.as_deref(),
        fresh: false,
        trust: &Source::of(config),
        now,
        waived_at: now,
    };
    signoff::resolve(&mut run, &inputs);
    mind_signal(&mut run);
    run
}

/// A run that was ended early may have missed what another config asks: it is never GO.
fn mind_signal(run: &mut Run) {
    let Some(signal) = &run.interrupted else {
        return;
    };
    run.reasons.push(format!(
        "the record is partial: the run was ended by {signal}; run the gates again"
    ));
    if run.verdict != Verdict::NoGo {
        run.verdict = Verdict::Inconclusive;
    }
}

/// What needs a gate that did not pass would not have run, wherever the two are declared.
fn skip_dependents(config: &Config, gates: &mut [GateRecord]) {
    let mut outcomes: HashMap<String, Outcome> =
        gates.iter().map(|g| (g.id.clone(), g.standing())).collect();
    let mut settled = false;
    while !settled {
        settled = true;
        for (record, gate) in gates.iter_mut().zip(&config.gates) {
            // Sign-offs are decided later: what a signer accepts may free them.
            if gate.signoff().is_some() {
                continue;
            }
            let lost = |id: &&String| outcomes.get(*id).is_some_and(|o| *o != Outcome::Passed);
            let Some(need) = gate.needs.iter().find(lost) else {
                continue;
            };
            if record.outcome == Outcome::Skipped {
                continue;
            }
            *record = engine::held_back(gate, need, outcomes[need]);
            outcomes.insert(gate.id.clone(), Outcome::Skipped);
            settled = false;
        }
    }
}

fn rejudge(gate: &Gate, old: &Run, context: &Context) -> GateRecord {
    let before = old
        .gates
        .iter()
        .find(|g| g.id == gate.id && g.probe == gate.probe.meta().id);
    let Some((before, measurement)) = before.and_then(|b| Some((b, b.measurement.clone()?))) else {
        let error = before.and_then(|b| b.error.clone()).unwrap_or_else(|| {
            let message = "the record holds no measurement of this gate";
            ProbeError::new(ErrorKind::NoData, &gate.id, "reading the record", message)
        });
        let reason = Some(error.to_string());
        return GateRecord {
            reason,
            error: Some(error),
            ..engine::blank(gate)
        };
    };
    let record = engine::rejudge(gate, measurement, context.baseline_of(&gate.id));
    let record = ended_early(gate, before, record);
    GateRecord {
        attempts: before.attempts.clone(),
        flaky: before.flaky && record.outcome == Outcome::Passed,
        started: before.started,
        duration_s: before.duration_s,
        ..record
    }
}

/// Of a series only one measurement is on record. One that ended early cannot pass on it.
fn ended_early(gate: &Gate, before: &GateRecord, mut record: GateRecord) -> GateRecord {
    let Some(sustain) = &gate.sustain else {
        return record;
    };
    // The last measurement starts up to `every` before the end.
    let long_enough =
        before.duration_s + sustain.every.0.as_secs_f64() >= sustain.duration.0.as_secs_f64();
    let complete = before.outcome == Outcome::Passed && long_enough;
    if !complete && record.outcome == Outcome::Passed {
        record.outcome = Outcome::Unmeasured;
        record.reason = Some(match (&before.outcome, &before.reason) {
            (Outcome::Unmeasured, Some(reason)) => reason.clone(),
            _ => format!(
                "the record holds no series of measurements over {}; run the gate again",
                sustain.duration
            ),
        });
    }
    record
}

fn left(gate: &Gate) -> GateRecord {
    GateRecord {
        outcome: Outcome::Skipped,
        skipped: Some(SkipReason::NotSelected),
        reason: Some("not selected".into()),
        ..engine::blank(gate)
    }
}
