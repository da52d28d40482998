//! HTTP/2: connections times streams.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use readygate_load::engine::{
    report::Ended,
    spec::{Capture, CaptureFrom, Protocol, Shape, Spec, Step, Template},
};
use readygate_sdk::ErrorKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{exactly, load, open, server::Server};

/// A server that answers each stream after `delay`.
async fn serve(delay: Duration, status: u16) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(socket).await else {
                    return;
                };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let who = request.headers().get("x-who").cloned();
                    let host = request.uri().authority().map(http::uri::Authority::as_str);
                    let known =
                        request.uri().path() != "/virtual" || host == Some("app.example.com");
                    let status = if known { status } else { 421 };
                    tokio::spawn(async move {
                        tokio::time::sleep(delay).await;
                        let mut response = http::Response::builder().status(status);
                        if let Some(who) = who {
                            response = response.header("x-you", who);
                        }
                        let response = response.body(()).unwrap();
                        let mut stream = respond.send_response(response, false).unwrap();
                        let _ = stream.send_data(Bytes::from_static(b"{\"id\": 7}"), true);
                    });
                }
            });
        }
    });
    address
}

fn http2(mut spec: Spec, streams: u32) -> Spec {
    spec.protocol = Protocol::Http2 { streams };
    spec
}

fn url(address: SocketAddr) -> url::Url {
    format!("http://{address}/").parse().unwrap()
}

#[tokio::test]
async fn streams_share_their_connections() {
    // Twenty requests at once on two connections: with one stream each it would take 2 s.
    let address = serve(Duration::from_millis(200), 200).await;
    let report = load(http2(open(url(address), 2, 50.0, 1_000), 10))
        .await
        .unwrap();
    assert_eq!(
        (report.measured.completed, report.measured.failed()),
        (50, 0),
        "{report:?}"
    );
    assert_eq!(report.generator.connections.opened, 2);
    assert_eq!(report.protocol, "h2");
    assert_eq!(report.ended, Ended::Complete);
    let p95 = report.measured.response.at(95.0).unwrap();
    assert!((200_000..600_000).contains(&p95), "{p95}");
    assert!(report.measured.bytes_in >= 50 * 9);
}

#[tokio::test]
async fn models_and_errors_are_the_same() {
    let address = serve(Duration::ZERO, 200).await;
    let report = load(http2(exactly(url(address), 2, 100), 4)).await.unwrap();
    assert_eq!(report.measured.scheduled, 100, "{:?}", report.ended);
    assert_eq!(report.measured.completed, 100);
    assert!(
        matches!(report.ended, Ended::MaxRequests { .. }),
        "{:?}",
        report.ended
    );
    let mut spec = http2(open(url(address), 2, 0.0, 600), 2);
    spec.shape = Shape::Closed {
        think: Duration::from_millis(50),
    };
    let n = load(spec).await.unwrap().measured.completed;
    assert!((15..=60).contains(&n), "{n}");
    let address = serve(Duration::ZERO, 503).await;
    let report = load(http2(open(url(address), 2, 50.0, 400), 4))
        .await
        .unwrap();
    assert_eq!(
        (report.measured.completed, report.measured.errors.status),
        (0, 20)
    );
    let address = serve(Duration::from_secs(60), 200).await;
    let mut spec = http2(open(url(address), 2, 50.0, 400), 20);
    spec.timeout = Duration::from_millis(500);
    let report = load(spec).await.unwrap();
    assert_eq!(
        report.measured.errors.timeout, 20,
        "{:?}",
        report.measured.errors
    );
    assert!(report.wall_s < 4.0, "{}", report.wall_s);
}

#[tokio::test]
async fn a_host_of_the_users_is_the_authority() {
    let address = serve(Duration::ZERO, 200).await;
    let mut spec = http2(exactly(url(address), 1, 4), 1);
    let mut step = Step::get("/virtual");
    let misdirected = load({
        let mut spec = spec.clone();
        spec.scenarios[0].steps = vec![step.clone()];
        spec
    });
    assert_eq!(misdirected.await.unwrap().measured.errors.status, 4);
    step.headers = vec![("Host".to_owned(), Template("app.example.com".to_owned()))];
    spec.scenarios[0].steps = vec![step];
    assert_eq!(load(spec).await.unwrap().measured.completed, 4);
}

#[tokio::test]
async fn values_are_captured() {
    let address = serve(Duration::ZERO, 200).await;
    let mut spec = http2(exactly(url(address), 1, 4), 1);
    let mut first = Step::get("/a");
    first.headers = vec![("X-Who".to_owned(), Template("me".to_owned()))];
    let capture = |name: &str, from| Capture {
        name: name.to_owned(),
        from,
    };
    first.captures = vec![
        capture("id", CaptureFrom::Json("/id".to_owned())),
        capture("you", CaptureFrom::Header("x-you".to_owned())),
    ];
    spec.scenarios[0].steps = vec![first, Step::get("/b/{{id}}/{{you}}")];
    let report = load(spec).await.unwrap();
    assert_eq!(
        (report.measured.completed, report.measured.failed()),
        (4, 0)
    );
}

