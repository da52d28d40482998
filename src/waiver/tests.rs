//! Waivers read from a config and applied to records.

use std::fs;

use jiff::Timestamp;
use readygate_sdk::{CheckOutcome, Level};
use serde_json::json;

use super::*;
use crate::{
    config::{self, Config, Environment, Variables},
    record::{GateRecord, Outcome, Verdict, WaiverRecord},
    signoff::config::Role,
    verdict::{self, Decision},
};

const HEAD: &str = "version: 1
roles: {cto: {may_waive: ['*']}, qa: {may_waive: [docs.*]}}
gates:
- {id: docs.readme, severity: major, probe: files, with: {paths: [README.md]}, expect: {count: '== 1'}}
- {id: docs.guide, severity: minor, probe: files, with: {paths: [GUIDE.md]}}
- {id: perf.load, severity: blocker, probe: files, with: {paths: [load.json]}}
- {id: soft.block, severity: blocker, waivable: true, probe: files, with: {paths: [x]}}
- {id: hard.major, severity: major, waivable: false, probe: files, with: {paths: [x]}}
- {id: slow.watch, sustain: {for: 1m, every: 10s}, probe: files, with: {paths: [x]}}
- {id: custom, probe: command, with: {argv: ['true']}}
waivers:
";

fn load(waivers: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("readygate.yaml");
    fs::write(&file, format!("{HEAD}{waivers}")).unwrap();
    config::load(&[file], &Environment::default(), Variables::default())
        .map_err(|e| e.render(false, true))
}

fn waiver(fields: &str) -> String {
    format!(
        "- {{{fields}, reason: known, owner: ann, approver: cto, ticket: SHOP-1, expires: 2026-12-31}}\n"
    )
}

fn loaded(waivers: &str) -> Waivers {
    load(waivers).unwrap_or_else(|e| panic!("{e}")).waivers
}

/// A gate with these checks: outcome, level, rule, subject.
fn gate(id: &str, severity: &str, checks: &[(&str, &str, &str, &str)]) -> GateRecord {
    let has = |outcome| {
        let mut errors = checks.iter().filter(|c| c.1 == "error");
        errors.any(|c| c.0 == outcome)
    };
    let outcome = match (has("failed"), has("unmeasured")) {
        (true, _) => "failed",
        (false, true) => "unmeasured",
        (false, false) => "passed",
    };
    let check = |(outcome, level, rule, subject): &(&str, &str, &str, &str)| json!({"rule": rule, "subject": subject, "outcome": outcome, "level": level, "message": format!("it {outcome}")});
    serde_json::from_value(json!({
        "id": id, "title": id, "severity": severity, "probe": "files",
        "location": {"file": "readygate.yaml"}, "outcome": outcome, "flaky": false,
        "reason": (outcome != "passed").then_some("the first of them"),
        "metrics": {}, "checks": checks.iter().map(check).collect::<Vec<_>>(),
        "attempts": [], "duration_s": 0.1,
    }))
    .unwrap()
}

fn missing(id: &str, severity: &str) -> GateRecord {
    gate(
        id,
        severity,
        &[("failed", "error", "files/missing", "README.md")],
    )
}

fn judged(waivers: &Waivers, gates: &mut [GateRecord], at: &str) -> (Decision, Vec<WaiverRecord>) {
    let at: Timestamp = at.parse().unwrap();
    let records = apply(waivers, gates, at);
    (verdict::decide(gates, &[]), records)
}

const NOW: &str = "2026-11-20T10:00:00Z";

#[test]
fn a_waived_failure_gives_go_with_waivers_and_stays_a_failure() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let mut gates = [missing("docs.readme", "major")];
    let (decision, records) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::GoWithWaivers);
    assert_eq!(
        decision.reasons,
        [
            "docs.readme (major) failed and is waived until 2026-12-31 by cto (SHOP-1): the first of them"
        ]
    );
    assert_eq!(gates[0].outcome, Outcome::Failed);
    assert_eq!(gates[0].checks[0].outcome, CheckOutcome::Failed);
    assert!(gates[0].is_waived());
    assert_eq!(records[0].used, ["docs.readme: files/missing README.md"]);
    assert!(
        records[0].valid && records[0].notes.is_empty(),
        "{records:?}"
    );
    let counts = verdict::count(&gates);
    assert_eq!((counts.failed, counts.waived, counts.passed), (1, 1, 0));
}

