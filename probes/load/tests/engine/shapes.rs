//! Models, framing, connections, ends.

use std::{
    io::{Read, Write},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use readygate_load::engine::{
    report::{Ended, LoadModel},
    run,
    spec::{Abort, AbortMetric, Phase, PhaseKind, Shape},
};
use readygate_sdk::Cx;
use tokio::time::Instant;

use crate::{
    exactly, load, measure, open,
    server::{Request, Server, ok, response},
};

#[tokio::test]
async fn every_framing_is_read_to_its_end() {
    // Counted over all connections: so often each comes, however the client spreads them.
    let answered = AtomicUsize::new(0);
    let server = Server::start(move |socket, _| {
        while Request::read(socket).is_some() {
            let nth = answered.fetch_add(1, Ordering::AcqRel);
            let (answer, close) = match nth % 8 {
                0 => (ok("hello"), false),
                1 => (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n".to_vec(), false),
                2 => (b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), false),
                3 => (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n".to_vec(), false),
                4 => (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(), false),
                5 => (ok(&"long ".repeat(50_000)), false),
                6 => (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n!".to_vec(), true),
                _ => (b"HTTP/1.0 200 OK\r\n\r\nuntil the end".to_vec(), true),
            };
            // In two pieces, so that the reader has to go on.
            let (a, b) = answer.split_at(answer.len() / 2);
            socket.write_all(a).unwrap();
            std::thread::yield_now();
            socket.write_all(b).unwrap();
            if close && nth % 8 == 7 {
                return;
            }
            if close {
                // The client closes, as it was told.
                let mut rest = Vec::new();
                let _ = socket.read_to_end(&mut rest);
                return;
            }
        }
    });
    let report = load(exactly(server.url(), 3, 70)).await.unwrap();
    let measured = &report.measured;
    assert_eq!(measured.failed(), 0, "{:?}", measured.errors);
    assert_eq!((measured.scheduled, measured.completed), (70, 70));
    assert!(
        matches!(report.ended, Ended::MaxRequests { .. }),
        "{:?}",
        report.ended
    );
    assert_eq!(report.model, LoadModel::Max);
    // Of 0..70, those with a remainder of 2 and of 3.
    assert_eq!(measured.statuses, [(200, 52), (204, 9), (304, 9)]);
}

#[tokio::test]
async fn head_has_no_body() {
    let server = Server::answering(|request, _| {
        assert!(request.line.starts_with("HEAD "), "{}", request.line);
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n".to_vec()
    });
    let mut spec = exactly(server.url(), 2, 20);
    spec.scenarios[0].steps[0].method = "HEAD".to_owned();
    assert_eq!(load(spec).await.unwrap().measured.completed, 20);
}

#[tokio::test]
async fn without_keepalive_each_request_opens_a_connection() {
    let server = Server::answering(|request, _| {
        assert_eq!(request.header("connection"), Some("close"));
        ok("x")
    });
    let mut spec = open(server.url(), 10, 100.0, 500);
    spec.keepalive = false;
    let report = load(spec).await.unwrap();
    assert_eq!(
        (report.measured.completed, report.measured.failed()),
        (50, 0)
    );
    // One more is the look whether the target is there.
    assert_eq!(server.connections.load(Ordering::Acquire), 51);
}

#[tokio::test]
async fn a_server_that_closes_after_each_reply_is_reconnected_to() {
    let server = Server::start(|socket, _| {
        if Request::read(socket).is_some() {
            socket.write_all(&ok("x")).unwrap();
        }
    });
    let report = load(open(server.url(), 20, 100.0, 500)).await.unwrap();
    let measured = &report.measured;
    assert_eq!(measured.completed + measured.failed(), 50);
    // On a busy machine the server may close so late that the next request is on its way.
    let late = measured.errors.closed + measured.errors.reset;
    assert!(
        measured.completed >= 20 && late == measured.failed(),
        "{measured:?}"
    );
    assert!(report.generator.connections.reopened >= 20);
}

#[tokio::test]
async fn users_think() {
    let server = Server::answering(|_, _| ok("x"));
    let mut spec = open(server.url(), 10, 0.0, 1_000);
    spec.shape = Shape::Closed {
        think: Duration::from_millis(100),
    };
    spec.phases[0].users = Some(5);
    let report = load(spec).await.unwrap();
    // 5 users, 10 turns each in a second, less what thinking is late by.
    let n = report.measured.completed;
    assert!((30..=55).contains(&n), "{n}");
    assert_eq!(report.generator.connections.ready, 10);
}

#[tokio::test]
async fn phases_and_windows_are_told_apart() {
    let server = Server::answering(|_, _| ok("x"));
    let mut spec = open(server.url(), 10, 50.0, 2_000);
    let phase = |name: &str, kind, rate, millis| Phase {
        name: name.to_owned(),
        kind,
        ..measure(rate, millis)
    };
    spec.phases
        .insert(0, phase("warm-up", PhaseKind::WarmUp, 20.0, 500));
    spec.phases
        .push(phase("stress 1", PhaseKind::Stress, 100.0, 500));
    spec.windows = vec![Duration::from_secs(1)];
    let report = load(spec).await.unwrap();
    let arrivals: Vec<u64> = report.phases.iter().map(|p| p.arrivals).collect();
    assert_eq!(arrivals, [10, 100, 50]);
    assert_eq!((report.measured.scheduled, report.measured_s), (100, 2.0));
    let windows: Vec<u64> = report.windows.iter().map(|w| w.tally.scheduled).collect();
    assert_eq!(windows, [50, 50]);
    let due: u64 = report.series.iter().map(|s| s.scheduled).sum();
    assert_eq!(due, 160);
    assert_eq!(report.ended, Ended::Complete);
    assert_eq!(report.measured.response.n, 100);
    assert!(report.generator.cpu[0] > 0.0);
}

#[tokio::test]
async fn a_condition_stops_the_run() {
    let server = Server::answering(|_, _| response("500 Internal Server Error", ""));
    let mut spec = open(server.url(), 4, 50.0, 10_000);
    spec.aborts = vec![Abort {
        expr: "error_rate < 5%".to_owned(),
        metric: AbortMetric::ErrorRate,
        above: true,
        bound: 0.05,
        window: Some(Duration::from_secs(1)),
        after: Duration::ZERO,
        route: None,
    }];
    let started = Instant::now();
    let report = load(spec).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(
        matches!(report.ended, Ended::Aborted { value, .. } if value > 0.99),
        "{:?}",
        report.ended
    );
    assert_eq!(report.measured.completed, 0);
    assert_eq!(report.measured.errors.status, report.measured.scheduled);
}

#[tokio::test]
async fn cancellation_gives_what_there_is_within_a_second() {
    let server = Server::answering(|_, _| ok("x"));
    let cancel = tokio_util::sync::CancellationToken::new();
    let cx = Cx::builder(Duration::from_secs(60))
        .cancellation(cancel.clone())
        .build();
    let spec = open(server.url(), 10, 200.0, 30_000);
    let running = tokio::spawn(async move { run(spec, &cx).await });
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let before = Instant::now();
    cancel.cancel();
    let report = running.await.unwrap().unwrap();
    assert!(
        before.elapsed() < Duration::from_secs(1),
        "{:?}",
        before.elapsed()
    );
    assert!(matches!(report.ended, Ended::Interrupted { .. }));
    assert!(
        report.measured.completed > 100,
        "{}",
        report.measured.completed
    );
    assert!(report.measured_s < 2.5, "{}", report.measured_s);
}

#[tokio::test]
async fn the_deadline_of_the_gate_ends_it() {
    let server = Server::answering(|_, _| ok("x"));
    let cx = Cx::builder(Duration::from_millis(1_500)).build();
    let report = run(open(server.url(), 2, 100.0, 30_000), &cx)
        .await
        .unwrap();
    assert!(
        matches!(report.ended, Ended::Deadline { .. }),
        "{:?}",
        report.ended
    );
    assert!(report.measured.completed > 20);
}

/// Each worker has half of `max_requests`, but twice or once the connections.
#[tokio::test]
async fn a_limit_that_one_worker_reached_is_told() {
    let server = Server::answering(|_, _| {
        std::thread::sleep(Duration::from_millis(10));
        ok("x")
    });
    let mut spec = exactly(server.url(), 3, 100);
    spec.threads = Some(2);
    spec.phases[0].duration = Duration::from_millis(400);
    let report = load(spec).await.unwrap();
    assert!(
        report.measured.scheduled < 100,
        "{}",
        report.measured.scheduled
    );
    assert!(
        matches!(report.ended, Ended::MaxRequests { .. }),
        "{:?}",
        report.ended
    );
}

/// Every response takes a second for a while after the stress has begun.
#[tokio::test]
async fn stress_that_breaks_the_target_ends_and_the_recovery_follows() {
    let begun = std::time::Instant::now();
    let server = Server::answering(move |_, _| {
        let at = begun.elapsed().as_millis();
        if (1_200..2_800).contains(&at) {
            std::thread::sleep(Duration::from_secs(1));
        }
        ok("x")
    });
    let mut spec = open(server.url(), 4, 30.0, 1_000);
    let phase = |name: &str, kind, rate, seconds| Phase {
        name: name.to_owned(),
        kind,
        rate: Some(rate),
        users: None,
        duration: Duration::from_secs(seconds),
    };
    spec.phases
        .push(phase("stress 1", PhaseKind::Stress, 100.0, 8));
    spec.phases
        .push(phase("stress 2", PhaseKind::Stress, 200.0, 8));
    spec.phases
        .push(phase("recovery", PhaseKind::Recovery, 30.0, 3));
    spec.timeout = Duration::from_secs(2);
    spec.max_backlog = Duration::from_millis(600);
    let report = load(spec).await.unwrap();
    assert_eq!(report.ended, Ended::Complete);
    let why = report.stress_ended.unwrap();
    assert!(why.contains("unsent request"), "{why}");
    let names: Vec<&str> = report.phases.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["measure", "stress 1", "stress 2", "recovery"]);
    assert!(report.phases[1].ran_s < 6.0, "{}", report.phases[1].ran_s);
    assert!(report.phases[1].tally.errors.never_sent > 0);
    assert_eq!(report.phases[2].arrivals, 0);
    let recovery = &report.phases[3];
    assert!((recovery.ran_s - 3.0).abs() < 1e-6, "{}", recovery.ran_s);
    assert_eq!(recovery.tally.scheduled, 90);
    let last = report.series.iter().rfind(|r| r.phase == Some(3)).unwrap();
    assert!(last.p95_us.unwrap() < 500_000, "{last:?}");
}
