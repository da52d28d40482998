//! A signature is for one commit, environment, stage, release, policy, time and state of things.

use std::{fs, os::unix::fs::symlink};

use readygate_sdk::{Check, CheckOutcome, Level};

use super::{
    super::{
        repo::Repo,
        vector::{self, Item, Status},
    },
    world::{DBA, POLICY, World, call},
};
use crate::record::{GateRecord, Outcome, Run, SignDecision::Approve, Verdict, Waived};

#[test]
fn a_signature_counts() {
    let world = World::new();
    assert_eq!(world.resolve().verdict, Verdict::Pending);
    let path = world.sign("security-lead", "alice");
    let run = world.resolve();
    assert_eq!(
        (run.verdict, run.exit_code),
        (Verdict::Go, 0),
        "{:?}",
        run.reasons
    );
    let signoff = world.of(&path);
    assert!(signoff.accepted && signoff.fingerprint.starts_with("SHA256:"));
    assert_eq!(signoff.gates, ["signoff.security"]);
    assert_eq!(signoff.expires.to_string(), "2026-11-27T12:00:00Z");
}

#[test]
fn an_ecdsa_signature_counts() {
    for bits in ["256", "384", "521"] {
        let world = World::new();
        fs::remove_file(world.path().join("keys/alice")).unwrap();
        let args = [
            "-q",
            "-t",
            "ecdsa",
            "-b",
            bits,
            "-N",
            "",
            "-f",
            "keys/alice",
        ];
        assert!(call(world.path(), "ssh-keygen", &args));
        let key = world.read("keys/alice.pub");
        world.write("allowed_signers", &format!("alice@example.com {key}"));
        world.sign("security-lead", "alice");
        assert_eq!(world.resolve().verdict, Verdict::Go, "{bits}");
    }
}

#[test]
fn replayed_for_another_commit() {
    let world = World::new();
    world.sign("security-lead", "alice");
    world.write("src.txt", "new code");
    world.commit("carol@example.com", "2026-11-24T09:00:00Z");
    assert!(
        world.refusal().starts_with("it is for commit "),
        "{}",
        world.refusal()
    );
}

#[test]
fn replayed_for_another_artifact() {
    let mut world = World::new();
    world.artifact = Some(format!("sha256:{}", "a".repeat(64)));
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.artifact = Some(format!("sha256:{}", "b".repeat(64)));
    assert!(world.refusal().starts_with("it is for artifact sha256:aaa"));
}

#[test]
fn a_signature_without_the_artifact_is_none_for_it() {
    let mut world = World::new();
    world.sign("security-lead", "alice");
    world.artifact = Some(format!("sha256:{}", "b".repeat(64)));
    assert!(world.refusal().starts_with("it names no artifact"));
}

#[test]
fn replayed_for_another_environment() {
    let mut world = World::new();
    world.environment = Some("staging".to_owned());
    world.sign("security-lead", "alice");
    world.environment = Some("production".to_owned());
    assert_eq!(
        world.refusal(),
        "it is for environment staging, this is production"
    );
}

#[test]
fn replayed_for_another_stage() {
    let mut world = World::new();
    world.sign("security-lead", "alice");
    world.stages = vec!["post-deploy".to_owned()];
    assert_eq!(
        world.refusal(),
        "it is for stage pre-deploy, this is stage post-deploy"
    );
    world.stages = Vec::new();
    assert_eq!(
        world.refusal(),
        "it is for stage pre-deploy, this is no stage"
    );
}

#[test]
fn replayed_for_another_release() {
    let mut world = World::new();
    world.sign("security-lead", "alice");
    world.release = Some("2026-11-25-4.0.0".to_owned());
    let refusal = world.refusal();
    assert_eq!(
        refusal,
        "it is for release 2026-11-24-4.0.0, this is release 2026-11-25-4.0.0"
    );
    world.release = None;
    assert!(world.refusal().ends_with("this is no release by name"));
}

#[test]
fn an_edited_policy_voids_signatures() {
    let world = World::new();
    world.sign("security-lead", "alice");
    world.edit("readygate.yaml", |text| format!("{text}# looser\n"));
    // Committed or not: the commit must not be what tells.
    assert!(world.refusal().starts_with("it is for another policy"));
}

