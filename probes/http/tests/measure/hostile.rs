//! Responses without end: reading stops, and memory stays bounded. Every test of a nextest run is a
//! process of its own, so the peak of the process is the peak of the test.

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use readygate_sdk::ErrorKind;

use readygate_web::testkit::{Act, Server, respond, send};

use crate::{cx, fails, measure, measure_in, outcomes};

const MIB: u64 = 1 << 20;

/// Highest resident memory of this process so far, in bytes; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[tokio::test]
async fn a_gigabyte_is_not_read() {
    let server = Server::always(vec![
        send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"),
        Act::Forever(vec![b'x'; 64 << 10]),
    ])
    .await;
    let yaml = format!(
        "{{url: '{}', contains: xxx, not_contains: error, max_body: 512KiB}}",
        server.url("/")
    );
    let record = measure(&yaml).await;
    let body = &record.answers[0].body;
    assert!(body.truncated && body.bytes == MIB / 2 && body.sha256.is_none());
    assert_eq!(
        outcomes(&yaml, &record),
        [
            "passed http/status",
            "unmeasured http/truncated-body",
            "passed http/body-text",
            "unmeasured http/body-text"
        ]
    );
    // What the buffers of both ends swallow is a few megabytes.
    assert!(server.sent() < 64 * MIB, "{} bytes sent", server.sent());
    assert!(peak() < 256 * MIB, "{} bytes resident", peak());
}

#[tokio::test]
async fn endless_chunks_are_not_read() {
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(vec![b'x'; 0x10000]);
    chunk.extend(b"\r\n");
    let head = send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let server = Server::always(vec![head, Act::Forever(chunk)]).await;
    let record = measure(&format!("{{url: '{}'}}", server.url("/"))).await;
    assert_eq!(record.answers[0].body.bytes, MIB);
    assert!(server.sent() < 64 * MIB, "{} bytes sent", server.sent());
}

#[tokio::test]
async fn a_gzip_bomb_stops_at_the_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&vec![0; 1 << 20]).unwrap();
    // A gibibyte, as members of one gzip file.
    let bomb = encoder.finish().unwrap().repeat(1024);
    let answer = respond("200 OK", "Content-Encoding: gzip\r\n", &bomb);
    let server = Server::always(answer).await;
    let yaml = format!("{{url: '{}', body_json: {{/a: 1}}}}", server.url("/"));
    let record = measure(&yaml).await;
    let body = &record.answers[0].body;
    assert!(
        body.truncated && body.bytes == MIB && body.wire_bytes < MIB / 4,
        "{body:?}"
    );
    assert!(!outcomes(&yaml, &record).contains(&"passed http/body-json".to_owned()));
    assert!(peak() < 256 * MIB, "{} bytes resident", peak());
}

#[tokio::test]
async fn ten_megabytes_of_headers() {
    let filler = format!("X-Filler: {}\r\n", "x".repeat(1 << 10));
    let head = send("HTTP/1.1 200 OK\r\n");
    for acts in [
        vec![
            head.clone(),
            Act::Send(filler.repeat(10 << 10).into_bytes()),
        ],
        vec![
            head.clone(),
            send("X: "),
            Act::Forever(vec![b'x'; 64 << 10]),
        ],
        vec![head, Act::Forever(b"A: b\r\n".repeat(1000))],
    ] {
        let server = Server::always(acts).await;
        let error = fails(&format!("{{url: '{}'}}", server.url("/"))).await;
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
        assert_eq!(error.phase, "waiting for the response headers");
        assert!(error.message.contains("headers are too large"), "{error}");
        assert!(server.sent() < 64 * MIB, "{} bytes sent", server.sent());
    }
    assert!(peak() < 256 * MIB, "{} bytes resident", peak());
}

#[tokio::test]
async fn endless_interim_responses_end_at_the_deadline() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    let server = Server::always(vec![Act::Forever(interim)]).await;
    let cx = cx(Duration::from_millis(300));
    let error = measure_in(&format!("{{url: '{}'}}", server.url("/")), &cx).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error.kind, ErrorKind::Timeout | ErrorKind::Protocol),
        "{error}"
    );
}

#[tokio::test]
async fn deep_json_is_no_stack_overflow() {
    let answer = respond("200 OK", "", "[".repeat(1 << 20));
    let server = Server::always(answer).await;
    let yaml = format!(
        "{{url: '{}', body_json: {{/a: 1}}, max_body: 2MiB}}",
        server.url("/")
    );
    let record = measure(&yaml).await;
    assert!(outcomes(&yaml, &record).contains(&"failed http/not-json".to_owned()));
}
