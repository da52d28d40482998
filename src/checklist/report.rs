//! The post-deployment report, from a record and the history of the release. Pure.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{Unit, Value};

use super::render::{Evidence, Text};
use crate::{
    record::{GateRecord, Outcome, Run, Severity, SignDecision, Verdict},
    release::timeline::Timeline,
};

/// Markdown.
pub fn report(evidence: Evidence<'_>) -> String {
    let run = evidence.run;
    let mut out = format!("# Post-deployment report: {}\n\n", Text(&run.target.name));
    summary(&mut out, evidence);
    results(&mut out, evidence);
    issues(&mut out, run);
    people(&mut out, run);
    if let Some(history) = evidence.history {
        timeline(&mut out, history);
    }
    let _ = writeln!(
        out,
        "\n---\n\nFrom run `{}` (verdict {}, policy sha256 `{}`) by readygate {}.",
        Text(&run.id),
        run.verdict.name(),
        Text(&run.config.sha256),
        Text(&run.tool.version)
    );
    out
}

fn summary(out: &mut String, evidence: Evidence<'_>) {
    let (run, history) = (evidence.run, evidence.history);
    let not_recorded = || "not recorded".to_owned();
    let started = history.and_then(Timeline::started);
    let _ = writeln!(out, "| | |\n|---|---|");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "| {name} | {value} |");
    };
    row("Deployment date", started.map_or_else(not_recorded, minute));
    row("Version", version(run));
    if let Some(release) = &run.release {
        row("Release", Text(release).to_string());
    }
    let finished = history.and_then(Timeline::finished);
    row("Finished", finished.map_or_else(not_recorded, minute));
    let duration = history.and_then(Timeline::duration);
    row("Duration", duration.map_or_else(not_recorded, span));
    row("Downtime", downtime(history));
    row("Outcome", outcome(run, history));
}

/// What the target told; what was meant to run is no evidence.
fn version(run: &Run) -> String {
    let meant = run.target.version.as_deref();
    super::render::version(run).unwrap_or_else(|| {
        let meant = meant.map(|v| format!(" ({} was to be released)", Text(v)));
        format!("not told by the target{}", meant.unwrap_or_default())
    })
}

fn downtime(history: Option<&Timeline>) -> String {
    match history.and_then(|h| h.downtime.as_ref()) {
        Some(downtime) => Text(&downtime.sentence()).to_string(),
        None => "not measured: no watch was recorded".to_owned(),
    }
}

fn outcome(run: &Run, history: Option<&Timeline>) -> String {
    let rolled_back = history.and_then(|h| h.rollback).is_some();
    let decision = history.and_then(|h| h.decision.as_ref());
    if rolled_back {
        return "FAILED (rolled back)".to_owned();
    }
    if history.is_some_and(|h| h.watching) {
        return "not known: the last watch has no decision".to_owned();
    }
    if let Some(decision) = decision.filter(|d| d.decision != "accept") {
        return format!("the watch says: {}", Text(&decision.decision));
    }
    match run.verdict {
        Verdict::Go if run.counts.warnings == 0 => "SUCCESS".to_owned(),
        Verdict::Go | Verdict::GoWithWaivers => "SUCCESS, with minor issues".to_owned(),
        other => other.name().to_owned(),
    }
}

fn results(out: &mut String, evidence: Evidence<'_>) {
    let run = evidence.run;
    let _ = writeln!(out, "\n## Results\n\n| | |\n|---|---|");
    for gate in of_probe(run, "tests") {
        let figure = |name: &str| number(gate, name);
        let total = figure("total").or_else(|| figure("tests"));
        if let Some(passed) = figure("passed") {
            let all = total.map_or_else(String::new, |n| format!("/{n}"));
            let _ = writeln!(out, "| Tests passed ({}) | {passed}{all} |", gate.id);
        }
    }
    for (name, probes) in [
        ("Performance", &["load"][..]),
        (
            "Security",
            &["audit", "secrets", "headers", "tls", "access"],
        ),
        ("Data stores", &["mongodb", "redis"]),
    ] {
        let gates: Vec<&GateRecord> = probes.iter().flat_map(|p| of_probe(run, p)).collect();
        let _ = writeln!(out, "| {name} | {} |", standing(&gates));
    }
    let _ = writeln!(out, "| User impact | {} |", impact(evidence));
    let _ = writeln!(
        out,
        "| Gates | {} passed, {} failed, {} could not be told, {} pending, {} skipped |",
        run.counts.passed,
        run.counts.failed,
        run.counts.unmeasured,
        run.counts.pending,
        run.counts.skipped
    );
}

