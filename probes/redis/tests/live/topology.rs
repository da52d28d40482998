//! Faults of slots, views and membership.

use readygate_stack::RedisCluster;

use crate::{common::Verdict, faults::is, matrix::Bench};

pub async fn slots(bench: &mut Bench) {
    let (first, third) = (
        bench.cluster.id(0).to_owned(),
        bench.cluster.id(2).to_owned(),
    );
    bench.ok(0, &["CLUSTER", "SETSLOT", "0", "MIGRATING", &third]);
    let seen = bench.fault("slot left migrating", 1).await;
    seen.expect(Verdict::Fail)
        .names("slots-open", &bench.nodes[0])
        .names("slots-open", &bench.nodes[2]);
    is(&seen, "slots.open", 1.0);
    bench.ok(2, &["CLUSTER", "SETSLOT", "0", "IMPORTING", &first]);
    bench
        .fault("slot left migrating and importing", 1)
        .await
        .expect(Verdict::Fail);
    bench.ok(0, &["CLUSTER", "SETSLOT", "0", "STABLE"]);
    let seen = bench.fault("slot left importing", 1).await;
    seen.expect(Verdict::Fail)
        .names("slots-open", &bench.nodes[2]);
    bench.ok(2, &["CLUSTER", "SETSLOT", "0", "STABLE"]);
    bench.recover().await;
}

pub async fn lost_slots(bench: &mut Bench) {
    bench.ok(1, &["CLUSTER", "DELSLOTS", "6000"]);
    let seen = bench
        .fault("slot dropped by its owner, views split", 0)
        .await;
    seen.expect(Verdict::Fail)
        .names("slots-uncovered", "6000")
        .names("views-differ", &bench.nodes[1]);
    is(&seen, "slots.covered", 16_383.0);
    assert!(seen.number("views") > 1.0);

    for node in 0..6 {
        let _ = bench
            .cluster
            .node(node)
            .command(&["CLUSTER", "DELSLOTS", "6000"]);
    }
    let says = |state: &'static str| {
        move |c: &RedisCluster| {
            let info = c.node(0).command(&["CLUSTER", "INFO"]);
            info.is_ok_and(|info| info.contains(state))
        }
    };
    bench
        .cluster
        .wait("state fail", says("cluster_state:fail"))
        .unwrap();
    let seen = bench.fault("slot unassigned everywhere", 0).await;
    seen.expect(Verdict::Fail)
        .names("cluster-state", &bench.nodes[0]);

    for node in 0..6 {
        bench.ok(
            node,
            &["CONFIG", "SET", "cluster-require-full-coverage", "no"],
        );
    }
    bench
        .cluster
        .wait("state ok", says("cluster_state:ok"))
        .unwrap();
    let seen = bench
        .fault("slot unassigned, full coverage not required", 0)
        .await;
    seen.expect(Verdict::Fail)
        .names("slots-uncovered", "6000")
        .names("slots-failing", "16383");
    assert!(!seen.of("partial-coverage").is_empty());
    for node in 0..6 {
        bench.ok(
            node,
            &["CONFIG", "SET", "cluster-require-full-coverage", "yes"],
        );
    }
    bench.ok(1, &["CLUSTER", "ADDSLOTS", "6000"]);
    bench.recover().await;
}

pub async fn replicas(bench: &mut Bench) {
    let (first, third) = (
        bench.cluster.id(0).to_owned(),
        bench.cluster.id(2).to_owned(),
    );
    bench.ok(
        5,
        &["CONFIG", "SET", "cluster-allow-replica-migration", "no"],
    );
    bench.ok(5, &["CLUSTER", "REPLICATE", &first]);
    let moved = |id: &str| {
        let id = id.to_owned();
        move |c: &RedisCluster| {
            (0..6).all(|n| {
                let lines = c.node(n).command(&["CLUSTER", "NODES"]).unwrap_or_default();
                lines
                    .lines()
                    .any(|l| l.starts_with(c.id(5)) && l.contains(&id))
            }) && c
                .node(5)
                .command(&["INFO", "replication"])
                .is_ok_and(|i| i.contains("link_status:up"))
        }
    };
    bench.cluster.wait("the move", moved(&first)).unwrap();
    let seen = bench.fault("replica moved to another master", 0).await;
    seen.expect(Verdict::Fail)
        .names("master-without-replica", &bench.nodes[2])
        .names("replica-misplaced", &bench.nodes[2]);
    is(&seen, "replicas_per_master.min", 0.0);
    bench.ok(5, &["CLUSTER", "REPLICATE", &third]);
    bench.cluster.wait("the move back", moved(&third)).unwrap();
    bench.recover().await;

    bench.ok(4, &["CONFIG", "SET", "cluster-replica-no-failover", "yes"]);
    let flagged = |c: &RedisCluster| {
        c.node(4)
            .command(&["CLUSTER", "NODES"])
            .is_ok_and(|n| n.contains("nofailover"))
    };
    bench.cluster.wait("the flag", flagged).unwrap();
    bench
        .fault("replica told not to fail over", 0)
        .await
        .expect(Verdict::Warn)
        .names("replica-no-failover", &bench.nodes[4]);
    bench.ok(4, &["CONFIG", "SET", "cluster-replica-no-failover", "no"]);
    bench.recover().await;
}

pub async fn strangers(bench: &mut Bench) {
    let free = readygate_stack::free_port().unwrap().to_string();
    bench.ok(2, &["CLUSTER", "MEET", "127.0.0.1", &free, &free]);
    let seen = bench.fault("handshake to nowhere", 0).await;
    seen.expect(Verdict::Fail).names("handshake", &free);
    bench.recover().await;

    let id = bench.cluster.id(4).to_owned();
    bench.ok(0, &["CLUSTER", "FORGET", &id]);
    bench.ok(2, &["CLUSTER", "FORGET", &id]);
    let seen = bench.fault("replica forgotten by two nodes", 0).await;
    seen.expect(Verdict::Fail)
        .names("views-differ", &bench.nodes[0])
        .names("views-differ", &bench.nodes[2]);
    // Gossip is banned from bringing it back for a minute; meeting it is not.
    let nodes = bench.ok(4, &["CLUSTER", "NODES"]);
    let own = nodes.lines().find(|line| line.contains("myself")).unwrap();
    let bus = own.split(['@', ' ']).nth(2).unwrap().to_owned();
    let port = bench.cluster.node(4).address().port().to_string();
    for node in [0, 2] {
        bench.ok(node, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }
    bench.recover().await;
}
