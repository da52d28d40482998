//! Servers that fail: each ends by the deadline, with the right kind and phase.

use std::time::Duration;

use readygate_sdk::{ErrorKind, ProbeError, testkit::BlackHole};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use readygate_web::testkit::{Act, Server, closed_port, send};

use crate::{cx, fails, measure, measure_in, outcomes};

const HEADERS: &str = "waiting for the response headers";
const BODY: &str = "reading the body";

fn is(error: &ProbeError, kind: ErrorKind, phase: &str) {
    assert_eq!((error.kind, error.phase.as_str()), (kind, phase), "{error}");
}

/// Fails within a short deadline, and not long after it.
async fn times_out(url: &str, phase: &str) {
    let started = Instant::now();
    let cx = cx(Duration::from_millis(1_500));
    let error = measure_in(&format!("{{url: '{url}'}}"), &cx)
        .await
        .unwrap_err();
    is(&error, ErrorKind::Timeout, phase);
    assert_eq!(error.subject, url);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn nobody_listens() {
    let port = closed_port().await;
    let error = fails(&format!("{{url: 'http://127.0.0.1:{port}/health'}}")).await;
    is(
        &error,
        ErrorKind::Connect,
        &format!("connecting to 127.0.0.1:{port}"),
    );
    assert_eq!(error.subject, format!("http://127.0.0.1:{port}/health"));
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_name_without_an_address() {
    // A label of 64 characters is refused before any name server is asked.
    let host = "a".repeat(64);
    let error = fails(&format!("{{url: 'http://{host}/'}}")).await;
    is(&error, ErrorKind::Connect, "resolving the name");
    assert!(error.message.contains("does not resolve"), "{error}");
}

#[tokio::test]
async fn silence() {
    let hole = BlackHole::start().unwrap();
    times_out(&format!("http://{}/", hole.address()), HEADERS).await;
    assert_eq!(hole.accepted(), 1);
}

#[tokio::test]
async fn slow_headers() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::always(vec![Act::Drip(head, Duration::from_millis(50))]).await;
    times_out(&server.url("/"), HEADERS).await;
}

#[tokio::test]
async fn a_slow_body() {
    let server = Server::always(vec![
        send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        Act::Drip(vec![b'x'; 1000], Duration::from_millis(20)),
    ])
    .await;
    times_out(&server.url("/"), BODY).await;
}

#[tokio::test]
async fn a_body_that_never_comes() {
    let head = send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    let server = Server::always(vec![head, Act::Hang]).await;
    times_out(&server.url("/"), BODY).await;
}

#[tokio::test]
async fn cancellation_ends_the_wait() {
    let token = CancellationToken::new();
    let cx = readygate_sdk::Cx::builder(crate::PATIENCE)
        .cancellation(token.clone())
        .build();
    let hole = BlackHole::start().unwrap();
    let yaml = format!("{{url: 'http://{}/'}}", hole.address());
    let measuring = tokio::spawn(async move { measure_in(&yaml, &cx).await });
    while hole.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    token.cancel();
    let error = measuring.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled, "{error}");
}

#[tokio::test]
async fn a_reset_after_accept() {
    let server = Server::rude(vec![Act::Reset]).await;
    let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
    is(&error, ErrorKind::Protocol, HEADERS);
    assert!(
        error.message.contains("reset") || error.message.contains("closed"),
        "{error}"
    );
}

#[tokio::test]
async fn a_close_without_a_word() {
    let server = Server::always(vec![]).await;
    let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
    is(&error, ErrorKind::Protocol, HEADERS);
    assert!(error.message.contains("closed the connection"), "{error}");
}

#[tokio::test]
async fn an_end_amid_the_headers() {
    for (end, says) in [
        (vec![Act::Reset], "reset"),
        (vec![], "closed the connection"),
    ] {
        let mut acts = vec![send("HTTP/1.1 200 OK\r\nContent-Le")];
        acts.extend(end);
        let server = Server::always(acts).await;
        let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
        is(&error, ErrorKind::Protocol, HEADERS);
        assert!(error.message.contains(says), "{error}");
    }
}

#[tokio::test]
async fn an_end_amid_the_body() {
    // Also what a `Content-Length` that is too long looks like.
    for (end, says) in [
        (vec![Act::Reset], "reset"),
        (vec![], "closed the connection"),
    ] {
        let mut acts = vec![send("HTTP/1.1 503 Oops\r\nContent-Length: 100\r\n\r\nhalf")];
        acts.extend(end);
        let server = Server::always(acts).await;
        let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
        is(&error, ErrorKind::Protocol, BODY);
        assert!(error.message.contains(says), "{error}");
        assert!(error.message.contains("answered 503"), "{error}");
        assert!(error.message.contains("of 100 bytes"), "{error}");
    }
}

#[tokio::test]
async fn a_content_length_that_is_too_short() {
    let server = Server::always(vec![send(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 1}, and more",
    )])
    .await;
    let yaml = format!("{{url: '{}', body_json: {{/a: 1}}}}", server.url("/"));
    let record = measure(&yaml).await;
    // HTTP knows no more than the nine bytes, and they are no JSON.
    assert_eq!(record.answers[0].body.bytes, 9);
    assert!(outcomes(&yaml, &record).contains(&"failed http/not-json".to_owned()));
}

#[tokio::test]
async fn two_content_lengths() {
    let server = Server::always(vec![send(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello",
    )])
    .await;
    let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
    is(&error, ErrorKind::Protocol, HEADERS);
}

#[tokio::test]
async fn bad_chunks() {
    for chunks in [
        "5\r\nhelloXX",
        "zz\r\nhello\r\n",
        "5\r\nhel",
        "FFFFFFFFFFFFFFFFF\r\nx\r\n",
    ] {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let server = Server::always(vec![send(head), send(chunks)]).await;
        let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
        is(&error, ErrorKind::Protocol, BODY);
    }
}

#[tokio::test]
async fn garbage_in_place_of_http() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\0\u{1}\u{2}\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
    ] {
        let server = Server::always(vec![send(garbage)]).await;
        let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
        is(&error, ErrorKind::Protocol, HEADERS);
        assert!(
            error.message.contains("not valid HTTP"),
            "{garbage:?}: {error}"
        );
    }
}

#[tokio::test]
async fn broken_gzip() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n";
    let server = Server::always(vec![send(head), send("not gzip!")]).await;
    let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
    is(&error, ErrorKind::BadData, BODY);
    assert!(error.message.contains("broken gzip"), "{error}");
}
