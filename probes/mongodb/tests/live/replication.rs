//! Members that are up and do not replicate, and shapes of the set that hide it.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use readygate_stack::{MongoSet, SetSpec};
use serde_json::json;

use crate::common::{Verdict, look, three, with};

#[tokio::test(flavor = "multi_thread")]
async fn green_states_hide_nothing() {
    let set = MongoSet::start(SetSpec::default()).await.unwrap();
    let primary = set.primary().await.unwrap();
    let others: Vec<usize> = (0..3).filter(|n| *n != primary).collect();
    locked_primary(&set, primary).await;
    lagging_secondary(&set, primary, others[0]).await;
    nothing_commits(&set, primary, &others).await;
    maintenance(&set, others[0]).await;
    shapes(&set, primary, others[1]).await;
    removed(&set, primary, others[1]).await;
}

async fn locked_primary(set: &MongoSet, primary: usize) {
    set.run(primary, doc! { "fsync": 1, "lock": true })
        .await
        .unwrap();
    let seen = look(&set.uri(), three()).await;
    let host = set.nodes[primary].address();
    seen.ends(Verdict::Failed)
        .fails("fsync-locked", &host, "every write hangs");
    assert_eq!(seen.wrong(), ["fsync-locked"], "{seen}");
    set.run(primary, doc! { "fsyncUnlock": 1 }).await.unwrap();
}

async fn lagging_secondary(set: &MongoSet, primary: usize, secondary: usize) {
    let host = set.nodes[secondary].address();
    set.run(secondary, doc! { "fsync": 1, "lock": true })
        .await
        .unwrap();
    write_for(set, primary, Duration::from_millis(2500)).await;
    let limits = |warning, fail| json!({ "limits": { "lag_warning": warning, "lag": fail } });
    let seen = look(&set.uri(), with(three(), limits("1s", "60s"))).await;
    seen.ends(Verdict::Passed)
        .fails("replication-lag", &host, "behind the primary");
    seen.fails("fsync-locked", &host, "it stops replicating");
    assert!(seen.number("replication_lag.max") >= 1.0, "{seen}");
    let seen = look(&set.uri(), with(three(), limits("500ms", "1s"))).await;
    seen.ends(Verdict::Failed)
        .fails("replication-lag", &host, "behind the primary");
    set.run(secondary, doc! { "fsyncUnlock": 1 }).await.unwrap();
    look(&set.uri(), with(three(), json!({ "settle": "15s" })))
        .await
        .ends(Verdict::Passed);
}

async fn nothing_commits(set: &MongoSet, primary: usize, secondaries: &[usize]) {
    for node in secondaries {
        fail_point(set, *node, "stopReplProducer", "alwaysOn").await;
    }
    write_for(set, primary, Duration::from_millis(2500)).await;
    let limits = json!({ "limits": { "commit_lag_warning": "1s", "commit_lag": "1s" } });
    let seen = look(&set.uri(), with(three(), limits)).await;
    let host = set.nodes[primary].address();
    seen.ends(Verdict::Failed)
        .fails("commit-lag", &host, "newest on a majority");
    assert!(seen.number("commit_lag") >= 1.0, "{seen}");
    for node in secondaries {
        fail_point(set, *node, "stopReplProducer", "off").await;
    }
    let seen = look(&set.uri(), with(three(), json!({ "settle": "15s" }))).await;
    seen.ends(Verdict::Passed).silent("commit-lag");
}

async fn maintenance(set: &MongoSet, secondary: usize) {
    let host = set.nodes[secondary].address();
    set.run(secondary, doc! { "replSetMaintenance": true })
        .await
        .unwrap();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("member-state", &host, "is RECOVERING");
    set.run(secondary, doc! { "replSetMaintenance": false })
        .await
        .unwrap();
    set.ready().await.unwrap();
}

