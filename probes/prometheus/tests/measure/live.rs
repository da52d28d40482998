//! A real Prometheus and a real Alertmanager, with real faults.

use std::time::Duration;

use nix::sys::signal::Signal;
use readygate_sdk::{CheckOutcome, ErrorKind, Level};
use readygate_stack as stack;
use readygate_web::testkit::{Server, respond};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Judged, run, run_within};

const RULES: &str = r#"
groups:
  - name: g
    rules:
      - { alert: Watchdog, expr: vector(1), labels: { severity: none } }
      - { alert: ServiceDown, expr: "up == 0", labels: { severity: critical } }
      - { alert: Slow, expr: "up == 1", for: 1h, labels: { severity: warning } }
      - { alert: DiskFull, expr: "node_filesystem_avail_bytes < 1", labels: { severity: major } }
      - { alert: Ambiguous, expr: 'shop_requests_total * on (job) shop_requests_total', labels: { severity: minor } }
"#;

fn exporter() -> String {
    "shop_requests_total{code=\"200\"} 990\nshop_requests_total{code=\"500\"} 10\nshop_load 0.5\n\
     shop_seconds_bucket{le=\"0.03\"} 94\nshop_seconds_bucket{le=\"0.1\"} 100\nshop_seconds_bucket{le=\"+Inf\"} 100\n"
        .to_owned()
}

/// Until the server has scraped and evaluated what the test is about: discovery takes five seconds.
async fn settled(url: &str, with: &Value, ready: impl Fn(&Judged) -> bool) -> Judged {
    let limit = Instant::now() + Duration::from_secs(25);
    loop {
        if let Ok(judged) = run(url, with.clone()).await
            && ready(&judged)
        {
            return judged;
        }
        assert!(Instant::now() < limit, "the server does not come to rest");
        sleep(Duration::from_millis(200)).await;
    }
}

fn everything(manager: &str) -> Value {
    json!({
        "up": [{"job": "shop"}, {"job": "self|dead"}, {"job": "nowhere"}],
        "alerts": {"labels": {"severity": "critical"}, "watchdog": "Watchdog",
                   "alertmanager": {"url": manager}},
        "rules": {"configured": ["ServiceDown", "*Disk*", "Ambiguous", "TlsExpiry"], "watching": ["up", "shop_requests_total", "probe_*"]},
        "queries": {
            "errors": {"expr": "sum(shop_requests_total{code=~\"5..\"}) / sum(shop_requests_total)", "unit": "ratio", "trials": "sum(shop_requests_total)"},
            "load": {"expr": "shop_load"},
            "p95": {"expr": "histogram_quantile(0.95, shop_seconds_bucket)", "unit": "s"},
            "several": {"expr": "shop_requests_total"},
            "empty": {"expr": "no_such_metric"},
            "zero": {"expr": "sum(shop_load * 0) / sum(shop_load * 0)"},
            "broken": {"expr": "sum(rate(shop_load[5m])"},
        },
    })
}

#[tokio::test]
async fn a_real_server_with_real_faults() {
    let exporter = Server::always(respond(
        "200 OK",
        "Content-Type: text/plain\r\n",
        exporter(),
    ))
    .await;
    let manager = stack::alertmanager().unwrap();
    let scrape = format!(
        "  - {{ job_name: self, static_configs: [{{ targets: ['SELF'] }}] }}
  - {{ job_name: shop, static_configs: [{{ targets: ['{}'] }}] }}
  - {{ job_name: dead, static_configs: [{{ targets: ['127.0.0.1:1'] }}] }}",
        exporter.address()
    );
    let more = format!(
        "alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{}'] }}] }}] }}",
        manager.address()
    );
    let server = stack::prometheus(&scrape, &more, RULES).unwrap();
    let with = everything(&manager.url());
    let judged = settled(&server.url(), &with, |j| {
        j.number("targets.down") == Some(1.0)
            && j.number("targets.up") == Some(2.0)
            && j.record
                .alerting
                .as_ref()
                .is_some_and(|a| a.firing == 1 && a.rules.iter().any(|r| r.health == "err"))
            && j.record.server.alertmanagers == Some(1)
    })
    .await;
    targets_and_rules(&judged);
    values(&judged);
    silenced(&server.url(), &manager).await;
    broken_and_stopped(&server, with).await;
}

