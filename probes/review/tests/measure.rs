//! `measure` against a server that speaks as the forges do.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::Duration;

use readygate_review::{Review, ReviewConfig, ReviewMeasurement};
use readygate_sdk::{
    Check,
    CheckOutcome::{Failed, Passed, Unmeasured},
    Checks, Cx, Metrics, Probe as _, ProbeError, Target,
};
use readygate_web::testkit::{Act, Seen, Server, respond};
use serde_json::{Value, json};

const HEAD: &str = "89abcdef0123456789abcdef0123456789abcdef";
const TOKEN: &str = "t0k3n-of-the-test";

fn cx(commit: Option<&str>, timeout: Duration) -> Cx {
    let commit = commit.map(str::to_owned);
    Cx::builder(timeout)
        .target(Target {
            commit,
            ..Target::default()
        })
        .build()
}

async fn measure(
    server: &Server,
    with: Value,
    cx: &Cx,
) -> Result<(ReviewConfig, ReviewMeasurement), ProbeError> {
    let mut with = with;
    let suffix = if with["forge"] == "gitlab" {
        "/api/v4"
    } else {
        ""
    };
    with["api"] = json!(format!("http://{}{suffix}", server.address()));
    with["token"] = json!(TOKEN);
    let config: ReviewConfig = serde_json::from_value(with).unwrap();
    Review::validate(&config).unwrap();
    let measured = Review::measure(&config, cx).await?;
    let json = serde_json::to_string(&measured).unwrap();
    assert!(!json.contains(TOKEN), "{json}");
    assert_eq!(
        serde_json::from_str::<ReviewMeasurement>(&json).unwrap(),
        measured
    );
    Ok((config, measured))
}

async fn look(server: &Server, with: Value) -> (Metrics, Vec<Check>) {
    let cx = cx(Some(HEAD), Duration::from_secs(20));
    let (config, measured) = measure(server, with, &cx).await.unwrap();
    let mut checks = Checks::new();
    Review::judge(&config, &measured, &mut checks);
    (Review::metrics(&measured), checks.into_vec())
}

fn bad(checks: &[Check]) -> Vec<(&str, readygate_sdk::CheckOutcome)> {
    let bad = checks.iter().filter(|c| c.outcome != Passed);
    bad.map(|c| (c.rule.as_str(), c.outcome)).collect()
}

fn ok(body: &Value) -> Vec<Act> {
    respond(
        "200 OK",
        "Content-Type: application/json\r\n",
        body.to_string(),
    )
}

/// The path below the repository, without the query.
fn path(seen: &Seen) -> String {
    let url = seen.line.split(' ').nth(1).unwrap();
    let url = url.split('?').next().unwrap();
    let url = url
        .strip_prefix("/repos/shop/catalogue/")
        .or_else(|| url.strip_prefix("/api/v4/projects/shop%2Fcatalogue/"));
    url.unwrap_or("elsewhere").to_owned()
}

fn user(login: &str) -> Value {
    json!({"login": login, "type": "User"})
}

fn pull() -> Value {
    json!({"number": 7, "html_url": "https://forge.example/7", "user": user("ann"), "head": {"sha": HEAD},
        "draft": false, "merged": false, "state": "open", "merge_commit_sha": null})
}

fn approval(login: &str, commit: &str, role: &str) -> Value {
    json!({"user": user(login), "state": "APPROVED", "commit_id": commit, "author_association": role,
        "submitted_at": "2026-01-01T00:00:00Z"})
}

fn commit(login: &str) -> Value {
    json!({"author": user(login), "committer": {"login": "web-flow"}})
}

/// A healthy GitHub, in which `change` replaces answers.
async fn github(change: impl Fn(&str) -> Option<Vec<Act>> + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
        let path = path(seen);
        if let Some(acts) = change(&path) {
            return acts;
        }
        if path == format!("commits/{HEAD}/pulls") {
            ok(&json!([pull()]))
        } else if path == format!("commits/{HEAD}/check-runs") {
            ok(&json!({"total_count": 2, "check_runs": [
                {"name": "build", "status": "completed", "conclusion": "success"},
                {"name": "lint", "status": "completed", "conclusion": "skipped"},
            ]}))
        } else if path == format!("commits/{HEAD}/status") {
            ok(&json!({"state": "pending", "statuses": [{"context": "deploy", "state": "pending"}]}))
        } else {
            match path.as_str() {
                "pulls/7" => ok(&pull()),
                "pulls/7/commits" => ok(&json!([commit("ann")])),
                "pulls/7/reviews" => ok(&json!([approval("bob", HEAD, "MEMBER")])),
                "issues" => ok(&json!([{"number": 3, "title": "down"}, {"number": 4, "title": "a pull", "pull_request": {}}])),
                other => panic!("{other}"),
            }
        }
    })
    .await
}

fn with() -> Value {
    json!({"forge": "github", "repository": "shop/catalogue"})
}

