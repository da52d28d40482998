//! `readygate gate`

use clap::Args;

use super::output::Terminal;

/// Arguments of `gate`.
#[derive(Debug, Args)]
pub struct GateArgs {}

/// Decides again.
pub fn main(_args: &GateArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`gate` is not built into this version")
}
