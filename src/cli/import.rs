//! `readygate import`

use clap::Args;

use super::output::Terminal;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {}

/// Reads the checklist and writes a config.
pub fn main(_args: &ImportArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`import` is not built into this version")
}
