//! The page that a person reads in a terminal or a CI log, blockers first.
//!
//! A gate that passed takes one line; one that did not says what, where, expected, actual and how
//! to fix it. Sections come in the order of their worst gate, otherwise in that of the config.

mod block;
mod layout;
mod pen;
mod waivers;

use std::cmp::Reverse;

use readygate_sdk::{Unit, count_of};

use self::pen::{Mark, Pen, duration};
use super::Style;
use crate::record::{GateRecord, Outcome, Run, Severity, SignDecision, Waived};

/// Metrics on the line of a gate that passed.
const KEY_METRICS: usize = 3;
/// Signed statements under the gates.
const SIGNOFFS: usize = 20;
/// Reasons under the verdict.
const REASONS: usize = 30;

/// Renders a sealed record.
pub fn render(run: &Run, style: &Style) -> String {
    let pen = Pen::new(style);
    let mut lines = header(run, pen);
    body(run, pen, &mut lines);
    waivers::list(run, pen, &mut lines);
    signoffs(run, pen, &mut lines);
    lines.push(String::new());
    footer(run, pen, &mut lines);
    let mut page = String::new();
    for line in lines {
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page
}

fn header(run: &Run, pen: Pen) -> Vec<String> {
    let target = &run.target;
    let mut name = target.name.clone();
    if let Some(version) = &target.version {
        name = format!("{name} {version}");
    }
    if let Some(commit) = &target.commit {
        let short: String = commit.chars().take(7).collect();
        name = format!("{name} ({short})");
    }
    let mut first = vec![format!("{} {}", run.tool.name, run.tool.version), name];
    first.extend(target.environment.clone());
    first.extend(target.url.clone());
    let observed = target.observed_versions.join(", ");
    if !observed.is_empty() {
        first.push(format!("reports version {observed}"));
    }
    let first = pen.join(&first, pen.width());
    let mut lines: Vec<_> = first.iter().map(|line| pen.bold(line)).collect();
    lines.extend(pen.join(&selection(run), pen.width()));
    lines
}

/// `stage pre-deploy`, `7 gates selected of 12`.
fn selection(run: &Run) -> Vec<String> {
    let chosen = &run.selection;
    let named = [
        ("stage", &chosen.stages),
        ("tag", &chosen.tags),
        ("only", &chosen.only),
        ("without", &chosen.skip),
    ];
    let mut parts: Vec<_> = named
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {}", values.join(", ")))
        .collect();
    let selected = run.gates.iter().filter(|gate| gate.is_selected()).count();
    let gates = count_of(selected as u64, "gate", "gates");
    parts.push(format!("{gates} selected of {}", run.gates.len()));
    parts.extend(
        run.config
            .trusted
            .as_ref()
            .map(|t| format!("policy of {t}")),
    );
    parts
}

fn body(run: &Run, pen: Pen, lines: &mut Vec<String>) {
    let shown = |gate: &&GateRecord| gate.is_selected() || pen.verbose();
    let gates: Vec<_> = run.gates.iter().filter(shown).collect();
    let columns = Columns::of(&gates, pen);
    let has_sections = gates.iter().any(|gate| gate.section.is_some());
    for (section, gates) in sections(&gates) {
        lines.push(String::new());
        if has_sections {
            let heading = section.unwrap_or("Other gates");
            lines.push(pen.bold(&pen.cut(heading, pen.width())));
        }
        for gate in gates {
            columns.gate(gate, pen, lines);
            lines.extend(block::under(gate, pen));
        }
    }
    let left = run.gates.len() - gates.len();
    if left > 0 {
        let text = format!("{} not selected", count_of(left as u64, "gate", "gates"));
        lines.push(String::new());
        lines.push(format!("{}{}", pen.mark(Mark::Skipped), pen.dim(&text)));
    }
}

/// Every statement that was looked at, those that count first.
fn signoffs(run: &Run, pen: Pen, lines: &mut Vec<String>) {
    if run.signoffs.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(pen.bold("Sign-offs"));
    let mut signoffs: Vec<_> = run.signoffs.iter().collect();
    signoffs.sort_by_key(|s| !s.accepted);
    let missing = signoffs.len().saturating_sub(pen.at_most(SIGNOFFS));
    for signoff in &signoffs[..signoffs.len() - missing] {
        let mark = match (signoff.accepted, signoff.decision) {
            (true, SignDecision::Approve) => Mark::Passed,
            (true, SignDecision::Reject) => Mark::Failed,
            (false, _) => Mark::Noted,
        };
        let room = pen.width().saturating_sub(pen.indent());
        for (at, text) in pen.wrap(&signoff.sentence(), room, 4).iter().enumerate() {
            lines.push(match at {
                0 => format!("{}{text}", pen.mark(mark)),
                _ => format!("{}{text}", " ".repeat(pen.indent())),
            });
        }
    }
    if missing > 0 {
        let more = count_of(missing as u64, "more statement", "more statements");
        lines.push(format!("  ... and {more}; see the json report"));
    }
}

/// Gates by section; the worst first, in and among them.
fn sections<'a>(gates: &[&'a GateRecord]) -> Vec<(Option<&'a str>, Vec<&'a GateRecord>)> {
    let mut sections: Vec<(Option<&str>, Vec<&GateRecord>)> = Vec::new();
    for gate in gates {
        let name = gate.section.as_deref();
        match sections.iter_mut().find(|(section, _)| *section == name) {
            Some((_, gates)) => gates.push(gate),
            None => sections.push((name, vec![gate])),
        }
    }
    for (_, gates) in &mut sections {
        gates.sort_by_key(|gate| urgency(gate));
    }
    sections.sort_by_key(|(_, gates)| gates.first().map(|gate| urgency(gate)));
    sections
}