fn targets_and_rules(judged: &Judged) {
    let outcome =
        |rule: &str, subject: &str| judged.outcome(rule, subject).map(|(outcome, _)| outcome);
    assert_eq!(outcome("target-down", "shop"), Some(CheckOutcome::Passed));
    assert_eq!(outcome("target-down", "dead"), Some(CheckOutcome::Failed));
    let dead = judged.check("target-down", "dead").unwrap();
    assert!(dead.details[0].contains("refused"), "{dead:?}");
    assert_ne!(
        outcome("target-missing", "nowhere"),
        Some(CheckOutcome::Passed)
    );
    assert_eq!(
        outcome("alert-firing", "critical"),
        Some(CheckOutcome::Failed)
    );
    assert_eq!(
        outcome("watchdog-silent", "Watchdog"),
        Some(CheckOutcome::Passed)
    );
    assert_eq!(
        outcome("rule-missing", "*Disk*"),
        Some(CheckOutcome::Passed)
    );
    assert_eq!(
        outcome("rule-missing", "TlsExpiry"),
        Some(CheckOutcome::Failed)
    );
    assert_eq!(
        outcome("rule-missing", "alert on up"),
        Some(CheckOutcome::Passed)
    );
    assert_eq!(
        outcome("rule-missing", "alert on probe_*"),
        Some(CheckOutcome::Failed)
    );
    assert_eq!(outcome("rule-broken", ""), Some(CheckOutcome::Failed));
    let blind = judged.check("rule-blind", "").unwrap();
    assert_eq!(
        blind.details,
        ["DiskFull (group g) looks at node_filesystem_avail_bytes"]
    );
    assert!(judged.check("rule-broken", "").unwrap().details[0].contains("many-to-many"));
    assert_eq!(outcome("no-alertmanager", ""), Some(CheckOutcome::Passed));
    assert_eq!(outcome("reload-failed", ""), Some(CheckOutcome::Passed));
    assert_eq!(outcome("clock-skew", ""), Some(CheckOutcome::Passed));
}

fn values(judged: &Judged) {
    assert_eq!(judged.number("query.errors"), Some(1.0));
    assert_eq!(
        judged
            .metrics
            .get("query.errors")
            .unwrap()
            .sample
            .unwrap()
            .trials,
        1000
    );
    assert_eq!(judged.number("query.load"), Some(0.5));
    let bucket = judged.record.queries["p95"].bucket.unwrap();
    assert_eq!((bucket.low, bucket.high), (Some(0.03), Some(0.1)));
    let p95 = judged.number("query.p95").unwrap();
    assert!((0.04..0.05).contains(&p95), "an estimate: {p95}");
    assert!(judged.record.queries["load"].age_s.unwrap() < 10.0);
    for (name, part) in [
        ("several", "2 series"),
        ("empty", "no series"),
        ("zero", "no traffic"),
        ("broken", "1:24: parse error"),
    ] {
        let why = judged.metrics.why_absent(&format!("query.{name}")).unwrap();
        assert!(why.contains(part), "{name}: {why}");
    }
}

async fn silenced(url: &str, manager: &stack::Server) {
    silence(manager).await;
    let quiet = json!({"alerts": {"labels": {"severity": "critical"}, "alertmanager": {"url": manager.url()}}});
    let judged = settled(url, &quiet, |j| j.number("alerts.silenced") == Some(1.0)).await;
    assert_eq!(judged.wrong(), Vec::<String>::new());
    let loud = run(url, json!({"alerts": {"labels": {"severity": "critical"}}}))
        .await
        .unwrap();
    assert_eq!(loud.wrong(), ["alert-firing"]);
    let pending = run(url, json!({"alerts": {"labels": {"severity": "warning"}}}))
        .await
        .unwrap();
    assert_eq!(
        pending.outcome("alert-pending", ""),
        Some((CheckOutcome::Failed, Level::Warning))
    );
}

async fn broken_and_stopped(server: &stack::Server, with: Value) {
    // A config that does not load leaves the old one running.
    std::fs::write(
        server.folder().join("rules.yml"),
        "groups: [{ name: g, rules: [{ alert: A, expr: 'sum(' }] }]",
    )
    .unwrap();
    server.signal(Signal::SIGHUP).unwrap();
    let judged = settled(&server.url(), &json!({}), |j| {
        j.record.server.reload_ok == Some(false)
    })
    .await;
    assert_eq!(judged.wrong(), ["reload-failed"]);

    server.signal(Signal::SIGSTOP).unwrap();
    let error = run_within(Duration::from_millis(500), &server.url(), with)
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

async fn silence(manager: &stack::Server) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let body = json!({
        "matchers": [{"name": "alertname", "value": "ServiceDown", "isRegex": false, "isEqual": true}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2120-01-01T00:00:00Z", "createdBy": "test", "comment": "test",
    })
    .to_string();
    let mut stream = tokio::net::TcpStream::connect(manager.address())
        .await
        .unwrap();
    let head = format!(
        "POST /api/v2/silences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
