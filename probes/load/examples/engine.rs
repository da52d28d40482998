//! Runs the load engine from the command line, for measuring it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::too_many_lines,
    reason = "a program for development"
)]

use std::time::Duration;

use readygate_load::engine::{
    run,
    spec::{Arrivals, Phase, PhaseKind, Shape, Spec, Tls},
    worker_main,
};
use readygate_sdk::Cx;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|a| a == "__load-worker") {
        let code = worker_main();
        assert_eq!(code, 0);
        return;
    }
    let get = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    let number = |name: &str, default: f64| get(name).map_or(default, |v| v.parse().unwrap());
    let url: url::Url = args[0].parse().unwrap();
    let mut base = url.clone();
    base.set_path("/");
    base.set_query(None);
    let mut spec = Spec::get(base, &url[url::Position::BeforePath..]);
    spec.connections = number("-c", 64.0) as u32;
    let rate = get("-r").map(|r| r.parse::<f64>().unwrap());
    spec.shape = match (rate, get("--think")) {
        (Some(_), _) => Shape::Open {
            arrivals: if get("--poisson").is_some() {
                Arrivals::Poisson
            } else {
                Arrivals::Uniform
            },
        },
        (None, Some(think)) => Shape::Closed {
            think: Duration::from_millis(think.parse().unwrap()),
        },
        (None, None) => Shape::Max,
    };
    let phase = |name: &str, kind, seconds: f64| Phase {
        name: name.into(),
        kind,
        rate,
        users: None,
        duration: Duration::from_secs_f64(seconds),
    };
    let warm = number("-w", 0.0);
    if warm > 0.0 {
        spec.phases.push(phase("warm-up", PhaseKind::WarmUp, warm));
    }
    spec.phases
        .push(phase("measure", PhaseKind::Measure, number("-d", 5.0)));
    spec.threads = Some(number("-t", 1.0) as u32);
    spec.processes = get("-p").map(|p| p.parse().unwrap());
    spec.quantum = Duration::from_micros(number("-q", 500.0) as u64);
    spec.keepalive = get("--close").is_none();
    if let Some(streams) = get("--h2") {
        spec.protocol = readygate_load::engine::spec::Protocol::Http2 {
            streams: streams.parse().unwrap(),
        };
    }
    spec.max_requests = get("-n").map(|n| n.parse().unwrap());
    spec.tls = Some(Tls {
        insecure: true,
        ..Tls::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let quiet = get("--quiet").is_some();
    let cx = Cx::builder(Duration::from_secs(7200))
        .progress(move |line| {
            if !quiet {
                eprintln!("{line}");
            }
        })
        .build();
    let report = runtime.block_on(run(spec, &cx)).unwrap();
    let m = &report.measured;
    let at = |p: f64| m.response.at(p).unwrap_or(0);
    println!(
        "{} done {} errors {:?} in {:.2} s: {:.0}/s; cpu {:.2} s = {:.2} s/M; rss {} KB; open {} ramp {:.2} s; \
         p50 {} p95 {} p99 {} max {} us; own lag p50 {:?} p99 {:?}; cpu {:?} waiting {:?} steal {:?} idle {:?}; {:?}",
        m.completed,
        m.failed(),
        m.errors
            .by_kind()
            .iter()
            .filter(|(_, n)| *n > 0)
            .collect::<Vec<_>>(),
        report.measured_s,
        m.completed as f64 / report.measured_s,
        report.generator.cpu_s,
        report.generator.cpu_s / (m.completed.max(1) as f64) * 1e6,
        report.generator.rss_bytes / 1024,
        report.generator.connections.ready,
        report.generator.connections.ramp_s,
        at(50.0),
        at(95.0),
        at(99.0),
        at(100.0),
        report.generator.own_lag.at(50.0),
        report.generator.own_lag.at(99.0),
        report.generator.cpu,
        report.generator.waiting,
        report.generator.steal,
        report.generator.idle,
        report.ended,
    );
    for note in &report.generator.notes {
        println!("{note}");
    }
    if get("--json").is_some() {
        println!("{}", serde_json::to_string(&report).unwrap());
    }
}
