//! Authentication and authorization.

use std::fs;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use readygate_sdk::Masker;
use readygate_web::testkit::{Act, Seen, Server, respond};

use crate::{cx, has, judge, measure_in, outcomes};

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn token(user: &str) -> String {
    let payload = part(&format!(r#"{{"sub":"{user}"}}"#));
    format!(
        "{}.{payload}.{}",
        part(r#"{"alg":"HS256"}"#),
        part("signature-of-32-bytes-or-so")
    )
}

/// How a service reads tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It takes `alg: none`.
    AlgNone,
    /// It does not look at the signature.
    AnySignature,
    /// It lets everybody in.
    Open,
    /// It answers with the sign-in page.
    LoginPage,
    /// It refuses everybody.
    Closed,
    /// It does not ask whose an object is.
    AnyObject,
}

fn unauthorized() -> Vec<Act> {
    respond("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", "")
}

fn subject(seen: &Seen, fault: Fault) -> Option<String> {
    let token = seen.headers.get("authorization")?.strip_prefix("Bearer ")?;
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let read = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<serde_json::Value>(&bytes).ok()
    };
    let alg = read(header)?["alg"].as_str()?.to_owned();
    let signed = signature == part("signature-of-32-bytes-or-so");
    let good = match fault {
        Fault::AlgNone => signed || alg.eq_ignore_ascii_case("none"),
        Fault::AnySignature => alg == "HS256",
        Fault::Closed => false,
        _ => signed && alg == "HS256",
    };
    good.then(|| read(payload)?["sub"].as_str().map(str::to_owned))?
}

async fn service(fault: Fault) -> Server {
    Server::start(move |seen| {
        let path = seen.line.split(' ').nth(1).unwrap_or_default().to_owned();
        let page = "<form><input type=\"password\"></form>";
        let Some(user) = subject(seen, fault) else {
            return match fault {
                Fault::Open => respond("200 OK", "", "all"),
                Fault::LoginPage => respond("200 OK", "Content-Type: text/html\r\n", page),
                _ => unauthorized(),
            };
        };
        match path.as_str() {
            "/orders/alice" if user != "alice" && fault != Fault::AnyObject => {
                respond("404 Not Found", "", "")
            }
            "/admin" if user != "root" => respond("403 Forbidden", "", ""),
            _ => respond("200 OK", "", format!("hello {user}")),
        }
    })
    .await
}

fn users() -> String {
    let users = ["alice", "bob", "root"];
    let users = users.map(|user| format!("{user}: {{auth: {{bearer: {}}}}}", token(user)));
    format!("users: {{{}}}", users.join(", "))
}

#[tokio::test]
async fn spoiled_tokens_are_refused_or_not() {
    for (fault, wanted) in [
        (
            Fault::None,
            "Passed access/authentication: verified: 1 control let through, 6 controls refused",
        ),
        (
            Fault::AlgNone,
            "Failed access/authentication: the token unsigned, alg=none: 200",
        ),
        (
            Fault::AnySignature,
            "Failed access/authentication: the token with one bit of its signature turned: 200",
        ),
        (
            Fault::Open,
            "Failed access/authentication: no credentials: 200",
        ),
        (
            Fault::LoginPage,
            "Failed access/authentication: no credentials: 200 with a sign-in page",
        ),
        (
            Fault::Closed,
            "Unmeasured access/not-checked: not-checked: a positive control failed: valid credentials: 401",
        ),
    ] {
        let server = service(fault).await;
        let yaml = format!(
            "{}\nauthentication: [{{url: /me, user: alice, expired: spent.t0ken}}]",
            users()
        );
        has(&outcomes(&yaml, &server.url("")).await, wanted);
    }
}

#[tokio::test]
async fn a_declared_redirect_keeps_out() {
    let server = Server::start(
        |seen| match seen.headers.get("cookie").map(String::as_str) {
            Some("sid=good") => respond("200 OK", "", "in"),
            _ => respond("302 Found", "Location: /login?next=%2Fme\r\n", ""),
        },
    )
    .await;
    let users = "users: {alice: {secret_headers: {Cookie: sid=good}}}";
    let with = format!("{users}\nauthentication: [{{url: /me, user: alice, login: /login}}]");
    has(
        &outcomes(&with, &server.url("")).await,
        "Passed access/authentication: verified: 1",
    );
    let without = format!("{users}\nauthentication: [{{url: /me, user: alice}}]");
    has(
        &outcomes(&without, &server.url("")).await,
        "Failed access/authentication: no credentials: 302 to /login",
    );
}

#[tokio::test]
async fn a_matrix_is_walked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.csv");
    let server = service(Fault::None).await;
    let yaml = format!(
        "{}\nauthorization: {{matrix: '{}'}}",
        users(),
        file.display()
    );
    for (matrix, wanted) in [
        (
            "GET,/me,401,200,200",
            "Passed access/authorization: verified: 2 controls let through, 1 control refused",
        ),
        (
            "GET,/admin,401,403,200",
            "Unmeasured access/not-checked: not-checked: a negative control is not known: alice: nothing shows",
        ),
        (
            "GET,/me,401,403,200",
            "Failed access/authorization: alice: 200; 403 is right",
        ),
        (
            "GET,/gone,401,401,401",
            "Unmeasured access/not-checked: not-checked: no positive control",
        ),
        (
            "GET,/me,-,200,200",
            "Unmeasured access/not-checked: not-checked: no negative control",
        ),
    ] {
        fs::write(
            &file,
            format!("method,path,anonymous,alice,root\n{matrix}\n"),
        )
        .unwrap();
        has(&outcomes(&yaml, &server.url("")).await, wanted);
    }
    fs::write(
        &file,
        "method,path,anonymous,alice,root\nGET,/me,401,200,200\nGET,/admin,401,403,200\n",
    )
    .unwrap();
    let both = outcomes(&yaml, &server.url("")).await;
    assert!(
        both.iter()
            .all(|o| o.starts_with("Passed access/authorization: verified")),
        "{both:?}"
    );
    fs::write(&file, "method,path,anonymous\nDELETE,/me,401\n").unwrap();
    let error = measure_in(&yaml, &cx("staging", &server.url("")))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("line 2: DELETE changes data"),
        "{error}"
    );
}

