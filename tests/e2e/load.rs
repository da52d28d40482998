//! Gates that make load, from the config to the exit code.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use crate::support::{Project, readygate};

/// A server that answers every request with one status, until the test's process ends.
fn server(status: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            thread::spawn(move || {
                let (mut socket, mut text) = (socket, Vec::new());
                let mut part = [0; 4096];
                while let Ok(n @ 1..) = socket.read(&mut part) {
                    text.extend_from_slice(&part[..n]);
                    while let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
                        text.drain(..end + 4);
                        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 2\r\n\r\nok");
                        if socket.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

fn gate(with: &str, rest: &str) -> Project {
    readygate().config(&format!(
        "version: 1\n\
         target: {{ name: stage, url: 'http://127.0.0.1:1', allow_disruptive: [l] }}\n\
         gates:\n  - id: l\n    probe: load\n    with: {with}\n    {rest}\n"
    ))
}

#[test]
fn a_load_passes_and_fails_by_what_is_expected() {
    let good = server(200);
    let with =
        format!("{{ url: 'http://{good}/', open: {{ rate: 100/s, connections: 8, for: 1s }} }}");
    let ran = gate(&with, "expect: { http_reqs: ['count>=100', 'count>100'] }").run();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("`requests` is not as expected"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("readygate.yaml:7:15"), "{}", ran.stdout);
    let bad = server(404);
    let with =
        format!("{{ url: 'http://{bad}/', open: {{ rate: 100/s, connections: 8, for: 1s }} }}");
    let ran = gate(&with, "expect: { requests: '== 100' }").run();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("all 100 requests failed"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_target_that_refuses_is_never_a_pass() {
    let with = "{ url: /, open: { rate: 100/s, connections: 8, for: 1s } }";
    let ran = gate(with, "expect: { error_rate: '<= 100%' }").run();
    assert!(matches!(ran.code, 1 | 3), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_load_needs_consent_by_name() {
    let project = readygate().config(
        "version: 1\n\
         target: { name: stage, url: 'http://127.0.0.1:1' }\n\
         gates: [{ id: l, probe: load, with: { url: /, open: { rate: 1/s, for: 1s } } }]\n",
    );
    let ran = project.run();
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("allow_disruptive: [l]"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_load_gets_its_time_on_top_of_the_deadline() {
    let with = "{ url: /a, open: { rate: 100/s, connections: 8, for: 60s } }";
    let ran = gate(with, "").args(["plan"]).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "disruptive",
        "at most 95 s",
        "takes 65 s",
        "/a (100/s for 60 s over 8 connections)",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let ran = gate(with, "timeout: 60s").args(["plan"]).run();
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    let says = "the timeout of 60 s would cut the gate off: it is meant to take 65 s";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
}

#[test]
fn what_cannot_hold_is_refused_before_anything_is_sent() {
    let open = "{ url: /, open: { rate: 100/s, connections: 8, for: 60s } }";
    for (expect, says) in [
        ("{ http_req_duration: 'p(95)' }", "no threshold of k6"),
        (
            "{ 'http_req_duration{status:200}': 'p(95)<5' }",
            "routes.ROUTE",
        ),
        (
            "{ http_req_duration: ['p(95)<5', 'p(95)<fast'] }",
            "`p(95)<fast`",
        ),
        (
            "{ throughput: '>= 200/s' }",
            "no more comes back than is sent",
        ),
        (
            "{ latency.p95: '< 5ms for every 2m' }",
            "longer than the measured load",
        ),
        ("{ latency.p95: '< 5ms for each 10s' }", "for every 10s"),
        ("{ routes./x.latency.p95: '< 5ms' }", "the routes are `/`"),
        ("{ latency.p98: '< 5ms' }", "did you mean `latency.p9"),
    ] {
        refused(open, expect, says);
    }
}

fn refused(with: &str, expect: &str, says: &str) {
    let ran = gate(with, &format!("expect: {expect}")).run();
    assert_eq!(ran.code, 2, "{with} {expect}: {}", ran.stdout);
    assert!(ran.stderr.contains(says), "{with} {expect}: {}", ran.stderr);
}

#[test]
fn loads_that_contradict_themselves_are_refused() {
    for (with, expect, says) in [
        (
            "{ url: /, connections: 500, duration: 60s }",
            "{}",
            "open: { rate: 450/s, connections: 500, for: 60s }",
        ),
        (
            "{ url: /, open: { rate: 5000/s, for: 60s } }",
            "{}",
            "allow: { rate: 5000/s }",
        ),
        (
            "{ url: /, open: { rate: 5000, for: 60s } }",
            "{}",
            "`5000` is not a rate",
        ),
        (
            "{ url: /, users: { count: 50000, for: 1h }, allow: { rate: 45000/s, connections: 50000 } }",
            "{ latency.p95: '< 50ms', throughput: '>= 45000/s' }",
            "1.11 s",
        ),
    ] {
        refused(with, expect, says);
    }
}

#[test]
fn what_is_measured_once_has_no_windows() {
    let ran = readygate()
        .gates("- { id: c, probe: command, with: { argv: ['true'] }, expect: { duration: '< 5s for every 10s' } }")
        .run();
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("measured once, not in windows"),
        "{}",
        ran.stderr
    );
}
