//! `readygate render`

use std::path::PathBuf;

use clap::Args;
use readygate_sdk::Masker;

use super::output::Terminal;
use crate::{
    exit, record,
    record::write_atomically,
    report::{self, Format, Style},
};

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// console, json or junit.
    #[arg(value_name = "FORMAT")]
    format: Format,
    /// Record of a run.
    #[arg(value_name = "RUN.JSON")]
    record: PathBuf,
    /// Where to; stdout unless said otherwise.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Every check and metric in the console report.
    #[arg(short, long)]
    verbose: bool,
}

/// Renders the same bytes as the run that made the record; 0, or 2 when that cannot be done.
pub fn main(args: &RenderArgs, terminal: &Terminal) -> u8 {
    // A record that was edited by hand must not reach a terminal raw either.
    let read = record::read(&args.record).map_err(|e| e.to_string());
    let sealed =
        read.and_then(|run| record::seal(&run, &Masker::new([])).map_err(|e| e.to_string()));
    let run = match sealed {
        Ok(run) => run,
        Err(error) => return terminal.usage_error(&error),
    };
    let style = if args.output.is_some() {
        Style::plain()
    } else {
        terminal.style(args.verbose)
    };
    let bytes = match report::render(args.format, &run, &style) {
        Ok(bytes) => bytes,
        Err(error) => return terminal.usage_error(&error.to_string()),
    };
    let Some(path) = &args.output else {
        return terminal.result(&bytes, exit::GO);
    };
    match write_atomically(path, &bytes) {
        Ok(()) => exit::GO,
        Err(error) => terminal.usage_error(&error.to_string()),
    }
}
