//! Probes in other languages: the examples of this folder, and programs that break the protocol.

use std::{fs, time::Duration};

use crate::common::{cx, fails, run};
use readygate_sdk::{
    CheckOutcome::{Failed, Passed, Unmeasured},
    ErrorKind,
};
use serde_json::{Value, json};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

#[tokio::test]
async fn the_python_example_measures_a_spool() {
    let spool = tempfile::tempdir().unwrap();
    for n in 0..3 {
        fs::write(spool.path().join(n.to_string()), "mail").unwrap();
    }
    let with = |limit: u64| {
        json!({"protocol": "json", "argv": [format!("{EXAMPLES}/spool.py")],
            "with": {"spool": spool.path(), "limit": limit}})
    };
    let seen = run(with(3)).await;
    assert_eq!(seen.outcomes("ext/spool/too-long"), [Passed]);
    assert_eq!(seen.shown("ext.waiting"), "3");
    assert_eq!(
        seen.metrics.get("ext.oldest").unwrap().unit,
        readygate_sdk::Unit::Seconds
    );
    let seen = run(with(2)).await;
    assert_eq!(seen.outcomes("ext/spool/too-long"), [Failed]);
    let check = &seen.checks[0];
    assert!(
        check.subject.ends_with("for staging"),
        "the target is handed over"
    );
    assert_eq!(check.expected.as_deref(), Some("at most 2"));
    assert!(check.hint.is_some());

    let lost = json!({"protocol": "json", "argv": [format!("{EXAMPLES}/spool.py")], "with": {"spool": "/no/spool"}});
    let error = fails(lost, &cx(Duration::from_secs(30)).build()).await;
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::NoData, "/no/spool")
    );
    assert_eq!(error.phase, "listing the spool");
    assert!(error.hint.unwrap().contains("with.spool"));
}

#[tokio::test]
async fn the_shell_example_measures_a_disk() {
    let with = |path: &str, least: &str| json!({"protocol": "json", "argv": [format!("{EXAMPLES}/free_space.sh"), path, least]});
    let seen = run(with("/", "0")).await;
    assert_eq!(seen.outcomes("ext/disk/full"), [Passed]);
    assert!(seen.metrics.get("ext.free").is_some());
    assert_eq!(
        run(with("/", "101")).await.outcomes("ext/disk/full"),
        [Failed]
    );
    let error = fails(
        with("/no/such/disk", "1"),
        &cx(Duration::from_secs(30)).build(),
    )
    .await;
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.hint.unwrap().contains("/no/such/disk"), "df says why");
}

#[tokio::test]
async fn the_request_is_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("request.json").display().to_string();
    let shell = format!(
        "cat > {copy}; echo '{{\"protocol\":\"readygate/1\",\"metrics\":{{\"a\":{{\"value\":1,\"unit\":\"count\"}}}}}}'"
    );
    run(json!({"protocol": "json", "shell": shell, "with": {"deep": {"list": [1, "two", null]}}}))
        .await;
    let mut request: Value = serde_json::from_str(&fs::read_to_string(copy).unwrap()).unwrap();
    let left = request["timeout_s"].take().as_f64().unwrap();
    assert!(left > 0.0 && left <= 60.0, "{left}");
    assert_eq!(
        request,
        json!({"protocol": "readygate/1", "timeout_s": null, "with": {"deep": {"list": [1, "two", null]}},
            "target": {"name": "staging", "url": null, "environment": null, "version": "4.0.0", "commit": null}})
    );
}

#[tokio::test]
async fn a_broken_protocol_is_unmeasured_and_says_why() {
    let passed = r#"{"rule":"a/b","subject":"s","outcome":"passed","message":"m"}"#;
    for (shell, kind, words) in [
        ("true".to_owned(), ErrorKind::Protocol, "printed nothing"),
        ("echo hello".to_owned(), ErrorKind::Protocol, "not JSON"),
        (format!("echo '{{\"protocol\":\"readygate/1\",\"checks\":[{passed}]}}'; exit 1"), ErrorKind::Protocol, "exit code 1"),
        (format!("echo '{{\"protocol\":\"readygate/1\",\"checks\":[{passed}]}}'; kill -9 $$"), ErrorKind::Protocol, "SIGKILL"),
        ("echo '{\"protocol\":\"readygate/1\",\"check\":[]}'".to_owned(), ErrorKind::Protocol, "unknown field `check`"),
        ("echo '{\"protocol\":\"readygate/1\"}'".to_owned(), ErrorKind::NoData, "no check and no metric"),
        ("head -c 100000 /dev/zero".to_owned(), ErrorKind::BadData, "output_limit"),
        ("echo '{\"protocol\":\"readygate/1\",\"error\":{\"kind\":\"refused\",\"message\":\"no right\"}}'".to_owned(), ErrorKind::Refused, "no right"),
    ] {
        let cx = cx(Duration::from_secs(30)).build();
        let error = fails(json!({"protocol": "json", "shell": shell}), &cx).await;
        assert_eq!(error.kind, kind, "{shell}");
        assert!(error.message.contains(words), "{shell}: {}", error.message);
    }
}

#[tokio::test]
async fn an_error_beside_checks_does_not_pass() {
    let reply = r#"{"protocol":"readygate/1","checks":[{"rule":"a/b","subject":"one","outcome":"passed","message":"m","hint":"h"}],
        "error":{"kind":"connect","message":"two is down","subject":"two"}}"#;
    let seen = run(json!({"protocol": "json", "argv": ["echo", reply]})).await;
    assert_eq!(seen.outcomes("ext/a/b"), [Passed]);
    assert_eq!(seen.outcomes("command/external"), [Unmeasured]);
    assert_eq!(seen.checks[0].hint, None);
    assert_eq!(seen.checks[1].subject, "two");
}

#[tokio::test]
async fn secrets_in_a_reply_are_masked() {
    let shell = r#"printf '{"protocol":"readygate/1","metrics":{"t":{"value":"%s","unit":"text"}},"checks":[{"rule":"a/b","subject":"%s","outcome":"failed","message":"m %s"}]}' "$T" "$T" "$T""#;
    let seen =
        run(json!({"protocol": "json", "shell": shell, "secret_env": {"T": "canary-secret"}}))
            .await;
    let record = serde_json::to_string(&seen.measured).unwrap();
    assert!(!record.contains("canary"), "{record}");
    assert_eq!(seen.checks[0].message, "m ***");
}