#[test]
fn stale_when_something_is_worse_than_the_signer_saw() {
    let mut world = World::new();
    world.sign("security-lead", "alice");
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    let refusal = world.refusal();
    let stale = "it is stale: infra.b is failed now, and was passed when it was signed";
    assert_eq!(refusal, stale);
    for outcome in [Outcome::Unmeasured, Outcome::Skipped] {
        world.outcomes.insert("infra.b".to_owned(), outcome);
        assert!(world.refusal().starts_with("it is stale: infra.b is "));
    }
}

#[test]
fn better_than_the_signer_saw_is_fine() {
    let mut world = World::new();
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world
        .outcomes
        .insert("infra.b".to_owned(), Outcome::Unmeasured);
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.outcomes.clear();
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn a_gate_that_the_signer_never_saw_must_pass() {
    let mut world = World::new();
    world
        .outcomes
        .insert("infra.b".to_owned(), Outcome::Skipped);
    world.sign("security-lead", "alice");
    world.outcomes.clear();
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    assert!(
        world
            .refusal()
            .contains("was not-selected when it was signed")
    );
}

#[test]
fn a_sign_off_speaks_for_its_section_or_its_items() {
    let policy = POLICY
        .replace("id: infra.b,", "id: infra.b, section: Two,")
        .replace(
            "    severity: blocker\n",
            "    severity: blocker\n    section: Two\n",
        )
        + "  - { id: signoff.dba, probe: signoff, with: { role: dba, items: [infra.a] } }\n";
    let mut world = World::with(&policy);
    world.sign("security-lead", "alice");
    world.sign("dba", "bob");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    assert_eq!(world.outcome("signoff.security"), Outcome::Pending);
    assert_eq!(world.outcome("signoff.dba"), Outcome::Passed);
}

#[test]
fn expired() {
    let mut world = World::new();
    world.sign("security-lead", "alice");
    world.pass(72 * 3600);
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.pass(1);
    assert_eq!(world.refusal(), "it expired 2026-11-27T12:00:00Z");
}

#[test]
fn a_statement_cannot_last_longer_than_its_role() {
    let mut world = World::new();
    world.sign_as("security-lead", "alice", Approve, |statement| {
        statement.predicate.expires_at = "2027-11-24T12:00:00Z".parse().unwrap();
    });
    world.pass(72 * 3600 + 1);
    assert!(
        world
            .refusal()
            .starts_with("it expired 2026-11-27T12:00:00Z: a signature of")
    );
}

#[test]
fn a_gate_may_want_a_younger_signature() {
    let policy = POLICY.replace(
        "      role: security-lead\n",
        "      role: security-lead\n      max_age: 1h\n",
    );
    let mut world = World::with(&policy);
    world.sign("security-lead", "alice");
    world.pass(3600);
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.pass(1);
    assert!(
        world
            .refusal()
            .contains("signoff.security wants it within 1 h")
    );
}

#[test]
fn a_statement_is_not_from_the_future_nor_from_before_its_commit() {
    let at = |time: &'static str| {
        let world = World::new();
        world.sign_as("security-lead", "alice", Approve, |statement| {
            statement.predicate.issued_at = time.parse().unwrap();
        });
        world
    };
    assert_eq!(at("2026-11-24T12:05:00Z").resolve().verdict, Verdict::Go);
    assert!(
        at("2026-11-24T12:05:01Z")
            .refusal()
            .starts_with("it is from the future")
    );
    assert_eq!(at("2026-11-24T07:55:00Z").resolve().verdict, Verdict::Go);
    let early = at("2026-11-24T07:54:59Z").refusal();
    assert!(early.contains("before its commit was made"), "{early}");
}

#[test]
fn a_statement_that_is_committed_still_counts() {
    let world = World::new();
    world.sign("security-lead", "alice");
    world.commit("alice@example.com", "2026-11-24T09:00:00Z");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.write("signoffs/notes.txt", "no statement");
    world.commit("alice@example.com", "2026-11-24T09:10:00Z");
    assert!(world.refusal().starts_with("it is for commit "));
}

