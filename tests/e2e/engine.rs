//! What runs when, how often, and for how long.

use std::time::Duration;

use insta::assert_snapshot;

use crate::support::{Ran, readygate, repeated};

/// Passes only while the other one runs too.
const TWINS: &str = r#"
- {id: left, probe: command, with: {shell: "touch l; until [ -e r ]; do sleep 0.05; done"}}
- {id: right, probe: command, with: {shell: "touch r; until [ -e l ]; do sleep 0.05; done"}}
"#;

#[test]
fn gates_run_side_by_side() {
    let ran = readygate().gates(TWINS).run();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn concurrency_bounds_them() {
    let gates = TWINS.replace("command,", "command, timeout: 5s,");
    let ran = readygate()
        .config(&format!("version: 1\nconcurrency: 1\ngates:\n{gates}"))
        .run();
    // One after the other, the first never sees the second.
    assert_eq!(ran.gate("left")["outcome"], "unmeasured");
    assert_eq!(ran.gate("right")["outcome"], "passed");

    let gate = |id: &str| {
        let script = "date +%s%N > $ID.start; sleep 0.2; date +%s%N > $ID.end";
        format!("- {{id: {id}, probe: command, with: {{shell: '{script}', env: {{ID: {id}}}}}}}\n")
    };
    let ids = ["a", "b", "c", "d", "e", "f"];
    let gates: String = ids.iter().map(|id| gate(id)).collect();
    let project = readygate().config(&format!("version: 1\nconcurrency: 2\ngates:\n{gates}"));
    assert_eq!(project.run().code, 0);
    let spans = ids.map(|id| span(&project, id));
    for (start, _) in spans {
        let at_once = spans.iter().filter(|(s, e)| *s <= start && start < *e);
        assert!(at_once.count() <= 2, "{spans:?}");
    }
}

#[test]
fn an_exclusive_gate_runs_alone() {
    let gate = |id: &str, more: &str| {
        let script = "date +%s%N > $ID.start; sleep 0.2; date +%s%N > $ID.end";
        format!(
            "- {{id: {id}, probe: command{more}, with: {{shell: '{script}', env: {{ID: {id}}}}}}}\n"
        )
    };
    let ids = ["a", "b", "load", "c", "d"];
    let gates = ids.map(|id| {
        gate(
            id,
            if id == "load" {
                ", exclusive: true"
            } else {
                ""
            },
        )
    });
    let project = readygate().gates(&gates.concat());
    assert_eq!(project.run().code, 0);
    let (start, end) = span(&project, "load");
    for id in ["a", "b", "c", "d"] {
        let (s, e) = span(&project, id);
        assert!(e <= start || end <= s, "{id} ran beside the exclusive gate");
    }
}

fn span(project: &crate::support::Project, id: &str) -> (u128, u128) {
    let at = |name| {
        project
            .read(&format!("{id}.{name}"))
            .trim()
            .parse()
            .unwrap()
    };
    (at("start"), at("end"))
}

#[test]
fn needs_run_first_and_what_needs_a_failure_is_skipped() {
    let ran = readygate()
        .gates(
            r#"
- {id: last, needs: [middle], probe: command, with: {argv: ["true"]}}
- {id: middle, needs: [first], probe: command, with: {argv: ["true"]}}
- {id: first, probe: command, with: {argv: ["false"]}}
- {id: other, probe: command, with: {argv: ["true"]}}
"#,
        )
        .run();
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    last skipped: needs `middle`, which was skipped
    middle skipped: needs `first`, which failed
    first failed: false: it ended with exit code 1: expected exit code 0, actual exit code 1
    other passed
    "#);
}

#[test]
fn a_long_chain_of_needs_is_walked_to_its_end() {
    let gate = |n| {
        format!(
            "- {{id: g{n}, needs: [g{}], probe: files, with: {{paths: [readygate.yaml]}}}}\n",
            n + 1
        )
    };
    let chain = repeated(1_000, gate);
    for (last, code) in [("readygate.yaml", 0), ("nowhere", 1)] {
        let last = format!("- {{id: g1000, probe: files, with: {{paths: [{last}]}}}}\n");
        let ran = readygate().gates(&(chain.clone() + &last)).arg("-q").run();
        assert_eq!(ran.code, code);
        assert_eq!(ran.record()["gates"].as_array().unwrap().len(), 1_001);
    }
}

#[test]
fn a_blocking_gate_behind_a_minor_failure_is_inconclusive() {
    let project = readygate().gates(
        r#"
- {id: smoke, needs: [health], probe: command, with: {argv: ["true"]}}
- {id: health, severity: minor, probe: command, with: {argv: ["false"]}}
"#,
    );
    let ran = project.run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    smoke skipped: needs `health`, which failed
    health failed: false: it ended with exit code 1: expected exit code 0, actual exit code 1
    "#);
    assert_eq!(project.call("judge run.json").code, 3);
}

#[test]
fn what_a_selected_gate_needs_runs_too_unless_skipped_by_name() {
    let project = readygate().gates(
        r#"
- {id: health, tags: [slow], probe: command, with: {argv: ["true"]}}
- {id: smoke, needs: [health], probe: command, with: {argv: ["true"]}}
- {id: other, probe: command, with: {argv: ["true"]}}
"#,
    );
    let ran = project.call("run --only smoke --report json=run.json");
    assert_snapshot!(ran.summary(), @r#"
    GO, exit 0
    health passed
    smoke passed
    other skipped: not selected
    "#);
    let ran = project.call("run --only smoke --skip health --report json=run.json");
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    health skipped: not selected
    smoke skipped: needs `health`, which was skipped
    other skipped: not selected
    "#);
}

#[test]
fn a_gate_ends_at_its_deadline_and_the_others_do_not_mind() {
    let ran = readygate()
        .gates(
            r#"
- {id: polite, timeout: 2s, probe: command, with: {shell: "echo still here; sleep 600"}}
- {id: stubborn, timeout: 2s, probe: command, with: {shell: "trap '' TERM; while :; do sleep 600; done"}}
- {id: fine, probe: command, with: {argv: ["true"]}}
"#,
        )
        .within(Duration::from_secs(30))
        .run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    polite unmeasured: /bin/sh: still running after [TIME]; its process group was killed; it last said: still here (while running)
    stubborn unmeasured: /bin/sh: still running after [TIME]; its process group was killed (while running)
    fine passed
    "#);
}

#[test]
fn the_deadline_of_the_run_ends_what_runs_and_what_waits() {
    let gates = r#"
- {id: quick, probe: command, with: {argv: ["true"]}}
- {id: hangs, timeout: 10m, probe: command, with: {argv: [sleep, "600"]}}
- {id: waits, needs: [hangs], probe: command, with: {argv: ["true"]}}
"#;
    let ran = readygate()
        .gates(gates)
        .arg("--deadline=5s")
        .within(Duration::from_secs(30))
        .run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    quick passed
    hangs unmeasured: sleep: still running after [TIME]; its process group was killed; the deadline of the run passed (while running)
    waits unmeasured: waits: the deadline of the run passed (while waiting to start)
    "#);
    let ran = readygate()
        .config(&format!("version: 1\ndeadline: 1s\ngates:\n{gates}"))
        .within(Duration::from_secs(30))
        .run();
    assert_eq!(ran.code, 3);
}

/// Fails so many times, then passes.
fn fails(times: u32) -> String {
    format!("{{shell: 'echo x >> tries; [ $(wc -l < tries) -gt {times} ] || exit 1'}}")
}

fn tries(ran: &Ran, id: &str) -> Vec<String> {
    let gate = ran.gate(id);
    let attempts = gate["attempts"].as_array().unwrap();
    let outcome = |a: &serde_json::Value| a["outcome"].as_str().unwrap().to_owned();
    attempts.iter().map(outcome).collect()
}

#[test]
fn a_retry_keeps_every_attempt_and_the_pass_is_called_flaky() {
    let with = fails(2);
    let project = readygate().gates(&format!(
        "- {{id: flaky, probe: command, retry: {{attempts: 5, delay: 10ms}}, with: {with}}}"
    ));
    let ran = project.run();
    assert_eq!(tries(&ran, "flaky"), ["failed", "failed", "passed"]);
    assert_snapshot!(ran.summary(), @r#"
    GO, exit 0
    flaky passed, flaky
    "#);
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    1 gate selected of 1

    ~ flaky  flaky  passed on attempt 3 of 3 · [TIME]
        attempt 1 of 3 failed: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit
          code 1
        attempt 2 of 3 failed: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit
          code 1

    GO  1 passed · 1 flaky · [TIME] · exit code 0
    "#);
    assert_snapshot!(ran.stderr, @r#"
    start      flaky
    retry      flaky: attempt 1 failed (/bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1); again in 10 ms
    retry      flaky: attempt 2 failed (/bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1); again in 10 ms
    passed     flaky ([TIME])
    "#);
    let junit = project.call("render junit run.json").stdout;
    assert!(junit.contains("attempt 1"), "{junit}");
}

#[test]
fn retries_end_at_their_number() {
    let with = fails(9);
    let ran = readygate()
        .gates(&format!(
            "- {{id: broken, probe: command, retry: {{attempts: 3, delay: 10ms}}, with: {with}}}"
        ))
        .run();
    assert_eq!(tries(&ran, "broken"), ["failed"; 3]);
    assert_eq!(ran.code, 1);
}

#[test]
fn on_unmeasured_a_failure_is_final() {
    let ran = readygate()
        .gates(
            r"
- id: failing
  probe: command
  retry: {attempts: 3, delay: 10ms, on: [unmeasured]}
  with: {shell: exit 1}
- id: unknown
  probe: command
  retry: {attempts: 3, delay: 10ms, on: [unmeasured]}
  with: {protocol: nagios, shell: echo UNKNOWN; exit 3}
- id: stubborn
  probe: command
  retry: {attempts: 3, delay: 10ms, on: [failed]}
  with: {protocol: nagios, shell: echo UNKNOWN; exit 3}
",
        )
        .run();
    assert_eq!(tries(&ran, "failing"), ["failed"]);
    assert_eq!(tries(&ran, "unknown"), ["unmeasured"; 3]);
    assert_eq!(tries(&ran, "stubborn"), ["unmeasured"]);
}

#[test]
fn a_file_that_appears_later_is_seen_by_a_retry() {
    let ran = readygate()
        .gates(
            r"
- {id: file, probe: files, retry: {attempts: 100, delay: 200ms}, with: {paths: [late.txt]}}
- {id: writer, probe: command, with: {shell: sleep 0.5; echo done > late.txt}}
",
        )
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(ran.gate("file")["flaky"], true);
}

/// Five measurements, at a pace that a busy machine keeps.
fn sustained(limits: &str, with: &str) -> Ran {
    readygate()
        .gates(&format!(
            "- {{id: steady, probe: command, sustain: {{for: 2s, every: 500ms{limits}}}, with: {with}}}"
        ))
        .run()
}

#[test]
fn sustained_means_every_time() {
    let ran = sustained("", "{argv: ['true']}");
    assert_eq!(tries(&ran, "steady"), ["passed"; 5]);
    assert_eq!(ran.gate("steady")["flaky"], false);

    let ran = sustained("", &fails(1));
    assert_eq!(tries(&ran, "steady"), ["failed"]);
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    steady failed: measurement 1 failed, 1 in all where 0 are tolerated: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1
    "#);
}

#[test]
fn failure_limit_tolerates_so_many_and_not_one_more() {
    let ran = sustained(", failure_limit: 2", &fails(2));
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(ran.gate("steady")["flaky"], true);
    let says = "passed, though 2 of 5 measurements did not";
    assert!(ran.stdout.contains(says), "{}", ran.stdout);

    let ran = sustained(", failure_limit: 1", &fails(2));
    assert_eq!(tries(&ran, "steady"), ["failed"; 2]);
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    steady failed: measurement 2 failed, 2 in all where 1 are tolerated: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1
    "#);
}

#[test]
fn errors_in_a_row_end_a_series_unmeasured() {
    let unknown = "{protocol: nagios, shell: 'echo UNKNOWN; exit 3'}";
    let ran = sustained(", consecutive_error_limit: 1", unknown);
    assert_eq!(tries(&ran, "steady"), ["unmeasured"; 2]);
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    steady unmeasured: 2 measurements in a row could not tell: /bin/sh: the plugin could not tell: UNKNOWN
    "#);
}

#[test]
fn a_series_in_which_nothing_passed_has_not_passed() {
    let unknown = "{protocol: nagios, shell: 'echo UNKNOWN; exit 3'}";
    let ran = sustained(", consecutive_error_limit: 100", unknown);
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    steady unmeasured: none of 5 measurements passed
    "#);
}

#[test]
fn a_series_that_ends_in_the_dark_has_not_passed() {
    let once = "if [ -e seen ]; then echo UNKNOWN; exit 3; fi; touch seen; echo OK";
    let ran = sustained("", &format!("{{protocol: nagios, shell: '{once}'}}"));
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    steady unmeasured: the last 4 of 5 measurements could not tell: /bin/sh: the plugin could not tell: UNKNOWN
    "#);
}

#[test]
fn one_measurement_is_judged_as_no_series() {
    let gate = "id: g, probe: command, with: {argv: ['true']}";
    let project = readygate()
        .config(&format!("version: 1\ntarget: {{name: staging}}\ngates:\n- {{{gate}}}\n"))
        .file(
            "steady.yaml",
            format!(
                "version: 1\ntarget: {{name: production}}\ngates:\n- {{{gate}, sustain: {{for: 10m, every: 10s}}}}\n"
            ),
        );
    assert_eq!(project.run().code, 0);
    let judged = project.call("judge run.json -c steady.yaml --report json=run.json");
    assert_snapshot!(judged.summary(), @r#"
    INCONCLUSIVE, exit 3
    g unmeasured: the record holds no series of measurements over 10 min; run the gate again
    "#);
    assert_eq!(judged.record()["target"]["name"], "staging");
}

#[test]
fn slow_measurements_do_not_make_a_series_longer() {
    let ran = readygate()
        .gates(
            "- {id: slow, probe: command, sustain: {for: 1s, every: 50ms}, with: {argv: [sleep, '0.4']}}",
        )
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let tries = tries(&ran, "slow");
    assert!((2..=3).contains(&tries.len()), "{tries:?}");
}

#[test]
fn a_failed_series_does_not_pass_when_judged_by_a_looser_threshold() {
    let gate = |bound: &str| {
        format!(
            "version: 1
gates:
- id: steady
  probe: command
  sustain: {{for: 1h, every: 30m}}
  with: {{argv: ['true']}}
  expect: {{stdout.bytes: '{bound}'}}
"
        )
    };
    let project = readygate()
        .config(&gate(">= 1B"))
        .file("looser.yaml", gate(">= 0B"));
    assert_eq!(project.run().code, 1);
    let judged = project.call("judge run.json -c looser.yaml");
    assert_eq!(judged.code, 3, "{}", judged.stdout);
}
