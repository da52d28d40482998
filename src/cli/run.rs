//! `readygate run`

use std::path::PathBuf;

use clap::Args;
use readygate_sdk::Period;

use super::{
    ConfigArgs, SelectArgs,
    output::{self, Target, Terminal},
    session::{self, Options, Signing},
};
use crate::{
    config::{self, Config, Environment},
    exit,
    plan::{self, Plan},
    record,
    signoff::trust::Source,
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
    /// Name of the release that the run belongs to.
    #[arg(long, value_name = "ID")]
    release: Option<String>,
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
    let baseline = match args.baseline.as_deref().map(record::read).transpose() {
        Ok(baseline) => baseline,
        Err(error) => return terminal.usage_error(&format!("the baseline is not usable: {error}")),
    };
    let (config, plan) = match prepare(&args.config, &args.select, terminal, environment) {
        Ok(ready) => ready,
        Err(code) => return code,
    };
    if let Err(message) = output::spare_config(&args.reports, config.sources.names()) {
        return terminal.usage_error(&message);
    }
    let options = Options {
        selection: (&args.select).into(),
        deadline: args.deadline.map(|d| d.0),
        baseline,
        quiet: args.quiet,
        signing: Signing {
            release: args.release.clone(),
            directory: args.signoffs.clone(),
            trust: Source::Worktree,
            requests: args.signoffs.is_some() || config.signoffs.is_configured(),
        },
    };
    match session::execute(config, &plan, options, terminal) {
        Ok(run) => output::write_reports(&run, &args.reports, args.verbose, terminal),
        Err(message) => {
            terminal.complain(&message);
            exit::INCONCLUSIVE
        }
    }
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
    config::load(&args.config, environment, variables).map_err(|error| {
        terminal.note(error.render(terminal.color_err, terminal.ascii).trim_end());
        exit::USAGE
    })
}
