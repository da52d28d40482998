//! The users' bar: 50,000 connections, rising rates, P95 below 50 ms.

use std::collections::BTreeMap;

use super::{
    Bench,
    bars::Bars,
    nginx::{ADDRESSES, Nginx},
    ours::{self, Gate},
    peers::{self, Job},
    table::{head, list, median, number, spread},
    tools::Peer,
};

const BOUND: f64 = 0.05;
const WORKERS: u32 = 4;
/// In how many of six runs the prototype of the engine held P95 < 50 ms.
const PROTOTYPE: [(u32, f64); 3] = [(20_000, 6.0), (40_000, 2.0), (45_000, 1.0)];
/// At this rate every run must hold.
const SURE: u32 = 30_000;
/// Addresses of one host that each peer process has to itself.
const PROCESSES: u32 = 3;

/// Figures at one rate, one for each run.
#[derive(Default)]
struct Row {
    achieved: Vec<f64>,
    p95: Vec<f64>,
    p99: Vec<f64>,
    errors: Vec<f64>,
    open: Vec<f64>,
    outcomes: BTreeMap<String, usize>,
    complaints: Vec<String>,
    /// Runs that passed with P95 below the bound.
    held: usize,
    cpu: Vec<f64>,
    peak_mb: Vec<f64>,
}

/// Prints the tables and adds the bars.
pub fn main(bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    let (seconds, runs) = (bench.seconds(60), bench.runs(6));
    let rates = &bench.options.rates;
    let mut rows: Vec<Row> = rates.iter().map(|_| Row::default()).collect();
    for _ in 0..runs {
        for (rate, row) in rates.iter().zip(&mut rows) {
            one(bench, *rate, seconds, row)?;
        }
    }
    let connections = number(f64::from(bench.options.connections), 0);
    let ahead = if bench.options.realtime {
        ", ahead of all other processes"
    } else {
        ""
    };
    println!(
        "\n{connections} connections, open model, {runs} alternating runs of {seconds} s at each rate; \
         client and server have one core each{ahead}\n"
    );
    head(&[
        "offered, req/s",
        "achieved, req/s",
        "P95, ms (each run)",
        "P99, ms",
        "errors, %",
        "P95 < 50 ms",
        "verdicts",
        "CPU s per million requests",
        "peak memory, MB",
    ]);
    for (rate, row) in rates.iter().zip(&rows) {
        print(*rate, row, runs);
        judge(*rate, row, runs, bench.options.connections, bars);
    }
    for complaint in rows.iter().flat_map(|row| &row.complaints) {
        println!("- {complaint}");
    }
    beside(bench, seconds)
}

fn one(bench: &Bench<'_>, rate: u32, seconds: u32, row: &mut Row) -> Result<(), String> {
    let nginx = Nginx::start(bench, WORKERS, false)?;
    let connections = bench.options.connections;
    let warmup = (seconds / 6).max(1);
    let gate = Gate {
        url: nginx.url(ADDRESSES[0]),
        settings: vec![format!(
            "open={{rate: {rate}/s, connections: {connections}, for: {seconds}s, warmup: {warmup}s}}"
        )],
        expect: vec!["latency.p95 < 50ms".into(), "error_rate < 0.01%".into()],
        limit: u64::from(seconds + warmup) + 180,
    };
    let run = ours::run(bench, &gate, Some(nginx.pid()));
    ours::told(&format!("{connections} connections at {rate}/s"), &run);
    let run = match run {
        Ok(run) => run,
        // The others still tell something; this one has not held.
        Err(problem) => {
            row.complaints.push(format!("{rate}/s: {problem}"));
            *row.outcomes.entry("broken".to_owned()).or_default() += 1;
            return Ok(());
        }
    };
    let said = &run.said;
    let p95 = said.figure("latency.p95");
    row.achieved.push(said.figure("throughput"));
    row.p95.push(p95 * 1e3);
    row.p99.push(said.figure("latency.p99") * 1e3);
    row.errors.push(said.error_percent());
    row.open.push(said.open());
    row.held += usize::from(said.outcome() == "passed" && p95 < BOUND);
    if said.outcome() != "passed" {
        let complaint = said.complaint();
        row.complaints
            .push(format!("{rate}/s, {}: {complaint}", said.outcome()));
    }
    *row.outcomes.entry(said.outcome().to_owned()).or_default() += 1;
    row.cpu.push(run.ran.cpu * 1e6 / said.sent());
    row.peak_mb.push(run.ran.peak_kib as f64 * 1024.0 / 1e6);
    Ok(())
}

