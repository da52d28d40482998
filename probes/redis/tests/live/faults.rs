//! Every fault of the matrix that can be made in seconds, one after the other on one cluster.

use std::time::Duration;

use readygate_redis::Contact;
use readygate_sdk::Cx;
use readygate_stack::{RedisCluster, RedisOptions};
use serde_json::json;

use crate::{
    common::{Seen, Verdict, config, look, run, run_in},
    matrix::Bench,
    serving, topology,
};

#[tokio::test]
async fn every_fault_is_seen_and_named() {
    let options = RedisOptions {
        node_timeout_ms: Some(1_000),
        ..RedisOptions::default()
    };
    let mut bench = Bench::new(RedisCluster::start(&options).unwrap());
    healthy(&mut bench).await;
    killed(&mut bench).await;
    hung(&mut bench).await;
    topology::slots(&mut bench).await;
    topology::lost_slots(&mut bench).await;
    topology::replicas(&mut bench).await;
    serving::masterauth(&mut bench).await;
    serving::serving(&mut bench).await;
    serving::access(&mut bench).await;
    serving::no_password(&mut bench).await;
    topology::strangers(&mut bench).await;
    settling(&mut bench).await;
    failover(&mut bench).await;
    two_killed(&mut bench).await;
    bench.finish();
}

pub fn is(seen: &Seen, metric: &str, value: f64) {
    let actual = seen.number(metric);
    assert!(
        (actual - value).abs() < 0.5,
        "{metric} is {actual}\n{}",
        seen.report()
    );
}

async fn healthy(bench: &mut Bench) {
    let seen = bench.fault("none: six healthy nodes", 0).await;
    seen.expect(Verdict::Pass);
    for (metric, value) in [
        ("nodes.known", 6.0),
        ("nodes.online", 6.0),
        ("nodes.failed", 0.0),
        ("masters", 3.0),
        ("replicas", 3.0),
        ("replicas_per_master.min", 1.0),
        ("slots.covered", 16_384.0),
        ("slots.open", 0.0),
        ("views", 1.0),
        ("settled_after", 0.0),
    ] {
        is(&seen, metric, value);
    }
    assert!(seen.number("replication_lag.max") <= 2.0);
    assert!(seen.metrics.why_absent("hit_rate").is_some());

    let one = look(&bench.nodes[3..4], json!({"topology": {"nodes": 6}})).await;
    one.expect(Verdict::Pass);
    is(&one, "nodes.online", 6.0);
    assert_eq!(
        one.measurement
            .nodes
            .iter()
            .filter(|n| n.told_by.is_some())
            .count(),
        5
    );

    let too_many = look(&bench.nodes, json!({"topology": {"nodes": 7}})).await;
    too_many.expect(Verdict::Fail).names("node-missing", "6/7");
    let masters = look(&bench.nodes, json!({"topology": {"masters": 4}})).await;
    masters
        .expect(Verdict::Fail)
        .names("master-count", "3 masters");
}

async fn killed(bench: &mut Bench) {
    let names = [
        "a master",
        "another master",
        "the third master",
        "a replica",
        "another replica",
        "the third replica",
    ];
    for (index, name) in names.into_iter().enumerate() {
        // What is started again comes back before the others vote: roles stay.
        patience(bench, "3000");
        bench.cluster.node_mut(index).kill();
        let seen = bench
            .fault(&format!("{name} killed"), (index + 1) % 6)
            .await;
        let node = &bench.nodes[index];
        seen.expect(Verdict::Fail)
            .names("unreachable", node)
            .names("node-missing", node);
        assert_eq!(seen.of("unreachable").len(), 1, "{}", seen.report());
        is(&seen, "nodes.online", 5.0);
        is(&seen, "nodes.failed", 1.0);
        bench.cluster.node_mut(index).start().unwrap();
        bench.recover().await;
    }
    patience(bench, "1000");
}

/// How many milliseconds a node may be silent before the others take it for dead.
fn patience(bench: &Bench, milliseconds: &str) {
    for node in 0..6 {
        bench.ok(
            node,
            &["CONFIG", "SET", "cluster-node-timeout", milliseconds],
        );
    }
}