#[tokio::test]
async fn a_reviewed_change_passes() {
    let server = github(|_| None).await;
    let mut with = with();
    with["checks"] = json!(["build"]);
    let (metrics, checks) = look(&server, with).await;
    assert_eq!(bad(&checks), []);
    assert_eq!(metrics.get("approvals").unwrap().display(), "1");
}

#[tokio::test]
async fn approvals_that_do_not_count() {
    let cases: Vec<(Value, Value, _)> = vec![
        // One's own, as author of a commit.
        (
            json!([commit("ann"), commit("Bob")]),
            approval("bob", HEAD, "MEMBER"),
            Failed,
        ),
        // Before the last push.
        (
            json!([commit("ann")]),
            approval("bob", "0000000", "MEMBER"),
            Failed,
        ),
        // By a passer-by.
        (
            json!([commit("ann")]),
            approval("bob", HEAD, "CONTRIBUTOR"),
            Failed,
        ),
        // A commit of nobody's account may be the reviewer's.
        (
            json!([commit("ann"), {"author": null, "committer": null}]),
            approval("bob", HEAD, "MEMBER"),
            Unmeasured,
        ),
        // No commit at all was listed.
        (json!([]), approval("bob", HEAD, "MEMBER"), Unmeasured),
    ];
    for (commits, review, outcome) in cases {
        let server = github(move |path| match path {
            "pulls/7/commits" => Some(ok(&commits)),
            "pulls/7/reviews" => Some(ok(&json!([review]))),
            _ => None,
        })
        .await;
        let (_, checks) = look(&server, with()).await;
        assert_eq!(bad(&checks), [("review/not-approved", outcome)]);
    }
}

#[tokio::test]
async fn another_commit_a_draft_and_an_objection_are_named() {
    let server = github(|path| match path {
        "pulls/7" => {
            let mut pull = pull();
            pull["head"]["sha"] = json!("ffffffffff");
            pull["draft"] = json!(true);
            Some(ok(&pull))
        }
        "pulls/7/reviews" => {
            let mut against = approval("cem", "a", "MEMBER");
            against["state"] = json!("CHANGES_REQUESTED");
            Some(ok(&json!([
                approval("bob", "ffffffffff", "OWNER"),
                against
            ])))
        }
        _ => None,
    })
    .await;
    let (_, checks) = look(&server, with()).await;
    let rules: Vec<_> = bad(&checks).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(
        rules,
        [
            "review/changes-requested",
            "review/other-commit",
            "review/not-ready"
        ]
    );
}

#[tokio::test]
async fn checks_pass_only_when_they_passed() {
    let server = github(|_| None).await;
    let mut with = with();
    with["approvals"] = json!(0);
    with["checks"] = json!(["build", "lint", "deploy", "security"]);
    let (metrics, checks) = look(&server, with).await;
    assert_eq!(
        bad(&checks),
        [
            ("review/check-failed", Failed),
            ("review/check-pending", Unmeasured),
            ("review/check-missing", Failed),
        ]
    );
    assert_eq!(metrics.get("checks.total").unwrap().display(), "3");
}

#[tokio::test]
async fn lists_are_read_over_all_pages_and_pull_requests_are_no_issues() {
    let server = Server::start(|seen| {
        let url = seen.line.split(' ').nth(1).unwrap();
        assert!(
            url.contains("labels=bug%2Ccritical") && url.contains("per_page=100"),
            "{url}"
        );
        let page =
            |n: u64| json!([{"number": n, "title": "x"}, {"number": n + 50, "pull_request": {}}]);
        if url.contains("page=2") && !url.contains("per_page=100&page=3") {
            ok(&page(2))
        } else {
            let link = format!(
                "Link: <http://{}{url}&page=2>; rel=\"next\", <x>; rel=\"last\"\r\n",
                seen.headers["host"]
            );
            respond("200 OK", &link, page(1).to_string())
        }
    })
    .await;
    let mut with = with();
    with["approvals"] = json!(0);
    with["issues"] = json!([{"labels": ["bug", "critical"], "at_most": 1}]);
    let (metrics, checks) = look(&server, with).await;
    assert_eq!(bad(&checks), [("review/open-issues", Failed)]);
    assert_eq!(checks[0].details, ["#1 x", "#2 x"]);
    assert_eq!(metrics.get("issues.open").unwrap().display(), "2");
}

#[tokio::test]
async fn the_token_follows_no_page_to_another_host() {
    let server = Server::start(|_| {
        respond(
            "200 OK",
            "Link: <http://127.0.0.2:1/x>; rel=\"next\"\r\n",
            "[]",
        )
    })
    .await;
    let mut with = with();
    with["approvals"] = json!(0);
    with["issues"] = json!([{"labels": ["critical"]}]);
    let (_, checks) = look(&server, with).await;
    assert_eq!(bad(&checks), [("review/open-issues", Unmeasured)]);
    assert!(
        checks[0].message.contains("another host"),
        "{}",
        checks[0].message
    );
}