#[test]
fn a_waiver_holds_at_235959_utc_of_its_day() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let mut gates = [missing("docs.readme", "major")];
    let (decision, records) = judged(&waivers, &mut gates, "2026-12-31T23:59:59Z");
    assert_eq!(decision.verdict, Verdict::GoWithWaivers);
    assert_eq!(records[0].notes, ["expires in 0 seconds"]);
}

#[test]
fn a_waiver_is_expired_a_second_after_235959_utc() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let mut gates = [missing("docs.readme", "major")];
    let (decision, records) = judged(&waivers, &mut gates, "2027-01-01T00:00:00Z");
    assert_eq!(decision.verdict, Verdict::NoGo);
    assert!(!records[0].valid && !gates[0].is_waived());
    assert_eq!(
        records[0].notes,
        ["expired 1 second ago (2026-12-31); it would have covered 1 failed check"]
    );
}

#[test]
fn an_end_within_14_days_is_announced_and_one_beyond_a_year_is_questioned() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let notes = |at: &str| {
        let mut gates = [missing("docs.readme", "major")];
        judged(&waivers, &mut gates, at).1.remove(0).notes
    };
    assert_eq!(notes("2026-12-18T00:00:00Z"), ["expires in 13 days"]);
    assert_eq!(notes("2026-12-17T23:59:59Z"), [""; 0]);
    assert_eq!(notes("2025-12-30T23:59:59Z"), [""; 0]);
    assert!(notes("2025-12-29T23:59:59Z")[0].contains("more than a year"));
}

#[test]
fn a_waiver_does_not_cover_what_could_not_be_measured() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let unknown = ("unmeasured", "error", "files/unreadable", "README.md");
    let failed = ("failed", "error", "files/missing", "GUIDE.md");
    let mut gates = [gate("docs.readme", "major", &[unknown])];
    let (decision, records) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::Inconclusive);
    assert!(records[0].notes[0].starts_with("not used: `docs.readme` could not tell"));
    // Nor does it when a failure beside it is waived.
    let mut gates = [gate("docs.readme", "major", &[failed, unknown])];
    let (decision, _) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::Inconclusive);
    assert_eq!(
        decision.reasons,
        ["docs.readme (major) could not be measured: README.md: it unmeasured (1 waived)"]
    );
}

#[test]
fn a_waiver_does_not_cover_a_probe_error_or_a_failure_that_no_check_tells() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let mut gates = [missing("docs.readme", "major")];
    gates[0].checks.clear();
    let (decision, _) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::NoGo);
    gates[0].outcome = Outcome::Unmeasured;
    let (decision, _) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::Inconclusive);
}

#[test]
fn what_is_not_waived_beside_what_is_still_fails() {
    let waivers = loaded(&waiver("gate: docs.readme, subject: README.md"));
    let failed = |subject| ("failed", "error", "files/missing", subject);
    let checks = [failed("README.md"), failed("GUIDE.md"), failed("FAQ.md")];
    let mut gates = [gate("docs.readme", "major", &checks)];
    let (decision, _) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::NoGo);
    assert_eq!(
        decision.reasons,
        ["docs.readme (major) failed: GUIDE.md: it failed (1 more, 1 waived)"]
    );
}

#[test]
fn a_wildcard_subject_says_how_many_it_covers() {
    let waivers = loaded(&waiver("rule: files/missing, subject: 'docs/*.md'"));
    let failed = |subject| ("failed", "error", "files/missing", subject);
    let checks = [
        failed("docs/a.md"),
        failed("docs/b/c.md"),
        failed("src/a.md"),
    ];
    let mut gates = [gate("docs.readme", "major", &checks)];
    let (decision, records) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::NoGo);
    assert_eq!(
        (records[0].covered, &records[0].notes[..]),
        (2, &["covers 2 subjects".to_owned()][..])
    );
    assert_eq!(records[0].covers, "files/missing on docs/*.md");
}

