//! `readygate verify-checklist`

use std::path::PathBuf;

use clap::Args;

use super::{
    output::Terminal,
    render::{read_history, read_records, read_text},
};
use crate::{
    checklist::{
        render::{Evidence, combine},
        verify,
    },
    exit,
};

/// Arguments of `verify-checklist`.
#[derive(Debug, Args)]
pub struct VerifyChecklistArgs {
    /// The checklist as it was filled in.
    #[arg(value_name = "FILLED.MD")]
    filled: PathBuf,
    /// Records of the runs that it was filled in from.
    #[arg(value_name = "RUN.JSON", required = true)]
    records: Vec<PathBuf>,
    /// The checklist before it was filled in; shows more of what was edited.
    #[arg(long, value_name = "CHECKLIST.MD")]
    checklist: Option<PathBuf>,
    /// Folder with the history of the release, if it was filled in with one.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Compares; 0 when nothing was edited, 1 when something was, 2 when it cannot be told.
pub fn main(args: &VerifyChecklistArgs, terminal: &Terminal) -> u8 {
    match differences(args) {
        Ok(found) if found.is_empty() => {
            terminal.result(b"the checklist is as it was filled in\n", exit::GO)
        }
        Ok(found) => {
            let mut out = String::new();
            for difference in &found {
                out += &difference.sentence();
                out.push('\n');
            }
            let count = readygate_sdk::count_of(found.len() as u64, "edit", "edits");
            out += &count;
            out += " after the checklist was filled in\n";
            terminal.result(readygate_sdk::defang(&out).as_bytes(), exit::NO_GO)
        }
        Err(message) => terminal.usage_error(&message),
    }
}

fn differences(args: &VerifyChecklistArgs) -> Result<Vec<verify::Difference>, String> {
    let runs = read_records(&args.records)?;
    let run = combine(&runs).map_err(|e| e.to_string())?;
    let history = args.state.as_deref().map(read_history).transpose()?;
    let evidence = Evidence {
        run: &run,
        parts: &runs,
        history: history.as_ref(),
    };
    let original = args.checklist.as_deref().map(read_text).transpose()?;
    let filled = read_text(&args.filled)?;
    verify::verify(&filled, original.as_deref(), evidence)
        .map_err(|e| format!("{}: {e}", args.filled.display()))
}