#[tokio::test]
async fn a_target_of_http_1_is_no_report() {
    let server = Server::start(|socket, _| {
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        drop(std::io::Write::write_all(socket, answer));
    });
    let outcome = load(http2(open(server.url(), 2, 50.0, 400), 2)).await;
    match outcome {
        Ok(report) => {
            assert_eq!(report.measured.completed, 0);
            assert_eq!(report.measured.failed(), report.measured.scheduled);
        }
        Err(error) => assert_eq!(error.kind, ErrorKind::Connect, "{error}"),
    }
}

/// Answers after `delay`, and says goodbye after every `most` requests of a connection.
async fn serve_some(socket: TcpStream, most: usize, delay: Duration) {
    let Ok(mut connection) = h2::server::handshake(socket).await else {
        return;
    };
    let mut n = 0;
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        n += 1;
        if n == most {
            connection.graceful_shutdown();
        }
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let response = http::Response::new(());
            let _ = respond.send_response(response, true);
        });
    }
}

/// Gives each connection to `serve`.
async fn listen<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket));
        }
    });
    address
}

#[tokio::test]
async fn a_goodbye_costs_no_request() {
    let delay = Duration::from_millis(30);
    let address = listen(move |socket| serve_some(socket, 20, delay)).await;
    let report = load(http2(open(url(address), 2, 200.0, 1_000), 20))
        .await
        .unwrap();
    let measured = &report.measured;
    assert_eq!(measured.failed(), 0, "{:?}", measured.errors);
    assert_eq!((measured.completed, measured.sent), (200, 200));
    let reopened = report.generator.connections.reopened;
    assert!((6..=12).contains(&reopened), "{reopened}");
}

/// Says goodbye at its first request, which it has not begun (last stream: 0).
async fn refuse(mut socket: TcpStream) {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut preface = [0; 24];
    socket.read_exact(&mut preface).await.unwrap();
    socket.write_all(SETTINGS).await.unwrap();
    loop {
        let mut head = [0; 9];
        if socket.read_exact(&mut head).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut body = vec![0; length.try_into().unwrap()];
        socket.read_exact(&mut body).await.unwrap();
        if head[3] == 1 {
            socket.write_all(GOAWAY).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_goodbye_leaves_unprocessed_is_sent_again_once() {
    let refused = Arc::new(AtomicBool::new(false));
    let address = listen(move |socket| {
        let refused = Arc::clone(&refused);
        async move {
            // The look at the target sends nothing.
            if socket.peek(&mut [0]).await.is_ok_and(|n| n > 0) {
                if refused.swap(true, Ordering::AcqRel) {
                    serve_some(socket, 0, Duration::ZERO).await;
                } else {
                    refuse(socket).await;
                }
            }
        }
    })
    .await;
    let mut spec = http2(open(url(address), 1, 50.0, 400), 10);
    spec.scenarios[0].steps[0].method = "POST".to_owned();
    let report = load(spec).await.unwrap();
    let measured = &report.measured;
    assert_eq!(measured.failed(), 0, "{:?}", measured.errors);
    assert_eq!((measured.completed, measured.sent), (20, 20));
    assert_eq!(report.generator.connections.reopened, 1);
    // A target that only ever says goodbye fails.
    let address = listen(refuse_all).await;
    let report = load(http2(open(url(address), 1, 50.0, 400), 10))
        .await
        .unwrap();
    assert_eq!(report.measured.completed, 0);
    assert_eq!(report.measured.errors.closed, 20, "{:?}", report.measured);
    let opened = report.generator.connections.opened;
    assert!(opened < 30, "{opened} connections were opened");
}

async fn refuse_all(socket: TcpStream) {
    if socket.peek(&mut [0]).await.is_ok_and(|n| n > 0) {
        refuse(socket).await;
    }
}

#[tokio::test]
async fn a_cap_holds_all_streams() {
    let address = serve(Duration::ZERO, 200).await;
    let mut spec = http2(open(url(address), 2, 0.0, 1_000), 4);
    spec.shape = Shape::Max;
    spec.cap = Some(200.0);
    let n = load(spec).await.unwrap().measured.completed;
    assert!((120..=204).contains(&n), "{n} requests in a second");
}

/// A user that wakes late begins a request that was due before: its window must still be open.
#[tokio::test]
async fn each_window_of_waking_users_is_there_once() {
    let address = serve(Duration::ZERO, 200).await;
    let mut spec = http2(open(url(address), 20, 0.0, 4_000), 1);
    spec.shape = Shape::Closed {
        think: Duration::from_millis(7),
    };
    spec.windows = vec![Duration::from_secs(1)];
    let report = load(spec).await.unwrap();
    let starts: Vec<f64> = report.windows.iter().map(|w| w.at_s).collect();
    assert_eq!(starts, [0.0, 1.0, 2.0, 3.0]);
    let all: u64 = report.windows.iter().map(|w| w.tally.scheduled).sum();
    assert_eq!(all, report.measured.scheduled);
}
