//! Reports: pure functions of the record, written whatever happens, and never deciding anything.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Project, readygate};

/// One gate of each outcome.
const MIXED: &str = r#"
- {id: passes, title: It works, section: 1. Basics, probe: command, with: {argv: ["true"]}, expect: {exit_code: "== 0"}}
- {id: fails, title: "It <breaks> & \"burns\"", owner: SRE, probe: command, with: {shell: "echo why; exit 1"}}
- {id: hangs, timeout: 400ms, probe: command, with: {argv: [sleep, "600"]}}
- {id: behind, needs: [fails], probe: command, with: {argv: ["true"]}}
- {id: warns, severity: minor, probe: command, with: {argv: ["false"]}}
- {id: nightly, stages: [nightly], probe: command, with: {argv: ["true"]}}
"#;
const IDS: [&str; 6] = ["passes", "fails", "hangs", "behind", "warns", "nightly"];

fn mixed() -> Project {
    readygate().gates(MIXED).args(
        "run --stage pre-merge --report json=run.json --report junit=run.xml --report console=run.txt"
            .split(' '),
    )
}

#[test]
fn a_rendered_report_is_the_report_of_the_run() {
    let project = mixed();
    let live = project.run();
    assert_eq!(live.code, 1);
    for (format, report) in [
        ("json", "run.json"),
        ("junit", "run.xml"),
        ("console", "run.txt"),
    ] {
        let ran = project.call(&format!("render {format} run.json"));
        assert_eq!(ran.code, 0);
        assert_eq!(
            ran.raw.stdout,
            project.read(report).into_bytes(),
            "{format}"
        );
        let ran = project.call(&format!("render {format} run.json -o again"));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
        assert_eq!(project.read("again"), project.read(report), "{format}");
    }
    let console = String::from_utf8(live.raw.stdout).unwrap();
    assert_eq!(console, project.read("run.txt"));
    for style in ["--ascii", "--color=always", "-v"] {
        let live = project.call(&format!(
            "run -q --stage pre-merge {style} --report json=again.json"
        ));
        let rendered = project.call(&format!("render console again.json {style}"));
        assert_eq!(live.raw.stdout, rendered.raw.stdout, "{style}");
    }
}

