//! Sign-offs from the first run to GO, with the binary, git and ssh-keygen.

use std::fs;

use crate::support::{Project, Ran, readygate};

pub const POLICY: &str = "\
version: 1
target: { name: production, version: 4.0.0 }
roles:
  security-lead: { title: Security Lead, principals: [alice@example.com] }
  cto: { title: CTO, principals: [erin@example.com] }
signoffs: { allowed_signers: allowed_signers }
gates:
  - { id: here, title: The config is here, probe: files, with: { paths: [readygate.yaml] } }
  - id: signoff.security
    title: Security has signed
    severity: blocker
    probe: signoff
    with:
      role: security-lead
      statement: I have reviewed the release.
      answers: [{ id: review, ask: Last review, type: date, max_age: 36500d }]
  - { id: signoff.final, title: Final approval, probe: signoff, with: { role: cto, final: true } }
";

/// A repository with a policy, keys, and the run of it at the release 4.0.0.
pub fn project() -> Project {
    let project = readygate()
        .config(POLICY)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Carol")
        .env("GIT_AUTHOR_EMAIL", "carol@example.com")
        .env("GIT_COMMITTER_NAME", "Carol")
        .env("GIT_COMMITTER_EMAIL", "carol@example.com")
        .args(["run", "-q", "--stage", "pre-deploy", "--release", "r1"])
        .arg("--report")
        .arg("json=run.json");
    let script = "set -e
        mkdir keys
        for name in alice erin; do
          ssh-keygen -q -t ed25519 -N '' -C $name -f keys/$name
          echo \"$name@example.com namespaces=\\\"signoff@readygate.dev\\\" $(cat keys/$name.pub)\"
        done > allowed_signers
        printf 'keys/\\n*.json\\n!signoffs/*.json\\n' > .gitignore
        git init -q . && git add -A && git commit -qm release";
    ok(&project.shell(script));
    project
}

pub fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

pub fn sign(project: &Project, role: &str, name: &str, more: &str) -> Ran {
    let request = format!("signoffs/requests/{role}.json");
    project.call(&format!(
        "sign {request} --role {role} --key keys/{name} {more}"
    ))
}

/// Everything signed.
pub fn signed() -> Project {
    let project = project();
    assert_eq!(project.run().code, 4);
    ok(&sign(
        &project,
        "security-lead",
        "alice",
        "--answer review=2026-11-01 --yes",
    ));
    assert_eq!(project.call("gate run.json").code, 4);
    ok(&sign(&project, "cto", "erin", "--yes"));
    project
}

#[test]
fn from_pending_to_go() {
    let project = project();
    let first = project.run();
    assert_eq!(first.code, 4, "{}", first.stderr);
    assert_eq!(first.record()["verdict"], "PENDING");
    let fix = "readygate sign signoffs/requests/security-lead.json --role security-lead";
    assert!(first.stdout.contains(fix), "{}", first.stdout);

    let shown = sign(
        &project,
        "security-lead",
        "alice",
        "--answer review=2026-11-01 --yes",
    );
    ok(&shown);
    for line in [
        "alice@example.com APPROVES as Security Lead",
        "I have reviewed the release.",
        "Last review: 2026-11-01",
        "PASSED       The config is here (here, major)",
        "release id    r1",
    ] {
        assert!(shown.stdout.contains(line), "{line}:\n{}", shown.stdout);
    }
    let second = project.call("gate run.json --report json=gated.json");
    assert_eq!(second.code, 4);
    assert!(
        second
            .stdout
            .contains("security-lead, approved by alice@example.com")
    );
    ok(&sign(&project, "cto", "erin", "--yes"));
    let last = project.call("gate run.json --report json=gated.json --report junit=gated.xml");
    ok(&last);
    let junit = project.read("gated.xml");
    assert!(
        junit.contains("sign-off: cto, approved by erin@example.com"),
        "{junit}"
    );
    let record: serde_json::Value = serde_json::from_str(&project.read("gated.json")).unwrap();
    assert_eq!(record["verdict"], "GO");
    assert_eq!(record["signoffs"].as_array().unwrap().len(), 2);
    let security = &record["gates"][1]["metrics"]["answer.review"]["value"];
    assert_eq!(security, "2026-11-01");
    // Committed, they count in a new run of the same release.
    ok(&project.shell("git add signoffs/*.json signoffs/*.sig && git commit -qm signed"));
    ok(&project.call("run -q --stage pre-deploy --release r1 --evidence kept"));
    let verified = project.call("verify kept -c readygate.yaml");
    ok(&verified);
    assert_eq!(verified.stderr, "");
    let verified = project.call("verify kept --allowed-signers allowed_signers");
    ok(&verified);
    assert!(
        verified
            .stderr
            .contains("whether only statements differ was not compared"),
        "{}",
        verified.stderr
    );
}

