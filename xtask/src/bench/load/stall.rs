//! A server that sleeps 500 ms every 5 s: a tenth of all requests meet it, whatever the tool says.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
};

use super::{
    Bench, SERVER_CORE,
    bars::Bars,
    ours::{self, Gate},
    peers::{self, Job},
    table::{head, list, median},
    tools::Peer,
};
use crate::exec::quietly;

const RATE: u32 = 5_000;
const CONNECTIONS: u32 = 64;
const STALL: Duration = Duration::from_millis(500);
const PERIOD: Duration = Duration::from_secs(5);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nhello world\n";

/// Figures of a tool in milliseconds, one for each run.
struct Row {
    name: &'static str,
    quantiles: [Vec<f64>; 4],
    gates: Vec<&'static str>,
    sent: Vec<f64>,
}

const QUANTILES: [&str; 4] = ["latency.p50", "latency.p95", "latency.p99", "latency.max"];

impl Row {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            quantiles: Default::default(),
            gates: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn add(&mut self, metric: impl Fn(&str) -> f64) {
        for (values, name) in self.quantiles.iter_mut().zip(QUANTILES) {
            values.push(metric(name) * 1e3);
        }
        self.sent.push(metric("throughput"));
        let p95 = metric("latency.p95");
        self.gates.push(if p95.is_nan() {
            "cannot tell"
        } else if p95 < 0.05 {
            "**passes, wrong**"
        } else {
            "fails, right"
        });
    }
}

/// Prints the table and adds the bars.
pub fn main(bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    // Whole periods, so that a tenth of the time is stalled.
    let period = u32::try_from(PERIOD.as_secs()).unwrap_or(5);
    let seconds = bench.seconds(20).next_multiple_of(period);
    let runs = bench.runs(3);
    let jobs = jobs(bench, seconds);
    let mut own = Row::new("**readygate**");
    let mut rows: Vec<Row> = jobs.iter().map(|(name, ..)| Row::new(name)).collect();
    for _ in 0..runs {
        let server = Stalling::start()?;
        let gate = Gate {
            url: server.url(),
            settings: vec![format!(
                "open={{rate: {RATE}/s, connections: {CONNECTIONS}, for: {seconds}s, warmup: 0s}}"
            )],
            expect: vec!["latency.p95 < 50ms".into()],
            limit: u64::from(seconds) + 20,
        };
        let run = ours::run(bench, &gate, None);
        ours::told("stall", &run);
        let said = run?.said;
        own.add(|metric| said.figure(metric));
        if said.outcome() != "failed" {
            let last = own.gates.len() - 1;
            own.gates[last] = "**does not fail**";
        }
        for ((_, peer, job), row) in jobs.iter().zip(&mut rows) {
            let server = Stalling::start()?;
            let mut job = job.clone();
            job.url = server.url();
            let run = peers::run(bench, *peer, &[job], None)?;
            row.add(|metric| run.sum(metric));
        }
    }
    rows.insert(0, own);
    print(&rows, seconds, runs);
    judge(&rows[0], runs, bars);
    Ok(())
}

/// In every run, not in the middle one.
fn judge(own: &Row, runs: usize, bars: &mut Bars) {
    let worst = |values: &[f64], target: f64| {
        let far = |v: &f64| (v - target).abs();
        let furthest = values.iter().max_by(|a, b| far(a).total_cmp(&far(b)));
        furthest.copied().unwrap_or(f64::NAN)
    };
    let (p95, p99) = (
        worst(&own.quantiles[1], 255.0),
        worst(&own.quantiles[2], 455.0),
    );
    bars.within("stall: P95", p95, 225.0, 285.0, " ms");
    bars.within("stall: P99", p99, 430.0, 480.0, " ms");
    let failed = own.gates.iter().filter(|gate| **gate == "fails, right");
    let share = failed.count() as f64 / runs as f64;
    bars.at_least(
        "stall: a gate on P95 < 50 ms fails",
        share,
        1.0,
        " of the runs",
    );
}

