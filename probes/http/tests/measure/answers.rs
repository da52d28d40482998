//! Healthy and odd responses: what is recorded of them.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use readygate_http::{Found, Http};
use readygate_sdk::{CheckOutcome, ErrorKind, Probe, Target};
use serde_json::json;

use readygate_web::testkit::{Server, respond};

use crate::{config, judge, measure, measure_in, metrics, number, outcomes};

#[tokio::test]
async fn everything_that_is_asked_is_found() {
    let headers =
        "Content-Type: application/json\r\nX-Version: v4.0.0\r\nCache-Control: no-store\r\n";
    let body = r#"{"status": "ok", "db": {"pools": [{"free": 7}]}, "leader": null}"#;
    let server = Server::always(respond("200 OK", headers, body)).await;
    let yaml = format!(
        "{{url: '{}', status: [200, 204], response_headers: {{Cache-Control: no-store, Content-Type: 'matches ^application/json', Server: absent}}, \
         body_json: {{/status: ok, /db/pools/0/free: '>= 3', /leader: null, /error: absent, '': exists}}, \
         contains: pools, not_contains: [stack trace, error], version: {{header: X-Version}}}}",
        server.url("/health")
    );
    let record = measure(&yaml).await;
    let checks = judge(&yaml, &record);
    assert!(
        checks.iter().all(|c| c.outcome == CheckOutcome::Passed),
        "{checks:#?}"
    );
    assert_eq!(checks.len(), 1 + 3 + 1 + 5 + 3 + 1);
    let metrics = metrics(&record);
    assert_eq!(metrics.get("version").unwrap().display(), "v4.0.0");
    assert!((number(&metrics, "body.bytes") - body.len() as f64).abs() < 0.5);
    assert!(number(&metrics, "latency.connect") > 0.0);
    assert_eq!(metrics.why_absent("latency.tls"), Some("plain HTTP"));
    for (name, _) in metrics
        .iter()
        .map(|(n, m)| (n, m.unit))
        .chain([("latency.dns", readygate_sdk::Unit::Seconds)])
    {
        assert!(
            Http::META.metrics.iter().any(|m| m.covers(name)),
            "{name} is not documented"
        );
    }
}

#[tokio::test]
async fn a_name_is_looked_up_and_timed() {
    let server = Server::always(respond("200 OK", "", "")).await;
    let record = measure(&format!("{{url: '{}'}}", server.url_as("localhost", "/"))).await;
    assert!(number(&metrics(&record), "latency.dns") > 0.0);
}

#[tokio::test]
async fn the_request_is_sent_as_written() {
    let server = Server::always(respond("200 OK", "", "")).await;
    for (rest, line, kind, body) in [
        ("method: HEAD", "HEAD /x?y=1 HTTP/1.1", None, ""),
        (
            "method: PUT, body: 'hé'",
            "PUT /x?y=1 HTTP/1.1",
            Some("text/plain; charset=utf-8"),
            "hé",
        ),
        (
            "method: POST, json: {a: [1, true]}",
            "POST /x?y=1 HTTP/1.1",
            Some("application/json"),
            r#"{"a":[1,true]}"#,
        ),
        (
            "method: POST, form: {a: b c, d: '&'}",
            "POST /x?y=1 HTTP/1.1",
            Some("application/x-www-form-urlencoded"),
            "a=b+c&d=%26",
        ),
        (
            "method: PATCH, json: {}, headers: {content-type: application/merge-patch+json}",
            "PATCH /x?y=1 HTTP/1.1",
            Some("application/merge-patch+json"),
            "{}",
        ),
    ] {
        measure(&format!(
            "{{url: '{}', {rest}}}",
            server.url("/x?y=1#fragment")
        ))
        .await;
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.line, line);
        assert_eq!(
            seen.headers.get("content-type").map(String::as_str),
            kind,
            "{rest}"
        );
        assert_eq!(String::from_utf8_lossy(&seen.body), body);
        assert_eq!(seen.headers["accept-encoding"], "gzip");
        assert!(seen.headers["user-agent"].starts_with("readygate/"));
        assert!(
            !seen.headers.contains_key("authorization") && !seen.headers.contains_key("referer")
        );
    }
}

#[tokio::test]
async fn relative_urls_resolve_against_the_target() {
    let server = Server::always(respond("200 OK", "", "")).await;
    let target = Target {
        url: Some(server.url("/app/")),
        ..Target::default()
    };
    let cx = readygate_sdk::Cx::builder(crate::PATIENCE)
        .target(target)
        .build();
    measure_in("{url: health}", &cx).await.unwrap();
    assert_eq!(server.seen()[0].line, "GET /app/health HTTP/1.1");
    let error = Http::measure(&config("{url: /health}"), &crate::cx(crate::PATIENCE)).await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::BadData, "/health")
    );
    assert!(error.hint.unwrap().contains("target.url"));
}

#[tokio::test]
async fn the_version_needs_one_to_compare_with() {
    let cx = readygate_sdk::Cx::builder(crate::PATIENCE).build();
    let yaml = "{url: 'http://127.0.0.1:1/', version: {header: X-Version}}";
    let error = measure_in(yaml, &cx).await.unwrap_err();
    assert!(error.hint.unwrap().contains("target.version"));
}

