//! A gate that makes load, from its config to its checks.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod server;

use std::time::Duration;

use readygate_load::{
    Load, LoadConfig, LoadMeasurement,
    engine::report::{Ended, LoadModel},
};
use readygate_sdk::{
    Activity, Bound, Check, CheckOutcome, Checks, Comparison, Cx, ErrorKind, Metrics, Probe as _,
    ProbeError, testkit,
};
use serde_json::{Value as Json, json};
use server::{Answer, Server};

/// A config as the core would hand it over.
fn config(with: Json, bounds: &[Bound]) -> LoadConfig {
    let mut config: LoadConfig = serde_json::from_value(with).unwrap();
    Load::expect(&mut config, bounds).unwrap();
    Load::validate(&config).unwrap();
    config
}

fn below(metric: &str, value: &str, every: Option<u64>) -> Bound {
    Bound {
        metric: metric.to_owned(),
        comparison: Comparison::Below,
        value: value.parse().unwrap(),
        every: every.map(Duration::from_secs),
        lasting: None,
    }
}

/// Half a second of load, so that the tests are quick.
fn with(server: &Server, path: &str) -> Json {
    json!({
        "url": format!("http://{}{path}", server.address()),
        "open": { "rate": "200/s", "connections": 16, "for": "500ms" },
        "timeout": "5s",
    })
}

struct Judged {
    measurement: LoadMeasurement,
    metrics: Metrics,
    checks: Vec<Check>,
}

impl Judged {
    fn outcome(&self, rule: &str) -> Option<CheckOutcome> {
        let code = format!("load/{rule}");
        let mut checks = self.checks.iter();
        checks.find(|check| check.rule == code).map(|c| c.outcome)
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.metrics.get(name)?.value {
            readygate_sdk::Value::Number(number) => Some(number),
            readygate_sdk::Value::Text(_) => None,
        }
    }
}

/// Judges what was recorded, as `readygate judge` does.
fn judge(config: &LoadConfig, measured: &LoadMeasurement) -> Judged {
    let json = serde_json::to_string(measured).unwrap();
    let measurement: LoadMeasurement = serde_json::from_str(&json).unwrap();
    let mut checks = Checks::new();
    Load::judge(config, &measurement, &mut checks);
    Judged {
        metrics: Load::metrics(&measurement),
        measurement,
        checks: checks.into_vec(),
    }
}

