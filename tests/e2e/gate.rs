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
    let says = "nothing says which commit is released here: the config names neither";
    refused(&project, "", says);
}

#[test]
fn what_a_record_is_refused_for_says_what_helps() {
    let gates = "gates: [{id: here, probe: files, with: {paths: [readygate.yaml]}}]\n";
    let project = project().config(&format!("version: 1\n{gates}"));
    let run = |project: &Project| ok(&project.call("run -q --report json=run.json"));
    // The run was in a container that lacks `.git`.
    ok(&project.shell("mv .git away"));
    run(&project);
    ok(&project.shell("mv away .git"));
    refused(
        &project,
        "",
        "(a container needs `.git` too), or let the config say it: target:",
    );

    // A name of the CI, decided where there is no clone.
    let named = |commit: &str| format!("version: 1\ntarget: {{commit: '{commit}'}}\n{gates}");
    let project = project.config(&named("build-17"));
    run(&project);
    ok(&project.shell("mv .git away"));
    refused(
        &project,
        "",
        "`target.commit` is `build-17`, by which git knows no commit here",
    );
    ok(&project.shell("mv away .git"));

    // A commit that is in no branch, such as a squash, is not in the clone.
    let from_variable = named("${COMMIT:-HEAD}");
    let project = project.config(&from_variable);
    run(&project);
    let squash = "5".repeat(40);
    let project = project.env("COMMIT", &squash);
    refused(&project, "", &format!("git fetch origin {squash}"));
    let project = project.env("COMMIT", "build-18");
    refused(&project, "", "which git does not know here");
    let project = project.env("COMMIT", &squash);
    run(&project);
    let project = project.env("COMMIT", "HEAD");
    refused(
        &project,
        "",
        &format!("fetch it: git fetch origin {squash}"),
    );
}

/// A clone at whose `origin/main` the policy is in a folder, and names no commit.
fn trusted() -> Project {
    let project = readygate()
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Carol")
        .env("GIT_AUTHOR_EMAIL", "carol@example.com")
        .env("GIT_COMMITTER_NAME", "Carol")
        .env("GIT_COMMITTER_EMAIL", "carol@example.com")
        .file(
            "ops/readygate.yaml",
            "version: 1\ngates:\n- {id: window, probe: window, with: {allow: \
             [{schedule: '* * * * *', duration: 1h, zone: UTC}]}}\n",
        )
        .file(".gitignore", "*.json\n");
    let script = "set -e; git init -q -b work .; git add -A; git commit -qm release
        git update-ref refs/remotes/origin/main HEAD";
    ok(&project.shell(script));
    project
}

const TRUSTED: &str = "-c ops/readygate.yaml --trust-ref origin/main";

/// Runs by the trusted policy, and gives the commit that the record is of.
fn run_trusted(project: &Project) -> String {
    let ran = project.call(&format!("run -q {TRUSTED} --report json=run.json"));
    ok(&ran);
    let record = ran.record();
    record["target"]["head"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_change_of_the_folder_of_a_trusted_policy_does_not_blind_the_check_of_the_commit() {
    let outside = tempfile::TempDir::new().unwrap();
    let link = format!("ln -s {} ops", outside.path().display());
    let submodule = "git init -q ops && git -C ops commit -q --allow-empty -m own";
    for change in ["true", &link, submodule] {
        let project = trusted();
        let script = format!("set -e; rm -r ops; {change}; git add -A; git commit -qm change");
        ok(&project.shell(&script));
        let head = run_trusted(&project);
        let release = project.shell("git rev-parse HEAD").stdout;
        assert_eq!(head, release.trim(), "{change}");
        ok(&project.call(&format!("gate run.json {TRUSTED}")));
        ok(&project.shell("echo new > src.txt && git add src.txt && git commit -qm more"));
        refused(&project, TRUSTED, "and the work tree is at");
    }
}

#[test]
fn a_trusted_policy_admits_no_record_without_a_commit() {
    let project = trusted();
    ok(&project.shell("git checkout -q --orphan none"));
    assert_eq!(run_trusted(&project), "");
    refused(&project, TRUSTED, "names no commit");
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

#[test]
fn what_a_signer_accepts_frees_nothing_that_measures() {
    let project = project().config(
        "version: 1
target: { name: production }
roles: { qa: { principals: [alice@example.com], may_waive: [tests] } }
signoffs: { allowed_signers: allowed_signers }
gates:
  - { id: tests, probe: files, with: { paths: [missing.txt] } }
  - { id: after, needs: [tests], probe: files, with: { paths: [readygate.yaml] } }
  - { id: signoff.qa, probe: signoff, with: { role: qa } }
",
    );
    code(&project.run(), 1);
    let accept = "--accept tests --reason known --accept-until 2999-12-31 --yes";
    ok(&sign(&project, "qa", "alice", accept));
    let again = [
        project.call("gate run.json --report json=run.json"),
        project.run(),
    ];
    for ran in again {
        code(&ran, 3);
        let reason = ran.gate("after")["reason"].clone();
        let reason = reason.as_str().unwrap();
        assert!(
            reason.contains("give `tests` a waiver in the config"),
            "{reason}"
        );
    }
}

/// A release with a window and one signer.
fn windowed() -> Project {
    project().config(
        "version: 1
target: { name: production }
roles: { qa: { principals: [alice@example.com] } }
signoffs: { allowed_signers: allowed_signers }
gates:
  - { id: here, probe: files, with: { paths: [readygate.yaml] } }
  - id: deploy.window
    probe: window
    with: { allow: [{ schedule: '* * * * *', duration: 1h, zone: UTC }] }
  - { id: signoff.qa, probe: signoff, with: { role: qa } }
",
    )
}

#[test]
fn a_window_that_opened_after_the_signature_does_not_contradict_it() {
    let project = windowed().env("CI_DEPLOY_FREEZE", "true");
    code(&project.run(), 1);
    ok(&sign(&project, "qa", "alice", "--yes"));
    code(&project.call("gate run.json"), 1);
    let project = project.env("CI_DEPLOY_FREEZE", "false");
    ok(&project.call("gate run.json --evidence kept"));
    let ran = project.call("verify kept -c readygate.yaml");
    assert_eq!(ran.stderr, "");
    ok(&ran);
    let ran = project.call("verify kept --allowed-signers allowed_signers");
    ok(&ran);
    let says = "deploy.window was otherwise when it was signed";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
}

#[test]
fn a_window_that_closed_voids_no_signature() {
    let project = windowed();
    code(&project.run(), 4);
    ok(&sign(&project, "qa", "alice", "--yes"));
    let project = project.env("CI_DEPLOY_FREEZE", "true");
    let ran = project.call("gate run.json --report json=gated.json --evidence kept");
    code(&ran, 1);
    let record = record::read(&project.path("gated.json")).unwrap();
    assert_eq!(record.gates[2].outcome, record::Outcome::Passed);
    assert!(record.signoffs[0].accepted, "{}", ran.stdout);
    assert_eq!(record.verdict, record::Verdict::NoGo);
    ok(&project.call("verify kept -c readygate.yaml"));
    let project = project.env("CI_DEPLOY_FREEZE", "false");
    ok(&project.call("gate run.json"));
}
