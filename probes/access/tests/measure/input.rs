//! Input, markup, forms of other sites, queries.

use readygate_web::testkit::{Act, Seen, Server, respond};
use serde_json::Value;

use crate::{has, outcomes};

fn json(seen: &Seen) -> Option<Value> {
    let kind = seen.headers.get("content-type")?;
    if kind != "application/json" {
        return None;
    }
    serde_json::from_slice(&seen.body).ok()
}

fn bad() -> Vec<Act> {
    respond("422 Unprocessable Content", "", "")
}

const INPUT: &str = "input: [{url: /cars, json: {name: Volvo, year: 1999}, required: [name, year], oversize: 100KiB}]";

#[tokio::test]
async fn bodies_are_looked_at() {
    let careful = |seen: &Seen| {
        if !seen.line.starts_with("POST") {
            return respond("405 Method Not Allowed", "", "");
        }
        let Some(body) = json(seen) else { return bad() };
        match (body["name"].as_str(), body["year"].as_u64()) {
            (Some(name), Some(_)) if name.len() < 100 => respond("201 Created", "", ""),
            _ => bad(),
        }
    };
    let server = Server::start(careful).await;
    has(
        &outcomes(INPUT, &server.url("")).await,
        "Passed access/input: verified: 1 control let through, 9 controls refused",
    );
    let crashes = Server::start(move |seen| match json(seen) {
        Some(body) if body["name"].is_object() => respond("500 Oops", "", ""),
        _ => careful(seen),
    })
    .await;
    has(
        &outcomes(INPUT, &crashes.url("")).await,
        "Failed access/input: `name` of another type: 500",
    );
    let takes_all = Server::always(respond("201 Created", "", "")).await;
    has(
        &outcomes(INPUT, &takes_all.url("")).await,
        "Failed access/input: malformed JSON: 201",
    );
    let closed = Server::always(respond("401 Unauthorized", "", "")).await;
    has(
        &outcomes(INPUT, &closed.url("")).await,
        "Unmeasured access/not-checked: not-checked: a positive control failed: the valid body: 401",
    );
}

fn query(seen: &Seen) -> String {
    let path = seen.line.split(' ').nth(1).unwrap_or_default();
    let url = url::Url::parse("http://x").unwrap().join(path).unwrap();
    url.query_pairs()
        .find(|(name, _)| name == "q")
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn markup_comes_back_encoded_or_raw() {
    let safe = "Content-Type: text/html\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'self'\r\n";
    let encode = |text: &str| text.replace('<', "&lt;").replace('"', "&quot;");
    let html = "Content-Type: text/html\r\n";
    for (headers, raw, shown, wanted) in [
        (safe, false, true, "Passed access/xss: verified"),
        (
            html,
            false,
            true,
            "Failed access/no-evidence: no-evidence: the parameter comes back harmless, but",
        ),
        (html, true, true, "Failed access/xss: markup"),
        (
            safe,
            false,
            false,
            "Failed access/no-evidence: no-evidence: the page does not show",
        ),
        (
            "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'\r\n",
            true,
            true,
            "Passed access/xss: verified",
        ),
    ] {
        let server = Server::start(move |seen| {
            let value = query(seen);
            let value = if raw { value } else { encode(&value) };
            respond(
                "200 OK",
                headers,
                if shown {
                    format!("<p>{value}</p>")
                } else {
                    String::new()
                },
            )
        })
        .await;
        has(
            &outcomes("xss: [{url: /search, parameter: q}]", &server.url("")).await,
            wanted,
        );
    }
}

#[tokio::test]
async fn escaped_quotes_are_no_encoding() {
    let server = Server::start(|seen| {
        let value = query(seen).replace('\'', "\\'").replace('"', "\\\"");
        let headers = "Content-Type: text/html\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'self'\r\n";
        respond("200 OK", headers, format!("<p>{value}</p>"))
    })
    .await;
    has(
        &outcomes("xss: [{url: /search, parameter: q}]", &server.url("")).await,
        "Failed access/xss: markup",
    );
}

#[tokio::test]
async fn forms_of_other_sites() {
    let yaml = "users: {alice: {secret_headers: {Cookie: sid=good-session}}}
csrf:
- url: /email
  user: alice
  form: {email: a@b.example}
  token: {url: /form, from: {text: 'value=\"([^\"]+)\"'}, to: {field: csrf}}
";
    for (checks, session, wanted) in [
        (true, true, "Passed access/csrf: verified"),
        (
            false,
            true,
            "Failed access/csrf: from another site, without a token: 303",
        ),
        (
            true,
            false,
            "Unmeasured access/not-checked: not-checked: a positive control failed: from the own page: 401",
        ),
    ] {
        let server = Server::start(move |seen| {
            let sent = String::from_utf8_lossy(&seen.body).into_owned();
            if seen.line.starts_with("GET /form") {
                return respond("200 OK", "", "<input name=csrf value=\"t0ken-1\">");
            }
            if !session {
                return respond("401 Unauthorized", "", "");
            }
            if checks && !sent.contains("csrf=t0ken-1") {
                return respond("403 Forbidden", "", "");
            }
            respond("303 See Other", "Location: /done\r\n", "")
        })
        .await;
        has(&outcomes(yaml, &server.url("")).await, wanted);
    }
}

#[tokio::test]
async fn values_that_mean_something_to_a_database() {
    let yaml = "injection: [{url: /search, parameter: q, value: volvo}]";
    for (answer, wanted) in [
        (
            (|_: &str| respond("200 OK", "", "same")) as fn(&str) -> Vec<Act>,
            "Failed access/no-evidence: no-evidence: quotes",
        ),
        (
            |q| {
                if q.ends_with('\'') && !q.ends_with("''") {
                    respond("500 Oops", "", "")
                } else {
                    respond("200 OK", "", "")
                }
            },
            "Failed access/injection: a quote: 500",
        ),
        (
            |q| {
                respond(
                    "200 OK",
                    "",
                    if q.contains('\'') {
                        "MongoServerError: unknown operator: $x"
                    } else {
                        ""
                    },
                )
            },
            "Failed access/injection: a quote: the body holds an error message of MongoDB",
        ),
        (
            |q| {
                respond(
                    "200 OK",
                    "",
                    if q == "volvo" || q.ends_with("'1'='1") {
                        "x".repeat(500)
                    } else {
                        String::new()
                    },
                )
            },
            "Failed access/injection: a condition that holds",
        ),
        (
            |_| respond("404 Not Found", "", ""),
            "Unmeasured access/not-checked: not-checked: a positive control failed: the harmless value: 404",
        ),
    ] {
        let server = Server::start(move |seen| answer(&query(seen))).await;
        has(&outcomes(yaml, &server.url("")).await, wanted);
    }
}

#[tokio::test]
async fn an_operator_in_place_of_a_password() {
    // A sign-in that asks the database whether the password is not null.
    let server = Server::start(|seen| match json(seen) {
        Some(body) if body["password"] == "right" || body["password"].is_object() => {
            respond("200 OK", "", "in")
        }
        _ => respond("401 Unauthorized", "", ""),
    })
    .await;
    let yaml = "injection: [{url: /login, method: POST, json: {user: a, password: x}, parameter: password, value: right}]";
    has(
        &outcomes(yaml, &server.url("")).await,
        "Failed access/injection: an operator in place of the value: let in",
    );
}
