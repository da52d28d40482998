//! `readygate watch`

mod collect;
mod drive;
pub(super) mod select;
mod tell;

use std::path::{Path, PathBuf};

use clap::Args;
use readygate_sdk::Period;
use serde_json::json;

use super::{
    ConfigArgs, SelectArgs,
    event::{State, StateArgs},
    output::{self, Target, Terminal},
    run,
};
use crate::{
    config::Environment,
    evidence::bundle,
    exit,
    record::{self, Advice, Decision, Run, write_atomically},
    release::{Type, watch::Settings},
};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// How long; 15m unless the config says otherwise.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<Period>,
    /// From one sample to the next; 30s unless the config says otherwise.
    #[arg(long, value_name = "DURATION")]
    every: Option<Period>,
    /// Record of the run before the deployment, for expectations relative to it.
    #[arg(long, value_name = "RUN.JSON")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    state: StateArgs,
    /// Where the decision goes; `decision.json` unless said otherwise. It is also in the folder of
    /// the release, where one is open.
    #[arg(long, value_name = "FILE", default_value = "decision.json")]
    decision: PathBuf,
    /// Report to write, as often as you like: console, json or junit; `-` is stdout.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    reports: Vec<Target>,
    /// Every check and metric in the console report.
    #[arg(short, long)]
    verbose: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
}

/// Everything that a watch needs.
pub struct Job {
    settings: Settings,
    baseline: Option<Run>,
    state: State,
    selection: record::Selection,
    decision: PathBuf,
    quiet: bool,
}

/// Watches, decides and gives the exit code.
pub fn main(args: &WatchArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    if let Err(message) = output::check_targets(&args.reports) {
        return terminal.usage_error(&message);
    }
    let config = match run::load(&args.config, terminal, environment) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let ready = prepare(args, &config);
    let (job, plan) = match ready {
        Ok(ready) => ready,
        Err(message) => return terminal.usage_error(&message),
    };
    let state = job.state.clone();
    match drive::execute(config, plan, job, *terminal) {
        Ok((run, mut complete)) => {
            complete &= keep(args, &state, &run, terminal);
            let code = output::write_reports(&run, &args.reports, args.verbose, terminal);
            conclude(&run, terminal);
            if complete || code != exit::GO {
                code
            } else {
                exit::NO_GO
            }
        }
        Err(message) => {
            terminal.complain(&message);
            exit::INCONCLUSIVE
        }
    }
}

fn prepare(
    args: &WatchArgs,
    config: &crate::config::Config,
) -> Result<(Job, crate::plan::Plan), String> {
    output::spare_config(&args.reports, run::spared(&args.config, config))?;
    let spared = run::spared(&args.config, config);
    output::check_beside("decision", &args.decision, &args.reports, spared)?;
    let settings = Settings::new(
        &config.watch,
        args.duration.map(|d| d.0),
        args.every.map(|e| e.0),
    )?;
    let baseline = run::read_baseline(args.baseline.as_deref())?;
    run::check_baseline(baseline.as_ref(), config)?;
    let state = args.state.open()?;
    let (selection, plan) = select::select(config, &(&args.select).into(), &settings)?;
    let job = Job {
        settings,
        baseline,
        state,
        selection,
        decision: args.decision.clone(),
        quiet: args.quiet,
    };
    Ok((job, plan))
}

/// Writes the decision, the evidence and the last event. Tells whether all of it was written.
fn keep(args: &WatchArgs, state: &State, run: &Run, terminal: &Terminal) -> bool {
    let Some(decision) = &run.watch else {
        return false;
    };
    let written = write_decision(&args.decision, None, decision);
    let kept = match &state.folder {
        // A record that the history cannot name would spoil the evidence.
        Some(folder) => state
            .check(Type::Decision)
            .map_err(|e| e.to_string())
            .and_then(|()| bundle::add(folder, run).map_err(|e| e.to_string()))
            .map(Some),
        None => Ok(None),
    };
    let recorded = kept.and_then(|kept| {
        let data = last_event(decision, kept.as_ref());
        state
            .record(Type::Decision, data)
            .map_err(|e| e.to_string())
    });
    let mut complete = true;
    for message in [written, recorded].into_iter().filter_map(Result::err) {
        terminal.complain(&format!("the decision could not be kept: {message}"));
        complete = false;
    }
    complete
}

/// Writes a decision, and into the folder of the release where one is given.
fn write_decision(path: &Path, folder: Option<&Path>, decision: &Decision) -> Result<(), String> {
    let value = serde_json::to_value(decision).map_err(|e| e.to_string())?;
    let text = bundle::text(&value).map_err(|e| e.to_string())?;
    write_atomically(path, &text).map_err(|e| e.to_string())?;
    let Some(folder) = folder else { return Ok(()) };
    bundle::put_decision(folder, &text).map_err(|e| e.to_string())
}

fn last_event(decision: &Decision, kept: Option<&bundle::Kept>) -> serde_json::Value {
    json!({
        "decision": decision.decision,
        "exit_code": decision.exit_code,
        "reasons": decision.reasons.iter().take(20).map(|r| readygate_sdk::excerpt(r, 600)).collect::<Vec<_>>(),
        "deadline": decision.deadline,
        "samples": decision.samples.n,
        "downtime": decision.downtime,
        "run": decision.run,
        "record": kept.map(|k| &k.path),
        "sha256": kept.map(|k| &k.sha256),
    })
}

/// The last words, on stderr: they are what somebody reads first in a red pipeline.
fn conclude(run: &Run, terminal: &Terminal) {
    let Some(decision) = &run.watch else { return };
    for line in tell::conclusion(decision) {
        terminal.note(&line);
    }
    if decision.decision == Advice::Rollback {
        terminal.note("record what follows: readygate event rollback.started, readygate event rollback.finished");
    }
}
