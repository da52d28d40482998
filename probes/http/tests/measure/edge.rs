//! Caches, instances, health documents, OpenAPI coverage.

use std::sync::atomic::{AtomicUsize, Ordering};

use readygate_sdk::{CheckOutcome, ErrorKind};
use readygate_web::testkit::{Server, respond};

use crate::{fails, judge, measure, metrics, number, outcomes};

/// Says the words in turn, the last one for ever.
async fn cache(words: &'static [&'static str], more: &'static str) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |_| {
        let n = asked.fetch_add(1, Ordering::Relaxed).min(words.len() - 1);
        let headers = format!(
            "CF-Cache-Status: {}\r\nServer: cloudflare\r\n{more}",
            words[n]
        );
        respond("200 OK", &headers, "x")
    })
    .await
}

#[tokio::test]
async fn a_cache_gets_three_chances() {
    for (words, more, asks, wanted) in [
        (&["HIT"][..], "", 1, "passed http/cdn-miss"),
        (&["MISS", "HIT"], "", 2, "passed http/cdn-miss"),
        (&["EXPIRED", "MISS"], "", 3, "failed http/cdn-miss"),
        (
            &["DYNAMIC"],
            "Cache-Control: no-store\r\n",
            1,
            "failed http/cdn-bypass",
        ),
        (
            &["MISS", "HIT"],
            "Set-Cookie: sid=1\r\n",
            2,
            "failed http/cache-leak",
        ),
        (
            &["HIT"],
            "Set-Cookie: __cf_bm=1\r\n",
            1,
            "passed http/cache-leak",
        ),
    ] {
        let server = cache(words, more).await;
        let yaml = format!(
            "{{url: '{}', cdn: {{provider: cloudflare}}}}",
            server.url("/a.css")
        );
        let record = measure(&yaml).await;
        let outcomes = outcomes(&yaml, &record);
        assert!(
            outcomes.contains(&wanted.to_owned()),
            "{words:?}: {outcomes:?}"
        );
        assert_eq!(server.seen().len(), asks, "{words:?}");
    }
}

#[tokio::test]
async fn a_wrong_status_is_not_asked_away() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        let (status, word) = if first {
            ("503 Service Unavailable", "MISS")
        } else {
            ("200 OK", "HIT")
        };
        respond(status, &format!("CF-Cache-Status: {word}\r\n"), "x")
    })
    .await;
    let yaml = format!(
        "{{url: '{}', cdn: {{provider: cloudflare}}}}",
        server.url("/a.css")
    );
    let outcomes = outcomes(&yaml, &measure(&yaml).await);
    assert!(
        outcomes.contains(&"failed http/status".to_owned()),
        "{outcomes:?}"
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_to_credentials_from_a_cache_is_a_leak_even_if_nobody_asked() {
    let server = Server::always(respond("200 OK", "X-Cache: Hit from cloudfront\r\n", "")).await;
    let yaml = format!("{{url: '{}', auth: {{bearer: t0ken}}}}", server.url("/me"));
    let outcomes = outcomes(&yaml, &measure(&yaml).await);
    assert!(
        outcomes.contains(&"failed http/cache-leak".to_owned()),
        "{outcomes:?}"
    );
}

/// Instances in turn; one of them may be old. With a cookie the session stays.
async fn balancer(instances: usize, sticky: bool, old: Option<usize>) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |seen| {
        let turn = asked.fetch_add(1, Ordering::Relaxed) % instances;
        let kept = seen
            .headers
            .get("cookie")
            .and_then(|c| c.strip_prefix("node=")?.parse().ok());
        let node: usize = kept.filter(|_| sticky).unwrap_or(turn);
        let version = if old == Some(node) { "3.9.0" } else { "4.0.0" };
        let headers =
            format!("X-Instance: n{node}\r\nX-Version: {version}\r\nSet-Cookie: node={node}\r\n");
        respond("200 OK", &headers, "")
    })
    .await
}

#[tokio::test]
async fn instances_are_counted_and_compared() {
    for (instances, sticky, old, wanted) in [
        (
            2,
            true,
            None,
            vec!["failed http/spread", "passed http/sticky"],
        ),
        (
            3,
            true,
            None,
            vec![
                "passed http/spread",
                "passed http/sticky",
                "passed http/instance-version",
            ],
        ),
        (
            3,
            false,
            Some(1),
            vec!["failed http/sticky", "failed http/instance-version"],
        ),
    ] {
        let server = balancer(instances, sticky, old).await;
        let yaml = format!(
            "{{url: '{}', version: {{header: X-Version}}, spread: {{by: {{header: X-Instance}}, at_least: 3, sticky: true}}}}",
            server.url("/")
        );
        let record = measure(&yaml).await;
        let outcomes = outcomes(&yaml, &record);
        for wanted in wanted {
            assert!(
                outcomes.contains(&wanted.to_owned()),
                "{wanted}: {outcomes:?}"
            );
        }
        assert!((number(&metrics(&record), "instances") - instances as f64).abs() < 0.1);
    }
}

#[tokio::test]
async fn an_instance_without_a_name_leaves_it_open() {
    let server = Server::always(respond("200 OK", "", "")).await;
    let yaml = format!(
        "{{url: '{}', spread: {{by: {{header: X-I}}, at_least: 2}}}}",
        server.url("/")
    );
    let checks = judge(&yaml, &measure(&yaml).await);
    let spread = checks.iter().find(|c| c.rule == "http/spread").unwrap();
    assert_eq!(spread.outcome, CheckOutcome::Unmeasured, "{spread:?}");
}

#[tokio::test]
async fn a_health_document_tells_what_its_status_does_not() {
    let body = r#"{"status": "UP", "components": {"db": {"status": "DOWN"}}}"#;
    let server = Server::always(respond("200 OK", "", body)).await;
    let yaml = format!(
        "{{url: '{}', health: {{format: spring, require: [redis]}}}}",
        server.url("/")
    );
    let outcomes = outcomes(&yaml, &measure(&yaml).await);
    assert!(
        outcomes.contains(&"failed http/dependency-down".to_owned()),
        "{outcomes:?}"
    );
    assert!(
        outcomes.contains(&"failed http/dependency-missing".to_owned()),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn operations_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.yaml");
    let document = "openapi: 3.1.0\nservers: [{url: 'https://x.example/v1/'}]\npaths:\n  /users/me: {get: {}}\n  /users/{id}: {get: {}, delete: {}}\n  /cars: {post: {}}\n";
    std::fs::write(&file, document).unwrap();
    let server = Server::always(respond("200 OK", "", "")).await;
    let yaml = format!(
        "{{openapi: '{}', steps: [{{name: a, url: '{}'}}, {{name: b, url: '{}'}}]}}",
        file.display(),
        server.url("/v1/users/me"),
        server.url("/v1/users/7"),
    );
    let record = measure(&yaml).await;
    let asked: Vec<_> = record
        .openapi
        .as_ref()
        .unwrap()
        .operations
        .iter()
        .map(|o| o.answered.len())
        .collect();
    assert_eq!(asked, [1, 1, 0, 0]);
    assert!((number(&metrics(&record), "openapi.coverage") - 50.0).abs() < 1e-9);
    std::fs::write(&file, "openapi: 3.1.0\npaths: [\n").unwrap();
    let error = fails(&yaml).await;
    assert_eq!(error.kind, ErrorKind::BadData);
    assert!(error.message.contains("line"), "{error}");
    std::fs::write(&file, "swagger: '2.0'\npaths: {}\n").unwrap();
    assert!(fails(&yaml).await.message.contains("3.x"));
}