/// Small is urgent: what blocks, then what awaits someone, then what only warns.
fn urgency(gate: &GateRecord) -> (u8, Reverse<Severity>) {
    let blocks = gate.severity.blocks();
    let rank = match gate.standing() {
        Outcome::Failed if blocks => 0,
        _ if !gate.is_selected() => 7,
        Outcome::Unmeasured | Outcome::Skipped if blocks => 1,
        Outcome::Pending => 2,
        Outcome::Failed => 3,
        Outcome::Unmeasured | Outcome::Skipped => 4,
        Outcome::Passed if Mark::of(gate) != Mark::Passed => 5,
        Outcome::Passed => 6,
    };
    // Among what passed, the order of the config reads better than the weight.
    let severity = if rank < 5 {
        gate.severity
    } else {
        Severity::Info
    };
    (rank, Reverse(severity))
}

/// The columns of the gates' own lines.
struct Columns {
    id: usize,
    title: usize,
}

impl Columns {
    fn of(gates: &[&GateRecord], pen: Pen) -> Self {
        let widest = |text: fn(&GateRecord) -> &str, most: usize| {
            let widths = gates.iter().map(|gate| layout::width(text(gate)));
            widths.max().unwrap_or(0).min(most)
        };
        Self {
            id: widest(|gate| &gate.id, pen.width() / 3),
            title: widest(|gate| &gate.title, pen.width() * 2 / 5),
        }
    }

    /// The line of a gate. A note that does not fit beside goes below, after the key metrics of a
    /// pass were dropped one by one.
    fn gate(&self, gate: &GateRecord, pen: Pen, lines: &mut Vec<String>) {
        let id = layout::pad(&gate.id, self.id);
        let used = pen.indent() + layout::width(&id) + 2;
        let start = format!("{}{}  ", pen.mark(Mark::of(gate)), pen.bold(&id));
        let room = pen.width().saturating_sub(used + self.title + 2);
        let fits = (0..=KEY_METRICS).rev().find_map(|most| {
            let lines = pen.join(&notes(gate, most), room.max(1));
            <[String; 1]>::try_from(lines)
                .ok()
                .filter(|[note]| layout::width(note) <= room)
        });
        if let Some([note]) = fits {
            let title = layout::pad(&pen.cut(&gate.title, self.title), self.title);
            lines.push(format!("{start}{title}  {}", pen.dim(&note)));
            return;
        }
        let title = pen.cut(
            &gate.title,
            pen.width().saturating_sub(used).max(self.title),
        );
        lines.push(format!("{start}{title}"));
        for note in pen.join(&notes(gate, KEY_METRICS), pen.width() - 4) {
            lines.push(format!("    {}", pen.dim(&note)));
        }
    }
}

/// What stands right of the title.
fn notes(gate: &GateRecord, metrics: usize) -> Vec<String> {
    let mut parts = Vec::new();
    if gate.outcome == Outcome::Passed {
        if gate.flaky {
            parts.push(gate.passed_how());
        }
        let warnings = gate.warnings().count() as u64;
        if warnings > 0 {
            parts.push(count_of(warnings, "warning", "warnings"));
        }
        parts.extend(key_metrics(gate, metrics));
    } else if gate.is_selected() {
        parts.push(match first_to_end(gate).filter(|_| gate.is_waived()) {
            Some(waived) => waived_note(waived),
            None => block::word(gate.standing()).to_owned(),
        });
        parts.push(gate.severity.name().to_owned());
        parts.extend(gate.owner.clone());
    } else {
        parts.push(
            gate.reason
                .clone()
                .unwrap_or_else(|| "not selected".to_owned()),
        );
    }
    if gate.outcome != Outcome::Skipped {
        parts.push(duration(gate.duration_s));
    }
    parts
}

