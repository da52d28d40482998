//! What was signed, verified again from a bundle: later, elsewhere, and after edits.

use std::io;

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::Masker;

use super::{
    super::{
        Inputs, Revoked, allowed_signers::AllowedSigners, resolve, signature::Trust, trust::Source,
    },
    world::{NAMESPACE, World},
};
use crate::{
    engine,
    evidence::{
        consistent,
        policy::Policy,
        signatures::{self, Found, Held},
        statement,
    },
    plan,
    record::{Outcome, Run, Severity, SkipReason, Verdict, WaiverRecord, seal},
};

/// Decides a record anew, as `gate` does, with the signatures of now.
fn gated(world: &World, mut run: Run) -> Run {
    let config = world.config();
    let gates: Vec<_> = config.gates.iter().collect();
    for (gate, record) in gates.iter().zip(&mut run.gates) {
        if gate.signoff().is_some() {
            *record = engine::awaiting(gate);
        }
    }
    let inputs = Inputs {
        config: &config,
        gates: &gates,
        directory: None,
        fresh: false,
        trust: &Source::default(),
        now: world.now,
        waived_at: world.now,
    };
    resolve(&mut run, &inputs);
    run
}

/// Verifies what a record was signed with, as it lies in its bundle; with the policy or without.
fn held(world: &World, run: &Run, with_policy: bool) -> Found {
    let config = world.config();
    let trust = Trust {
        allowed: AllowedSigners::parse(&world.read("allowed_signers")).unwrap(),
        revoked: Revoked::default(),
        namespace: NAMESPACE.to_owned(),
    };
    let plan = |run: &Run| plan::plan(&config, &run.selection).map_err(|e| e.to_string());
    let policy = Policy {
        config: &config,
        signoffs: None,
        plan: &plan,
    };
    let files = signatures::files(run).unwrap();
    let read = |name: &str| {
        let found = files.iter().find(|(path, _)| path == name);
        let found = found.map(|(_, bytes)| bytes.clone());
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    };
    let held = Held {
        run,
        trust: Some(&trust),
        namespace: NAMESPACE,
        policy: with_policy.then_some(&policy),
        read: &read,
    };
    held.verify()
}

#[track_caller]
fn fine(found: &Found) {
    assert!(found.problems.is_empty(), "{found:?}");
    assert!(found.notes.is_empty(), "{found:?}");
}

#[track_caller]
fn wrong(found: &Found, message: &str) {
    let [(_, said)] = found.problems.as_slice() else {
        panic!("{found:?}")
    };
    assert!(said.contains(message), "{said}");
}

fn options(world: &World, options: &str) {
    let key = world.read("keys/alice.pub");
    let line = format!("alice@example.com {options} {key}");
    world.write("allowed_signers", &line);
}

#[test]
fn a_key_must_hold_when_it_counts_and_not_when_the_evidence_ended() {
    let mut world = World::new();
    let run = world.resolve();
    world.pass(600);
    world.sign("security-lead", "alice");
    options(&world, "valid-after=\"20261124120500Z\"");
    let gated = gated(&world, run);
    assert_eq!(gated.verdict, Verdict::Go, "{:?}", gated.reasons);
    assert_eq!(gated.decided, Some(world.now));
    fine(&held(&world, &gated, true));
    options(&world, "valid-before=\"20261124120500Z\"");
    wrong(&held(&world, &gated, true), "the key has expired");
}

#[test]
fn a_record_from_before_the_decision_was_a_field_tells_it_by_its_name() {
    let mut world = World::new();
    let run = world.resolve();
    world.pass(600);
    world.sign("security-lead", "alice");
    let mut gated = gated(&world, run);
    assert_eq!(gated.verdict, Verdict::Go, "{:?}", gated.reasons);
    gated.decided = None;
    wrong(&held(&world, &gated, true), "after the decision");
    let seconds = world.now.as_second();
    for id in [
        format!("run-1-gated-{seconds}"),
        format!("run-1-judged-{seconds}"),
        format!("run-1-judged-7-gated-{seconds}"),
        format!("run-1-gated-7-judged-{seconds}"),
    ] {
        gated.id = id;
        assert_eq!(gated.decided_at(), world.now, "{}", gated.id);
    }
    gated.id = format!("run-1-gated-{seconds}");
    fine(&held(&world, &gated, true));
    // Nothing is decided before it was measured, and a name may say anything.
    for id in [
        "run-1",
        "run-1-gated-7",
        "run-1-gated-",
        "run-1-gated-99999999999999999999",
    ] {
        gated.id = id.to_owned();
        assert_eq!(gated.decided_at(), gated.finished, "{id}");
    }
}

