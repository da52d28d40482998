//! The online path against a server on loopback that speaks the OSV API, and against its faults.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod support;

use std::{collections::BTreeMap, time::Duration};

use readygate_audit::{Audit, AuditConfig, AuditMeasurement, Severity};
use readygate_sdk::{Checks, ErrorKind, Masker, Probe as _, ProbeError, testkit};
use serde_json::{Value, json};
use support::{Answer, Server, measure};

/// Makes an answer that is none.
type Broken = fn() -> Answer;

/// A lock file of `n` packages, each at 1.0.
fn requirements(n: usize) -> tempfile::TempDir {
    use std::fmt::Write as _;
    let scratch = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for at in 0..n {
        writeln!(text, "p{at}==1.0").unwrap();
    }
    std::fs::write(scratch.path().join("requirements.txt"), text).unwrap();
    scratch
}

/// The record and the checks, masked as the engine masks them.
#[tokio::test]
async fn no_password_of_an_address_is_in_the_record() {
    let server = Server::start(|_, path, body| service(path, body)).await;
    let scratch = tempfile::tempdir().unwrap();
    let text = "p1==1.0\ngit+https://deploy:s3cretTOKEN99@git.example.com/org/lib.git#egg=lib\n-r https://u:s3cretTOKEN99@h/r.txt\n";
    std::fs::write(scratch.path().join("requirements.txt"), text).unwrap();
    let with = json!({"lockfiles": ["requirements.txt"], "api": server.url()});
    let measured = measure(with.clone(), scratch.path(), Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(measured.locks[0].unmatched_total, 2);
    let config: AuditConfig = serde_json::from_value(with).unwrap();
    let mut checks = Checks::new();
    Audit::judge(&config, &measured, &mut checks);
    let record = serde_json::to_string(&measured).unwrap();
    for text in [record, format!("{:?}", checks.as_slice())] {
        let masked = Masker::new([]).mask(&text);
        assert!(masked.contains("git.example.com"), "{masked}");
        assert!(!masked.contains("s3cret"), "{masked}");
    }
}

async fn audit(server: &Server, packages: usize) -> Result<AuditMeasurement, ProbeError> {
    let scratch = requirements(packages);
    let with = json!({"lockfiles": ["requirements.txt"], "api": server.url()});
    measure(with, scratch.path(), Duration::from_secs(20)).await
}

fn record(id: &str, package: &str) -> Value {
    json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "summary": format!("about {package}"),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": package},
                      "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}]}]
    })
}

/// Answers as the service does: `p7` has an advisory on each of two pages.
fn service(path: &str, body: &Value) -> Answer {
    if path == "/v1/querybatch" {
        let results: Vec<Value> = body["queries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|query| match (query["package"]["name"].as_str().unwrap(), query["page_token"].as_str()) {
                ("p7", None) => json!({"vulns": [{"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z"}], "next_page_token": "two"}),
                ("p7", Some("two")) => json!({"vulns": [{"id": "PYSEC-2", "modified": "2026-01-01T00:00:00Z"}]}),
                _ => json!({}),
            })
            .collect();
        return Answer::ok(&json!({"results": results}));
    }
    match path {
        "/v1/vulns/PYSEC-1" => Answer::ok(&record("PYSEC-1", "p7")),
        "/v1/vulns/PYSEC-2" => {
            let mut record = record("PYSEC-2", "p7");
            record["aliases"] = json!(["CVE-2"]);
            Answer::ok(&record)
        }
        _ => Answer::status(404),
    }
}

