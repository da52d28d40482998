//! `readygate run`

use std::path::{Path, PathBuf};

use clap::Args;
use readygate_sdk::Period;

use super::{
    ConfigArgs, SelectArgs,
    event::{State, StateArgs},
    output::{self, Target, Terminal},
    session::{self, Options, Signing},
};
use crate::{
    config::{self, Config, Environment},
    evidence::bundle,
    exit,
    plan::{self, Plan},
    policy::{self, Origin},
    record::{self, Run},
    release::Type,
};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
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
    /// Time for the whole run; what has not ended by then is unmeasured.
    #[arg(long, value_name = "DURATION")]
    deadline: Option<Period>,
    #[command(flatten)]
    state: StateArgs,
    /// Folder for the evidence: the record, in-toto statements about it, and a list of all of it.
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Folder of signed statements; requests for those that are missing are written into it.
    #[arg(long, value_name = "DIR")]
    signoffs: Option<PathBuf>,
    /// Every check and metric in the console report.
    #[arg(short, long)]
    verbose: bool,
    /// No progress on stderr.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the gates and gives the exit code.
pub fn main(args: &RunArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    if let Err(message) = output::check_targets(&args.reports) {
        return terminal.usage_error(&message);
    }
    let baseline = match read_baseline(args.baseline.as_deref()) {
        Ok(baseline) => baseline,
        Err(message) => return terminal.usage_error(&message),
    };
    let state = match args.state.open() {
        Ok(state) => state,
        Err(message) => return terminal.usage_error(&message),
    };
    let (config, plan) = match prepare(&args.config, &args.select, terminal, environment) {
        Ok(ready) => ready,
        Err(code) => return code,
    };
    let fits = check_baseline(baseline.as_ref(), &config)
        .and_then(|()| output::spare_config(&args.reports, spared(&args.config, &config)));
    if let Err(message) = fits {
        return terminal.usage_error(&message);
    }
    let options = Options {
        selection: (&args.select).into(),
        deadline: args.deadline.map(|d| d.0),
        baseline,
        quiet: args.quiet,
        signing: Signing {
            release: state.release.clone(),
            directory: args.signoffs.clone(),
            requests: args.signoffs.is_some() || config.signoffs.is_configured(),
        },
    };
    match session::execute(config, &plan, options, terminal) {
        Ok(run) => {
            let kept = keep(&run, args.evidence.as_deref(), &state);
            let code = output::write_reports(&run, &args.reports, args.verbose, terminal);
            self::kept(kept, code, terminal)
        }
        Err(message) => {
            terminal.complain(&message);
            exit::INCONCLUSIVE
        }
    }
}

/// Reads the record that a run is compared with.
///
/// # Errors
/// It cannot be read, or was edited.
pub fn read_baseline(path: Option<&Path>) -> Result<Option<Run>, String> {
    let baseline = path.map(record::read_sealed).transpose();
    baseline.map_err(|e| format!("the baseline is not usable: {e}"))
}

/// What another system or environment showed says nothing of this one.
///
/// # Errors
/// One sentence that names both.
pub fn check_baseline(baseline: Option<&Run>, config: &Config) -> Result<(), String> {
    let target = &config.target;
    is_of_target(baseline, &target.name, target.environment.as_ref())
}

/// The same for a target by its name and environment.
///
/// # Errors
/// One sentence that names both.
pub fn is_of_target(
    baseline: Option<&Run>,
    target: &str,
    environment: Option<&String>,
) -> Result<(), String> {
    let Some(baseline) = baseline else {
        return Ok(());
    };
    let name = |name: &str, environment: Option<&String>| match environment {
        Some(environment) => format!("`{name}` in {environment}"),
        None => format!("`{name}`"),
    };
    let then = &baseline.target;
    if then.name == target && then.environment.as_ref() == environment {
        return Ok(());
    }
    Err(format!(
        "the baseline is not usable: it is of the target {}, this is {}",
        name(&then.name, then.environment.as_ref()),
        name(target, environment)
    ))
}

/// The exit code once the evidence is kept, or not: a GO without its evidence is none.
pub fn kept(kept: Result<(), String>, code: u8, terminal: &Terminal) -> u8 {
    let Err(message) = kept else { return code };
    terminal.complain(&format!("the evidence could not be kept: {message}"));
    if code == exit::GO { exit::NO_GO } else { code }
}

/// Keeps a run as evidence: in the folder given, and with the release that it belongs to.
pub fn keep(run: &Run, folder: Option<&Path>, state: &State) -> Result<(), String> {
    if let Some(folder) = folder {
        bundle::add(folder, run).map_err(|e| e.to_string())?;
    }
    let Some(folder) = &state.folder else {
        return Ok(());
    };
    // A record that the history cannot name would spoil the evidence.
    state.check(Type::GateVerdict).map_err(|e| e.to_string())?;
    let kept = bundle::add(folder, run).map_err(|e| e.to_string())?;
    let data = serde_json::json!({
        "verdict": run.verdict.name(),
        "exit_code": run.exit_code,
        "stages": run.selection.stages,
        "run": run.id,
        "record": kept.path,
        "sha256": kept.sha256,
    });
    state
        .record(Type::GateVerdict, data)
        .map_err(|e| e.to_string())
}

/// Loads the config and selects, or complains and gives the exit code.
pub fn prepare(
    config: &ConfigArgs,
    select: &SelectArgs,
    terminal: &Terminal,
    environment: &Environment,
) -> Result<(Config, Plan), u8> {
    let config = load(config, terminal, environment)?;
    let plan =
        plan::plan(&config, &select.into()).map_err(|e| terminal.usage_error(&e.to_string()))?;
    Ok((config, plan))
}

/// Loads the config, or complains and gives the exit code.
pub fn load(
    args: &ConfigArgs,
    terminal: &Terminal,
    environment: &Environment,
) -> Result<Config, u8> {
    let variables = args
        .variables(environment)
        .map_err(|e| terminal.usage_error(&e))?;
    let origin = match &args.trust_ref {
        None => Origin::Disk,
        Some(reference) => trusted(reference, &args.config, terminal)?,
    };
    config::load_from(&origin, &args.config, environment, variables).map_err(|error| {
        terminal.note(error.render(terminal.color_err, terminal.ascii).trim_end());
        exit::USAGE
    })
}

/// Opens the ref, and says what of the working tree's policy does not count.
///
/// # Errors
/// The exit code, after the complaint.
pub fn trusted(reference: &str, files: &[PathBuf], terminal: &Terminal) -> Result<Origin, u8> {
    let origin = Origin::of_ref(reference).map_err(|error| {
        let help = match error.help.as_str() {
            "" => String::new(),
            help => format!("; {help}"),
        };
        terminal.usage_error(&format!("--trust-ref: {error}{help}"))
    })?;
    if let Some(notice) = policy::notice(reference, &origin, files) {
        terminal.note(notice.trim_end());
    }
    Ok(origin)
}

/// The files that no report may overwrite: those that were read, and those of the working tree.
pub fn spared<'a>(args: &'a ConfigArgs, config: &'a Config) -> impl Iterator<Item = &'a str> {
    let named = args.config.iter().filter_map(|path| path.to_str());
    config.sources.names().chain(named)
}