#[tokio::test]
async fn versions_are_found_and_compared() {
    let server = Server::always(respond(
        "200 OK",
        "X-V: 3.9.1\r\n",
        r#"{"v": "4.0.0", "n": 4}"#,
    ))
    .await;
    for (source, found, outcome) in [
        ("json: /v", Some("4.0.0"), "passed"),
        ("json: /n", Some("4"), "failed"),
        ("json: /none", None, "failed"),
        ("header: X-V", Some("3.9.1"), "failed"),
        ("header: X-W", None, "failed"),
        ("text: '\"v\": \"([^\"]+)\"'", Some("4.0.0"), "passed"),
        ("text: '[0-9.]{5}'", Some("4.0.0"), "passed"),
        ("text: none", None, "failed"),
    ] {
        let yaml = format!("{{url: '{}', version: {{{source}}}}}", server.url("/"));
        let record = measure(&yaml).await;
        let fact = record.answers[0].facts.version.as_ref().unwrap();
        assert_eq!(fact.value.as_deref(), found, "{source}");
        assert_eq!(
            outcomes(&yaml, &record).pop().unwrap(),
            format!("{outcome} http/version-mismatch"),
            "{source}"
        );
        assert_eq!(
            metrics(&record)
                .get("version")
                .map(readygate_sdk::Metric::display)
                .as_deref(),
            found
        );
    }
}

#[tokio::test]
async fn every_one_of_duplicate_headers_counts() {
    let server = Server::always(respond(
        "200 OK",
        "X-Frame-Options: DENY\r\nx-frame-options: ALLOWALL\r\n",
        "",
    ))
    .await;
    let yaml = format!(
        "{{url: '{}', response_headers: {{X-Frame-Options: DENY}}}}",
        server.url("/")
    );
    let record = measure(&yaml).await;
    assert_eq!(
        record.answers[0].facts.headers[0].values,
        ["DENY", "ALLOWALL"]
    );
    assert_eq!(
        outcomes(&yaml, &record),
        ["passed http/status", "failed http/header"]
    );
}

#[tokio::test]
async fn invalid_utf8_is_shown_and_searched() {
    let mut body = vec![0xff, 0xfe, 0x00];
    body.extend(b"ready");
    let server = Server::always(respond("200 OK", "X-Odd: caf\u{e9}\r\n", &body)).await;
    let yaml = format!("{{url: '{}', contains: ready}}", server.url("/"));
    let record = measure(&yaml).await;
    assert_eq!(record.answers[0].body.excerpt, "\u{fffd}\u{fffd}\0ready");
    assert_eq!(
        outcomes(&yaml, &record),
        ["passed http/status", "passed http/body-text"]
    );
}

#[tokio::test]
async fn gzip_is_read() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&b"ready and ".repeat(1000)).unwrap();
    let wire = encoder.finish().unwrap();
    let server = Server::always(respond("200 OK", "Content-Encoding: gzip\r\n", &wire)).await;
    let yaml = format!(
        "{{url: '{}', contains: ready, response_headers: {{Content-Encoding: gzip}}}}",
        server.url("/")
    );
    let record = measure(&yaml).await;
    let body = &record.answers[0].body;
    assert_eq!((body.bytes, body.wire_bytes), (10_000, wire.len() as u64));
    assert_eq!(
        outcomes(&yaml, &record),
        [
            "passed http/status",
            "passed http/header",
            "passed http/body-text"
        ]
    );
}

#[tokio::test]
async fn an_unknown_encoding_leaves_the_body_open() {
    let server = Server::always(respond("200 OK", "Content-Encoding: br\r\n", "error")).await;
    let yaml = format!("{{url: '{}', not_contains: error}}", server.url("/"));
    let record = measure(&yaml).await;
    assert_eq!(
        outcomes(&yaml, &record),
        [
            "passed http/status",
            "unmeasured http/unread-encoding",
            "unmeasured http/body-text"
        ]
    );
}

#[tokio::test]
async fn unauthorized_is_a_failed_check_and_no_error() {
    let server = Server::always(respond("401 Unauthorized", "", "who are you?")).await;
    let yaml = format!("{{url: '{}'}}", server.url("/"));
    let checks = judge(&yaml, &measure(&yaml).await);
    assert_eq!(
        (checks[0].rule.as_str(), checks[0].outcome),
        ("http/status", CheckOutcome::Failed)
    );
    assert!(checks[0].hint.as_ref().unwrap().contains("`auth`"));
    assert_eq!(checks[0].details, ["body: who are you?"]);
}

#[tokio::test]
async fn large_values_are_not_kept() {
    let body = json!({"long": "x".repeat(2000), "n": 1}).to_string();
    let headers = format!("X-Long: {}\r\n", "y".repeat(2000));
    let server = Server::always(respond("200 OK", &headers, body)).await;
    let yaml = format!(
        "{{url: '{}', body_json: {{/long: 'matches x', '': exists}}, response_headers: {{X-Long: 'matches z'}}}}",
        server.url("/")
    );
    let record = measure(&yaml).await;
    let facts = &record.answers[0].facts;
    assert_eq!(facts.json[0].found, Found::Present);
    assert_eq!(facts.json[1].found, Found::TooLong(2002));
    assert_eq!(
        outcomes(&yaml, &record),
        [
            "passed http/status",
            "unmeasured http/header",
            "passed http/not-json",
            "passed http/body-json",
            "unmeasured http/body-json"
        ]
    );
}

#[tokio::test]
async fn another_config_finds_what_was_not_recorded_open() {
    let server = Server::always(respond("200 OK", "", r#"{"a": 1}"#)).await;
    let record = measure(&format!("{{url: '{}'}}", server.url("/"))).await;
    let asks = "{url: x, response_headers: {A: absent}, body_json: {/a: absent}, not_contains: x, version: {json: /v}}";
    let open: Vec<_> = outcomes(asks, &record)
        .into_iter()
        .filter(|o| o.starts_with("unmeasured"))
        .collect();
    assert_eq!(
        open,
        [
            "unmeasured http/header",
            "unmeasured http/body-json",
            "unmeasured http/body-text",
            "unmeasured http/version-mismatch"
        ]
    );
}
