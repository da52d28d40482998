//! Servers that lie, flood and hang: bounded, and never a pass.

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use readygate_sdk::{
    CheckOutcome::{Failed, Unmeasured},
    ErrorKind,
    testkit::cx,
};
use readygate_web::testkit::{Act, Server, respond, send};

use super::{fails, judge, measure, measure_in, outcomes};

const HTML: &str = "Content-Type: text/html\r\n";

#[tokio::test]
async fn floods_of_headers_end_in_an_error() {
    let flood =
        "X-Frame-Options: DENY\r\nX-Flood: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"
            .repeat(8);
    let acts = vec![
        send("HTTP/1.1 200 OK\r\n"),
        Act::Forever(flood.into_bytes()),
    ];
    let server = Server::always(acts).await;
    let error = fails(&format!("pages: {}", server.url("/"))).await;
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    assert!(
        server.sent() < 10 << 20,
        "{} bytes were read",
        server.sent()
    );
}

#[tokio::test]
async fn a_cookie_of_64_kib_is_judged_and_not_kept() {
    let cookie = format!("{HTML}Set-Cookie: sid={}; Secure\r\n", "x".repeat(64 << 10));
    let server = Server::always(respond("200 OK", &cookie, "")).await;
    let yaml = format!("pages: {}", server.url("/"));
    let record = measure(&yaml).await;
    assert!(serde_json::to_string(&record).unwrap().len() < 16 << 10);
    assert_eq!(
        outcomes(&judge(&yaml, &record), "headers/cookie-dropped"),
        [Failed]
    );
}

#[tokio::test]
async fn a_policy_of_100_kib_is_not_judged() {
    let policy = format!(
        "{HTML}Content-Security-Policy: default-src {}\r\n",
        "a ".repeat(50 << 10)
    );
    let server = Server::always(respond("200 OK", &policy, "")).await;
    let yaml = format!("pages: {}", server.url("/"));
    let checks = judge(&yaml, &measure(&yaml).await);
    assert_eq!(outcomes(&checks, "headers/cut-header"), [Unmeasured]);
    assert!(outcomes(&checks, "headers/csp-missing").is_empty());
}

#[tokio::test]
async fn a_gzip_bomb_leaves_the_document_open() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..8 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let headers = format!("{HTML}Content-Encoding: gzip\r\n");
    let server = Server::always(respond("200 OK", &headers, bomb.finish().unwrap())).await;
    let yaml = format!("{{pages: '{}', max_body: 64KiB}}", server.url("/"));
    let checks = judge(&yaml, &measure(&yaml).await);
    assert_eq!(outcomes(&checks, "headers/sri-missing"), [Unmeasured]);
    assert_eq!(outcomes(&checks, "headers/csp-missing"), [Unmeasured]);
}

#[tokio::test]
async fn lies_about_length_are_no_answer() {
    for (name, wire) in [
        (
            "a chunk that is short",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<html>",
        ),
        (
            "a chunk that is no number",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<html>\r\n0\r\n\r\n",
        ),
        (
            "a length that is not kept",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<html>",
        ),
        ("half a header", "HTTP/1.1 200 OK\r\nContent-Ty"),
        ("no http", "SSH-2.0-OpenSSH_9.2\r\n"),
    ] {
        let server = Server::always(vec![send(wire)]).await;
        let error = fails(&format!("pages: {}", server.url("/"))).await;
        assert_eq!(error.kind, ErrorKind::Protocol, "{name}: {error}");
        assert!(
            !error.phase.is_empty() && error.subject.contains("127.0.0.1"),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    for acts in [
        vec![Act::Hang],
        vec![send("HTTP/1.1 200 OK\r\nX-A"), Act::Hang],
        vec![
            send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<"),
            Act::Hang,
        ],
    ] {
        let server = Server::always(acts).await;
        let yaml = format!("pages: {}", server.url("/"));
        let error = measure_in(&yaml, &cx(Duration::from_millis(200)))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_do_no_harm() {
    let mut wire = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Frame-Options: \xff\xfe\r\nContent-Security-Policy: \xc3\x28\r\nContent-Length: 4\r\n\r\n".to_vec();
    wire.extend(b"<\xff\xfe>");
    let server = Server::always(vec![Act::Send(wire)]).await;
    let yaml = format!("pages: {}", server.url("/"));
    let checks = judge(&yaml, &measure(&yaml).await);
    assert_eq!(outcomes(&checks, "headers/framing"), [Failed]);
    assert_eq!(outcomes(&checks, "headers/csp-invalid"), [Failed]);
}
