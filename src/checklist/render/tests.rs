//! Filling in, checked against small documents and hand-made records.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CombineError, Evidence, Filled, RestoreError, combine, fill, restore};
use crate::{
    checklist::{
        scan::scan,
        verify::{VerifyError, verify},
    },
    record::{Outcome, Run},
    release::timeline::{DecisionAt, Span, Timeline},
};

const DOCUMENT: &str = "# Launch\n\n## 1. Tests\n\n```\n□ All tests pass (961/961) جميع الاختبارات ناجحة\n□ Coverage > 80%\nNodes Online: _____/6\nLag: _____ ms\nExpiry: [Date]\nStatus: _____ (healthy/degraded)\nRestore Tested: □ Yes □ No\n□ Maintenance: □ On □ Off\n```\n\n- [ ] Reviewed\n\n**Sign-off:** ________ (Dev Lead)\n\n□ QA Lead: ______ Date: ______\n\nPlain words\n";

/// The anchor of the line that begins with these words.
fn anchor(document: &str, words: &str) -> String {
    let document = scan(document);
    let line = document.lines.iter().find(|l| l.text.starts_with(words));
    line.unwrap_or_else(|| panic!("no line {words}"))
        .anchor
        .clone()
}

fn gate(id: &str, outcome: &str, source: &Value) -> Value {
    json!({
        "id": id, "title": id, "severity": "blocker", "probe": "files", "source": source,
        "location": {"file": "readygate.yaml", "line": 1}, "outcome": outcome, "flaky": false,
        "metrics": {
            "nodes.online": {"value": 6, "unit": "count"},
            "lag": {"value": 0.0415, "unit": "s"},
            "expires_in": {"value": 6_998_400, "unit": "s"},
        },
        "checks": [], "attempts": [], "duration_s": 0.1,
    })
}

fn run(gates: &[Value], signoffs: &Value) -> Run {
    let record = json!({
        "schema": "readygate/run/v1", "id": "run-1", "tool": {"name": "readygate", "version": "0.1.0"},
        "target": {"name": "shop"}, "config": {"files": ["readygate.yaml"], "sha256": "00"},
        "selection": {"stages": [], "tags": [], "only": [], "skip": []},
        "started": "2026-11-22T10:00:00Z", "finished": "2026-11-22T10:05:00Z",
        "verdict": "GO", "reasons": [], "exit_code": 0,
        "counts": {"total": 1, "passed": 1, "failed": 0, "unmeasured": 0, "skipped": 0, "pending": 0, "flaky": 0, "warnings": 0},
        "gates": gates, "signoffs": signoffs,
    });
    serde_json::from_value(record).unwrap()
}

fn one(words: &str, outcome: &str) -> Run {
    let source = json!({"anchor": anchor(DOCUMENT, words)});
    run(&[gate("a", outcome, &source)], &json!([]))
}

fn filled(document: &str, run: &Run) -> Filled {
    let evidence = Evidence {
        run,
        parts: &[],
        history: None,
    };
    let filled = fill(document, evidence).unwrap();
    assert_eq!(
        fill(&filled.text, evidence).unwrap().text,
        filled.text,
        "filling in twice"
    );
    assert_eq!(
        restore(&filled.text).unwrap().text,
        document,
        "taking it back"
    );
    filled
}

/// The line that holds these words.
fn line<'a>(filled: &'a Filled, words: &str) -> &'a str {
    filled.text.lines().find(|l| l.contains(words)).unwrap()
}

#[test]
fn a_box_is_ticked_by_evidence_alone() {
    for (outcome, mark) in [
        ("passed", "☑"),
        ("failed", "☒"),
        ("unmeasured", "□"),
        ("pending", "□"),
        ("skipped", "□"),
    ] {
        let filled = filled(DOCUMENT, &one("All tests pass", outcome));
        let line = line(&filled, "All tests");
        let wanted = format!("{mark} All tests pass (961/961) جميع الاختبارات ناجحة [e1]");
        assert_eq!(line, wanted, "{outcome}");
        assert!(filled.text.contains("□ Coverage > 80%\n"));
    }
}

