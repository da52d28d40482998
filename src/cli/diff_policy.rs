//! `readygate diff-policy`

use clap::Args;

use super::output::Terminal;

/// Arguments of `diff-policy`.
#[derive(Debug, Args)]
pub struct DiffPolicyArgs {}

/// Compares two policies.
pub fn main(_args: &DiffPolicyArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`diff-policy` is not built into this version")
}
