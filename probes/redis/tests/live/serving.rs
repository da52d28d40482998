//! Servers that run and do not serve, or not us.

use readygate_stack::RedisCluster;
use serde_json::json;

use crate::{
    common::{Verdict, look},
    matrix::Bench,
};

const SECRET: &str = "correct-horse";

/// A command to a node that wants the password.
fn inside(bench: &Bench, node: usize, words: &[&str]) {
    let replies = bench
        .cluster
        .node(node)
        .converse(&[&["AUTH", SECRET], words])
        .unwrap();
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
}

pub async fn masterauth(bench: &mut Bench) {
    // All want a password, and no replica knows it.
    for node in 0..6 {
        bench.ok(node, &["CONFIG", "SET", "requirepass", SECRET]);
        inside(bench, node, &["CLIENT", "KILL", "TYPE", "replica"]);
    }
    let down = |c: &RedisCluster| {
        (3..6).all(|n| {
            let replies = c
                .node(n)
                .converse(&[&["AUTH", SECRET], &["INFO", "replication"]]);
            let info = replies.unwrap().remove(1);
            info.is_ok_and(|info| info.contains("master_link_status:down"))
        })
    };
    bench.cluster.wait("the links to break", down).unwrap();
    let seen = bench
        .row(
            "masterauth missing: nothing replicates",
            0,
            json!({"password": SECRET}),
        )
        .await;
    seen.expect(Verdict::Fail)
        .names("replication-broken", &bench.nodes[3]);
    assert!(seen.of("cluster-state").is_empty() && seen.of("views-differ").is_empty());
    // Links first, password last: a password that goes away in the middle of a handshake leaves a
    // replica that speaks the protocol of 2.6 and never acknowledges.
    for node in 0..6 {
        inside(bench, node, &["CONFIG", "SET", "masterauth", SECRET]);
    }
    let up = |c: &RedisCluster| {
        (3..6).all(|n| {
            let replies = c
                .node(n)
                .converse(&[&["AUTH", SECRET], &["INFO", "replication"]]);
            let info = replies.unwrap().remove(1);
            info.is_ok_and(|info| info.contains("master_link_status:up"))
        })
    };
    bench.cluster.wait("the links to come back", up).unwrap();
    for node in 0..6 {
        inside(bench, node, &["CONFIG", "SET", "requirepass", ""]);
    }
    for node in 0..6 {
        bench.ok(node, &["CONFIG", "SET", "masterauth", ""]);
    }
    bench.recover().await;
}

pub async fn serving(bench: &mut Bench) {
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
    let old = look(&bench.nodes, json!({"max_snapshot_age": "2s"})).await;
    old.names("snapshot-old", "has not saved since its start");
    let fresh = &bench.nodes[2];
    assert!(!old.of("snapshot-old").iter().any(|c| c.subject == *fresh));
    bench.ok(2, &["CONFIG", "SET", "save", ""]);
    bench.recover().await;
}

pub async fn access(bench: &mut Bench) {
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
}

pub async fn no_password(bench: &mut Bench) {
    for node in 0..6 {
        bench.ok(node, &["CONFIG", "SET", "requirepass", SECRET]);
    }
    let seen = bench.fault("password wanted, none given", 0).await;
    seen.expect(Verdict::Unmeasured)
        .names("credentials-refused", "NOAUTH");
    assert!(seen.of("master-count").is_empty() && seen.metrics.get("masters").is_none());
    for node in 0..6 {
        inside(bench, node, &["CONFIG", "SET", "requirepass", ""]);
    }
    bench.recover().await;
}