#[test]
fn an_unused_waiver_is_flagged_unless_its_gate_did_not_run() {
    let waivers = loaded(&waiver("gate: docs.readme"));
    let passed = ("passed", "error", "files/missing", "README.md");
    let mut gates = [gate("docs.readme", "major", &[passed])];
    let (decision, records) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::Go);
    assert!(records[0].notes[0].starts_with("unused:"), "{records:?}");
    gates[0].outcome = Outcome::Skipped;
    gates[0].skipped = Some(crate::record::SkipReason::NotSelected);
    let (_, records) = judged(&waivers, &mut gates, NOW);
    assert!(records[0].notes[0].starts_with("not used: no gate"));
}

#[test]
fn a_blocker_is_not_waivable_unless_it_says_so() {
    let error = load(&waiver("gate: perf.load")).err().unwrap();
    assert!(error.contains("`perf.load` is not waivable"), "{error}");
    assert!(error.contains("readygate.yaml:12:"), "{error}");
    let error = load(&waiver("gate: hard.major")).err().unwrap();
    assert!(error.contains("`hard.major` is not waivable"), "{error}");
    let waivers = loaded(&waiver("gate: soft.block"));
    let mut gates = [missing("soft.block", "blocker")];
    assert_eq!(
        judged(&waivers, &mut gates, NOW).0.verdict,
        Verdict::GoWithWaivers
    );
}

#[test]
fn a_waiver_of_a_rule_does_not_reach_a_blocker_that_is_not_waivable() {
    let waivers = loaded(&waiver("rule: files/missing"));
    let mut gates = [
        missing("perf.load", "blocker"),
        missing("docs.readme", "major"),
    ];
    let (decision, records) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::NoGo);
    assert_eq!(decision.reasons.len(), 2);
    assert_eq!(
        records[0].notes,
        ["does not cover 1 failed check: `perf.load` is not waivable"]
    );
}

#[test]
fn a_gate_that_is_measured_again_and_again_is_waived_as_a_whole_only() {
    let error = load(&waiver("gate: slow.watch, rule: files/missing"))
        .err()
        .unwrap();
    assert!(error.contains("as a whole only"), "{error}");
    let mut gates = [missing("slow.watch", "major")];
    let by_rule = loaded(&waiver("rule: files/missing"));
    assert_eq!(judged(&by_rule, &mut gates, NOW).0.verdict, Verdict::NoGo);
    let whole = loaded(&waiver("gate: slow.watch"));
    assert_eq!(
        judged(&whole, &mut gates, NOW).0.verdict,
        Verdict::GoWithWaivers
    );
}

#[test]
fn an_approver_waives_only_what_its_role_may() {
    let by_qa =
        |gate: &str| waiver(&format!("gate: {gate}")).replace("approver: cto", "approver: qa");
    assert!(load(&by_qa("docs.readme")).is_ok());
    let error = load(&by_qa("soft.block")).err().unwrap();
    assert!(error.contains("`qa` may not waive `soft.block`"), "{error}");
    let rule = waiver("rule: files/missing").replace("approver: cto", "approver: qa");
    let waivers = loaded(&rule);
    let mut gates = [missing("soft.block", "blocker")];
    let (decision, records) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::NoGo);
    assert!(records[0].notes[0].contains("`qa` may not waive `soft.block`"));
}

#[test]
fn a_waiver_of_a_rule_covers_its_warnings_and_one_of_a_gate_does_not() {
    let warning = ("failed", "warning", "files/missing", "README.md");
    let mut gates = [gate("docs.readme", "major", &[warning])];
    judged(&loaded(&waiver("gate: docs.readme")), &mut gates, NOW);
    assert_eq!(gates[0].warnings().count(), 1);
    judged(&loaded(&waiver("rule: files/missing")), &mut gates, NOW);
    assert_eq!(gates[0].warnings().count(), 0);
    assert_eq!(verdict::count(&gates).warnings, 0);
}