async fn hung(bench: &mut Bench) {
    for (index, name) in [(3, "a replica hangs"), (0, "a master hangs")] {
        bench.cluster.node(index).freeze().unwrap();
        let node = bench.nodes[index].clone();
        let seen = look(&bench.nodes, json!({"node_timeout": "1s"})).await;
        seen.expect(Verdict::Fail).names("no-answer", &node);
        let answered = seen
            .measurement
            .nodes
            .iter()
            .filter(|n| n.contact == Contact::Answered);
        assert_eq!(answered.count(), 5);

        // The deadline of the gate ends it as well, and the five others are still reported.
        let patient = config(
            &bench.nodes,
            json!({"node_timeout": "20s", "settle": "20s"}),
        );
        let limit = Duration::from_secs(2);
        let seen = run(&patient, limit).await;
        seen.expect(Verdict::Fail).names("no-answer", &node);
        assert!(
            seen.took < limit + Duration::from_secs(2),
            "took {:?}",
            seen.took
        );
        let answered = seen
            .measurement
            .nodes
            .iter()
            .filter(|n| n.contact == Contact::Answered);
        assert_eq!(answered.count(), 5);

        bench
            .fault(name, index)
            .await
            .expect(Verdict::Fail)
            .names("no-answer", &node);
        bench.cluster.node(index).thaw().unwrap();
        // A master that was away too long comes back as a replica; make it master again.
        bench.cluster.wait_until_well().unwrap();
        if index == 0 && bench.ok(0, &["ROLE"]).starts_with("slave") {
            bench.ok(0, &["CLUSTER", "FAILOVER"]);
            bench
                .cluster
                .wait("node 0", |c| {
                    c.node(0)
                        .command(&["ROLE"])
                        .is_ok_and(|r| r.starts_with("master"))
                })
                .unwrap();
        }
        bench.recover().await;
    }
}

async fn settling(bench: &mut Bench) {
    bench.cluster.node_mut(3).kill();
    let with = config(&bench.nodes, json!({"settle": "20s"}));
    // The node comes back once the probe has said that it waits.
    let (told, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let cx = Cx::builder(Duration::from_secs(30))
        .progress(move |_| {
            let _ = told.send(());
        })
        .build();
    let cluster = &mut bench.cluster;
    let (seen, ()) = tokio::join!(run_in(&with, &cx), async {
        tokio::time::timeout(Duration::from_secs(30), waits.recv())
            .await
            .unwrap()
            .unwrap();
        cluster.node_mut(3).start().unwrap();
    });
    seen.expect(Verdict::Pass);
    assert!(seen.measurement.settle.looks > 1 && seen.number("settled_after") > 0.0);
    seen.names("unsteady", "passed after")
        .names("unsteady", &bench.nodes[3]);
    bench.recover().await;
}

async fn failover(bench: &mut Bench) {
    bench.cluster.node_mut(2).kill();
    let down = |c: &RedisCluster| {
        c.node(0)
            .command(&["CLUSTER", "INFO"])
            .is_ok_and(|i| i.contains("cluster_state:fail"))
    };
    bench.cluster.wait("the failure", down).unwrap();
    let seen = bench.fault("failover in progress", 0).await;
    seen.expect(Verdict::Fail)
        .names("unreachable", &bench.nodes[2]);
    let over = |c: &RedisCluster| {
        (0..6).filter(|n| *n != 2).all(|n| {
            c.node(n)
                .command(&["CLUSTER", "INFO"])
                .is_ok_and(|i| i.contains("cluster_state:ok"))
        })
    };
    bench.cluster.wait("the promotion", over).unwrap();
    let seen = bench
        .fault("after a failover, the old master still dead", 0)
        .await;
    seen.expect(Verdict::Fail)
        .names("unreachable", &bench.nodes[2])
        .names("master-without-replica", &bench.nodes[5]);
    is(&seen, "slots.covered", 16_384.0);
    bench.cluster.node_mut(2).start().unwrap();
    bench.cluster.wait_until_well().unwrap();
    let seen = bench
        .row("old master back as a replica", 0, json!({"settle": "5s"}))
        .await;
    seen.expect(Verdict::Pass);
}

async fn two_killed(bench: &mut Bench) {
    // Node 5 is the master now, and node 2 its replica.
    bench.cluster.node_mut(2).kill();
    bench.cluster.node_mut(5).kill();
    let seen = bench.fault("a master and its replica killed", 0).await;
    seen.expect(Verdict::Fail)
        .names("unreachable", &bench.nodes[2])
        .names("unreachable", &bench.nodes[5]);
    is(&seen, "nodes.online", 4.0);
    assert!(seen.number("slots.covered") < 16_384.0);
    bench.cluster.node_mut(0).kill();
    let seen = bench.fault("a majority of masters killed", 1).await;
    seen.expect(Verdict::Fail).names("master-count", "1 master");
    for node in [1, 3, 4] {
        bench.cluster.node_mut(node).kill();
    }
    let seen = bench.fault("all six killed", 1).await;
    seen.expect(Verdict::Fail);
    assert_eq!(seen.of("unreachable").len(), 6);
    is(&seen, "nodes.online", 0.0);
}
