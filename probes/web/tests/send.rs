//! What the probes build on: raw headers, bounds, requests side by side, errors that name a phase.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

use std::time::Duration;

use http::Method;
use readygate_sdk::{Cx, ErrorKind, ProbeError, testkit::cx};
use readygate_web::{
    Client, Request, Response, Settings,
    testkit::{Act, Server, respond, send},
};
use url::Url;

const PATIENCE: Duration = Duration::from_secs(20);

async fn get_in(url: &str, cx: &Cx) -> Result<Response, ProbeError> {
    let client = Client::build(&Settings::default(), cx).await.unwrap();
    let request = Request::new(Method::GET, Url::parse(url).unwrap());
    client.send(&request).await
}

async fn get(server: &Server) -> Result<Response, ProbeError> {
    get_in(&server.url("/"), &cx(PATIENCE)).await
}

#[tokio::test]
async fn cookies_come_raw_and_in_order() {
    let long = "x".repeat(64 << 10);
    let mut head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=\xff\xfe; Path=/\r\nX-A: 1\r\n".to_vec();
    head.extend(format!("set-cookie: long={long}\r\nSet-Cookie: a=2\r\n").as_bytes());
    head.extend(b"Content-Length: 0\r\n\r\n");
    let server = Server::always(vec![send(head)]).await;
    let response = get(&server).await.unwrap();
    let cookies: Vec<_> = response.values("Set-Cookie").collect();
    assert_eq!(cookies[0], b"a=\xff\xfe; Path=/");
    assert_eq!(cookies[1].len(), "long=".len() + long.len());
    assert_eq!(cookies[2], b"a=2");
    assert_eq!(
        response
            .fields()
            .filter(|(n, _)| *n == "set-cookie")
            .count(),
        3
    );
    assert_eq!(response.text("x-a").as_deref(), Some("1"));
    assert_eq!(response.text("x-b"), None);
}

#[tokio::test]
async fn endless_headers_end() {
    for piece in [
        format!("X-A: {}\r\n", "x".repeat(9 << 10)),
        "X: y\r\n".into(),
        "X-".into(),
    ] {
        let head = send("HTTP/1.1 200 OK\r\n");
        let server = Server::always(vec![head, Act::Forever(piece.into())]).await;
        let error = get(&server).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
        assert!(error.message.contains("too large"), "{error}");
        assert_eq!(error.phase, "waiting for the response headers");
        assert!(
            server.sent() < 16 << 20,
            "{} bytes were taken",
            server.sent()
        );
    }
}

#[tokio::test]
async fn requests_overlap() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "GET /slow HTTP/1.1" => vec![Act::Hang],
        _ => respond("200 OK", "", "quick"),
    })
    .await;
    let short = cx(Duration::from_millis(1_500));
    let client = Client::build(&Settings::default(), &short).await.unwrap();
    let ask = |path: &str| Request::new(Method::GET, Url::parse(&server.url(path)).unwrap());
    let (slow, quick) = (ask("/slow"), ask("/quick"));
    let (slow, quick) = tokio::join!(client.send(&slow), client.send(&quick));
    assert_eq!(quick.unwrap().body.bytes, b"quick");
    let error = slow.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(error.phase, "waiting for the response headers");
    assert_eq!(error.subject, server.url("/slow"));
}

#[tokio::test]
async fn a_bomb_fills_the_limit_and_no_more() {
    use std::io::Write as _;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        zip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = zip.finish().unwrap();
    let server = Server::always(respond("200 OK", "Content-Encoding: gzip\r\n", bomb)).await;
    let body = get(&server).await.unwrap().body;
    assert!(body.truncated);
    assert_eq!(body.bytes.len(), 1 << 20);
}

#[tokio::test]
async fn a_redirect_is_an_answer_to_send() {
    let server = Server::always(respond("302 Found", "Location: /login?token=t\r\n", "")).await;
    let response = get(&server).await.unwrap();
    assert_eq!(response.location().as_deref(), Some("/login?token=t"));
    assert!(response.timings.total > 0.0 && response.timings.tls.is_none());
}
