//! One line: its boxes, its blanks, the mark of its evidence.

use super::{
    Evidence,
    appendix::Marks,
    bind::{Answers, Status},
    derived,
    edit::Edits,
    value,
};
use crate::{
    checklist::{
        choice,
        normal::normal,
        scan::{Blank, Line, Mark, Tick},
        shape::Shape,
    },
    record::{GateRecord, SignDecision, SignoffRecord},
};

/// A line, filled in.
#[derive(Debug, Default)]
pub struct Result {
    /// With its line end.
    pub text: String,
    /// Blanks that took a value.
    pub filled: usize,
    /// An option of its choice was ticked.
    pub chosen: bool,
}

/// Fills a line in. Without answers only what people marked is taken back.
pub fn fill<'a>(
    line: &Line,
    answers: Option<&Answers<'a>>,
    evidence: Evidence<'_>,
    marks: &mut Marks<'a>,
) -> Result {
    let mut edits = Edits::default();
    let mut result = Result::default();
    let none = Answers::default();
    let answers = answers.unwrap_or(&none);
    let derived = || {
        let mut facts = answers.fills.iter();
        facts.find_map(|(fill, gate)| derived::status(fill.fact.as_deref()?, gate, evidence))
    };
    let status = answers.status().or_else(derived);
    let chosen = choose(line, answers, status, evidence);
    result.chosen = chosen.is_some();
    for (index, tick) in line.boxes.iter().enumerate() {
        let mark = match chosen {
            Some(option) if is_option(line, index) => {
                if option == index {
                    Mark::Ticked
                } else {
                    Mark::Open
                }
            }
            None if is_option(line, index) => Mark::Open,
            _ => mark_of(status),
        };
        set(line, tick, mark, &mut edits);
    }
    result.filled = fill_blanks(line, answers, evidence, &mut edits);
    let says = result.filled > 0 || result.chosen || !line.boxes.is_empty();
    let shown = answers.all();
    if says && !shown.is_empty() {
        edits.replace(end_of(line), note(status, line, &shown, marks));
    }
    result.text = edits.apply(&line.raw);
    result
}

const fn mark_of(status: Option<Status>) -> Mark {
    match status {
        Some(Status::Passed | Status::Waived(_)) => Mark::Ticked,
        Some(Status::Failed) => Mark::Crossed,
        Some(Status::Open) | None => Mark::Open,
    }
}

fn is_option(line: &Line, index: usize) -> bool {
    match line.shape {
        Shape::Choice => true,
        Shape::Item if line.leads => index > 0,
        _ => false,
    }
}

/// The box of the choice that holds: the one that an answer names, else the first when the gate
/// passed and the last when it failed.
fn choose(
    line: &Line,
    answers: &Answers<'_>,
    status: Option<Status>,
    evidence: Evidence<'_>,
) -> Option<usize> {
    let first = usize::from(line.shape != Shape::Choice);
    let options = line.options();
    if options.len() < 2 {
        return None;
    }
    let named = answers.fills.iter().find_map(|(fill, gate)| {
        let value = value::choice(fill, gate, evidence)?;
        let same = |tick: &Tick| normal(line.slice(&tick.label)) == normal(&value);
        options.iter().position(same)
    });
    let by_status = || {
        let label = |tick: &Tick| line.slice(&tick.label);
        // `□ Issues □ Connected`: the first is not what a gate that passed says.
        if choice::is_reversed(label(options.first()?), label(options.last()?)) {
            return None;
        }
        let told = answers.fills.iter().find_map(|(fill, gate)| {
            (fill.fact.as_deref() == Some("gate.status")).then(|| Status::of(gate))?
        });
        match told.or(status)? {
            Status::Waived(_) if options.len() > 2 => Some(1),
            Status::Passed | Status::Waived(_) => Some(0),
            Status::Failed => Some(options.len() - 1),
            Status::Open => None,
        }
    };
    named.or_else(by_status).map(|option| first + option)
}

