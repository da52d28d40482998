//! What `gate` decides on: a record of this commit, of what was measured, and the clock of now.

use readygate::record;
use readygate_sdk::Masker;

use crate::{
    signoff::{POLICY, ok, project, refused, sign, signed},
    support::{Project, Ran, readygate},
};

const MORE: &str = "echo new >> src.txt && git add src.txt && git commit -qm more";

fn code(ran: &Ran, code: i32) {
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_record_of_another_commit_is_refused_though_the_config_names_none() {
    let project = signed();
    ok(&project.call("gate run.json"));
    ok(&project.shell("git add signoffs/*.json signoffs/*.sig && git commit -qm signed"));
    ok(&project.call("gate run.json --stage pre-deploy --release r1"));
    ok(&project.shell(MORE));
    refused(
        &project,
        "--stage pre-deploy --release r1",
        "and the work tree is at",
    );
    ok(&project.shell("git checkout -q --detach HEAD~1"));
    ok(&project.call("gate run.json"));
    ok(&project.shell("mv .git away"));
    let says = "nothing says which commit is released here";
    refused(&project, "", says);
}

#[test]
fn nor_is_one_that_nobody_had_to_sign() {
    let project = project();
    for commit in ["", ", commit: HEAD", ", commit: \"\"", ", commit: build-17"] {
        let policy = POLICY.replace("version: 4.0.0", &format!("version: 4.0.0{commit}"));
        let project_file = project.path("readygate.yaml");
        std::fs::write(project_file, policy).unwrap();
        ok(&project.call("run -q --skip signoff.* --report json=run.json"));
        ok(&project.call("gate run.json --skip signoff.*"));
        ok(&project.shell(MORE));
        refused(&project, "--skip signoff.*", "is of commit");
    }
}

#[test]
fn an_artifact_is_the_same_at_every_commit() {
    let digest = "a".repeat(64);
    let target = format!("version: 4.0.0, artifact: \"sha256:{digest}\"");
    let project = project().config(&POLICY.replace("version: 4.0.0", &target));
    ok(&project.call("run -q --skip signoff.* --report json=run.json"));
    ok(&project.shell(MORE));
    ok(&project.call("gate run.json --skip signoff.*"));
}

#[test]
fn a_freeze_that_began_since_the_run_counts() {
    let project = readygate().gates(
        "- {id: here, probe: files, with: {paths: [readygate.yaml]}}\n\
         - {id: window, probe: window, with: {allow: [{schedule: '* * * * *', duration: 1h, zone: UTC}]}}\n",
    );
    ok(&project.run());
    ok(&project.call("gate run.json"));
    let project = project.env("CI_DEPLOY_FREEZE", "true");
    let ran = project.call("gate run.json");
    code(&ran, 1);
    assert!(
        ran.stdout.contains("window/gitlab-freeze"),
        "{}",
        ran.stdout
    );
}

/// A record of `run`, and one by which `judge` passed it under another policy.
fn judged() -> Project {
    let gates = "- {id: here, probe: command, with: {argv: ['true']}}\n";
    let project =
        readygate()
            .gates(gates)
            .args(["run", "-q", "--release", "a", "--report", "json=run.json"]);
    ok(&project.run());
    let project = project.gates(&gates.replace("'true'", "'false'"));
    refused(&project, "", "was made by another policy");
    ok(&project.call("judge run.json --report json=judged.json"));
    project
}

#[test]
fn what_was_judged_again_was_not_measured() {
    let project = judged();
    let says = "is of `readygate judge`, which measured nothing";
    let ran = project.call("gate judged.json");
    code(&ran, 2);
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    ok(&project.call("render console judged.json"));
    ok(&project.call("judge judged.json --report json=again.json"));
    code(&project.call("gate again.json"), 2);
    // As an earlier version wrote it.
    let mut run = record::read(&project.path("judged.json")).unwrap();
    run.judged = None;
    let run = record::seal(&run, &Masker::new([])).unwrap();
    let project = project.file("judged.json", serde_json::to_string(&run).unwrap());
    let ran = project.call("gate judged.json");
    code(&ran, 2);
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
}

#[test]
fn judging_makes_no_record_of_another_release_or_beside_another_target() {
    let project = judged();
    let ran = project.call("judge run.json --release b");
    code(&ran, 2);
    assert!(
        ran.stderr.contains("is of release a, not b"),
        "{}",
        ran.stderr
    );
    ok(&project.call("judge run.json --release a"));
    let gates = "gates: [{id: here, probe: files, with: {paths: [staging.yaml]}}]";
    let staging = format!("version: 1\ntarget: {{name: staging}}\n{gates}\n");
    let project = project.file("staging.yaml", staging);
    ok(&project.call("run -q -c staging.yaml --report json=staging.json"));
    let ran = project.call("judge run.json --baseline staging.json");
    code(&ran, 2);
    assert!(
        ran.stderr.contains("the baseline is not usable"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_a_signer_accepts_frees_the_sign_offs_that_need_it() {
    let project = project().config(
        "version: 1
target: { name: production }
roles:
  qa: { principals: [alice@example.com], may_waive: [tests] }
  cto: { principals: [erin@example.com] }
signoffs: { allowed_signers: allowed_signers }
gates:
  - { id: tests, probe: files, with: { paths: [missing.txt] } }
  - { id: signoff.qa, probe: signoff, with: { role: qa } }
  - { id: signoff.cto, needs: [tests], probe: signoff, with: { role: cto, final: true } }
",
    );
    let ran = project.run();
    code(&ran, 1);
    let needs = "needs `tests`, which failed";
    assert_eq!(ran.gate("signoff.cto")["reason"], needs);
    assert!(!project.path("signoffs/requests/cto.json").exists());
    let accept = "--accept tests --reason known --accept-until 2999-12-31 --yes";
    ok(&sign(&project, "qa", "alice", accept));
    code(&project.call("gate run.json"), 4);
    ok(&sign(&project, "cto", "erin", "--yes"));
    ok(&project.call("gate run.json --report json=gated.json"));
    assert!(project.read("gated.json").contains("GO-WITH-WAIVERS"));
    ok(&project.run());
    ok(&project.call("judge run.json --stage pre-deploy"));
}
