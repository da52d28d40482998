//! `observe` against a real Redis, a server that speaks Prometheus' API, and this process.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use readygate_load::observe::{self, ObserveConfig, Observed, Side};
use readygate_sdk::{Checks, Cx, Metrics};
use readygate_stack::RedisOptions;
use readygate_web::{
    Settings,
    testkit::{Server, respond},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn cx() -> Cx {
    Cx::builder(Duration::from_secs(60)).build()
}

fn config(value: Value) -> ObserveConfig {
    serde_json::from_value(value).unwrap()
}

/// Two looks, one at the start and one at the end, and `between` between them.
async fn watched(config: &ObserveConfig, side: Option<Side>, between: impl Future) -> Observed {
    let cx = cx();
    let begun = cx.now();
    let watcher = observe::start(config, side, &cx);
    between.await;
    let mut observed = watcher.finish(Some((begun, cx.now()))).await;
    // The last look is after the load; here it counts as the end of it.
    observed.window = Some((0.0, 60.0));
    observed
}

fn metrics(observed: &Observed, least: u64) -> Metrics {
    let mut metrics = Metrics::new();
    observe::metrics(observed, least, None, &mut metrics);
    metrics
}

fn outcomes(config: &ObserveConfig, observed: &Observed) -> Vec<String> {
    let mut checks = Checks::new();
    observe::judge(config, observed, &mut checks);
    let all = checks.into_vec();
    let said = all
        .iter()
        .map(|c| format!("{:?} {} {}", c.outcome, c.rule, c.subject).to_lowercase());
    said.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn this_process_is_watched() {
    let pid = std::process::id();
    let config = config(json!({"process": {"pid": pid}}));
    let observed = watched(&config, None, std::future::ready(())).await;
    let metrics = metrics(&observed, 1);
    assert!(metrics.get("observe.memory.max").is_some(), "{observed:?}");
    let why = metrics.why_absent("observe.memory.slope").unwrap();
    assert!(why.contains("30 minutes"), "{why}");
    let subject = format!("process {pid}");
    let expected = [
        format!("passed load/not-observed {subject}"),
        format!("passed load/process-ended {subject}"),
    ];
    assert_eq!(outcomes(&config, &observed), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_unmeasured() {
    let config = config(json!({
        "process": {"name": "no-such-program"},
        "redis": {"url": "redis://127.0.0.1:1"},
        "prometheus": {"url": "http://127.0.0.1:1", "queries": [{"name": "up", "query": "up"}]},
        "cache_headers": true,
    }));
    let observed = watched(&config, None, std::future::ready(())).await;
    let all = outcomes(&config, &observed);
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(
        all.iter()
            .all(|c| c.starts_with("unmeasured load/not-observed")),
        "{all:?}"
    );
    let metrics = metrics(&observed, 1);
    assert!(metrics.iter().next().is_none());
    let why = metrics.why_absent("observe.memory.max").unwrap();
    assert!(why.contains("no process no-such-program"), "{why}");
    for name in ["observe.cache.hit_rate", "observe.prometheus.up"] {
        assert!(
            metrics.why_absent(name).unwrap().contains("127.0.0.1"),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_fails() {
    let mut child = tokio::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let pid = child.id().unwrap();
    let config = config(json!({"process": {"pid": pid}, "every": "30s"}));
    let cx = cx();
    let begun = cx.now();
    let watcher = observe::start(&config, None, &cx);
    // The first look has been by then, and the second is the last.
    tokio::time::sleep(Duration::from_secs(3)).await;
    child.kill().await.unwrap();
    let mut observed = watcher.finish(Some((begun, cx.now()))).await;
    observed.window = Some((0.0, 60.0));
    let all = outcomes(&config, &observed);
    assert!(
        all.contains(&format!("failed load/process-ended process {pid}")),
        "{all:?}"
    );
    assert!(
        metrics(&observed, 1)
            .why_absent("observe.cpu.avg")
            .unwrap()
            .contains("ended")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_counts_hits_with_a_password_and_tells_a_reset() {
    let options = RedisOptions::default().password("s3cret");
    let redis = readygate_stack::redis(options).unwrap();
    let address = redis.address();
    let config =
        config(json!({"redis": {"url": format!("redis://{address}"), "password": "s3cret"}}));
    redis.command(&["SET", "there", "1"]).unwrap();
    let look_up = async {
        // The first look comes before.
        tokio::time::sleep(Duration::from_secs(3)).await;
        for key in ["there", "there", "there", "gone"] {
            redis.command(&["GET", key]).unwrap();
        }
    };
    let observed = watched(&config, None, look_up).await;
    let told = metrics(&observed, 4);
    let rate = told.get("observe.cache.hit_rate").unwrap();
    assert_eq!(
        rate.sample.map(|s| (s.hits, s.trials)),
        Some((3, 4)),
        "{observed:?}"
    );
    assert!(
        metrics(&observed, 5)
            .why_absent("observe.cache.hit_rate")
            .unwrap()
            .contains("4 look-ups")
    );
    assert!(!format!("{observed:?}").contains("s3cret"));
    let reset = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        redis.command(&["CONFIG", "RESETSTAT"]).unwrap();
    };
    let observed = watched(&config, None, reset).await;
    assert!(
        metrics(&observed, 1)
            .why_absent("observe.cache.hit_rate")
            .unwrap()
            .contains("set back")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_and_cache_headers_are_read() {
    let server = Server::start(|seen| {
        if seen.line.contains("/api/v1/query?query=heap") {
            let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"42"]}]}}"#;
            return respond("200 OK", "", body);
        }
        if seen.line.contains("/api/v1/") {
            return respond("400 Bad Request", "", r#"{"status":"error","error":"parse error at char 1"}"#);
        }
        respond("200 OK", "Cache-Status: edge; hit\r\n", "x")
    })
    .await;
    let config = config(json!({
        "prometheus": {"url": server.url("/"), "token": "t0ken", "queries": [
            {"name": "heap", "query": "heap", "take": "max"}, {"name": "bad", "query": "{"}]},
        "cache_headers": true,
    }));
    let side = Side {
        url: server.url("/page").parse().unwrap(),
        headers: vec![("x-own".into(), "1".into())],
        settings: Settings::default(),
    };
    let observed = watched(&config, Some(side), std::future::ready(())).await;
    let told = metrics(&observed, 1);
    assert!(
        told.get("observe.prometheus.heap").is_some(),
        "{observed:?}"
    );
    let why = told.why_absent("observe.prometheus.bad").unwrap();
    assert!(why.contains("parse error at char 1"), "{why}");
    assert!(told.get("observe.cache.hit_rate").is_some());
    let seen = server.seen();
    let query = seen.iter().find(|seen| seen.line.contains("heap")).unwrap();
    assert_eq!(query.headers["authorization"], "Bearer t0ken");
    assert!(seen.iter().any(|seen| seen.headers.contains_key("x-own")));
    let all = outcomes(&config, &observed);
    assert_eq!(
        all.iter().filter(|c| c.starts_with("unmeasured")).count(),
        1,
        "{all:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_it_at_once() {
    let cancel = CancellationToken::new();
    let cx = Cx::builder(Duration::from_secs(60))
        .cancellation(cancel.clone())
        .build();
    let hang = Server::always(vec![readygate_web::testkit::Act::Hang]).await;
    let config = config(json!({"cache_headers": true}));
    let side = Side {
        url: hang.url("/").parse().unwrap(),
        headers: Vec::new(),
        settings: Settings::default(),
    };
    let watcher = observe::start(&config, Some(side), &cx);
    cancel.cancel();
    let observed = tokio::time::timeout(Duration::from_secs(1), watcher.finish(None))
        .await
        .unwrap();
    assert!(observed.window.is_none());
}