#[tokio::test]
async fn packages_are_asked_for_in_batches_and_pages_are_followed() {
    let server = Server::start(|_, path, body| service(path, body)).await;
    let measured = audit(&server, 2_345).await.unwrap();
    let batches: Vec<(usize, usize)> = server
        .requests()
        .iter()
        .filter(|(path, _)| path == "/v1/querybatch")
        .map(|(_, body)| {
            let queries = body["queries"].as_array().unwrap();
            (
                queries.len(),
                queries
                    .iter()
                    .filter(|query| query.get("page_token").is_some())
                    .count(),
            )
        })
        .collect();
    assert_eq!(batches, [(1_000, 0), (1_000, 0), (345, 0), (1, 1)]);
    let first = &server.requests()[0].1["queries"][0];
    assert_eq!(
        *first,
        json!({"package": {"name": "p0", "ecosystem": "PyPI"}, "version": "1.0"})
    );
    let found: BTreeMap<&str, &[String]> = measured
        .findings
        .iter()
        .map(|f| (f.id.as_str(), &f.fixed[..]))
        .collect();
    assert_eq!(
        found,
        BTreeMap::from([
            ("PYSEC-1", &["1.1".to_owned()][..]),
            ("PYSEC-2", &["1.1".to_owned()][..])
        ])
    );
    assert_eq!(measured.findings[0].severity, Severity::Critical);
    assert_eq!(
        (
            measured.counts.advisories.critical,
            measured.counts.packages,
            measured.counts.audited
        ),
        (2, 1, 2_345)
    );
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_the_time_that_it_names() {
    let server = Server::start(|number, path, body| match number {
        0 => Answer::status(429).header("Retry-After", "0"),
        1 => Answer::status(503),
        3 => Answer::cut_off(),
        _ => service(path, body),
    })
    .await;
    let measured = audit(&server, 8).await.unwrap();
    assert_eq!(measured.counts.advisories.total(), 2);
    let batches = server
        .requests()
        .iter()
        .filter(|(path, _)| path == "/v1/querybatch")
        .count();
    assert_eq!(
        batches, 5,
        "429, 503, the answer, the second page cut off, and again"
    );
}

#[tokio::test]
async fn a_server_that_stays_broken_is_given_up() {
    let server = Server::start(|_, _, _| Answer::status(500)).await;
    let error = audit(&server, 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("500"), "{error}");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_long_pause_is_said_and_not_waited_for() {
    let server = Server::start(|_, _, _| Answer::status(429).header("Retry-After", "3600")).await;
    let error = audit(&server, 1).await.unwrap_err();
    assert_eq!(
        (error.kind, server.requests().len()),
        (ErrorKind::Refused, 1),
        "{error}"
    );
}

#[tokio::test]
async fn answers_that_break_the_protocol_are_errors() {
    let broken: [(&str, Broken); 5] = [
        ("fewer results", || Answer::ok(&json!({"results": [{}]}))),
        ("no results", || Answer::ok(&json!({"code": 5}))),
        ("no JSON", || Answer::text(200, "<html>proxy</html>")),
        ("refused", || Answer::status(400)),
        ("an id that leaves the folder", || {
            Answer::ok(&json!({"results": [{"vulns": [{"id": "../../admin"}]}, {}]}))
        }),
    ];
    for (what, answer) in broken {
        let server = Server::start(move |_, _, _| answer()).await;
        let error = audit(&server, 2).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol, "{what}: {error}");
        assert_eq!(server.requests().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_record_that_is_not_there_is_an_error_and_a_withdrawn_one_is_none() {
    let server = Server::start(|_, path, body| match path {
        "/v1/vulns/PYSEC-2" => Answer::status(404),
        _ => service(path, body),
    })
    .await;
    let error = audit(&server, 8).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    let server = Server::start(|_, path, body| match path {
        "/v1/vulns/PYSEC-2" => {
            let mut record = record("PYSEC-2", "p7");
            record["withdrawn"] = json!("2026-02-01T00:00:00Z");
            Answer::ok(&record)
        }
        _ => service(path, body),
    })
    .await;
    let measured = audit(&server, 8).await.unwrap();
    assert_eq!(
        measured
            .findings
            .iter()
            .map(|f| f.id.as_str())
            .collect::<Vec<_>>(),
        ["PYSEC-1"]
    );
}

#[tokio::test]
async fn pages_without_an_end_are_an_error() {
    let server =
        Server::start(|_, _, _| Answer::ok(&json!({"results": [{"next_page_token": "more"}]})))
            .await;
    let error = audit(&server, 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    assert_eq!(server.requests().len(), 50);
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let hole = testkit::BlackHole::start().unwrap();
    let scratch = requirements(1);
    let with =
        json!({"lockfiles": ["requirements.txt"], "api": format!("http://{}", hole.address())});
    let error = measure(with, scratch.path(), Duration::from_millis(200))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_closed_port_is_no_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let scratch = requirements(1);
    let with = json!({"lockfiles": ["requirements.txt"], "api": format!("http://{address}")});
    let error = measure(with, scratch.path(), Duration::from_secs(20))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connect, "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("database")));
}
