//! `readygate watch` against a server that breaks midway.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Project, Ran, readygate};

/// What the server does with the n-th request, from 1.
pub enum Answer {
    Status(u16),
    /// It stops listening after this.
    LastStatus(u16),
    /// It takes the connection and says nothing, as a load balancer with nothing behind it.
    Close,
}

/// A target on a free port of the loopback.
pub struct Target {
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    pub fn new(answer: impl Fn(u32) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for number in 1.. {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                if told.load(Ordering::SeqCst) {
                    return;
                }
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|l| l.is_ok_and(|l| !l.is_empty())) {}
                let (status, last) = match answer(number) {
                    Answer::Status(status) => (status, false),
                    Answer::LastStatus(status) => (status, true),
                    Answer::Close => continue,
                };
                let head = "Connection: close\r\nContent-Length: 0\r\n\r\n";
                let _ = write!(stream, "HTTP/1.1 {status} X\r\n{head}");
                if last {
                    return;
                }
            }
        });
        Self {
            address,
            over,
            thread: Some(thread),
        }
    }

    /// Answers with 200 but for the requests given.
    pub fn failing(which: impl Fn(u32) -> bool + Send + 'static) -> Self {
        Self::new(move |n| Answer::Status(if which(n) { 503 } else { 200 }))
    }

    /// A project that watches it.
    fn watched(&self, args: &str) -> Project {
        watched(self.address, "", args)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = std::net::TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

fn watched(address: SocketAddr, more: &str, args: &str) -> Project {
    let config = format!(
        r#"
version: 1
target: {{name: shop, url: "http://{address}"}}
gates:
- {{id: health, probe: http, stages: [post-deploy], timeout: 5s, with: {{url: /health}}}}
- {{id: unrelated, probe: command, with: {{shell: "touch ran; false"}}}}
- {{id: before, probe: command, stages: [pre-deploy], with: {{shell: "touch ran; false"}}}}
{more}"#
    );
    let args = format!("watch --report json=run.json {args}");
    readygate().config(&config).args(args.split_whitespace())
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells when the file is there"
)]
fn moment() {
    std::thread::sleep(std::time::Duration::from_millis(10));
}

fn decision(project: &Project) -> Value {
    serde_json::from_str(&project.read("decision.json")).unwrap()
}

fn seconds(decision: &Value) -> f64 {
    let time = |key: &str| {
        decision[key]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .unwrap()
    };
    time("finished")
        .duration_since(time("started"))
        .as_secs_f64()
}

fn events(project: &Project, folder: &str) -> Vec<Value> {
    let text = project.read(&format!("{folder}/events.jsonl"));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect()
}

fn ok(project: &Project, args: &str) -> Ran {
    let ran = project.call(args);
    assert_eq!(ran.code, 0, "{args}: {}{}", ran.stdout, ran.stderr);
    ran
}

#[test]
fn a_steady_target_is_accepted_after_the_whole_time() {
    let target = Target::failing(|_| false);
    let project = target.watched("--for 5s --every 500ms");
    let ran = project.run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let decision = decision(&project);
    assert_eq!(decision["decision"], "accept");
    assert!(
        seconds(&decision) >= 4.5,
        "ended before its time: {decision:#}"
    );
    let samples = &decision["samples"];
    assert_eq!(
        (&samples["planned"], &samples["failed"], &samples["unknown"]),
        (&11.into(), &0.into(), &0.into())
    );
    let n = samples["n"].as_u64().unwrap();
    assert!((9..=11).contains(&n), "{decision:#}");
    assert_eq!(
        ran.gate("health")["attempts"].as_array().unwrap().len() as u64,
        n
    );
    assert_eq!(ran.gate("unrelated")["outcome"], "skipped");
    assert_eq!(ran.record()["verdict"], "GO");
    assert_eq!(ran.record()["watch"], decision);
    assert!(!project.path("ran").exists(), "a gate of another stage ran");
    assert!(
        ran.stderr.contains("no less (95 % confidence)"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("downtime: none seen"), "{}", ran.stderr);
}

#[test]
fn an_outage_is_looked_at_again_confirmed_and_ends_the_watch() {
    let target = Target::failing(|n| n > 3);
    let project = target.watched("--for 5m --every 100ms --state state");
    ok(
        &project,
        "event release.opened --release 4.0.0 --data version=4.0.0 --state state",
    );
    ok(&project, "event deploy.started --state state");
    ok(&project, "event deploy.finished --state state");
    let ran = project.run();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    let decision = decision(&project);
    assert_eq!(decision["decision"], "rollback");
    assert!(seconds(&decision) < 60.0);
    assert_eq!(decision["samples"]["n"], 4);
    assert_eq!(decision["samples"]["repeated"], 1);
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let confirmed = time(&decision["breach"]["confirmed"]);
    let left = time(&decision["deadline"]).duration_since(confirmed);
    assert_eq!(left, SignedDuration::from_mins(15));
    let reason = decision["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("health failed twice in a row"),
        "{decision:#}"
    );
    assert_eq!(decision["downtime"]["ongoing"], true);
    assert_eq!(ran.record()["verdict"], "NO-GO");
    assert_eq!(ran.record()["release"], "4.0.0");
    assert_eq!(ran.gate("health")["attempts"].as_array().unwrap().len(), 5);
    let events = events(&project, "state");
    assert_eq!(
        kinds(&events),
        [
            "release.opened",
            "deploy.started",
            "deploy.finished",
            "watch.started",
            "watch.sample",
            "watch.sample",
            "breach.suspected",
            "watch.sample",
            "breach.confirmed",
            "decision",
        ]
    );
    let rollback = ok(&project, "event rollback.started --state state");
    assert!(
        rollback.stderr.contains("before its deadline"),
        "{}",
        rollback.stderr
    );
    ok(&project, "event rollback.finished --state state");
    let refused = project.call("event accepted --state state");
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("was rolled back"),
        "{}",
        refused.stderr
    );
    ok(&project, "verify state -c readygate.yaml");
}