#[test]
fn a_gate_that_was_not_selected_says_nothing() {
    let source = json!({"anchor": anchor(DOCUMENT, "All tests pass")});
    let mut gate = gate("a", "skipped", &source);
    gate["skipped"] = json!("not-selected");
    let filled = filled(DOCUMENT, &run(&[gate], &json!([])));
    assert_eq!(filled.text, DOCUMENT);
}

#[test]
fn the_worst_of_two_gates_stands() {
    let source = json!({"anchor": anchor(DOCUMENT, "All tests pass")});
    let gates = [
        gate("a", "passed", &source),
        gate("b", "unmeasured", &source),
    ];
    let filled = filled(DOCUMENT, &run(&gates, &json!([])));
    assert!(line(&filled, "All tests").starts_with("□ All tests"));
    assert!(line(&filled, "All tests").ends_with("[e1] [e2]"));
}

#[test]
fn blanks_keep_label_unit_and_total() {
    let at = |words: &str| anchor(DOCUMENT, words);
    let source = json!({"anchor": at("Coverage"), "fills": [
        {"anchor": at("Nodes Online"), "metric": "nodes.online"},
        {"anchor": at("Lag"), "metric": "lag"},
        {"anchor": at("Expiry"), "metric": "expires_in"},
        {"anchor": at("Status"), "fact": "gate.status"},
        {"anchor": at("Restore Tested"), "fact": "gate.status"},
    ]});
    let filled = filled(DOCUMENT, &run(&[gate("a", "failed", &source)], &json!([])));
    assert_eq!(line(&filled, "Nodes Online"), "Nodes Online: 6/6 [e1]");
    assert_eq!(line(&filled, "Lag"), "Lag: 41.5 ms [e1]");
    assert_eq!(line(&filled, "Expiry"), "Expiry: 2027-02-11 (81 d) [e1]");
    assert_eq!(
        line(&filled, "Status:"),
        "Status: degraded (healthy/degraded) [e1]"
    );
    assert_eq!(
        line(&filled, "Restore Tested"),
        "Restore Tested: □ Yes ☑ No [e1]"
    );
}

#[test]
fn a_choice_within_an_item_follows_the_item() {
    let filled = filled(DOCUMENT, &one("Maintenance", "passed"));
    assert_eq!(
        line(&filled, "Maintenance"),
        "☑ Maintenance: ☑ On □ Off [e1]"
    );
}

#[test]
fn a_unit_that_does_not_fit_leaves_the_blank_empty() {
    let at = |words: &str| anchor(DOCUMENT, words);
    let fills = json!([{"anchor": at("Lag"), "metric": "nodes.online"}, {"anchor": at("Nodes Online"), "metric": "lag"}]);
    let source = json!({"anchor": at("Coverage"), "fills": fills});
    let mut gate = gate("a", "passed", &source);
    gate["metrics"]["nodes.online"]["unit"] = json!("B");
    let filled = filled(DOCUMENT, &run(&[gate], &json!([])));
    assert!(line(&filled, "Lag").starts_with("Lag: _____ ms"));
    assert!(line(&filled, "Nodes Online").starts_with("Nodes Online: _____/6"));
}

#[test]
fn markdown_boxes_stay_markdown() {
    assert_eq!(
        line(&filled(DOCUMENT, &one("Reviewed", "passed")), "Reviewed"),
        "- [x] Reviewed [e1]"
    );
    assert_eq!(
        line(&filled(DOCUMENT, &one("Reviewed", "failed")), "Reviewed"),
        "- [ ] ☒ Reviewed [e1]"
    );
}

fn signed(decision: &str, accepted: bool) -> Value {
    json!([{
        "role": "dev-lead", "gates": ["a"], "principal": "alice@example.com", "fingerprint": "SHA256:abc",
        "decision": decision, "issued": "2026-11-22T09:00:00Z", "expires": "2026-11-25T09:00:00Z",
        "sha256": "11", "file": "a.json", "answers": {}, "accepted": accepted,
    }])
}