#[test]
fn whom_to_trust_is_no_statement_wherever_it_lies() {
    let policy = POLICY.replace(
        "allowed_signers: allowed_signers",
        "allowed_signers: signoffs/keys.json",
    );
    let world = World::new();
    world.write("readygate.yaml", &policy);
    world.write("signoffs/keys.json", &world.read("allowed_signers"));
    world.commit("carol@example.com", "2026-11-24T08:10:00Z");
    world.sign("security-lead", "alice");
    world.edit("signoffs/keys.json", |text| format!("# mine\n{text}"));
    world.commit("carol@example.com", "2026-11-24T08:20:00Z");
    let run = world.resolve();
    assert_eq!(run.verdict, Verdict::Pending);
}

#[test]
fn without_a_commit_or_an_artifact_nothing_can_be_signed() {
    let world = World::new();
    fs::remove_dir_all(world.path().join(".git")).unwrap();
    let run = world.resolve();
    assert_eq!(run.exit_code, 4);
    assert!(
        run.reasons[0].contains("nothing says what is released"),
        "{:?}",
        run.reasons
    );
    assert!(!world.path().join("signoffs").exists());
}

#[test]
fn failures_outweigh_missing_signatures() {
    let mut world = World::with(&format!("{POLICY}{DBA}"));
    world.outcomes.insert("infra.a".to_owned(), Outcome::Failed);
    assert_eq!(world.resolve().exit_code, 1);
    world
        .outcomes
        .insert("infra.a".to_owned(), Outcome::Unmeasured);
    assert_eq!(world.resolve().exit_code, 3);
}

/// A run whose gate `infra.a` failed and is waived.
fn waived() -> Run {
    let failed = Check {
        rule: "files/missing".to_owned(),
        subject: "x".to_owned(),
        outcome: CheckOutcome::Failed,
        level: Level::Error,
        message: "x is missing".to_owned(),
        expected: None,
        actual: None,
        hint: None,
        location: None,
        details: Vec::new(),
    };
    let world = World::new();
    let mut run = world.resolve();
    let gate = run.gates.iter_mut().find(|g| g.id == "infra.a").unwrap();
    *gate = GateRecord {
        outcome: Outcome::Failed,
        checks: vec![failed],
        waived: vec![Waived {
            check: 0,
            waiver: 0,
            until: world.now,
            approver: "cto".to_owned(),
            ticket: None,
        }],
        ..gate.clone()
    };
    assert!(gate.is_waived());
    run
}

#[test]
fn a_waived_failure_that_the_signer_never_saw_is_worse() {
    let run = waived();
    let gates: Vec<&GateRecord> = run.gates.iter().take(1).collect();
    let seen = |status| Item {
        id: "infra.a".to_owned(),
        title: "A is up".to_owned(),
        status,
    };
    let worse = |seen: &[Item]| vector::worse(seen, &gates);
    for items in [
        vec![],
        vec![seen(Status::NotSelected)],
        vec![seen(Status::Passed)],
    ] {
        let why = worse(&items).unwrap();
        assert!(
            why.starts_with("it is stale: infra.a is waived now"),
            "{why}"
        );
    }
    for status in [Status::Waived, Status::Unmeasured, Status::Failed] {
        assert_eq!(worse(&[seen(status)]), None);
    }
}

#[test]
fn the_clock_makes_nothing_worse_but_a_waiver_or_what_held_it_back_does() {
    let mut gate = waived().gates[0].clone();
    gate.probe = readygate_window::ID.to_owned();
    let seen = [Item {
        id: "infra.a".to_owned(),
        title: "A is up".to_owned(),
        status: Status::Passed,
    }];
    assert!(
        vector::worse(&seen, &[&gate])
            .unwrap()
            .contains("is waived now")
    );
    gate.waived.clear();
    assert_eq!(vector::worse(&seen, &[&gate]), None);
    assert_eq!(vector::worse(&[], &[&gate]), None);
    gate.outcome = Outcome::Skipped;
    assert!(vector::worse(&seen, &[&gate]).is_some());
}

#[test]
fn who_was_shown_go_has_not_seen_a_waiver() {
    let mut run = waived();
    let why = vector::outdated("GO", &run).unwrap();
    assert!(
        why.starts_with("it is stale: infra.a is waived now"),
        "{why}"
    );
    assert_eq!(vector::outdated("GO-WITH-WAIVERS", &run), None);
    assert_eq!(vector::outdated("NO-GO", &run), None);
    run.gates[0].waived.clear();
    assert_eq!(vector::outdated("GO", &run), None);
}

