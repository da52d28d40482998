//! Requests: what they say, where they go, how they are shown, and the config around them.

use std::{collections::BTreeMap, fs};

use super::{
    super::{
        Inputs,
        request::{self, RequestError},
        sign::{self, Choice},
        trust::Source,
    },
    world::{DBA, POLICY, World},
};
use crate::record::SignDecision;

impl World {
    /// Signs a final request though others are still missing.
    pub fn sign_early(&self, role: &str, name: &str) -> std::path::PathBuf {
        let mut request = self.request(role);
        request.waiting_for.clear();
        self.sign_request(&request, name, SignDecision::Approve, |_| ())
    }
}

fn choice(decision: SignDecision, answers: &[(&str, &str)]) -> Choice {
    let answers = answers.iter();
    Choice {
        principal: "alice@example.com".to_owned(),
        decision,
        reason: None,
        answers: answers
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        accepts: Vec::new(),
    }
}

/// Writes requests for the world as it is.
fn write(world: &World) -> Result<Vec<std::path::PathBuf>, RequestError> {
    let config = world.config();
    let gates: Vec<_> = config.gates.iter().collect();
    let inputs = Inputs {
        config: &config,
        gates: &gates,
        directory: None,
        fresh: true,
        trust: &Source::default(),
        now: world.now,
        waived_at: world.now,
    };
    fs::remove_dir_all(world.path().join("signoffs")).ok();
    let run = world.resolve();
    request::write(&run, &inputs, Some(&run))
}

#[test]
fn a_request_replaces_an_earlier_one_and_nothing_else() {
    let world = World::new();
    let written = write(&world).unwrap();
    let [path] = written.as_slice() else {
        panic!("{written:?}")
    };
    assert!(path.ends_with("signoffs/requests/security-lead.json"));
    let run = world.resolve();
    let config = world.config();
    let gates: Vec<_> = config.gates.iter().collect();
    let inputs = Inputs {
        config: &config,
        gates: &gates,
        directory: None,
        fresh: true,
        trust: &Source::default(),
        now: world.now,
        waived_at: world.now,
    };
    for foreign in ["precious", "{\"schema\": \"mine\"}"] {
        fs::write(path, foreign).unwrap();
        let error = request::write(&run, &inputs, None).unwrap_err().to_string();
        assert!(error.contains("stays as it is"), "{error}");
        assert_eq!(fs::read_to_string(path).unwrap(), foreign);
    }
    fs::remove_file(path).unwrap();
    let elsewhere = world.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, path).unwrap();
    assert!(request::write(&run, &inputs, None).is_err());
    assert!(!elsewhere.exists());
}

#[test]
fn a_request_says_what_is_signed() {
    let world = World::new();
    world.resolve();
    let request = world.request("security-lead");
    assert_eq!(request.principals, ["alice@example.com", "ann@example.com"]);
    assert_eq!(
        (request.title.as_str(), request.verdict.as_str()),
        ("Security Lead", "GO")
    );
    assert_eq!(request.items.len(), 2);
    assert_eq!(request.stages, ["pre-deploy"]);
    assert_eq!(request.subject[0].digest["gitCommit"].len(), 40);
}

#[test]
fn path_traversal_in_role_names() {
    let world = World::with(&POLICY.replace("role: security-lead", "role: ../../etc/x"));
    let problems = world.problems();
    assert!(
        problems.contains("`../../etc/x` is not the name of a role"),
        "{problems}"
    );
    let world = World::with(&POLICY.replace("  dba:", "  \"../dba\":"));
    let problems = world.problems();
    assert!(
        problems.contains("`../dba` is not the name of a role"),
        "{problems}"
    );

    let world = World::new();
    world.resolve();
    let mut request = world.request("security-lead");
    request.role = "../../x".to_owned();
    world.write("evil.json", &serde_json::to_string(&request).unwrap());
    let error = request::read(&world.path().join("evil.json")).unwrap_err();
    assert_eq!(error, "`../../x` is not the name of a role");
}

#[test]
fn a_request_cannot_ask_for_another_kind_of_signature() {
    let world = World::new();
    world.resolve();
    let mut request = world.request("security-lead");
    for namespace in ["git", "file", "signoff@", "signoff@a b"] {
        request.namespace = namespace.to_owned();
        world.write("evil.json", &serde_json::to_string(&request).unwrap());
        let error = request::read(&world.path().join("evil.json")).unwrap_err();
        assert!(
            error.contains("is not a namespace for sign-offs"),
            "{error}"
        );
    }
}