/// In the manner of the document: `☑` for `□`, `[x]` for `[ ]`.
fn set(line: &Line, tick: &Tick, mark: Mark, edits: &mut Edits) {
    if tick.mark == mark {
        return;
    }
    let bracket = line.slice(&tick.span).starts_with(['[', '\\']);
    let sign = match (mark, bracket) {
        (Mark::Open, false) => "□",
        (Mark::Ticked, false) => "☑",
        (Mark::Crossed, false) => "☒",
        (Mark::Open, true) => "[ ]",
        (Mark::Ticked, true) => "[x]",
        // Markdown has no crossed box.
        (Mark::Crossed, true) => "[ ] ☒",
    };
    edits.replace(tick.span.clone(), sign);
}

fn fill_blanks(
    line: &Line,
    answers: &Answers<'_>,
    evidence: Evidence<'_>,
    edits: &mut Edits,
) -> usize {
    let signed = (line.shape == Shape::SignOff)
        .then(|| {
            answers
                .gates
                .iter()
                .find_map(|gate| signature(gate, evidence))
        })
        .flatten();
    let mut filled = 0;
    for (index, blank) in line.blanks.iter().enumerate() {
        let mut own = answers.fills.iter().filter(|(fill, _)| fill.blank == index);
        let value = own.find_map(|(fill, gate)| value::blank(fill, gate, blank, evidence));
        let value = value.or_else(|| signed.and_then(|s| signature_at(s, line, index)));
        if let Some(value) = value {
            edits.replace(blank.span.clone(), spaced(line, blank, &value));
            filled += 1;
        }
    }
    filled
}

/// A blank that a label touches (`Lag:____`) takes a space.
fn spaced(line: &Line, blank: &Blank, value: &str) -> String {
    let before = line.raw.get(..blank.span.start).unwrap_or_default();
    if before.ends_with([':', '：']) {
        format!(" {value}")
    } else {
        value.to_owned()
    }
}

/// The last signature that counts for a gate.
fn signature<'a>(gate: &GateRecord, evidence: Evidence<'a>) -> Option<&'a SignoffRecord> {
    let own = evidence.run.signoffs.iter();
    let own = own.filter(|s| s.accepted && s.gates.contains(&gate.id));
    own.max_by_key(|s| s.issued)
}

/// Name and key in the first blank, the date in one that asks for it, else behind the name.
fn signature_at(signed: &SignoffRecord, line: &Line, index: usize) -> Option<String> {
    let date = value::day(signed.issued);
    let asks = |blank: &Blank| {
        matches!(
            normal(&blank.label).as_str(),
            "date" | "signed on" | "date signed" | "التاريخ" | "تاريخ" | "بتاريخ"
        )
    };
    let blank = line.blanks.get(index)?;
    if asks(blank) {
        return Some(date);
    }
    if index > 0 {
        return None;
    }
    let rejects = match signed.decision {
        SignDecision::Approve => "",
        SignDecision::Reject => "rejected by ",
    };
    let who = value::plain(&signed.principal);
    let key = value::plain(&signed.fingerprint);
    Some(if line.blanks.iter().any(asks) {
        format!("{rejects}{who} {key}")
    } else {
        format!("{rejects}{who} {date} {key}")
    })
}

/// Where notes go: the end of the line, inside of a table row.
fn end_of(line: &Line) -> std::ops::Range<usize> {
    let content = line.content().trim_end();
    let inside = content.strip_suffix('|').filter(|c| c.contains('|'));
    let end = inside.map_or(content.len(), |c| c.trim_end().len());
    end..end
}

fn note<'a>(
    status: Option<Status>,
    line: &Line,
    gates: &[&'a GateRecord],
    marks: &mut Marks<'a>,
) -> String {
    use std::fmt::Write as _;
    let mut note = String::new();
    if let (Some(Status::Waived(until)), false) = (status, line.boxes.is_empty()) {
        let _ = write!(note, " (waived until {})", value::day(until));
    }
    for gate in gates {
        let _ = write!(note, " [e{}]", marks.of(gate));
    }
    note
}
