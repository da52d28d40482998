//! Targets that do wrong: each fault is counted by its kind, and the run ends on time.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    time::Duration,
};

use readygate_load::engine::{
    report::{Ended, Errors, Report},
    spec::{BodyCheck, Spec},
};
use readygate_sdk::ErrorKind;
use socket2::SockRef;
use tokio::time::Instant;

use crate::{
    load, open,
    server::{Request, Server, ok, response},
};

/// All of the requests fail with `expected`, and in time.
async fn all_fail(spec: Spec, expected: fn(&Errors) -> u64) -> Report {
    let started = Instant::now();
    let report = load(spec).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let measured = &report.measured;
    assert_eq!(measured.scheduled, 50);
    assert_eq!(measured.completed, 0, "{:?}", measured.errors);
    assert_eq!(expected(&measured.errors), 50, "{:?}", measured.errors);
    assert_eq!(measured.failed(), 50);
    assert_eq!(measured.error_latency.n, 50);
    report
}

fn plain(server: &Server) -> Spec {
    open(server.url(), 50, 100.0, 500)
}

fn reset(socket: &TcpStream) {
    SockRef::from(socket)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

#[tokio::test]
async fn a_refused_target_is_no_report() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let error = load(open(url, 10, 100.0, 500)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connect);
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_target_that_goes_away_is_a_connect_error() {
    // It takes the look and the connections, resets each at its first request, and is gone.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let gone = std::thread::spawn(move || {
        let open: Vec<TcpStream> = (0..6).map(|_| listener.accept().unwrap().0).collect();
        drop(listener);
        for mut socket in open {
            Request::read(&mut socket);
            reset(&socket);
        }
    });
    let mut spec = open(url, 5, 100.0, 1_000);
    spec.drain = Duration::from_millis(500);
    let report = load(spec).await.unwrap();
    gone.join().unwrap();
    let errors = &report.measured.errors;
    assert_eq!(report.measured.completed, 0);
    assert_eq!(report.measured.failed(), 100, "{errors:?}");
    assert!(errors.connect > 50, "{errors:?}");
    assert!(report.generator.connections.failed.connect > 0);
    assert!(report.generator.connections.first_failure.is_some());
}

#[tokio::test]
async fn accept_and_hang_is_a_timeout() {
    let server = Server::start(|socket, _| while Request::read(socket).is_some() {});
    let mut spec = plain(&server);
    spec.timeout = Duration::from_millis(500);
    let report = all_fail(spec, |e| e.timeout).await;
    // A timeout counts with the time at which it was given up, also in the response time.
    assert_eq!(report.measured.response.n, 50);
    assert!(report.measured.response.min().unwrap() >= 499_000);
}

#[tokio::test]
async fn a_reset_midway_is_a_reset() {
    let server = Server::start(|socket, _| {
        if Request::read(socket).is_some() {
            socket
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal")
                .unwrap();
            reset(socket);
        }
    });
    all_fail(plain(&server), |e| e.reset).await;
}

#[tokio::test]
async fn a_close_midway_is_a_close() {
    let server = Server::start(|socket, _| {
        if Request::read(socket).is_some() {
            socket
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal")
                .unwrap();
        }
    });
    all_fail(plain(&server), |e| e.closed).await;
}

