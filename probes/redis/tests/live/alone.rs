//! Servers that are no cluster, clusters that were never made, and the hit rate.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use readygate_redis::Redis;
use readygate_sdk::{Cx, ErrorKind, Probe as _, testkit::BlackHole};
use readygate_stack::{RedisCluster, RedisOptions, eventually, redis};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::common::{Verdict, config, look, run};

#[tokio::test]
async fn one_server_and_its_hit_rate() {
    let server = redis(RedisOptions::default()).unwrap();
    let nodes = [server.address().to_string()];
    let alone = json!({"mode": "standalone"});
    let seen = look(&nodes, json!({"topology": alone})).await;
    seen.expect(Verdict::Pass);
    assert!((seen.number("nodes.online") - 1.0).abs() < 0.1);
    assert!(
        seen.metrics
            .why_absent("slots.covered")
            .unwrap()
            .contains("no cluster")
    );

    // `${REDIS_PASSWORD:-}` where none is set; a user of the ACL may have none either.
    let empty = json!({"topology": alone, "password": ""});
    look(&nodes, empty).await.expect(Verdict::Pass);
    let user = ["ACL", "SETUSER", "gate", "on", "nopass", "~*", "+@all"];
    server.command(&user).unwrap();
    let named = json!({"topology": alone, "username": "gate", "password": ""});
    look(&nodes, named).await.expect(Verdict::Pass);

    // A cluster was declared.
    let seen = look(
        &nodes,
        json!({"topology": {"nodes": 1, "masters": 1, "replicas_per_master": 0}}),
    )
    .await;
    seen.expect(Verdict::Unmeasured.max(Verdict::Fail))
        .names("wrong-mode", &nodes[0]);

    // Too few look-ups say nothing.
    let quiet = config(
        &nodes,
        json!({"topology": alone, "hit_rate": {"window": "300ms"}}),
    );
    let seen = run(&quiet, Duration::from_secs(5)).await;
    assert!(
        seen.metrics
            .why_absent("hit_rate")
            .unwrap()
            .contains("fewer than 1000")
    );

    let server = hit_rate(server, &nodes).await;
    drop(server);
    let seen = look(&nodes, json!({"topology": alone})).await;
    seen.expect(Verdict::Fail).names("unreachable", &nodes[0]);
}

/// Three of four look-ups find their key, while the probe watches.
async fn hit_rate(server: readygate_stack::Redis, nodes: &[String]) -> readygate_stack::Redis {
    let alone = json!({"mode": "standalone"});
    server.command(&["SET", "there", "1"]).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let reader = std::thread::spawn(move || {
        let four: [&[&str]; 4] = [
            &["GET", "there"],
            &["GET", "there"],
            &["GET", "there"],
            &["GET", "away"],
        ];
        let many: Vec<&[&str]> = four.iter().copied().cycle().take(400).collect();
        while !stop.load(Ordering::Relaxed) {
            server.converse(&many).unwrap();
        }
        server
    });
    let busy = config(
        nodes,
        json!({"topology": alone, "role": "cache", "hit_rate": {"window": "1s"}}),
    );
    let seen = run(&busy, Duration::from_secs(10)).await;
    over.store(true, Ordering::Relaxed);
    let server = reader.join().unwrap();
    seen.expect(Verdict::Pass);
    let metric = seen.metrics.get("hit_rate").unwrap();
    assert!(metric.sample.is_some_and(|s| s.trials >= 1_000));
    assert!(
        (seen.number("hit_rate") - 75.0).abs() < 5.0,
        "{}",
        metric.display()
    );
    server
}

