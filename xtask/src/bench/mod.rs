//! `cargo xtask bench WHAT`: the tables of `docs/benchmarks.md`, each beside peers timed in the same run.

mod load;
mod process;
mod reports;
mod secrets;
mod tls;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use clap::Subcommand;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

use crate::{Done, workspace};

pub const RUNS: usize = 15;

/// What to measure: one file of this folder each.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// Whole runs of readygate beside the commands of a shell script.
    Process,
    /// The `tls` probe beside sslyze and testssl.sh.
    Tls,
    /// A JUnit file of 1 GB beside a plain pass of the XML parser.
    Reports,
    /// The secret scanner beside others: what they find, how fast, in how much memory.
    Secrets,
    /// The load engine beside other load tools, client and server on a core each.
    Load(load::LoadBench),
}

/// Prints one table.
pub fn main(what: &Bench) -> Done {
    match what {
        Bench::Process => process::main(),
        Bench::Tls => tls::main(),
        Bench::Reports => reports::main(),
        Bench::Secrets => secrets::main(),
        Bench::Load(bench) => load::main(bench),
    }
}

/// Reads an XML file with the plain parser; what `bench reports` times as the limit.
pub fn plain_xml(file: &std::path::Path) -> Done {
    reports::plain(file)
}

/// Builds the release binary and says where it is.
fn release_build() -> Result<PathBuf, String> {
    let root = workspace::root();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "readygate"])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(&root)
        .status();
    if built.is_ok_and(|status| status.success()) {
        Ok(root.join("target/release/readygate"))
    } else {
        Err("the release build failed".to_owned())
    }
}

/// Runs a command several times after one warm-up and prints its figures as JSON.
pub fn measure(argv: &[String], runs: usize) -> Done {
    let runs = runs.max(1);
    let Some((program, arguments)) = argv.split_first() else {
        return Err("no command".into());
    };
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let before = cpu()?;
        #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
        let begun = Instant::now();
        let status = Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|e| format!("{program}: {e}"))?;
        let wall = begun.elapsed().as_secs_f64();
        if !status.success() {
            return Err(format!("{program} ended with {status}"));
        }
        if run > 0 {
            walls.push(wall);
            cpus.push(cpu()? - before);
        }
    }
    walls.sort_by(f64::total_cmp);
    cpus.sort_by(f64::total_cmp);
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let figures = json!({
        "wall": walls[runs / 2], "wall_min": walls[0], "wall_max": walls[runs - 1],
        "cpu": cpus[runs / 2], "peak_kib": usage.max_rss(),
    });
    println!("{figures}");
    Ok(true)
}

fn cpu() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
