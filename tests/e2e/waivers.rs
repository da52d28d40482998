//! Waivers, from the config to the exit code and every report.

use insta::assert_snapshot;
use readygate::record;
use readygate_sdk::Masker;

use crate::support::{Project, readygate};

/// A project whose gate `docs.readme` fails, with these waivers.
fn waived(waivers: &str) -> Project {
    readygate().config(&format!(
        "version: 1
roles: {{cto: {{may_waive: ['*']}}}}
gates:
- {{id: docs.readme, title: It is there, probe: files, with: {{paths: [README.md]}}}}
- {{id: after, needs: [docs.readme], probe: command, with: {{argv: ['true']}}}}
- {{id: hard, severity: blocker, probe: command, with: {{argv: ['true']}}}}
waivers:
{waivers}"
    ))
}

/// Far enough ahead for years of test runs, which the report questions.
fn waiver(fields: &str) -> String {
    format!(
        "- {{{fields}, reason: being written, owner: ann, approver: cto, ticket: SHOP-1, expires: 2999-12-31}}\n"
    )
}

#[test]
fn go_with_waivers_in_record_console_and_junit() {
    let ran = waived(&waiver("gate: docs.readme"))
        .arg("--report=junit=junit.xml")
        .arg("--quiet");
    let (project, ran) = (&ran, ran.run());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let record = ran.record();
    assert_eq!(record["verdict"], "GO-WITH-WAIVERS");
    assert_eq!(record["waivers"][0]["covered"], 1);
    let gate = ran.gate("docs.readme");
    assert_eq!(
        (&gate["outcome"], &gate["checks"][0]["outcome"]),
        (&"failed".into(), &"failed".into())
    );
    assert_eq!(gate["waived"][0]["until"], "2999-12-31T23:59:59Z");
    assert_eq!(ran.gate("after")["outcome"], "passed");
    let junit = project.read("junit.xml");
    assert!(
        junit.contains(
            "<skipped type=\"waived\" message=\"waived until 2999-12-31 by cto (SHOP-1): "
        ),
        "{junit}"
    );
    assert!(!junit.contains("<failure") && junit.contains("verdict: GO-WITH-WAIVERS"));
    assert_snapshot!(ran.stdout, @r#"
    readygate 0.1.0 · unnamed
    3 gates selected of 3

    ~ docs.readme  It is there  waived until 2999-12-31 (SHOP-1) · major · [TIME]
        ~ waived: README.md: nothing is at this path [files/missing]
          waived    until 2999-12-31 by cto (SHOP-1)
          expected  at least one regular file
          actual    nothing
          where     readygate.yaml:4:8
          fix       create the file, or correct the path (it is relative to the folder of the config);
                    by hand: ls -l PATH
    ✓ after        after        [TIME]
    ✓ hard         hard         [TIME]

    Waivers
    ~ docs.readme: 1 check, until 2999-12-31 by cto (SHOP-1): being written
        ends more than a year ahead: an exception for so long is a rule

    GO-WITH-WAIVERS  1 waived · 2 passed · [TIME] · exit code 0
      docs.readme (major) failed and is waived until 2999-12-31 by cto (SHOP-1): README.md: nothing is
        at this path: expected at least one regular file, actual nothing
    "#);
}

#[test]
fn run_judge_and_render_waive_alike() {
    let project = waived(&waiver("gate: docs.readme")).arg("--quiet");
    let ran = project.run();
    let rendered = project.call("render console run.json");
    assert_eq!(rendered.raw.stdout, ran.raw.stdout);
    let judged = project.call("judge run.json");
    assert_eq!(judged.code, 0, "{}", judged.stdout);
    assert!(
        judged
            .stdout
            .contains("GO-WITH-WAIVERS  1 waived · 2 passed"),
        "{}",
        judged.stdout
    );
    // Without the waiver the same measurements are a NO-GO.
    let config = project.read("readygate.yaml");
    let strict = config.split("waivers:").next().unwrap();
    let project = project.file("strict.yaml", strict);
    let judged = project.call("judge run.json -c strict.yaml");
    assert_eq!(judged.code, 1, "{}", judged.stdout);
}

#[test]
fn judging_needs_waivers_that_hold_now() {
    let project = waived(&waiver("gate: docs.readme").replace("2999-12-31", "2020-12-31"));
    assert_eq!(project.run().code, 1);
    // As if the run had been made while the waiver held.
    let mut run = record::read(&project.path("run.json")).unwrap();
    run.started = "2020-06-01T00:00:00Z".parse().unwrap();
    run.finished = run.started;
    let run = record::seal(&run, &Masker::new([])).unwrap();
    let project = project.file("run.json", serde_json::to_string(&run).unwrap());
    let judged = project.call("judge run.json");
    assert_eq!(judged.code, 1, "{}", judged.stdout);
}

#[test]
fn an_expired_waiver_waives_nothing_and_says_since_when() {
    let ran = waived(&waiver("gate: docs.readme").replace("2999-12-31", "2020-12-31")).run();
    assert_eq!(ran.code, 1);
    assert_eq!(ran.gate("after")["outcome"], "skipped");
    let note = &ran.record()["waivers"][0]["notes"][0];
    let note = note.as_str().unwrap();
    assert!(
        note.starts_with("expired ") && note.ends_with("it would have covered 1 failed check"),
        "{note}"
    );
    assert!(ran.stdout.contains("(2020-12-31)"), "{}", ran.stdout);
}

#[test]
fn a_waiver_on_a_blocker_that_is_not_waivable_is_refused() {
    let ran = waived(&waiver("gate: hard")).run();
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: `hard` is not waivable
      ╭▸ readygate.yaml:8:10
      │
    8 │ - {gate: hard, reason: being written, owner: ann, approver: cto, ticket: SHOP-1, expires: 2999-12-31}
      │          ━━━━
      │
      ╰ help: it is of severity blocker; whoever owns the policy can write `waivable: true` on it

    1 error in the config; nothing was run
    "#);
}

#[test]
fn a_gate_that_cannot_be_measured_is_inconclusive_whatever_is_waived() {
    let project = readygate().config(&format!(
        "version: 1
roles: {{cto: {{may_waive: ['*']}}}}
gates:
- {{id: gone, probe: command, with: {{argv: [no-such-program]}}}}
- {{id: fine, probe: command, with: {{argv: ['true']}}}}
waivers:
{}",
        waiver("gate: gone")
    ));
    let ran = project.run();
    assert_eq!(
        (ran.code, &ran.record()["verdict"]),
        (3, &"INCONCLUSIVE".into())
    );
    let note = &ran.record()["waivers"][0]["notes"];
    assert!(note.to_string().contains("`gone` could not tell"), "{note}");
}
