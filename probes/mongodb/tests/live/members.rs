//! Members that are well, hung, dead, and too few.

use std::time::Duration;

use readygate_stack::{MongoSet, SetSpec};
use serde_json::json;

use crate::common::{Verdict, look, look_within, three, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_set_passes_until_members_go() {
    // Primaries hang and die here, and others are waited for.
    let spec = SetSpec {
        election_timeout_ms: 1000,
        ..SetSpec::default()
    };
    let mut set = MongoSet::start(spec).await.unwrap();
    healthy(&set).await;
    wrong_name(&set).await;
    hung_secondary(&set).await;
    dead_secondary(&mut set).await;
    hung_primary(&set).await;
    too_few(&mut set).await;
}

async fn healthy(set: &MongoSet) {
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Passed);
    assert_eq!(seen.wrong(), Vec::<&str>::new(), "{seen}");
    for (metric, wanted) in [
        ("members.total", 3.0),
        ("members.healthy", 3.0),
        ("members.voting", 3.0),
        ("primaries", 1.0),
        ("replication_lag.max", 0.0),
        ("commit_lag", 0.0),
    ] {
        assert_eq!(seen.number(metric), wanted, "{metric}: {seen}");
    }
    assert!(seen.number("oplog_window") > 0.0);
    assert!(seen.number("connections.used_ratio") > 0.0);
    assert!(seen.metrics.why_absent("indexes.missing").is_some());

    // One secondary as the only seed: everyone else is found through the set's config.
    let secondary = secondary(set).await;
    let seed = format!("mongodb://{}/", set.nodes[secondary].address());
    let seen = look(&seed, three()).await;
    seen.ends(Verdict::Passed);
    assert_eq!(seen.wrong(), ["uri"], "{seen}");
    assert_eq!(seen.number("members.healthy"), 3.0);

    // The same member under another name: no member is asked twice, its own name is dialled.
    let alias = seed.replace("127.0.0.1", "localhost");
    let seen = look(&alias, three()).await;
    seen.ends(Verdict::Passed)
        .passes("host-name-unusable", "127.0.0.1");
    assert_eq!(seen.number("members.healthy"), 3.0, "{seen}");
}

async fn wrong_name(set: &MongoSet) {
    let uri = set.uri().replace("replicaSet=rs0", "replicaSet=rs1");
    let seen = look(&uri, three()).await;
    seen.ends(Verdict::Unmeasured)
        .cannot_tell("wrong-set-name", "rs0", "`rs1` was asked for");
    assert_eq!(seen.number("primaries"), 1.0);
}

async fn hung_secondary(set: &MongoSet) {
    let node = secondary(set).await;
    let host = set.nodes[node].address();
    set.nodes[node].stop().unwrap();
    let seen = look(&set.uri(), with(three(), json!({ "node_timeout": "1s" }))).await;
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &host, "hangs");
    assert_eq!(
        seen.number("members.healthy"),
        2.0,
        "the others are reported: {seen}"
    );
    assert!(seen.took < Duration::from_millis(3500), "{seen}");

    // The gate's own deadline is shorter than the patience with one member, and than settling.
    let patient = with(three(), json!({ "node_timeout": "10s", "settle": "20s" }));
    let seen = look_within(Duration::from_secs(2), &set.uri(), patient)
        .await
        .unwrap();
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &host, "hangs");
    assert_eq!(
        seen.number("members.healthy"),
        2.0,
        "the others are reported: {seen}"
    );

    // It comes back while the gate looks again.
    let settling = with(three(), json!({ "settle": "20s", "node_timeout": "1s" }));
    let uri = set.uri();
    let (seen, ()) = tokio::join!(look(&uri, settling), async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        set.nodes[node].wake().unwrap();
    });
    seen.ends(Verdict::Passed)
        .fails("needed-settling", "set", &host);
    assert!(seen.number("settled_after") > 0.0);
    set.ready().await.unwrap();
}

async fn dead_secondary(set: &mut MongoSet) {
    let node = secondary(set).await;
    let host = set.nodes[node].address();
    set.nodes[node].kill();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &host, "refuses connections");
    seen.fails("no-spare-member", "rs0", "")
        .passes("no-primary", "rs0");
    assert_eq!(seen.number("members.healthy"), 2.0);
    assert_eq!(seen.number("members.total"), 3.0);
    set.nodes[node].revive().unwrap();
    set.ready().await.unwrap();
    let settling = with(three(), json!({ "settle": "15s" }));
    look(&set.uri(), settling).await.ends(Verdict::Passed);
}

async fn hung_primary(set: &MongoSet) {
    let node = set.primary().await.unwrap();
    let host = set.nodes[node].address();
    set.nodes[node].stop().unwrap();
    let seen = look(
        &set.uri(),
        with(three(), json!({ "node_timeout": "700ms" })),
    )
    .await;
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &host, "hangs");
    let others = async |set: &MongoSet| set.primary().await.is_some_and(|p| p != node);
    set.until("another primary", others).await.unwrap();
    // Awake again it still takes itself for the primary for a moment; settling sees to that.
    set.nodes[node].wake().unwrap();
    let seen = look(&set.uri(), with(three(), json!({ "settle": "15s" }))).await;
    seen.ends(Verdict::Passed)
        .fails("recent-election", "", "became primary");
    assert_eq!(seen.number("primaries"), 1.0);
    set.ready().await.unwrap();
}

async fn too_few(set: &mut MongoSet) {
    let primary = set.primary().await.unwrap();
    let dead = set.nodes[primary].address();
    set.nodes[primary].kill();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("member-unreachable", &dead, "refuses");
    // With time for the election the only thing left is the dead member.
    let settling = with(three(), json!({ "settle": "6s" }));
    let seen = look(&set.uri(), settling).await;
    seen.ends(Verdict::Failed)
        .passes("no-primary", "rs0")
        .silent("commit-lag");
    seen.fails("member-unreachable", &dead, "refuses");

    let second = set.primary().await.unwrap();
    set.nodes[second].kill();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed)
        .fails("no-majority", "rs0", "1 with data");
    assert_eq!(seen.number("members.healthy"), 1.0);

    let last = (0..3).find(|n| *n != primary && *n != second).unwrap();
    set.nodes[last].kill();
    let seen = look(&set.uri(), three()).await;
    seen.ends(Verdict::Failed);
    assert!(
        seen.metrics.why_absent("primaries").is_some(),
        "nobody answered: {seen}"
    );
}

async fn secondary(set: &MongoSet) -> usize {
    let primary = set.primary().await;
    (0..3).find(|n| Some(*n) != primary).unwrap()
}
