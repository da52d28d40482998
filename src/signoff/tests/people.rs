//! Separation of duties, rejections, the final approval.

use super::world::{DBA, FINAL, POLICY, World};
use crate::record::{Outcome, SignDecision::Approve, Verdict};

fn world(more: &[&str]) -> World {
    World::with(&(POLICY.to_owned() + &more.concat()))
}

#[test]
fn two_roles_by_one_principal() {
    let mut world = world(&[DBA]);
    let first = world.sign("security-lead", "alice");
    world.pass(60);
    let second = world.sign("dba", "alice");
    assert!(world.of(&first).accepted);
    let reason = world.of(&second).reason.unwrap();
    assert!(
        reason.starts_with("alice@example.com signed as security-lead already"),
        "{reason}"
    );
    assert_eq!(world.resolve().exit_code, 4);
    world.pass(60);
    world.sign("dba", "bob");
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn two_roles_that_the_config_allows_together() {
    let may = "revoked: revoked, may_also: { alice@example.com: [dba] }";
    let policy = POLICY.replace("revoked: revoked", may) + DBA;
    let world = World::with(&policy);
    world.sign("security-lead", "alice");
    world.sign("dba", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn one_key_is_one_person() {
    let world = world(&[DBA]);
    let key = world.read("keys/alice.pub");
    world.edit("allowed_signers", |text| {
        format!("{text}bob@example.com {key}")
    });
    world.commit("carol@example.com", "2026-11-24T08:30:00Z");
    world.sign("security-lead", "alice");
    world.resolve();
    let second = world.sign_as("dba", "alice", Approve, |statement| {
        statement.predicate.principal = "bob@example.com".to_owned();
    });
    let reason = world.of(&second).reason.unwrap();
    assert!(
        reason.ends_with("signed as alice@example.com already"),
        "{reason}"
    );
}

#[test]
fn author_signing_own_release() {
    let world = world(&[DBA]);
    world.write("code.txt", "mine");
    world.commit("Alice@Example.com", "2026-11-24T09:00:00Z");
    let path = world.sign("security-lead", "alice");
    let reason = world.of(&path).reason.unwrap();
    let wanted =
        "alice@example.com wrote a part of this release, and may not sign it as security-lead";
    assert_eq!(reason, wanted);
    // Ann did not write it.
    world.sign("security-lead", "ann");
    assert_eq!(world.outcome("signoff.security"), Outcome::Passed);
    // The database is not a role that excludes authors.
    world.sign("dba", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn the_range_of_the_release_is_looked_at() {
    let with = |authors: &str| {
        POLICY.replace(
            "revoked: revoked",
            &format!("revoked: revoked, authors: {authors}"),
        )
    };
    let world = World::with(&with("base"));
    assert!(super::world::call(world.path(), "git", &["tag", "base"]));
    world.write("code.txt", "mine");
    world.commit("alice@example.com", "2026-11-24T09:00:00Z");
    world.write("code.txt", "theirs");
    world.commit("dave@example.com", "2026-11-24T09:10:00Z");
    let path = world.sign("security-lead", "alice");
    assert!(
        world
            .of(&path)
            .reason
            .unwrap()
            .contains("wrote a part of this release")
    );

    world.write("readygate.yaml", &with("gone..HEAD"));
    let path = world.sign("security-lead", "ann");
    let reason = world.of(&path).reason.unwrap();
    assert!(
        reason.starts_with("who wrote the release is not known: `gone`"),
        "{reason}"
    );

    world.write("readygate.yaml", &with("unchecked"));
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn authors_are_known_by_their_other_addresses_and_committing_a_signature_is_no_authorship() {
    let known = "revoked: revoked, also_known_as: { alice@example.com: [alice@users.example.net] }";
    let world = World::with(&POLICY.replace("revoked: revoked", known));
    world.write("code.txt", "mine");
    world.commit("alice@users.example.net", "2026-11-24T09:00:00Z");
    let path = world.sign("security-lead", "alice");
    assert!(world.of(&path).reason.unwrap().contains("wrote a part"));
    let path = world.sign("security-lead", "ann");
    world.commit("ann@example.com", "2026-11-24T09:10:00Z");
    assert!(world.of(&path).accepted, "{:?}", world.of(&path));
}

#[test]
fn a_rejection_blocks_until_the_same_person_takes_it_back() {
    let mut world = World::new();
    world.sign("security-lead", "ann");
    let no = world.reject("security-lead", "alice");
    let run = world.resolve();
    assert_eq!((run.verdict, run.exit_code), (Verdict::NoGo, 1));
    assert!(
        run.reasons[0].contains("signed against the release: not yet"),
        "{:?}",
        run.reasons
    );
    // Nobody else takes it back, and time does not either.
    world.pass(60);
    assert_eq!(world.resolve().exit_code, 1);
    world.pass(80 * 3600);
    assert_eq!(world.resolve().exit_code, 1);
    let request = world.request("security-lead");
    world.sign_request(&request, "ann", Approve, |_| ());
    assert_eq!(world.resolve().exit_code, 1);
    world.pass(60);
    world.sign_request(&request, "alice", Approve, |_| ());
    assert_eq!(world.resolve().verdict, Verdict::Go);
    assert!(
        world
            .of(&no)
            .reason
            .unwrap()
            .starts_with("alice@example.com signed anew")
    );
}

#[test]
fn a_rejection_outlives_its_key() {
    let mut world = World::new();
    world.reject("security-lead", "alice");
    let key = world.read("keys/alice.pub");
    let line = format!("alice@example.com valid-before=\"20261124120000Z\" {key}");
    world.edit("allowed_signers", |text| {
        let others = text.lines().skip(1).collect::<Vec<_>>().join("\n");
        format!("{line}{others}\n")
    });
    world.pass(60);
    assert_eq!(world.resolve().exit_code, 1);
    // Ann's approval does not help.
    world.sign_request(&world.request("security-lead"), "ann", Approve, |_| ());
    assert_eq!(world.resolve().exit_code, 1);
}

#[test]
fn a_new_commit_or_policy_does_not_void_a_rejection() {
    let world = World::new();
    world.reject("security-lead", "alice");
    world.edit("readygate.yaml", |text| format!("{text}# comment\n"));
    world.commit("carol@example.com", "2026-11-24T11:00:00Z");
    assert_eq!(world.resolve().exit_code, 1);
}

#[test]
fn an_earlier_approval_does_not_outlive_a_rejection_in_the_same_second() {
    let world = World::new();
    world.sign("security-lead", "alice");
    let request = world.request("security-lead");
    let mut later = world;
    later.pass(0);
    let key = later.path().join("signoffs");
    std::fs::create_dir_all(key.join("x")).unwrap();
    let choice = super::super::sign::Choice {
        principal: "alice@example.com".to_owned(),
        decision: crate::record::SignDecision::Reject,
        reason: Some("no".to_owned()),
        answers: std::collections::BTreeMap::default(),
        accepts: Vec::new(),
    };
    let statement = super::super::sign::statement(&request, &choice, later.now).unwrap();
    let own = later.path().join("keys/alice");
    let path = super::super::sign::write(&statement, &own, &request.namespace, &key.join("x"));
    let path = path.unwrap();
    for end in ["", ".sig"] {
        let from = format!("{}{end}", path.display());
        std::fs::rename(from, key.join(format!("a-first.json{end}"))).unwrap();
    }
    assert_eq!(later.resolve().exit_code, 1);
}

#[test]
fn the_final_approval_covers_all_others() {
    let mut world = world(&[DBA, FINAL]);
    world.sign("security-lead", "ann");
    world.resolve();
    assert_eq!(world.request("cto").waiting_for, ["dba"]);
    let early = world.sign_early("cto", "erin");
    world.pass(60);
    world.sign("dba", "bob");
    let reason = world.of(&early).reason.unwrap();
    assert!(
        reason.starts_with("the final approval does not cover "),
        "{reason}"
    );
    assert_eq!(world.resolve().exit_code, 4);
    world.pass(60);
    world.sign("cto", "erin");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    // A signature that replaces another is not covered.
    world.pass(60);
    let request = world.request("dba");
    world.sign_request(&request, "bob", Approve, |_| ());
    assert_eq!(world.outcome("signoff.final"), Outcome::Pending);
}

#[test]
fn the_final_approver_holds_no_other_role() {
    let may = "revoked: revoked, may_also: { alice@example.com: [cto, security-lead] }";
    let world = World::with(&(POLICY.replace("revoked: revoked", may) + FINAL));
    world.sign("security-lead", "alice");
    let last = world.sign("cto", "alice");
    let reason = world.of(&last).reason.unwrap();
    assert!(
        reason.ends_with("the final approver may hold no other role"),
        "{reason}"
    );
}

#[test]
fn the_final_approver_did_not_write_the_release() {
    let world = world(&[FINAL]);
    world.write("code.txt", "mine");
    world.commit("erin@example.com", "2026-11-24T09:00:00Z");
    world.sign("security-lead", "ann");
    let last = world.sign("cto", "erin");
    assert!(
        world
            .of(&last)
            .reason
            .unwrap()
            .contains("wrote a part of this release")
    );
}

#[test]
fn a_sign_off_waits_for_what_it_needs() {
    let needs =
        "  - { id: signoff.dba, needs: [signoff.security], probe: signoff, with: { role: dba } }\n";
    let world = world(&[needs]);
    let run = world.resolve();
    assert_eq!(
        run.gates[3].reason.as_deref(),
        Some("needs `signoff.security`, which is pending")
    );
    assert!(!world.path().join("signoffs/requests/dba.json").exists());
    world.sign("security-lead", "ann");
    world.sign("dba", "bob");
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn a_minor_sign_off_does_not_keep_from_go() {
    let minor = "  - { id: signoff.dba, severity: minor, probe: signoff, with: { role: dba } }\n";
    let world = world(&[minor]);
    world.sign("security-lead", "ann");
    let run = world.resolve();
    assert_eq!(run.verdict, Verdict::Go);
    assert_eq!(run.counts.pending, 1);
}

#[test]
fn a_rejection_is_not_taken_back_by_an_approval_that_does_not_count() {
    let mut world = World::new();
    world.write("code.txt", "mine");
    world.commit("alice@example.com", "2026-11-24T09:00:00Z");
    let no = world.reject("security-lead", "alice");
    assert_eq!(world.resolve().exit_code, 1);
    let request = world.request("security-lead");
    world.pass(60);
    let yes = world.sign_request(&request, "alice", Approve, |_| ());
    let reason = world.of(&yes).reason.unwrap();
    assert!(reason.contains("wrote a part of this release"), "{reason}");
    assert!(world.of(&no).accepted);
    assert_eq!(world.resolve().exit_code, 1);
}

#[test]
fn a_rejection_counts_for_each_of_its_stages() {
    let mut world = World::new();
    world.reject("security-lead", "alice");
    for (stages, code) in [
        (vec!["pre-deploy"], 1),
        (vec!["deploy", "pre-deploy"], 1),
        (vec![], 1),
        (vec!["post-deploy"], 4),
    ] {
        world.stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        assert_eq!(world.resolve().exit_code, code, "{stages:?}");
    }
}

/// Security signs as an expectation says.
fn expecting(expect: &str) -> World {
    let gate = format!("    severity: blocker\n    expect: {{ {expect} }}\n");
    World::with(&POLICY.replace("    severity: blocker\n", &gate))
}

#[test]
fn two_approvals_are_waited_for() {
    let mut world = expecting("approvals: '>= 2'");
    assert_eq!(world.resolve().exit_code, 4);
    world.sign("security-lead", "alice");
    let run = world.resolve();
    assert_eq!(run.exit_code, 4, "{:?}", run.reasons);
    let open = run.gates[2].failures().next().unwrap();
    assert_eq!(open.rule, "expect/approvals");
    let hint = open.hint.as_ref().unwrap();
    assert!(hint.contains("--role security-lead"), "{hint}");
    // The same person signs in vain.
    world.pass(60);
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().exit_code, 4);
    std::fs::remove_dir_all(world.path().join("signoffs/requests")).unwrap();
    world.sign("security-lead", "ann");
    let run = world.resolve();
    assert_eq!(run.verdict, Verdict::Go, "{:?}", run.reasons);
    world.pass(60);
    world.sign_as(
        "security-lead",
        "ann",
        crate::record::SignDecision::Reject,
        |_| (),
    );
    assert_eq!(world.resolve().exit_code, 1);
}

#[test]
fn an_approval_that_is_too_old_is_waited_for_and_one_too_many_is_a_failure() {
    let mut world = expecting("age: '<= 1h'");
    assert_eq!(world.resolve().exit_code, 4);
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.pass(3601);
    assert_eq!(world.resolve().exit_code, 4);
    world.sign("security-lead", "alice");
    assert_eq!(world.resolve().verdict, Verdict::Go);

    let mut world = expecting("approvals: '== 1'");
    world.sign("security-lead", "alice");
    let request = world.request("security-lead");
    assert_eq!(world.resolve().verdict, Verdict::Go);
    world.pass(60);
    world.sign_request(&request, "ann", Approve, |_| ());
    assert_eq!(world.resolve().exit_code, 1);
}

#[test]
fn two_addresses_are_not_two_people() {
    let known = "revoked: revoked, also_known_as: { alice@example.com: [ann@example.com] }";
    let policy = POLICY.replace("revoked: revoked", known);
    let gate = "    severity: blocker\n    expect: { approvals: '>= 2' }\n";
    let mut world = World::with(&policy.replace("    severity: blocker\n", gate));
    let first = world.sign("security-lead", "alice");
    world.pass(60);
    world.sign("security-lead", "ann");
    assert_eq!(world.resolve().exit_code, 4);
    let reason = world.of(&first).reason.unwrap();
    assert!(reason.contains("signed anew"), "{reason}");

    // Nor does an author become another person by signing as the other.
    let world = World::with(&policy);
    world.write("code.txt", "mine");
    world.commit("alice@example.com", "2026-11-24T09:00:00Z");
    let path = world.sign("security-lead", "ann");
    assert!(world.of(&path).reason.unwrap().contains("wrote a part"));
}

#[test]
fn entries_that_share_an_address_are_one_person() {
    let known = "revoked: revoked, also_known_as: { alice@example.com: [Zoe@x.example], \
                 zoe@x.example: [m@x.example], ann@example.com: [m@x.example] }";
    let policy = POLICY.replace("revoked: revoked", known);
    let gate = "    severity: blocker\n    expect: { approvals: '>= 2' }\n";
    let mut world = World::with(&policy.replace("    severity: blocker\n", gate));
    world.sign("security-lead", "alice");
    world.pass(60);
    world.sign("security-lead", "ann");
    assert_eq!(world.resolve().exit_code, 4);

    for author in ["zoe@x.example", "m@x.example", "ANN@example.com"] {
        let world = World::with(&policy);
        world.write("code.txt", "mine");
        world.commit(author, "2026-11-24T09:00:00Z");
        let path = world.sign("security-lead", "alice");
        let reason = world.of(&path).reason.unwrap_or_default();
        assert!(reason.contains("wrote a part"), "{author}: {reason}");
    }
}

#[test]
fn what_needs_a_sign_off_that_is_not_asked_for_is_not_asked_for() {
    let dba = "  - { id: signoff.dba, needs: [infra.a], probe: signoff, with: { role: dba } }\n";
    let last = "  - { id: signoff.final, needs: [signoff.dba], probe: signoff, with: { role: cto, final: true } }\n";
    let mut world = world(&[dba, last]);
    world.outcomes.insert("infra.a".to_owned(), Outcome::Failed);
    let run = world.resolve();
    let reasons = |at: usize| run.gates[at].reason.clone().unwrap();
    assert_eq!(reasons(3), "needs `infra.a`, which failed");
    assert_eq!(reasons(4), "needs `signoff.dba`, which was skipped");
    for role in ["dba", "cto"] {
        let request = format!("signoffs/requests/{role}.json");
        assert!(!world.path().join(request).exists());
    }
    world.outcomes.clear();
    assert_eq!(world.resolve().exit_code, 4);
    world.sign("dba", "bob");
}