fn jobs(bench: &Bench<'_>, seconds: u32) -> Vec<(&'static str, Peer, Job)> {
    let job = Job {
        rate: Some(RATE),
        ..Job::closed(String::new(), CONNECTIONS, seconds)
    };
    let corrected = Job {
        corrected: true,
        ..job.clone()
    };
    let many = Job {
        users: Some(2_500),
        ..job.clone()
    };
    let all = [
        ("wrk2", Peer::Wrk2, job.clone()),
        ("oha `--latency-correction`", Peer::Oha, corrected),
        ("oha", Peer::Oha, job.clone()),
        ("k6, at most 64 VUs", Peer::K6, job.clone()),
        ("k6, at most 2,500 VUs", Peer::K6, many),
        ("hey", Peer::Hey, job.clone()),
        ("autocannon", Peer::Autocannon, job),
    ];
    let here = |(_, peer, _): &(_, Peer, _)| bench.tools.path(*peer).is_some();
    all.into_iter().filter(here).collect()
}

fn print(rows: &[Row], seconds: u32, runs: usize) {
    println!(
        "\nA server that sleeps 500 ms every 5 s; {RATE} req/s, {CONNECTIONS} connections, {seconds} s, \
         {runs} alternating runs\n"
    );
    head(&[
        "client",
        "P50, ms",
        "P95, ms",
        "P99, ms",
        "max, ms",
        "answers/s",
        "a gate on P95 < 50 ms",
    ]);
    println!("| the truth | 0.1 | 250 | 450 | 500 | 5,000 | fails |");
    for row in rows {
        let [p50, p95, p99, max] = &row.quantiles;
        let mut gates = row.gates.clone();
        gates.dedup();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.name,
            list(p50, 2),
            list(p95, 1),
            list(p99, 1),
            list(max, 0),
            super::table::number(median(&row.sent), 0),
            gates.join(", "),
        );
    }
}

/// A server on a thread of its own, which stops with the value.
struct Stalling {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Stalling {
    fn start() -> Result<Self, String> {
        let (stop, stopped) = oneshot::channel();
        let (up, ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            pin();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let served = runtime.and_then(|runtime| runtime.block_on(serve(&up, stopped)));
            if let Err(error) = served {
                let _ = up.send(Err(error));
            }
        });
        let address = ready.recv().map_err(|e| e.to_string())?;
        Ok(Self {
            address: address.map_err(|e| format!("the server that stalls: {e}"))?,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    fn url(&self) -> String {
        format!("http://{}/r", self.address)
    }
}

impl Drop for Stalling {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Puts this thread on the core of the server.
fn pin() {
    let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
    let id = thread.file_name().unwrap_or_default();
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", "-p", &SERVER_CORE.to_string()]).arg(id);
    quietly(&mut taskset);
}

async fn serve(
    up: &mpsc::Sender<io::Result<SocketAddr>>,
    mut stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let _ = up.send(listener.local_addr());
    let (first, mut seen) = watch::channel(());
    tokio::spawn(async move {
        // From the first connection on, so that every tool meets the same stalls.
        if seen.changed().await.is_ok() {
            tokio::time::sleep(PERIOD / 2).await;
            let mut every = tokio::time::interval(PERIOD);
            loop {
                every.tick().await;
                block(STALL);
            }
        }
    });
    let mut quiet = false;
    loop {
        tokio::select! {
            _ = &mut stopped => return Ok(()),
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                // The reader of the port that waits for the server is no client; nobody waits here.
                if !quiet {
                    quiet = first.send(()).is_ok();
                }
                let _ = stream.set_nodelay(true);
                tokio::spawn(answer(stream));
            }
        }
    }
}

async fn answer(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    let mut held = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer[held..]).await {
        held += read;
        // No tool pipelines, so a blank line ends a request and what was read.
        if buffer[..held].ends_with(b"\r\n\r\n") {
            held = 0;
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        } else if held == buffer.len() {
            return;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the whole server has to stand still"
)]
fn block(time: Duration) {
    std::thread::sleep(time);
}
