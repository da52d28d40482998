//! Several steps, variables, weights.

use std::sync::{Arc, Mutex};

use readygate_load::engine::{
    check,
    spec::{BodyCheck, Capture, CaptureFrom, Rows, Scenario, StatusSet, Step, Template},
};

use crate::{
    exactly, load,
    server::{Server, ok, response},
};

fn step(method: &str, target: &str) -> Step {
    Step {
        name: format!("{method} {target}"),
        method: method.to_owned(),
        ..Step::get(target)
    }
}

#[tokio::test]
async fn values_go_from_data_and_responses_into_requests() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let server = Server::answering(move |request, _| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let token = request.header("authorization").unwrap_or("-").to_owned();
        log.lock()
            .unwrap()
            .push(format!("{} {token} {body}", request.line));
        if request.line.starts_with("POST") {
            let user = body.split('"').nth(3).unwrap();
            let body = format!("{{\"token\": \"t-{user}\", \"id\": 7}}");
            let head = format!("HTTP/1.1 201 Created\r\nX-Trace: tr-{user}\r\n");
            return format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
        }
        ok("<b>done</b>")
    });
    let mut login = step("POST", "/login");
    login.body = Some(Template("{\"user\": \"{{user}}\"}".to_owned()));
    login.status = StatusSet(vec![(201, 201)]);
    let capture = |name: &str, from| Capture {
        name: name.to_owned(),
        from,
    };
    login.captures = vec![
        capture("token", CaptureFrom::Json("/token".to_owned())),
        capture("id", CaptureFrom::Json("/id".to_owned())),
        capture("trace", CaptureFrom::Header("x-trace".to_owned())),
    ];
    let mut cart = step("GET", "/cart/{{id}}?trace={{trace}}");
    cart.headers = vec![(
        "Authorization".to_owned(),
        Template("Bearer {{token}}".to_owned()),
    )];
    cart.checks = vec![
        BodyCheck::Contains("done".to_owned()),
        BodyCheck::Matches("<b>[a-z]+</b>".to_owned()),
        BodyCheck::Length {
            min: 5,
            max: Some(20),
        },
    ];
    let mut spec = exactly(server.url(), 1, 4);
    spec.scenarios = vec![Scenario {
        name: "shop".to_owned(),
        weight: 1,
        steps: vec![login, cart],
        data: Some(Rows {
            columns: vec!["user".to_owned()],
            rows: vec![vec!["ann".to_owned()], vec!["bob".to_owned()]],
        }),
    }];
    let report = load(spec).await.unwrap();
    assert_eq!(report.measured.failed(), 0, "{:?}", report.measured.errors);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "POST /login HTTP/1.1 - {\"user\": \"ann\"}",
            "GET /cart/7?trace=tr-ann HTTP/1.1 Bearer t-ann ",
            "POST /login HTTP/1.1 - {\"user\": \"bob\"}",
            "GET /cart/7?trace=tr-bob HTTP/1.1 Bearer t-bob ",
        ]
    );
    let routes: Vec<_> = report
        .routes
        .iter()
        .map(|r| (r.name.as_str(), r.tally.completed))
        .collect();
    assert_eq!(
        routes,
        [("POST /login", 2), ("GET /cart/{{id}}?trace={{trace}}", 2)]
    );
}

#[tokio::test]
async fn a_failed_step_leaves_out_the_rest() {
    let server = Server::answering(|_, _| response("403 Forbidden", ""));
    let mut spec = exactly(server.url(), 2, 10);
    spec.scenarios[0].steps = vec![step("GET", "/a"), step("GET", "/b"), step("GET", "/c")];
    let report = load(spec).await.unwrap();
    assert_eq!(report.measured.errors.status, 10);
    assert_eq!(report.measured.abandoned, 20);
    assert_eq!(report.routes[1].tally.scheduled, 0);
}

#[tokio::test]
async fn weights_are_kept() {
    let server = Server::answering(|_, _| ok("x"));
    let mut spec = exactly(server.url(), 4, 1_000);
    let scenario = |name: &str, weight| Scenario {
        name: name.to_owned(),
        weight,
        steps: vec![step("GET", name)],
        data: None,
    };
    spec.scenarios = vec![scenario("/often", 3), scenario("/seldom", 1)];
    let report = load(spec).await.unwrap();
    let often = report.routes[0].tally.completed;
    assert!((700..800).contains(&often), "{often}");
    assert_eq!(report.measured.completed, 1_000);
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_sent() {
    let url: url::Url = "http://127.0.0.1:1/".parse().unwrap();
    let says = |change: &dyn Fn(&mut Step), expected: &str| {
        let mut spec = exactly(url.clone(), 1, 1);
        change(&mut spec.scenarios[0].steps[0]);
        let error = check(&spec).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    says(&|s| s.target.0 = "/{{user}}".to_owned(), "`{{user}}`");
    says(&|s| s.target.0 = "/a b".to_owned(), "must be a path");
    says(&|s| s.method = "GE T".to_owned(), "no HTTP method");
    says(
        &|s| s.checks = vec![BodyCheck::Matches("(".to_owned())],
        "pattern",
    );
    says(
        &|s| s.headers = vec![("X".to_owned(), Template("a\r\nEvil: 1".to_owned()))],
        "line break",
    );
    says(
        &|s| s.headers = vec![("Content-Length".to_owned(), Template("1".to_owned()))],
        "cannot be set",
    );
}