#[test]
fn signatures_fill_their_lines() {
    let at = |words: &str| anchor(DOCUMENT, words);
    let source = json!({"anchor": at("Sign-off"), "also": [at("QA Lead")]});
    let run_of = |outcome: &str, signed: &Value| run(&[gate("a", outcome, &source)], signed);
    let yes = filled(DOCUMENT, &run_of("passed", &signed("approve", true)));
    assert_eq!(
        line(&yes, "**Sign-off"),
        "**Sign-off:** alice@example.com 2026-11-22 SHA256:abc (Dev Lead) [e1]"
    );
    assert_eq!(
        line(&yes, "QA Lead:"),
        "☑ QA Lead: alice@example.com SHA256:abc Date: 2026-11-22 [e1]"
    );
    let no = filled(DOCUMENT, &run_of("failed", &signed("reject", true)));
    assert!(line(&no, "QA Lead:").starts_with("☒ QA Lead: rejected by alice@example.com"));
    let refused = filled(DOCUMENT, &run_of("pending", &signed("approve", false)));
    assert!(line(&refused, "QA Lead:").starts_with("□ QA Lead: ______ Date: ______"));
}

#[test]
fn a_box_ticked_by_hand_is_a_claim_and_never_counts() {
    let by_hand = DOCUMENT
        .replace("□ Coverage", "☑ Coverage")
        .replace("[ ] Rev", "[x] Rev");
    let filled = filled(&by_hand, &one("All tests pass", "passed"));
    assert!(line(&filled, "Coverage > 80%").starts_with("□ Coverage"));
    assert!(line(&filled, "Reviewed").starts_with("- [ ] Reviewed"));
    assert_eq!(filled.ticked, 1);
    let claims: Vec<_> = filled
        .claims
        .iter()
        .map(|c| (c.line, c.ticked, c.evidence))
        .collect();
    assert_eq!(claims, [(7, true, None), (16, true, None)]);
    assert!(filled.text.contains("Marked by hand"));
}

#[test]
fn a_waived_failure_says_until_when() {
    let source = json!({"anchor": anchor(DOCUMENT, "Coverage")});
    let mut gate = gate("a", "failed", &source);
    gate["checks"] = json!([{"rule": "x/y", "subject": "s", "outcome": "failed", "level": "error", "message": "m"}]);
    gate["waived"] =
        json!([{"check": 0, "waiver": 0, "until": "2026-12-31T23:59:59Z", "approver": "cto"}]);
    let filled = filled(DOCUMENT, &run(&[gate], &json!([])));
    assert_eq!(
        line(&filled, "Coverage >"),
        "☑ Coverage > 80% (waived until 2026-12-31) [e1]"
    );
}

#[test]
fn text_from_outside_cannot_break_the_appendix() {
    let source = json!({"anchor": anchor(DOCUMENT, "Coverage")});
    let mut gate = gate("a", "failed", &source);
    gate["reason"] = json!("--> <script> | `x`\n# Heading");
    let run = run(&[gate], &json!([]));
    let filled = filled(DOCUMENT, &run);
    let after = filled
        .text
        .split("<!-- readygate evidence -->")
        .nth(1)
        .unwrap();
    assert!(!after.contains("<script>") && !after.contains("\n# Heading"));
    assert_eq!(after.matches("-->").count(), 1);
}

#[test]
fn edits_after_filling_in_are_found() {
    let run = one("All tests pass", "unmeasured");
    let evidence = Evidence {
        run: &run,
        parts: &[],
        history: None,
    };
    let good = filled(DOCUMENT, &run).text;
    assert_eq!(verify(&good, None, evidence), Ok(vec![]));
    let ticked = good.replace("□ All tests", "☑ All tests");
    let found = verify(&ticked, None, evidence).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].line, 6);
    let other = good.replace("Plain words", "Other words");
    let found = verify(&other, None, evidence).unwrap();
    assert_eq!((found.len(), found[0].line), (1, 22));
    let found = verify(&other, Some(DOCUMENT), evidence).unwrap();
    assert_eq!(found[0].was.as_deref(), Some("Plain words"));
    let gone = good.replace("Plain words\n", "");
    assert!(!verify(&gone, None, evidence).unwrap().is_empty());
    let table = good.replace("| unmeasured |", "| passed |");
    assert!(!verify(&table, None, evidence).unwrap().is_empty());
    assert_eq!(fill(&other, evidence), Err(RestoreError::Edited));
    assert_eq!(
        verify(DOCUMENT, None, evidence),
        Err(VerifyError::NotFilledIn)
    );
    let mut later = run.clone();
    later.id = "run-2".to_owned();
    let evidence = Evidence {
        run: &later,
        parts: &[],
        history: None,
    };
    assert!(matches!(
        verify(&good, None, evidence),
        Err(VerifyError::OtherRun { .. })
    ));
}

