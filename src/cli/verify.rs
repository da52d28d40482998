//! `readygate verify`

use clap::Args;

use super::output::Terminal;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {}

/// Verifies a bundle.
pub fn main(_args: &VerifyArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`verify` is not built into this version")
}