#[test]
fn every_mistake_in_a_waiver_is_named_at_its_place() {
    for (text, says) in [
        (waiver("gate: docs.reame"), "did you mean `docs.readme`?"),
        (
            waiver("rule: files/mising"),
            "did you mean `files/missing`?",
        ),
        (
            waiver("rule: tls/expires-soon"),
            "no gate of this config has the rule",
        ),
        (
            waiver("gate: docs.readme, rule: expect/cuont"),
            "did you mean `expect/count`?",
        ),
        (
            waiver("gate: docs.readme").replace(": cto", ": cot"),
            "did you mean `cto`?",
        ),
        (
            waiver("gate: docs.readme").replace(", expires: 2026-12-31", ""),
            "`expires` is missing",
        ),
        (
            waiver("gate: docs.readme").replace(", reason: known", ""),
            "`reason` is missing",
        ),
        (
            waiver("gate: docs.readme").replace("2026-12-31", "2026"),
            "neither a date nor a time",
        ),
        (
            waiver("gate: docs.readme").replace("2026-12-31", "2026-02-31"),
            "not a day of the calendar",
        ),
        (
            waiver("gate: docs.readme").replace("2026-12-31", "2026-12-31T10:00:00"),
            "not a time with its zone",
        ),
        (
            waiver("gate: docs.readme").replace("known", "' '"),
            "`reason` is empty",
        ),
        (
            waiver("subject: x"),
            "a waiver names a `gate`, a `rule`, or both",
        ),
        (waiver("gate: docs.readme, subject: 'a['"), "not a glob"),
        (
            waiver("gate: docs.readme, untill: x"),
            "unknown key `untill`",
        ),
    ] {
        let error = load(&text)
            .err()
            .unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(error.contains(says), "{text}: {error}");
        assert!(error.contains("readygate.yaml:12:"), "{text}: {error}");
        assert!(error.contains("1 error in the config"), "{text}: {error}");
    }
    assert!(load(&waiver("gate: custom, rule: ext/anything")).is_ok());
}

#[test]
fn what_a_signer_accepts_is_a_waiver_by_a_role_that_may() {
    let accept: Accept = serde_json::from_value(json!({
        "id": "docs.readme", "rule": "files/missing", "status": "failed",
        "reason": "known", "expires": "2026-12-31T00:00:00Z",
    }))
    .unwrap();
    let role = Role {
        may_waive: vec!["docs.*".into()],
        ..Role::default()
    };
    let with = |powers, accept: &Accept| {
        let signed = Signed {
            role: "qa",
            powers,
            principal: "ann@example.com",
        };
        let mut waivers = loaded("");
        waivers.extend(signed.waivers(std::slice::from_ref(accept)));
        let mut gates = [
            missing("docs.readme", "major"),
            missing("soft.block", "blocker"),
        ];
        let (_, mut records) = judged(&waivers, &mut gates, NOW);
        (gates[0].is_waived(), records.remove(0))
    };
    let (waived, record) = with(Some(&role), &accept);
    assert!(waived);
    assert_eq!(record.principal.as_deref(), Some("ann@example.com"));
    assert!(!with(None, &accept).0);
    let elsewhere = Accept {
        id: "soft.block".into(),
        ..accept.clone()
    };
    let (_, record) = with(Some(&role), &elsewhere);
    assert!(record.notes[0].contains("`qa` may not waive"), "{record:?}");
    let bare = Accept {
        reason: String::new(),
        ..accept
    };
    let (waived, record) = with(Some(&role), &bare);
    assert!(!waived && record.notes[0] == "refused: it gives no reason");
}

#[test]
fn a_waived_gate_of_no_weight_is_no_warning() {
    let waivers = loaded(&waiver("gate: docs.guide"));
    let mut gates = [missing("docs.guide", "minor")];
    assert_eq!(gates[0].failures().next().unwrap().level, Level::Error);
    let (decision, _) = judged(&waivers, &mut gates, NOW);
    assert_eq!(decision.verdict, Verdict::GoWithWaivers);
    assert_eq!(verdict::count(&gates).warnings, 0);
}
