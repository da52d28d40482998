//! Users, privileges, arbiters.

use mongodb::bson::{Document, doc};
use readygate_stack::{Member, MongoSet, SetSpec};
use serde_json::json;

use crate::common::{Verdict, look, with};

#[tokio::test(flavor = "multi_thread")]
async fn rights_decide_what_can_be_told() {
    let arbiter = Member {
        arbiter: true,
        ..Member::default()
    };
    let spec = SetSpec {
        members: vec![
            Member::default(),
            Member {
                priority: 0.5,
                ..Member::default()
            },
            arbiter,
        ],
        password: Some("pass%2Fword".to_owned()),
        ..SetSpec::default()
    };
    let mut set = MongoSet::start(spec).await.unwrap();
    let primary = set.primary().await.unwrap();
    users(&set, primary).await;
    let hosts = set.uri().split_once('@').unwrap().1.to_owned();
    let host = set.nodes[primary].address();
    let psa = json!({ "topology": { "members": 3, "arbiters": 1 }, "settle": "10s" });
    let as_user = |user: &str| format!("mongodb://{user}@{hosts}");

    // One role suffices, for indexes as well; the arbiter knows no users and is not asked for one.
    let indexes = json!({ "indexes": [{ "collection": "shop.orders", "keys": { "at": -1 } }] });
    let seen = look(&as_user("monitor:secret"), with(psa.clone(), indexes)).await;
    seen.ends(Verdict::Passed);
    assert_eq!(
        seen.wrong(),
        ["few-data-voters", "no-spare-member"],
        "{seen}"
    );
    assert_eq!(seen.number("members.healthy"), 3.0);
    assert_eq!(seen.number("indexes.missing"), 0.0);
    let seen = look(&as_user("monitor:secret"), json!({})).await;
    seen.ends(Verdict::Passed)
        .fails("arbiter", &set.nodes[2].address(), "holds no data");

    let seen = look(&as_user("monitor:wrong"), psa.clone()).await;
    seen.ends(Verdict::Unmeasured)
        .cannot_tell("login-refused", &host, "rejects the credentials");
    assert_eq!(
        seen.number("primaries"),
        1.0,
        "hello needs no login: {seen}"
    );
    let text = seen.to_string();
    assert!(!text.contains("wrong"), "{text}");

    for user in ["nobody:secret", "reader:secret"] {
        let seen = look(&as_user(user), psa.clone()).await;
        seen.ends(Verdict::Unmeasured)
            .cannot_tell("connections-used", &host, "not permitted");
        for rule in [
            "no-majority",
            "oplog-window",
            "feature-version",
            "fsync-locked",
        ] {
            seen.cannot_tell(rule, "", "clusterMonitor");
        }
        assert_eq!(
            seen.number("replication_lag.max"),
            0.0,
            "hello tells: {seen}"
        );
        assert!(seen.metrics.why_absent("members.voting").is_some());
    }
    let anonymous = look(&format!("mongodb://{hosts}"), psa.clone()).await;
    anonymous
        .ends(Verdict::Unmeasured)
        .passes("no-primary", "rs0");

    // Primary and arbiter alone: green from inside, and no write reaches a majority.
    set.nodes[1].kill();
    let seen = look(
        &as_user("monitor:secret"),
        with(psa, json!({ "settle": "0s" })),
    )
    .await;
    seen.ends(Verdict::Failed)
        .fails("no-majority", "rs0", "1 with data");
}

async fn users(set: &MongoSet, primary: usize) {
    let client = set.client(primary, true).unwrap();
    let admin = client.database("admin");
    for (user, role) in [
        ("monitor", Some("clusterMonitor")),
        ("nobody", None),
        ("reader", Some("read")),
    ] {
        let roles: Vec<Document> = role
            .iter()
            .map(|r| doc! { "role": *r, "db": "admin" })
            .collect();
        let create = doc! { "createUser": user, "pwd": "secret", "roles": roles, "writeConcern": { "w": 2 } };
        admin.run_command(create).await.unwrap();
    }
    let index = doc! {
        "createIndexes": "orders", "indexes": [{ "key": { "at": -1 }, "name": "at_-1" }],
        "commitQuorum": "votingMembers",
    };
    client.database("shop").run_command(index).await.unwrap();
}