#[test]
fn the_latest_record_that_measured_speaks() {
    let source = json!({"anchor": anchor(DOCUMENT, "Coverage")});
    let early = run(
        &[gate("a", "failed", &source), gate("b", "passed", &source)],
        &signed("approve", true),
    );
    let mut left = gate("b", "skipped", &source);
    left["skipped"] = json!("not-selected");
    let mut late = run(&[gate("a", "passed", &source), left], &json!([]));
    late.id = "run-2".to_owned();
    late.finished = "2026-11-22T12:00:00Z".parse().unwrap();
    let all = combine(&[late.clone(), early.clone()]).unwrap();
    let outcomes: Vec<_> = all
        .gates
        .iter()
        .map(|g| (g.id.as_str(), g.outcome))
        .collect();
    assert_eq!(outcomes, [("a", Outcome::Passed), ("b", Outcome::Passed)]);
    assert_eq!((all.id.as_str(), all.signoffs.len()), ("run-1+run-2", 1));
    assert!(matches!(
        combine(&[early.clone(), early.clone()]),
        Err(CombineError::Twice(_))
    ));
    late.target.name = "other".to_owned();
    assert!(matches!(
        combine(&[late, early]),
        Err(CombineError::Targets(..))
    ));
}

#[test]
fn records_that_do_not_belong_together_are_refused() {
    let early = run(&[], &json!([]));
    let with = |change: &dyn Fn(&mut Run)| {
        let mut late = early.clone();
        late.id = "run-2".to_owned();
        late.finished = "2026-11-22T12:00:00Z".parse().unwrap();
        change(&mut late);
        late
    };
    let other = with(&|late| late.config.sha256 = "11".to_owned());
    assert!(matches!(
        combine(&[early.clone(), other]),
        Err(CombineError::Policies(..))
    ));
    let named = with(&|late| late.release = Some("r".to_owned()));
    assert_eq!(
        combine(&[early.clone(), named.clone()]),
        Err(CombineError::NoRelease("r".to_owned()))
    );
    let of = |run: &Run, commit: &str| {
        let mut run = run.clone();
        run.target.commit = Some(commit.to_owned());
        run
    };
    let (short, full, else_) = ("0123456", "0123456789abcdef", "0123457789abcdef");
    assert!(combine(&[of(&early, short), of(&named, full)]).is_ok());
    assert!(matches!(
        combine(&[of(&early, short), of(&named, else_)]),
        Err(CombineError::Commits(..))
    ));
}

#[test]
fn odd_documents_come_back() {
    let run = one("All tests pass", "passed");
    for document in [
        DOCUMENT.trim_end().to_owned(),
        DOCUMENT.replace('\n', "\r\n"),
        DOCUMENT.replace("```\n\n- [ ]", "- [ ]"),
        format!("{DOCUMENT}\n\n\n"),
    ] {
        filled(&document, &run);
    }
}

proptest! {
    /// An empty run changes nothing, whatever the document.
    #[test]
    fn an_empty_run_gives_the_input(document in "(□ [a-z]{0,5}|[a-zع#`\\-_: \\[\\]\r\n]|☑){0,80}") {
        let run = run(&[], &json!([]));
        let filled = fill(&document, Evidence { run: &run, parts: &[], history: None }).unwrap();
        prop_assert_eq!(filled.text, document);
    }
}

#[test]
fn facts_of_the_run_tick_boxes_that_no_gate_answers() {
    let source = json!({"anchor": "nowhere", "fills": [
        {"anchor": anchor(DOCUMENT, "Coverage"), "fact": "run.complete"},
        {"anchor": anchor(DOCUMENT, "All tests"), "fact": "release.success"},
    ]});
    for (other, sign) in [("passed", '☑'), ("failed", '☒'), ("unmeasured", '□')] {
        let elsewhere = json!({"anchor": "elsewhere"});
        let record = run(
            &[gate("a", "passed", &source), gate("b", other, &elsewhere)],
            &json!([]),
        );
        let filled = filled(DOCUMENT, &record);
        assert!(
            line(&filled, "Coverage").starts_with(sign),
            "{other}: {}",
            line(&filled, "Coverage")
        );
        // Without a history nobody knows how the release ended.
        assert!(line(&filled, "All tests").starts_with('□'));
    }
}

