//! Targets, alerts and rules of a server that says what a real one does not say on demand.

use readygate_sdk::{CheckOutcome, ErrorKind, Level};
use readygate_web::testkit::respond;
use serde_json::{Value, json};

use crate::support::{Fake, Judged, ago, run};

const FAILED: Option<(CheckOutcome, Level)> = Some((CheckOutcome::Failed, Level::Error));
const UNMEASURED: Option<(CheckOutcome, Level)> = Some((CheckOutcome::Unmeasured, Level::Error));

fn rule(name: &str, severity: &str, alerts: &Value) -> Value {
    json!({"type": "alerting", "name": name, "query": "up == 0", "labels": {"severity": severity},
           "health": "ok", "lastEvaluation": ago(5), "alerts": alerts})
}

fn alert(name: &str, severity: &str, state: &str) -> Value {
    json!({"labels": {"alertname": name, "severity": severity, "instance": "a:1"}, "state": state, "activeAt": ago(90)})
}

async fn judged(rules: &[Value], with: Value) -> Judged {
    let data = json!({"groups": [{"name": "g", "interval": 15, "rules": rules}]});
    let server = Fake::new().data("/api/v1/rules", &data).start().await;
    run(&server.url("/"), with).await.unwrap()
}

#[tokio::test]
async fn only_alerts_with_the_labels_count() {
    let rules = [
        rule(
            "Down",
            "critical",
            &json!([alert("Down", "critical", "firing")]),
        ),
        rule(
            "Slow",
            "warning",
            &json!([
                alert("Slow", "warning", "pending"),
                alert("Slow", "warning", "firing")
            ]),
        ),
    ];
    let critical = judged(
        &rules,
        json!({"alerts": {"firing": "none", "labels": {"severity": "critical"}}}),
    )
    .await;
    assert_eq!(critical.wrong(), ["alert-firing"]);
    assert_eq!(critical.number("alerts.firing"), Some(1.0));
    let all = judged(&rules, json!({"alerts": {}})).await;
    assert_eq!(all.number("alerts.firing"), Some(2.0));
    assert_eq!(
        all.outcome("alert-pending", ""),
        Some((CheckOutcome::Failed, Level::Warning))
    );
    let counted = judged(&rules, json!({"alerts": {"firing": "any"}})).await;
    assert_eq!(counted.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn silence_passes_only_where_something_could_fire() {
    let with = json!({"alerts": {"labels": {"severity": "critical"}}});
    let quiet = judged(&[rule("Down", "critical", &json!([]))], with.clone()).await;
    assert_eq!(quiet.wrong(), Vec::<String>::new());
    let other = judged(&[rule("Slow", "warning", &json!([]))], with.clone()).await;
    assert_eq!(other.outcome("nothing-alerts", ""), FAILED);
    assert_eq!(other.wrong(), ["nothing-alerts"]);
    let counted = json!({"alerts": {"firing": "any", "labels": {"severity": "critical"}}});
    let counted = judged(&[rule("Slow", "warning", &json!([]))], counted).await;
    assert_eq!(counted.outcome("nothing-alerts", ""), FAILED);
    let rules_only = judged(
        &[rule("Down", "critical", &json!([]))],
        json!({"rules": {}}),
    )
    .await;
    assert_eq!(rules_only.number("alerts.firing"), None);
    assert_eq!(rules_only.number("rules.total"), Some(1.0));
    let template = judged(
        &[rule("Down", "{{ $labels.severity }}", &json!([]))],
        with.clone(),
    )
    .await;
    assert_eq!(template.outcome("nothing-alerts", ""), UNMEASURED);
    let none = judged(&[], json!({"alerts": {}})).await;
    assert_eq!(none.outcome("nothing-alerts", ""), FAILED);
}

#[tokio::test]
async fn rules_that_are_not_evaluated_prove_nothing() {
    let with = json!({"alerts": {}, "rules": {"configured": ["Down"]}});
    for (field, value, code) in [
        ("health", json!("err"), "rule-broken"),
        ("health", json!("unknown"), "rule-stale"),
        ("lastEvaluation", json!(ago(300)), "rule-stale"),
        (
            "lastEvaluation",
            json!("0001-01-01T00:00:00Z"),
            "rule-stale",
        ),
    ] {
        let mut rule = rule("Down", "critical", &json!([]));
        rule[field] = value;
        rule["lastError"] = json!("many-to-many matching not allowed");
        let judged = judged(&[rule], with.clone()).await;
        let wrong = judged.wrong();
        assert!(
            wrong.iter().any(|w| w == code) && wrong.iter().any(|w| w == "alert-firing"),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_page_of_the_rules_is_not_all_of_them() {
    let rules = json!([rule("Down", "critical", &json!([]))]);
    let mut data = json!({"groups": [{"name": "g", "interval": 15, "rules": rules}]});
    data["groupNextToken"] = json!("abc");
    let paged = json!({"status": "success", "data": data});
    data["groupNextToken"] = json!("");
    let warned = json!({"status": "success", "data": data, "warnings": ["ruler-2: no answer"]});
    for body in [paged, warned] {
        let server = Fake::new()
            .answer("/api/v1/rules", "200 OK", &body)
            .start()
            .await;
        let with = json!({"alerts": {}, "rules": {"configured": ["Other"]}});
        let judged = run(&server.url("/"), with).await.unwrap();
        assert_eq!(judged.outcome("alert-firing", ""), UNMEASURED);
        assert_eq!(judged.outcome("rule-missing", "Other"), UNMEASURED);
        assert_eq!(judged.number("alerts.firing"), None);
    }
}

#[tokio::test]
async fn silenced_is_what_the_alertmanager_says() {
    let rules = [rule(
        "Down",
        "critical",
        &json!([alert("Down", "critical", "firing")]),
    )];
    let data = json!({"groups": [{"name": "g", "interval": 15, "rules": rules}]});
    let managed = |silenced: Value, more: Value| {
        let labels = json!({"alertname": "Down", "severity": "critical", "instance": "a:1", "cluster": "eu"});
        let mut list = vec![
            json!({"labels": labels, "status": {"state": "suppressed", "silencedBy": silenced}}),
        ];
        list.extend(more.as_array().cloned().unwrap_or_default());
        json!(list)
    };
    let awake = json!([{"labels": {"alertname": "Down", "severity": "critical", "instance": "a:1", "cluster": "us"},
                        "status": {"state": "active", "silencedBy": []}}]);
    let labelled = |cluster: &str| {
        let yaml = format!(
            "global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: {cluster}\n"
        );
        json!({"status": "success", "data": {"yaml": yaml}})
    };
    let (eu, us) = (("200 OK", labelled("eu")), ("200 OK", labelled("us")));
    let secret = ("403 Forbidden", json!({"status": "error"}));
    for (body, (status, config), firing) in [
        (managed(json!(["id"]), json!([])), &eu, 0.0),
        (managed(json!([]), json!([])), &eu, 1.0),
        (managed(json!(["id"]), awake.clone()), &eu, 0.0),
        (managed(json!(["id"]), awake), &us, 1.0),
        (managed(json!(["id"]), json!([])), &us, 1.0),
        (managed(json!(["id"]), json!([])), &secret, 1.0),
        (json!([]), &eu, 1.0),
    ] {
        let manager = Fake::default()
            .answer("/api/v2/alerts", "200 OK", &body)
            .start()
            .await;
        let server = Fake::new()
            .data("/api/v1/rules", &data)
            .answer("/api/v1/status/config", status, config)
            .start()
            .await;
        let with = json!({"alerts": {"alertmanager": {"url": manager.url("/")}}});
        let judged = run(&server.url("/"), with).await.unwrap();
        assert_eq!(judged.number("alerts.firing"), Some(firing), "{body}");
        assert_eq!(judged.wrong().is_empty(), firing == 0.0, "{body}");
        let check = judged.check("alert-firing", "").unwrap();
        let unknown = check.details.iter().any(|d| d.contains("external labels"));
        assert_eq!(unknown, *status == "403 Forbidden", "{check:?}");
    }
}

#[tokio::test]
async fn an_alertmanager_that_does_not_answer_silences_nothing() {
    let rules = [rule(
        "Down",
        "critical",
        &json!([alert("Down", "critical", "firing")]),
    )];
    let data = json!({"groups": [{"name": "g", "interval": 15, "rules": rules}]});
    let manager = Fake::default()
        .acts("/", respond("503 Service Unavailable", "", ""))
        .start()
        .await;
    let server = Fake::new().data("/api/v1/rules", &data).start().await;
    let with = json!({"alerts": {"alertmanager": {"url": manager.url("/")}}});
    let judged = run(&server.url("/"), with).await.unwrap();
    let check = judged.check("alert-firing", "").unwrap();
    assert!(
        check.outcome == CheckOutcome::Failed && check.details[1].contains("503"),
        "{check:?}"
    );
}

#[tokio::test]
async fn targets_are_counted_by_what_is_known_of_them() {
    let target = |instance: &str, health: &str, last: &str| {
        json!({"labels": {"job": "api", "instance": instance}, "health": health, "lastScrape": last,
               "scrapeInterval": "15s", "lastError": if health == "down" { "connection refused" } else { "" }})
    };
    let up = target("a:1", "up", &ago(3));
    let down = target("b:1", "down", &ago(3));
    let unknown = target("c:1", "unknown", "0001-01-01T00:00:00Z");
    let stale = target("d:1", "up", &ago(120));
    for (targets, with, wrong) in [
        (vec![&up], json!({"job": "api"}), vec![]),
        (vec![], json!({"job": "api"}), vec!["target-missing"]),
        (vec![&up], json!({"job": "web"}), vec!["target-missing"]),
        (vec![&up, &down], json!({"job": "api"}), vec!["target-down"]),
        (
            vec![&up, &down],
            json!({"job": "api", "at_least": 1}),
            vec![],
        ),
        (
            vec![&up],
            json!({"job": "api", "at_least": 3}),
            vec!["target-down"],
        ),
        (
            vec![&up, &unknown],
            json!({"job": "api"}),
            vec!["target-down", "target-stale"],
        ),
        (
            vec![&up, &stale],
            json!({"job": "ap*", "at_least": 2}),
            vec!["target-down", "target-stale"],
        ),
        (
            vec![&up, &stale],
            json!({"job": "api", "at_least": 1}),
            vec![],
        ),
    ] {
        let data = json!({"activeTargets": targets});
        let server = Fake::new().data("/api/v1/targets", &data).start().await;
        let judged = run(&server.url("/"), json!({"up": [with]})).await.unwrap();
        assert_eq!(judged.wrong(), wrong, "{with}");
        if with["at_least"].is_null() && wrong.contains(&"target-stale") {
            assert_eq!(judged.outcome("target-down", ""), UNMEASURED);
        }
    }
}

#[tokio::test]
async fn the_server_itself_is_no_target_of_any() {
    let target = |job: &str, url: &str| {
        json!({"labels": {"job": job, "instance": job}, "health": "up", "lastScrape": ago(3),
               "scrapeInterval": "15s", "scrapeUrl": url})
    };
    let ours = target("api", "http://10.0.0.7:9090/metrics");
    let node = target("node", "http://localhost:9100/metrics");
    let itself = target("prometheus", "http://localhost:9090/metrics");
    for (targets, pattern, wrong) in [
        (vec![&itself], "*", vec!["target-missing"]),
        (vec![&itself], "prometheus", vec![]),
        (vec![&itself, &ours], "*", vec![]),
        (vec![&itself, &node], "x | *", vec![]),
    ] {
        let data = json!({"activeTargets": targets});
        let server = Fake::new().data("/api/v1/targets", &data).start().await;
        let judged = run(&server.url("/"), json!({"up": [{"job": pattern}]}))
            .await
            .unwrap();
        assert_eq!(judged.wrong(), wrong, "{pattern}");
        assert_eq!(
            judged.number("targets.total"),
            Some(if wrong.is_empty() { 1.0 } else { 0.0 })
        );
    }
}

#[tokio::test]
async fn where_alerts_go_is_known_or_said_not_to_be() {
    let data = json!({"groups": [{"name": "g", "interval": 15, "rules": [rule("Down", "critical", &json!([]))]}]});
    for status in ["404 Not Found", "501 Not Implemented", "400 Bad Request"] {
        let server = Fake::new()
            .data("/api/v1/rules", &data)
            .acts("/api/v1/alertmanagers", respond(status, "", "no"))
            .start()
            .await;
        let judged = run(&server.url("/"), json!({"rules": {}})).await.unwrap();
        assert_eq!(
            judged.outcome("no-alertmanager", ""),
            Some((CheckOutcome::Unmeasured, Level::Warning))
        );
    }
    let server = Fake::new()
        .data("/api/v1/rules", &data)
        .acts("/api/v1/alertmanagers", respond("403 Forbidden", "", "no"))
        .start()
        .await;
    let error = run(&server.url("/"), json!({"rules": {}}))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
}
