//! Rate limits, of a service of this process and of nginx.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use readygate_stack::nginx_with;
use readygate_web::testkit::{Server, respond};

use crate::{has, outcomes};

const YAML: &str = "rate_limit: [{url: /login, method: POST, json: {user: a}, limit: 10}]";

#[tokio::test]
async fn bursts_are_limited_or_not() {
    let limited = |headers: &'static str| {
        let asked = AtomicUsize::new(0);
        move |_: &_| match asked.fetch_add(1, Ordering::Relaxed) {
            0..10 => respond("401 Unauthorized", "", ""),
            _ => respond("429 Too Many Requests", headers, ""),
        }
    };
    let server = Server::start(limited("RateLimit: \"default\";r=0;t=30\r\n")).await;
    let good = outcomes(YAML, &server.url("")).await;
    has(
        &good,
        "Passed access/rate-limit: verified: of 14 requests, 10 passed and 4 were refused",
    );
    has(&good, "Passed access/rate-limit-spoofable: verified");
    has(&good, "Passed access/rate-limit-headers");
    assert!(server.seen().len() <= 50, "{}", server.seen().len());

    let server = Server::start(limited("")).await;
    has(
        &outcomes(YAML, &server.url("")).await,
        "Failed access/rate-limit-headers",
    );

    let server = Server::always(respond("200 OK", "", "")).await;
    has(
        &outcomes(YAML, &server.url("")).await,
        "Failed access/rate-limit: of 14 requests, 14 passed",
    );

    let server = Server::always(respond("429 Too Many Requests", "", "")).await;
    has(
        &outcomes(YAML, &server.url("")).await,
        "Unmeasured access/not-checked: not-checked: a positive control failed",
    );

    let server = Server::always(respond("503 Down", "", "")).await;
    has(
        &outcomes(YAML, &server.url("")).await,
        "Unmeasured access/not-checked: ",
    );
}

#[tokio::test]
async fn a_made_up_address_opens_a_careless_limit() {
    let asked: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let server = Server::start(move |seen| {
        let address = seen
            .headers
            .get("x-forwarded-for")
            .cloned()
            .unwrap_or_default();
        let mut asked = asked.lock().unwrap();
        let count = asked.entry(address).or_default();
        *count += 1;
        if *count > 10 {
            respond("429 Too Many Requests", "Retry-After: 1\r\n", "")
        } else {
            respond("200 OK", "", "")
        }
    })
    .await;
    let outcomes = outcomes(YAML, &server.url("")).await;
    has(&outcomes, "Passed access/rate-limit: verified");
    has(&outcomes, "Failed access/rate-limit-spoofable");
}

/// `limit_req` runs in a later phase than `return`, which answers before it.
#[tokio::test]
async fn nginx_limits_what_it_passes_on_and_not_what_it_returns() {
    let upstream = Server::always(respond("200 OK", "", "")).await;
    let zone = "limit_req_zone $binary_remote_addr zone=a:1m rate=1r/m; limit_req_status 429;";
    let block = format!(
        "location /returns {{ limit_req zone=a burst=4 nodelay; return 200; }}\nlocation /passes {{ limit_req zone=a burst=4 nodelay; proxy_pass {}; }}",
        upstream.url("")
    );
    // A missing server is a failure: `cargo xtask setup` installs it.
    let server = nginx_with(zone, &block).unwrap_or_else(|error| panic!("{error}"));
    let url = format!("http://{}", server.address());
    let of = |path: &str| format!("rate_limit: [{{url: {path}, limit: 5}}]");
    has(
        &outcomes(&of("/returns"), &url).await,
        "Failed access/rate-limit: of 9 requests, 9 passed",
    );
    let passes = outcomes(&of("/passes"), &url).await;
    has(
        &passes,
        "Passed access/rate-limit: verified: of 9 requests, 5 passed and 4 were refused",
    );
    has(&passes, "Passed access/rate-limit-spoofable: verified");
    has(&passes, "Failed access/rate-limit-headers");
}

#[tokio::test]
async fn a_limit_opens_again() {
    // The burst is 14 requests, and three rounds of three look for a way around the limit. What comes
    // then, comes after the time to recover.
    let reopening_at = |open: usize| {
        let asked = AtomicUsize::new(0);
        Server::start(move |_| {
            let n = asked.fetch_add(1, Ordering::Relaxed);
            if n < 10 || n >= open {
                respond("200 OK", "", "")
            } else {
                respond("429 Too Many Requests", "Retry-After: 1\r\n", "")
            }
        })
    };
    let yaml = YAML.replace("limit: 10", "limit: 10, recovers_after: 400ms");
    let server = reopening_at(23).await;
    has(
        &outcomes(&yaml, &server.url("")).await,
        "Passed access/rate-limit-recovery: verified",
    );
    let server = reopening_at(24).await;
    has(
        &outcomes(&yaml, &server.url("")).await,
        "Failed access/rate-limit-recovery",
    );
}
