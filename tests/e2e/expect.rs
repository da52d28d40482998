//! Expectations, as a user meets them.

use insta::assert_snapshot;

use crate::support::{Project, readygate};

fn printing(bytes: usize, expect: &str) -> Project {
    let text = "x".repeat(bytes);
    readygate().gates(&format!(
        "- {{id: g, probe: command, with: {{argv: [printf, {text}]}}, expect: {expect}}}"
    ))
}

#[test]
fn a_broken_expectation_points_at_its_line() {
    let ran = readygate()
        .gates(
            r#"
- id: size
  title: The page stays small
  probe: command
  with: {argv: [printf, 0123456789]}
  expect:
    exit_code: "== 0"
    stdout.bytes: "< 8B"
"#,
        )
        .run();
    assert_eq!(ran.code, 1);
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    1 gate selected of 1

    ✗ size  The page stays small  failed · major · [TIME]
        ✗ `stdout.bytes` is not as expected [expect/stdout.bytes]
          expected  < 8 B
          actual    10 B
          where     readygate.yaml:9:5

    NO-GO  1 failed · 0 passed · [TIME] · exit code 1
      size (major) failed: `stdout.bytes` is not as expected: expected < 8 B, actual 10 B
    "#);
}

#[test]
fn bounds_hold_exactly() {
    for (expect, code) in [
        ("{stdout.bytes: '< 10B'}", 1),
        ("{stdout.bytes: '<= 10B'}", 0),
        ("{stdout.bytes: '> 10B'}", 1),
        ("{stdout.bytes: '>= 10B'}", 0),
        ("{stdout.bytes: '== 10B'}", 0),
        ("{stdout.bytes: '!= 10B'}", 1),
        ("{stdout.bytes: 'between 10B and 20B'}", 0),
        ("{stdout.bytes: 'between 11B and 20B'}", 1),
        ("{stdout.bytes: 'between 1B and 20B and != 10B'}", 1),
        ("{stdout.bytes: ['> 1B', '< 10B']}", 1),
        ("{stdout.bytes: '< 0.0098KiB'}", 0),
        ("{exit_code: '== 0', stdout.bytes: '> 1GiB'}", 1),
    ] {
        let expect = expect.replace("0.0098KiB", "0.00977KiB");
        let ran = printing(10, &expect).run();
        assert_eq!(ran.code, code, "{expect}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn what_cannot_hold_is_refused_with_the_way_to_write_it() {
    for (expect, says) in [
        ("{stdout.bytes: '< 50ms'}", "measured in bytes, not seconds"),
        ("{duration: '< 50'}", "takes a duration"),
        ("{duration: '50ms'}", "write `== 50ms`"),
        ("{duration: '< NaNs'}", "duration"),
        ("{duration: '< 1,5s'}", "duration"),
        ("{exit_code: '< inf'}", "plain number"),
        ("{exit_code: '== 50%'}", "plain numbers"),
        ("{exit_code: between 3 and 1}", "lower end first"),
        ("{exit_code: ''}", "empty expectation"),
        ("{exit_code: []}", "no expectation"),
        ("{exit_code: {max: 3}}", "no expectation"),
        ("{exit_code: ['>= 0', {max: 3}]}", "found a mapping"),
        ("{exit_code: ['>= 0', ['< 3']]}", "found a list"),
        ("{exit_cod: '== 0'}", "did you mean `exit_code`"),
        ("{duration: <= baseline + 10%}", "absolute one beside it"),
        ("[exit_code]", "must be a mapping"),
        ("exit_code == 0", "must be a mapping"),
    ] {
        let ran = printing(1, expect).run();
        assert_eq!(ran.code, 2, "{expect}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{expect}: {}", ran.stderr);
    }
}

#[test]
fn what_was_not_measured_is_not_as_expected() {
    let ran = readygate()
        .gates(
            r#"
- {id: absent, probe: command, with: {argv: [echo, '{"a": 1}'], metrics: {a: /b}}, expect: {json.a: "< 5"}}
- {id: other, probe: command, with: {argv: [echo, '{"a": 1}'], metrics: {a: /a}}, expect: {json.b: "< 5"}}
- {id: text, probe: command, with: {argv: [echo, '{"a": "1"}'], metrics: {a: /a}}, expect: {json.a: "< 5"}}
- {id: signal, probe: command, with: {shell: kill -9 $$$$}, expect: {exit_code: "!= 1"}}
"#,
        )
        .run();
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    absent unmeasured: `json.a` was not measured: nothing is at its pointer
    other unmeasured: `json.b` was not measured; did you mean `json.a`?
    text unmeasured: `json.a` is text and does not compare with `< 5`
    signal failed: /bin/sh: it ended with a signal: killed by SIGKILL: expected exit code 0, actual killed by SIGKILL
    "#);
}

#[test]
fn a_drawn_value_is_compared_as_number_or_text() {
    let json = r#"{"n": 4.10, "v": "4.10"}"#;
    for (expect, code) in [
        ("{json.n: '== 4.1'}", 0),
        ("{json.n: '> 4.09 and < 4.11'}", 0),
        ("{json.v: '== 4.10'}", 3),
        ("{json.n: '== 4.2'}", 1),
    ] {
        let ran = readygate()
            .gates(&format!(
                "- {{id: g, probe: command, with: {{argv: [echo, '{json}'], metrics: {{n: /n, v: /v}}}}, expect: {expect}}}"
            ))
            .run();
        assert_eq!(ran.code, code, "{expect}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_baseline_needs_its_record_and_its_ceiling_holds() {
    let project = printing(100, "{stdout.bytes: '<= baseline + 10% and < 115B'}");
    let ran = project.run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    g unmeasured: no baseline was given for this gate; pass a record of an earlier GO: --baseline run.json
    "#);

    let with = |bytes: usize| {
        printing(bytes, "{stdout.bytes: '<= baseline + 10% and < 115B'}")
            .file("before.json", project.read("run.json"))
            .arg("--baseline=before.json")
            .run()
    };
    assert_eq!(with(110).code, 0);
    let ran = with(111);
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    g failed: `stdout.bytes` is not as expected: expected <= baseline + 10 % (baseline 100 B, so <= 110 B), actual 111 B
    "#);
    let ran = with(116);
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    g failed: `stdout.bytes` is not as expected: expected <= baseline + 10 % (baseline 100 B, so <= 110 B), actual 116 B (and 1 more)
    "#);
}

#[test]
fn rules_are_graded_by_the_gate() {
    let gate = |rules: &str| {
        readygate().gates(&format!(
            "- {{id: g, probe: command, with: {{shell: exit 3}}, expect: {{exit_code: '< 5'}}{rules}}}"
        ))
    };
    assert_eq!(gate("").run().code, 1);
    let ran = gate(", rules: {command/exit-code: warning}").run();
    assert_eq!(ran.code, 0);
    assert_eq!(ran.record()["counts"]["warnings"], 1);
    let ran = gate(", rules: {command/exit-cod: warning}").run();
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("did you mean `command/exit-code`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_gate_whose_only_rule_is_graded_down_has_checked_nothing() {
    let ran = readygate()
        .gates("- {id: g, probe: command, with: {shell: exit 3}, rules: {command/exit-code: info}}")
        .run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    g unmeasured: nothing was checked: add an `expect`
    "#);
}
