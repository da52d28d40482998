//! `readygate watch`

use clap::Args;

use super::output::Terminal;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {}

/// Watches and decides.
pub fn main(_args: &WatchArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`watch` is not built into this version")
}