#[test]
fn a_rollback_after_the_deadline_is_said_to_be_late() {
    let target = Target::failing(|n| n > 1);
    let late = "watch: {rollback_within: 1ms}";
    let project = watched(target.address, late, "--for 5m --every 100ms --state state");
    ok(
        &project,
        "event release.opened --release 4.0.0 --state state",
    );
    ok(&project, "event deploy.started --state state");
    assert_eq!(project.run().code, 5);
    let rollback = ok(&project, "event rollback.started --state state");
    assert!(
        rollback.stderr.contains("warning: rollback.within"),
        "{}",
        rollback.stderr
    );
    assert!(
        rollback.stderr.contains("after its deadline"),
        "{}",
        rollback.stderr
    );
}

#[test]
fn one_bad_answer_is_no_outage() {
    let target = Target::failing(|n| n == 2);
    let project = target.watched("--for 5s --every 500ms");
    let ran = project.run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(decision(&project)["samples"]["failed"], 1);
    assert!(ran.stderr.contains("suspected  health"), "{}", ran.stderr);
    assert!(ran.stderr.contains("cleared    health"), "{}", ran.stderr);
    assert_eq!(ran.gate("health")["flaky"], true);
}

#[test]
fn a_target_that_flaps_is_a_breach() {
    // Every scheduled look fails, every look at once passes.
    let target = Target::failing(|n| n % 2 == 1);
    let project = target.watched("--for 2m --every 50ms");
    let ran = project.run();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    let decision = decision(&project);
    assert_eq!(decision["breach"]["flapping"], true);
    assert_eq!(decision["samples"]["failed"], 4);
    assert_eq!(ran.record()["verdict"], "NO-GO");
}

#[test]
fn a_target_that_is_gone_is_an_outage() {
    let target = Target::new(|n| {
        if n == 3 {
            Answer::LastStatus(200)
        } else {
            Answer::Status(200)
        }
    });
    let project = target.watched("--for 5m --every 100ms");
    let ran = project.run();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("connection refused"), "{}", ran.stderr);
}

#[test]
fn a_target_that_never_answered_has_no_conclusion() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let project = watched(address, "", "--for 2m --every 50ms");
    let ran = project.run();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let decision = decision(&project);
    assert_eq!(decision["decision"], "inconclusive");
    assert_eq!(decision["samples"]["unknown"], 5);
    assert!(decision["bound"].is_null() && decision["downtime"].is_null());
}

