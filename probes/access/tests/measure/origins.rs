//! CORS.

use readygate_web::testkit::{Seen, Server, respond};

use crate::{has, outcomes};

/// A service that allows the origins that `allow` does, with credentials.
async fn service(allow: fn(&str) -> bool) -> Server {
    Server::start(move |seen: &Seen| {
        let origin = seen.headers.get("origin").cloned().unwrap_or_default();
        if origin.is_empty() || !allow(&origin) {
            return respond("200 OK", "", "");
        }
        let headers = format!(
            "Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Methods: GET, PUT\r\nVary: Origin\r\n"
        );
        respond("200 OK", &headers, "")
    })
    .await
}

const YAML: &str = "cors: [{url: /api, allowed: ['https://app.example.com'], methods: [PUT]}]";

#[tokio::test]
async fn careless_comparisons_are_found() {
    for (allow, wanted) in [
        (
            (|o| o == "https://app.example.com") as fn(&str) -> bool,
            "Passed access/cors: verified: 3 controls",
        ),
        (|_| true, "Failed access/cors: GET from https://rg"),
        (
            |o| o == "null" || o == "https://app.example.com",
            "Failed access/cors: GET from null",
        ),
        (
            |o| o.starts_with("https://127.0.0.1") || o == "https://app.example.com",
            "Failed access/cors: GET from https://127.0.0.1.",
        ),
        (
            |o| o.ends_with("127.0.0.1") || o == "https://app.example.com",
            "Failed access/cors: GET from https://rg",
        ),
        (
            |_| false,
            "Unmeasured access/not-checked: not-checked: a positive control failed: GET from https://app.example.com",
        ),
    ] {
        let server = service(allow).await;
        has(&outcomes(YAML, &server.url("")).await, wanted);
    }
}

#[tokio::test]
async fn what_gives_nothing_away_is_a_warning() {
    for (headers, wanted) in [
        (
            "Access-Control-Allow-Origin: ORIGIN\r\n",
            vec![
                "Failed access/cors-careless",
                "Failed access/cors-vary",
                "Passed access/cors: ",
            ],
        ),
        (
            "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n",
            vec!["Failed access/cors-careless", "Passed access/cors: "],
        ),
        (
            "Access-Control-Allow-Origin: *\r\n",
            vec!["Passed access/cors-careless", "Passed access/cors: "],
        ),
    ] {
        let server = Server::start(move |seen| {
            let origin = seen.headers.get("origin").map_or("", String::as_str);
            respond("200 OK", &headers.replace("ORIGIN", origin), "")
        })
        .await;
        let outcomes = outcomes("cors: [{url: /api}]", &server.url("")).await;
        for wanted in wanted {
            has(&outcomes, wanted);
        }
        let private = crate::outcomes("cors: [{url: /api, private: true}]", &server.url("")).await;
        has(&private, "Failed access/cors: ");
    }
}

#[tokio::test]
async fn a_declared_method_must_be_allowed() {
    let server = service(|o| o == "https://app.example.com").await;
    let yaml = YAML.replace("PUT", "DELETE");
    has(
        &outcomes(&yaml, &server.url("")).await,
        "Failed access/cors: preflight for DELETE",
    );
}
