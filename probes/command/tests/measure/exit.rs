//! Exit codes, output and JSON, and programs that misbehave.

use std::{fs, time::Duration};

use crate::common::{config, cx, fails, run, run_in, script};
use readygate_command::{Command, CommandConfig};
use readygate_sdk::{
    CheckOutcome::{Failed, Passed, Unmeasured},
    Checks, ErrorKind, Probe as _,
    process::Ended,
    testkit,
};
use serde_json::json;

#[tokio::test]
async fn exit_codes_are_judged() {
    let seen = run(json!({"argv": ["true"]})).await;
    assert_eq!(seen.outcomes("command/exit-code"), [Passed]);
    assert_eq!(seen.shown("exit_code"), "0");
    let seen = run(json!({"shell": "echo no >&2; exit 3"})).await;
    assert_eq!(seen.outcomes("command/exit-code"), [Failed]);
    assert_eq!(seen.checks[0].details, ["no"]);
    let seen = run(json!({"shell": "exit 3", "exit_code": [0, 3]})).await;
    assert_eq!(seen.outcomes("command/exit-code"), [Passed]);
    let seen = run(json!({"shell": "no-such-program", "exit_code": 0})).await;
    assert!(
        seen.checks[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("shell's own")
    );
}

#[tokio::test]
async fn a_signal_is_a_failure_whatever_is_expected() {
    let seen = run(json!({"shell": "kill -9 $$", "exit_code": [0, 9, 137]})).await;
    assert_eq!(seen.measured.ended, Ended::Signal(9));
    assert_eq!(seen.outcomes("command/exit-code"), [Failed]);
    assert!(
        seen.checks[0].message.contains("SIGKILL"),
        "{}",
        seen.checks[0].message
    );
    assert!(seen.shown("exit_code").contains("SIGKILL"));
}

#[tokio::test]
async fn no_shell_sees_the_arguments() {
    let seen = run(json!({"argv": ["printf", "%s\n", "$HOME *", "a b"]})).await;
    assert_eq!(seen.measured.stdout.text, "$HOME *\na b\n");
}

#[tokio::test]
async fn streams_are_judged() {
    let seen = run(json!({
        "shell": "echo one; echo 'two 2'; echo warn >&2",
        "stdout": {"contains": ["one", "three"], "not_contains": ["two", "four"], "matches": ["^two \\d$", "^2$"], "empty": false},
        "stderr": {"empty": true},
    }))
    .await;
    let stdout = seen.outcomes("command/stdout");
    assert_eq!(
        stdout,
        [Passed, Passed, Failed, Failed, Passed, Passed, Failed]
    );
    assert_eq!(seen.outcomes("command/stderr"), [Failed]);
    let two = seen
        .checks
        .iter()
        .find(|c| c.message.starts_with("`two` is in"))
        .unwrap();
    assert!(two.message.ends_with("line 2") && two.actual.as_deref() == Some("two 2"));
    assert_eq!(
        (seen.shown("stdout.bytes"), seen.shown("stderr.bytes")),
        ("10 B".into(), "5 B".into())
    );
}

#[tokio::test]
async fn json_is_judged_and_drawn_out() {
    let seen = run(json!({
        "shell": "printf '\\357\\273\\277'; echo '{\"ready\": 3, \"name\": \"shop\", \"list\": [1, 2], \"ok\": true, \"a/b\": 0.1}'",
        "json": {"/ready": ">= 3", "/name": "shop", "/list/1": 2, "/ok": true, "/gone": "missing", "/list": "exists", "/a~1b": 0.1,
                 "/nothing": "!= null", "/ok~": 1},
        "metrics": {"ready": "/ready", "name": "/name", "list": "/list", "gone": "/gone", "ratio": "/a~1b"},
    }))
    .await;
    let failed: Vec<&str> = seen
        .checks
        .iter()
        .filter(|c| c.outcome == Failed)
        .map(|c| c.subject.as_str())
        .collect();
    assert_eq!(failed, ["/nothing", "/ok~"]);
    assert_eq!(
        (seen.shown("json.ready"), seen.shown("json.name")),
        ("3".into(), "shop".into())
    );
    assert_eq!(seen.shown("json.ratio"), "0.1");
    assert!(seen.shown("json.gone").contains("nothing is at"));
    assert!(seen.shown("json.list").contains("a list"));
    for script in [
        "echo hello",
        "true",
        "printf '{\"a\": 1} x'",
        "printf '\"\\377\"'",
    ] {
        let seen = run(json!({"shell": script, "json": {"/a": 1}})).await;
        assert_eq!(seen.outcomes("command/not-json"), [Failed], "{script}");
        assert_eq!(seen.outcomes("command/json-value"), [], "{script}");
    }
}

#[tokio::test]
async fn what_was_left_out_is_not_judged() {
    let seen = run(json!({
        "shell": "echo '{'; head -c 5000 /dev/zero | tr '\\0' x; echo found; echo }",
        "output_limit": "1KiB",
        "stdout": {"contains": ["found", "lost"], "not_contains": ["found", "lost"], "matches": ["found"]},
        "json": {"/a": "missing"},
    }))
    .await;
    assert!(seen.measured.stdout.truncated);
    let stdout = seen.outcomes("command/stdout");
    assert_eq!(stdout, [Passed, Unmeasured, Failed, Unmeasured, Unmeasured]);
    assert_eq!(seen.outcomes("command/not-json"), [Unmeasured]);
    assert_eq!(seen.outcomes("command/json-value"), []);
}

#[tokio::test]
async fn no_text_is_found_across_the_gap() {
    // The kept halves meet at "ab", which was never printed side by side.
    let program =
        "head -c 511 /dev/zero; printf a; head -c 9000 /dev/zero; printf b; head -c 511 /dev/zero";
    let seen = run(json!({"shell": program, "output_limit": "1KiB", "stdout": {"contains": "ab", "not_contains": "ab"}})).await;
    assert_eq!(seen.outcomes("command/stdout"), [Unmeasured, Unmeasured]);
}

#[tokio::test]
async fn floods_are_read_in_bounded_memory() {
    let before = peak_kib();
    let seen = run(
        json!({"shell": "head -c 200000000 /dev/zero; head -c 50000000 /dev/zero >&2; echo end"}),
    )
    .await;
    assert_eq!(
        (seen.measured.stdout.bytes, seen.measured.stderr.bytes),
        (200_000_004, 50_000_000)
    );
    assert!(seen.measured.stdout.text.ends_with("end\n"));
    assert!(seen.measured.stdout.text.chars().count() < 70_000);
    let grown = peak_kib() - before;
    assert!(grown < 50_000, "{grown} KiB more");
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_and_quoted() {
    let cx = cx(Duration::from_secs(2)).build();
    let error = fails(
        json!({"shell": "echo waiting for the lock; sleep 600"}),
        &cx,
    )
    .await;
    assert_eq!(
        (error.kind, error.subject.as_str()),
        (ErrorKind::Timeout, "/bin/sh")
    );
    assert!(
        error.message.contains("waiting for the lock"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn an_interrupt_ends_the_run() {
    let cx = cx(Duration::from_secs(60)).build();
    let token = cx.cancellation().clone();
    let with = json!({"argv": ["sleep", "600"]});
    let (error, ()) = tokio::join!(fails(with, &cx), async move { token.cancel() });
    assert_eq!(error.kind, ErrorKind::Cancelled);
}

#[tokio::test]
async fn what_cannot_be_started_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), "#!/bin/sh\n").unwrap();
    let cx = cx(Duration::from_secs(10)).directory(folder.path()).build();
    for (argv, directory, hint) in [
        (json!(["no-such-program"]), ".", "install it"),
        (json!(["./plain"]), ".", "chmod +x"),
        (json!(["npm test"]), ".", "item of its own"),
        (json!(["true"]), "nowhere", "does not exist"),
    ] {
        let error = fails(json!({"argv": argv, "directory": directory}), &cx).await;
        assert_eq!(error.kind, ErrorKind::Connect);
        assert_eq!(error.subject, argv[0].as_str().unwrap());
        let said = error.hint.unwrap_or_default();
        assert!(said.contains(hint), "{argv}: {said}");
    }
}

#[tokio::test]
async fn a_relative_program_is_looked_for_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    script(&folder.path().join("sub"), "here", "#!/bin/sh\npwd\n");
    let cx = cx(Duration::from_secs(10)).directory(folder.path()).build();
    let seen = run_in(json!({"argv": ["./here"], "directory": "sub"}), &cx).await;
    assert!(seen.measured.stdout.text.trim().ends_with("/sub"));
    assert_eq!(seen.measured.program, "./here");
}

#[tokio::test]
async fn a_grandchild_that_keeps_the_pipe_open_does_not_hold_the_gate() {
    let seen = run(json!({"shell": "sleep 600 & echo done"})).await;
    assert_eq!(seen.measured.stdout.text, "done\n");
    assert!(seen.measured.duration_us < 30_000_000);
}

#[tokio::test]
async fn input_is_fed_and_may_be_ignored() {
    let seen = run(json!({"argv": ["cat"], "stdin": "hello"})).await;
    assert_eq!(seen.measured.stdout.text, "hello");
    let seen = run(json!({"argv": ["true"], "stdin": "x".repeat(10_000_000)})).await;
    assert_eq!(seen.outcomes("command/exit-code"), [Passed]);
    let seen = run(json!({"argv": ["cat"]})).await;
    assert_eq!(seen.measured.stdout.bytes, 0);
}

#[tokio::test]
async fn odd_bytes_are_kept_as_text() {
    let seen = run(json!({
        "shell": "printf '\\377\\033[31mred\\n::error::no\\0'",
        "stdout": {"contains": "::error::"},
    }))
    .await;
    // The record keeps what came; whoever shows it makes it harmless.
    assert_eq!(
        seen.measured.stdout.text,
        "\u{fffd}\u{1b}[31mred\n::error::no\0"
    );
    assert_eq!(seen.outcomes("command/stdout"), [Passed]);
}

#[tokio::test]
async fn secrets_stay_out_of_the_record() {
    let canary = testkit::CANARY;
    let folder = tempfile::tempdir().unwrap();
    let echo = script(
        folder.path(),
        "echo",
        "#!/bin/sh\nprintf '%s\\n' \"$TOKEN\"; printf '%s\\n' \"$TOKEN\" >&2; exit 1\n",
    );
    let with = json!({"argv": [echo, canary], "stdin": canary, "env": {"PLAIN": canary},
        "secret_env": {"TOKEN": canary}, "stdout": {"contains": "canary"}});
    let seen = run(with.clone()).await;
    assert_eq!(seen.outcomes("command/stdout"), [Passed], "judged unmasked");
    assert_eq!(seen.measured.secret_variables, ["TOKEN"]);
    let record = serde_json::to_string(&seen.measured).unwrap()
        + &serde_json::to_string(&seen.checks).unwrap();
    assert!(record.contains("***"), "{record}");
    let pieces = [canary, "5ecr3t", "Y2FuYXJ5"];
    assert!(
        !pieces.iter().any(|piece| record.contains(piece)),
        "{record}"
    );

    let hang = json!({"shell": "printf '%s%0400d' \"$TOKEN\" 1; sleep 600", "secret_env": {"TOKEN": canary}});
    let error = fails(hang, &cx(Duration::from_millis(300)).build()).await;
    assert!(!error.to_string().contains("canary"), "{error}");

    let drawn = json!({"shell": "printf '{\"a\": \"x canary-secret\"}'", "secret_env": {"TOKEN": "canary-secret"},
        "json": {"/a": "exists"}, "metrics": {"a": "/a"}});
    let seen = run(drawn).await;
    assert_eq!(seen.shown("json.a"), "x ***");
    assert_eq!(
        Command::footprint(&config(with)).credentials,
        ["variable TOKEN"]
    );
}

#[tokio::test]
async fn a_secret_at_the_gap_is_not_half_shown() {
    let secret = "canary-0123456789-0123456789";
    for offset in 0..40 {
        let program = format!(
            "head -c {} /dev/zero | tr '\\0' .; printf %s \"$TOKEN\"; head -c 4000 /dev/zero | tr '\\0' .",
            480 + offset
        );
        let seen =
            run(json!({"shell": program, "secret_env": {"TOKEN": secret}, "output_limit": "1KiB"}))
                .await;
        let text = &seen.measured.stdout.text;
        assert!(!text.contains("cana"), "{text}");
    }
}

#[tokio::test]
async fn an_old_record_is_not_judged_by_new_questions() {
    let old = run(json!({"argv": ["true"]})).await.measured;
    for (with, rule) in [
        (
            json!({"argv": ["true"], "stdout": {"not_contains": "x"}}),
            "command/stdout",
        ),
        (
            json!({"argv": ["true"], "json": {"/a": "missing"}}),
            "command/not-json",
        ),
        (
            json!({"argv": ["true"], "protocol": "nagios"}),
            "command/unknown",
        ),
        (
            json!({"argv": ["true"], "protocol": "json"}),
            "command/external",
        ),
    ] {
        let mut checks = Checks::new();
        Command::judge(&config(with), &old, &mut checks);
        let check = checks.as_slice().iter().find(|c| c.rule == rule).unwrap();
        assert_eq!(check.outcome, Unmeasured, "{rule}");
    }
}

#[test]
fn misspelled_configs_are_refused() {
    for with in [
        json!({"argv": ["x"], "exitcode": 0}),
        json!({"argv": "x y"}),
        json!({"argv": ["x"], "exit_code": 256}),
        json!({"argv": ["x"], "json": {"/a": ">= many"}}),
        json!({"argv": ["x"], "protocol": "icinga"}),
        json!({"argv": ["x"], "stdout": {"contain": "y"}}),
    ] {
        assert!(
            serde_json::from_value::<CommandConfig>(with.clone()).is_err(),
            "{with}"
        );
    }
}

#[tokio::test]
async fn line_ends_of_windows_are_line_ends() {
    let seen = run(
        json!({"shell": "printf 'one\\r\\ntwo\\r\\n'", "stdout": {"matches": ["^one$", "^two$"]}}),
    )
    .await;
    assert_eq!(seen.outcomes("command/stdout"), [Passed, Passed]);
}
