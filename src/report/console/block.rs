//! What stands under the line of a gate: checks, errors, attempts, metrics.

use readygate_sdk::{Check, CheckOutcome, Level, count_of};

use super::{
    layout,
    pen::{Mark, Pen},
};
use crate::record::{GateRecord, Outcome, SkipReason, Waived};

/// Failed checks of a gate that are shown in full.
const CHECKS: usize = 20;
/// Lines of evidence under a check.
const DETAILS: usize = 10;
/// Lines of one text.
const LINES: usize = 6;
/// Columns of `expected`, `actual`, `where` and `fix`, with the gap.
const LABEL: usize = 10;
/// Columns before the marks of checks.
const MARGIN: usize = 4;

/// Everything under the line of a gate; empty for one that simply passed.
pub fn under(gate: &GateRecord, pen: Pen) -> Vec<String> {
    if !gate.is_selected() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    own_words(gate, pen, &mut lines);
    let shown: Vec<_> = in_order(gate, pen.verbose());
    let missing = shown.len().saturating_sub(pen.at_most(CHECKS));
    for (check, waived) in &shown[..shown.len() - missing] {
        one_check(gate, check, *waived, pen, &mut lines);
    }
    if missing > 0 {
        let more = count_of(missing as u64, "more check", "more checks");
        push_dim(
            &format!("... and {more}; see the json report"),
            pen,
            &mut lines,
        );
    }
    attempts(gate, pen, &mut lines);
    if pen.verbose() {
        metrics(gate, pen, &mut lines);
    }
    lines
}

/// Failures first, then what could not be told, what is waived, warnings, notes, and passes if
/// asked for.
fn in_order(gate: &GateRecord, verbose: bool) -> Vec<(&Check, Option<&Waived>)> {
    let rank = |check: &Check, waived: bool| match (check.outcome, check.level) {
        _ if waived => 2,
        (CheckOutcome::Failed, Level::Error) => 0,
        (CheckOutcome::Unmeasured, _) => 1,
        (CheckOutcome::Failed, Level::Warning) => 3,
        (CheckOutcome::Failed, Level::Info) => 4,
        (CheckOutcome::Passed, _) => 5,
    };
    let all = gate.checks.iter().enumerate();
    let mut checks: Vec<_> = all.map(|(at, c)| (c, gate.waiver_of(at))).collect();
    checks.retain(|(check, _)| verbose || check.outcome != CheckOutcome::Passed);
    checks.sort_by_key(|(check, waived)| rank(check, waived.is_some()));
    checks
}

/// The error or the reason, where no check tells it.
fn own_words(gate: &GateRecord, pen: Pen, lines: &mut Vec<String>) {
    let says = |outcome| gate.checks.iter().any(|check| check.outcome == outcome);
    let reason = || {
        gate.reason
            .clone()
            .unwrap_or_else(|| "no reason was given".to_owned())
    };
    let (mark, text) = match gate.outcome {
        Outcome::Unmeasured => match &gate.error {
            Some(error) => (
                Mark::Unknown,
                format!("could not tell: {error} [{}]", error.kind.name()),
            ),
            None if says(CheckOutcome::Unmeasured) => return,
            None => (Mark::Unknown, format!("could not tell: {}", reason())),
        },
        Outcome::Failed if gate.failures().next().is_some() => return,
        Outcome::Failed => (Mark::of(gate), reason()),
        Outcome::Pending if gate.failures().next().is_some() => return,
        Outcome::Pending => (Mark::Pending, format!("awaits a sign-off: {}", reason())),
        Outcome::Skipped if gate.skipped == Some(SkipReason::Dependency) => {
            (Mark::Skipped, format!("not measured: {}", reason()))
        }
        Outcome::Passed | Outcome::Skipped => return,
    };
    hang(mark, &text, pen, lines);
    field("where", &gate.location.to_string(), pen, lines);
    if let Some(hint) = gate.error.as_ref().and_then(|error| error.hint.as_ref()) {
        field("fix", hint, pen, lines);
    }
}

