//! Interrupted runs: what was known is on record, and nothing stays behind.

use insta::assert_snapshot;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{Project, Ran, readygate};

/// The gate `started` passes as soon as the slow program and its child run.
const SLOW: &str = r#"
- id: started
  probe: command
  with: {shell: "until [ -s pids ]; do sleep 0.05; done"}
- id: slow
  probe: command
  timeout: 10m
  with: {shell: "sleep 600 & echo $$$$ $! > pids.new; mv pids.new pids; wait"}
- {id: after, needs: [slow], probe: files, with: {paths: [readygate.yaml]}}
"#;

fn interrupted(signal: Signal) -> (Project, Ran) {
    let project = readygate().gates(SLOW).args(
        "run --report json=run.json --report junit=run.xml --report console=run.txt".split(' '),
    );
    let mut running = project.start();
    running.wait_for("passed     started");
    running.signal(signal);
    (project, running.finish())
}

/// A moment passes, and nothing has come of it.
#[expect(clippy::disallowed_methods, reason = "the kernel tells nobody else")]
fn pause() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(50));
    false
}

/// No process that the slow program started is alive.
fn assert_none_left(project: &Project) {
    for pid in project.read("pids").split_whitespace() {
        let pid = Pid::from_raw(pid.parse().unwrap());
        // A killed process whose parent is gone may be a zombie for a moment; that one runs nothing.
        let zombie = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let gone = || kill(pid, None) == Err(Errno::ESRCH) || zombie();
        // It was killed, which a busy machine may take a while to carry out.
        let waited = (0..200).any(|_| gone() || pause());
        assert!(waited, "{pid}");
    }
}

#[test]
fn sigint_is_130_and_every_report_is_written() {
    let (project, ran) = interrupted(Signal::SIGINT);
    assert_eq!(ran.code, 130);
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 130
    started passed
    slow unmeasured: /bin/sh: the run was interrupted (while running)
    after unmeasured: after: the run was interrupted (while waiting to start)
    "#);
    assert_eq!(ran.record()["interrupted"], "SIGINT");
    assert_eq!(ran.record()["exit_code"], 130);
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    3 gates selected of 3

    ? slow     slow     could not tell · major · [TIME]
        ? could not tell: /bin/sh: the run was interrupted (while running) [cancelled]
          where     readygate.yaml:6:7
    ? after    after    could not tell · major · [TIME]
        ? could not tell: after: the run was interrupted (while waiting to start) [cancelled]
          where     readygate.yaml:10:8
    ✓ started  started  [TIME]

    INCONCLUSIVE  2 could not tell · 1 passed · [TIME] · exit code 130
      interrupted by SIGINT; this report is partial
      slow (major) could not be measured: /bin/sh: the run was interrupted (while running)
      after (major) could not be measured: after: the run was interrupted (while waiting to start)
    "#);
    for (format, report) in [
        ("console", "run.txt"),
        ("junit", "run.xml"),
        ("json", "run.json"),
    ] {
        let rendered = project.call(&format!("render {format} run.json"));
        assert_eq!(rendered.code, 0, "{format}: {}", rendered.stderr);
        let text = String::from_utf8(rendered.raw.stdout).unwrap();
        assert_eq!(text, project.read(report), "{format}");
    }
}

#[test]
fn sigterm_is_143() {
    let (_project, ran) = interrupted(Signal::SIGTERM);
    assert_eq!(ran.code, 143);
    assert_eq!(ran.record()["interrupted"], "SIGTERM");
    assert_eq!(ran.record()["exit_code"], 143);
}

#[test]
fn no_child_outlives_the_run() {
    let (project, _ran) = interrupted(Signal::SIGTERM);
    assert_none_left(&project);
}

#[test]
fn a_pause_between_retries_ends_at_once() {
    let project = readygate().gates(
        r#"
- id: flaky
  probe: command
  retry: {attempts: 5, delay: 10m}
  with: {argv: ["false"]}
"#,
    );
    let mut running = project.start();
    running.wait_for("retry      flaky");
    running.signal(Signal::SIGINT);
    let ran = running.finish();
    assert_eq!(ran.code, 130);
    assert_eq!(ran.gate("flaky")["attempts"].as_array().unwrap().len(), 1);
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 130
    flaky failed: false: it ended with exit code 1: expected exit code 0, actual exit code 1
    "#);
}

#[test]
fn a_stopped_series_has_not_passed_and_judging_it_again_does_not_change_that() {
    let project = readygate().gates(
        r#"
- id: steady
  probe: command
  sustain: {for: 1h, every: 30m}
  with: {shell: "touch measured"}
- id: measured
  probe: command
  with: {shell: "until [ -e measured ]; do sleep 0.05; done; sleep 0.5"}
"#,
    );
    let mut running = project.start();
    running.wait_for("passed     measured");
    running.signal(Signal::SIGINT);
    let ran = running.finish();
    assert_eq!(ran.code, 130);
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 130
    steady unmeasured: stopped after 1 measurement, before 1 h were over
    measured passed
    "#);
    let judged = project.call("judge run.json --report json=judged.json");
    assert_eq!(judged.code, 130, "{}", judged.stdout);
    // Nor does a config that asks for nothing but what passed before the signal.
    let config = "version: 1\ngates:\n- {id: measured, probe: command, with: {argv: ['true']}}\n";
    let project = project.file("less.yaml", config);
    let judged = project.call("judge run.json -c less.yaml --report json=run.json");
    assert_snapshot!(judged.summary(), @r#"
    INCONCLUSIVE, exit 130
    measured passed
    "#);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells that the run is over and hangs in its report"
)]
fn a_report_that_nobody_reads_does_not_hold_against_a_signal() {
    let project = readygate()
        .gates("- {id: quick, probe: command, with: {argv: [mkfifo, pipe]}}")
        .args("run --report json=pipe".split(' '));
    let mut running = project.start();
    running.wait_for("passed     quick");
    // Signals during the run are for the run; this one has to come after it.
    std::thread::sleep(std::time::Duration::from_secs(1));
    running.signal(Signal::SIGTERM);
    let ran = running.finish();
    assert_eq!(ran.code, 143);
    assert!(ran.stderr.contains("some may be missing"), "{}", ran.stderr);
}

#[test]
fn a_signal_outranks_a_report_that_cannot_be_written() {
    let project = readygate()
        .gates(SLOW)
        .args("run --report json=run.json --report junit=/dev/full".split(' '));
    let mut running = project.start();
    running.wait_for("passed     started");
    running.signal(Signal::SIGINT);
    let ran = running.finish();
    assert_eq!(ran.code, 130);
    assert!(ran.stderr.contains("/dev/full"), "{}", ran.stderr);
}

#[test]
fn a_hangup_leaves_no_command_behind() {
    // Under `nohup` the suite hands the ignored signal down, and ignoring it is then right.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    if u64::from_str_radix(mask.unwrap().trim(), 16).unwrap() & 1 == 1 {
        return;
    }
    let (project, ran) = interrupted(Signal::SIGHUP);
    assert_eq!(ran.code, 143);
    assert_eq!(ran.record()["interrupted"], "SIGHUP");
    assert_none_left(&project);
}