#[test]
fn the_decision_is_a_time_whatever_the_secrets_are_and_the_statement_names_it() {
    let world = World::new();
    let mut run = world.resolve();
    run.decided = Some("2026-11-24T13:14:15Z".parse().unwrap());
    let sealed = seal(&run, &Masker::new(["2026-11-24T13:14:15Z"])).unwrap();
    assert_eq!(sealed.decided, run.decided);
    let created = |files: Vec<(&str, serde_json::Value)>| {
        let svr = files
            .into_iter()
            .find(|(name, _)| *name == "svr.predicate.json");
        svr.unwrap().1["timeCreated"].clone()
    };
    let now = created(statement::files(&run, "0"));
    assert_eq!(now, "2026-11-24T13:14:15Z");
    assert_eq!(
        created(statement::earlier(&run, "0")),
        "2026-11-24T12:00:00Z"
    );
}

#[test]
fn an_approval_by_a_key_that_expired_before_it_counted_is_found() {
    let mut world = World::new();
    let run = world.resolve();
    world.sign("security-lead", "alice");
    world.pass(600);
    let gated = gated(&world, run);
    assert_eq!(gated.verdict, Verdict::Go, "{:?}", gated.reasons);
    options(&world, "valid-before=\"20261124120500Z\"");
    wrong(&held(&world, &gated, true), "the key has expired");
}

#[test]
fn a_rejection_outlives_its_key() {
    let mut world = World::new();
    world.reject("security-lead", "alice");
    options(&world, "valid-before=\"20261124120000Z\"");
    world.pass(600);
    let run = world.resolve();
    assert_eq!(run.verdict, Verdict::NoGo, "{:?}", run.reasons);
    fine(&held(&world, &run, true));
    options(&world, "valid-before=\"20261124115959Z\"");
    wrong(&held(&world, &run, true), "the key has expired");
}

#[test]
fn a_statement_counts_neither_before_nor_after_its_time() {
    let world = World::new();
    world.sign("security-lead", "alice");
    let good = world.resolve();
    fine(&held(&world, &good, true));
    let at = |time: &str| Run {
        decided: Some(time.parse().unwrap()),
        ..good.clone()
    };
    let early = at("2026-11-24T11:54:59Z");
    wrong(&held(&world, &early, true), "after the decision");
    fine(&held(&world, &at("2026-11-24T11:55:00Z"), true));
    fine(&held(&world, &at("2026-11-27T12:00:00Z"), true));
    let late = at("2026-11-27T12:00:01Z");
    wrong(&held(&world, &late, true), "it expired");
}

#[test]
fn a_statement_that_was_committed_counts_for_the_commit_that_it_made() {
    let world = World::new();
    world.sign("security-lead", "alice");
    world.commit("carol@example.com", "2026-11-24T08:30:00Z");
    let run = world.resolve();
    assert_eq!(run.verdict, Verdict::Go, "{:?}", run.reasons);
    fine(&held(&world, &run, true));
    // Without the repository it is not known, and that is said.
    let found = held(&world, &run, false);
    assert!(found.problems.is_empty(), "{found:?}");
    let [(_, note)] = found.notes.as_slice() else {
        panic!("{found:?}")
    };
    assert!(note.contains("whether only statements differ"), "{note}");
    // A record of which only the commit was edited does not claim that both are one release.
    let mut edited = run.clone();
    edited.target.commit = Some("f".repeat(40));
    edited.signoffs[0].commit = None;
    wrong(&held(&world, &edited, false), "it is for commit");
    // One that does is found where git knows better.
    world.write("code.rs", "fn main() {}");
    world.commit("carol@example.com", "2026-11-24T08:40:00Z");
    let mut forged = run;
    forged.target.commit = world.resolve().target.commit;
    wrong(&held(&world, &forged, true), "more than statements differs");
}

