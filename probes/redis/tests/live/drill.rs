//! The failover drill on a real cluster, and what happens without rights, time or health.

use std::time::Duration;

use readygate_redis::Redis;
use readygate_sdk::{Activity, Cx, Probe as _};
use readygate_stack::{RedisCluster, RedisOptions};
use serde_json::json;
use tokio::time::timeout;

use crate::common::{Verdict, config, run, run_in};

const LIMIT: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_drill_measures_the_gap_and_hands_back() {
    let mut cluster = RedisCluster::start(&RedisOptions::default()).unwrap();
    let nodes = cluster.addresses();
    let with = config(
        &nodes,
        json!({"drill": {"within": "15s", "max_gap": "5s", "replica": nodes[3]}}),
    );
    assert_eq!(Redis::footprint(&with).activity, Activity::Disruptive);
    let seen = run(&with, LIMIT).await;
    seen.expect(Verdict::Pass);
    let drill = seen.measurement.drill.as_ref().unwrap();
    assert_eq!(drill.handovers.len(), 2, "{drill:?}");
    assert_eq!(drill.handovers[0].replica, drill.handovers[1].master);
    assert!(drill.handovers.iter().all(|h| h.writes > 20), "{drill:?}");
    let gap = seen.number("drill.write_gap");
    assert!(gap > 0.0 && gap < 5.0, "{gap}");
    for node in 0..3 {
        assert!(
            cluster
                .node(node)
                .command(&["ROLE"])
                .unwrap()
                .starts_with("master")
        );
        assert_eq!(
            cluster.node(node).command(&["DBSIZE"]).unwrap(),
            "0",
            "the key must be gone"
        );
    }

    // One way only, in another shard: masters vote about one shard once in 2 x node timeout.
    let with = config(
        &nodes,
        json!({"drill": {"within": "15s", "restore": false, "replica": nodes[4]}}),
    );
    let seen = run(&with, LIMIT).await;
    seen.expect(Verdict::Pass);
    assert!(
        cluster
            .node(4)
            .command(&["ROLE"])
            .unwrap()
            .starts_with("master")
    );

    // An impossible limit is a failure, and says the number.
    let with = config(
        &nodes,
        json!({"drill": {"within": "15s", "max_gap": "1us", "restore": false, "replica": nodes[5]}}),
    );
    run(&with, LIMIT)
        .await
        .expect(Verdict::Fail)
        .names("drill-slow", "did not get through");

    refused(&mut cluster, &nodes).await;
}

/// Drills that must not be held.
async fn refused(cluster: &mut RedisCluster, nodes: &[String]) {
    // No time to see how it ends: it is not begun.
    let with = config(nodes, json!({"drill": {"within": "15s"}}));
    let seen = run(&with, Duration::from_secs(5)).await;
    seen.expect(Verdict::Unmeasured)
        .names("drill-failed", "no time");

    // A user that may look and may not write.
    for node in 0..6 {
        let rights = [
            "ACL",
            "SETUSER",
            "gate",
            "on",
            ">hunter22",
            "+ping",
            "+info",
            "+cluster|info",
            "+cluster|nodes",
        ];
        cluster.node(node).command(&rights).unwrap();
    }
    let with = config(
        nodes,
        json!({"drill": true, "username": "gate", "password": "hunter22"}),
    );
    run(&with, LIMIT)
        .await
        .expect(Verdict::Unmeasured)
        .names("drill-failed", "NOPERM");

    // A node dies while the drill is held: health does not come back, and that is a failure.
    let with = config(
        nodes,
        json!({"drill": {"within": "5s", "replica": nodes[1]}}),
    );
    let (told, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let cx = Cx::builder(LIMIT)
        .progress(move |_| {
            let _ = told.send(());
        })
        .build();
    let (seen, ()) = tokio::join!(run_in(&with, &cx), async {
        timeout(LIMIT, begins.recv()).await.unwrap().unwrap();
        cluster.node_mut(2).kill();
    });
    seen.expect(Verdict::Fail)
        .names("drill-failed", "not well afterwards")
        .names("drill-failed", &nodes[2]);

    // A cluster that is not well is left alone.
    let with = config(nodes, json!({"drill": true}));
    let seen = run(&with, LIMIT).await;
    seen.expect(Verdict::Fail)
        .names("drill-failed", "not well to begin with");
    assert!(seen.measurement.drill.unwrap().handovers.is_empty());
}
