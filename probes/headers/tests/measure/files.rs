//! Captured responses: no network, no URL needed, and mistakes with their line.

use readygate_headers::{Headers, Kind};
use readygate_sdk::{Cx, ErrorKind, Probe};

use super::{PATIENCE, judge, measure_in};

const CAPTURE: &str = "HTTP/1.1 301 Moved\r\nLocation: /home\r\nSet-Cookie: sid=hush\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\r\n<html></html>";

fn cx(folder: &std::path::Path) -> Cx {
    Cx::builder(PATIENCE).directory(folder).build()
}

#[tokio::test]
async fn a_capture_is_judged_like_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("home.http"), CAPTURE).unwrap();
    std::fs::write(
        folder.path().join("404.http"),
        "HTTP/2 404\ncontent-type: application/json\n\n{}",
    )
    .unwrap();
    let yaml = "{from_file: [home.http, 404.http], http_url: none, captured_url: 'https://shop.example.net/home'}";
    let record = measure_in(yaml, &cx(folder.path())).await.unwrap();
    assert!(record.captured && record.cors.is_empty());
    assert_eq!(record.pages[0].url, "https://shop.example.net/home");
    assert_eq!(record.pages[1].kind, Kind::NotFound);
    assert!(!serde_json::to_string(&record).unwrap().contains("hush"));
    let checks = judge(yaml, &record);
    let failed: Vec<_> = checks
        .iter()
        .filter(|c| c.outcome != readygate_sdk::CheckOutcome::Passed)
        .collect();
    assert!(
        failed
            .iter()
            .any(|c| c.rule == "headers/cookie-http-only" && c.subject == "home.http cookie sid"),
        "{failed:#?}"
    );
    let metrics = Headers::metrics(&record);
    assert!(
        metrics
            .why_absent("observatory.score")
            .is_some_and(|why| why.contains("cors"))
    );
    assert!(metrics.get("observatory.known_score").is_some());
}

#[tokio::test]
async fn mistakes_in_captures_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, says, kind) in [
        ("text", "hello", "line 1, column 1", ErrorKind::BadData),
        (
            "broken",
            "HTTP/1.1 200 OK\nA: b\nbroken\n",
            "line 3, column 1",
            ErrorKind::BadData,
        ),
        (
            "har",
            "{\"log\": {\"entries\": [}}",
            "line 1, column",
            ErrorKind::BadData,
        ),
        (
            "empty",
            "{\"log\": {\"entries\": []}}",
            "no response",
            ErrorKind::BadData,
        ),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let error = measure_in(&format!("from_file: {name}"), &cx(folder.path()))
            .await
            .unwrap_err();
        assert!(
            error.message.contains(says) && error.subject == name,
            "{error}"
        );
        assert_eq!(error.kind, kind);
    }
    let error = measure_in("from_file: absent", &cx(folder.path()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoData);
}

#[tokio::test]
async fn a_capture_without_a_body_leaves_the_document_open() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("head"),
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
    )
    .unwrap();
    let record = measure_in("from_file: head", &cx(folder.path()))
        .await
        .unwrap();
    let checks = judge("from_file: head", &record);
    let sri = checks
        .iter()
        .find(|c| c.rule == "headers/sri-missing")
        .unwrap();
    assert!(sri.message.contains("curl -i"), "{}", sri.message);
}
