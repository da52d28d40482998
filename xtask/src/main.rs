//! The chores of this repository: `cargo xtask --help`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for people at a terminal"
)]

mod bench;
mod corpus;
mod demo;
mod deny;
mod exec;
mod generate;
mod markers;
mod scaffold;
mod setup;
mod stores;
mod test;
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
    /// Scaffold a probe that compiles, conforms and never passes.
    NewProbe {
        /// Its name: lowercase letters, digits and hyphens.
        id: String,
    },
    /// Check everything that CI checks.
    Test {
        /// Also what takes minutes: a scaffolded probe must conform.
        #[arg(long)]
        full: bool,
    },
    /// Check licences, bans, sources and advisories of dependencies.
    Deny,
    /// Install what the tests and the demo need.
    Setup,
    /// Run a production-like gate against real servers on loopback; one failure is planted.
    Demo {
        /// Plant no failure: the verdict is GO.
        #[arg(long)]
        healthy: bool,
        /// The whole way instead: a checklist, signatures, a deployment, an outage, a rollback.
        #[arg(long, conflicts_with = "healthy")]
        release_story: bool,
    },
    /// Keep a replica set and a Redis cluster on loopback, for a person at a terminal.
    Stack {
        #[command(subcommand)]
        what: Stack,
    },
    /// Print a table of docs/benchmarks.md.
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Compare what the probes read with the figures that a corpus of real reports expects.
    Corpus {
        /// A probe or a format of the manifest; all when left out.
        only: Option<String>,
    },
    /// Time one command; what `bench` calls for each.
    #[command(hide = true)]
    Measure {
        /// Runs after one that warms up.
        #[arg(long, default_value_t = bench::RUNS)]
        runs: usize,
        /// Program and arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        argv: Vec<String>,
    },
    /// Read an XML file and look at nothing; what `bench reports` compares with.
    #[command(hide = true)]
    PlainXml {
        /// The file.
        file: std::path::PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Stack {
    /// Start them and print where they are.
    Up,
    /// Stop them.
    Down,
}

/// What a chore gives: whether all is well, or why it could not be done.
type Done = Result<bool, String>;

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Generate { check } => generate::main(check),
        Task::NewProbe { id } => scaffold::main(&id),
        Task::Test { full } => Ok(test::main(full)),
        Task::Deny => deny::main(),
        Task::Setup => Ok(setup::main()),
        Task::Demo {
            release_story: true,
            ..
        } => demo::story(),
        Task::Demo { healthy, .. } => demo::main(healthy),
        Task::Stack { what: Stack::Up } => stores::up(),
        Task::Stack { what: Stack::Down } => stores::down(),
        Task::Bench { what } => bench::main(&what),
        Task::Corpus { only } => corpus::main(only.as_deref()),
        Task::Measure { runs, argv } => bench::measure(&argv, runs),
        Task::PlainXml { file } => bench::plain_xml(&file),
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