#[test]
fn a_request_that_lies_about_the_verdict() {
    let world = World::new();
    world.resolve();
    let mut request = world.request("security-lead");
    request.verdict = "ALL IS WELL".to_owned();
    world.sign_request(&request, "alice", Approve, |_| ());
    let refusal = world.refusal();
    assert_eq!(
        refusal,
        "the signer was shown `ALL IS WELL`, which is no verdict"
    );
}

#[test]
fn a_commit_by_no_name_or_another_name_binds_nothing() {
    let with = |commit: &str| {
        let policy = POLICY.replace("version: 4.0.0", &format!("commit: \"{commit}\""));
        World::with(&policy)
    };
    for (commit, says) in [
        ("", "`target.commit` is empty"),
        (" ", "`target.commit` is empty"),
        ("gone", "`gone`, which git does not know here"),
        ("abcdef0", "`abcdef0`, which git does not know here"),
    ] {
        let run = with(commit).resolve();
        assert_eq!(run.exit_code, 4);
        assert!(run.reasons[0].contains(says), "{:?}", run.reasons);
    }
    // A full hash is a name in any clone, and a branch is not what is released but where it is.
    let hash = "a".repeat(40);
    assert_eq!(with(&hash).resolve().target.commit, Some(hash));
    let run = with("main").resolve();
    assert_eq!(run.target.commit.unwrap().len(), 40);
}

#[test]
fn a_folder_behind_a_link_holds_no_statements() {
    let world = World::new();
    fs::create_dir(world.path().join("src")).unwrap();
    symlink("src", world.path().join("signoffs")).unwrap();
    let run = world.resolve();
    assert_eq!(run.exit_code, 4);
    assert!(
        run.reasons[0].contains("signoffs is a symbolic link"),
        "{:?}",
        run.reasons
    );
    assert!(!world.path().join("src/requests").exists());

    // Signed before the folder was moved behind a link.
    fs::remove_file(world.path().join("signoffs")).unwrap();
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    fs::remove_dir(world.path().join("src")).unwrap();
    fs::rename(world.path().join("signoffs"), world.path().join("src")).unwrap();
    symlink("src", world.path().join("signoffs")).unwrap();
    world.write("src/package.json", "{}");
    world.commit("carol@example.com", "2026-11-24T09:00:00Z");
    assert_eq!(world.resolve().verdict, Verdict::Pending);
}

#[test]
fn keys_behind_a_link_are_no_statement() {
    let world = World::new();
    let keys = world.read("allowed_signers");
    world.write("signoffs/keys.json", &keys);
    fs::remove_file(world.path().join("allowed_signers")).unwrap();
    symlink("signoffs/keys.json", world.path().join("allowed_signers")).unwrap();
    world.commit("carol@example.com", "2026-11-24T08:10:00Z");
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.edit("signoffs/keys.json", |text| format!("# mine\n{text}"));
    world.commit("carol@example.com", "2026-11-24T08:20:00Z");
    assert_eq!(world.resolve().verdict, Verdict::Pending);
}

#[test]
fn a_bare_repository_beside_the_config_is_passed_by() {
    let world = World::new();
    let git = |args: &[&str]| assert!(call(world.path(), "git", args), "{args:?}");
    git(&["init", "-q", "--bare", "policy"]);
    let release = Repo::discover(world.path()).unwrap().resolve("HEAD");
    let found = Repo::discover(&world.path().join("policy")).unwrap();
    assert_eq!(found.resolve("HEAD"), release);
    assert!(release.is_ok());
}

#[test]
fn a_repository_without_this_work_tree_is_none() {
    let world = World::new();
    let git = |args: &[&str]| assert!(call(world.path(), "git", args), "{args:?}");
    let elsewhere = tempfile::TempDir::new().unwrap();
    git(&[
        "config",
        "core.worktree",
        elsewhere.path().to_str().unwrap(),
    ]);
    let why = Repo::discover(world.path()).err().unwrap();
    assert!(why.contains("elsewhere"), "{why}");
    git(&["config", "--unset", "core.worktree"]);
    git(&["config", "core.bare", "true"]);
    let why = Repo::discover(world.path()).err().unwrap();
    assert!(why.contains("has no work tree"), "{why}");
}