#[tokio::test]
async fn wrong_statuses_are_errors_and_keep_their_connections() {
    for status in ["404 Not Found", "500 Internal Server Error"] {
        let server = Server::answering(move |_, _| response(status, "sorry"));
        let report = all_fail(plain(&server), |e| e.status).await;
        assert_eq!(report.measured.response.n, 0);
        assert_eq!(report.generator.connections.reopened, 0);
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_parse_error() {
    for bad in [
        "220 smtp ready\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ] {
        let server = Server::start(move |socket, _| {
            if Request::read(socket).is_some() {
                let _ = socket.write_all(bad.as_bytes());
            }
        });
        all_fail(plain(&server), |e| e.parse).await;
    }
}

#[tokio::test]
async fn a_failed_check_is_an_error() {
    let server = Server::answering(|_, _| ok("{\"error\": \"all is lost\"}"));
    let mut spec = plain(&server);
    spec.scenarios[0].steps[0].checks = vec![BodyCheck::Json {
        pointer: "/items".to_owned(),
        equals: None,
    }];
    all_fail(spec, |e| e.check).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_kept() {
    let server = Server::answering(|_, _| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\nstart".to_vec()
    });
    let mut spec = plain(&server);
    spec.max_body = 1 << 20;
    all_fail(spec, |e| e.body_too_large).await;
    let endless = Server::start(|socket, _| {
        if Request::read(socket).is_some() {
            let mut piece = b"1000\r\n".to_vec();
            piece.extend_from_slice(&[b'x'; 0x1000]);
            piece.extend_from_slice(b"\r\n");
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while socket.write_all(&piece).is_ok() {}
        }
    });
    let mut spec = plain(&endless);
    spec.max_body = 64 << 10;
    all_fail(spec, |e| e.body_too_large).await;
}

#[tokio::test]
async fn a_body_that_is_looked_at_may_be_less_long() {
    let long = "x".repeat((1 << 20) + 1);
    let server = Server::answering(move |_, _| ok(&long));
    let report = load(plain(&server)).await.unwrap();
    assert_eq!(report.measured.errors.body_too_large, 0);
    assert!(report.measured.completed > 0);
    let mut spec = plain(&server);
    spec.scenarios[0].steps[0].checks = vec![BodyCheck::Contains("x".to_owned())];
    all_fail(spec.clone(), |e| e.body_too_large).await;
    spec.max_kept = 2 << 20;
    let report = load(spec).await.unwrap();
    assert_eq!(report.measured.failed(), 0);
}

#[tokio::test]
async fn byte_by_byte_is_slow_but_fine() {
    let server = Server::start(|socket, _| {
        while Request::read(socket).is_some() {
            for byte in ok("slow") {
                if socket.write_all(&[byte]).is_err() {
                    return;
                }
            }
        }
    });
    let report = load(open(server.url(), 10, 40.0, 500)).await.unwrap();
    assert_eq!(
        (report.measured.completed, report.measured.failed()),
        (20, 0)
    );
}

#[tokio::test]
async fn a_target_that_fails_for_long_is_left_alone() {
    let server = Server::answering(|_, _| response("503 Service Unavailable", ""));
    let mut spec = open(server.url(), 2, 20.0, 30_000);
    let report = load(spec.clone()).await;
    assert!(
        matches!(report.unwrap().ended, Ended::SafetyStop { at_s, .. } if at_s < 13.0),
        "it must stop by itself"
    );
    spec.safety_stop = false;
    spec.phases[0].duration = Duration::from_millis(300);
    assert_eq!(load(spec).await.unwrap().ended, Ended::Complete);
}

#[tokio::test]
async fn accept_and_close_is_not_hammered() {
    let server = Server::start(|_, _| ());
    let mut spec = open(server.url(), 10, 100.0, 500);
    spec.drain = Duration::from_millis(500);
    spec.connect.ramp_limit = Duration::from_millis(300);
    let attempts = match load(spec).await {
        Ok(report) => {
            assert_eq!(report.measured.completed, 0);
            assert_eq!(report.measured.failed(), report.measured.scheduled);
            report.generator.connections.opened
        }
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Connect, "{error}");
            0
        }
    };
    assert!(attempts < 500, "{attempts} connections were opened");
}

/// A server that closes each connection at its second request, without a word.
fn once_each() -> Server {
    Server::start(|socket, _| {
        if Request::read(socket).is_some() {
            let _ = socket.write_all(&ok("x"));
            Request::read(socket);
        }
    })
}

#[tokio::test]
async fn only_what_may_be_repeated_is_sent_again_after_an_idle_close() {
    let with = |method: &str| {
        let server = once_each();
        let mut spec = open(server.url(), 1, 0.4, 5_000);
        spec.scenarios[0].steps[0].method = method.to_owned();
        (server, spec)
    };
    let ((_one, get), (_two, post)) = (with("GET"), with("POST"));
    let (get, post) = tokio::join!(load(get), load(post));
    let (get, post) = (get.unwrap(), post.unwrap());
    assert_eq!((get.measured.completed, get.measured.failed()), (2, 0));
    let notes = &get.generator.notes;
    assert!(notes.iter().any(|n| n.contains("sent again")), "{notes:?}");
    assert_eq!(post.measured.completed, 1, "{:?}", post.measured.errors);
    assert_eq!(post.measured.failed(), 1, "{:?}", post.measured.errors);
}
