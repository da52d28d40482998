//! Worker processes. The parent starts its own program again as a worker, so this program is one:
//! it has a `main` of its own, which speaks as much of the test harness's language as is needed.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program"
)]

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use readygate_load::engine::{
    WORKER_COMMAND,
    report::{Ended, Report},
    run,
    spec::{Phase, PhaseKind, Shape, Spec},
    worker_main,
};
use readygate_sdk::{Cx, ProbeError};
use tokio_util::sync::CancellationToken;

type Test = (&'static str, fn());
const TESTS: [Test; 4] = [
    (
        "sockets_are_kept_until_all_are_done",
        sockets_are_kept_until_all_are_done,
    ),
    ("processes_add_up", processes_add_up),
    ("cancellation_ends_them", cancellation_ends_them),
    ("a_killed_worker_is_noticed", a_killed_worker_is_noticed),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|a| a == WORKER_COMMAND) {
        return ExitCode::from(worker_main());
    }
    let list = args.iter().any(|a| a == "--list");
    let ignored = args.iter().any(|a| a == "--ignored");
    let wanted = |name: &str| {
        let names: Vec<&String> = args
            .iter()
            .filter(|a| !a.starts_with('-') && *a != "terse")
            .collect();
        names.is_empty() || names.iter().any(|n| *n == name)
    };
    for (name, test) in TESTS.iter().filter(|_| !ignored) {
        if list {
            println!("{name}: test");
        } else if wanted(name) {
            test();
        }
    }
    ExitCode::SUCCESS
}

/// A server that answers whatever comes with one response for each head.
fn server() -> url::Url {
    listen(Duration::ZERO, Arc::default())
}

/// The same, which takes its time. `early` counts requests that came after a connection was closed.
fn listen(pause: Duration, early: Arc<(AtomicBool, AtomicUsize)>) -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let early = Arc::clone(&early);
            thread::spawn(move || {
                let (mut buffer, mut served) = ([0; 4_096], false);
                while let Ok(n @ 1..) = socket.read(&mut buffer) {
                    if early.0.load(Ordering::Acquire) {
                        early.1.fetch_add(1, Ordering::AcqRel);
                    }
                    served = true;
                    thread::sleep(pause);
                    let heads = buffer[..n].windows(4).filter(|w| w == b"\r\n\r\n").count();
                    for _ in 0..heads {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                        if socket.write_all(answer).is_err() {
                            return;
                        }
                    }
                }
                // Not one that only tried whether somebody listens.
                early.0.fetch_or(served, Ordering::AcqRel);
            });
        }
    });
    format!("http://{address}/").parse().unwrap()
}

fn spec(millis: u64) -> Spec {
    let mut spec = Spec::get(server(), "/");
    spec.connections = 10;
    spec.processes = Some(2);
    spec.threads = Some(1);
    spec.phases = vec![Phase {
        name: "measure".to_owned(),
        kind: PhaseKind::Measure,
        rate: Some(100.0),
        users: None,
        duration: Duration::from_millis(millis),
    }];
    spec
}

fn load(
    spec: Spec,
    meanwhile: impl FnOnce(&CancellationToken) + Send + 'static,
) -> Result<Report, ProbeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cancel = CancellationToken::new();
    let cx = Cx::builder(Duration::from_secs(30))
        .cancellation(cancel.clone())
        .build();
    thread::spawn(move || meanwhile(&cancel));
    runtime.block_on(run(spec, &cx))
}

/// Children of this process.
fn children() -> Vec<u32> {
    let path = format!("/proc/self/task/{}/children", std::process::id());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Whether it comes to that within 10 s.
fn until(holds: impl Fn() -> bool) -> bool {
    (0..200).any(|_| {
        holds() || {
            thread::sleep(Duration::from_millis(50));
            false
        }
    })
}

fn processes_add_up() {
    let report = load(spec(1_500), |_| ()).unwrap();
    assert_eq!(report.ended, Ended::Complete);
    assert_eq!(
        (report.measured.completed, report.measured.failed()),
        (150, 0)
    );
    assert_eq!(report.measured.response.n, 150);
    let generator = &report.generator;
    assert_eq!((generator.processes, generator.threads), (2, 2));
    assert_eq!(generator.connections.ready, 10);
    assert_eq!(generator.cpu.len(), 2);
    assert!(generator.rss_bytes > 0);
    assert!(until(|| children().is_empty()), "{:?}", children());
}

fn cancellation_ends_them() {
    let before = Instant::now();
    let report = load(spec(20_000), |cancel| {
        until(|| children().len() == 2);
        thread::sleep(Duration::from_secs(3));
        cancel.cancel();
    })
    .unwrap();
    // 20 s were asked for.
    assert!(
        before.elapsed() < Duration::from_secs(15),
        "{:?}",
        before.elapsed()
    );
    assert!(
        matches!(report.ended, Ended::Interrupted { .. }),
        "{:?}",
        report.ended
    );
    assert!(
        report.measured.completed > 50,
        "{}",
        report.measured.completed
    );
}

fn a_killed_worker_is_noticed() {
    let report = load(spec(20_000), |_| {
        until(|| children().len() == 2);
        thread::sleep(Duration::from_secs(3));
        let pid = nix::unistd::Pid::from_raw(children()[0].cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    })
    .unwrap();
    assert!(
        matches!(&report.ended, Ended::WorkerLost { reason, .. } if reason.contains("signal: 9")),
        "{:?}",
        report.ended
    );
    assert!(report.measured.completed > 20);
}

/// One process has two connections and the other one, for as many requests each.
fn sockets_are_kept_until_all_are_done() {
    let early = Arc::default();
    let mut spec = spec(5_000);
    spec.base = listen(Duration::from_millis(10), Arc::clone(&early));
    spec.connections = 3;
    spec.shape = Shape::Max;
    spec.max_requests = Some(60);
    let report = load(spec, |_| ()).unwrap();
    assert_eq!(report.measured.completed, 60);
    assert_eq!(early.1.load(Ordering::Acquire), 0, "requests after a close");
    assert!(children().is_empty(), "{:?}", children());
}
