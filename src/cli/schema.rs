//! `readygate schema`

use clap::{Args, ValueEnum};

use super::output::Terminal;
use crate::{config, exit};

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what.
    #[arg(value_enum, default_value_t = Which::Config)]
    which: Which,
}

/// Which schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// readygate.yaml
    Config,
    /// run.json
    Run,
}

/// The text of a schema, as it is checked in.
pub fn text(which: Which) -> String {
    let schema = match which {
        Which::Config => config::config_schema(),
        Which::Run => config::run_schema(),
    };
    format!("{:#}\n", schema.as_value())
}

/// Prints a schema.
pub fn main(args: &SchemaArgs, terminal: &Terminal) -> u8 {
    terminal.result(text(args.which).as_bytes(), exit::GO)
}
