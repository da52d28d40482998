//! What people are told and asked.

use super::section;
use crate::checklist::{
    dictionary::{AnswerText, Item},
    scan::{Blank, Line},
};

/// What a person should know of a gate of the dictionary.
pub fn comments(item: &Item, score: f64, measured: bool) -> Vec<String> {
    let mut comments = Vec::new();
    if score < 0.8 {
        comments.push("matched by some of its words only: check that it means this".to_owned());
    }
    if let Some(hint) = item.hint.as_ref().filter(|_| measured) {
        comments.push(format!("connect: {hint}"));
    }
    comments.extend(item.note.clone());
    if let Some(planned) = &item.planned {
        comments.push(format!(
            "planned probe: {planned}; a person answers until then"
        ));
    }
    if item.consent
        && let Some(probe) = &item.probe
    {
        comments.push(format!(
            "the probe `{probe}` can measure it, but disturbs the target: put its id under target.allow_disruptive, and here"
        ));
        comments.push(format!("  probe: {probe}"));
        comments.push("  with:".to_owned());
        let with = item.with.as_deref().unwrap_or_default();
        comments.extend(with.lines().map(|l| format!("    {l}")));
    }
    comments
}

/// What to ask the signer for a line, with the blank that the answer goes to.
pub fn questions(
    line: &Line,
    subject: &str,
    base: &str,
    given: Vec<AnswerText>,
) -> Vec<(usize, AnswerText)> {
    if !given.is_empty() {
        return given.into_iter().enumerate().collect();
    }
    let mut out = Vec::new();
    let choices = choices(line);
    let chosen = choices.len() >= 2;
    if chosen {
        out.push((
            0,
            answer(base.to_owned(), subject.to_owned(), "choice", choices),
        ));
    }
    let alone = line.blanks.len() == 1 && !chosen;
    for (index, blank) in line.blanks.iter().enumerate() {
        let name =
            || section::id_of(&blank.label, 3).unwrap_or_else(|| format!("blank-{}", index + 1));
        let id = if alone {
            base.to_owned()
        } else {
            format!("{base}.{}", name())
        };
        let label = if blank.label.is_empty() {
            subject
        } else {
            blank.label.as_str()
        };
        let unit = unit_of(blank);
        let ask = match (label, subject) {
            ("", _) => format!("Line {}", line.number),
            (label, subject) if chosen && label == subject => format!("{label}: which{unit}"),
            (label, subject) if alone || subject.contains(label) => format!("{label}{unit}"),
            (label, subject) => format!("{subject}: {label}{unit}"),
        };
        let (kind, options) = kind_of(blank);
        out.push((index, answer(id, ask, kind, options)));
    }
    out
}

fn answer(id: String, ask: String, kind: &str, choices: Vec<String>) -> AnswerText {
    AnswerText {
        id,
        ask,
        kind: kind.to_owned(),
        choices,
        max_age: None,
        optional: false,
    }
}

fn choices(line: &Line) -> Vec<String> {
    let mut choices: Vec<String> = Vec::new();
    for option in line.options() {
        let label = line
            .slice(&option.label)
            .replace("**", "")
            .trim()
            .to_owned();
        if !label.is_empty() && !choices.contains(&label) {
            choices.push(label);
        }
    }
    choices
}

fn unit_of(blank: &Blank) -> String {
    match (blank.unit.as_str(), blank.total) {
        ("", None) => String::new(),
        ("", Some(total)) => format!(" (of {total})"),
        (unit, _) => format!(" ({unit})"),
    }
}

fn kind_of(blank: &Blank) -> (&'static str, Vec<String>) {
    let hint = blank.hint.as_deref().unwrap_or_default().to_lowercase();
    let unit = blank.unit.to_lowercase();
    if matches!(hint.as_str(), "date" | "due date") {
        ("date", Vec::new())
    } else if blank.options.len() >= 2 {
        ("choice", blank.options.clone())
    } else if blank.total.is_some() || NUMERIC.contains(&unit.as_str()) {
        ("number", Vec::new())
    } else {
        ("text", Vec::new())
    }
}

/// Units of plain numbers.
const NUMERIC: &[&str] = &[
    "ms", "s", "%", "gb", "mb", "req/s", "hours", "minutes", "days", "indexes", "users", "hour",
    "minute", "day",
];