fn of_probe<'a>(run: &'a Run, probe: &str) -> impl Iterator<Item = &'a GateRecord> {
    let probe = probe.to_owned();
    run.gates
        .iter()
        .filter(move |g| g.probe == probe && g.is_selected())
}

fn number(gate: &GateRecord, metric: &str) -> Option<String> {
    match gate.metrics.get(metric)?.value {
        Value::Number(value) => Some(Unit::Count.format(value)),
        Value::Text(_) => None,
    }
}

/// Nothing measured is never "fine".
fn standing(gates: &[&GateRecord]) -> String {
    if gates.is_empty() {
        return "not checked in this run".to_owned();
    }
    let failed: Vec<&str> = gates
        .iter()
        .filter(|g| g.standing() == Outcome::Failed)
        .map(|g| g.id.as_str())
        .collect();
    let unknown = gates.iter().any(|g| g.standing() != Outcome::Passed);
    match (failed.as_slice(), unknown) {
        ([], false) if gates.iter().any(|g| g.is_waived()) => {
            "within bounds, with waivers".to_owned()
        }
        ([], false) => "within bounds".to_owned(),
        ([], true) => "could not be told in full".to_owned(),
        (failed, _) => format!("issues: {}", failed.join(", ")),
    }
}

fn impact(evidence: Evidence<'_>) -> String {
    let Some(history) = evidence.history else {
        return "not known: there is no history of the release".to_owned();
    };
    let confirmed = history
        .breaches
        .iter()
        .filter(|b| b.confirmed.is_some())
        .count();
    match &history.downtime {
        None => "not known: nothing was watched".to_owned(),
        Some(down) if history.rollback.is_some() || down.ongoing => "major".to_owned(),
        Some(down) if down.outages > 0 || confirmed > 0 => "minor".to_owned(),
        Some(down) => format!(
            "none seen; an outage shorter than {} may have been missed",
            Unit::Seconds.format(down.resolution_s)
        ),
    }
}

/// P0: a blocker failed. P1: a major gate. P2: a minor one, or a warning.
fn issues(out: &mut String, run: &Run) {
    let failed = |severity: Severity| -> Vec<&GateRecord> {
        let all = run.gates.iter().filter(|g| g.is_selected());
        all.filter(|g| g.outcome == Outcome::Failed && g.severity == severity)
            .collect()
    };
    let classes = [
        ("P0", failed(Severity::Blocker)),
        ("P1", failed(Severity::Major)),
        ("P2", failed(Severity::Minor)),
    ];
    let warned: Vec<&GateRecord> = run
        .gates
        .iter()
        .filter(|g| g.outcome == Outcome::Passed && g.warnings().next().is_some())
        .collect();
    let total: usize = classes.iter().map(|(_, g)| g.len()).sum::<usize>() + warned.len();
    let counts: Vec<String> = classes
        .iter()
        .map(|(name, gates)| {
            let extra = if *name == "P2" { warned.len() } else { 0 };
            format!("{name}: {}", gates.len() + extra)
        })
        .collect();
    let _ = writeln!(out, "\n## Issues: {total} ({})\n", counts.join(", "));
    for (name, gates) in &classes {
        for gate in gates {
            let waived = if gate.is_waived() { ", waived" } else { "" };
            let reason = gate.reason.as_deref().unwrap_or("failed");
            let _ = writeln!(out, "- {name} `{}`{waived}: {}", gate.id, Text(reason));
        }
    }
    for gate in warned {
        for check in gate.warnings() {
            let _ = writeln!(
                out,
                "- P2 `{}`: {} {}",
                gate.id,
                Text(&check.subject),
                Text(&check.message)
            );
        }
    }
    if total == 0 {
        let _ = writeln!(out, "None of the gates that ran failed or warned.");
    }
}

