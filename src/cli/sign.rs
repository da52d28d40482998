//! `readygate sign`

use clap::Args;

use super::output::Terminal;

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {}

/// Shows what is signed, and signs it.
pub fn main(_args: &SignArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`sign` is not built into this version")
}
