//! The contract with every CI.

use insta::assert_snapshot;
use readygate::{exit, record::Verdict, verdict::exit_code};

use crate::support::readygate;

#[test]
fn the_codes_are_those_of_the_readme() {
    let codes = [
        exit::GO,
        exit::NO_GO,
        exit::USAGE,
        exit::INCONCLUSIVE,
        exit::PENDING,
        exit::ROLLBACK,
        exit::INTERRUPTED,
        exit::TERMINATED,
    ];
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 130, 143]);
}

#[test]
fn every_verdict_has_its_code_and_a_signal_outranks_it() {
    let codes = [
        (Verdict::Go, 0),
        (Verdict::GoWithWaivers, 0),
        (Verdict::NoGo, 1),
        (Verdict::Inconclusive, 3),
        (Verdict::Pending, 4),
    ];
    for (verdict, code) in codes {
        assert_eq!(exit_code(verdict, None), code, "{verdict:?}");
        assert_eq!(exit_code(verdict, Some(2)), 130, "{verdict:?}");
        assert_eq!(exit_code(verdict, Some(15)), 143, "{verdict:?}");
    }
}

#[test]
fn go_is_0() {
    let ran = readygate()
        .gates("- {id: here, probe: files, with: {paths: [readygate.yaml]}}")
        .run();
    assert_snapshot!(ran.summary(), @r#"
    GO, exit 0
    here passed
    "#);
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    1 gate selected of 1

    ✓ here  here  [TIME]

    GO  1 passed · [TIME] · exit code 0
    "#);
    assert_snapshot!(ran.stderr, @r#"
    start      here
    passed     here ([TIME])
    "#);
}

#[test]
fn no_go_is_1() {
    let ran = readygate()
        .gates("- {id: missing, probe: files, with: {paths: [CHANGELOG.md]}}")
        .run();
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    missing failed: CHANGELOG.md: nothing is at this path: expected at least one regular file, actual nothing
    "#);
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    1 gate selected of 1

    ✗ missing  missing  failed · major · [TIME]
        ✗ CHANGELOG.md: nothing is at this path [files/missing]
          expected  at least one regular file
          actual    nothing
          where     readygate.yaml:3:8
          fix       create the file, or correct the path (it is relative to the folder of the config);
                    by hand: ls -l PATH

    NO-GO  1 failed · 0 passed · [TIME] · exit code 1
      missing (major) failed: CHANGELOG.md: nothing is at this path: expected at least one regular
        file, actual nothing
    "#);
}

#[test]
fn could_not_tell_is_3() {
    let ran = readygate()
        .gates("- {id: tool, probe: command, with: {argv: [no-such-program]}}")
        .run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    tool unmeasured: no-such-program: No such file or directory (os error 2) (while starting)
    "#);
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    1 gate selected of 1

    ? tool  tool  could not tell · major · [TIME]
        ? could not tell: no-such-program: No such file or directory (os error 2) (while starting)
          [connect]
          where     readygate.yaml:3:8
          fix       install it, or give its path; PATH is the gate's own

    INCONCLUSIVE  1 could not tell · 0 passed · [TIME] · exit code 3
      tool (major) could not be measured: no-such-program: No such file or directory (os error 2)
        (while starting)
      nothing was measured
    "#);
}

#[test]
fn a_failure_outweighs_could_not_tell() {
    let ran = readygate()
        .gates(
            r"
- {id: tool, probe: command, with: {argv: [no-such-program]}}
- {id: missing, probe: files, with: {paths: [CHANGELOG.md]}}
",
        )
        .run();
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    tool unmeasured: no-such-program: No such file or directory (os error 2) (while starting)
    missing failed: CHANGELOG.md: nothing is at this path: expected at least one regular file, actual nothing
    "#);
}

#[test]
fn what_does_not_block_does_not_change_the_code() {
    let ran = readygate()
        .gates(
            r"
- {id: here, probe: files, with: {paths: [readygate.yaml]}}
- {id: missing, severity: minor, probe: files, with: {paths: [CHANGELOG.md]}}
- {id: tool, severity: info, probe: command, with: {argv: [no-such-program]}}
",
        )
        .run();
    assert_snapshot!(ran.summary(), @r#"
    GO, exit 0
    here passed
    missing failed: CHANGELOG.md: nothing is at this path: expected at least one regular file, actual nothing
    tool unmeasured: no-such-program: No such file or directory (os error 2) (while starting)
    "#);
}

#[test]
fn usage_errors_are_2_and_run_nothing() {
    let project = readygate().gates("- {id: touch, probe: command, with: {shell: 'touch ran'}}");
    for (args, says) in [
        ("", "Usage"),
        ("rum", "similar"),
        ("run --ful", "unexpected argument"),
        ("run -c nowhere.yaml", "no such file"),
        ("run --only tuch", "did you mean `touch`"),
        ("run --var X", "NAME=VALUE"),
        ("run --report jsn=x", "did you mean `json`"),
        ("run --report json", "FORMAT=PATH"),
        ("run --report json=a --report junit=./a", "two reports"),
        (
            "run --report json=no/such/folder/run.json",
            "folder no/such/folder",
        ),
        ("run --baseline nowhere.json", "baseline is not usable"),
        ("run --deadline 5", "unit of time"),
        ("run --deadline 99999999999999999999s", "out of range"),
        ("run --log =x=", "--log"),
        ("judge nowhere.json", "nowhere.json"),
        ("render junit nowhere.json", "nowhere.json"),
        ("render xml run.json", "unknown report format"),
        ("explain tsl", "did you mean `tls`"),
        ("explain qqqqqqqq", "explain probes"),
        ("probe comand", "did you mean `command`"),
        ("probe files paths", "not `key=value`"),
        ("init nowhere", "not a folder"),
    ] {
        let ran = project.call(args);
        assert_eq!(ran.code, 2, "{args}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stdout, "", "{args}");
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
    assert!(!project.path("ran").exists());
}

#[test]
fn a_config_error_is_2_and_runs_nothing() {
    let project = readygate().gates(
        r"
- {id: touch, probe: command, with: {shell: 'touch ran'}}
- {id: typo, probe: filse, with: {paths: [x]}}
",
    );
    let ran = project.run();
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stdout, "");
    assert_snapshot!(ran.stderr, @r#"
    error: unknown probe `filse`
      ╭▸ readygate.yaml:4:21
      │
    4 │ - {id: typo, probe: filse, with: {paths: [x]}}
      │                     ━━━━━
      │
      ╰ help: did you mean `files`?

    1 error in the config; nothing was run
    "#);
    assert!(!project.path("ran").exists() && !project.path("run.json").exists());
}

#[test]
fn nothing_selected_is_2() {
    let project =
        readygate().gates("- {id: late, stages: [nightly], probe: files, with: {paths: [x]}}");
    let ran = project.call("run --stage pre-merge");
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: nothing is selected: none of the 1 declared gates matches; `readygate plan` shows what would run
    "#);
    for config in ["version: 1\n", "version: 1\ngates: []\n"] {
        let ran = readygate().config(config).run();
        assert_eq!(ran.code, 2, "{config}");
    }
}

#[test]
fn help_and_version_are_0_on_stdout() {
    for args in ["--help", "--version", "run --help", "-h"] {
        let ran = readygate().call(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args}");
        assert!(ran.stdout.contains("readygate"), "{args}");
    }
}
