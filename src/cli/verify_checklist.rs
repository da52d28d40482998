//! `readygate verify-checklist`

use clap::Args;

use super::output::Terminal;

/// Arguments of `verify-checklist`.
#[derive(Debug, Args)]
pub struct VerifyChecklistArgs {}

/// Finds edits.
pub fn main(_args: &VerifyChecklistArgs, terminal: &Terminal) -> u8 {
    terminal.usage_error("`verify-checklist` is not built into this version")
}
