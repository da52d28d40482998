//! `readygate event`

use clap::Args;

use super::output::Terminal;

/// Arguments of `event`.
#[derive(Debug, Args)]
pub struct EventArgs {}

/// Adds an event.
pub fn main(_args: &EventArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`event` is not built into this version")
}