#[test]
fn plain_openssh_verifies_the_same_file() {
    let project = signed();
    let script = "set -e; for f in signoffs/*.json; do
        case $f in *cto*) p=erin;; *) p=alice;; esac
        ssh-keygen -Y verify -f allowed_signers -I $p@example.com -n signoff@readygate.dev \\
          -s $f.sig < $f; done";
    let ran = project.shell(script);
    ok(&ran);
    assert_eq!(ran.stdout.matches("Good ").count(), 2, "{}", ran.stdout);
}

#[test]
fn an_edited_record_is_refused() {
    let project = signed();
    let text = project.read("run.json");
    let project = project.file(
        "run.json",
        text.replace("\"outcome\": \"passed\"", "\"outcome\": \"failed\""),
    );
    let ran = project.call("gate run.json");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("the record was edited"),
        "{}",
        ran.stderr
    );
    let judged = project.call("judge run.json");
    assert_eq!(judged.code, 2);
    assert!(
        judged.stderr.contains("the record was edited"),
        "{}",
        judged.stderr
    );
    let without = text.rsplit_once(",\n  \"digest\"").unwrap().0.to_owned() + "\n}\n";
    let project = project.file("run.json", without);
    let ran = project.call("gate run.json");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("the record holds no digest"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_edited_policy_is_refused() {
    let project = signed().config(&format!("{POLICY}# looser\n"));
    let ran = project.call("gate run.json");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("was made by another policy"),
        "{}",
        ran.stderr
    );
    // A run under it does not take the signatures either.
    let ran = project.run();
    assert_eq!(ran.code, 4);
    assert!(
        ran.stdout.contains("it is for another policy"),
        "{}",
        ran.stdout
    );
}

#[test]
fn old_evidence_is_inconclusive() {
    let project = signed();
    let ran = project.call("gate run.json --max-evidence-age 1ms");
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(ran.stdout.contains("run the gates again"), "{}", ran.stdout);
}

#[test]
fn another_release_is_refused() {
    let project = signed();
    let ran = project.call("gate run.json --release r2");
    assert_eq!(ran.code, 2);
    let ran = project.call("run -q --stage pre-deploy --release r2 --report json=run.json");
    assert_eq!(ran.code, 4);
    let record = ran.record();
    let reason = &record["signoffs"][0]["reason"];
    assert_eq!(reason, "it is for release r1, this is release r2");
}

#[test]
fn a_rejection_is_no_go() {
    let project = project();
    project.run();
    let ran = sign(&project, "security-lead", "alice", "--reject --yes");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("a rejection needs --reason"),
        "{}",
        ran.stderr
    );
    ok(&sign(
        &project,
        "security-lead",
        "alice",
        "--reject --reason unsafe --yes",
    ));
    let ran = project.call("gate run.json");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("signed against the release: unsafe"),
        "{}",
        ran.stdout
    );
}

#[test]
fn nobody_signs_without_having_been_asked() {
    let project = project();
    project.run();
    for (role, name, more, says) in [
        (
            "security-lead",
            "alice",
            "--answer review=2026-11-01",
            "add --yes",
        ),
        (
            "security-lead",
            "alice",
            "--yes",
            "review is not answered (Last review)",
        ),
        (
            "security-lead",
            "alice",
            "--yes --answer review=x",
            "`x` is not a date",
        ),
        (
            "security-lead",
            "alice",
            "--yes --principal bob@example.com",
            "bob@example.com may not",
        ),
        (
            "security-lead",
            "alice",
            "--yes --release r9",
            "is for r1, not r9",
        ),
        (
            "cto",
            "erin",
            "--yes",
            "these roles have not signed: security-lead",
        ),
    ] {
        let ran = sign(&project, role, name, more);
        assert_eq!(ran.code, 2, "{more}");
        assert!(ran.stderr.contains(says), "{says}:\n{}", ran.stderr);
    }
    let left = fs::read_dir(project.path("signoffs")).unwrap().count();
    assert_eq!(left, 1, "only the requests");
}

#[test]
fn a_wrong_role_or_key_signs_nothing() {
    let project = project();
    project.run();
    let ran = project.call("sign signoffs/requests/cto.json --role security-lead --yes");
    assert!(
        ran.stderr.contains("is for the role `cto`"),
        "{}",
        ran.stderr
    );
    let ran = sign(
        &project,
        "security-lead",
        "nobody",
        "--yes --answer review=2026-11-01",
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("not signed: ssh-keygen did not sign"),
        "{}",
        ran.stderr
    );
    let left = fs::read_dir(project.path("signoffs")).unwrap().count();
    assert_eq!(left, 1, "only the requests");
}

