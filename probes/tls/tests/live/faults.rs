//! Time: silence, deadlines, an interrupted run.

use std::time::Duration;

use readygate_sdk::{Cx, ErrorKind, Metric, Probe as _};
use readygate_tls::Tls;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    canned::{self, Act},
    common::{NAME, Verdict, look, look_in},
    pki::Pki,
    server::{Behaviour, serve},
};

#[tokio::test]
async fn a_silent_server_costs_three_seconds_and_is_named_with_the_phase() {
    let server = canned::silent();
    let seen = look(json!({"endpoints": server.address.to_string()})).await;
    let error = seen.measured.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(error.subject, server.address.to_string());
    assert!(error.phase.contains("ServerHello"), "{error}");
    // And what a busy machine adds.
    assert!(seen.took < Duration::from_secs(10), "{:?}", seen.took);
}

#[tokio::test]
async fn the_deadline_of_the_gate_comes_first() {
    let server = canned::silent();
    let cx = Cx::builder(Duration::from_millis(300)).build();
    let with = json!({"endpoints": server.address.to_string()});
    let seen = look_in(with, &cx).await;
    assert_eq!(seen.verdict(), Verdict::Unmeasured);
    // Less than the silence would have taken.
    assert!(seen.took < Duration::from_millis(2_500), "{:?}", seen.took);
}

#[tokio::test]
async fn an_interrupted_run_ends_at_once() {
    let server = canned::silent();
    let cx = Cx::builder(Duration::from_secs(30)).build();
    let cancel = cx.cancellation().clone();
    let with = json!({"endpoints": server.address.to_string()});
    let looking = tokio::spawn(async move { look_in(with, &cx).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let cancelled = Instant::now();
    cancel.cancel();
    let seen = looking.await.unwrap();
    let took = cancelled.elapsed();
    assert_eq!(seen.measured.unwrap_err().kind, ErrorKind::Cancelled);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_are_no_verdict() {
    let server = canned::serve(Act::Close).await;
    let address = server.address;
    drop(server);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let seen = look(json!({"endpoints": address.to_string()})).await;
    let error = seen.measured.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connect);
    assert!(error.phase.contains("connecting"), "{error}");
    let seen = look(json!({"endpoints": "no-such-host.invalid"})).await;
    let error = seen.measured.unwrap_err();
    assert_eq!(
        (error.kind, error.phase.as_str()),
        (ErrorKind::Connect, "looking the name up")
    );
}

#[tokio::test]
async fn a_missing_authority_file_is_bad_data() {
    let seen = look(json!({"endpoints": "127.0.0.1:1", "ca": "no/such/file.pem"})).await;
    let error = seen.measured.unwrap_err();
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::BadData, "no/such/file.pem")
    );
}

#[tokio::test]
async fn metrics_of_a_good_server() {
    let pki = Pki::new();
    let server = serve(&pki, &pki.good(), Behaviour::default()).await;
    let seen = look(json!({
        "endpoints": format!("{NAME}:{}", server.address.port()),
        "resolve": {NAME: ["127.0.0.1"]},
        "ca": pki.ca(),
    }))
    .await;
    assert_eq!(seen.verdict(), Verdict::Pass, "{}", seen.report());
    let metrics = Tls::metrics(&seen.measured.unwrap());
    let shown = |name| metrics.get(name).map(Metric::display).unwrap_or_default();
    assert_eq!(shown("version.min"), "1.2");
    assert_eq!(shown("version.max"), "1.3");
    assert_eq!(shown("versions"), "2");
    assert_eq!(shown("chain.length"), "2");
    assert_eq!(shown("key.bits"), "256");
    assert!(shown("expires_in").starts_with("79.9") || shown("expires_in").starts_with("80"));
    assert!(shown("handshake.p50").ends_with('s'));
}
