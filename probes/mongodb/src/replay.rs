//! Recorded answers of real servers in real trouble (mongod 6.0.5, `tests/captures`), replayed
//! through `facts` and `judge`: no state that is not well may pass, no healthy one may fail.

#![expect(clippy::panic, reason = "a test")]

mod capture;

use std::fs;

use readygate_sdk::{Check, CheckOutcome, Checks, Level, Probe};
use serde_json::{Value, json};

use crate::{
    Mongodb, MongodbConfig, facts,
    measurement::{Answer, DialRecord, IndexRecord, IndexesRecord, MongodbMeasurement},
};
use capture::{document, folder, measurement, read};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// Passes without a warning, but for a recent election.
    Pass,
    /// Passes with a warning.
    Warn,
    Fail,
    /// Could not tell; nothing failed.
    Unmeasured,
}
use Want::{Fail, Pass, Unmeasured, Warn};

/// Capture, verdict, and what must be among the checks that did not pass.
const STATES: &[(&str, Want, &[&str])] = &[
    ("00-healthy", Pass, &[]),
    ("00b-healthy-settled", Pass, &[]),
    (
        "01a-secondary-killed-0.3s",
        Fail,
        &["member-unreachable 127.0.0.1:28012"],
    ),
    (
        "01b-secondary-killed-3s",
        Fail,
        &["member-unreachable 127.0.0.1:28012"],
    ),
    (
        "01c-secondary-killed-13s",
        Fail,
        &["member-unreachable 127.0.0.1:28012", "no-spare-member"],
    ),
    (
        "01d-secondary-restarting",
        Warn,
        &["seen-down 127.0.0.1:28012"],
    ),
    (
        "02a-primary-killed-0.3s",
        Fail,
        &["member-unreachable 127.0.0.1:28013", "no-primary"],
    ),
    (
        "02b-primary-killed-5s",
        Fail,
        &["member-unreachable 127.0.0.1:28013", "no-primary"],
    ),
    (
        "02c-new-primary-just-elected",
        Fail,
        &["member-unreachable 127.0.0.1:28013"],
    ),
    (
        "02d-new-primary-3s",
        Fail,
        &["member-unreachable 127.0.0.1:28013", "recent-election"],
    ),
    (
        "03a-secondary-sigstop-1s",
        Fail,
        &["member-unreachable 127.0.0.1:28012"],
    ),
    (
        "03b-secondary-sigstop-16s",
        Fail,
        &["member-unreachable 127.0.0.1:28012"],
    ),
    (
        "04a-primary-sigstop-1s",
        Fail,
        &["member-unreachable 127.0.0.1:28011", "no-primary"],
    ),
    (
        "04b-primary-sigstop-15s",
        Fail,
        &["member-unreachable 127.0.0.1:28011"],
    ),
    ("04c-old-primary-sigcont-immediately", Pass, &[]),
    ("04d-old-primary-2s-later", Pass, &[]),
    (
        "05a-no-majority-1s",
        Fail,
        &["no-majority", "member-unreachable 127.0.0.1:28012"],
    ),
    ("05b-no-majority-15s", Fail, &["no-majority", "no-primary"]),
    (
        "06-delayed-hidden-member",
        Warn,
        &["special-member 127.0.0.1:28023"],
    ),
    (
        "07-fsynclock-secondary-lag",
        Warn,
        &["replication-lag 127.0.0.1:28023"],
    ),
    (
        "07b-both-secondaries-stopped-replicating",
        Fail,
        &["commit-lag"],
    ),
    (
        "08-uninitialised",
        Fail,
        &[
            "not-initiated 127.0.0.1:28021",
            "not-initiated 127.0.0.1:28023",
        ],
    ),
    (
        "09-standalone",
        Fail,
        &["not-a-replica-set 127.0.0.1:28031"],
    ),
    (
        "10c-member-restarted-with-other-set-name",
        Fail,
        &["not-a-member 127.0.0.1:28082"],
    ),
    (
        "10d-member-restarted-standalone",
        Fail,
        &["not-a-replica-set 127.0.0.1:28082"],
    ),
    ("10e-member-data-dir-wiped", Pass, &[]),
    (
        "11a-auth-none",
        Unmeasured,
        &["no-majority", "topology-differs"],
    ),
    (
        "11b-auth-wrong-password",
        Unmeasured,
        &["login-refused 127.0.0.1:28041", "no-majority"],
    ),
    ("11c-auth-clusterMonitor", Pass, &[]),
    (
        "11d-auth-read-only-user",
        Unmeasured,
        &["no-majority", "connections-used"],
    ),
    (
        "11e-auth-no-roles",
        Unmeasured,
        &["no-majority", "feature-version"],
    ),
    (
        "11f-auth-wrong-authSource",
        Unmeasured,
        &["login-refused 127.0.0.1:28041"],
    ),
    ("12-member-removed", Fail, &["not-a-member 127.0.0.1:28023"]),
    (
        "13a-psa-arbiter",
        Warn,
        &["arbiter 127.0.0.1:28024", "few-data-voters"],
    ),
    (
        "13b-psa-secondary-dead",
        Fail,
        &["member-unreachable", "no-majority", "commit-lag"],
    ),
    (
        "14-hidden-member",
        Warn,
        &["special-member 127.0.0.1:28023"],
    ),
    ("15-even-voters-4", Warn, &["even-voters"]),
    (
        "16-nonvoting-member",
        Warn,
        &["special-member", "even-voters", "few-data-voters"],
    ),
    ("17a-hosts-unresolvable-direct", Fail, &["no-primary"]),
    ("18-election-churn", Warn, &["recent-election"]),
    ("19-fcv-5.0-on-6.0", Warn, &["feature-version"]),
    ("20-clock-skew-90s", Warn, &["clock-skew"]),
    (
        "25a-tls-required-plain-client",
        Unmeasured,
        &["member-untrusted 127.0.0.1:28051"],
    ),
    (
        "25b-tls-no-ca",
        Unmeasured,
        &["member-untrusted 127.0.0.1:28051"],
    ),
    ("25c-tls-ok", Fail, &["not-initiated 127.0.0.1:28051"]),
    (
        "25d-tls-wrong-hostname",
        Unmeasured,
        &["member-untrusted 127.0.0.1:28052"],
    ),
    (
        "25e-tls-client-plain-server",
        Unmeasured,
        &["member-untrusted 127.0.0.1:28053"],
    ),
    (
        "25f-tls-mtls-no-client-cert",
        Unmeasured,
        &["member-untrusted 127.0.0.1:28054"],
    ),
    (
        "26a-startup2-initial-sync",
        Fail,
        &["member-state 127.0.0.1:28063"],
    ),
    ("26b-rollback", Fail, &["member-state 127.0.0.1:28091"]),
    (
        "26b0-isolated-primary",
        Fail,
        &["no-majority", "member-unreachable 127.0.0.1:28092"],
    ),
    (
        "27-too-stale-RS102",
        Fail,
        &["member-state 127.0.0.1:28072"],
    ),
    (
        "28-connections-exhausted",
        Fail,
        &["member-unreachable 127.0.0.1:28131"],
    ),
    (
        "32-maintenance-recovering",
        Fail,
        &["member-state 127.0.0.1:28023"],
    ),
    ("34-frozen-secondary", Pass, &[]),
];

