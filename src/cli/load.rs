//! `readygate load`

use clap::{Args, Subcommand};
use readygate_load::LoadConfig;
use readygate_sdk::Masker;

use super::{ConfigArgs, output::Terminal, run};
use crate::{
    config::{Config, Environment, nearest},
    exit,
};

/// Arguments of `load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(subcommand)]
    command: LoadCommand,
}

#[derive(Debug, Subcommand)]
enum LoadCommand {
    /// Print a load gate of k6 as a TestRun of the k6-operator, with its script.
    Manifest(ManifestArgs),
}

/// Arguments of `load manifest`.
#[derive(Debug, Args)]
pub struct ManifestArgs {
    /// Id of a gate with `probe: load` and a block `k6`.
    gate: String,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs the command.
pub fn main(args: &LoadArgs, terminal: &Terminal, environment: &Environment) -> u8 {
    let LoadCommand::Manifest(args) = &args.command;
    let config = match run::load(&args.config, terminal, environment) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let masker = Masker::new(config.secrets.iter().map(String::as_str));
    match manifest(&args.gate, &config) {
        Ok(text) => terminal.result(masker.mask(&text).as_bytes(), exit::GO),
        Err(message) => terminal.usage_error(&masker.mask(&message)),
    }
}

fn manifest(id: &str, config: &Config) -> Result<String, String> {
    let ids: Vec<&str> = config.gates.iter().map(|gate| gate.id.as_str()).collect();
    let gate = config.gates.iter().find(|gate| gate.id == id);
    let gate = gate.ok_or_else(|| {
        let near = nearest(id, &ids).map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
        format!("there is no gate `{id}`{near}")
    })?;
    let load = gate.probe.config().downcast_ref::<LoadConfig>();
    let load = load.ok_or_else(|| {
        format!(
            "gate `{id}` has `probe: {}`, and a manifest is of a load gate",
            gate.probe.meta().id
        )
    })?;
    let target = config.target.url.as_ref().map(ToString::to_string);
    readygate_load::manifest(id, load, target.as_deref())
        .map_err(|why| format!("gate `{id}` has no manifest: {why}"))
}