async fn run(config: &LoadConfig) -> Result<Judged, ProbeError> {
    let cx: Cx = testkit::cx(Duration::from_secs(20));
    Ok(judge(config, &Load::measure(config, &cx).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_target_is_measured_with_all_there_is_to_know() {
    let server = Server::start(|_| Answer::ok("{}")).await;
    let mut asked = with(&server, "/items?limit=1");
    asked["open"]["for"] = json!("2s");
    asked["timeout"] = json!("5s");
    let config = config(asked, &[below("latency.p95", "5s", Some(1))]);
    assert_eq!(Load::footprint(&config).activity, Activity::Disruptive);
    let run = run(&config).await.unwrap();
    assert_eq!(run.number("requests"), Some(400.0));
    assert_eq!(run.number("errors"), Some(0.0));
    assert_eq!(run.outcome("all-failed"), Some(CheckOutcome::Passed));
    assert_eq!(run.outcome("incomplete"), Some(CheckOutcome::Passed));
    let engine = run.measurement.engine.as_ref().unwrap();
    assert_eq!(engine.report.model, LoadModel::Open);
    assert_eq!(engine.report.ended, Ended::Complete);
    assert_eq!(engine.windows[0].scheduled, [200, 200]);
    // On a machine that is too busy to tell, the numbers are absent.
    if let Some(p95) = run.metrics.get("latency.p95") {
        let interval = p95.interval.unwrap();
        assert_eq!(interval.samples, 400);
        assert!(interval.low <= interval.high, "{interval:?}");
        assert_eq!(p95.windows[0].values.len(), 2);
        assert_eq!(run.number("throughput"), Some(200.0));
        assert_eq!(run.number("offered"), Some(200.0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_measured_survives_the_record() {
    let server = Server::start(|_| Answer::ok("{}")).await;
    let config = config(with(&server, "/"), &[]);
    let cx: Cx = testkit::cx(Duration::from_secs(20));
    let measured = Load::measure(&config, &cx).await.unwrap();
    let json = serde_json::to_string(&measured).unwrap();
    let back: LoadMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(measured, back);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_answers_only_404_fails() {
    let server = Server::start(|_| Answer::status(404)).await;
    let run = run(&config(with(&server, "/gone"), &[])).await.unwrap();
    assert_eq!(run.outcome("all-failed"), Some(CheckOutcome::Failed));
    assert!(run.metrics.get("latency.p95").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_never_answers_fails_in_time() {
    let server = Server::start(|_| Answer::Never).await;
    let started = tokio::time::Instant::now();
    let mut asked = with(&server, "/");
    asked["timeout"] = json!("300ms");
    let run = run(&config(asked, &[])).await.unwrap();
    assert_eq!(run.outcome("all-failed"), Some(CheckOutcome::Failed));
    assert!(run.number("timeouts").unwrap() > 0.0);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_refuses_cannot_be_measured() {
    let server = Server::start(|_| Answer::Never).await;
    let config = config(with(&server, "/"), &[]);
    drop(server);
    // The port may take a moment to close.
    tokio::time::sleep(Duration::from_millis(50)).await;
    match run(&config).await {
        Err(error) => assert_eq!(error.kind, ErrorKind::Connect, "{error}"),
        Ok(run) => assert!(
            run.checks.iter().any(|c| c.outcome == CheckOutcome::Failed),
            "{:?}",
            run.checks
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_target_shows_in_the_percentiles() {
    // Every response waits until the second half of each second is over.
    let begun = tokio::time::Instant::now();
    let server = Server::start(move |_| {
        let at = begun.elapsed().subsec_millis();
        Answer::After(Duration::from_millis(u64::from(if at >= 500 {
            1_000 - at
        } else {
            0
        })))
    })
    .await;
    let mut asked = with(&server, "/");
    asked["open"] = json!({ "rate": "100/s", "connections": 100, "for": "2s" });
    asked["timeout"] = json!("2s");
    let run = run(&config(asked, &[])).await.unwrap();
    let response = &run
        .measurement
        .engine
        .as_ref()
        .unwrap()
        .report
        .measured
        .response;
    // Half of the requests wait, evenly up to half a second: P95 is 450 ms, P50 next to nothing.
    let p95 = response.at(95.0).unwrap();
    assert!((350_000..700_000).contains(&p95), "{p95} us");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_load_ends_within_a_second_and_is_no_result() {
    let server = Server::start(|_| Answer::ok("{}")).await;
    let mut asked = with(&server, "/");
    asked["open"]["for"] = json!("30s");
    let config = config(asked, &[]);
    let cx: Cx = testkit::cx(Duration::from_secs(60));
    let cancel = cx.cancellation().clone();
    let own = config.clone();
    let measuring = tokio::spawn(async move { Load::measure(&own, &cx).await });
    server.asked(20).await;
    cancel.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(1), measuring).await;
    let run = judge(&config, &ended.unwrap().unwrap().unwrap());
    assert_eq!(run.outcome("incomplete"), Some(CheckOutcome::Unmeasured));
    assert!(run.metrics.get("latency.p95").is_none());
    assert!(run.number("requests").unwrap() > 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_send_what_the_data_and_earlier_steps_say() {
    let server = Server::start(|request| match request.path.as_str() {
        "/login" if request.body.contains(r#""user":"ann""#) => Answer::ok(r#"{"t":"key-ann"}"#),
        "/login" if request.body.contains(r#""user":"bob""#) => Answer::ok(r#"{"t":"key-bob"}"#),
        "/cart" if request.header("x-token").starts_with("key-") => Answer::ok("full"),
        _ => Answer::status(400),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users.csv"), "user\nann\nbob\n").unwrap();
    let base = format!("http://{}", server.address());
    let scenario = json!({
        "data": folder.path().join("users.csv"),
        "steps": [
            { "post": format!("{base}/login"), "json": { "user": "{{user}}" }, "capture": { "token": "$.t" } },
            { "get": format!("{base}/cart"), "headers": { "X-Token": "{{token}}" }, "contains": "full" },
        ],
    });
    let mut asked = with(&server, "/");
    asked.as_object_mut().unwrap().remove("url");
    asked["scenarios"] = json!([scenario]);
    asked["timeout"] = json!("5s");
    let run = run(&config(
        asked,
        &[below("routes./cart.latency.p95", "5s", None)],
    ))
    .await
    .unwrap();
    assert_eq!(run.number("errors"), Some(0.0), "{:?}", run.checks);
    assert_eq!(run.number("routes./login.requests"), Some(100.0));
    // No step begins after the end, so the last logins may be left without a cart.
    let carts = run.number("routes./cart.requests").unwrap();
    assert!((90.0..=100.0).contains(&carts), "{carts}");
    assert_eq!(run.number("requests"), Some(100.0 + carts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_without_a_column_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| Answer::ok("")).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("users.csv");
    for (text, says) in [
        ("user\nann\n", "`{{id}}` of `/x` is none of its columns"),
        (
            "id,user\n7\n",
            "line 2 has 1 values, and there are 2 columns",
        ),
        ("id\n", "no row"),
        ("", "empty"),
    ] {
        std::fs::write(&data, text).unwrap();
        let mut asked = with(&server, "/");
        asked.as_object_mut().unwrap().remove("url");
        let url = format!("http://{}/x?id={{{{id}}}}", server.address());
        asked["scenarios"] = json!([{ "data": data, "steps": [{ "get": url }] }]);
        let error = run(&config(asked, &[])).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::BadData);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secret_headers_are_sent_and_stay_out_of_the_record() {
    let server = Server::start(|request| match request.header("authorization").as_str() {
        "Bearer hunter2hunter2" => Answer::ok(""),
        _ => Answer::status(401),
    })
    .await;
    let mut asked = with(&server, "/");
    asked["secret_headers"] = json!({ "Authorization": "Bearer hunter2hunter2" });
    let config = config(asked, &[]);
    assert_eq!(
        Load::footprint(&config).credentials,
        ["header Authorization"]
    );
    let run = run(&config).await.unwrap();
    assert_eq!(run.number("errors"), Some(0.0));
    let record = serde_json::to_string(&run.measurement).unwrap();
    assert!(!record.contains("hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_breaks_the_target_is_stopped() {
    let server = Server::start(|_| Answer::status(500)).await;
    let mut asked = with(&server, "/");
    asked["open"]["for"] = json!("20s");
    asked["abort_on"] =
        json!([{ "metric": "error_rate", "above": "50%", "window": "1s", "after": "1s" }]);
    let started = tokio::time::Instant::now();
    let run = run(&config(asked, &[])).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(run.outcome("aborted"), Some(CheckOutcome::Failed));
}

#[test]
fn what_makes_load_needs_consent_and_what_reads_results_does_not() {
    let reports = json!({ "reports": ["k6.json"] });
    let activity = |with| Load::footprint(&config(with, &[])).activity;
    assert_eq!(activity(reports.clone()), Activity::Passive);
    let mut run = reports;
    run["run"] = json!(["k6", "run", "checkout.js"]);
    assert_eq!(activity(run), Activity::Disruptive);
}
