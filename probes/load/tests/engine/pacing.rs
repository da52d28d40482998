//! What is sent when, and what a stall costs.

use std::{
    io::Write,
    sync::{Arc, Mutex, RwLock},
    thread,
    time::Duration,
};

use readygate_load::engine::spec::{Arrivals, Shape, Step};
use tokio::time::Instant;

use crate::{
    load, open,
    server::{Request, Server, ok},
};

#[tokio::test]
async fn the_rate_is_kept() {
    let server = Server::answering(|_, _| ok("x"));
    let mut spec = open(server.url(), 8, 500.0, 2_000);
    spec.quantum = Duration::from_micros(500);
    spec.threads = Some(2);
    let report = load(spec).await.unwrap();
    assert_eq!(report.measured.scheduled, 1_000);
    assert_eq!(report.measured.completed, 1_000);
    assert_eq!(report.measured.late(), 0);
    assert_eq!(report.phases[0].backlog, Some(0));
    // The machine of the tests may be busy; what is asked is that most are sent in time.
    let lag = report.generator.own_lag.at(50.0).unwrap();
    assert!(lag < 50_000, "P50 of the generator's lag is {lag} us");
    assert_eq!(report.generator.threads, 2);
}

#[tokio::test]
async fn poisson_arrivals_have_the_rate() {
    let server = Server::answering(|_, _| ok("x"));
    let mut spec = open(server.url(), 8, 500.0, 1_000);
    spec.shape = Shape::Open {
        arrivals: Arrivals::Poisson,
    };
    let n = load(spec).await.unwrap().measured.scheduled;
    assert!((400..600).contains(&n), "{n}");
}

/// 100 ms of every second nothing is answered. A tenth of the requests is due in that time and
/// waits for what is left of it, evenly from 0 to 100 ms: the true P95 is 50 ms and the true P99
/// is 90 ms. A closed loop, or latency from the real send, would see about 1 ms.
#[tokio::test]
async fn a_stall_shows_in_the_quantiles() {
    let gate = Arc::new(RwLock::new(()));
    let door = Arc::clone(&gate);
    let server = Server::start(move |socket, _| {
        while Request::read(socket).is_some() {
            let _open = door.read().unwrap();
            socket.write_all(&ok("x")).unwrap();
        }
    });
    let started = Instant::now();
    let at = move |millis| {
        let due = started + Duration::from_millis(millis);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    };
    thread::spawn(move || {
        for second in 0..4 {
            at(second * 1_000 + 900);
            let _closed = gate.write().unwrap();
            at(second * 1_000 + 1_000);
        }
    });
    let report = load(open(server.url(), 16, 400.0, 3_000)).await.unwrap();
    let at = |percent| report.measured.response.at(percent).unwrap() / 1_000;
    assert_eq!(report.measured.completed, 1_200);
    // A busy machine makes it more, nothing but a fault of the engine makes it less.
    assert!((30..=500).contains(&at(95.0)), "P95 is {} ms", at(95.0));
    assert!((75..=900).contains(&at(99.0)), "P99 is {} ms", at(99.0));
}

#[tokio::test]
async fn what_is_in_flight_at_the_end_is_waited_for() {
    let server = Server::answering(|_, _| {
        thread::sleep(Duration::from_millis(300));
        ok("x")
    });
    let report = load(open(server.url(), 20, 20.0, 500)).await.unwrap();
    assert_eq!(
        (report.measured.completed, report.measured.failed()),
        (10, 0)
    );
    assert_eq!(report.measured.delivered, Some(10), "all took as long");
    assert!(report.wall_s > 0.7, "{}", report.wall_s);
}

/// The target does 200 requests a second at most, and 300 are asked for. All are answered in the
/// end, while the load is drained.
#[tokio::test]
async fn what_is_worked_off_after_the_load_is_no_throughput() {
    let server = || {
        let one = Arc::new(Mutex::new(()));
        Server::answering(move |_, _| {
            let _turn = one.lock().unwrap();
            thread::sleep(Duration::from_millis(5));
            ok("x")
        })
    };
    let (few, many) = (server(), server());
    let overload = |server: &Server, connections| {
        let mut spec = open(server.url(), connections, 300.0, 2_000);
        spec.timeout = Duration::from_secs(5);
        spec.drain = Duration::from_secs(5);
        spec.windows = vec![Duration::from_secs(1)];
        spec
    };
    // The rest waits here, or in the target.
    let (few, many) = tokio::join!(load(overload(&few, 16)), load(overload(&many, 300)));
    for report in [few.unwrap(), many.unwrap()] {
        let measured = &report.measured;
        assert_eq!((measured.completed, measured.failed()), (600, 0));
        let delivered = measured.delivered();
        assert!(delivered <= 450, "{delivered}");
        let windows: Vec<u64> = report.windows.iter().map(|w| w.tally.delivered()).collect();
        assert_eq!(windows.iter().sum::<u64>(), delivered);
        assert!(windows.iter().all(|n| *n <= 240), "{windows:?}");
        let waiting = report.phases[0].backlog.unwrap();
        assert!(
            report.generator.connections.asked > 16 || waiting > 100,
            "{waiting}"
        );
    }
}

#[tokio::test]
async fn what_was_never_sent_is_an_error() {
    let server = Server::answering(|_, _| {
        thread::sleep(Duration::from_millis(100));
        ok("x")
    });
    let mut spec = open(server.url(), 1, 100.0, 500);
    spec.drain = Duration::from_millis(250);
    let report = load(spec).await.unwrap();
    let measured = &report.measured;
    assert_eq!(measured.scheduled, 50);
    assert_eq!(measured.completed + measured.failed(), 50);
    assert!(
        (4..=8).contains(&measured.completed),
        "{}",
        measured.completed
    );
    assert!(measured.errors.never_sent >= 40, "{:?}", measured.errors);
    assert_eq!(measured.errors.timeout, 1, "{:?}", measured.errors);
    // They are in the latency, too, with at least the time after which a sent one is given up.
    let never = measured.errors.never_sent;
    assert_eq!(measured.response.n, measured.completed + 1 + never);
    assert!(measured.response.at(50.0).unwrap() >= 499_000);
    assert_eq!(report.phases[0].arrivals, 50);
    assert_eq!(report.phases[0].arrivals_sent, measured.sent);
}

#[tokio::test]
async fn what_is_as_fast_as_the_target_is_held_to_its_cap() {
    let server = Server::answering(|_, _| ok("x"));
    // A turn comes round every 200 ms.
    let mut spec = open(server.url(), 40, 0.0, 1_000);
    spec.shape = Shape::Max;
    spec.cap = Some(200.0);
    spec.threads = Some(2);
    let mut steps = spec.clone();
    steps.shape = Shape::Closed {
        think: Duration::ZERO,
    };
    steps.scenarios[0].steps = vec![Step::get("/a"), Step::get("/b"), Step::get("/c")];
    let (one, three) = tokio::join!(load(spec), load(steps));
    for report in [one.unwrap(), three.unwrap()] {
        let n = report.measured.scheduled;
        assert!((60..=206).contains(&n), "{n} requests in a second");
        assert_eq!(report.measured.completed, n);
        // The wait for a turn is no latency.
        let median = report.measured.response.at(50.0).unwrap();
        assert!(median < 100_000, "{median} us");
    }
}