/// A run of the stages before a deployment says nothing of blockers after it.
#[test]
fn blockers_that_did_not_run_may_remain() {
    let source = json!({"anchor": "nowhere", "fills": [
        {"anchor": anchor(DOCUMENT, "Coverage"), "fact": "run.no-blockers"},
    ]});
    let elsewhere = json!({"anchor": "elsewhere"});
    for (stage, sign) in [("post-deploy", '□'), ("rollback", '☑')] {
        let mut left = gate("b", "skipped", &elsewhere);
        left["skipped"] = json!("not-selected");
        left["stages"] = json!([stage]);
        let record = run(&[gate("a", "passed", &source), left], &json!([]));
        let filled = filled(DOCUMENT, &record);
        let line = line(&filled, "Coverage");
        assert!(line.starts_with(sign), "{stage}: {line}");
    }
}

#[test]
fn a_choice_in_another_order_is_not_answered_by_its_order() {
    for (options, passed, failed) in [
        ("□ Up □ Down", "☑ Up □ Down", "□ Up ☑ Down"),
        (
            "□ Issues □ Connected",
            "□ Issues □ Connected",
            "□ Issues □ Connected",
        ),
        (
            "□ Exceeds SLA □ Meets SLA □ Below SLA",
            "□ Exceeds SLA □ Meets SLA □ Below SLA",
            "□ Exceeds SLA □ Meets SLA □ Below SLA",
        ),
    ] {
        let document = DOCUMENT.replace("□ Yes □ No", options);
        let source = json!({"anchor": anchor(&document, "Restore Tested")});
        for (outcome, wanted) in [("passed", passed), ("failed", failed)] {
            let filled = filled(&document, &run(&[gate("a", outcome, &source)], &json!([])));
            let line = line(&filled, "Restore Tested");
            assert!(line.contains(wanted), "{outcome}: {line}");
        }
    }
    let document = DOCUMENT.replace("(healthy/degraded)", "(degraded/healthy)");
    let source = json!({"anchor": "nowhere", "fills": [
        {"anchor": anchor(&document, "Status"), "fact": "gate.status"},
    ]});
    let filled = filled(&document, &run(&[gate("a", "passed", &source)], &json!([])));
    assert!(line(&filled, "Status:").contains("_____ (degraded/healthy)"));
}

#[test]
fn a_release_is_a_success_only_if_its_last_watch_accepted() {
    let at = |second: i64| jiff::Timestamp::from_second(1_800_000_000 + second).unwrap();
    let source = json!({"anchor": "nowhere", "fills": [
        {"anchor": anchor(DOCUMENT, "All tests"), "fact": "release.success"},
    ]});
    let run = run(&[gate("a", "passed", &source)], &json!([]));
    let told = |change: &dyn Fn(&mut Timeline)| {
        let mut history = Timeline {
            deployments: vec![Span {
                started: at(0),
                finished: Some(at(10)),
            }],
            decision: Some(DecisionAt {
                at: at(20),
                decision: "accept".to_owned(),
                reasons: Vec::new(),
                deadline: None,
            }),
            accepted: Some(at(30)),
            ..Timeline::default()
        };
        change(&mut history);
        let evidence = Evidence {
            run: &run,
            parts: &[],
            history: Some(&history),
        };
        let text = fill(DOCUMENT, evidence).unwrap().text;
        let line = text.lines().find(|l| l.contains("All tests"));
        line.unwrap().chars().next().unwrap()
    };
    assert_eq!(told(&|_| {}), '☑');
    let hold = |h: &mut Timeline| h.decision.as_mut().unwrap().decision = "hold".to_owned();
    assert_eq!(told(&hold), '□');
    assert_eq!(told(&|h| h.decision = None), '□');
    assert_eq!(told(&|h| h.watching = true), '□');
    assert_eq!(told(&|h| h.accepted = Some(at(5))), '□');
    assert_eq!(told(&|h| h.decision.as_mut().unwrap().at = at(5)), '□');
}