fn people(out: &mut String, run: &Run) {
    let accepted: Vec<_> = run.signoffs.iter().filter(|s| s.accepted).collect();
    if !accepted.is_empty() {
        let _ = writeln!(
            out,
            "\n## Signatures\n\n| role | who | says | when |\n|---|---|---|---|"
        );
    }
    for signed in &accepted {
        let says = match signed.decision {
            SignDecision::Approve => "approves",
            SignDecision::Reject => "rejects",
        };
        let _ = writeln!(
            out,
            "| {} | {} | {says} | {} |",
            Text(&signed.role),
            Text(&signed.principal),
            minute(signed.issued)
        );
    }
    let answers: Vec<(&String, &String, &str)> = accepted
        .iter()
        .flat_map(|s| {
            s.answers
                .iter()
                .map(|(id, text)| (id, text, s.principal.as_str()))
        })
        .collect();
    if !answers.is_empty() {
        let _ = writeln!(out, "\n## In the words of the signers\n");
    }
    for (id, text, who) in answers {
        let _ = writeln!(out, "- `{}`: {} ({})", Text(id), Text(text), Text(who));
    }
    if !run.waivers.is_empty() {
        let _ = writeln!(out, "\n## Waivers\n");
    }
    for waiver in &run.waivers {
        let _ = writeln!(
            out,
            "- {} until {}: {}",
            Text(&waiver.covers),
            minute(waiver.expires),
            Text(&waiver.reason)
        );
    }
}

fn timeline(out: &mut String, history: &Timeline) {
    let mut rows: Vec<(Timestamp, String)> = Vec::new();
    let mut add = |at: Option<Timestamp>, what: String| rows.extend(at.map(|at| (at, what)));
    add(history.opened, "release opened".to_owned());
    for verdict in &history.verdicts {
        let stages = verdict.stages.join(", ");
        add(
            Some(verdict.at),
            format!("verdict {} {stages}", verdict.verdict),
        );
    }
    for (at, what) in &history.window {
        add(Some(*at), format!("window {what}"));
    }
    for deployment in &history.deployments {
        add(Some(deployment.started), "deployment started".to_owned());
        add(deployment.finished, "deployment finished".to_owned());
    }
    for breach in &history.breaches {
        let gates = breach.gates.join(", ");
        add(Some(breach.suspected), format!("breach suspected: {gates}"));
        add(breach.confirmed, format!("breach confirmed: {gates}"));
        add(breach.cleared, format!("breach cleared: {gates}"));
    }
    if let Some(decision) = &history.decision {
        let reasons = decision.reasons.join("; ");
        add(
            Some(decision.at),
            format!("decision: {} {reasons}", decision.decision),
        );
    }
    if let Some(rollback) = history.rollback {
        add(Some(rollback.started), "rollback started".to_owned());
        add(rollback.finished, "rollback finished".to_owned());
    }
    add(history.accepted, "accepted".to_owned());
    add(history.closed, "closed".to_owned());
    rows.sort_by_key(|(at, _)| *at);
    let _ = writeln!(out, "\n## Timeline\n\n| UTC | |\n|---|---|");
    for (at, what) in rows {
        let _ = writeln!(
            out,
            "| {} | {} |",
            at.strftime("%Y-%m-%d %H:%M:%S"),
            Text(what.trim())
        );
    }
    if let Some(within) = &history.rollback_within {
        let _ = writeln!(out, "\n{}.", Text(&within.sentence()));
    }
}

fn minute(at: Timestamp) -> String {
    super::render::minute(at)
}

fn span(duration: SignedDuration) -> String {
    Unit::Seconds.format(duration.as_secs_f64())
}
