//! Production, silence, and peers that break off.

use std::time::Duration;

use readygate_access::{Access, AccessConfig};
use readygate_sdk::{Activity, Cx, ErrorKind, Probe, testkit::BlackHole};
use readygate_web::testkit::{Act, Server, respond, send};

use crate::{config, cx, has, judge, measure_in, outcomes};

const ALL: &str = "users: {alice: {secret_headers: {Cookie: sid=good-session}}}
rate_limit: [{url: /a, limit: 3}]
input: [{url: /b, json: {a: 1}, required: [a]}]
csrf: [{url: /c, user: alice}]
injection: [{url: /d, parameter: q, value: v}]
authorization: {objects: [{url: /e, method: DELETE, owner: alice, other: bob, others_own: /f}]}
";

fn all() -> String {
    ALL.replace(
        "good-session}}}",
        "good-session}}, bob: {secret_headers: {Cookie: sid=bobs-session}}}",
    )
}

#[tokio::test]
async fn what_writes_does_not_touch_production() {
    let server = Server::always(respond("200 OK", "", "")).await;
    let record = measure_in(&all(), &cx("production", &server.url("")))
        .await
        .unwrap();
    assert_eq!(server.seen().len(), 0);
    let outcomes = judge(&all(), &record);
    assert_eq!(outcomes.len(), 5, "{outcomes:#?}");
    for outcome in &outcomes {
        assert!(
            outcome.starts_with(
                "Unmeasured access/not-checked: not-checked: it writes or sends bursts"
            ),
            "{outcome}"
        );
    }
    let allowed = format!("{}allow_production: [rate_limit]", all());
    measure_in(&allowed, &cx("production", &server.url("")))
        .await
        .unwrap();
    assert!(
        !server.seen().is_empty() && server.seen().iter().all(|s| s.line.starts_with("GET /a "))
    );
}

#[test]
fn what_writes_is_disruptive() {
    let activity = |yaml: &str| {
        Access::footprint(&serde_saphyr::from_str::<AccessConfig>(yaml).unwrap()).activity
    };
    for part in all().lines().skip(1) {
        assert_eq!(activity(part), Activity::Disruptive, "{part}");
    }
    for part in [
        "cors: [{url: /}]",
        "xss: [{url: /, parameter: q}]",
        "authentication: [{url: /, user: a}]",
        "authorization: {matrix: m.csv}",
    ] {
        assert_eq!(activity(part), Activity::Active, "{part}");
    }
    assert_eq!(
        activity("authorization: {matrix: m.csv, writes: true}"),
        Activity::Disruptive
    );
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let hole = BlackHole::start().unwrap();
    let url = format!("http://{}/", hole.address());
    for yaml in [
        format!("cors: [{{url: '{url}'}}]"),
        format!("rate_limit: [{{url: '{url}', limit: 3}}]"),
    ] {
        let cx = Cx::builder(Duration::from_millis(1_500)).build();
        let error = Access::measure(&config(&yaml), &cx).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
        assert_eq!(error.phase, "waiting for the response headers");
    }
}

#[tokio::test]
async fn a_peer_that_breaks_off_verifies_nothing() {
    for acts in [
        vec![Act::Reset],
        vec![send("HTTP/1.1 401 Unau"), Act::Reset],
        vec![
            send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nhalf"),
            Act::Reset,
        ],
        vec![send(
            "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        )],
    ] {
        let server = Server::start(move |seen| match seen.headers.get("authorization") {
            Some(value) if value == "Bearer good-t0ken" => respond("200 OK", "", "\u{fffd}"),
            _ => acts.clone(),
        })
        .await;
        let yaml = "users: {a: {auth: {bearer: good-t0ken}}}\nauthentication: [{url: /, user: a}]";
        let outcomes = outcomes(yaml, &server.url("")).await;
        has(
            &outcomes,
            "Unmeasured access/not-checked: not-checked: a negative control is not known: no credentials",
        );
    }
}
