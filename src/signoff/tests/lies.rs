//! Statements and requests that were edited, or say what is not so.

use std::fs;

use super::{
    super::{
        statement::{self, Vouched},
        vector::{self, Status},
    },
    world::World,
};
use crate::{
    record::{Outcome, SignDecision::Approve, Verdict},
    waiver::Accept,
};

#[test]
fn edited_statement() {
    let world = World::new();
    let path = world.sign("security-lead", "alice");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("2026-11-27", "2026-11-29")).unwrap();
    assert_eq!(
        world.refusal(),
        "the signature does not match: the statement was edited"
    );
    fs::write(&path, format!("{text} ")).unwrap();
    assert_eq!(
        world.refusal(),
        "the signature does not match: the statement was edited"
    );
    fs::write(&path, &text).unwrap();
    assert_eq!(world.resolve().verdict, Verdict::Go);
}

#[test]
fn unsigned_statement() {
    let world = World::new();
    let path = world.sign("security-lead", "alice");
    fs::remove_file(format!("{}.sig", path.display())).unwrap();
    assert!(world.refusal().starts_with("it is not signed"));
    fs::write(format!("{}.sig", path.display()), "nonsense").unwrap();
    assert!(world.refusal().starts_with("the signature cannot be read"));
}

#[test]
fn a_request_that_lies_about_an_outcome() {
    let mut world = World::new();
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    world.resolve();
    let mut request = world.request("security-lead");
    request.items[1].status = Status::Passed;
    world.sign_request(&request, "alice", Approve, |_| ());
    assert!(
        world
            .refusal()
            .starts_with("it is stale: infra.b is failed now")
    );
}

#[test]
fn a_request_that_hides_a_failure() {
    let mut world = World::new();
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    world.resolve();
    let mut request = world.request("security-lead");
    request.items.remove(1);
    world.sign_request(&request, "alice", Approve, |_| ());
    assert!(
        world
            .refusal()
            .starts_with("it is stale: infra.b is failed now")
    );
}

#[test]
fn a_request_that_lies_in_words() {
    let world = World::new();
    world.resolve();
    let honest = world.request("security-lead");
    for (lie, reason) in [
        (0, "the signer was shown another title for infra.a"),
        (1, "the signer of signoff.security was shown other words"),
        (
            2,
            "the signer of signoff.security was asked other questions",
        ),
    ] {
        let mut request = honest.clone();
        match lie {
            0 => request.items[0].title = "harmless".to_owned(),
            1 => request.gates[0].statement = "I have seen a page.".to_owned(),
            _ => request.gates[0].answers[0].ask = "Your birthday".to_owned(),
        }
        let path = world.sign_request(&request, "alice", Approve, |_| ());
        assert!(world.refusal().starts_with(reason), "{}", world.refusal());
        fs::remove_file(&path).unwrap();
        fs::remove_file(format!("{}.sig", path.display())).unwrap();
    }
}

#[test]
fn a_statement_that_contradicts_itself() {
    let world = World::new();
    world.sign_as("security-lead", "alice", Approve, |statement| {
        let said = &mut statement.predicate;
        said.items[0].status = Status::Failed;
    });
    assert_eq!(
        world.refusal(),
        "its verdict digest is not that of the items it lists"
    );
}

#[test]
fn a_statement_that_lists_a_gate_twice() {
    let mut world = World::new();
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    world.sign_as("security-lead", "alice", Approve, |statement| {
        let said = &mut statement.predicate;
        let mut twin = said.items[1].clone();
        twin.status = Status::Passed;
        said.items.insert(0, twin);
        let digest = vector::digest(&said.items);
        said.verdict.digest.insert("sha256".to_owned(), digest);
    });
    assert_eq!(world.refusal(), "it lists infra.b twice");
}

#[test]
fn a_gate_that_is_not_signed_for_is_not_signed() {
    let world = World::new();
    world.sign_as("security-lead", "alice", Approve, |statement| {
        statement.predicate.gates = vec![Vouched {
            id: "signoff.other".to_owned(),
            statement: "x".to_owned(),
            questions: std::collections::BTreeMap::default(),
        }];
    });
    assert_eq!(world.refusal(), "no sign-off of this run asks for it");
}

#[test]
fn two_commits_in_one_statement_are_none() {
    let world = World::new();
    world.sign_as("security-lead", "alice", Approve, |statement| {
        let twin = statement.subject[0].clone();
        statement.subject.push(twin);
    });
    assert!(world.refusal().starts_with("it names no commit"));
}

#[test]
fn other_files_are_not_taken_for_statements() {
    let world = World::new();
    world.write("signoffs/notes.json", "{}");
    world.write("signoffs/list.json", "[1, 2");
    let foreign =
        r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/x"}"#;
    world.write("signoffs/foreign.json", foreign);
    let own = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://readygate.dev/waiver/v1"}"#;
    world.write("signoffs/own.json", own);
    let run = world.resolve();
    assert_eq!(run.exit_code, 4);
    let files: Vec<&str> = run.signoffs.iter().map(|s| s.file.as_str()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(
        run.signoffs
            .iter()
            .all(|s| !s.accepted && s.principal == "unknown")
    );
}

#[test]
fn keys_given_twice_are_refused() {
    let world = World::new();
    let path = world.sign("security-lead", "alice");
    let text = fs::read_to_string(path).unwrap();
    for (from, to) in [
        (
            "\"answers\": {}",
            "\"answers\": {\"a\": \"1\", \"a\": \"2\"}",
        ),
        ("\"role\": ", "\"role\": \"dba\",\n    \"role\": "),
        ("\"role\": ", "\"extra\": 1,\n    \"role\": "),
    ] {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text);
        assert!(statement::parse(edited.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn what_was_not_shown_as_failed_cannot_be_accepted() {
    let mut world = World::new();
    world.outcomes.insert("infra.b".to_owned(), Outcome::Failed);
    let accepting = |id: &'static str| {
        world.resolve();
        let request = world.request("security-lead");
        let path = world.sign_request(&request, "alice", Approve, |statement| {
            statement.predicate.accepts = vec![Accept {
                id: id.to_owned(),
                rule: None,
                subject: None,
                status: None,
                reason: "known".to_owned(),
                ticket: None,
                expires: "2026-12-31".parse().unwrap(),
            }];
        });
        let found = world.of(&path);
        fs::remove_file(path).unwrap();
        found.reason
    };
    assert_eq!(accepting("infra.b"), None);
    for id in ["infra.a", "infra.c"] {
        let why = format!("it accepts {id}, of which the signer was shown no failure");
        assert_eq!(accepting(id), Some(why));
    }
}
