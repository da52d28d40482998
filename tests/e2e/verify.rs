//! `readygate verify`: every way in which evidence can be other than it was written.

use readygate::record::{self, Outcome, Run};
use readygate_sdk::Masker;
use serde_json::{Value, json};

use crate::support::{Project, readygate};

/// A bundle of one GO in the folder of a release.
fn bundle() -> Project {
    let project = readygate().config(
        "version: 1\ntarget: {name: shop, commit: 0123456789abcdef0123456789abcdef01234567}\ngates:\n\
         - {id: there, probe: files, with: {paths: [readygate.yaml]}}\n\
         - {id: hint, severity: minor, probe: files, with: {paths: [missing]}}\n",
    );
    assert_eq!(
        project
            .call("event release.opened --release r --state s")
            .code,
        0
    );
    assert_eq!(project.call("run --state s").code, 0);
    verified(&project);
    project
}

fn verified(project: &Project) {
    let ran = project.call("verify s -c readygate.yaml");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("verified: "), "{}", ran.stdout);
}

/// The path of a file of the run, in the project.
fn of_run(project: &Project, name: &str) -> String {
    let folder = std::fs::read_dir(project.path("s/runs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    format!("s/runs/{}/{name}", folder.file_name().to_str().unwrap())
}

#[track_caller]
fn found(project: &Project, messages: &[&str]) {
    let ran = project.call("verify s -c readygate.yaml");
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("not verified: "), "{}", ran.stdout);
    for message in messages {
        assert!(ran.stderr.contains(message), "{message}:\n{}", ran.stderr);
    }
}

/// Writes a file of the run anew, and the list too, as a careful forger would.
fn forged(project: Project, name: &str, edit: impl Fn(&str) -> String) -> Project {
    let path = of_run(&project, name);
    let text = edit(&project.read(&path));
    let project = project.file(&path, &text);
    let mut list: Value = serde_json::from_str(&project.read("s/bundle.json")).unwrap();
    for entry in list["files"].as_array_mut().unwrap() {
        if path.ends_with(entry["path"].as_str().unwrap()) {
            entry["bytes"] = text.len().into();
            entry["sha256"] = readygate::release::events::digest(text.as_bytes()).into();
        }
    }
    project.file("s/bundle.json", list.to_string())
}

#[test]
fn an_edited_record_is_found() {
    let project = bundle();
    let path = of_run(&project, "run.json");
    let text = project.read(&path).replace("\"shop\"", "\"shoq\"");
    found(
        &project.file(&path, text),
        &["run.json: was edited: SHA-256 expected"],
    );
}

#[test]
fn an_edited_record_with_an_edited_list_is_found_by_the_history_and_the_statements() {
    let project = forged(bundle(), "run.json", |text| {
        text.replace("\"shop\"", "\"shoq\"")
    });
    found(
        &project,
        &[
            "events.jsonl:2: knows runs/",
            "svr.statement.json: does not say what",
        ],
    );
}

#[test]
fn an_edited_verdict_contradicts_its_gates() {
    let project = readygate().gates("- {id: there, probe: files, with: {paths: [missing]}}");
    assert_eq!(project.call("run --evidence s").code, 1);
    let project = forged(project, "run.json", |text| {
        text.replace("\"NO-GO\"", "\"GO\"")
            .replace("\"exit_code\": 1", "\"exit_code\": 0")
    });
    found(
        &project,
        &["run.json: it says GO, but its gates amount to NO-GO"],
    );
}

#[test]
fn an_edited_policy_is_found() {
    let project = bundle();
    let config = project.read("readygate.yaml").replace("minor", "info");
    found(
        &project.file("readygate.yaml", config),
        &["run.json: was made under another policy: SHA-256 expected"],
    );
}

#[test]
fn a_broken_event_chain_is_found() {
    let project = bundle();
    let text = project
        .read("s/events.jsonl")
        .replace("\"GO\"", "\"NO-GO\"");
    found(
        &project.file("s/events.jsonl", text),
        &["events.jsonl:2: the history is broken"],
    );
}

#[test]
fn a_missing_file_is_found() {
    for name in ["run.json", "svr.statement.json"] {
        let project = bundle();
        std::fs::remove_file(project.path(&of_run(&project, name))).unwrap();
        found(&project, &[&format!("{name}: is missing")]);
    }
    let project = bundle();
    for name in ["s/events.jsonl", "s/release.json"] {
        std::fs::remove_file(project.path(name)).unwrap();
        found(&project, &["is missing"]);
    }
}

#[test]
fn an_extra_file_is_found() {
    let project = bundle().file("s/runs/note.txt", "trust me");
    found(&project, &["runs/note.txt: is not in bundle.json"]);
}

#[test]
fn what_a_killed_process_left_of_a_write_is_told_of() {
    let project = bundle().file("s/.readygate-x1", "{");
    verified(&project);
    let ran = project.call("verify s");
    let note = "note: .readygate-x1: what a killed process left";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_cut_off_is_found() {
    let project = bundle();
    let path = of_run(&project, "run.json");
    let text = project.read(&path);
    found(
        &project.file(&path, &text[..text.len() / 2]),
        &["run.json: is cut off", "not a run record"],
    );
}

#[test]
fn a_record_that_is_in_no_history_is_found() {
    let project = bundle();
    assert_eq!(project.call("run --evidence s").code, 0);
    found(&project, &["run.json: is not in events.jsonl"]);
}

#[test]
fn a_link_and_a_path_outside_are_found() {
    let project = bundle();
    let path = of_run(&project, "run.json");
    std::fs::rename(project.path(&path), project.path("elsewhere.json")).unwrap();
    std::os::unix::fs::symlink(project.path("elsewhere.json"), project.path(&path)).unwrap();
    found(&project, &["run.json: is not a regular file"]);
    let project = bundle();
    let list = project
        .read("s/bundle.json")
        .replacen("runs/", "../runs/", 1);
    found(
        &project.file("s/bundle.json", list),
        &["names a path outside of the bundle"],
    );
}

#[test]
fn what_is_no_bundle_is_a_usage_error() {
    let project = readygate().file("s/x", "y");
    for folder in ["s", "nowhere"] {
        let ran = project.call(&format!("verify {folder}"));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
    let ran = bundle().call("verify s -c missing.yaml");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn statements_have_the_shape_that_in_toto_asks_for() {
    let project = bundle();
    let read = |name: &str| -> Value {
        serde_json::from_str(&project.read(&of_run(&project, name))).unwrap()
    };
    let record = project.read(&of_run(&project, "run.json"));
    let run: Value = serde_json::from_str(&record).unwrap();
    let policy = json!({"name": "readygate.yaml", "digest": {"sha256": run["config"]["sha256"]}});
    let result = read("test-result.statement.json");
    assert_eq!(
        result,
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": "run.json", "digest": {"sha256": readygate::release::events::digest(record.as_bytes())}},
                {"name": "shop", "digest": {"gitCommit": "0123456789abcdef0123456789abcdef01234567"}},
            ],
            "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
            "predicate": {
                "result": "WARNED",
                "configuration": [policy],
                "passedTests": ["there"],
                "warnedTests": ["hint"],
                "failedTests": [],
            },
        })
    );
    assert_eq!(read("test-result.predicate.json"), result["predicate"]);
    let svr = read("svr.statement.json");
    assert_eq!(
        svr["predicateType"],
        "https://in-toto.io/attestation/svr/v0.2"
    );
    let predicate = &svr["predicate"];
    assert!(
        predicate["verifier"]["id"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
    assert_eq!(predicate["verifier"]["policies"], json!([policy]));
    assert_eq!(predicate["timeCreated"], run["finished"]);
    let property = |name: &str| format!("https://readygate.dev/properties/v1#{name}");
    assert_eq!(
        predicate["properties"],
        json!([property("go"), property("gate/there")])
    );
    assert_eq!(read("svr.predicate.json"), *predicate);
}

#[test]
fn nothing_that_did_not_pass_is_a_property() {
    let gates = "- {id: good, probe: files, with: {paths: [readygate.yaml]}}\n\
                 - {id: bad, probe: files, with: {paths: [missing]}}\n\
                 - {id: unknown, probe: command, with: {argv: [/nonexistent]}}\n";
    let project = readygate().gates(gates);
    assert_eq!(project.call("run --evidence s").code, 1);
    let read = |name: &str| project.read(&of_run(&project, name));
    let svr: Value = serde_json::from_str(&read("svr.predicate.json")).unwrap();
    assert_eq!(
        svr["properties"],
        json!(["https://readygate.dev/properties/v1#gate/good"])
    );
    let result: Value = serde_json::from_str(&read("test-result.predicate.json")).unwrap();
    assert_eq!(result["result"], "FAILED");
    assert_eq!(result["failedTests"], json!(["bad", "unknown"]));
}

const SIGNED: &str = "\
version: 1
target: { name: production }
roles:
  security-lead: { principals: [alice@example.com] }
signoffs: { allowed_signers: allowed_signers }
gates:
  - { id: here, probe: files, with: { paths: [readygate.yaml] } }
  - { id: hint, severity: minor, probe: files, with: { paths: [missing] } }
  - { id: signed, probe: signoff, with: { role: security-lead, statement: I looked. } }
";

/// A release that is signed, and its bundle in the folder `s`.
fn signed() -> Project {
    let project = readygate()
        .config(SIGNED)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let script = "set -e
        for name in alice eve; do ssh-keygen -q -t ed25519 -N '' -C $name -f $name; done
        echo \"alice@example.com namespaces=\\\"signoff@readygate.dev\\\" $(cat alice.pub)\" > allowed_signers
        echo \"alice@example.com $(cat eve.pub)\" > others
        git init -q . && git add readygate.yaml
        git -c user.name=Carol -c user.email=carol@example.com commit -qm release
        $readygate event release.opened --release r --state s
        $readygate run -q --state s --report json=run.json || [ $? = 4 ]
        $readygate sign signoffs/requests/security-lead.json --role security-lead --key alice --yes
        $readygate gate run.json --state s";
    let ran = project.shell(script);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = project.call("verify s -c readygate.yaml");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("2 records, 3 events, 1 signature"),
        "{}",
        ran.stdout
    );
    project
}

#[test]
fn signatures_are_verified_again() {
    let project = signed();
    // Without the list a signature need only be one, and that is said.
    let ran = project.call("verify s");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("--allowed-signers"), "{}", ran.stderr);
    let ran = project.call("verify s --allowed-signers others");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("the sign-off of security-lead by alice@example.com: the key"),
        "{}",
        ran.stderr
    );
    let forge = "set -e
        statement=$(ls s/signoffs/*.json)
        cp $statement copy; ssh-keygen -q -Y sign -f eve -n signoff@readygate.dev copy
        cp copy.sig $statement.sig";
    assert_eq!(project.shell(forge).code, 0);
    found(
        &project,
        &[".json.sig: was edited", "it was signed with SHA256:"],
    );
    let ran = project.shell("rm s/signoffs/*.json");
    assert_eq!(ran.code, 0);
    found(&project, &["is missing"]);
}

#[test]
fn a_record_that_claims_more_than_was_signed_is_found() {
    let project = signed();
    let folder = std::fs::read_dir(project.path("s/runs")).unwrap();
    let folder = folder
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("-gated-"))
        .unwrap();
    let path = folder.join("run.json");
    let good = record::read(&path).unwrap();
    let claims = |edit: &dyn Fn(&mut Run), message: &str| {
        let mut run = good.clone();
        edit(&mut run);
        let sealed = record::seal(&run, &Masker::new([])).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(&sealed).unwrap()).unwrap();
        let ran = project.call("verify s");
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let message = format!("the sign-off of security-lead by alice@example.com: {message}");
        assert!(ran.stderr.contains(&message), "{message}:\n{}", ran.stderr);
    };
    let outcome = |id: &'static str, outcome: Outcome| {
        move |run: &mut Run| {
            let gate = run.gates.iter_mut().find(|g| g.id == id).unwrap();
            gate.outcome = outcome;
        }
    };
    claims(
        &|run| run.target.commit = Some("f".repeat(40)),
        "it is for commit",
    );
    claims(
        &|run| run.target.artifact = Some(format!("sha256:{}", "f".repeat(64))),
        "it is for artifact none",
    );
    claims(
        &|run| run.selection.stages = vec!["deploy".to_owned()],
        "it is for no stage, the record is of stage deploy",
    );
    claims(
        &|run| run.signoffs[0].gates.push("here".to_owned()),
        "it does not vouch for here",
    );
    claims(
        &|run| {
            let answers = &mut run.signoffs[0].answers;
            answers.insert("who".to_owned(), "me".to_owned());
        },
        "its answer to who is not that of the record",
    );
    claims(
        &outcome("hint", Outcome::Passed),
        "its signer was shown hint as failed, the record says passed",
    );
    claims(
        &outcome("here", Outcome::Failed),
        "its signer was shown here as passed, the record says failed",
    );
    claims(
        &|run| run.gates.retain(|g| g.id != "here"),
        "it lists here, which the record lacks",
    );
}

#[test]
fn what_would_wait_is_not_opened() {
    for name in ["run.json", "svr.statement.json"] {
        let project = bundle();
        let path = of_run(&project, name);
        let made = project.shell(&format!("rm {path} && mkfifo {path}"));
        assert_eq!(made.code, 0, "{}", made.stderr);
        found(&project, &[&format!("{name}: is not a regular file")]);
    }
    let project = bundle();
    let made = project.shell("rm s/bundle.json && mkfifo s/bundle.json");
    assert_eq!(made.code, 0, "{}", made.stderr);
    found(&project, &["s/bundle.json: not a regular file"]);
}

#[test]
fn nothing_outside_of_a_bundle_is_read() {
    let project = bundle().file("x/run.json", "a secret");
    let list = project.read("s/bundle.json");
    let path = of_run(&project, "run.json");
    let named = list.replace(path.strip_prefix("s/").unwrap(), "runs/../../x/run.json");
    let project = project.file("s/bundle.json", named);
    let ran = project.call("verify s");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("outside of the bundle"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("not a run record"), "{}", ran.stderr);
    // Neither is what a link to a folder leads to.
    let project = project.file(
        "s/bundle.json",
        list.replace(path.strip_prefix("s/").unwrap(), "runs/y/run.json"),
    );
    std::os::unix::fs::symlink("../../x", project.path("s/runs/y")).unwrap();
    let ran = project.call("verify s");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("runs/y/run.json: is missing"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("not a run record"), "{}", ran.stderr);
}

#[test]
fn a_record_without_a_gate_of_the_policy_is_found() {
    let project = bundle();
    let path = of_run(&project, "run.json");
    let mut run = record::read(&project.path(&path)).unwrap();
    run.gates.retain(|gate| gate.id != "hint");
    run.counts = readygate::verdict::count(&run.gates);
    let sealed = record::seal(&run, &Masker::new([])).unwrap();
    let text = serde_json::to_string_pretty(&sealed).unwrap();
    let project = forged(project, "run.json", |_| text.clone());
    found(&project, &["run.json: holds other gates than the config"]);
}

#[test]
fn values_of_the_policy_are_put_in() {
    let config = SIGNED
        .replace(
            "allowed_signers: allowed_signers",
            "allowed_signers: allowed_signers, namespace: \"signoff@${DOMAIN}\"",
        )
        .replace("paths: [missing]", "paths: [\"${HINT}\"]");
    let project = readygate()
        .config(&config)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("DOMAIN", "example.org")
        .env("HINT", "missing");
    let script = "set -e
        ssh-keygen -q -t ed25519 -N '' -C '' -f alice
        echo \"alice@example.com $(cat alice.pub)\" > allowed_signers
        git init -q . && git add readygate.yaml
        git -c user.name=Carol -c user.email=carol@example.com commit -qm release
        $readygate run -q --report json=run.json || [ $? = 4 ]
        $readygate sign signoffs/requests/security-lead.json --role security-lead --key alice --yes
        $readygate gate run.json --evidence s
        $readygate verify s -c readygate.yaml
        unset DOMAIN
        $readygate verify s -c readygate.yaml --var DOMAIN=example.org";
    let ran = project.shell(script);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = project.shell("unset DOMAIN; $readygate verify s -c readygate.yaml");
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("DOMAIN"), "{}", ran.stderr);
}

#[test]
fn a_bundle_that_took_the_end_of_the_run_for_the_decision_is_one() {
    let project = signed();
    let folders = std::fs::read_dir(project.path("s/runs")).unwrap();
    let mut folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let gated = folders.find(|name| name.contains("-gated-")).unwrap();
    let run = record::read(&project.path(&format!("s/runs/{gated}/run.json"))).unwrap();
    assert_ne!(run.decided_at(), run.finished);
    let stamp = |time: jiff::Timestamp| format!("\"timeCreated\": \"{time}\"");
    let mut list: Value = serde_json::from_str(&project.read("s/bundle.json")).unwrap();
    for name in ["svr.predicate.json", "svr.statement.json"] {
        let path = project.path(&format!("s/runs/{gated}/{name}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let earlier = text.replace(&stamp(run.decided_at()), &stamp(run.finished));
        assert_ne!(text, earlier);
        std::fs::write(&path, &earlier).unwrap();
        for entry in list["files"].as_array_mut().unwrap() {
            if path.ends_with(entry["path"].as_str().unwrap()) {
                entry["bytes"] = earlier.len().into();
                entry["sha256"] = readygate::release::events::digest(earlier.as_bytes()).into();
            }
        }
    }
    verified(&project.file("s/bundle.json", list.to_string()));
}