fn print(rate: u32, row: &Row, runs: usize) {
    let below = row.p95.iter().filter(|p95| **p95 < BOUND * 1e3).count();
    let verdicts = row
        .outcomes
        .iter()
        .map(|(verdict, n)| format!("{n} {verdict}"));
    println!(
        "| {} | {} | {} | {} | {} | {below} of {runs} | {} | {} | {} |",
        number(f64::from(rate), 0),
        spread(&row.achieved, 0),
        list(&row.p95, 1),
        spread(&row.p99, 1),
        spread(&row.errors, 4),
        verdicts.collect::<Vec<_>>().join(", "),
        spread(&row.cpu, 1),
        number(median(&row.peak_mb), 1),
    );
}

fn judge(rate: u32, row: &Row, runs: usize, connections: u32, bars: &mut Bars) {
    let name = format!("{connections} connections at {rate}/s");
    let share = row.held as f64 / runs as f64;
    let what = format!("{name}: runs that passed with P95 < 50 ms");
    let prototype = PROTOTYPE.iter().find(|(at, _)| *at == rate);
    match prototype {
        _ if rate == SURE => bars.at_least(what, share, 1.0, " of the runs"),
        Some((_, of_six)) if *of_six < 6.0 => {
            // Better than the prototype: one more of six at least.
            bars.at_least(what, share, (of_six + 1.0) / 6.0 - 1e-9, " of the runs");
        }
        Some(_) => bars.at_least(what, share, 1.0, " of the runs"),
        None => {}
    }
    let errors = row.errors.iter().copied().fold(0.0, f64::max);
    bars.at_most(format!("{name}: errors"), errors, 0.01, " %");
    let open = median(&row.open);
    bars.at_least(format!("{name}: open"), open, f64::from(connections), "");
}

/// What peers do with the same, once: three processes, each with an address of the server to itself, as no
/// one of them opens more than 28,000 connections to one.
fn beside(bench: &Bench<'_>, seconds: u32) -> Result<(), String> {
    let connections = bench.options.connections.div_ceil(PROCESSES);
    let peers = bench.tools.among(&[Peer::Wrk, Peer::Oha, Peer::K6]);
    if peers.is_empty() {
        return Ok(());
    }
    println!("\nPeers, {PROCESSES} processes with {connections} connections each, one run\n");
    head(&[
        "client",
        "offered, req/s",
        "requests",
        "achieved, req/s",
        "P95, ms (worst process)",
        "errors, %",
        "exit codes",
        "peak memory, MB",
    ]);
    for peer in peers {
        let rates: Vec<Option<u32>> = match peer {
            Peer::Wrk => vec![None],
            _ => [SURE, 45_000].into_iter().map(Some).collect(),
        };
        for rate in rates {
            peer_row(bench, peer, rate, connections, seconds)?;
        }
    }
    Ok(())
}

fn peer_row(
    bench: &Bench<'_>,
    peer: Peer,
    rate: Option<u32>,
    connections: u32,
    seconds: u32,
) -> Result<(), String> {
    let offered = rate.map_or("as fast as it goes".into(), |rate| {
        number(f64::from(rate), 0)
    });
    if let Some(lack) = lacks_memory(peer, connections) {
        println!(
            "| {} | {offered} | - | - | - | - | {lack} | - |",
            peer.name()
        );
        return Ok(());
    }
    let nginx = Nginx::start(bench, WORKERS, false)?;
    let job = |address: &&str| Job {
        rate: rate.map(|rate| rate / PROCESSES),
        corrected: true,
        ..Job::closed(nginx.url(address), connections, seconds)
    };
    let jobs: Vec<Job> = ADDRESSES.iter().map(job).collect();
    let run = peers::run(bench, peer, &jobs, Some(nginx.pid()))?;
    let codes = run.ran.each.iter().map(|one| match one.code {
        Some(code) => code.to_string(),
        None if run.ran.overdue => "killed: did not end".into(),
        None => "signal".into(),
    });
    println!(
        "| {} | {offered} | {} | {} | {} | {} | {} | {} |",
        peer.name(),
        number(run.sum("requests"), 0),
        number(run.sum("throughput"), 0),
        number(run.worst("latency.p95") * 1e3, 1),
        number(run.worst("error_rate"), 3),
        codes.collect::<Vec<_>>().join(", "),
        number(run.ran.peak_kib as f64 * 1024.0 / 1e6, 0),
    );
    Ok(())
}

/// k6 takes 192 KB for each connection: it may not push the machine into swapping.
fn lacks_memory(peer: Peer, connections: u32) -> Option<String> {
    let kib_each = match peer {
        Peer::K6 => 220,
        _ => return None,
    };
    let needed = u64::from(connections * PROCESSES) * kib_each;
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let free: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    let short = free < needed + needed / 2;
    short.then(|| format!("not run: needs {} GB of memory", needed / 1_000_000))
}
