//! Several samples: all must be right, and what differs is kept.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use readygate_sdk::{CheckOutcome, ErrorKind};

use readygate_web::testkit::{Act, Seen, Server, respond};

use crate::{
    cx, fails, identity::Authority, judge, measure, measure_in, metrics, number, outcomes,
};

/// A server that answers in turn.
async fn in_turn(answers: Vec<Vec<Act>>) -> Server {
    let next = AtomicUsize::new(0);
    Server::start(move |_: &Seen| {
        answers[next.fetch_add(1, Ordering::SeqCst) % answers.len()].clone()
    })
    .await
}

#[tokio::test]
async fn equal_answers_are_one() {
    let server = Server::always(respond("200 OK", "", "ok")).await;
    let yaml = format!("{{url: '{}', samples: 20}}", server.url("/"));
    let record = measure(&yaml).await;
    assert_eq!(
        (
            record.answers.len(),
            record.samples.len(),
            server.seen().len()
        ),
        (1, 20, 20)
    );
    assert_eq!(
        outcomes(&yaml, &record),
        ["passed http/failed-sample", "passed http/status"]
    );
    let metrics = metrics(&record);
    assert!((number(&metrics, "samples") - 20.0).abs() < 0.1);
    let rate = metrics.get("error_rate").unwrap();
    assert_eq!(rate.sample.map(|s| (s.hits, s.trials)), Some((0, 20)));
}

#[tokio::test]
async fn one_bad_answer_fails_the_gate() {
    let fine = respond("200 OK", "", r#"{"v": "4.0.0"}"#);
    let old = respond("200 OK", "", r#"{"v": "3.9.0"}"#);
    let broken = respond("503 Service Unavailable", "", "{}");
    let server = in_turn(vec![fine.clone(), fine, old, broken]).await;
    let yaml = format!(
        "{{url: '{}', samples: 8, version: {{json: /v}}}}",
        server.url("/")
    );
    let record = measure(&yaml).await;
    assert_eq!(record.answers.len(), 3);
    let checks = judge(&yaml, &record);
    let status = checks.iter().find(|c| c.rule == "http/status").unwrap();
    assert_eq!(status.outcome, CheckOutcome::Failed);
    assert_eq!(status.message, "the status is 503 in 2 of 8 samples");
    let version = checks
        .iter()
        .find(|c| c.rule == "http/version-mismatch")
        .unwrap();
    assert_eq!(
        version.message,
        "the running version is 3.9.0 in 4 of 8 samples"
    );
    let metrics = metrics(&record);
    assert!((number(&metrics, "status") - 503.0).abs() < 0.1);
    assert!((number(&metrics, "error_rate") - 25.0).abs() < 0.1);
    assert!(metrics.why_absent("version").unwrap().contains("3.9.0"));
}

#[tokio::test]
async fn a_sample_without_an_answer_fails_the_gate() {
    let fine = respond("200 OK", "", "");
    let server = in_turn(vec![fine.clone(), vec![Act::Reset], fine]).await;
    let yaml = format!("{{url: '{}', samples: 3}}", server.url("/"));
    let record = measure(&yaml).await;
    assert_eq!(
        outcomes(&yaml, &record),
        ["failed http/failed-sample", "passed http/status"]
    );
    assert!((number(&metrics(&record), "error_rate") - 100.0 / 3.0).abs() < 0.1);
}

#[tokio::test]
async fn no_answer_at_all_is_an_error() {
    let server = Server::rude(vec![Act::Reset]).await;
    let error = fails(&format!("{{url: '{}', samples: 3}}", server.url("/"))).await;
    assert_eq!(error.kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn time_must_suffice_for_all_samples() {
    let server = in_turn(vec![respond("200 OK", "", ""), vec![Act::Hang]]).await;
    let yaml = format!("{{url: '{}', samples: 3}}", server.url("/"));
    let error = measure_in(&yaml, &cx(Duration::from_millis(1_500)))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("sample 2 of 3"), "{error}");
}

#[tokio::test]
async fn a_hundred_gates_share_what_is_costly() {
    let authority = Authority::new();
    let server =
        Server::start_tls(authority.server("localhost"), |_| respond("200 OK", "", "")).await;
    let yaml = format!(
        "{{url: '{}', resolve: {{localhost: 127.0.0.1}}, ca: {}}}",
        server.url_as("localhost", "/"),
        authority.file()
    );
    let gates = (0..100).map(|_| {
        let yaml = yaml.clone();
        tokio::spawn(async move { measure(&yaml).await })
    });
    let gates: Vec<_> = gates.collect();
    for gate in gates {
        assert_eq!(gate.await.unwrap().answers[0].status, 200);
    }
    assert_eq!(server.seen().len(), 100);
}
