//! Redirects: followed as far as allowed, recorded, and never with credentials to a stranger.

use readygate_http::Stop;

use readygate_web::testkit::{Act, Server, respond};

use crate::{judge, measure, metrics, number, outcomes};

fn to(location: &str) -> Vec<Act> {
    respond("302 Found", &format!("Location: {location}\r\n"), "moved")
}

#[tokio::test]
async fn by_default_the_redirect_is_judged() {
    let server = Server::always(to("/login")).await;
    let yaml = format!("{{url: '{}'}}", server.url("/"));
    let record = measure(&yaml).await;
    assert_eq!(server.seen().len(), 1);
    let checks = judge(&yaml, &record);
    assert_eq!(outcomes(&yaml, &record), ["failed http/status"]);
    assert!(
        checks[0].hint.as_ref().unwrap().contains("/login"),
        "{:?}",
        checks[0].hint
    );
    let expects = format!(
        "{{url: '{}', status: 3xx, response_headers: {{Location: /login}}}}",
        server.url("/")
    );
    let record = measure(&expects).await;
    assert_eq!(
        outcomes(&expects, &record),
        ["passed http/status", "passed http/header"]
    );
}

#[tokio::test]
async fn what_a_redirect_hands_over_is_not_recorded() {
    let server = Server::always(to("http://me:hush@127.0.0.1:1/cb?state=1&code=hush#hush")).await;
    let url = server.url("/");
    let record = measure(&format!(
        "{{url: '{url}', response_headers: {{Location: exists}}}}"
    ))
    .await;
    let json = serde_json::to_string(&record).unwrap();
    assert!(
        !json.contains("hush") && json.contains("state=1&code=***"),
        "{json}"
    );
}

#[tokio::test]
async fn a_chain_is_followed_and_recorded() {
    let server = Server::start(|seen| match seen.line.split(' ').nth(1) {
        Some("/1") => to("/2"),
        Some("/2") => to("3?token=hush"),
        _ => respond("200 OK", "", "there"),
    })
    .await;
    let yaml = format!("{{url: '{}', redirects: 2}}", server.url("/1"));
    let record = measure(&yaml).await;
    let answer = &record.answers[0];
    assert_eq!(
        (answer.status, answer.url.as_str()),
        (200, server.url("/3?token=***").as_str())
    );
    let hops: Vec<_> = answer
        .redirects
        .iter()
        .map(|h| (h.status, h.location.clone()))
        .collect();
    assert_eq!(
        hops,
        [(302, server.url("/2")), (302, server.url("/3?token=***"))]
    );
    assert!((number(&metrics(&record), "redirects") - 2.0).abs() < 0.1);
    assert_eq!(
        outcomes(&yaml, &record),
        ["passed http/status", "passed http/redirect-loop"]
    );
}

#[tokio::test]
async fn chains_without_an_answer_fail() {
    let server = Server::start(|seen| match seen.line.split(' ').nth(1) {
        Some("/self") => to("/self"),
        Some("/a") => to("/b"),
        Some("/b") => to("/a"),
        Some("/nowhere") => respond("302 Found", "", ""),
        Some("/file") => to("file:///etc/passwd"),
        Some(path) => to(&format!("{path}x")),
        None => vec![],
    })
    .await;
    for (path, stop) in [
        ("/self", Stop::Loop),
        ("/a", Stop::Loop),
        ("/far", Stop::Limit),
        ("/nowhere", Stop::NoLocation),
        ("/file", Stop::BadLocation),
    ] {
        // Even where 3xx is expected, a chain that does not end is a fault.
        let yaml = format!("{{url: '{}', redirects: 5, status: 3xx}}", server.url(path));
        let record = measure(&yaml).await;
        assert_eq!(record.answers[0].stopped, Some(stop), "{path}");
        assert_eq!(
            outcomes(&yaml, &record),
            ["passed http/status", "failed http/redirect-loop"],
            "{path}"
        );
    }
    assert!(server.seen().len() <= 1 + 2 + 6 + 1 + 1);
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let stranger = Server::always(respond("200 OK", "", "thanks")).await;
    let away = stranger.url("/steal");
    let home = Server::start(move |seen| match seen.line.split(' ').nth(1) {
        Some("/near") => to("/far"),
        _ => to(&away),
    })
    .await;
    let yaml = format!(
        "{{url: '{}', redirects: 3, auth: {{bearer: t0ken}}, secret_headers: {{X-Api-Key: k3y}}, headers: {{Cookie: c00kie, Accept: text/html}}}}",
        home.url("/near")
    );
    let record = measure(&yaml).await;
    for seen in home.seen() {
        assert_eq!(seen.headers["authorization"], "Bearer t0ken");
        assert_eq!(seen.headers["x-api-key"], "k3y");
    }
    assert_eq!(home.seen().len(), 2);
    let seen = format!("{:?}", stranger.seen());
    assert_eq!(stranger.seen()[0].headers["accept"], "text/html");
    for secret in ["t0ken", "k3y", "c00kie", "authorization", "cookie"] {
        assert!(!seen.contains(secret), "{secret} went along: {seen}");
    }
    let hops: Vec<_> = record.answers[0]
        .redirects
        .iter()
        .map(|h| h.elsewhere)
        .collect();
    assert_eq!(hops, [false, true]);
}

#[tokio::test]
async fn a_body_is_not_sent_to_another_origin() {
    let stranger = Server::always(respond("200 OK", "", "thanks")).await;
    let away = format!("Location: {}\r\n", stranger.url("/"));
    let home = Server::start(move |_| respond("307 Temporary Redirect", &away, "")).await;
    let yaml = format!(
        "{{url: '{}', redirects: 3, method: POST, form: {{password: hush}}}}",
        home.url("/")
    );
    let record = measure(&yaml).await;
    assert_eq!(record.answers[0].stopped, Some(Stop::BodyElsewhere));
    assert!(stranger.seen().is_empty());
    assert_eq!(
        outcomes(&yaml, &record),
        ["failed http/status", "failed http/redirect-loop"]
    );
}
