//! `cargo xtask bench load`: the load engine beside other load tools.
//!
//! The server has core 0 and the client core 1, so that neither takes time from the other. Runs of the tools
//! alternate, so that a slow minute of the machine falls on all of them. What peers print is read by
//! the `load` probe itself.

mod bar;
mod bars;
mod closed;
mod memory;
mod nginx;
mod ours;
mod pacing;
mod peers;
mod run;
mod stall;
mod table;
mod tools;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tempfile::TempDir;

use self::{bars::Bars, tools::Tools};
use super::release_build;
use crate::Done;

/// Core of the server.
const SERVER_CORE: usize = 0;
/// Core of the client.
const CLIENT_CORE: usize = 1;

/// What to run, and for how long.
#[derive(Debug, Args)]
pub struct LoadBench {
    /// Which tables; all when left out.
    what: Vec<What>,
    /// The binary; a release build when left out.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Seconds of each run; 10 (closed, tls, pacing), 60 (bar) or 20 (stall) when left out.
    #[arg(long)]
    seconds: Option<u32>,
    /// Runs of each tool; 5 (closed, tls), 6 (bar) or 3 (memory, stall, pacing) when left out.
    #[arg(long)]
    runs: Option<usize>,
    /// Connections of the users' bar.
    #[arg(long, default_value_t = 50_000)]
    connections: u32,
    /// Rates of the users' bar.
    #[arg(long, value_delimiter = ',', default_values_t = [20_000, 30_000, 40_000, 45_000])]
    rates: Vec<u32>,
    /// Requests over which memory must stay flat.
    #[arg(long, default_value_t = 10_000_000)]
    requests: u64,
    /// Schedule server and client in real time, before whatever else this machine runs; needs root.
    #[arg(long)]
    realtime: bool,
    /// Peers, separated by commas, or `none`; all that can be had when left out.
    #[arg(long, value_delimiter = ',')]
    peers: Option<Vec<String>>,
}

/// One table each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// 64 connections as fast as they go: CPU, throughput, memory.
    Closed,
    /// The same over TLS.
    Tls,
    /// Memory of many connections and of many requests.
    Memory,
    /// 50,000 connections at rising rates.
    Bar,
    /// A server that stalls: who reports it?
    Stall,
    /// Whether requests leave when they are due.
    Pacing,
}

/// What every table needs.
struct Bench<'a> {
    options: &'a LoadBench,
    program: PathBuf,
    tools: Tools,
    /// For files of the peers; gone at the end.
    folder: TempDir,
}

impl Bench<'_> {
    fn seconds(&self, usual: u32) -> u32 {
        self.options.seconds.unwrap_or(usual).max(1)
    }

    fn runs(&self, usual: usize) -> usize {
        self.options.runs.unwrap_or(usual).max(1)
    }
}

/// Prints the tables, then the bars; whether all of them hold.
pub fn main(options: &LoadBench) -> Done {
    crate::setup::need_program("nginx", "nginx-light")?;
    crate::setup::need_program("taskset", "util-linux")?;
    crate::setup::need_program("setpriv", "util-linux")?;
    if options.realtime {
        crate::setup::need_program("chrt", "util-linux")?;
    }
    let program = match &options.program {
        Some(program) => program
            .canonicalize()
            .map_err(|e| format!("{}: {e}", program.display()))?,
        None => release_build()?,
    };
    let bench = Bench {
        options,
        program,
        tools: Tools::find(options.peers.as_deref()),
        folder: tempfile::Builder::new()
            .prefix("readygate-bench-")
            .tempdir()
            .map_err(|e| e.to_string())?,
    };
    bench.tools.report();
    let mut bars = Bars::default();
    let all = What::value_variants();
    let chosen = if options.what.is_empty() {
        all
    } else {
        &options.what
    };
    for what in all.iter().filter(|what| chosen.contains(what)) {
        if let Err(problem) = table_of(*what, &bench, &mut bars) {
            eprintln!("{problem}");
            bars.broken(format!("{what:?}").to_lowercase(), &problem);
        }
    }
    Ok(bars.print())
}

fn table_of(what: What, bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    match what {
        What::Closed => closed::main(bench, bars, false),
        What::Tls => closed::main(bench, bars, true),
        What::Memory => memory::main(bench, bars),
        What::Bar => bar::main(bench, bars),
        What::Stall => stall::main(bench, bars),
        What::Pacing => pacing::main(bench, bars),
    }
}
