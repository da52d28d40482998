//! Processes that are in no set, or in another one.

use readygate_stack::{Member, MongoSet, Mongod, SetSpec};
use serde_json::json;

use crate::common::{Verdict, look, three};

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_and_an_uninitialised_one() {
    let spec = SetSpec {
        members: vec![Member::default()],
        ..SetSpec::default()
    };
    let mut set = MongoSet::processes(spec).unwrap();
    let host = set.nodes[0].address();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed).fails("not-initiated", &host, "");
    assert_eq!(seen.number("primaries"), 0.0);

    set.nodes[0].restart(&[]).unwrap();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("not-a-replica-set", &host, "without replication");
    assert_eq!(
        seen.number("primaries"),
        0.0,
        "it accepts writes and is no primary: {seen}"
    );
    let seen = look(&format!("mongodb://{host}/"), json!({})).await;
    seen.ends(Verdict::Failed)
        .fails("not-a-replica-set", &host, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_comes_back_as_another() {
    let mut set = MongoSet::start(SetSpec::default()).await.unwrap();
    let primary = set.primary().await.unwrap();
    let node = (0..3).find(|n| *n != primary).unwrap();
    let host = set.nodes[node].address();
    set.nodes[node].restart(&["--replSet", "other"]).unwrap();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("not-a-member", &host, "name of another");

    set.nodes[node].restart(&[]).unwrap();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("not-a-replica-set", &host, "accepts writes");
    assert_eq!(seen.number("primaries"), 1.0, "{seen}");

    // Emptied, and held in its initial sync: it serves nobody; released, all is well.
    set.nodes[node].wipe().unwrap();
    let hang = ["--replSet", "rs0", "--setParameter"];
    let point = r#"failpoint.initialSyncHangBeforeFinish={"mode":"alwaysOn"}"#;
    set.nodes[node]
        .restart(&[&hang[..], &[point]].concat())
        .unwrap();
    let syncing = async |set: &MongoSet| {
        let status = set
            .run(node, mongodb::bson::doc! { "replSetGetStatus": 1 })
            .await;
        status.is_ok_and(|s| s.get_i32("myState").unwrap() == 5)
    };
    set.until("initial sync", syncing).await.unwrap();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("member-state", &host, "STARTUP2");
    crate::replication::fail_point(&set, node, "initialSyncHangBeforeFinish", "off").await;
    set.ready().await.unwrap();
    let settling = crate::common::with(three(), json!({ "settle": "15s" }));
    look(&set.uri(), settling).await.ends(Verdict::Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_connections() {
    let mongod = Mongod::start(&["--replSet", "rs0", "--maxConns", "6"]).unwrap();
    let host = mongod.address();
    let held: Vec<_> = (0..8)
        .map(|_| std::net::TcpStream::connect(&host).unwrap())
        .collect();
    let seen = look(&format!("mongodb://{host}/"), json!({})).await;
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &host, "out of connections");
    drop(held);
}
