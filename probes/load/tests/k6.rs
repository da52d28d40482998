//! Against real k6: segments, exit codes, and runs that exit with 0 on nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod fleet;

use fleet::{Said, config, measure, measure_with, server, tool, wrapped};
use readygate_load::{Model, Safe};
use readygate_sdk::CheckOutcome::{Failed, Passed, Unmeasured};
use serde_json::{Value as Json, json};

#[expect(
    clippy::needless_pass_by_value,
    reason = "the callers make it on the spot"
)]
fn with(url: &str, more: Json) -> Json {
    let mut k6 = json!({ "url": url, "rate": "100/s", "users": 20, "for": "3s", "timeout": "2s",
        "program": tool("k6") });
    k6.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "source": "k6", "k6": k6 })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_segments_are_one_run() {
    let server = server();
    let more = json!({ "segments": 2, "warmup": "1s", "bounds": { "p90": "1s", "p95": "1.5s" },
        "max_error_rate": "50%", "headers": { "X-Key": "canary-9" } });
    let said = Said::default();
    let judged = measure_with(with(&format!("{}/ok", server.url()), more), &said)
        .await
        .unwrap();
    assert!(
        said.lines()
            .iter()
            .any(|line| line == "k6: segment 2/2 has ended")
    );
    let facts = judged.measurement.k6.as_ref().unwrap();
    assert_eq!(facts.segments.len(), 2);
    let total = judged.measurement.total.as_ref().unwrap();
    let requests = total.requests.unwrap();
    assert!((280..=301).contains(&requests), "{requests}");
    assert_eq!(total.model, Model::Open);
    assert_eq!(total.statuses.get("2xx"), Some(&requests));
    // Counts are exact over both; the percentile is an upper bound.
    let p95 = facts.bounds.iter().find(|b| b.percent > 90.0).unwrap();
    assert_eq!((p95.within, p95.of), (requests, requests));
    let parts = &judged.measurement.files;
    let of = |i: usize| parts[i].result.latency.as_ref().unwrap().at(95.0).unwrap();
    let largest = of(0).max(of(1));
    assert_eq!(judged.number("latency.p95"), Some(largest));
    judged.check("load/k6-bound", Passed);
    judged.check("load/k6-script", Passed);
    assert!(judged.with(Failed).is_empty(), "{:?}", judged.with(Failed));
    let record = serde_json::to_string(&judged.measurement).unwrap();
    assert!(!record.contains("canary-9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_404() {
    let server = server();
    let more = json!({ "bounds": { "p95": "1s" }, "max_error_rate": "1%" });
    let judged = measure(with(&format!("{}/no", server.url()), more))
        .await
        .unwrap();
    judged.check("load/all-failed", Failed);
    judged.check("load/k6-bound", Failed);
    judged.check("load/k6-error-rate", Failed);
    assert!(judged.number("latency.p95").is_none());
    assert_eq!(judged.number("error_rate"), Some(100.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_refuses() {
    let port = readygate_stack::free_port().unwrap();
    let judged = measure(with(
        &format!("http://127.0.0.1:{port}/ok"),
        json!({ "for": "2s" }),
    ))
    .await
    .unwrap();
    judged.check("load/all-failed", Failed);
    let total = judged.measurement.total.unwrap();
    assert_eq!(
        total.error_kinds.get("no response"),
        total.requests.as_ref()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_shows_although_users_run_out() {
    let more = json!({ "users": 2, "rate": "50/s", "for": "3s", "timeout": "1s" });
    let judged = measure(with(&silent().await, more)).await.unwrap();
    let total = judged.measurement.total.as_ref().unwrap();
    assert_eq!(total.corrected, Safe::No);
    assert!(judged.measurement.k6.as_ref().unwrap().segments[0].dropped > 0);
    let dropped = |c: &&readygate_sdk::Check| c.rule == "load/k6-dropped-iterations";
    assert!(judged.checks.iter().find(dropped).unwrap().outcome != Passed);
    judged.check("load/all-failed", Failed);
    // What nobody answered in time took at least that time.
    let median = total.latency.as_ref().unwrap().at(50.0).unwrap();
    assert!(median >= 1.0, "{median}");
    assert!(total.error_kinds.contains_key("timeout"));
}

/// A peer that accepts and never answers.
async fn silent() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    format!("http://{address}/ok")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_in_every_iteration() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let before = "sed -i 's/const step = pick();/throw new Error(\"boom\");/' readygate.js";
    let program = wrapped(folder.path(), "k6", before);
    let more = json!({ "program": program, "for": "2s" });
    let judged = measure(with(&format!("{}/ok", server.url()), more))
        .await
        .unwrap();
    let check = judged.check("load/k6-script", Unmeasured);
    assert!(
        check.details.iter().any(|line| line.contains("boom")),
        "{check:#?}"
    );
    assert!(judged.number("error_rate").is_none());
    assert!(judged.number("requests").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_have_a_meaning() {
    let server = server();
    for (before, meaning) in [
        (
            "sed -i '1i throw new Error(\"early\");' readygate.js",
            "an exception before any request",
        ),
        (
            "sed -i 's/^export const options = PLAN.options;/export const options = {scenarios:{s:{executor:\"none\"}}};/' readygate.js",
            "options of the test are invalid",
        ),
        (
            "sed -i 's/const step = pick();/exec.test.abort(\"enough\");/' readygate.js",
            "the script aborted the test",
        ),
        ("kill -9 $$", "SIGKILL"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let program = wrapped(folder.path(), "k6", before);
        let more = json!({ "program": program, "for": "1s" });
        let judged = measure(with(&format!("{}/ok", server.url()), more))
            .await
            .unwrap();
        let check = judged.check("load/k6-run", Unmeasured);
        assert!(check.message.contains(meaning), "{before}: {check:#?}");
        assert!(judged.number("requests").is_none());
    }
}

#[test]
fn the_manifest_is_yaml_of_a_test_run() {
    let with = json!({ "allow": { "rate": "45000/s", "connections": 90000 }, "k6": { "requests": [
        { "url": "/a?b=1", "weight": 3 },
        { "url": "/ü", "method": "POST", "json": { "a": "line\n: \"é\"" }, "expect_status": [201] },
    ], "rate": "45000/s", "users": 90000, "for": "1h", "segments": 12, "bounds": { "p95": "50ms" },
        "headers": { "Authorization": "Bearer canary-9" } } });
    let text =
        readygate_load::manifest("load.big_one", &config(with), Some("https://app.test")).unwrap();
    assert!(!text.contains("canary-9"));
    assert!(text.contains("exitCode"));
    let parts: Vec<Json> = text
        .split("\n---\n")
        .map(|part| serde_saphyr::from_str(part).unwrap())
        .collect();
    let [map, run] = &parts[..] else {
        panic!("{text}")
    };
    assert_eq!(map["kind"], "ConfigMap");
    let script = map["data"]["readygate.js"].as_str().unwrap();
    assert!(script.contains("export const options") && script.contains("https://app.test/a?b=1"));
    assert_eq!(run["kind"], "TestRun");
    assert_eq!(run["spec"]["parallelism"], 12);
    assert_eq!(
        run["spec"]["script"]["configMap"]["name"],
        map["metadata"]["name"]
    );
    assert_eq!(run["spec"]["script"]["configMap"]["file"], "readygate.js");
    assert!(
        run["spec"]["arguments"]
            .as_str()
            .unwrap()
            .contains("--quiet")
    );
    assert_eq!(run["spec"]["runner"]["env"][0]["name"], "READYGATE_HEADERS");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_send_no_faster_than_the_target_allows() {
    let server = server();
    let k6 = json!({ "url": format!("{}/ok", server.url()), "users": 4, "segments": 2, "for": "2s",
        "timeout": "2s", "program": tool("k6") });
    let with = json!({ "source": "k6", "allow": { "rate": "50/s" }, "k6": k6 });
    let judged = measure(with).await.unwrap();
    let total = judged.measurement.total.as_ref().unwrap();
    let requests = total.requests.unwrap();
    assert!((20..=110).contains(&requests), "{requests}");
    // Waiting for its turn is in no latency.
    let median = total.latency.as_ref().unwrap().at(50.0).unwrap();
    assert!(median < 0.02, "{median}");
}