#[test]
fn nothing_in_a_request_reaches_the_terminal_as_it_is() {
    let world = World::new();
    world.resolve();
    let mut request = world.request("security-lead");
    let evil = "x\u{1b}[2J\n\nEvidence: 9 gates, 9 passed\r::error::y\u{202e}z";
    request.title = evil.to_owned();
    request.target = evil.to_owned();
    request.items[0].title = evil.to_owned();
    request.items[0].reason = Some(evil.to_owned());
    request.gates[0].statement = evil.to_owned();
    request.gates[0].answers[0].ask = evil.to_owned();
    request.waivers = vec![evil.to_owned()];
    request.changes = Some(vec![evil.to_owned()]);
    let statement =
        sign::statement(&request, &choice(SignDecision::Approve, &[]), world.now).unwrap();
    let page = sign::page(&request, &statement);
    let hidden = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!page.contains(hidden), "{page}");
    assert_eq!(
        page.lines().filter(|l| l.starts_with("Evidence")).count(),
        1,
        "{page}"
    );
    assert!(
        !page.lines().any(|line| line.trim_start().starts_with("::")),
        "{page}"
    );
}

#[test]
fn answers_are_checked_before_they_are_signed() {
    let world = World::new();
    world.resolve();
    let request = world.request("security-lead");
    let sign = |choice: Choice| sign::statement(&request, &choice, world.now).map(drop);
    let approve = |answers: &[(&str, &str)]| sign(choice(SignDecision::Approve, answers));
    assert_eq!(approve(&[("review", "2026-11-01")]), Ok(()));
    let error = approve(&[("review", "in spring")]).unwrap_err();
    assert!(
        error.starts_with("the answer to review `in spring` is not a date"),
        "{error}"
    );
    let error = approve(&[("revue", "x")]).unwrap_err();
    assert_eq!(error, "`revue` is not asked; asked are review");
    let error = sign(choice(SignDecision::Reject, &[])).unwrap_err();
    assert_eq!(error, "a rejection needs --reason");
}

#[test]
fn answers_become_metrics() {
    let world = World::new();
    world.sign_as(
        "security-lead",
        "alice",
        SignDecision::Approve,
        |statement| {
            let answers = BTreeMap::from([("review".to_owned(), "2026-11-01".to_owned())]);
            statement.predicate.answers = answers;
        },
    );
    let run = world.resolve();
    assert_eq!(
        run.gates[2].metrics["answer.review"].display(),
        "2026-11-01"
    );
}

#[test]
fn configs_that_cannot_work() {
    for (edit, problem) in [
        (
            ("role: security-lead\n", "role: securty-lead\n"),
            "`roles` has no role `securty-lead`",
        ),
        (
            ("infra.b,", "infra.b, needs: [signoff.security],"),
            "only a sign-off can need the sign-off",
        ),
        (
            (
                "    severity: blocker\n",
                "    sustain: { for: 1m, every: 10s }\n",
            ),
            "a sign-off knows no `sustain`",
        ),
        (
            (
                "      role: security-lead\n",
                "      role: security-lead\n      items: [infra.c]\n",
            ),
            "no gate has the id `infra.c`",
        ),
        (
            (
                "      role: security-lead\n",
                "      role: security-lead\n      items: [signoff.security]\n",
            ),
            "is a sign-off itself",
        ),
        (
            ("revoked: revoked", "namespace: git"),
            "not a namespace for sign-offs",
        ),
        (
            ("version: 4.0.0", "artifact: sha256:abc"),
            "`artifact` is not a digest",
        ),
    ] {
        let world = World::with(&POLICY.replace(edit.0, edit.1));
        let problems = world.problems();
        assert!(problems.contains(problem), "{problem}:\n{problems}");
    }
}

#[test]
fn roles_without_people_are_told() {
    let policy = POLICY.replace(
        "principals: [bob@example.com, alice@example.com]",
        "title: DBA",
    ) + DBA;
    let run = World::with(&policy).resolve();
    assert!(
        run.reasons
            .iter()
            .any(|r| r.contains("nobody holds the role")),
        "{:?}",
        run.reasons
    );
}