fn one_check(
    gate: &GateRecord,
    check: &Check,
    waived: Option<&Waived>,
    pen: Pen,
    lines: &mut Vec<String>,
) {
    let mark = match (check.outcome, check.level) {
        _ if waived.is_some() => Mark::Waived,
        (CheckOutcome::Passed, _) => Mark::Passed,
        (CheckOutcome::Unmeasured, _) => Mark::Unknown,
        (CheckOutcome::Failed, Level::Error) if gate.outcome == Outcome::Pending => Mark::Pending,
        (CheckOutcome::Failed, Level::Error) if gate.severity.blocks() => Mark::Failed,
        (CheckOutcome::Failed, Level::Error | Level::Warning) => Mark::Warned,
        (CheckOutcome::Failed, Level::Info) => Mark::Noted,
    };
    let prefix = match check.outcome {
        CheckOutcome::Unmeasured if check.message.starts_with("could not tell") => "",
        CheckOutcome::Unmeasured => "could not tell: ",
        CheckOutcome::Failed if waived.is_some() => "waived: ",
        CheckOutcome::Failed if check.level == Level::Warning => "warning: ",
        CheckOutcome::Passed | CheckOutcome::Failed => "",
    };
    let text = format!("{prefix}{}{}", subject(check), check.message);
    hang_lines(mark, &with_rule(&text, &check.rule, pen), pen, lines);
    let brief = mark == Mark::Noted && !pen.verbose();
    if brief || check.outcome == CheckOutcome::Passed {
        return;
    }
    if let Some(waived) = waived {
        field("waived", &waived.terms(), pen, lines);
    }
    values(check, pen, lines);
    // The line of the gate stands in where the check has no place of its own.
    let place = check.location.as_ref().unwrap_or(&gate.location);
    field("where", &place.to_string(), pen, lines);
    if let Some(hint) = &check.hint {
        field("fix", hint, pen, lines);
    }
    details(&check.details, pen, lines);
}

/// The message with the rule behind it, which is never cut away: `readygate explain` wants it.
fn with_rule(text: &str, rule: &str, pen: Pen) -> Vec<String> {
    let room = pen.width() - MARGIN - pen.indent();
    let rule = format!("[{rule}]");
    let mut lines = pen.wrap(&format!("{text} {rule}"), room, LINES);
    if lines.last().is_some_and(|last| last.ends_with(&rule)) {
        return lines;
    }
    lines = pen.wrap(text, room.saturating_sub(layout::width(&rule) + 1), LINES);
    if let Some(last) = lines.last_mut() {
        last.push(' ');
        last.push_str(&rule);
    }
    lines
}

/// Expected and actual, unless the message has just said both.
fn values(check: &Check, pen: Pen, lines: &mut Vec<String>) {
    let said = |value: &Option<String>| {
        let mut values = value.iter();
        values.all(|value| says(&check.message, value))
    };
    if said(&check.expected) && said(&check.actual) {
        return;
    }
    if let Some(expected) = &check.expected {
        field("expected", expected, pen, lines);
    }
    if let Some(actual) = &check.actual {
        field("actual", actual, pen, lines);
    }
}

/// Whether a message holds a value as a word of its own: `exit code 10` does not say `0`.
fn says(message: &str, value: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '.');
    let mut found = message.match_indices(value);
    found.any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + value.len()..].chars().next();
        !joins(before) && !joins(after)
    })
}

/// `db1:27017: `, unless the message names it.
fn subject(check: &Check) -> String {
    if check.subject.is_empty() || readygate_sdk::mentions(&check.message, &check.subject) {
        return String::new();
    }
    format!("{}: ", check.subject)
}

fn details(details: &[String], pen: Pen, lines: &mut Vec<String>) {
    let all: Vec<&str> = details.iter().flat_map(|detail| detail.lines()).collect();
    let missing = all.len().saturating_sub(pen.at_most(DETAILS));
    let margin = MARGIN + pen.indent();
    for detail in &all[..all.len() - missing] {
        let line = pen.cut(detail, pen.width().saturating_sub(margin + 2));
        lines.push(format!(
            "{}{}",
            " ".repeat(margin),
            pen.dim(format!("| {line}").trim_end())
        ));
    }
    if missing > 0 {
        let more = count_of(missing as u64, "more line", "more lines");
        let text = format!("| ... and {more}; see the json report");
        lines.push(format!("{}{}", " ".repeat(margin), pen.dim(&text)));
    }
}