#[tokio::test]
async fn refusals_rate_limits_and_nonsense_are_unmeasured() {
    for (acts, says) in [
        (
            respond("401 Unauthorized", "", r#"{"message": "Bad credentials"}"#),
            "Bad credentials",
        ),
        (respond("404 Not Found", "", "{}"), "404"),
        (
            respond(
                "403 Forbidden",
                "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 99999999999\r\n",
                "{}",
            ),
            "403",
        ),
        (
            respond("429 Too Many Requests", "retry-after: 3600\r\n", "{}"),
            "429",
        ),
        (respond("200 OK", "", "<html>"), "not JSON"),
        (respond("200 OK", "", "{}"), "no number"),
        (vec![Act::Reset], "reset"),
    ] {
        let server = Server::always(acts).await;
        let mut with = with();
        with["change"] = json!(7);
        let (metrics, checks) = look(&server, with).await;
        assert_eq!(bad(&checks), [("review/not-approved", Unmeasured)]);
        assert!(
            checks[0]
                .message
                .to_lowercase()
                .contains(&says.to_lowercase()),
            "{says}: {}",
            checks[0].message
        );
        assert!(metrics.get("approvals").is_none());
    }
}

#[tokio::test]
async fn a_rate_limit_that_ends_soon_is_waited_for() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let server =
        Server::start(
            move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 => respond("503 Service Unavailable", "retry-after: 1\r\n", ""),
                _ => respond("200 OK", "", "[]"),
            },
        )
        .await;
    let mut with = with();
    with["approvals"] = json!(0);
    with["issues"] = json!([{"labels": ["critical"]}]);
    let (_, checks) = look(&server, with).await;
    assert_eq!(bad(&checks), []);
}

/// A GitLab on which `bob` approved at the given time.
async fn gitlab(approved_at: Value, access: u64, resolved: bool) -> Server {
    Server::start(move |seen| {
        assert_eq!(seen.headers["private-token"], TOKEN);
        let path = path(seen);
        if path.starts_with("members/all/") {
            return ok(&json!({"access_level": access}));
        }
        if path.ends_with("/statuses") {
            return ok(&json!([{"name": "build", "status": "success"}, {"name": "scan", "status": "canceled"}]));
        }
        match path.as_str() {
            "merge_requests/7" => ok(&json!({"iid": 7, "web_url": "https://forge.example/7", "author": {"username": "ann"},
                "sha": HEAD, "draft": false, "state": "opened", "blocking_discussions_resolved": resolved})),
            "merge_requests/7/commits" => ok(&json!([{"author_name": "Ann", "committer_name": "Ann"}])),
            "merge_requests/7/versions" => ok(&json!([{"id": 2, "head_commit_sha": HEAD, "created_at": "2026-01-01T10:00:00Z"}])),
            "merge_requests/7/approvals" => ok(&json!({"approved_by": [
                {"user": {"id": 5, "username": "bob", "name": "Bob"}, "approved_at": approved_at}]})),
            "merge_requests/7/reviewers" => respond("404 Not Found", "", "{}"),
            other => panic!("{other}"),
        }
    })
    .await
}

#[tokio::test]
async fn gitlab_is_read_the_same_way() {
    let cases = [
        (
            json!("2026-01-01T11:00:00Z"),
            30,
            true,
            vec![("review/check-failed", Failed)],
        ),
        (
            json!("2026-01-01T09:00:00Z"),
            30,
            true,
            vec![
                ("review/not-approved", Failed),
                ("review/check-failed", Failed),
            ],
        ),
        (
            json!("2026-01-01T11:00:00Z"),
            20,
            true,
            vec![
                ("review/not-approved", Failed),
                ("review/check-failed", Failed),
            ],
        ),
        (
            json!(null),
            40,
            false,
            vec![
                ("review/not-approved", Unmeasured),
                ("review/unresolved", Failed),
                ("review/check-failed", Failed),
            ],
        ),
    ];
    for (at, access, resolved, expected) in cases {
        let server = gitlab(at, access, resolved).await;
        let with = json!({"forge": "gitlab", "repository": "shop/catalogue", "change": 7, "checks": ["build", "scan"]});
        let (_, checks) = look(&server, with).await;
        assert_eq!(bad(&checks), expected);
    }
}

#[tokio::test]
async fn without_a_commit_and_a_number_nothing_is_known() {
    let server = Server::always(ok(&json!([]))).await;
    let nothing = cx(None, Duration::from_secs(5));
    let (config, measured) = measure(&server, with(), &nothing).await.unwrap();
    let mut checks = Checks::new();
    Review::judge(&config, &measured, &mut checks);
    assert_eq!(
        bad(checks.as_slice()),
        [("review/not-approved", Unmeasured)]
    );
}
