//! Gates of several steps: what one captures the next sends, and nobody else sees.

use readygate_sdk::{CheckOutcome, ErrorKind, Masker};
use readygate_web::testkit::{Act, Server, respond, send};

use crate::{fails, judge, measure, metrics, number};

const TOKEN: &str = "t0ken-of-the-session/+1";

/// A service with a sign-in by token, cookie and form.
async fn service() -> Server {
    Server::start(|seen| {
        let header = |name: &str| seen.headers.get(name).cloned().unwrap_or_default();
        match seen.line.as_str() {
            "POST /login HTTP/1.1" => {
                // More than is captured, and none of it for the record.
                let headers = "Set-Cookie: sid=old\r\nSet-Cookie: sid=c00kie-value; HttpOnly\r\nX-Csrf: csrf-value\r\n";
                respond("200 OK", headers, format!(r#"{{"token": "{TOKEN}", "refresh_token": "refresh-5ecret", "user": {{"id": 4711}}}}"#))
            }
            "GET /users/4711 HTTP/1.1" if header("authorization") == format!("Bearer {TOKEN}") => {
                respond("200 OK", "", format!("hello, {TOKEN} and c00kie-value"))
            }
            "POST /cart HTTP/1.1" => {
                let told = header("cookie") + &header("x-csrf") + &String::from_utf8_lossy(&seen.body);
                respond("201 Created", "", told)
            }
            _ => respond("401 Unauthorized", "", ""),
        }
    })
    .await
}

fn yaml(server: &Server) -> String {
    format!(
        r"steps:
- name: login
  method: POST
  url: {login}
  json: {{user: me, password: pw}}
  capture:
    token: {{json: /token}}
    id: {{json: /user/id}}
    sid: {{cookie: sid}}
    csrf: {{header: X-Csrf}}
- name: profile
  url: '{users}/{{{{id}}}}'
  auth: {{bearer: '{{{{token}}}}'}}
  contains: hello
- name: cart
  method: POST
  url: {cart}
  headers: {{Cookie: 'sid={{{{sid}}}}', X-Csrf: '{{{{csrf}}}}'}}
  json: {{token: '{{{{token}}}}'}}
  status: 201
",
        login = server.url("/login"),
        users = server.url("/users"),
        cart = server.url("/cart"),
    )
}

#[tokio::test]
async fn what_a_sign_in_gives_goes_along() {
    let server = service().await;
    let yaml = yaml(&server);
    let record = measure(&yaml).await;
    let checks = judge(&yaml, &record);
    for check in &checks {
        assert_eq!(check.outcome, CheckOutcome::Passed, "{check:?}");
    }
    let cart = &server.seen()[2];
    assert_eq!(cart.headers["cookie"], "sid=c00kie-value");
    assert_eq!(cart.headers["x-csrf"], "csrf-value");
    assert_eq!(cart.body, format!(r#"{{"token":"{TOKEN}"}}"#).as_bytes());
    let metrics = metrics(&record);
    assert!((number(&metrics, "samples") - 3.0).abs() < 0.1);
    assert!((number(&metrics, "status") - 201.0).abs() < 0.1);
}

#[tokio::test]
async fn what_is_captured_is_masked_everywhere() {
    let server = service().await;
    let yaml = yaml(&server);
    let record = measure(&yaml).await;
    let text = serde_json::to_string(&record).unwrap() + &format!("{:?}", judge(&yaml, &record));
    let masker = Masker::new([TOKEN, "c00kie-value", "csrf-value"]);
    assert_eq!(masker.mask(&text), text);
    assert!(!text.contains("4711"), "{text}");
    assert!(!text.contains("refresh-5ecret"), "{text}");
    let wrong = yaml.replace("json: {user: me", "status: 204\n  json: {user: me");
    let said = format!("{:?}", judge(&wrong, &record));
    assert!(said.contains("204") && !said.contains("refresh"), "{said}");
    assert!(text.contains("hello, *** and ***"), "{text}");
}

#[tokio::test]
async fn without_a_token_nothing_that_needs_it_is_sent() {
    let server = Server::always(respond("200 OK", "", r#"{"error": "no"}"#)).await;
    let yaml = yaml(&server);
    let record = measure(&yaml).await;
    assert_eq!(server.seen().len(), 1);
    let checks = judge(&yaml, &record);
    let outcome = |rule: &str| {
        let of_rule = checks.iter().filter(|c| c.rule == rule);
        of_rule
            .map(|c| format!("{:?}", c.outcome))
            .collect::<Vec<_>>()
    };
    assert_eq!(outcome("http/step"), ["Passed", "Unmeasured", "Unmeasured"]);
    assert_eq!(outcome("http/capture"), ["Failed"; 4]);
}

#[tokio::test]
async fn a_step_without_an_answer_is_unmeasured_and_others_go_on() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "GET /a HTTP/1.1" => vec![send("HTTP/1.1 200 OK\r\nContent-"), Act::Reset],
        _ => respond("200 OK", "", ""),
    })
    .await;
    let (a, b) = (server.url("/a"), server.url("/b"));
    let yaml = format!("steps: [{{name: a, url: '{a}'}}, {{name: b, url: '{b}'}}]");
    let checks = judge(&yaml, &measure(&yaml).await);
    assert_eq!(checks[0].outcome, CheckOutcome::Unmeasured, "{checks:?}");
    assert!(checks[0].message.contains("reset"), "{checks:?}");
    assert!(
        checks[1..]
            .iter()
            .all(|c| c.outcome == CheckOutcome::Passed)
    );
    let all = format!("steps: [{{name: a, url: '{a}'}}]");
    assert_eq!(fails(&all).await.kind, ErrorKind::Protocol);
}
