//! Indexes, migrations, slow queries, URI: one member is enough.

use mongodb::bson::{Document, doc};
use readygate_stack::{Member, MongoSet, SetSpec};
use serde_json::{Value, json};

use crate::{
    common::{Verdict, look, with},
    replication::fail_point,
};

#[expect(clippy::needless_pass_by_value, reason = "callers build it in place")]
fn indexes(list: Value) -> Value {
    with(
        json!({ "topology": { "members": 1 } }),
        json!({ "indexes": list }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_ready_for_the_release() {
    let spec = SetSpec {
        members: vec![Member::default()],
        ..SetSpec::default()
    };
    let set = MongoSet::start(spec).await.unwrap();
    let client = set.client(0, false).unwrap();
    let shop = client.database("shop");
    let create = doc! { "createIndexes": "orders", "indexes": [
        { "key": { "customer": 1, "at": -1 }, "name": "by_customer" },
        { "key": { "number": 1 }, "name": "number_1", "unique": true },
        { "key": { "seen": 1 }, "name": "seen_1", "expireAfterSeconds": 3600 },
        { "key": { "title": "text", "body": "text" }, "name": "words" },
        { "key": { "open": 1 }, "name": "open_1", "partialFilterExpression": { "open": true } },
        { "key": { "old": 1 }, "name": "old_1", "hidden": true },
    ] };
    shop.run_command(create).await.unwrap();
    declared_indexes(&set).await;
    building(&set).await;
    migrations(&set).await;
    slow_queries(&set).await;
}

async fn declared_indexes(set: &MongoSet) {
    let orders = |index: Value| with(json!({ "collection": "shop.orders" }), index);
    let fine = [
        orders(json!({ "keys": { "customer": 1, "at": -1 } })),
        orders(json!({ "keys": { "number": 1 }, "unique": true })),
        orders(json!({ "keys": { "seen": 1 }, "expire_after": "1h" })),
        orders(json!({ "keys": { "title": "text", "body": "text" }, "name": "words" })),
        orders(json!({ "keys": { "open": 1 }, "partial_filter": { "open": true } })),
    ];
    let seen = look(&set.uri(), indexes(json!(fine))).await;
    seen.ends(Verdict::Passed)
        .fails("index-hidden", "shop.orders", "old_1");
    seen.fails("index-undeclared", "shop.orders", "old_1");
    assert_eq!(seen.number("indexes.missing"), 0.0, "{seen}");

    for (index, rule, text) in [
        (
            json!({ "keys": { "at": -1, "customer": 1 } }),
            "index-missing",
            "is missing on",
        ),
        (
            json!({ "keys": { "number": 1 } }),
            "index-differs",
            "unique is true, not false",
        ),
        (
            json!({ "keys": { "seen": 1 }, "expire_after": "2h" }),
            "index-differs",
            "3600 s, not 7200 s",
        ),
        (
            json!({ "keys": { "open": 1 } }),
            "index-differs",
            "partialFilterExpression",
        ),
        (json!({ "keys": { "title": "text" } }), "index-missing", ""),
    ] {
        let seen = look(&set.uri(), indexes(json!([orders(index)]))).await;
        seen.ends(Verdict::Failed).fails(rule, "shop.orders", text);
        assert_eq!(seen.number("indexes.missing"), 1.0, "{seen}");
    }
    let nowhere = json!([{ "collection": "shop.nothing", "keys": { "a": 1 } }]);
    look(&set.uri(), indexes(nowhere))
        .await
        .ends(Verdict::Failed)
        .fails("index-missing", "shop.nothing", "");
}

async fn building(set: &MongoSet) {
    let client = set.client(0, false).unwrap();
    let shop = client.database("shop");
    shop.collection::<Document>("big")
        .insert_one(doc! { "a": 1 })
        .await
        .unwrap();
    fail_point(set, 0, "hangAfterStartingIndexBuild", "alwaysOn").await;
    let index = doc! { "createIndexes": "big", "indexes": [{ "key": { "a": 1 }, "name": "a_1" }] };
    let build = tokio::spawn(async move { shop.run_command(index).await });
    let list = json!([{ "collection": "shop.big", "keys": { "a": 1 } }]);
    let started = async |set: &MongoSet| {
        let stats = doc! { "aggregate": "big", "pipeline": [{ "$indexStats": {} }], "cursor": {} };
        let client = set.client(0, false).unwrap();
        let stats = client.database("shop").run_command(stats).await.unwrap();
        stats.to_string().contains("building")
    };
    set.until("index build", started).await.unwrap();
    let seen = look(&set.uri(), indexes(list.clone())).await;
    seen.ends(Verdict::Failed)
        .fails("index-building", "shop.big", "still being built");
    seen.fails("index-build-running", "", "shop.big");
    fail_point(set, 0, "hangAfterStartingIndexBuild", "off").await;
    build.await.unwrap().unwrap();
    look(&set.uri(), indexes(list)).await.ends(Verdict::Passed);
}

async fn migrations(set: &MongoSet) {
    let client = set.client(0, false).unwrap();
    let changelog = client.database("shop").collection::<Document>("changelog");
    let names = ["001-init.js", "002-orders.js", "003-index.js"];
    changelog
        .insert_many(names.map(|n| doc! { "fileName": n }))
        .await
        .unwrap();
    let wanted = |names: &[&str]| {
        let migrations =
            json!({ "collection": "shop.changelog", "field": "fileName", "expected": names });
        with(
            json!({ "topology": { "members": 1 } }),
            json!({ "migrations": migrations }),
        )
    };
    let seen = look(&set.uri(), wanted(&names)).await;
    seen.ends(Verdict::Passed).silent("migrations-unknown");
    assert_eq!(seen.number("migrations.missing"), 0.0);
    let seen = look(
        &set.uri(),
        wanted(&["002-orders.js", "003-index.js", "004-next.js"]),
    )
    .await;
    seen.ends(Verdict::Failed)
        .fails("migrations-missing", "shop.changelog", "004-next.js");
    seen.fails("migrations-unknown", "shop.changelog", "001-init.js");
    assert_eq!(seen.number("migrations.missing"), 1.0);
}

async fn slow_queries(set: &MongoSet) {
    let client = set.client(0, false).unwrap();
    let profile = |level: i32, slow: i32| doc! { "profile": level, "slowms": slow };
    let one = json!({ "topology": { "members": 1 }, "databases": ["shop"] });
    client
        .database("shop")
        .run_command(profile(0, 5000))
        .await
        .unwrap();
    let seen = look(&set.uri(), one.clone()).await;
    seen.ends(Verdict::Passed)
        .fails("slow-query-log", "shop", "slower than 5000 ms");
    client
        .database("shop")
        .run_command(profile(2, 100))
        .await
        .unwrap();
    let seen = look(&set.uri(), one.clone()).await;
    seen.silent("slow-query-log")
        .fails("profiler-on", "shop", "level 2");

    let uri = format!("{}&readPreference=nearest&maxPoolSize=7&w=0", set.uri());
    let client = json!({ "client": { "read_preference": "primary", "max_pool_size": 7 } });
    let seen = look(&uri, with(one, client)).await;
    seen.ends(Verdict::Failed)
        .fails("uri", "readPreference", "nearest")
        .passes("uri", "maxPoolSize");
    seen.fails("uri", "uri", "w=0");
}
