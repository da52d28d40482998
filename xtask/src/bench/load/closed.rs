//! 64 connections that send again at once, plain and over TLS.

use super::{
    Bench,
    bars::Bars,
    nginx::{ADDRESSES, Nginx},
    ours::{self, Gate},
    peers::{self, Job},
    run::Ran,
    table::{head, median, number, spread},
    tools::Peer,
};

const CONNECTIONS: u32 = 64;
/// A run is quiet while nothing else uses more of a core.
const QUIET: f64 = 0.1;

/// The figures of a tool, one for each run.
#[derive(Default)]
struct Row {
    name: &'static str,
    /// CPU seconds for a million requests.
    cpu: Vec<f64>,
    rate: Vec<f64>,
    quiet: Vec<f64>,
    peak_mb: Vec<f64>,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    fn add(&mut self, ran: &Ran, requests: f64, rate: f64) {
        if requests > 0.0 {
            self.cpu.push(ran.cpu * 1e6 / requests);
            self.rate.push(rate);
            if ran.noise <= QUIET {
                self.quiet.push(rate);
            }
        }
        self.peak_mb.push(ran.peak_kib as f64 * 1024.0 / 1e6);
    }
}

/// Prints the table and adds the bars.
pub fn main(bench: &Bench<'_>, bars: &mut Bars, tls: bool) -> Result<(), String> {
    let peers: &[Peer] = if tls {
        &[Peer::Wrk, Peer::Oha, Peer::H2load]
    } else {
        &[
            Peer::Wrk,
            Peer::Oha,
            Peer::H2load,
            Peer::Hey,
            Peer::Autocannon,
            Peer::K6,
            Peer::Locust,
        ]
    };
    let peers = bench.tools.among(peers);
    let (seconds, runs) = (bench.seconds(10), bench.runs(5));
    let nginx = Nginx::start(bench, 1, tls)?;
    let gate = gate(&nginx, tls, seconds);
    let job = Job::closed(nginx.url(ADDRESSES[0]), CONNECTIONS, seconds);
    let mut own = Row::new("**readygate**");
    let mut rows: Vec<Row> = peers.iter().map(|peer| Row::new(peer.name())).collect();
    for _ in 0..runs {
        let run = ours::run(bench, &gate, Some(nginx.pid()));
        ours::told(if tls { "TLS" } else { "closed loop" }, &run);
        let run = run?;
        let said = &run.said;
        own.add(&run.ran, said.sent(), said.figure("throughput"));
        for (peer, row) in peers.iter().zip(&mut rows) {
            let run = peers::run(bench, *peer, std::slice::from_ref(&job), Some(nginx.pid()))?;
            row.add(&run.ran, run.sum("requests"), run.sum("throughput"));
        }
    }
    rows.insert(0, own);
    print(&rows, tls, seconds, runs);
    judge(&rows, tls, bars);
    Ok(())
}

fn gate(nginx: &Nginx, tls: bool, seconds: u32) -> Gate {
    let mut settings = vec![format!(
        "max={{connections: {CONNECTIONS}, for: {seconds}s}}"
    )];
    if tls {
        settings.push(format!("tls={{ca: '{}'}}", nginx.root()));
    }
    Gate {
        url: nginx.url(ADDRESSES[0]),
        settings,
        expect: Vec::new(),
        limit: u64::from(seconds) + 20,
    }
}

fn wrk(rows: &[Row]) -> Option<&Row> {
    rows.iter().find(|row| row.name == "wrk")
}

fn print(rows: &[Row], tls: bool, seconds: u32, runs: usize) {
    let over = if tls { ", TLS 1.3" } else { "" };
    println!(
        "\nClosed loop, {CONNECTIONS} connections{over}: {runs} alternating runs of {seconds} s\n"
    );
    head(&[
        "client",
        "CPU s per million requests",
        "x wrk",
        "req/s",
        "req/s, quiet runs",
        "quiet runs",
        "peak memory, MB",
    ]);
    let base = wrk(rows).map_or(f64::NAN, |row| median(&row.cpu));
    for row in rows {
        println!(
            "| {} | {} | {} | {} | {} | {} of {} | {} |",
            row.name,
            spread(&row.cpu, 2),
            number(median(&row.cpu) / base, 2),
            spread(&row.rate, 0),
            number(median(&row.quiet), 0),
            row.quiet.len(),
            row.peak_mb.len(),
            number(median(&row.peak_mb), 1),
        );
    }
}

fn judge(rows: &[Row], tls: bool, bars: &mut Bars) {
    let own = &rows[0];
    let ratio = |pick: fn(&Row) -> f64| pick(own) / wrk(rows).map_or(f64::NAN, pick);
    let over = if tls { "TLS" } else { "closed loop" };
    let cpu = ratio(|row| median(&row.cpu));
    bars.at_most(format!("{over}: CPU per request"), cpu, 1.0, " x wrk");
    if !tls {
        let rate = ratio(|row| median(&row.quiet));
        bars.at_least(
            "closed loop: throughput on quiet runs",
            rate,
            0.95,
            " x wrk",
        );
    }
}
