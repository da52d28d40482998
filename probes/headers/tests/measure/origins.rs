//! Other origins: what only GET shows, patterns without an anchor, and the positive control.

use readygate_sdk::CheckOutcome::{Failed, Passed, Unmeasured};
use readygate_web::testkit::{Act, Seen, Server, respond};

use super::{judge, measure, outcomes};

const JSON: &str = "Content-Type: application/json\r\n";

/// Lets an origin in.
fn allow(origin: &str) -> String {
    format!(
        "{JSON}Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
    )
}

async fn server(lets_in: impl Fn(&Seen, &str) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |seen: &Seen| -> Vec<Act> {
        let origin = seen.headers.get("origin").cloned().unwrap_or_default();
        let headers = if lets_in(seen, &origin) {
            allow(&origin)
        } else {
            JSON.to_owned()
        };
        respond("200 OK", &headers, "{}")
    })
    .await
}

fn yaml(server: &Server, more: &str) -> String {
    let url = server.url_as("shop.example.test", "/api");
    format!(
        "{{api: '{url}', resolve: {{shop.example.test: 127.0.0.1}}, secret_headers: {{Cookie: hush}}{more}}}"
    )
}

/// Whether a server lets an origin in.
type Rule = fn(&Seen, &str) -> bool;

#[tokio::test]
async fn careless_servers_are_found_and_careful_ones_pass() {
    let app = "https://app.example.test";
    let cases: [(Rule, &str); 7] = [
        (|_, origin| !origin.is_empty(), "every origin"),
        (
            |seen, origin| !origin.is_empty() && seen.line.starts_with("GET"),
            "GET only",
        ),
        (
            |seen, origin| !origin.is_empty() && seen.line.starts_with("OPTIONS"),
            "OPTIONS only",
        ),
        (
            |_, origin| origin.ends_with("shop.example.test"),
            "no anchor before",
        ),
        (
            |_, origin| origin.starts_with("https://shop.example.test"),
            "no anchor after",
        ),
        (
            |_, origin| origin.ends_with(".example.test"),
            "every host of the domain",
        ),
        (
            |_, origin| origin == "https://app.example.test",
            "the declared one",
        ),
    ];
    for (lets_in, name) in cases {
        let server = server(lets_in).await;
        let yaml = yaml(
            &server,
            &format!(", cors: {{allowed: '{app}', denied: 'https://old.example.test'}}"),
        );
        let record = measure(&yaml).await;
        let checks = judge(&yaml, &record);
        let outcome = if name == "the declared one" {
            Passed
        } else {
            Failed
        };
        assert_eq!(
            outcomes(&checks, "headers/cors-foreign-origin"),
            [outcome],
            "{name}: {:#?}",
            record.cors
        );
        let preflights = server
            .seen()
            .into_iter()
            .filter(|s| s.line.starts_with("OPTIONS"));
        assert!(
            preflights
                .into_iter()
                .all(|s| !s.headers.contains_key("cookie")),
            "{name}: a preflight with credentials"
        );
    }
}

#[tokio::test]
async fn null_and_the_positive_control() {
    let app = "https://app.example.test";
    let null = server(|_, origin| origin == "null").await;
    let yaml = yaml(
        &null,
        &format!(", cors: {{allowed: '{app}', methods: [PUT]}}"),
    );
    let checks = judge(&yaml, &measure(&yaml).await);
    assert_eq!(outcomes(&checks, "headers/cors-null-origin"), [Failed]);
    assert_eq!(outcomes(&checks, "headers/cors-foreign-origin"), [Passed]);
    assert_eq!(
        outcomes(&checks, "headers/cors-allowed-origin"),
        [Failed, Failed]
    );
    assert_eq!(outcomes(&checks, "headers/cors-methods"), [Failed]);
}

#[tokio::test]
async fn a_limit_or_a_gateway_says_nothing_of_origins() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let server = Server::start(move |seen: &Seen| -> Vec<Act> {
            let as_other = seen.headers.contains_key("origin");
            respond(if as_other { status } else { "200 OK" }, JSON, "{}")
        })
        .await;
        let yaml = yaml(&server, "");
        let checks = judge(&yaml, &measure(&yaml).await);
        for rule in ["headers/cors-foreign-origin", "headers/cors-null-origin"] {
            assert_eq!(outcomes(&checks, rule), [Unmeasured], "{status}");
        }
    }
}
