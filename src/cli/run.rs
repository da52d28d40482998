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
    policy::{self, Origin},
    record,
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
    if let Err(message) = output::spare_config(&args.reports, spared(&args.config, &config)) {
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
    let origin = match &args.trust_ref {
        None => Origin::Disk,
        Some(reference) => trusted(reference, args, terminal)?,
    };
    config::load_from(&origin, &args.config, environment, variables).map_err(|error| {
        terminal.note(error.render(terminal.color_err, terminal.ascii).trim_end());
        exit::USAGE
    })
}

/// Opens the ref, and says what of the working tree's policy does not count.
fn trusted(reference: &str, args: &ConfigArgs, terminal: &Terminal) -> Result<Origin, u8> {
    let origin = Origin::of_ref(reference).map_err(|error| {
        let help = match error.help.as_str() {
            "" => String::new(),
            help => format!("; {help}"),
        };
        terminal.usage_error(&format!("--trust-ref: {error}{help}"))
    })?;
    if let Some(notice) = policy::notice(reference, &origin, &args.config) {
        terminal.note(notice.trim_end());
    }
    Ok(origin)
}

/// The files that no report may overwrite: those that were read, and those of the working tree.
pub fn spared<'a>(args: &'a ConfigArgs, config: &'a Config) -> impl Iterator<Item = &'a str> {
    let named = args.config.iter().filter_map(|path| path.to_str());
    config.sources.names().chain(named)
}