#[test]
fn the_page_of_a_mixed_run() {
    assert_snapshot!(mixed().run().stdout, @r#"
    readygate 0.1.0 · unnamed
    stage pre-merge · 5 gates selected of 6

    Other gates
    ✗ fails   It <breaks> & "burns"  failed · major · SRE · [TIME]
        ✗ /bin/sh: it ended with exit code 1 [command/exit-code]
          expected  exit code 0
          actual    exit code 1
          where     readygate.yaml:4:8
          fix       run the command by hand in the same folder, and read what it says on standard error
          | why
    ? hangs   hangs                  could not tell · major · [TIME]
        ? could not tell: sleep: still running after [TIME]; its process group was killed (while
          running) [timeout]
          where     readygate.yaml:5:8
          fix       raise `timeout` of the gate if the target is known to be slow
    – behind  behind                 skipped · major
        – not measured: needs `fails`, which failed
          where     readygate.yaml:6:8
    ! warns   warns                  failed · minor · [TIME]
        ! false: it ended with exit code 1 [command/exit-code]
          expected  exit code 0
          actual    exit code 1
          where     readygate.yaml:7:8
          fix       run the command by hand in the same folder, and read what it says on standard error

    1. Basics
    ✓ passes  It works               0 exit_code · [TIME]

    – 1 gate not selected

    NO-GO  1 failed · 1 failed without blocking · 1 could not tell · 1 passed · 2 skipped · 1 warning
           [TIME] · exit code 1
      fails (major) failed: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit code
        1
      hangs (major) could not be measured: sleep: still running after [TIME]; its process group was
        killed (while running)
      behind (major) could not be measured: needs `fails`, which failed
    "#);
}

#[test]
fn every_declared_gate_is_in_every_report() {
    let project = mixed();
    let ran = project.run();
    let record = ran.record();
    let gates: Vec<_> = record["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["id"].as_str().unwrap())
        .collect();
    assert_eq!(gates, IDS);
    let junit = project.read("run.xml");
    for id in IDS {
        assert!(junit.contains(&format!("name=\"{id}\"")), "{id}: {junit}");
    }
}

#[test]
fn junit_is_red_exactly_when_the_code_is_not_0() {
    for (gate, red) in [
        ("argv: ['true']}", false),
        ("argv: ['false']}", true),
        ("argv: [no-such-program]}", true),
        ("argv: ['false']}, severity: minor", false),
    ] {
        let ran = readygate()
            .gates(&format!(
                "- {{id: good, probe: command, with: {{argv: ['true']}}}}\n- {{id: g, probe: command, with: {{{gate}}}"
            ))
            .args(["run", "--report", "junit=-"])
            .run();
        let is_red = ran.stdout.contains("<failure") || ran.stdout.contains("<error");
        assert_eq!(
            (ran.code != 0, is_red),
            (red, red),
            "{gate}: {}",
            ran.stdout
        );
    }
}

#[test]
fn stdout_is_only_the_result() {
    let project = readygate().gates(MIXED);
    let ran = project.call("run --report json=- --report junit=run.xml");
    let record: Value = serde_json::from_slice(&ran.raw.stdout).unwrap();
    assert_eq!(record["exit_code"], ran.code);
    assert!(ran.stderr.contains("start      passes"), "{}", ran.stderr);
    let ran = project.call("run -q --log info --report junit=-");
    assert!(ran.stdout.starts_with("<?xml"), "{}", ran.stdout);
    quick_xml::Reader::from_str(&ran.stdout)
        .read_event()
        .unwrap();
    let ran = project.call("run -q");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_report_that_cannot_be_written_fails_the_run_and_the_others_are_written() {
    let project = readygate().gates("- {id: good, probe: command, with: {argv: ['true']}}");
    for target in ["/dev/full", "/proc/run.xml", "/sys/run.xml"] {
        let ran = project.call(&format!(
            "run -q --report junit={target} --report json=run.json --report console=run.txt"
        ));
        assert_eq!(ran.code, 1, "{target}");
        assert!(
            ran.stderr.contains("the junit report could not be written"),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.record()["verdict"], "GO");
        assert!(project.read("run.txt").contains("GO"));
        assert!(ran.stdout.contains("GO"));
    }
    for (argv, code) in [("'true'", 1), ("'false'", 1), ("no-such-program", 3)] {
        let gate = format!("- {{id: g, probe: command, with: {{argv: [{argv}]}}}}");
        let ran = readygate()
            .gates(&gate)
            .call("run -q --report junit=/dev/full");
        assert_eq!(ran.code, code, "{argv}");
    }
    let ran = project.shell("$readygate run -q > /dev/full");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
    for command in [
        "plan",
        "schema",
        "man",
        "render json run.json",
        "explain files",
    ] {
        let ran = project.shell(&format!("$readygate {command} > /dev/full"));
        assert_eq!(ran.code, 1, "{command}");
    }
}

#[test]
fn a_reader_that_leaves_early_does_not_change_the_code() {
    for (argv, code) in [("'true'", 0), ("'false'", 1), ("no-such-program", 3)] {
        // Nothing is written before the reader has gone.
        let project = readygate().gates(&format!(
            "- {{id: waits, probe: command, with: {{shell: 'until [ -e gone ]; do sleep 0.05; done'}}}}
- {{id: g, needs: [waits], probe: command, with: {{argv: [{argv}]}}}}
"
        ));
        for streams in ["", "2>&1", "2>&1 >/dev/null"] {
            let ran = project.shell(&format!(
                "rm -f gone; $readygate run -v {streams} | {{ exec <&-; touch gone; }}; exit ${{PIPESTATUS[0]}}"
            ));
            assert_eq!(ran.code, code, "{argv} {streams}");
        }
        let ran = project.shell("$readygate run -v | head -c1 >/dev/null; exit ${PIPESTATUS[0]}");
        assert_eq!(ran.code, code, "{argv}");
    }
}

#[test]
fn a_report_has_somewhere_to_go_before_anything_runs() {
    let project = readygate()
        .gates("- {id: touch, probe: command, with: {shell: 'touch ran'}}")
        .file("folder/x", "");
    for (target, says) in [
        ("no/such/run.xml", "does not exist"),
        ("folder", "is a folder"),
        ("readygate.yaml/x", "does not exist"),
        ("folder/../ok.json", "two reports go to"),
        ("folder/../readygate.yaml", "would overwrite the config"),
        ("/dev/stdout", "write junit=- for stdout"),
    ] {
        let ran = project.call(&format!(
            "run --report json=ok.json --report junit={target}"
        ));
        assert_eq!(ran.code, 2, "{target}");
        assert!(ran.stderr.contains(says), "{target}: {}", ran.stderr);
    }
    assert!(!project.path("ran").exists() && !project.path("ok.json").exists());
}

#[test]
fn a_link_leads_to_the_report() {
    let project = readygate()
        .gates("- {id: good, probe: command, with: {argv: ['true']}}")
        .file("real.json", "stale");
    std::os::unix::fs::symlink("real.json", project.path("run.json")).unwrap();
    assert_eq!(project.run().code, 0);
    assert!(project.path("run.json").is_symlink());
    assert!(project.read("real.json").contains("\"verdict\": \"GO\""));
}

#[test]
fn an_earlier_report_is_replaced_and_nothing_else_is_left() {
    let project = readygate()
        .gates("- {id: good, probe: command, with: {argv: ['true']}}")
        .file("run.json", "x".repeat(100_000))
        .file("run.xml", "stale");
    let ran = project.call("run --report json=run.json --report junit=run.xml");
    assert_eq!(ran.code, 0);
    assert_eq!(ran.record()["verdict"], "GO");
    assert!(!project.read("run.xml").contains("stale"));
    let mut names: Vec<_> = std::fs::read_dir(project.path("."))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["readygate.yaml", "run.json", "run.xml"]);
}

#[test]
fn colour_is_asked_for_or_not_there() {
    let escaped = |project: &Project, args: &str| {
        let ran = project.call(args);
        String::from_utf8_lossy(&ran.raw.stdout).contains('\u{1b}')
    };
    let gates = "- {id: good, probe: command, with: {argv: ['true']}}";
    let plain = readygate().gates(gates);
    assert!(!escaped(&plain, "run -q"));
    assert!(escaped(&plain, "run -q --color always"));
    assert!(!escaped(&plain, "run -q --color never"));
    let no_color = readygate().gates(gates).env("NO_COLOR", "1");
    assert!(!escaped(&no_color, "run -q"));
    assert!(escaped(&no_color, "run -q --color always"));
    let forced = readygate().gates(gates).env("CLICOLOR_FORCE", "1");
    assert!(escaped(&forced, "run -q"));
    assert!(!escaped(&forced, "run -q --color never"));
    let report = plain.call("run -q --color always --report console=run.txt");
    assert_eq!(report.code, 0);
    assert!(!plain.read("run.txt").contains('\u{1b}'));
}

#[test]
fn ascii_is_ascii() {
    let ran = mixed().arg("--ascii").run();
    assert!(ran.stdout.is_ascii(), "{}", ran.stdout);
}

#[test]
fn judging_by_the_same_config_gives_the_same() {
    let project = mixed();
    let live = project.run();
    let judged = project.call("judge run.json --stage pre-merge --report json=run.json");
    assert_eq!(judged.code, 1);
    assert_eq!(judged.summary(), live.summary());
}

#[test]
fn judging_by_another_threshold_changes_the_verdict() {
    let config = |bound: &str| {
        format!(
            "version: 1\ngates:\n- {{id: size, probe: command, with: {{argv: [printf, 0123456789]}}, expect: {{stdout.bytes: '{bound}'}}}}\n"
        )
    };
    let project = readygate()
        .config(&config("<= 10B"))
        .file("stricter.yaml", config("< 10B"))
        .file(
            "more.yaml",
            config("<= 10B") + "- {id: new, probe: command, with: {argv: ['true']}}\n",
        );
    assert_eq!(project.run().code, 0);
    let judged = project.call("judge run.json -c stricter.yaml");
    assert_eq!(judged.code, 1);
    assert_snapshot!(judged.stdout, @r#"
    readygate 0.1.0 · unnamed
    1 gate selected of 1

    ✗ size  size  failed · major · [TIME]
        ✗ `stdout.bytes` is not as expected [expect/stdout.bytes]
          expected  < 10 B
          actual    10 B
          where     stricter.yaml:3:75

    NO-GO  1 failed · 0 passed · [TIME] · exit code 1
      size (major) failed: `stdout.bytes` is not as expected: expected < 10 B, actual 10 B
    "#);
    assert_eq!(project.call("judge run.json").code, 0);
    // A gate that the record does not know was not measured.
    let judged = project.call("judge run.json -c more.yaml");
    assert_eq!(judged.code, 3);
}

#[test]
fn judging_minds_what_a_gate_needs_wherever_it_is_declared() {
    let config = |bound: &str| {
        format!(
            "version: 1
gates:
- {{id: last, needs: [middle], probe: command, with: {{argv: ['true']}}}}
- {{id: middle, needs: [health], severity: minor, probe: command, with: {{argv: ['true']}}}}
- {{id: health, severity: minor, probe: command, with: {{argv: ['true']}}, expect: {{exit_code: '{bound}'}}}}
"
        )
    };
    let project = readygate()
        .config(&config("== 0"))
        .file("stricter.yaml", config("== 1"));
    assert_eq!(project.run().code, 0);
    let judged = project.call("judge run.json -c stricter.yaml --report json=run.json");
    assert_snapshot!(judged.summary(), @r#"
    INCONCLUSIVE, exit 3
    last skipped: needs `middle`, which was skipped
    middle skipped: needs `health`, which failed
    health failed: `exit_code` is not as expected: expected == 1, actual 0
    "#);
}
