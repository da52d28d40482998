//! The evidence, at the end of the document.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{
    Claim, Evidence,
    bind::Status,
    undo::{self, BEGIN},
    value::{minute, plain},
};
use crate::{
    checklist::scan::Document,
    record::{GateRecord, Run, SignDecision},
};
use readygate_sdk::{Check, CheckOutcome};

/// Most that one row says.
const MOST: usize = 200;

/// The marks given out, in order.
#[derive(Debug, Default)]
pub struct Marks<'a> {
    gates: Vec<&'a GateRecord>,
}

impl<'a> Marks<'a> {
    /// The number of a gate.
    pub fn of(&mut self, gate: &'a GateRecord) -> usize {
        let known = self.gates.iter().position(|g| g.id == gate.id);
        known.map_or_else(
            || {
                self.gates.push(gate);
                self.gates.len()
            },
            |index| index + 1,
        )
    }
}

/// The filled-in lines, the evidence, and the account of what was changed.
pub fn finish(
    document: &Document,
    lines: &[String],
    marks: &Marks<'_>,
    evidence: Evidence<'_>,
    claims: &[Claim],
    original: &str,
) -> String {
    let mut out = lines.concat();
    if !out.ends_with('\n') {
        out.push('\n');
    }
    if document.open_fence.is_some() {
        let fence = document.lines.iter().rev().find_map(|l| l.fence.as_ref());
        out += &fence.map_or_else(|| "```".to_owned(), |f| f.closing());
        out.push('\n');
    }
    out += BEGIN;
    out += "\n\n";
    out += &head(evidence);
    out += &table(marks);
    out += &hand(claims);
    out += &signatures(evidence.run);
    out += &waivers(evidence.run);
    out += "\n";
    out + &undo::account(&evidence.run.id, original, document, lines)
}

fn head(evidence: Evidence<'_>) -> String {
    let mut out = "## Evidence\n\n".to_owned();
    let parts = evidence.parts;
    let runs = if parts.is_empty() {
        std::slice::from_ref(evidence.run)
    } else {
        parts
    };
    for run in runs {
        let _ = writeln!(out, "- **{}**: {}", run.verdict.name(), facts(run));
    }
    out + "\n☑ shown by evidence · ☒ shown not to be so · □ not verified\n\n"
}

fn facts(run: &Run) -> String {
    let target = &run.target;
    let mut facts = vec![format!("run `{}`", plain(&run.id))];
    if !run.selection.stages.is_empty() {
        facts.push(format!("stage {}", plain(&run.selection.stages.join(", "))));
    }
    facts.push(format!("finished {}", minute(run.finished)));
    facts.push(format!("target `{}`", plain(&target.name)));
    let named = [
        ("version", &target.version),
        ("commit", &target.commit),
        ("release", &run.release),
    ];
    for (name, value) in named {
        facts.extend(value.as_ref().map(|v| format!("{name} `{}`", plain(v))));
    }
    facts.push(format!("policy sha256 `{}`", plain(&run.config.sha256)));
    facts.push(format!("readygate {}", plain(&run.tool.version)));
    facts.join(", ")
}

fn table(marks: &Marks<'_>) -> String {
    let mut out =
        "| mark | gate | says | found | measured | sha256 of the record |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (index, gate) in marks.gates.iter().enumerate() {
        let at = gate.started.map_or_else(String::new, minute);
        let _ = writeln!(
            out,
            "| e{} | `{}` | {} | {} | {at} | `{}` |",
            index + 1,
            gate.id,
            word(gate),
            found(gate),
            digest(gate),
        );
    }
    out
}

fn word(gate: &GateRecord) -> String {
    match Status::of(gate) {
        Some(Status::Waived(until)) => format!("waived until {}", super::value::day(until)),
        _ => gate.outcome.name().to_owned(),
    }
}

/// What was wanted and found, or why it is not known.
fn found(gate: &GateRecord) -> String {
    let told = |check: &Check| {
        let actual = check.actual.as_deref()?;
        let expected = check.expected.as_deref().map(|e| format!(" ({e})"));
        Some(format!(
            "{} {actual}{}",
            check.subject,
            expected.unwrap_or_default()
        ))
    };
    let expectations = gate.checks.iter().filter(|c| c.rule.starts_with("expect/"));
    let figures: Vec<String> = expectations.filter_map(told).collect();
    let passed = gate
        .checks
        .iter()
        .filter(|c| c.outcome == CheckOutcome::Passed)
        .count();
    let text = match (&gate.reason, figures.is_empty()) {
        (Some(reason), _) => reason.clone(),
        (None, false) => figures.join("; "),
        (None, true) => readygate_sdk::count_of(passed as u64, "check passed", "checks passed"),
    };
    plain(&readygate_sdk::excerpt(&text, MOST))
}

fn digest(gate: &GateRecord) -> String {
    let bytes = serde_json::to_vec(gate).unwrap_or_default();
    let digest = Sha256::digest(&bytes);
    digest
        .iter()
        .take(8)
        .fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
}

fn hand(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut out =
        "\n### Marked by hand\n\nClaims, not evidence; none of them counts.\n\n".to_owned();
    for claim in claims {
        let _ = writeln!(out, "- {}", plain(&claim.sentence()));
    }
    out
}

fn signatures(run: &Run) -> String {
    if run.signoffs.is_empty() {
        return String::new();
    }
    let mut out = "\n### Signatures\n\n| role | who | says | when | key | counts | sha256 |\n|---|---|---|---|---|---|---|\n".to_owned();
    for signed in &run.signoffs {
        let says = match signed.decision {
            SignDecision::Approve => "approves",
            SignDecision::Reject => "rejects",
        };
        let reason = signed.reason.as_deref().unwrap_or_default();
        let counts = if signed.accepted {
            "yes".to_owned()
        } else {
            format!("no: {}", plain(reason))
        };
        let _ = writeln!(
            out,
            "| {} | {} | {says} | {} | `{}`{} | {counts} | `{}` |",
            plain(&signed.role),
            plain(&signed.principal),
            minute(signed.issued),
            plain(&signed.fingerprint),
            if signed.hardware { ", touched" } else { "" },
            plain(&signed.sha256),
        );
    }
    out
}

fn waivers(run: &Run) -> String {
    if run.waivers.is_empty() {
        return String::new();
    }
    let mut out = "\n### Waivers\n\n".to_owned();
    for waiver in &run.waivers {
        let ticket = waiver.ticket.as_deref().map(|t| format!(" ({})", plain(t)));
        let _ = writeln!(
            out,
            "- {} until {}: {}{}, asked for by {}, approved by {}; covers {}",
            plain(&waiver.covers),
            minute(waiver.expires),
            plain(&waiver.reason),
            ticket.unwrap_or_default(),
            plain(&waiver.owner),
            plain(&waiver.approver),
            readygate_sdk::count_of(waiver.covered as u64, "failed check", "failed checks"),
        );
    }
    out
}