/// The status alone cannot show a locked primary; `live::faults` locks one.
const LIVE_ONLY: &[&str] = &["33-primary-fsynclocked"];

#[test]
fn every_recorded_state_is_judged_as_an_expert_would() {
    let mut wrong = Vec::new();
    for (capture, want, codes) in STATES {
        let checks = judged(&measurement(capture), &json!({}));
        let got = verdict(&checks);
        let not_passed: Vec<String> = checks
            .iter()
            .filter(|c| c.outcome != CheckOutcome::Passed)
            .map(|c| format!("{} {}", c.rule.trim_start_matches("mongodb/"), c.subject))
            .collect();
        let lacks = codes
            .iter()
            .find(|code| !not_passed.iter().any(|n| n.starts_with(**code)));
        if got != *want || lacks.is_some() {
            wrong.push(format!(
                "{capture}: wanted {want:?} {lacks:?}, got {got:?}\n  {}",
                not_passed.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_capture_is_left_out() {
    let listed = |name: &str| {
        let name = name.trim_end_matches(".json");
        STATES.iter().any(|(n, ..)| *n == name) || LIVE_ONLY.contains(&name)
    };
    let indexes = [
        "21-index-build-in-progress.json",
        "22-index-missing-on-one-member.json",
    ];
    for file in fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(listed(&name) || indexes.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn declared_shapes_decide() {
    let shape = |hidden, delayed| json!({ "topology": { "members": 3, "hidden": hidden, "delayed": delayed } });
    assert_eq!(
        verdict(&judged(
            &measurement("06-delayed-hidden-member"),
            &shape(1, 1)
        )),
        Pass
    );
    assert_eq!(
        verdict(&judged(
            &measurement("06-delayed-hidden-member"),
            &shape(0, 0)
        )),
        Fail
    );
    assert_eq!(
        verdict(&judged(&measurement("14-hidden-member"), &shape(1, 0))),
        Pass
    );
    // Green from inside: two of two members. Only the declared shape tells.
    let mut removed = measurement("12-member-removed");
    removed.nodes.retain(|node| node.host != "127.0.0.1:28023");
    assert_eq!(verdict(&judged(&removed, &json!({}))), Warn);
    assert_eq!(verdict(&judged(&removed, &shape(0, 0))), Fail);
    let hosts = json!({ "hosts": ["127.0.0.1:28021", "127.0.0.1:28022", "127.0.0.1:28023"] });
    assert_eq!(verdict(&judged(&removed, &hosts)), Fail);
}

#[test]
fn a_wrong_set_name_is_a_question_not_a_fault() {
    let mut measured = measurement("00b-healthy-settled");
    measured.uri.replica_set = Some("wrongset".to_owned());
    let checks = judged(&measured, &json!({}));
    assert_eq!(verdict(&checks), Unmeasured);
    assert!(
        checks
            .iter()
            .any(|c| c.rule == "mongodb/wrong-set-name" && c.message.contains("`rs0`"))
    );
}

#[test]
fn names_that_do_not_resolve_fail_a_healthy_set() {
    let mut measured = measurement("00b-healthy-settled");
    measured.dials = vec![DialRecord {
        host: "mongo-a.internal:28101".to_owned(),
        problem: Some("the name does not resolve: Name or service not known".to_owned()),
    }];
    let checks = judged(&measured, &json!({}));
    assert_eq!(verdict(&checks), Fail);
    assert!(
        checks
            .iter()
            .any(|c| c.rule == "mongodb/host-name-unusable" && c.outcome == CheckOutcome::Failed)
    );
}

#[test]
fn a_stale_member_is_told_from_one_in_maintenance() {
    let hint = |capture| {
        let checks = judged(&measurement(capture), &json!({}));
        let state = checks
            .into_iter()
            .find(|c| c.rule == "mongodb/member-state" && c.outcome == CheckOutcome::Failed);
        state.unwrap().hint.unwrap()
    };
    assert!(
        hint("27-too-stale-RS102").contains("too stale"),
        "{}",
        hint("27-too-stale-RS102")
    );
    assert!(hint("32-maintenance-recovering").contains("replSetMaintenance"));
}

#[test]
fn an_index_that_is_building_or_on_some_members_only_fails() {
    for (capture, field, rule) in [
        (
            "21-index-build-in-progress",
            Some("indexStats"),
            "mongodb/index-building",
        ),
        (
            "21-index-build-in-progress",
            Some("listIndexes+buildInfo"),
            "mongodb/index-building",
        ),
        (
            "22-index-missing-on-one-member",
            None,
            "mongodb/index-missing",
        ),
    ] {
        let lists = read(capture);
        let mut measured = measurement("00b-healthy-settled");
        for (node, list) in measured
            .nodes
            .iter_mut()
            .zip(lists.as_object().unwrap().values())
        {
            let list = field.map_or(list, |field| &list[field]);
            let entries = list.as_array().unwrap().iter();
            let value: Vec<IndexRecord> = entries
                .map(|e| facts::index(&document(e)).unwrap())
                .collect();
            node.indexes = vec![IndexesRecord {
                collection: "t.x".to_owned(),
                indexes: Answer::Got { value },
            }];
        }
        let with = json!({ "indexes": [{ "collection": "t.x", "keys": { "i": 1 } }] });
        let checks = judged(&measured, &with);
        assert_eq!(verdict(&checks), Fail, "{capture}");
        assert!(
            checks
                .iter()
                .any(|c| c.rule == rule && c.outcome == CheckOutcome::Failed),
            "{capture} {field:?}: {checks:?}"
        );
    }
}

fn verdict(checks: &[Check]) -> Want {
    let any = |outcome, level| {
        checks
            .iter()
            .any(|c| c.outcome == outcome && c.level == level)
    };
    if any(CheckOutcome::Failed, Level::Error) {
        return Fail;
    }
    if any(CheckOutcome::Unmeasured, Level::Error) {
        return Unmeasured;
    }
    let warns = |c: &&Check| c.outcome == CheckOutcome::Failed && c.level == Level::Warning;
    let mut warnings = checks.iter().filter(warns).map(|c| c.rule.as_str());
    // An election some seconds ago, as in every test of an election, is worth its warning.
    let failed_over = |rule: &str| rule == "mongodb/recent-election";
    let churn = checks
        .iter()
        .any(|c| warns(&c) && c.message.contains("term 4"));
    if warnings.any(|rule| !failed_over(rule)) || churn {
        Warn
    } else {
        Pass
    }
}

fn judged(measured: &MongodbMeasurement, with: &Value) -> Vec<Check> {
    let mut config = json!({ "uri": "mongodb://127.0.0.1:28001,127.0.0.1:28002" });
    config
        .as_object_mut()
        .unwrap()
        .extend(with.as_object().unwrap().clone());
    let config: MongodbConfig = serde_json::from_value(config).unwrap();
    Mongodb::validate(&config).unwrap();
    let json = serde_json::to_string(measured).unwrap();
    let read: MongodbMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, *measured, "the record must survive JSON");
    let mut checks = Checks::new();
    Mongodb::judge(&config, &read, &mut checks);
    let _ = Mongodb::metrics(&read);
    checks.into_vec()
}
