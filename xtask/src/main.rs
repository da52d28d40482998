//! The chores of this repository: `cargo xtask --help`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for people at a terminal"
)]

mod generate;
mod markers;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write everything that derives from the code: schemas, tables in READMEs, pages in docs/.
    Generate {
        /// Write nothing; fail if something is not up to date.
        #[arg(long)]
        check: bool,
    },
}

/// What a chore gives: whether all is well, or why it could not be done.
type Done = Result<bool, String>;

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Generate { check } => generate::main(check),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
