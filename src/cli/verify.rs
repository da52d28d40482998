//! `readygate verify`

use std::path::PathBuf;

use clap::Args;
use readygate_sdk::{Clock as _, SystemClock};

use super::output::Terminal;
use crate::{
    config,
    evidence::verify::{Against, Report, verify},
    exit,
    policy::Origin,
};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of the evidence: that of `run --evidence`, or that of a release.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Config file that should have been applied; several are put together.
    #[arg(short, long = "config", value_name = "FILE")]
    config: Vec<PathBuf>,
}

/// Verifies a bundle: 0 as it was written, 1 something is wrong, 2 it is no bundle.
pub fn main(args: &VerifyArgs, terminal: &Terminal) -> u8 {
    let policy = if args.config.is_empty() {
        None
    } else {
        match config::read_files(&args.config, &Origin::Disk) {
            Ok(files) => Some(files.digest),
            Err(error) => {
                terminal.note(error.render(terminal.color_err, terminal.ascii).trim_end());
                return exit::USAGE;
            }
        }
    };
    let against = Against {
        policy,
        now: SystemClock.now(),
    };
    match verify(&args.folder, &against) {
        Ok(report) => tell(&report, terminal),
        Err(error) => terminal.usage_error(&error.to_string()),
    }
}

fn tell(report: &Report, terminal: &Terminal) -> u8 {
    for note in &report.notes {
        terminal.note(&format!("note: {note}"));
    }
    for finding in &report.findings {
        terminal.complain(&finding.to_string());
    }
    if report.findings.is_empty() {
        let line = format!("verified: {}\n", report.looked_at.join(", "));
        return terminal.result(line.as_bytes(), exit::GO);
    }
    let count = report.findings.len() as u64;
    let problems = readygate_sdk::count_of(count, "problem", "problems");
    terminal.result(
        format!("not verified: {problems}\n").as_bytes(),
        exit::NO_GO,
    )
}