#[tokio::test]
async fn a_master_and_its_replica() {
    let options = || RedisOptions::default().password("correct-horse");
    let master = redis(options()).unwrap();
    let replica = redis(options()).unwrap();
    let nodes = [master.address().to_string(), replica.address().to_string()];
    let with = json!({"topology": {"mode": "replication"}, "password": "correct-horse"});
    look(&nodes, with.clone())
        .await
        .expect(Verdict::Fail)
        .names("master-count", "all call themselves master");

    let port = master.address().port().to_string();
    replica.command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let up = || {
        replica
            .command(&["INFO", "replication"])
            .is_ok_and(|i| i.contains("master_link_status:up"))
            && master
                .command(&["INFO", "replication"])
                .is_ok_and(|i| i.contains("state=online"))
    };
    assert!(eventually(Duration::from_secs(20), up));
    let seen = look(&nodes, with.clone()).await;
    seen.expect(Verdict::Pass);
    assert!((seen.number("replicas") - 1.0).abs() < 0.1);

    // A master's password that the replica does not know.
    replica
        .command(&["CONFIG", "SET", "masterauth", "wrong"])
        .unwrap();
    master
        .command(&["CLIENT", "KILL", "TYPE", "replica"])
        .unwrap();
    let down = || {
        replica
            .command(&["INFO", "replication"])
            .is_ok_and(|i| i.contains("master_link_status:down"))
    };
    assert!(eventually(Duration::from_secs(20), down));
    look(&nodes, with)
        .await
        .expect(Verdict::Fail)
        .names("replication-broken", &nodes[1]);
}

#[tokio::test]
async fn six_nodes_that_were_never_joined() {
    let cluster = RedisCluster::apart(&RedisOptions::default()).unwrap();
    let nodes = cluster.addresses();
    let seen = look(&nodes, json!({})).await;
    seen.expect(Verdict::Fail)
        .names("cluster-state", &nodes[0])
        .names("views-differ", "does not know");
    assert!((seen.number("slots.covered")).abs() < 0.1);
}

#[tokio::test]
async fn hosts_that_back_each_other_up() {
    let hosts: Vec<Ipv4Addr> = [11, 12, 13, 12, 13, 11]
        .map(|n| Ipv4Addr::new(127, 0, 0, n))
        .into();
    let options = RedisOptions {
        hosts,
        ..RedisOptions::default()
    };
    let cluster = RedisCluster::start(&options).unwrap();
    let nodes = cluster.addresses();
    look(&nodes, json!({})).await.expect(Verdict::Pass);
    // The same machines, declared otherwise: two of three masters, and one pair, on rack a.
    let racks = json!({"hosts": {"127.0.0.11": "a", "127.0.0.12": "a", "127.0.0.13": "b"}});
    let seen = look(&nodes, racks).await;
    seen.expect(Verdict::Warn)
        .names("host-shared", "2 of 3 masters")
        .names("host-shared", &nodes[3]);
}

#[tokio::test]
async fn what_is_no_redis_and_what_is_not_there() {
    let hole = BlackHole::start().unwrap();
    let nodes = [hole.address().to_string()];
    let alone = json!({"mode": "standalone"});
    let seen = look(&nodes, json!({"topology": alone, "node_timeout": "200ms"})).await;
    seen.expect(Verdict::Fail).names("no-answer", &nodes[0]);

    let web = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nodes = [web.local_addr().unwrap().to_string()];
    std::thread::spawn(move || {
        use std::io::Write as _;
        for mut stream in web.incoming().flatten() {
            let _ = stream.write_all(b"+HTTP/1.1 400 Bad Request\r\n");
        }
    });
    let seen = look(&nodes, json!({"topology": alone})).await;
    assert_ne!(seen.verdict(), Verdict::Pass, "{}", seen.report());

    // A label of 64 characters is refused before any name server is asked.
    let nodes = [format!("{}:6379", "a".repeat(64))];
    let seen = look(&nodes, json!({"topology": alone})).await;
    seen.expect(Verdict::Fail).names("unreachable", &nodes[0]);
}

#[tokio::test]
async fn an_interrupted_run_ends_at_once() {
    let hole = BlackHole::start().unwrap();
    let nodes = [hole.address().to_string()];
    let with = config(
        &nodes,
        json!({"topology": {"mode": "standalone"}, "node_timeout": "60s"}),
    );
    let cancel = CancellationToken::new();
    let cx = Cx::builder(Duration::from_secs(60))
        .cancellation(cancel.clone())
        .build();
    let (measured, ()) = tokio::join!(Redis::measure(&with, &cx), async {
        while hole.accepted() == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    assert_eq!(measured.unwrap_err().kind, ErrorKind::Cancelled);
}
