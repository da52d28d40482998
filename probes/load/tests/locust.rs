//! Against real Locust: masters, workers, and what becomes of them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod fleet;

use std::process::Command;

use fleet::{Said, measure, measure_with, server, tool, wrapped};
use readygate_load::{Model, Safe};
use readygate_sdk::CheckOutcome::{Failed, Unmeasured};
use serde_json::{Value as Json, json};

#[expect(
    clippy::needless_pass_by_value,
    reason = "the callers make it on the spot"
)]
fn with(url: &str, more: Json) -> Json {
    let mut locust = json!({ "url": url, "users": 10, "rate": "50/s", "spawn_rate": "50/s", "for": "4s",
        "workers": 2, "timeout": "2s", "wait": "60s", "program": tool("locust") });
    locust
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "source": "locust", "locust": locust })
}

/// The process id of a worker, once it was said.
fn pid(said: &Said, worker: &str) -> Option<i32> {
    let lines = said.lines();
    let line = lines
        .iter()
        .find(|line| line.contains(&format!("{worker} is up")))?;
    line.split("pid ")
        .nth(1)?
        .trim_end_matches(')')
        .parse()
        .ok()
}

fn has(said: &Said, text: &str) -> bool {
    said.lines().iter().any(|line| line.contains(text))
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1_500 {
        if holds() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it never came to that");
}

fn signal(pid: i32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_and_two_workers() {
    let server = server();
    let judged = measure(with(
        &format!("{}/ok", server.url()),
        json!({ "headers": { "X-Key": "canary-9" } }),
    ))
    .await
    .unwrap();
    let facts = judged.measurement.locust.as_ref().unwrap();
    assert_eq!(facts.version.as_deref(), Some("2.47.0"));
    assert_eq!(facts.seen(), 2);
    assert_eq!(facts.users_least, Some(10));
    assert!(
        facts
            .workers
            .iter()
            .all(|w| w.lost.is_none() && w.cpu_most.is_some()),
        "{facts:#?}"
    );
    let total = judged.measurement.total.as_ref().unwrap();
    assert_eq!((total.model, total.corrected), (Model::Closed, Safe::No));
    // 50 a second for 4 seconds, over both workers, and none of the ramp.
    let requests = total.requests.unwrap();
    assert!((150..=215).contains(&requests), "{requests}");
    assert_eq!(total.latency.as_ref().unwrap().count, Some(requests));
    assert!(judged.with(Unmeasured).is_empty());
    assert_eq!(judged.with(Failed), ["load/unsafe-latency"]);
    assert!(judged.number("latency.p95").is_some_and(|s| s > 0.0));
    let record = serde_json::to_string(&judged.measurement).unwrap();
    assert!(!record.contains("canary-9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_named_and_nothing_passes() {
    let server = server();
    let said = Said::default();
    let config = with(&format!("{}/ok", server.url()), json!({ "for": "6s" }));
    let kill = async {
        until(|| has(&said, "Locust measure")).await;
        signal(pid(&said, "worker 2").unwrap(), "KILL");
    };
    let (judged, ()) = tokio::join!(measure_with(config, &said), kill);
    let judged = judged.unwrap();
    let check = judged.check("load/locust-workers", Unmeasured);
    assert!(
        check.message.contains("worker 2 was killed by SIGKILL"),
        "{}",
        check.message
    );
    // Half the load has no numbers.
    assert!(judged.number("latency.p95").is_none());
    assert!(judged.number("error_rate").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_worker_left_the_run_ends_at_once() {
    let server = server();
    let said = Said::default();
    let config = with(&format!("{}/ok", server.url()), json!({ "for": "30s" }));
    let kill = async {
        until(|| has(&said, "Locust measure")).await;
        for worker in ["worker 1", "worker 2"] {
            signal(pid(&said, worker).unwrap(), "KILL");
        }
        tokio::time::Instant::now()
    };
    let (judged, killed) = tokio::join!(measure_with(config, &said), kill);
    let judged = judged.unwrap();
    let check = judged.check("load/locust-run", Unmeasured);
    assert!(
        check.message.contains("no worker is left"),
        "{}",
        check.message
    );
    assert!(killed.elapsed().as_secs() < 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_leaves_by_itself_is_lost_too() {
    let server = server();
    let said = Said::default();
    let config = with(&format!("{}/ok", server.url()), json!({ "for": "5s" }));
    let leave = async {
        until(|| has(&said, "Locust measure")).await;
        signal(pid(&said, "worker 1").unwrap(), "TERM");
    };
    let (judged, ()) = tokio::join!(measure_with(config, &said), leave);
    let judged = judged.unwrap();
    let check = judged.check("load/locust-workers", Unmeasured);
    assert!(
        check.message.contains("worker 1 left the run"),
        "{}",
        check.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_master_takes_its_workers_along() {
    let server = server();
    let said = Said::default();
    let folder = tempfile::tempdir().unwrap();
    let noted = folder.path().join("pid");
    let note = format!(
        "case \"$*\" in *--master-bind*) echo $$ > {};; esac",
        noted.display()
    );
    let program = wrapped(folder.path(), "locust", &note);
    let config = with(
        &format!("{}/ok", server.url()),
        json!({ "for": "30s", "program": program }),
    );
    let kill = async {
        until(|| has(&said, "Locust measure")).await;
        let master = std::fs::read_to_string(&noted).unwrap();
        signal(master.trim().parse().unwrap(), "KILL");
    };
    let (judged, ()) = tokio::join!(measure_with(config, &said), kill);
    let judged = judged.unwrap();
    let check = judged.check("load/locust-run", Unmeasured);
    assert!(check.actual.as_ref().unwrap().contains("SIGKILL"));
    // What the master had seen until then is kept.
    assert!(judged.measurement.locust.unwrap().series.len() > 1);
    let worker = pid(&said, "worker 1").unwrap();
    let process = format!("/proc/{worker}/cmdline");
    until(|| !std::path::Path::new(&process).exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_workers_than_expected() {
    let server = server();
    let more = json!({ "remote_workers": 1, "master_host": "localhost", "wait": "3s" });
    let mut config = with(&format!("{}/ok", server.url()), more);
    config["locust"]["bind"] = json!(format!(
        "127.0.0.1:{}",
        readygate_stack::free_port().unwrap()
    ));
    let said = Said::default();
    let judged = measure_with(config, &said).await.unwrap();
    let check = judged.check("load/locust-run", Unmeasured);
    assert!(
        check
            .details
            .iter()
            .any(|line| line.contains("Gave up waiting")),
        "{check:#?}"
    );
    let check = judged.check("load/locust-workers", Unmeasured);
    assert_eq!(check.expected.as_deref(), Some("3 workers"));
    assert!(has(
        &said,
        "locust -f - --worker --master-host localhost --master-port"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_file_is_shown() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    // One machine has another Python, or lacks a module.
    let before = format!(
        "[ \"$READYGATE_WORKER\" = 2 ] && {{ sed '1i import no_such_module' readygate_locustfile.py > broken.py; \
         exec {} -f broken.py --worker; }}",
        tool("locust")
    );
    let program = wrapped(folder.path(), "locust", &before);
    let judged = measure(with(
        &format!("{}/ok", server.url()),
        json!({ "program": program }),
    ))
    .await
    .unwrap();
    let check = judged.check("load/locust-run", Unmeasured);
    assert!(
        check
            .message
            .contains("worker 2 ended with exit code 1 before the load began"),
        "{}",
        check.message
    );
    assert!(
        check
            .details
            .iter()
            .any(|line| line.contains("no_such_module")),
        "{check:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_404() {
    let server = server();
    let config = with(
        &format!("{}/no", server.url()),
        json!({ "workers": 1, "for": "2s" }),
    );
    let judged = measure(config).await.unwrap();
    judged.check("load/all-failed", Failed);
    // Quick errors are no quick answers.
    assert!(judged.number("latency.p95").is_none());
    assert_eq!(judged.number("error_rate"), Some(100.0));
    let total = judged.measurement.total.unwrap();
    assert_eq!(total.statuses.get("404"), total.requests.as_ref());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_refuses() {
    let port = readygate_stack::free_port().unwrap();
    let config = with(
        &format!("http://127.0.0.1:{port}/ok"),
        json!({ "workers": 1, "for": "2s" }),
    );
    let judged = measure(config).await.unwrap();
    judged.check("load/all-failed", Failed);
    let kinds = judged.measurement.total.unwrap().error_kinds;
    assert!(
        kinds.keys().any(|kind| kind.contains("ConnectionRefused")),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_hung_for_a_while_is_named() {
    let server = server();
    let said = Said::default();
    let config = with(&format!("{}/ok", server.url()), json!({ "for": "8s" }));
    let hang = async {
        until(|| has(&said, "Locust measure")).await;
        let worker = pid(&said, "worker 2").unwrap();
        signal(worker, "STOP");
        // Locust calls a worker missing after three heartbeats of a second.
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        signal(worker, "CONT");
    };
    let (judged, ()) = tokio::join!(measure_with(config, &said), hang);
    let judged = judged.unwrap();
    let check = judged.check("load/locust-workers", Unmeasured);
    assert!(
        check.message.starts_with("worker 2 fell silent"),
        "{}",
        check.message
    );
    assert!(judged.number("throughput").is_none());
}
