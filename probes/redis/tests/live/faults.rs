//! Every fault of the matrix that can be made in seconds, one after the other on one cluster.

use std::time::Duration;

use readygate_redis::Contact;
use readygate_sdk::Cx;
use readygate_stack::{RedisCluster, RedisOptions};
use serde_json::json;

use crate::{
    common::{Seen, Verdict, config, look, run, run_in},
    matrix::Bench,
};

const SECRET: &str = "correct-horse";

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
    slots(&mut bench).await;
    replicas(&mut bench).await;
    serving(&mut bench).await;
    access(&mut bench).await;
    strangers(&mut bench).await;
    settling(&mut bench).await;
    failover(&mut bench).await;
    two_killed(&mut bench).await;
    bench.finish();
}

fn is(seen: &Seen, metric: &str, value: f64) {
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
        // Back before the others vote: roles stay.
        bench.recover().await;
    }
}

async fn hung(bench: &mut Bench) {
    for (index, name) in [(3, "a replica hangs"), (0, "a master hangs")] {
        bench.cluster.node(index).freeze().unwrap();
        let node = bench.nodes[index].clone();
        let seen = look(&bench.nodes, json!({"node_timeout": "400ms"})).await;
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
        let limit = Duration::from_millis(700);
        let seen = run(&patient, limit).await;
        seen.expect(Verdict::Fail).names("no-answer", &node);
        assert!(
            seen.took < limit + Duration::from_millis(500),
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

async fn slots(bench: &mut Bench) {
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

async fn replicas(bench: &mut Bench) {
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

    let wrong = ["CONFIG", "SET", "masterauth", SECRET];
    bench.ok(3, &["CONFIG", "SET", "masterauth", ""]);
    bench.ok(0, &["CONFIG", "SET", "requirepass", SECRET]);
    let inside = |c: &RedisCluster, words: &[&str]| {
        let replies = c.node(0).converse(&[&["AUTH", SECRET], words]).unwrap();
        replies.into_iter().collect::<Result<Vec<_>, _>>().unwrap()
    };
    inside(&bench.cluster, &["CLIENT", "KILL", "TYPE", "replica"]);
    bench
        .cluster
        .wait("the link", |c| {
            c.node(3)
                .command(&["INFO", "replication"])
                .is_ok_and(|i| i.contains("link_status:down"))
        })
        .unwrap();
    let seen = bench
        .row(
            "masterauth missing: replication down",
            1,
            json!({"settle": "0s"}),
        )
        .await;
    seen.names("replication-broken", &bench.nodes[3])
        .names("credentials-refused", &bench.nodes[0]);
    bench.ok(3, &wrong);
    inside(&bench.cluster, &["CONFIG", "SET", "requirepass", ""]);
    bench.ok(3, &["CONFIG", "SET", "masterauth", ""]);
    bench.recover().await;
}

async fn serving(bench: &mut Bench) {
    bench.ok(1, &["CONFIG", "SET", "maxmemory", "1mb"]);
    let seen = bench.fault("out of memory without eviction", 0).await;
    seen.expect(Verdict::Fail)
        .names("memory-full", &bench.nodes[1]);
    bench.ok(1, &["CONFIG", "SET", "maxmemory", "0"]);

    bench.ok(0, &["CONFIG", "SET", "min-replicas-to-write", "2"]);
    let seen = bench.fault("too few replicas to write", 0).await;
    seen.expect(Verdict::Fail)
        .names("writes-refused", &bench.nodes[0]);
    bench.ok(0, &["CONFIG", "SET", "min-replicas-to-write", "0"]);

    let dump = bench.cluster.node(2).data().join("dump.rdb");
    let _ = std::fs::remove_file(&dump);
    std::fs::create_dir(&dump).unwrap();
    bench.ok(2, &["CONFIG", "SET", "save", "3600 1"]);
    bench.ok(2, &["BGSAVE"]);
    bench
        .cluster
        .wait("the failed save", |c| {
            c.node(2)
                .command(&["PING"])
                .is_err_and(|e| e.starts_with("MISCONF"))
        })
        .unwrap();
    let seen = bench.fault("snapshot fails, writes refused", 0).await;
    seen.expect(Verdict::Fail)
        .names("rejects-commands", "MISCONF")
        .names("persistence-failing", &bench.nodes[2]);
    std::fs::remove_dir(&dump).unwrap();
    bench.ok(2, &["BGSAVE"]);
    bench
        .cluster
        .wait("the save", |c| c.node(2).command(&["PING"]).is_ok())
        .unwrap();
    let old = look(&bench.nodes, json!({"max_snapshot_age": "10s"})).await;
    old.names("snapshot-old", "has not saved since its start");
    let fresh = &bench.nodes[2];
    assert!(!old.of("snapshot-old").iter().any(|c| c.subject == *fresh));
    bench.ok(2, &["CONFIG", "SET", "save", ""]);
    bench.recover().await;
}

async fn access(bench: &mut Bench) {
    let acl = |bench: &Bench, words: &[&str]| {
        for node in 0..6 {
            let mut command = vec!["ACL", "SETUSER"];
            command.extend(words);
            bench.ok(node, &command);
        }
    };
    let secret = format!(">{SECRET}");
    acl(
        bench,
        &[
            "gate",
            "on",
            &secret,
            "resetkeys",
            "-@all",
            "+ping",
            "+info",
            "+cluster|info",
            "+cluster|nodes",
        ],
    );
    acl(bench, &["half", "on", &secret, "+ping", "+info"]);
    acl(bench, &["reader", "on", &secret, "~*", "+@read"]);
    let user = |name: &str| json!({"username": name, "password": SECRET});
    bench
        .row("user with the least rights", 0, user("gate"))
        .await
        .expect(Verdict::Pass);
    let seen = bench.row("user without CLUSTER", 0, user("half")).await;
    seen.expect(Verdict::Unmeasured)
        .names("permission-missing", &bench.nodes[0]);
    assert!(seen.metrics.why_absent("masters").is_some());
    let seen = bench
        .row("user that may only read", 0, user("reader"))
        .await;
    seen.expect(Verdict::Unmeasured)
        .names("permission-missing", "PING");
    let seen = bench
        .row(
            "wrong password",
            0,
            json!({"username": "gate", "password": "not-the-one"}),
        )
        .await;
    seen.expect(Verdict::Unmeasured)
        .names("credentials-refused", "WRONGPASS");
    let json = serde_json::to_string(&seen.measurement).unwrap();
    assert!(!json.contains("not-the-one"));

    for node in 0..6 {
        bench.ok(node, &["CONFIG", "SET", "requirepass", SECRET]);
    }
    let seen = bench.fault("password wanted, none given", 0).await;
    seen.expect(Verdict::Unmeasured)
        .names("credentials-refused", "NOAUTH");
    assert!(seen.of("master-count").is_empty() && seen.metrics.get("masters").is_none());
    for node in 0..6 {
        let replies = bench
            .cluster
            .node(node)
            .converse(&[&["AUTH", SECRET], &["CONFIG", "SET", "requirepass", ""]]);
        assert!(replies.unwrap().iter().all(Result::is_ok));
    }
    bench.recover().await;
}

async fn strangers(bench: &mut Bench) {
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
        waits.recv().await.unwrap();
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
