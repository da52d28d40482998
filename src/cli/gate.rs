//! `readygate gate`

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use readygate_sdk::{Clock as _, Masker, Period, SystemClock};

use super::{
    ConfigArgs, SelectArgs,
    admit::{self, Claim},
    event::{State, StateArgs},
    output::{self, Target, Terminal},
    renew, run,
};
use crate::{
    config::Environment,
    engine, exit,
    record::{self, GATED, Run, Verdict},
    signoff::{self, Inputs, request, trust::Source},
    verdict, waiver,
};

/// Arguments of `gate`.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Record of the run that is decided on.
    #[arg(value_name = "RUN.JSON")]
    record: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    select: SelectArgs,
    /// Folder of signed statements; requests for those that are missing are written into it.
    #[arg(long, value_name = "DIR")]
    signoffs: Option<PathBuf>,
    /// How long ago the run may have ended; what is older is inconclusive.
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    max_evidence_age: Period,
    #[command(flatten)]
    state: StateArgs,
    /// Folder for the evidence: the record, in-toto statements about it, and a list of all of it.
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Report to write, as often as you like: console, json or junit; `-` is stdout.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    reports: Vec<Target>,
    /// Record of an earlier run, for what changed since.
    #[arg(long, value_name = "RUN.JSON")]
    baseline: Option<PathBuf>,
    /// Every check and metric in the console report.
    #[arg(short, long)]
    verbose: bool,
}

/// Decides again: the same evidence, the signatures of now.
pub fn main(args: &GateArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    if let Err(message) = output::check_targets(&args.reports) {
        return terminal.usage_error(&message);
    }
    let config = match run::load(&args.config, terminal, environment) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let now = SystemClock.now();
    let inputs = Inputs {
        config: &config,
        gates: &config.gates.iter().collect::<Vec<_>>(),
        directory: args.signoffs.as_deref(),
        fresh: false,
        trust: &Source::of(&config),
        now,
        waived_at: now,
    };
    let ready = args.state.open().and_then(|state| {
        let (old, baseline) = evidence(args, &state, &inputs)?;
        Ok((state, old, baseline))
    });
    let (state, old, baseline) = match ready {
        Ok(ready) => ready,
        Err(message) => return terminal.usage_error(&message),
    };
    match decide(args, &inputs, old, baseline.as_ref(), terminal) {
        Ok(run) => {
            let kept = run::keep(&run, args.evidence.as_deref(), &state);
            let code = output::write_reports(&run, &args.reports, args.verbose, terminal);
            run::kept(kept, code, terminal)
        }
        Err(message) => {
            terminal.complain(&message);
            exit::INCONCLUSIVE
        }
    }
}

/// Reads the record, and refuses one that is not of this policy, this release or these gates.
fn evidence(
    args: &GateArgs,
    state: &State,
    inputs: &Inputs<'_>,
) -> Result<(Run, Option<Run>), String> {
    output::spare_config(&args.reports, run::spared(&args.config, inputs.config))?;
    let run = record::read_sealed(&args.record).map_err(|e| e.to_string())?;
    let claim = Claim {
        select: &args.select,
        release: state.release.as_deref(),
    };
    let shown = args.record.display();
    admit::admit(&run, &claim, inputs).map_err(|why| format!("{shown} {why}"))?;
    let baseline = run::read_baseline(args.baseline.as_deref())?;
    run::check_baseline(baseline.as_ref(), inputs.config)?;
    Ok((run, baseline))
}

fn decide(
    args: &GateArgs,
    inputs: &Inputs<'_>,
    mut run: Run,
    baseline: Option<&Run>,
    terminal: &Terminal,
) -> Result<Run, String> {
    let Inputs {
        config, gates, now, ..
    } = *inputs;
    for (gate, record) in gates.iter().zip(&mut run.gates) {
        if gate.signoff().is_some() && record.is_selected() {
            *record = engine::awaiting(gate);
        }
    }
    renew::renew_all(gates, &mut run.gates, now, baseline);
    run.waivers = waiver::apply(&config.waivers, &mut run.gates, now);
    run.signoffs.clear();
    run.id = format!("{}{GATED}{}", run.id, now.as_second());
    verdict::settle(&mut run, &config.required);
    signoff::resolve(&mut run, inputs);
    age(&mut run, args.max_evidence_age, now);
    let masker = Masker::new(config.secrets.iter().map(String::as_str));
    let sealed = record::seal(&run, &masker).map_err(|e| format!("no record: {e}"))?;
    let wanted = args.signoffs.is_some() || config.signoffs.is_configured();
    if wanted && let Err(error) = request::write(&sealed, inputs, baseline) {
        terminal.complain(&format!("a sign-off request could not be written: {error}"));
    }
    Ok(sealed)
}

/// What was true yesterday may not be now: old evidence cannot be GO, whoever signed it.
fn age(run: &mut Run, most: Period, now: Timestamp) {
    let age = now.duration_since(run.finished);
    let seconds = age.as_secs_f64();
    if seconds <= most.0.as_secs_f64() {
        return;
    }
    let shown = readygate_sdk::Unit::Seconds.format(seconds.round());
    run.reasons.push(format!(
        "the evidence is {shown} old, {most} are allowed; run the gates again"
    ));
    if run.verdict != Verdict::NoGo {
        run.verdict = Verdict::Inconclusive;
        run.exit_code = exit::INCONCLUSIVE;
    }
}