#[tokio::test]
async fn an_object_stays_with_its_owner() {
    for (fault, wanted) in [
        (
            Fault::None,
            "Passed access/authorization: verified: 2 controls let through, 2 controls refused",
        ),
        (
            Fault::AnyObject,
            "Failed access/authorization: bob asks for what is alice's: 200",
        ),
        (
            Fault::Closed,
            "Unmeasured access/not-checked: not-checked: a positive control failed: bob gets what is theirs: 401",
        ),
    ] {
        let server = service(fault).await;
        let yaml = format!(
            "{}\nauthorization: {{objects: [{{url: /orders/alice, owner: alice, other: bob, others_own: /orders/bob}}]}}",
            users()
        );
        has(&outcomes(&yaml, &server.url("")).await, wanted);
    }
}

#[tokio::test]
async fn no_token_is_shown() {
    let server = Server::start(|seen| {
        let told = seen
            .headers
            .get("authorization")
            .cloned()
            .unwrap_or_default();
        respond(
            "302 Found",
            &format!("Location: /x?a={told}\r\nAccess-Control-Allow-Origin: {told}\r\n"),
            told,
        )
    })
    .await;
    let yaml = format!(
        "{}\nauthentication: [{{url: /me, user: alice}}]\ncors: [{{url: /me, user: alice}}]",
        users()
    );
    let record = measure_in(&yaml, &cx("staging", &server.url("")))
        .await
        .unwrap();
    let text = serde_json::to_string(&record).unwrap() + &judge(&yaml, &record).join(" ");
    assert_eq!(Masker::new([token("alice").as_str()]).mask(&text), text);
}
