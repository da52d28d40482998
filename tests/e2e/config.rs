//! The config: every mistake in one go, with its place and its remedy.

use insta::assert_snapshot;

use crate::support::readygate;

const GOOD: &str = "- {id: good, probe: files, with: {paths: [readygate.yaml]}}";

#[test]
#[expect(clippy::too_many_lines, reason = "a screenshot")]
fn every_mistake_is_shown_in_one_go() {
    let ran = readygate()
        .config(
            r#"version: 1
target: { name: production, ulr: https://shop.example.com }
concurency: 4
defaults: { timeout: 30 }
gates:
  - id: docs.runbook
    probe: filse
    with: { paths: [RUNBOOK.md] }
  - id: docs.changelog
    severity: blokcer
    probe: files
    with: { path: [CHANGELOG.md], min_size: 1 parsec }
    expect: { cuont: ">= 1" }
  - id: docs.changelog
    probe: files
    needs: [docs.runbok]
    with: { paths: ["${UNDEFINED_PATH}"] }
    expect: { count: "> 5ms", size.total: 5MB }
  - id: Deploy Health
    probe: command
    retry: { attempts: 0 }
    sustain: { for: 1m, every: 2m }
    with: { argv: [curl], shell: curl }
    rules: { command/exit-coed: info }
"#,
        )
        .run();
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stdout, "");
    assert_snapshot!(ran.stderr, @r#"
    error: unknown key `ulr`
      ╭▸ readygate.yaml:2:29
      │
    2 │ target: { name: production, ulr: https://shop.example.com }
      │                             ━━━
      │
      ╰ help: did you mean `url`?

    error: unknown key `concurency`
      ╭▸ readygate.yaml:3:1
      │
    3 │ concurency: 4
      │ ━━━━━━━━━━
      │
      ╰ help: did you mean `concurrency`?

    error: `30` lacks a unit of time; write 500ms, 30s, 5m, 1h30m or 14d
      ╭▸ readygate.yaml:4:22
      │
    4 │ defaults: { timeout: 30 }
      ╰╴                     ━━

    error: unknown probe `filse`
      ╭▸ readygate.yaml:7:12
      │
    7 │     probe: filse
      │            ━━━━━
      │
      ╰ help: did you mean `files`?

    error: unknown value `blokcer`
       ╭▸ readygate.yaml:10:15
       │
    10 │     severity: blokcer
       │               ━━━━━━━
       │
       ╰ help: did you mean `blocker`?

    error: unknown key `path`
       ╭▸ readygate.yaml:12:13
       │
    12 │     with: { path: [CHANGELOG.md], min_size: 1 parsec }
       │             ━━━━
       │
       ╰ help: did you mean `paths`?

    error: `parsec` is not a unit; known are ns us ms s m h d, B KB MB GB TB KiB MiB GiB TiB, %, /s /m /h, B/s MB/s MiB/s
       ╭▸ readygate.yaml:12:45
       │
    12 │     with: { path: [CHANGELOG.md], min_size: 1 parsec }
       ╰╴                                            ━━━━━━━━

    error: probe `files` has no metric `cuont`
       ╭▸ readygate.yaml:13:15
       │
    13 │     expect: { cuont: ">= 1" }
       │               ━━━━━
       │
       ╰ help: did you mean `count`?

    error: duplicate id `docs.changelog`
       ╭▸ readygate.yaml:14:9
       │
     9 │   - id: docs.changelog
       │         ────────────── first here
       ┆
    14 │   - id: docs.changelog
       │         ━━━━━━━━━━━━━━
       │
       ╰ help: every gate needs an id of its own

    error: no gate has the id `docs.runbok`
       ╭▸ readygate.yaml:16:13
       │
    16 │     needs: [docs.runbok]
       │             ━━━━━━━━━━━
       │
       ╰ help: did you mean `docs.runbook`?

    error: `${UNDEFINED_PATH}` is not defined
       ╭▸ readygate.yaml:17:21
       │
    17 │     with: { paths: ["${UNDEFINED_PATH}"] }
       │                     ━━━━━━━━━━━━━━━━━━━
       │
       ╰ help: set it in the environment, under `target.variables`, or write `${UNDEFINED_PATH:-default}`

    error: `count`: the unit does not fit: this metric is measured in plain numbers, not seconds
       ╭▸ readygate.yaml:18:22
       │
    18 │     expect: { count: "> 5ms", size.total: 5MB }
       │                      ━━━━━━━
       │
       ╰ help: this metric takes a plain number

    error: probe `files` has no metric `size.total`
       ╭▸ readygate.yaml:18:31
       │
    18 │     expect: { count: "> 5ms", size.total: 5MB }
       │                               ━━━━━━━━━━
       │
       ╰ help: did you mean `size.max`?

    error: `Deploy Health` is not an id
       ╭▸ readygate.yaml:19:9
       │
    19 │   - id: Deploy Health
       │         ━━━━━━━━━━━━━
       │
       ╰ help: use lower-case letters, digits, `.`, `-` and `_`, as in `infra.redis-cluster`

    error: `attempts` counts the first one: at least 1
       ╭▸ readygate.yaml:21:24
       │
    21 │     retry: { attempts: 0 }
       ╰╴                       ━

    error: `sustain` and `retry` contradict each other
       ╭▸ readygate.yaml:22:14
       │
    22 │     sustain: { for: 1m, every: 2m }
       │              ━━━━━━━━━━━━━━━━━━━━━━
       │
       ╰ help: `failure_limit` says how many failures `sustain` tolerates

    error: `every` must be more than 0 and at most `for`
       ╭▸ readygate.yaml:22:32
       │
    22 │     sustain: { for: 1m, every: 2m }
       ╰╴                               ━━

    error: `argv` and `shell` exclude each other
       ╭▸ readygate.yaml:23:34
       │
    23 │     with: { argv: [curl], shell: curl }
       │                                  ━━━━
       │
       ╰ help: keep `argv`; `shell` is for pipes and `&&`

    error: probe `command` has no rule `command/exit-coed`
       ╭▸ readygate.yaml:24:14
       │
    24 │     rules: { command/exit-coed: info }
       │              ━━━━━━━━━━━━━━━━━
       │
       ╰ help: did you mean `command/exit-code`?

    19 errors in the config; nothing was run
    "#);
}

#[test]
fn ascii_and_colour_of_mistakes() {
    let project = readygate().gates("- {id: typo, probe: filse}");
    assert!(project.call("run --ascii").stderr.is_ascii());
    let colored = project.call("run --color always").stderr;
    assert!(colored.contains("\u{1b}["), "{colored}");
    let plain = anstream::adapter::strip_str(&colored).to_string();
    assert_eq!(plain, project.call("run --color never").stderr);
}

#[test]
fn includes_and_several_files_are_put_together() {
    let gate = |id: &str| {
        format!("version: 1\ngates:\n- {{id: {id}, probe: command, with: {{argv: ['true']}}}}\n")
    };
    let project = readygate()
        .config(
            &format!("include: [more/*.yaml, more/b.yaml]\n{}", gate("a"))
                .replace("more/*.yaml, ", ""),
        )
        .file("more/b.yaml", format!("include: [c.yaml]\n{}", gate("b")))
        .file("more/c.yaml", gate("c"))
        .file("d.yaml", gate("d"));
    let ran = project.call("run -c readygate.yaml -c d.yaml --report json=run.json");
    assert_snapshot!(ran.summary(), @r#"
    GO, exit 0
    a passed
    b passed
    c passed
    d passed
    "#);
    let record = ran.record();
    let files = &record["config"]["files"];
    assert_eq!(
        files,
        &serde_json::json!(["readygate.yaml", "more/b.yaml", "more/c.yaml", "d.yaml"])
    );
}

#[test]
fn what_is_said_in_two_files_names_both_places() {
    let ran = readygate()
        .config(&format!(
            "version: 1\ninclude: [other.yaml]\ntarget: {{name: one}}\ngates:\n{GOOD}\n"
        ))
        .file(
            "other.yaml",
            format!("version: 1\ntarget: {{name: two}}\ngates:\n{GOOD}\n"),
        )
        .run();
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: `target` is given in two files
      ╭▸ other.yaml:2:1
      │
    2 │ target: {name: two}
      │ ━━━━━━
      │
      ⸬  readygate.yaml:3:1
      │
    3 │ target: {name: one}
      │ ────── first here
      │
      ╰ help: keep it in one of them

    error: duplicate id `good`
      ╭▸ other.yaml:4:8
      │
    4 │ - {id: good, probe: files, with: {paths: [readygate.yaml]}}
      │        ━━━━
      │
      ⸬  readygate.yaml:5:8
      │
    5 │ - {id: good, probe: files, with: {paths: [readygate.yaml]}}
      │        ──── first here
      │
      ╰ help: every gate needs an id of its own

    2 errors in the config; nothing was run
    "#);
}

#[test]
fn files_that_include_each_other_end_in_an_error() {
    let ran = readygate()
        .config("version: 1\ninclude: [a.yaml]\n")
        .file("a.yaml", "version: 1\ninclude: [b.yaml]\n")
        .file("b.yaml", "version: 1\ninclude: [a.yaml, missing.yaml]\n")
        .run();
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: a.yaml includes itself
      ╭▸ b.yaml:2:11
      │
    2 │ include: [a.yaml, missing.yaml]
      ╰╴          ━━━━━━

    error: missing.yaml: no such file
      ╭▸ b.yaml:2:19
      │
    2 │ include: [a.yaml, missing.yaml]
      │                   ━━━━━━━━━━━━
      │
      ╰ help: name it with -c, or write one: readygate init

    2 errors in the config; nothing was run
    "#);
}

#[test]
fn deleting_a_required_gate_is_an_error() {
    let ran = readygate()
        .config(&format!(
            "version: 1\nrequire: {{min_gates: 2, ids: [goood, audit]}}\ngates:\n{GOOD}\n"
        ))
        .run();
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: 1 gate is declared, 2 required
      ╭▸ readygate.yaml:2:22
      │
    2 │ require: {min_gates: 2, ids: [goood, audit]}
      │                      ━
      │
      ╰ help: a gate was removed; restore it, or lower the bound on purpose

    error: required gate `goood` is not declared
      ╭▸ readygate.yaml:2:31
      │
    2 │ require: {min_gates: 2, ids: [goood, audit]}
      │                               ━━━━━
      │
      ╰ help: did you mean `good`?

    error: required gate `audit` is not declared
      ╭▸ readygate.yaml:2:38
      │
    2 │ require: {min_gates: 2, ids: [goood, audit]}
      │                                      ━━━━━
      │
      ╰ help: known are `good`

    3 errors in the config; nothing was run
    "#);
}

#[test]
fn a_required_gate_must_be_measured_whatever_its_severity() {
    let gates = r#"
gates:
- {id: good, probe: command, with: {argv: ["true"]}}
- {id: audit, severity: info, probe: command, with: {argv: [no-such-program]}}
"#;
    let ran = readygate().config(&format!("version: 1{gates}")).run();
    assert_eq!(ran.code, 0);
    let ran = readygate()
        .config(&format!("version: 1\nrequire: {{ids: [audit]}}{gates}"))
        .run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    good passed
    audit unmeasured: no-such-program: No such file or directory (os error 2) (while starting)
    "#);
}

#[test]
fn needs_in_a_circle() {
    let ran = readygate()
        .gates(
            r"
- {id: a, needs: [b], probe: files, with: {paths: [x]}}
- {id: b, needs: [c], probe: files, with: {paths: [x]}}
- {id: c, needs: [a], probe: files, with: {paths: [x]}}
- {id: me, needs: [me], probe: files, with: {paths: [x]}}
- {id: outside, needs: [a], probe: files, with: {paths: [x]}}
",
        )
        .run();
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: gates need each other in a circle: a -> b -> c -> a
      ╭▸ readygate.yaml:5:19
      │
    5 │ - {id: c, needs: [a], probe: files, with: {paths: [x]}}
      │                   ━
      │
      ╰ help: remove one of these `needs`

    error: gates need each other in a circle: me -> me
      ╭▸ readygate.yaml:6:20
      │
    6 │ - {id: me, needs: [me], probe: files, with: {paths: [x]}}
      │                    ━━
      │
      ╰ help: remove one of these `needs`

    2 errors in the config; nothing was run
    "#);
}

#[test]
fn a_selection_that_matches_nothing_is_an_error() {
    let project = readygate().gates(
        r"
- {id: docs.changelog, tags: [docs], stages: [pre-merge, canary], probe: files, with: {paths: [x]}}
",
    );
    for (option, says) in [
        ("--stage pre-marge", "did you mean `pre-merge`?"),
        ("--stage canry", "did you mean `canary`?"),
        ("--tag dosc", "did you mean `docs`?"),
        ("--only docs.chagelog", "did you mean `docs.changelog`?"),
        ("--only docs.change*,nope*", "`nope*` matches no gate"),
        ("--skip docs.changelogs", "did you mean `docs.changelog`?"),
        ("--stage nightly", "nothing is selected"),
        ("--skip docs.*", "nothing is selected"),
        ("--only [", "matches no gate"),
    ] {
        for command in ["run", "plan"] {
            let ran = project.call(&format!("{command} {option}"));
            assert_eq!(ran.code, 2, "{option}");
            assert!(ran.stderr.contains(says), "{option}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_stage_of_a_gate_is_no_slip_of_a_known_one() {
    let gate = |stage: &str| {
        format!("- {{id: g, stages: [{stage}], probe: command, with: {{argv: ['true']}}}}")
    };
    for (stage, says) in [
        ("pre-depoly", "did you mean `pre-deploy`?"),
        ("predeploy", "did you mean `pre-deploy`?"),
        ("pre_merge", "did you mean `pre-merge`?"),
        ("nigthly", "did you mean `nightly`?"),
    ] {
        let ran = readygate().gates(&gate(stage)).run();
        assert_eq!(ran.code, 2, "{stage}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{stage}: {}", ran.stderr);
    }
    for stage in [
        "canary",
        "redeploy",
        "deploy-eu",
        "nightly2",
        "release",
        "post-deploy-smoke",
    ] {
        let ran = readygate().gates(&gate(stage)).run();
        assert_eq!(ran.code, 0, "{stage}: {}", ran.stderr);
    }
}

#[test]
fn values_of_variables_are_text_and_never_syntax() {
    let project = readygate()
        .gates("- {id: echo, probe: command, with: {argv: [printf, '%s', '${WHAT}', '${OR:-else}', $$HOME]}}")
        .env("WHAT", "\"]}, {id: x\n- y: ${OR} *a &b # no");
    let ran = project.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        ran.gate("echo")["measurement"]["stdout"]["text"],
        "\"]}, {id: x\n- y: ${OR} *a &b # noelse$HOME"
    );
    let ran = project.call("run --var WHAT=given --report json=run.json");
    assert_eq!(
        ran.gate("echo")["measurement"]["stdout"]["text"],
        "givenelse$HOME"
    );
}

#[test]
fn a_variable_of_the_value_null_leaves_no_key_out() {
    for value in ["null", "~", "NULL"] {
        for with in [
            "paths: [readygate.yaml], sha256: '${VALUE}'",
            "paths: [readygate.yaml], max_age: '${VALUE}'",
            "paths: [readygate.yaml], contains: ['${VALUE}:']",
        ] {
            let ran = readygate()
                .gates(&format!("- {{id: g, probe: files, with: {{{with}}}}}"))
                .env("VALUE", value)
                .run();
            assert!(ran.code != 0, "{value} in {with}: {}", ran.stdout);
        }
    }
}

#[test]
fn variables_of_the_target_do_not_hide_variables() {
    let ran = readygate()
        .config(
            "version: 1
target: {name: t, variables: {ROOT: /srv, DIST: '${ROOT}/dist'}}
gates:
- {id: g, probe: files, with: {paths: ['${DIST}/debug.map'], absent: true}}
",
        )
        .run();
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("readygate.yaml:2:"), "{}", ran.stderr);
    let ran = readygate()
        .config(
            "version: 1
target: {name: t, variables: {PRICE: '5 $$ {sic}'}}
gates:
- {id: echo, probe: command, with: {argv: [printf, '%s', '${PRICE}']}}
",
        )
        .run();
    assert_eq!(
        ran.gate("echo")["measurement"]["stdout"]["text"],
        "5 $ {sic}"
    );
}

#[test]
fn defaults_of_the_target_are_outranked_by_the_environment() {
    let config = "version: 1
target: {name: t, variables: {WHO: file}}
gates:
- {id: echo, probe: command, with: {argv: [printf, '${WHO}']}}
";
    let text =
        |ran: &crate::support::Ran| ran.gate("echo")["measurement"]["stdout"]["text"].clone();
    assert_eq!(text(&readygate().config(config).run()), "file");
    let project = readygate().config(config).env("WHO", "environment");
    assert_eq!(text(&project.run()), "environment");
    assert_eq!(
        text(&project.call("run --var WHO=argument --report json=run.json")),
        "argument"
    );
}

#[test]
fn merge_keys_and_anchors_work_and_duplicates_do_not() {
    let ran = readygate()
        .gates(
            r#"
- &base {id: a, probe: command, with: {argv: ["true"]}}
- {<<: *base, id: b}
"#,
        )
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = readygate()
        .gates("- {id: a, id: b, probe: command, with: {argv: ['true'], argv: ['false']}}")
        .run();
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.stderr.matches("duplicate key").count(),
        2,
        "{}",
        ran.stderr
    );
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    for (version, says) in [
        ("version: 2\n", "version 2"),
        ("", "`version` is missing"),
        ("version: one\n", "whole number"),
        ("version:\n", "`version` is missing"),
    ] {
        let ran = readygate()
            .config(&format!("{version}gates:\n{GOOD}\n"))
            .run();
        assert_eq!(ran.code, 2, "{version:?}");
        assert!(ran.stderr.contains(says), "{version:?}: {}", ran.stderr);
    }
}
