//! Pages, nonces, redirects on the same origin, and what stays secret.

use std::sync::atomic::{AtomicU64, Ordering};

use readygate_sdk::{
    CheckOutcome::{Failed, Passed, Unmeasured},
    ErrorKind,
};
use readygate_web::testkit::{Act, Server, closed_port, respond};

use super::{fails, judge, measure, outcomes};

const HTML: &str = "Content-Type: text/html\r\n";

#[tokio::test]
async fn raw_cookies_and_documents_are_recorded_without_values() {
    let headers = format!(
        "{HTML}Set-Cookie: sid=hush; Path=/\r\nset-cookie: b\u{e9}\u{ff}=hush; Secur\r\nServer: nginx/1.2\r\nX-Other: x\r\n"
    );
    let body = "<script src=https://cdn.example/a.js></script>";
    let server = Server::always(respond("200 OK", &headers, body)).await;
    let record = measure(&format!("pages: {}", server.url("/"))).await;
    let answer = record.pages[0].answer.as_ref().unwrap();
    assert_eq!(answer.cookies.len(), 2);
    assert_eq!(answer.cookies[1].unknown, ["Secur"]);
    assert_eq!(answer.document.as_ref().unwrap().scripts.len(), 1);
    let json = serde_json::to_string(&record).unwrap();
    assert!(
        json.contains("nginx/1.2") && !json.contains("hush") && !json.contains("x-other"),
        "{json}"
    );
}

#[tokio::test]
async fn a_nonce_is_compared_with_that_of_a_second_answer() {
    let count = AtomicU64::new(0);
    let server = Server::start(move |seen| {
        let n = if seen.line.contains("/fresh") {
            count.fetch_add(1, Ordering::Relaxed)
        } else {
            0
        };
        let policy = format!("Content-Security-Policy: script-src 'nonce-aaaaaaaaaaaaaaaaaaaaaaa{n}'; base-uri 'none'\r\n");
        respond("200 OK", &format!("{HTML}{policy}"), "")
    })
    .await;
    for (path, outcome) in [("/fresh", Passed), ("/fixed", Failed)] {
        let yaml = format!("pages: {}", server.url(path));
        let checks = judge(&yaml, &measure(&yaml).await);
        assert_eq!(
            outcomes(&checks, "headers/csp-nonce-reuse"),
            [outcome],
            "{path}"
        );
    }
}

#[tokio::test]
async fn redirects_on_the_origin_are_followed_with_their_cookies() {
    let elsewhere = Server::always(respond("200 OK", HTML, "")).await;
    let away = format!("Location: {}\r\n", elsewhere.url("/"));
    let server = Server::start(move |seen| match seen.line.as_str() {
        line if line.contains("/home") => respond("200 OK", HTML, ""),
        line if line.contains("/away") => respond("302 Found", &away, ""),
        line if line.contains("/loop") => respond("302 Found", "Location: /loop\r\n", ""),
        _ => respond("302 Found", "Location: /home\r\nSet-Cookie: sid=1\r\n", ""),
    })
    .await;
    let yaml = format!(
        "{{pages: ['{}', '{}', '{}'], secret_headers: {{Cookie: hush}}}}",
        server.url("/"),
        server.url("/away"),
        server.url("/loop")
    );
    let record = measure(&yaml).await;
    let answers: Vec<_> = record
        .pages
        .iter()
        .map(|p| p.answer.as_ref().unwrap())
        .collect();
    assert!(answers[0].url.ends_with("/home") && answers[0].cookies.len() == 1);
    assert_eq!(
        answers[1].leads_to.as_deref(),
        Some(elsewhere.url("/").as_str())
    );
    assert_eq!((answers[2].redirects.len(), answers[2].status), (5, 302));
    assert!(elsewhere.seen().is_empty(), "another origin was asked");
    assert!(
        server
            .seen()
            .iter()
            .filter(|s| s.line.starts_with("GET"))
            .all(|s| s.headers["cookie"] == "hush")
    );
    let checks = judge(&yaml, &record);
    assert_eq!(
        outcomes(&checks, "headers/unexpected-status"),
        [Passed, Unmeasured, Unmeasured]
    );
}

#[tokio::test]
async fn one_url_without_an_answer_is_recorded_and_none_at_all_is_an_error() {
    let server = Server::start(|seen| {
        if seen.line.contains("/bad") {
            vec![Act::Reset]
        } else {
            respond("200 OK", HTML, "")
        }
    })
    .await;
    let yaml = format!("pages: ['{}', '{}']", server.url("/"), server.url("/bad"));
    let record = measure(&yaml).await;
    assert!(record.pages[0].answer.is_some() && record.pages[1].error.is_some());
    assert_eq!(
        outcomes(&judge(&yaml, &record), "headers/no-answer"),
        [Unmeasured]
    );
    let error = fails(&format!("pages: http://127.0.0.1:{}/", closed_port().await)).await;
    assert_eq!(error.kind, ErrorKind::Connect);
}

#[tokio::test]
async fn plain_http_is_followed_to_its_end() {
    let server = Server::start(|seen| match seen.line.as_str() {
        line if line.contains("/loop") => respond("301 Moved", "Location: /loop2\r\n", ""),
        line if line.contains("/far") => respond(
            "301 Moved",
            &format!("Location: /far{}\r\n", line.len()),
            "",
        ),
        line if line.contains("/stay") => respond("301 Moved", "Location: /there\r\n", ""),
        _ => respond("200 OK", HTML, ""),
    })
    .await;
    for (path, rule, outcome) in [
        ("/page", "headers/redirect-to-https", Failed),
        ("/stay", "headers/redirect-https-first", Failed),
        ("/loop", "headers/redirect-loop", Failed),
    ] {
        let yaml = format!(
            "{{pages: '{}', http_url: '{}', secret_headers: {{Cookie: hush}}}}",
            server.url("/"),
            server.url(path)
        );
        let record = measure(&yaml).await;
        assert!(record.plain.as_ref().unwrap().steps.len() < 12);
        assert_eq!(outcomes(&judge(&yaml, &record), rule), [outcome], "{path}");
    }
    let plain = server
        .seen()
        .into_iter()
        .filter(|s| s.line.contains("/stay") || s.line.contains("/loop"));
    assert!(
        plain.into_iter().all(|s| !s.headers.contains_key("cookie")),
        "credentials over plain HTTP"
    );
    let yaml = format!(
        "{{pages: '{}', http_url: 'http://127.0.0.1:{}/'}}",
        server.url("/"),
        closed_port().await
    );
    let record = measure(&yaml).await;
    assert!(record.plain.as_ref().unwrap().closed);
    assert_eq!(
        outcomes(&judge(&yaml, &record), "headers/redirect-to-https"),
        [Passed]
    );
}