/// Why earlier attempts did not pass.
fn attempts(gate: &GateRecord, pen: Pen, lines: &mut Vec<String>) {
    let all = gate.attempts.len();
    let passed_at_once = all <= 1 || (gate.outcome == Outcome::Passed && !gate.flaky);
    if passed_at_once && !pen.verbose() {
        return;
    }
    let same = gate
        .attempts
        .iter()
        .all(|a| a.reason.is_some() && a.reason == gate.reason);
    if same && all > 1 && !pen.verbose() {
        push_dim(&format!("the same in each of {all} attempts"), pen, lines);
        return;
    }
    let mut missing = 0;
    let failed = gate
        .attempts
        .iter()
        .filter(|a| a.outcome != Outcome::Passed);
    for (shown, attempt) in failed.enumerate() {
        if shown >= pen.at_most(5) {
            missing += 1;
            continue;
        }
        let reason = attempt.reason.as_deref().unwrap_or("no reason was given");
        let outcome = word(attempt.outcome);
        let text = format!("attempt {} of {all} {outcome}: {reason}", attempt.number);
        hang_dim(&text, pen, lines);
    }
    if missing > 0 {
        let more = count_of(missing, "more attempt", "more attempts");
        push_dim(&format!("... and {more}; see the json report"), pen, lines);
    }
}

fn metrics(gate: &GateRecord, pen: Pen, lines: &mut Vec<String>) {
    let names = gate.metrics.keys().chain(gate.absent_metrics.keys());
    let column = names
        .map(|name| layout::width(name))
        .max()
        .unwrap_or(0)
        .min(40);
    let mut push = |name: &str, value: String| {
        let start = format!(
            "{}{}  ",
            " ".repeat(MARGIN + pen.indent()),
            layout::pad(name, column)
        );
        let room = pen.width().saturating_sub(layout::width(&start)).max(20);
        lines.push(format!("{start}{}", pen.cut(&value, room)));
    };
    for (name, metric) in &gate.metrics {
        let sample = metric
            .sample
            .map_or_else(String::new, |s| format!(" ({} of {})", s.hits, s.trials));
        push(name, format!("{}{sample}", metric.display()));
    }
    for (name, reason) in &gate.absent_metrics {
        push(name, format!("not measured: {reason}"));
    }
}

/// The word for an outcome in sentences.
pub const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unmeasured => "could not tell",
        other => other.name(),
    }
}

fn hang(mark: Mark, text: &str, pen: Pen, lines: &mut Vec<String>) {
    let room = pen.width() - MARGIN - pen.indent();
    hang_lines(mark, &pen.wrap(text, room, LINES), pen, lines);
}

fn hang_lines(mark: Mark, words: &[String], pen: Pen, lines: &mut Vec<String>) {
    for (at, line) in words.iter().enumerate() {
        let start = match at {
            0 => format!("{}{}", " ".repeat(MARGIN), pen.mark(mark)),
            _ => " ".repeat(MARGIN + pen.indent()),
        };
        lines.push(format!("{start}{line}"));
    }
}

/// A marked paragraph that belongs to no gate.
pub fn hang_note(mark: Mark, text: &str, pen: Pen, lines: &mut Vec<String>) {
    let indent = pen.indent();
    let words = pen.wrap(text, pen.width().saturating_sub(indent), LINES);
    for (at, line) in words.iter().enumerate() {
        let start = if at == 0 {
            pen.mark(mark)
        } else {
            " ".repeat(indent)
        };
        lines.push(format!("{start}{line}"));
    }
}

fn field(label: &str, text: &str, pen: Pen, lines: &mut Vec<String>) {
    let margin = MARGIN + pen.indent();
    let room = pen.width().saturating_sub(margin + LABEL);
    for (at, line) in pen.wrap(text, room, LINES).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let label = pen.dim(&layout::pad(label, LABEL));
        lines.push(format!("{}{label}{line}", " ".repeat(margin)));
    }
}

fn push_dim(text: &str, pen: Pen, lines: &mut Vec<String>) {
    lines.push(format!("{}{}", " ".repeat(MARGIN), pen.dim(text)));
}

fn hang_dim(text: &str, pen: Pen, lines: &mut Vec<String>) {
    for (at, line) in pen
        .wrap(text, pen.width() - MARGIN - 2, LINES)
        .iter()
        .enumerate()
    {
        let gap = if at == 0 { "" } else { "  " };
        push_dim(&format!("{gap}{line}"), pen, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_said_as_a_word_of_its_own() {
        assert!(says("latency is 61.2 ms, expected < 50 ms", "< 50 ms"));
        assert!(says("it is 61.2 ms", "61.2 ms"));
        assert!(!says("exit code 10", "0"));
        assert!(!says("it is 61.2 ms", "2 ms"));
        assert!(!says("it is 61.2 ms", "61"));
    }
}
