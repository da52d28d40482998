//! Servers that do not answer as they should.

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use readygate_sdk::{CheckOutcome, ErrorKind, Level, testkit};
use readygate_web::testkit::{Act, Server, closed_port, respond, send};
use serde_json::json;

use crate::support::{Fake, ago, now, run, run_within};

async fn error(server: &Server) -> (ErrorKind, String, String) {
    let error = run(&server.url("/"), json!({"up": [{"job": "api"}]}))
        .await
        .err()
        .unwrap();
    let hint = error.hint.clone().unwrap_or_default();
    (error.kind, error.to_string(), hint)
}

#[tokio::test]
async fn a_healthy_server_passes() {
    let server = Fake::new().start().await;
    let judged = run(&server.url("/"), json!({"min_retention": "14d"}))
        .await
        .unwrap();
    assert_eq!(judged.wrong(), Vec::<String>::new());
    assert_eq!(judged.checks.len(), 3, "{:?}", judged.checks);
    assert_eq!(judged.number("retention"), Some(1_296_000.0));
    let short = run(&server.url(""), json!({"min_retention": "30d"}))
        .await
        .unwrap();
    assert_eq!(short.wrong(), ["retention-short"]);
}

/// It has no scalars, and evaluates 30 s ago what it dates now.
#[tokio::test]
async fn victoriametrics_is_measured() {
    let (now, then) = (now(), (now() - 30.0).to_string());
    let time = json!({"resultType": "vector", "result": [{"metric": {}, "value": [now, then]}]});
    let server = Fake::new()
        .data("/api/v1/query?query=time%28%29", &time)
        .acts(
            "/api/v1/status/runtimeinfo",
            respond("404 Not Found", "", ""),
        )
        .acts(
            "/-/ready",
            respond("400 Bad Request", "", "unsupported path"),
        )
        .start()
        .await;
    let judged = run(
        &server.url("/"),
        json!({"queries": {"now": {"expr": "time()"}}}),
    )
    .await
    .unwrap();
    assert_eq!(judged.wrong(), Vec::<String>::new());
    assert!(judged.record.server.skew_s.abs() < 10.0);
    for result in [
        json!([]),
        json!([{"metric": {}}]),
        json!([{"value": [1, "1"]}, {"value": [1, "1"]}]),
    ] {
        let server = Fake::new()
            .data(
                "/api/v1/query?query=time%28%29",
                &json!({"resultType": "vector", "result": result}),
            )
            .start()
            .await;
        let (kind, text, _) = error(&server).await;
        assert!(
            kind == ErrorKind::BadData && text.contains("time()"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn statuses_say_what_is_wrong() {
    for (status, body, kind, part) in [
        (
            "401 Unauthorized",
            "Unauthorized",
            ErrorKind::Refused,
            "status 401",
        ),
        ("403 Forbidden", "no", ErrorKind::Refused, "status 403"),
        (
            "404 Not Found",
            "nothing",
            ErrorKind::BadData,
            "path prefix",
        ),
        (
            "503 Service Unavailable",
            "Service Unavailable",
            ErrorKind::NoData,
            "not ready",
        ),
        (
            "502 Bad Gateway",
            "<html>",
            ErrorKind::Protocol,
            "status 502",
        ),
        ("429 Too Many Requests", "", ErrorKind::NoData, "429"),
        ("204 No Content", "", ErrorKind::Protocol, "204"),
    ] {
        let server = Server::always(respond(status, "", body)).await;
        let (found, text, hint) = error(&server).await;
        assert_eq!(found, kind, "{text}");
        assert!(text.contains(part) || hint.contains(part), "{text} {hint}");
    }
}

#[tokio::test]
async fn a_sign_in_page_is_none_of_prometheus() {
    let to = "Location: https://login.example/?state=x&code=se-cret\r\n";
    let server = Server::always(respond("302 Found", to, "")).await;
    let (kind, text, _) = error(&server).await;
    assert_eq!(kind, ErrorKind::Refused);
    assert!(
        text.contains("login.example") && !text.contains("se-cret"),
        "{text}"
    );
    let server = Server::always(respond(
        "200 OK",
        "",
        "\n<!DOCTYPE html><title>Sign in</title>",
    ))
    .await;
    let (kind, text, hint) = error(&server).await;
    assert_eq!(kind, ErrorKind::BadData);
    assert!(text.contains("HTML") && hint.contains("auth"), "{text}");
}

#[tokio::test]
async fn what_is_no_answer_is_no_answer() {
    let deep = format!(
        "{{\"status\":\"success\",\"data\":{}1{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    for body in [
        "",
        "OK",
        "{}",
        "[]",
        "null",
        "{\"status\":\"success\"}",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[]}}",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"resu",
        &deep,
    ] {
        let server = Fake::default()
            .acts("/", respond("200 OK", "", body))
            .start()
            .await;
        let (kind, text, _) = error(&server).await;
        assert_eq!(kind, ErrorKind::BadData, "{text}");
        assert!(
            text.contains("api/v1/query") || text.contains("time()"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\":\"success\",\"data\":[";
    let endless = vec![send(head), Act::Forever(vec![b' '; 65_536])];
    let server = Fake::default()
        .acts("/", respond("200 OK", "", ""))
        .acts("/api", endless)
        .start()
        .await;
    let (kind, text, _) = error(&server).await;
    assert_eq!(kind, ErrorKind::BadData);
    assert!(text.contains("16 MiB"), "{text}");
    assert!(server.sent() < 64 << 20, "{}", server.sent());
}

#[tokio::test]
async fn gzip_is_read_and_a_bomb_is_not() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let targets = json!({"status": "success", "data": {"activeTargets": [
        {"labels": {"job": "api", "instance": "a:1"}, "health": "up", "lastScrape": ago(5), "scrapeInterval": "15s"},
    ]}});
    let encoding = "Content-Encoding: gzip\r\n";
    let zipped = respond("200 OK", encoding, gzip(targets.to_string().as_bytes()));
    let server = Fake::new().acts("/api/v1/targets", zipped).start().await;
    let judged = run(&server.url("/"), json!({"up": [{"job": "api"}]}))
        .await
        .unwrap();
    assert_eq!(judged.wrong(), Vec::<String>::new());
    let bomb = respond("200 OK", encoding, gzip(&vec![b' '; 32 << 20]));
    let server = Fake::new().acts("/api/v1/targets", bomb).start().await;
    let (kind, text, _) = error(&server).await;
    assert_eq!(kind, ErrorKind::BadData);
    assert!(text.contains("16 MiB"), "{text}");
}

#[tokio::test]
async fn peers_that_hang_reset_or_are_not_there() {
    let hole = testkit::BlackHole::start().unwrap();
    let url = format!("http://{}/", hole.address());
    let error = run_within(Duration::from_millis(200), &url, json!({}))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.subject.ends_with("/-/ready"), "{error}");
    let server = Server::rude(vec![Act::Reset]).await;
    let error = run(&server.url("/"), json!({})).await.err().unwrap();
    assert!(
        matches!(error.kind, ErrorKind::Connect | ErrorKind::Protocol),
        "{error}"
    );
    let url = format!("http://127.0.0.1:{}/", closed_port().await);
    let error = run(&url, json!({})).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Connect);
    // A query that hangs, of a server that is well.
    let server = Fake::new()
        .acts("/api/v1/query?query=up", vec![Act::Hang])
        .start()
        .await;
    let with = json!({"queries": {"up": {"expr": "up"}}});
    let error = run_within(Duration::from_millis(500), &server.url("/"), with)
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn secrets_are_sent_and_never_shown() {
    let secret = "s3cret-t0ken";
    let server = Server::start(move |seen| {
        let said = seen.headers.values().cloned().collect::<Vec<_>>().join(" ");
        respond(
            "500 Internal Server Error",
            "",
            format!("{said} {secret} c2VjcmV0"),
        )
    })
    .await;
    let url = server.url_as(&format!("gate:{secret}@127.0.0.1"), "/");
    for (url, with) in [
        (url.as_str(), json!({})),
        (&server.url("/"), json!({"auth": {"bearer": secret}})),
        (
            &server.url("/"),
            json!({"auth": {"basic": {"user": "gate", "password": secret}}}),
        ),
        (
            &server.url("/"),
            json!({"secret_headers": {"x-key": secret}}),
        ),
    ] {
        let error = run(url, with).await.err().unwrap();
        let text = format!("{error:?}");
        assert!(
            !text.contains(secret) && !text.contains("Z2F0ZTpzM2NyZXQ"),
            "{text}"
        );
        let sent = server.seen().pop().unwrap().headers;
        assert!(
            sent.contains_key("authorization") || sent["x-key"] == secret,
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn the_path_prefix_stays() {
    let server = Server::always(respond("404 Not Found", "", "")).await;
    let _ = run(&server.url("/prom/"), json!({})).await;
    let lines: Vec<_> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert!(lines[0].starts_with("GET /prom/-/ready "), "{lines:?}");
    assert!(
        lines[1].starts_with("GET /prom/api/v1/query?query=time%28%29 "),
        "{lines:?}"
    );
}

#[tokio::test]
async fn clocks_that_do_not_agree_are_a_warning() {
    let server = Fake::new()
        .data(
            "/api/v1/query?query=time%28%29",
            &json!({"resultType": "scalar", "result": [1_000_000_000.5, "1000000000.5"]}),
        )
        .start()
        .await;
    let judged = run(&server.url("/"), json!({})).await.unwrap();
    assert_eq!(
        judged.outcome("clock-skew", ""),
        Some((CheckOutcome::Failed, Level::Warning))
    );
    assert!(judged.number("clock_skew").unwrap() > 1e8);
}

#[tokio::test]
async fn relatives_without_the_pages_of_prometheus_are_asked_all_the_same() {
    let server = Fake::new()
        .acts("/-/ready", respond("404 Not Found", "", ""))
        .acts(
            "/api/v1/status/runtimeinfo",
            respond("403 Forbidden", "", ""),
        )
        .acts("/api/v1/status/buildinfo", respond("404 Not Found", "", ""))
        .start()
        .await;
    let judged = run(&server.url("/"), json!({"min_retention": "1d"}))
        .await
        .unwrap();
    assert_eq!(judged.wrong(), ["retention-short"]);
    assert!(judged.check("reload-failed", "").is_none());
    assert!(judged.metrics.get("version").is_none());
    let server = Fake::new()
        .data(
            "/api/v1/status/runtimeinfo",
            &json!({"reloadConfigSuccess": false}),
        )
        .start()
        .await;
    let judged = run(&server.url("/"), json!({})).await.unwrap();
    assert_eq!(judged.wrong(), ["reload-failed"]);
}
