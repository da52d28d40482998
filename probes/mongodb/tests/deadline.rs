//! Deadlines and interruptions, against servers that accept and never answer.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

use std::time::Duration;

use readygate_mongodb::{Mongodb, MongodbConfig, MongodbMeasurement, Reach};
use readygate_sdk::{CheckOutcome, Checks, Cx, ErrorKind, Level, Probe, testkit::BlackHole};
use serde_json::json;
use tokio::time::Instant;

fn config(holes: &[BlackHole], node_timeout: &str) -> MongodbConfig {
    let hosts: Vec<_> = holes
        .iter()
        .map(|hole| hole.address().to_string())
        .collect();
    let uri = format!(
        "mongodb://gate:canary-5ecr3t@{}/?replicaSet=rs0",
        hosts.join(",")
    );
    let with = json!({ "uri": uri, "node_timeout": node_timeout, "settle": "20s" });
    serde_json::from_value(with).unwrap()
}

fn holes() -> Vec<BlackHole> {
    (0..3).map(|_| BlackHole::start().unwrap()).collect()
}

#[tokio::test]
async fn hung_servers_are_reported_within_the_deadline() {
    // Whoever had the time that a member may take, and is silent, hangs; where the gate itself was
    // out of time, it cannot tell.
    for (node_timeout, outcome) in [
        ("300ms", CheckOutcome::Failed),
        ("20s", CheckOutcome::Unmeasured),
    ] {
        hung(node_timeout, outcome).await;
    }
}

async fn hung(node_timeout: &str, outcome: CheckOutcome) {
    let holes = holes();
    let config = config(&holes, node_timeout);
    let cx = Cx::builder(Duration::from_millis(1500)).build();
    let started = Instant::now();
    let measured = Mongodb::measure(&config, &cx).await.unwrap();
    let took = started.elapsed();
    // What settling and a patient look at a member would add is 20 s each.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(measured.nodes.len(), 3);
    for node in &measured.nodes {
        assert!(matches!(node.reach, Reach::Hung { .. }), "{node:?}");
    }
    let json = serde_json::to_string(&measured).unwrap();
    assert!(!json.contains("canary"), "{json}");
    let read: MongodbMeasurement = serde_json::from_str(&json).unwrap();
    let mut checks = Checks::new();
    Mongodb::judge(&config, &read, &mut checks);
    let of = |c: &&readygate_sdk::Check| c.outcome == outcome && c.level == Level::Error;
    let found = checks.as_slice().iter().filter(of).count();
    assert_eq!(found, 3, "{checks:?}");
    assert!(Mongodb::metrics(&read).get("primaries").is_none());
}

#[tokio::test]
async fn an_interruption_ends_it_at_once() {
    let holes = holes();
    let config = config(&holes, "20s");
    let cx = Cx::builder(Duration::from_secs(30)).build();
    let cancel = cx.cancellation().clone();
    let (measured, cancelled) = tokio::join!(Mongodb::measure(&config, &cx), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = Instant::now();
        cancel.cancel();
        now
    });
    let Err(error) = measured else {
        panic!("an interrupted run has no measurement");
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(cancelled.elapsed() < Duration::from_secs(2));
}