#[test]
fn who_does_not_hold_the_role_is_found() {
    let world = World::new();
    world.sign("security-lead", "alice");
    let run = world.resolve();
    world.edit("readygate.yaml", |text| {
        text.replace("alice@example.com, ann", "ann")
    });
    wrong(
        &held(&world, &run, true),
        "alice@example.com may not sign in the name of security-lead",
    );
    world.edit("readygate.yaml", |text| {
        text.replace(
            "principals: [ann",
            "require_touch: true, principals: [alice@example.com, ann",
        )
    });
    wrong(&held(&world, &run, true), "no hardware key was touched");
    world.edit("readygate.yaml", |text| {
        text.replace("security-lead", "security-chief")
    });
    wrong(
        &held(&world, &run, true),
        "the config has no role `security-lead`",
    );
}

#[test]
fn a_record_of_other_gates_than_the_policy_is_found() {
    let world = World::new();
    let (run, config) = (world.resolve(), world.config());
    let plan = |run: &Run| plan::plan(&config, &run.selection).map_err(|e| e.to_string());
    let policy = Policy {
        config: &config,
        signoffs: None,
        plan: &plan,
    };
    assert_eq!(policy.holds(&run), Ok(()));
    let edited = |edit: fn(&mut Run), message: &str| {
        let mut run = run.clone();
        edit(&mut run);
        let why = policy.holds(&run).unwrap_err();
        assert!(why.contains(message), "{why}");
    };
    edited(
        |run| run.config.sha256 = "0".repeat(64),
        "was made under another policy",
    );
    edited(
        |run| drop(run.gates.remove(0)),
        "holds other gates than the config",
    );
    edited(
        |run| run.gates[0].severity = Severity::Info,
        "another severity or probe for `infra.a`",
    );
    edited(
        |run| run.gates[0].probe = "command".to_owned(),
        "another severity or probe for `infra.a`",
    );
    edited(
        |run| {
            run.gates[0].outcome = Outcome::Skipped;
            run.gates[0].skipped = Some(SkipReason::NotSelected);
        },
        "`infra.a` was left out",
    );
}

#[test]
fn a_waiver_holds_until_its_last_second_is_over() {
    let world = World::new();
    let mut run = world.resolve();
    let expires: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    run.waivers.push(WaiverRecord {
        covers: "infra.a".to_owned(),
        reason: "known".to_owned(),
        owner: "ops".to_owned(),
        approver: "cto".to_owned(),
        principal: None,
        ticket: None,
        expires,
        location: None,
        valid: true,
        covered: 1,
        used: vec!["infra.a: files.missing x".to_owned()],
        notes: Vec::new(),
    });
    let said = |run: &Run| consistent::contradictions(run, &[]).join("\n");
    let lapsed = |run: &Run, at| consistent::lapsed(run, at).count();
    run.finished = expires + SignedDuration::from_millis(999);
    assert!(!said(&run).contains("had ended"), "{}", said(&run));
    assert_eq!(lapsed(&run, run.finished), 0);
    run.finished = expires + SignedDuration::from_secs(1);
    assert!(said(&run).contains("had ended"), "{}", said(&run));
    assert_eq!(lapsed(&run, run.finished), 1);
    // What is decided anew needs waivers that hold then.
    run.finished = expires;
    run.decided = Some(expires + SignedDuration::from_secs(1));
    assert!(said(&run).contains("had ended"), "{}", said(&run));
}

#[test]
fn a_verdict_that_leaves_out_what_is_required_is_found() {
    let world = World::new();
    world.sign("security-lead", "alice");
    let mut run = world.resolve();
    run.gates[1].outcome = Outcome::Unmeasured;
    run.counts = crate::verdict::count(&run.gates);
    let required = ["infra.b".to_owned()];
    assert_eq!(consistent::contradictions(&run, &[]), [""; 0]);
    let [said] = &consistent::contradictions(&run, &required)[..] else {
        panic!()
    };
    assert!(
        said.starts_with("it says GO, but its gates amount to"),
        "{said}"
    );
}