#[test]
fn a_key_in_an_agent_signs() {
    let project = project();
    project.run();
    let script = "set -e
        eval $(ssh-agent -s) > /dev/null
        trap 'kill $SSH_AGENT_PID' EXIT
        ssh-add -q keys/alice 2> /dev/null
        $readygate sign signoffs/requests/security-lead.json --role security-lead --key agent \\
          --answer review=2026-11-01 --yes > /dev/null";
    ok(&project.shell(script));
    let ran = project.call("gate run.json");
    assert!(
        ran.stdout.contains("approved by alice@example.com"),
        "{}",
        ran.stdout
    );
}

#[test]
fn judging_again_looks_at_the_signatures_again() {
    let project = signed();
    ok(&project.call("judge run.json --stage pre-deploy --release r1"));
    let ran = project.call("judge run.json --stage post-deploy --release r1");
    assert_eq!(ran.code, 4, "{}", ran.stdout);
}

#[test]
fn requests_that_cannot_be_written_are_complained_about() {
    let project = project().file("signoffs/requests/cto.json", "precious");
    let ran = project.run();
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr.contains("is not a request of readygate"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.read("signoffs/requests/cto.json"), "precious");
}

#[test]
fn without_any_config_of_signatures_nothing_is_written() {
    let project = readygate().gates("- {id: s, probe: signoff, with: {role: dba}}");
    let ran = project.run();
    assert_eq!(ran.code, 4);
    let says = "nobody can sign: ";
    assert!(ran.stdout.contains(says), "{}", ran.stdout);
    assert!(!project.path("signoffs").exists());
}

/// `gate` must refuse the record, with these words.
pub fn refused(project: &Project, args: &str, says: &str) {
    let ran = project.call(&format!("gate run.json {args}"));
    assert_eq!(ran.code, 2, "{args}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(says), "{says}:\n{}", ran.stderr);
}

#[test]
fn a_record_that_left_the_sign_offs_out_is_refused() {
    let project = project();
    let run = |args: &str| {
        let ran = project.call(&format!(
            "run -q --release r1 --report json=run.json {args}"
        ));
        ok(&ran);
    };
    run("--stage pre-deploy --skip signoff.*");
    refused(&project, "", "was made with `--skip signoff.*`");
    refused(&project, "--stage pre-deploy", "without `--skip`");
    // Who says so decides on that part.
    ok(&project.call("gate run.json --skip signoff.*"));
    run("--only here");
    refused(&project, "", "was made with `--only here`");
    refused(&project, "--only signoff.*", "with `--only signoff.*`");
}

#[test]
fn a_record_of_another_stage_is_refused() {
    let staged =
        |gate: &str| gate.replace("probe: signoff", "stages: [pre-deploy], probe: signoff");
    let policy = staged(POLICY).replace(
        "    stages: [pre-deploy], probe: signoff\n",
        "    probe: signoff\n    stages: [pre-deploy]\n",
    );
    let project = project().config(&policy);
    ok(&project.call("run -q --stage post-deploy --release r1 --report json=run.json"));
    let says = "with `--stage post-deploy`, and is to be decided on with `--stage pre-deploy`";
    refused(&project, "--stage pre-deploy", says);
}

#[test]
fn a_record_of_another_target_is_refused() {
    let policy = POLICY.replace(
        "version: 4.0.0",
        "version: \"${VERSION:-4}\", environment: \"${WHERE:-eu}\", commit: \"${COMMIT:-HEAD}\"",
    );
    let project = project().config(&policy);
    assert_eq!(project.run().code, 4);
    assert_eq!(project.call("gate run.json").code, 4);
    refused(
        &project,
        "--var WHERE=us",
        "target.environment was eu, and is us",
    );
    refused(
        &project,
        "--var VERSION=5",
        "target.version was 4, and is 5",
    );
    refused(
        &project,
        "--var COMMIT=gone",
        "and the config releases gone",
    );
    ok(&project.shell("echo new > src.txt && git add src.txt && git commit -qm more"));
    refused(&project, "", "and the config releases HEAD");
}

#[test]
fn a_record_without_the_release_is_refused() {
    let project = project();
    let ran = project.call("run -q --stage pre-deploy --report json=run.json");
    assert_eq!(ran.code, 4);
    assert_eq!(project.call("gate run.json").code, 4);
    refused(
        &project,
        "--release r1",
        "is of no release by name, and this is r1",
    );
}

#[test]
fn a_record_that_is_no_file_is_refused() {
    let project = project();
    ok(&project.shell("mkfifo pipe"));
    for command in ["gate pipe", "judge pipe"] {
        let ran = project.call(command);
        assert_eq!(ran.code, 2, "{command}");
        assert!(ran.stderr.contains("not a regular file"), "{}", ran.stderr);
    }
}
