//! `readygate event`, and what other commands add to the history of a release.

use serde_json::Value;

use crate::support::{Project, Ran, readygate};

fn passing() -> Project {
    readygate()
        .gates("- {id: there, probe: files, stages: [pre-deploy], with: {paths: [readygate.yaml]}}")
}

fn ok(project: &Project, args: &str) -> Ran {
    let ran = project.call(args);
    assert_eq!(ran.code, 0, "{args}: {}{}", ran.stdout, ran.stderr);
    ran
}

fn refused(project: &Project, args: &str, code: i32, message: &str) {
    let ran = project.call(args);
    assert_eq!(ran.code, code, "{args}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(message), "{args}: {}", ran.stderr);
}

#[test]
fn a_release_from_its_opening_to_its_end() {
    let project = passing();
    ok(
        &project,
        "event release.opened --release 4.0.0 --data version=4.0.0",
    );
    ok(&project, "run --stage pre-deploy --report json=run.json");
    let started = ok(&project, "event deploy.started");
    assert_eq!(
        started.stdout,
        "recorded deploy.started of 4.0.0 at [TIME]\n"
    );
    ok(&project, "event deploy.finished");
    ok(&project, "event accepted --data by=lead");
    ok(&project, "event closed");
    refused(
        &project,
        "event deploy.started",
        1,
        "the release was closed",
    );
    let text = project.read(".readygate/release/events.jsonl");
    let events: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let verdict = &events[1];
    assert_eq!(verdict["event"], "gate.verdict");
    assert_eq!(verdict["data"]["verdict"], "GO");
    assert_eq!(verdict["data"]["stages"][0], "pre-deploy");
    // The history knows the record by its digest, and the record is the one of the report.
    let record = verdict["data"]["record"].as_str().unwrap();
    let kept = project.read(&format!(".readygate/release/{record}"));
    assert_eq!(kept, project.read("run.json"));
    let record: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(record["release"], "4.0.0");
    assert_eq!(events[4]["data"]["by"], "lead");
    ok(&project, "verify .readygate/release -c readygate.yaml");
}

#[test]
fn a_run_of_no_release_keeps_no_history() {
    let project = passing();
    assert_eq!(project.run().code, 0);
    assert!(!project.path(".readygate").exists());
    let named = ok(&project, "run --release 4.0.0 --report json=run.json");
    assert_eq!(named.record()["release"], "4.0.0");
    assert!(!project.path(".readygate").exists());
}

#[test]
fn what_is_no_event_is_refused() {
    let project = passing();
    ok(&project, "event release.opened --release r");
    for (args, code, says) in [
        ("event deploy.strated", 2, "did you mean `deploy.started`?"),
        ("event lunch", 2, "known are release.opened, deploy.started"),
        (
            "event decision",
            2,
            "recorded by `readygate watch`, not by hand",
        ),
        (
            "event gate.verdict",
            2,
            "recorded by `readygate run --state`",
        ),
        ("event deploy.started --data x", 2, "is not KEY=VALUE"),
        (
            "event deploy.started --data x=1 --data x=2",
            2,
            "given twice",
        ),
        ("event deploy.started --at yesterday", 2, "--at"),
        (
            "event deploy.started --at 2999-01-01T00:00:00Z",
            1,
            "in the future",
        ),
        ("event deploy.finished", 1, "`deploy.started` is missing"),
        ("event release.opened", 2, "needs a name"),
        (
            "event release.opened --release a,b",
            2,
            "cannot name a release",
        ),
        ("event release.opened --release r", 1, "already open"),
    ] {
        refused(&project, args, code, says);
    }
    assert_eq!(
        project
            .read(".readygate/release/events.jsonl")
            .lines()
            .count(),
        1
    );
}

#[test]
fn without_its_folder_nothing_goes_on() {
    let project = passing();
    refused(
        &project,
        "event deploy.started --state lost",
        2,
        "no release is open in this folder",
    );
    refused(
        &project,
        "run --state lost",
        2,
        "no release is open in this folder",
    );
    assert!(!project.path("lost").exists());
    ok(&project, "event release.opened --release r --state kept");
    refused(
        &project,
        "run --state kept --release other",
        2,
        "the release `r` is open in kept, not `other`",
    );
    refused(
        &project,
        "event deploy.started --state kept --release other",
        1,
        "not `other`",
    );
}

#[test]
fn a_broken_history_stops_a_run_before_it_starts() {
    let project = readygate().gates("- {id: there, probe: command, with: {shell: touch ran}}");
    ok(&project, "event release.opened --release r --state s");
    ok(&project, "event deploy.started --state s");
    let text = project
        .read("s/events.jsonl")
        .replace("deploy.started", "window.ok");
    let project = project.file("s/events.jsonl", text);
    refused(
        &project,
        "run --state s",
        2,
        "s/events.jsonl:2: the history is broken",
    );
    refused(
        &project,
        "event deploy.finished --state s",
        1,
        "s/events.jsonl:2: the history is broken",
    );
    assert!(!project.path("ran").exists());
}

#[test]
fn a_change_cannot_open_the_window_that_it_is_deployed_in() {
    let freeze = |schedule: &str| {
        format!(
            "version: 1\nwindows: {{freeze: [{{schedule: '{schedule}', duration: 1h, zone: UTC}}]}}\n\
             gates: [{{id: a, probe: files, with: {{paths: [x]}}}}]\n"
        )
    };
    let last = |project: &Project| -> Value {
        let text = project.read(".readygate/release/events.jsonl");
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    };
    let project = readygate().config(&freeze("* * * * *"));
    let made = project.shell(
        "set -e; git init -q -b work .; git add readygate.yaml
        git -c user.name=a -c user.email=a@example.com commit -qm x
        git update-ref refs/remotes/origin/main HEAD",
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    let project = project.config(&freeze("0 0 29 2 *"));
    ok(&project, "event release.opened --release r");
    let start = "event deploy.started --trust-ref origin/main";
    let ran = ok(&project, start);
    assert!(
        ran.stderr.contains("starts when it may not")
            && ran.stderr.contains("is not used: 1 unclear"),
        "{}",
        ran.stderr
    );
    let event = last(&project);
    assert_eq!(event["event"], "window.refused");
    assert_eq!(event["data"]["trusted"]["reference"], "origin/main");
    // Nor can it do so by having no config at all.
    assert_eq!(project.shell("rm -r readygate.yaml .readygate").code, 0);
    ok(&project, "event release.opened --release r");
    ok(&project, start);
    assert_eq!(last(&project)["event"], "window.refused");
    assert_eq!(project.shell("rm -r .readygate").code, 0);
    ok(&project, "event release.opened --release r");
    refused(
        &project,
        "event deploy.started --trust-ref origin/gone",
        2,
        "no ref, tag or commit `origin/gone`",
    );
    refused(
        &project,
        "event deploy.started --trust-ref origin/main -c other.yaml",
        2,
        "no such file in origin/main",
    );
    assert_eq!(last(&project)["event"], "release.opened");
}

#[test]
fn a_deployment_outside_of_its_window_is_recorded_as_such() {
    let windows = |freeze: &str| {
        format!(
            "version: 1\nwindows: {{freeze: [{{schedule: '{freeze}', duration: 1h, zone: Europe/Berlin, reason: Christmas}}]}}\n\
             gates:\n- {{id: there, probe: files, with: {{paths: [\"${{MISSING}}\"]}}}}\n- {{id: window, probe: window, stages: [deploy]}}\n"
        )
    };
    let kinds = |project: &Project| -> Vec<String> {
        let text = project.read(".readygate/release/events.jsonl");
        let events = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        events
            .map(|e| e["event"].as_str().unwrap().to_owned())
            .collect()
    };
    // The job that deploys lacks the variables of the gates.
    let frozen = readygate().config(&windows("* * * * *"));
    ok(&frozen, "event release.opened --release r");
    let ran = ok(&frozen, "event deploy.started");
    assert!(
        ran.stderr
            .contains("starts when it may not: Christmas: a freeze is active"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        kinds(&frozen),
        ["release.opened", "deploy.started", "window.refused"]
    );
    // The gate takes the same windows.
    let gate =
        frozen.call("run --stage deploy --skip there --var MISSING=x --report json=run.json");
    assert_eq!(gate.code, 1, "{}", gate.stderr);
    assert!(gate.stdout.contains("window/frozen"), "{}", gate.stdout);
    let open = readygate().config(&windows("0 0 29 2 *"));
    ok(&open, "event release.opened --release r");
    let ran = ok(&open, "event deploy.started --at 2026-03-01T00:00:00Z");
    assert_eq!(ran.stderr, "");
    assert_eq!(
        kinds(&open),
        ["release.opened", "deploy.started", "window.ok"]
    );
    let wrong = readygate().config(&windows("0 0 * * MOON"));
    ok(&wrong, "event release.opened --release r");
    refused(
        &wrong,
        "event deploy.started",
        2,
        "`MOON` is no day of week",
    );
    refused(&wrong, "run", 2, "`MOON` is no day of week");
    let gitlab = open.env("CI_DEPLOY_FREEZE", "true");
    let gate = gitlab.call("run --stage deploy --skip there --var MISSING=x");
    assert_eq!(gate.code, 1, "{}", gate.stdout);
    assert!(
        gate.stdout.contains("window/gitlab-freeze"),
        "{}",
        gate.stdout
    );
}

#[test]
fn a_closed_release_takes_no_more_runs() {
    let project = readygate()
        .gates("- {id: there, probe: command, stages: [post-deploy], with: {shell: touch ran}}");
    ok(&project, "event release.opened --release r");
    ok(&project, "event closed");
    let said = "the release `r` in .readygate/release was closed at [TIME]";
    for command in ["run", "run --release next", "watch", "gate run.json"] {
        refused(&project, command, 2, said);
    }
    assert!(!project.path("ran").exists());
    assert!(!project.path("decision.json").exists());
    let evidence = "verify .readygate/release";
    refused(&project, evidence, 2, "bundle.json is missing");
    // Its folder out of the way, the next one begins.
    std::fs::rename(project.path(".readygate/release"), project.path("kept")).unwrap();
    ok(&project, "event release.opened --release next");
    ok(&project, "run");
}

#[test]
fn a_release_that_is_closed_meanwhile_keeps_its_evidence() {
    let project = readygate().gates(
        "- {id: there, probe: command, with: {argv: [sh, -c, 'if [ -e close ]; then $readygate event closed --state s; fi'], env: {readygate: READYGATE}}}",
    );
    let binary = env!("CARGO_BIN_EXE_readygate");
    let config = project.read("readygate.yaml").replace("READYGATE", binary);
    let project = project.config(&config);
    ok(&project, "event release.opened --release r --state s");
    ok(&project, "run --state s");
    let project = project.file("close", "");
    refused(
        &project,
        "run --state s",
        1,
        "the evidence could not be kept: `gate.verdict` is refused: the release was closed",
    );
    ok(&project, "verify s -c readygate.yaml");
}

#[test]
fn nothing_in_the_folder_of_a_release_keeps_a_run_waiting() {
    let project = passing();
    let run = |before: &str, command: &str| {
        project.shell(&format!(
            "rm -f pipe; mkfifo pipe; exec 3<>pipe; {before}
            timeout 20 $readygate {command} <&3"
        ))
    };
    let state = "rm -rf .readygate; mkdir -p .readygate/release";
    let link = format!("{state}; ln -s /dev/stdin .readygate/release/release.json");
    let opened = format!("{state}; $readygate event release.opened --release r >&2");
    let history = format!(
        "{opened}; rm .readygate/release/events.jsonl; mkfifo .readygate/release/events.jsonl"
    );
    for before in [&link, &history] {
        for command in ["run", "watch --stage pre-deploy"] {
            let ran = run(before, command);
            assert_eq!(ran.code, 2, "{before}: {}{}", ran.stdout, ran.stderr);
            let said = ran.stderr.contains("not a regular file");
            assert!(said, "{before}: {}", ran.stderr);
        }
        let ran = run(before, "event deploy.started --release r");
        assert_ne!(ran.code, 124, "{before}");
    }
    for name in ["bundle.json", "decision.json"] {
        let before = format!("{opened}; ln -s /dev/stdin .readygate/release/{name}");
        let command = match name {
            "bundle.json" => "run",
            _ => "watch --stage pre-deploy --for 1s --every 1s",
        };
        let ran = run(&before, command);
        assert_ne!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        let said = format!("{name}: not a regular file");
        assert!(ran.stderr.contains(&said), "{name}: {}", ran.stderr);
    }
}