async fn shapes(set: &MongoSet, primary: usize, special: usize) {
    let host = set.nodes[special].address();
    reconfig(set, primary, |members| {
        let member = members
            .iter_mut()
            .find(|m| m.get_str("host").unwrap() == host)
            .unwrap();
        member.extend(doc! { "priority": 0, "hidden": true, "secondaryDelaySecs": 2 });
    })
    .await;
    write_for(set, primary, Duration::from_millis(300)).await;
    let settle = json!({ "settle": "10s" });
    let undeclared = look(&set.uri(), settle.clone()).await;
    undeclared
        .ends(Verdict::Passed)
        .fails("special-member", &host, "hidden, delayed by 2 s");
    undeclared
        .fails("topology-undeclared", "rs0", "")
        .silent("replication-lag");
    let seen = look(&set.uri(), with(three(), settle.clone())).await;
    seen.ends(Verdict::Failed)
        .fails("topology-differs", "rs0 hidden", "");
    let declared = json!({ "topology": { "members": 3, "hidden": 1, "delayed": 1 } });
    let seen = look(&set.uri(), with(declared, settle)).await;
    seen.ends(Verdict::Passed);
    assert_eq!(seen.wrong(), Vec::<&str>::new(), "{seen}");

    reconfig(set, primary, |members| {
        let member = members
            .iter_mut()
            .find(|m| m.get_str("host").unwrap() == host)
            .unwrap();
        member.extend(doc! { "hidden": false, "secondaryDelaySecs": 0, "votes": 0 });
    })
    .await;
    let seen = look(&set.uri(), json!({ "settle": "10s" })).await;
    seen.ends(Verdict::Passed)
        .fails("special-member", &host, "without a vote");
    seen.fails("even-voters", "rs0", "2 members")
        .fails("few-data-voters", "rs0", "2 members");
}

async fn removed(set: &MongoSet, primary: usize, gone: usize) {
    let host = set.nodes[gone].address();
    reconfig(set, primary, |members| {
        members.retain(|m| m.get_str("host").unwrap() != host);
    })
    .await;
    let out = async |set: &MongoSet| {
        let status = set.run(gone, doc! { "replSetGetStatus": 1 }).await;
        status.is_err_and(|e| e.to_string().contains("not a member"))
    };
    set.until("removed member", out).await.unwrap();
    let seen = look(&set.uri(), json!({})).await;
    seen.ends(Verdict::Failed)
        .fails("not-a-member", &host, "is in no set");
    // Without it among the seeds everything is green; the declared shape tells.
    let rest = set
        .uri()
        .replace(&format!(",{host}"), "")
        .replace(&format!("{host},"), "");
    look(&rest, json!({}))
        .await
        .ends(Verdict::Passed)
        .fails("few-data-voters", "rs0", "");
    look(&rest, three())
        .await
        .ends(Verdict::Failed)
        .fails("topology-differs", "members", "2");
    let hosts: Vec<_> = set
        .nodes
        .iter()
        .map(readygate_stack::Mongod::address)
        .collect();
    let seen = look(&rest, json!({ "hosts": hosts })).await;
    seen.ends(Verdict::Failed)
        .fails("topology-differs", &host, "not in the set's config");
}

async fn write_for(set: &MongoSet, primary: usize, time: Duration) {
    let client = set.client(primary, true).unwrap();
    let collection = client.database("test").collection::<Document>("written");
    let end = tokio::time::Instant::now() + time;
    while tokio::time::Instant::now() < end {
        let one = mongodb::options::WriteConcern::nodes(1);
        collection
            .insert_one(doc! { "a": 1 })
            .write_concern(one)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn fail_point(set: &MongoSet, node: usize, name: &str, mode: &str) {
    set.run(node, doc! { "configureFailPoint": name, "mode": mode })
        .await
        .unwrap();
}

async fn reconfig(set: &MongoSet, primary: usize, change: impl FnOnce(&mut Vec<Document>)) {
    let answer = set
        .run(primary, doc! { "replSetGetConfig": 1 })
        .await
        .unwrap();
    let mut config = answer.get_document("config").unwrap().clone();
    let members = config.get_array("members").unwrap();
    let mut members: Vec<Document> = members
        .iter()
        .map(|m| m.as_document().unwrap().clone())
        .collect();
    change(&mut members);
    let version = config.get_i32("version").unwrap() + 1;
    config.extend(doc! { "members": members, "version": version });
    set.run(primary, doc! { "replSetReconfig": config })
        .await
        .unwrap();
}