/// The waiver that the gate loses first.
fn first_to_end(gate: &GateRecord) -> Option<&Waived> {
    gate.waived.iter().min_by_key(|waived| waived.until)
}

/// `waived until 2026-12-31 (SHOP-12)`
fn waived_note(waived: &Waived) -> String {
    let until = crate::waiver::until(waived.until);
    match &waived.ticket {
        Some(ticket) => format!("waived until {until} ({ticket})"),
        None => format!("waived until {until}"),
    }
}

/// The first metrics that the gate sets expectations on.
fn key_metrics(gate: &GateRecord, most: usize) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for check in &gate.checks {
        let name = check.rule.strip_prefix("expect/");
        names.extend(name.filter(|name| !names.contains(name)));
    }
    let shown = names.into_iter().filter_map(|name| {
        let metric = gate.metrics.get(name)?;
        let value = metric.display();
        // `961 passed` reads as a sentence, `6 nodes.online` does not.
        let counts = metric.unit == Unit::Count && !name.contains('.');
        Some(if counts {
            format!("{value} {name}")
        } else {
            format!("{name} {value}")
        })
    });
    shown.take(most).collect()
}

fn footer(run: &Run, pen: Pen, lines: &mut Vec<String>) {
    let indent = layout::width(run.verdict.name()) + 2;
    let room = pen.width().saturating_sub(indent);
    for (at, part) in pen.join(&numbers(run), room).iter().enumerate() {
        lines.push(match at {
            0 => format!("{}  {part}", pen.verdict(run.verdict)),
            _ => format!("{}{part}", " ".repeat(indent)),
        });
    }
    if let Some(signal) = &run.interrupted {
        lines.push(format!("  interrupted by {signal}; this report is partial"));
    }
    let reasons = reasons(run);
    let missing = reasons.len().saturating_sub(pen.at_most(REASONS));
    for reason in &reasons[..reasons.len() - missing] {
        for (at, line) in pen.wrap(reason, pen.width() - 4, 3).iter().enumerate() {
            lines.push(format!("{}{line}", if at == 0 { "  " } else { "    " }));
        }
    }
    if missing > 0 {
        let more = count_of(missing as u64, "more reason", "more reasons");
        lines.push(format!("  ... and {more}; see the json report"));
    }
}

/// The reasons of the record, the most urgent gate first; each starts with the id of its gate.
fn reasons(run: &Run) -> Vec<&String> {
    let gate_of = |reason: &str| {
        let id = reason.split_once(" (").map(|(id, _)| id);
        run.gates.iter().find(|gate| Some(gate.id.as_str()) == id)
    };
    let mut reasons: Vec<_> = run.reasons.iter().collect();
    reasons.sort_by_cached_key(|reason| {
        let urgency = gate_of(reason).map(urgency);
        (urgency.is_none(), urgency)
    });
    reasons
}

/// `1 failed`, `5 passed`, ...: what is zero is left out, but for the passes.
fn numbers(run: &Run) -> Vec<String> {
    let counts = &run.counts;
    let minor = |gate: &&GateRecord| gate.standing() == Outcome::Failed && !gate.severity.blocks();
    let minor = run.gates.iter().filter(minor).count();
    let failed = counts.failed.saturating_sub(minor + counts.waived);
    let all = [
        (failed, "failed"),
        (minor, "failed without blocking"),
        (counts.waived, "waived"),
        (counts.unmeasured, "could not tell"),
        (counts.pending, "pending"),
        (counts.passed, "passed"),
        (counts.flaky, "flaky"),
        (counts.skipped, "skipped"),
    ];
    let mut parts: Vec<_> = all
        .iter()
        .filter(|(count, what)| *count > 0 || *what == "passed")
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if counts.warnings > 0 {
        parts.push(count_of(counts.warnings as u64, "warning", "warnings"));
    }
    let took = run.finished.duration_since(run.started).as_secs_f64();
    parts.push(duration(took));
    parts.push(format!("exit code {}", run.exit_code));
    parts
}
