//! Whether requests leave when they are due.

use super::{
    Bench,
    bars::Bars,
    nginx::{ADDRESSES, Nginx},
    ours::{self, Gate},
    table::{head, median, spread},
};

const RATES: [u32; 3] = [1_000, 5_000, 20_000];
const CONNECTIONS: u32 = 64;

/// Figures at one rate, one for each run.
#[derive(Default)]
struct Row {
    sent: Vec<f64>,
    lag_p50: Vec<f64>,
    lag_p99: Vec<f64>,
    quantum: f64,
    cpu: Vec<f64>,
}

/// Prints the table and adds the bars.
pub fn main(bench: &Bench<'_>, bars: &mut Bars) -> Result<(), String> {
    let (seconds, runs) = (bench.seconds(10), bench.runs(3));
    let nginx = Nginx::start(bench, 1, false)?;
    let mut rows: [Row; 3] = Default::default();
    for _ in 0..runs {
        for (rate, row) in RATES.iter().zip(&mut rows) {
            let gate = Gate {
                url: nginx.url(ADDRESSES[0]),
                settings: vec![format!(
                    "open={{rate: {rate}/s, connections: {CONNECTIONS}, for: {seconds}s, warmup: 0s}}"
                )],
                expect: vec!["latency.p95 < 50ms".into()],
                limit: u64::from(seconds) + 20,
            };
            let run = ours::run(bench, &gate, Some(nginx.pid()));
            ours::told(&format!("pacing at {rate}/s"), &run);
            let run = run?;
            let said = &run.said;
            let lag = |percent| said.quantile("/measured/send_lag", percent) * 1e6;
            row.sent.push(said.sent_rate() / f64::from(*rate) * 100.0);
            row.lag_p50.push(lag(50.0));
            row.lag_p99.push(lag(99.0));
            row.quantum = said.number("/generator/quantum_us");
            row.cpu.push(run.ran.cpu * 1e6 / said.sent());
        }
    }
    println!("\nPacing, {CONNECTIONS} connections, {seconds} s, {runs} runs of each rate\n");
    head(&[
        "offered, req/s",
        "sent, % of it",
        "send lag P50, us",
        "send lag P99, us",
        "quantum, us",
        "CPU s per million requests",
    ]);
    for (rate, row) in RATES.iter().zip(&rows) {
        println!(
            "| {} | {} | {} | {} | {:.0} | {} |",
            super::table::number(f64::from(*rate), 0),
            spread(&row.sent, 2),
            spread(&row.lag_p50, 0),
            spread(&row.lag_p99, 0),
            row.quantum,
            spread(&row.cpu, 1),
        );
        let sent = median(&row.sent);
        bars.within(format!("pacing at {rate}/s: sent"), sent, 99.5, 100.5, " %");
        let lag = median(&row.lag_p50);
        bars.at_most(
            format!("pacing at {rate}/s: send lag P50"),
            lag,
            row.quantum,
            " us",
        );
    }
    Ok(())
}