#[test]
fn a_runner_that_is_offline_blames_nobody() {
    let target = Target::new(|n| {
        if n == 2 {
            Answer::LastStatus(200)
        } else {
            Answer::Status(200)
        }
    });
    let control = r#"
- {id: online, probe: command, stages: [post-deploy], severity: info, with: {shell: "[ ! -e offline ] && touch offline"}}
watch: {control: [online]}
"#;
    let project = watched(target.address, control, "--for 2m --every 50ms");
    let ran = project.run();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_killed_watch_leaves_a_partial_record_without_a_conclusion() {
    for (signal, code, name) in [
        (Signal::SIGTERM, 143, "SIGTERM"),
        (Signal::SIGINT, 130, "SIGINT"),
    ] {
        let target = Target::failing(|_| false);
        let told = r#"
- {id: mark, probe: command, stages: [post-deploy], severity: info, with: {shell: "echo x >> marks; [ $(wc -l < marks) -lt 3 ]"}}
"#;
        let project = watched(target.address, told, "--for 2m --every 50ms --state state");
        ok(&project, "event release.opened --release r --state state");
        let mut running = project.start();
        running.wait_for("watching 2 gates");
        while !project.path("marks").exists() || project.read("marks").lines().count() < 3 {
            moment();
        }
        running.signal(signal);
        let ran = running.finish();
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let decision = decision(&project);
        assert_eq!(decision["decision"], "inconclusive");
        assert_eq!(decision["interrupted"], name);
        assert_eq!(decision["exit_code"], code);
        assert!(decision["samples"]["n"].as_u64().unwrap() >= 2);
        assert_eq!(ran.record()["verdict"], "INCONCLUSIVE");
        assert_eq!(ran.record()["interrupted"], name);
        assert_eq!(kinds(&events(&project, "state")).last(), Some(&"decision"));
        ok(&project, "verify state");
    }
}

#[test]
fn a_baseline_is_compared_with() {
    let target = Target::failing(|_| false);
    let relative = r#"
- {id: size, probe: command, stages: [post-deploy], with: {shell: "cat size"}, expect: {stdout.bytes: "<= baseline + 10% and < 1KB"}}
"#;
    let project = watched(
        target.address,
        relative,
        "--for 5s --every 500ms --baseline before.json",
    );
    let project = project.file("size", "x".repeat(100));
    let before = "run --stage post-deploy --only size --report json=before.json";
    // Without a baseline it cannot be told, but it is measured.
    let ran = project.call(before);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let ran = project.run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let project = project.file("size", "x".repeat(120));
    let ran = project.run();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(!decision(&project)["baseline"].as_str().unwrap().is_empty());

    // One of another target, and one that was edited, are none.
    let before = project.read("before.json");
    let refused = |project: &Project, message: &str| {
        for command in ["watch", "run --only size"] {
            let ran = project.call(&format!("{command} --baseline before.json"));
            assert_eq!(ran.code, 2, "{command}: {}", ran.stderr);
            assert!(ran.stderr.contains(message), "{command}: {}", ran.stderr);
        }
    };
    let project = project.file("before.json", before.replacen("100", "900", 1));
    refused(&project, "was edited");
    let project = project.file("before.json", &before);
    let config = project.read("readygate.yaml");
    let config = config.replace("name: shop,", "name: shop, environment: staging,");
    let project = project.config(&config);
    refused(
        &project,
        "it is of the target `shop`, this is `shop` in staging",
    );
}

#[test]
fn a_target_behind_a_load_balancer_that_closes_every_connection_is_an_outage() {
    let target = Target::new(|n| {
        if n <= 2 {
            Answer::Status(200)
        } else {
            Answer::Close
        }
    });
    let project = target.watched("--for 5m --every 100ms");
    let ran = project.run();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(decision(&project)["samples"]["n"], 3);
}

#[test]
fn samples_that_take_too_long_are_no_watch() {
    let target = Target::failing(|_| false);
    let slow = r#"
- {id: slow, probe: command, stages: [post-deploy], with: {shell: "sleep 0.7"}}
"#;
    let project = watched(target.address, slow, "--for 2s --every 200ms");
    let ran = project.run();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let decision = decision(&project);
    assert!(
        decision["reasons"][0]
            .as_str()
            .unwrap()
            .contains("of 11 planned samples were taken where 9 are needed"),
        "{decision:#}"
    );
}

#[test]
fn a_program_that_is_gone_is_no_outage() {
    let target = Target::failing(|_| false);
    let gone = r"
- {id: tool, probe: command, stages: [post-deploy], with: {argv: [./tool]}}
";
    let project = watched(target.address, gone, "--for 2m --every 50ms");
    let script = "#!/bin/sh\nrm -- \"$0\"\n";
    let project = project.file("tool", script);
    assert_eq!(project.shell("chmod +x tool").code, 0);
    let ran = project.run();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(decision(&project)["samples"]["failed"], 0);
}

#[test]
fn a_watch_that_is_killed_outright_looks_like_one() {
    let target = Target::failing(|_| false);
    let project = target.watched("--for 2m --every 100ms --state state");
    let project = project.file("decision.json", r#"{"decision": "accept"}"#);
    ok(&project, "event release.opened --release r --state state");
    ok(&project, "run --only health --state state");
    ok(&project, "event deploy.started --state state");
    ok(&project, "event deploy.finished --state state");
    let mut running = project.start();
    running.wait_for("watching 1 gate");
    while !kinds(&events(&project, "state")).contains(&"watch.sample") {
        moment();
    }
    running.signal(Signal::SIGKILL);
    drop(running);
    for file in ["decision.json", "state/decision.json"] {
        let decision: Value = serde_json::from_str(&project.read(file)).unwrap();
        assert_eq!(decision["decision"], "inconclusive", "{file}");
        assert!(
            decision["reasons"][0].as_str().unwrap().contains("killed"),
            "{decision:#}"
        );
    }
    let accepted = project.call("event accepted --state state");
    assert_eq!(accepted.code, 1, "{}", accepted.stderr);
    assert!(
        accepted.stderr.contains("the last watch has no decision"),
        "{}",
        accepted.stderr
    );
    let verified = project.call("verify state");
    assert_eq!(verified.code, 1, "{}", verified.stderr);
    assert!(
        verified.stderr.contains("has no decision: it is under way"),
        "{}",
        verified.stderr
    );
    assert_eq!(verified.stderr.matches("decision.json").count(), 0);

    // Another watch makes up for it.
    ok(&project, "watch --for 5s --every 500ms --state state");
    ok(&project, "event accepted --state state");
    let verified = ok(&project, "verify state");
    assert!(
        verified.stderr.contains("was killed; another followed"),
        "{}",
        verified.stderr
    );
}

#[test]
fn what_cannot_be_watched_is_refused_before_anything_runs() {
    let target = Target::failing(|_| false);
    let burst = r"
- id: burst
  probe: access
  stages: [post-deploy]
  with: {rate_limit: [{url: /login, limit: 10}]}
";
    let refused = |more: &str, args: &str, message: &str| {
        let ran = watched(target.address, more, args).run();
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    };
    refused(burst, "--only burst", "may disrupt the target");
    let only_burst = burst.to_owned() + "  tags: [burst]\n";
    refused(&only_burst, "--tag burst", "nothing to watch");
    refused("", "--stage rollback", "nothing to watch");
    refused("", "--for 1s --every 2s", "would see the start only");
    refused(
        "watch: {availability: [before]}",
        "",
        "`before` is no blocking gate of this watch",
    );
    refused("", "--state nowhere", "no release is open in this folder");
    refused("", "--baseline nothing.json", "the baseline is not usable");
}

#[test]
fn a_rollback_stays_one_whatever_becomes_of_its_report() {
    let target = Target::failing(|n| n > 1);
    let project = target.watched("--for 5m --every 100ms --report junit=/dev/full");
    let ran = project.run();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("the junit report could not be written"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_decision_of_the_last_watch_stands_and_the_clock_is_that_of_the_first_breach() {
    let target = Target::failing(|n| n > 1 && n < 4);
    let project = target.watched("--for 1s --every 100ms --state state");
    ok(
        &project,
        "event release.opened --release 4.0.0 --state state",
    );
    ok(&project, "event deploy.started --state state");
    ok(&project, "event deploy.finished --state state");
    assert_eq!(project.run().code, 5);
    let deadline = decision(&project)["deadline"].clone();
    assert_eq!(project.run().code, 0);
    let last = decision(&project);
    assert_eq!(last["decision"], "accept");
    assert_eq!(last["deadline"], Value::Null);
    let kept: Value = serde_json::from_str(&project.read("state/decision.json")).unwrap();
    assert_eq!(kept, last);
    // The record and the history of the first still have its deadline.
    let events = events(&project, "state");
    let confirmed = events.iter().find(|e| e["event"] == "breach.confirmed");
    let told = &confirmed.unwrap()["data"]["deadline"];
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(time(told).duration_since(time(&deadline)).abs() < SignedDuration::from_secs(1));
    let rollback = ok(&project, "event rollback.started --state state");
    assert!(
        rollback.stderr.contains("before its deadline"),
        "{}",
        rollback.stderr
    );
    ok(&project, "verify state -c readygate.yaml");
}
