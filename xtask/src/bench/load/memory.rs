//! Resident memory: for a connection, for 50,000 of them, and over many requests.

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

/// Connections that a tool's own memory is measured with.
const FEW: u32 = 64;
const SECONDS: u32 = 5;
/// Workers of nginx: together they hold what one may not.
const WORKERS: u32 = 4;

/// Prints the tables and adds the bars.
pub fn main(bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    // 10,000 and 4,000 of 50,000.
    let plain = (bench.options.connections / 5).max(FEW * 2);
    let tls = (bench.options.connections * 2 / 25).max(FEW * 2);
    let peers = [
        Peer::Wrk,
        Peer::Oha,
        Peer::H2load,
        Peer::Hey,
        Peer::Autocannon,
        Peer::K6,
    ];
    // None at all would be no measurement.
    let least = 0.01;
    let (own, open) = per_connection(bench, &peers, plain, false)?;
    bars.within("memory of a plain connection", own, least, 2.0, " KB");
    bars.at_least("plain connections open", open, f64::from(plain), "");
    let (own, open) = per_connection(bench, &[Peer::Wrk, Peer::Oha], tls, true)?;
    bars.within("memory of a TLS connection", own, least, 10.0, " KB");
    bars.at_least("TLS connections open", open, f64::from(tls), "");
    all_at_once(bench, bars)?;
    over_time(bench, bars)
}

fn megabytes(ran: &Ran) -> f64 {
    ran.peak_kib as f64 * 1024.0 / 1e6
}

/// KB for each connection beyond the first few, of readygate, and how many were open.
fn per_connection(
    bench: &Bench<'_>,
    peers: &[Peer],
    many: u32,
    tls: bool,
) -> Result<(f64, f64), String> {
    let nginx = Nginx::start(bench, WORKERS, tls)?;
    let (seconds, runs) = (bench.seconds(SECONDS).min(SECONDS), bench.runs(3));
    let over = if tls { " over TLS" } else { "" };
    println!("\nMemory of {many} connections{over} beside {FEW}, {runs} runs\n");
    head(&[
        "client",
        "MB, few",
        "MB, many",
        "KB for each connection",
        "req/s, many",
    ]);
    let each = |few: f64, large: f64| (large - few) * 1e3 / f64::from(many - FEW);
    let mut own = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut open = Vec::new();
    for _ in 0..runs {
        let few = engine(bench, &nginx, FEW, seconds, tls)?;
        let large = engine(bench, &nginx, many, seconds, tls)?;
        own[0].push(megabytes(&few.ran));
        own[1].push(megabytes(&large.ran));
        own[2].push(each(megabytes(&few.ran), megabytes(&large.ran)));
        own[3].push(large.said.figure("throughput"));
        open.push(large.said.open());
    }
    println!("| **readygate** | {} |", cells(&own));
    // Their memory repeats, and it is theirs: once is enough.
    for peer in bench.tools.among(peers) {
        let run = |connections| {
            let job = Job::closed(nginx.url(ADDRESSES[0]), connections, seconds);
            peers::run(bench, peer, &[job], None)
        };
        let (few, large) = (run(FEW)?, run(many)?);
        let (a, b) = (megabytes(&few.ran), megabytes(&large.ran));
        let figures = [
            vec![a],
            vec![b],
            vec![each(a, b)],
            vec![large.sum("throughput")],
        ];
        println!("| {} | {} |", peer.name(), cells(&figures));
    }
    Ok((median(&own[2]), median(&open)))
}

fn cells(figures: &[Vec<f64>; 4]) -> String {
    let [few, many, each, rate] = figures;
    let all = [
        spread(few, 1),
        spread(many, 1),
        spread(each, 2),
        number(median(rate), 0),
    ];
    all.join(" | ")
}

fn engine(
    bench: &Bench<'_>,
    nginx: &Nginx,
    connections: u32,
    seconds: u32,
    tls: bool,
) -> Result<ours::Run, String> {
    let mut settings = vec![format!(
        "max={{connections: {connections}, for: {seconds}s}}"
    )];
    if tls {
        settings.push(format!("tls={{ca: '{}'}}", nginx.root()));
    }
    let gate = Gate {
        url: nginx.url(ADDRESSES[0]),
        settings,
        expect: Vec::new(),
        limit: u64::from(seconds) + 60,
    };
    ours::run(bench, &gate, Some(nginx.pid()))
}

fn all_at_once(bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    let nginx = Nginx::start(bench, WORKERS, false)?;
    let connections = bench.options.connections;
    let seconds = bench.seconds(SECONDS).min(SECONDS);
    let gate = Gate {
        url: nginx.url(ADDRESSES[0]),
        settings: vec![format!(
            "open={{rate: 5000/s, connections: {connections}, for: {seconds}s, warmup: 0s}}"
        )],
        expect: Vec::new(),
        limit: u64::from(seconds) + 120,
    };
    let (mut peaks, mut proportional, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs(3) {
        let run = ours::run(bench, &gate, Some(nginx.pid()))?;
        peaks.push(megabytes(&run.ran));
        proportional.push(run.ran.proportional_kib as f64 * 1024.0 / 1e6);
        open.push(run.said.open());
    }
    println!("\n{connections} connections, all processes together\n");
    head(&[
        "client",
        "connections open",
        "peak memory, MB",
        "shared pages counted once, MB",
    ]);
    println!(
        "| **readygate** | {} | {} | {} |",
        number(median(&open), 0),
        spread(&peaks, 1),
        spread(&proportional, 1)
    );
    let name = format!("{connections} connections");
    bars.at_least(
        format!("{name}: open"),
        median(&open),
        f64::from(connections),
        "",
    );
    bars.at_most(format!("{name}: memory"), median(&peaks), 120.0, " MB");
    Ok(())
}

/// Memory at a tenth of the requests and at the end, in one run.
fn over_time(bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    let nginx = Nginx::start(bench, 1, false)?;
    let requests = bench.options.requests;
    let (early, late) = (0.1, 0.96);
    println!("\nMemory over {requests} requests, {FEW} connections\n");
    head(&[
        "client",
        "requests",
        "MB after a tenth",
        "MB at the end",
        "growth, MB",
    ]);
    let gate = Gate {
        url: nginx.url(ADDRESSES[0]),
        settings: vec![
            format!("max={{connections: {FEW}, for: 20m}}"),
            format!("max_requests={requests}"),
        ],
        expect: Vec::new(),
        limit: 1_200,
    };
    let run = ours::run(bench, &gate, Some(nginx.pid()))?;
    let growth = |name: &str, ran: &Ran, made: f64| {
        let at = |share| ran.memory_at(share) * 1024.0 / 1e6;
        let (first, last) = (at(early), at(late));
        let by = last - first;
        println!(
            "| {name} | {} | {} | {} | {} |",
            number(made, 0),
            number(first, 1),
            number(last, 1),
            number(by, 2)
        );
        by
    };
    let made = run.said.sent();
    let by = growth("**readygate**", &run.ran, made);
    bars.within("memory over all requests: growth", by, -1.0, 1.0, " MB");
    // What is in flight when the limit is reached still counts.
    let share = made / requests as f64;
    bars.within(
        "memory over all requests: requests made",
        share,
        0.99,
        1.01,
        " of those asked",
    );
    if bench.tools.path(Peer::Oha).is_some() {
        let job = Job {
            requests: Some(requests),
            ..Job::closed(nginx.url(ADDRESSES[0]), FEW, 0)
        };
        let run = peers::run(bench, Peer::Oha, &[job], None)?;
        growth("oha", &run.ran, run.sum("requests"));
    }
    Ok(())
}
