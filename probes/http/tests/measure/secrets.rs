//! A canary secret never shows up, whatever the server does with it.

use std::sync::Arc;

use readygate_http::Http;
use readygate_sdk::{Cx, Masker, Probe, testkit::CANARY};

use readygate_web::testkit::{Act, Seen, Server, respond, send};

use crate::{config, cx, judge};

/// Ways to carry the canary, as YAML.
fn carriers() -> Vec<String> {
    let canary = CANARY.replace('\'', "''");
    vec![
        format!("auth: {{bearer: '{canary}'}}"),
        format!("auth: {{basic: {{user: me, password: '{canary}'}}}}"),
        format!("secret_headers: {{X-Api-Key: '{canary}'}}"),
    ]
}

/// No form of the canary is in `text`: masking it again changes nothing.
fn is_clean(text: &str, what: &str) {
    let masked = Masker::new([CANARY]).mask(text);
    assert_eq!(masked, text, "{what} leaks");
    assert!(!text.contains("canary-5ecr3t"), "{what} leaks: {text}");
}

/// Sends everything that it was told back, in every place that is recorded.
fn echo(seen: &Seen) -> Vec<Act> {
    let told: Vec<_> = seen.headers.values().cloned().collect();
    let told = told.join(" ");
    let json = serde_json::json!({"told": told, "nested": [told]}).to_string();
    let headers = format!("X-Echo: {told}\r\nLocation: /?echo={CANARY}\r\n");
    respond("200 OK", &headers, json)
}

#[tokio::test]
async fn an_echo_is_masked() {
    let server = Server::start(echo).await;
    for carrier in carriers() {
        let yaml = format!(
            "{{url: '{}', {carrier}, body_json: {{/told: exists, /nested: x}}, response_headers: {{X-Echo: x}}, contains: nothing, version: {{json: /told}}}}",
            server.url("/")
        );
        let record = Http::measure(&config(&yaml), &cx(crate::PATIENCE))
            .await
            .unwrap();
        assert!(format!("{:?}", server.seen()).len() > 100);
        is_clean(&serde_json::to_string(&record).unwrap(), &carrier);
        is_clean(&format!("{record:?}"), &carrier);
        is_clean(
            &serde_json::to_string(&judge(&yaml, &record)).unwrap(),
            &carrier,
        );
        is_clean(&format!("{:?}", config(&yaml)), &carrier);
        is_clean(&format!("{:?}", Http::footprint(&config(&yaml))), &carrier);
    }
}

#[tokio::test]
async fn the_server_gets_it() {
    let server = Server::always(respond("200 OK", "", "")).await;
    for carrier in carriers() {
        let yaml = format!("{{url: '{}', {carrier}}}", server.url("/"));
        Http::measure(&config(&yaml), &cx(crate::PATIENCE))
            .await
            .unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen[0].headers["authorization"], format!("Bearer {CANARY}"));
    assert!(seen[1].headers["authorization"].starts_with("Basic bWU6Y2FuYXJ5"));
    assert_eq!(seen[2].headers["x-api-key"], CANARY);
}

#[tokio::test]
async fn a_body_cut_in_the_middle_of_it_is_masked() {
    let long = format!("{CANARY}{CANARY}");
    for limit in [20, 30, 100, 2040, 2060] {
        let body = long.repeat(100);
        let server = Server::always(respond("200 OK", "", body)).await;
        let canary = CANARY;
        let yaml = format!(
            "{{url: '{}', auth: {{bearer: '{canary}'}}, max_body: {limit}B}}",
            server.url("/")
        );
        let record = Http::measure(&config(&yaml), &cx(crate::PATIENCE))
            .await
            .unwrap();
        let excerpt = &record.answers[0].body.excerpt;
        assert!(!excerpt.contains("canary"), "{limit}: {excerpt}");
    }
}

#[tokio::test]
async fn secrets_of_the_run_are_masked_before_a_cut() {
    let body = format!("{}{CANARY}", "x".repeat(2040));
    let server = Server::always(respond("200 OK", "", body)).await;
    let cx = Cx::builder(crate::PATIENCE)
        .masker(Arc::new(Masker::new([CANARY])))
        .build();
    let yaml = format!("{{url: '{}'}}", server.url("/"));
    let record = Http::measure(&config(&yaml), &cx).await.unwrap();
    let excerpt = &record.answers[0].body.excerpt;
    assert!(excerpt.ends_with("x***"), "{excerpt}");
}

#[tokio::test]
async fn errors_hold_none() {
    let canary = CANARY.to_owned();
    let server = Server::start(move |_| vec![send(format!("{canary}\r\n\r\n"))]).await;
    for carrier in carriers() {
        let yaml = format!("{{url: '{}', {carrier}}}", server.url("/?password=hunter2"));
        let error = Http::measure(&config(&yaml), &cx(crate::PATIENCE))
            .await
            .unwrap_err();
        let text = serde_json::to_string(&error).unwrap() + &format!("{error} {error:?}");
        is_clean(&text, &carrier);
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_password_in_the_url_is_used_and_not_shown() {
    let server = Server::start(echo).await;
    let url = server.url("/").replace("http://", "http://me:p%40ss-w0rd@");
    let yaml = format!("{{url: '{url}', redirects: 1}}");
    let record = Http::measure(&config(&yaml), &cx(crate::PATIENCE))
        .await
        .unwrap();
    assert!(server.seen()[0].headers["authorization"].starts_with("Basic "));
    let text =
        serde_json::to_string(&record).unwrap() + &format!("{:?}", Http::footprint(&config(&yaml)));
    for form in ["p@ss-w0rd", "p%40ss-w0rd", "cEBzcy13MHJk"] {
        assert!(!text.contains(form), "{form}: {text}");
    }
    assert_eq!(
        Http::footprint(&config(&yaml)).credentials,
        ["credentials in the URL"]
    );
}
