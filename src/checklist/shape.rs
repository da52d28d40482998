//! What a line of a checklist is.

use super::{
    normal::normal,
    scan::{Blank, Tick},
};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Nothing on it.
    Empty,
    /// A heading.
    Heading,
    /// The first or last line of a fence, or a line under a heading or between sections.
    Mark,
    /// `□ Code coverage > 80%`, `- □ ✅ **SUCCESS**`, `Maintenance Page: □ Activated`.
    Item,
    /// `Restore Tested: □ Yes □ No`: one of the boxes is ticked.
    Choice,
    /// `Replication Lag: _____ ms`.
    Fill,
    /// `**Sign-off:** ____ (Dev Lead)`, `□ QA Lead: ____ Date: ____`.
    SignOff,
    /// `Error Rate: < 0.01%`: a label and what stands for it already.
    Fact,
    /// `Alerts:`: what the lines below it are about.
    Label,
    /// A command in a fence.
    Command,
    /// A comment in a fence of commands.
    Comment,
    /// Anything else.
    Text,
}

/// What is known of a line when its shape is decided.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Without the line end.
    pub content: &'a str,
    /// Where its text begins.
    pub body: usize,
    /// Its boxes.
    pub boxes: &'a [Tick],
    /// Its blanks.
    pub blanks: &'a [Blank],
    /// In a fence with a language that is a program.
    pub code: bool,
    /// In a fence of commands.
    pub shell: bool,
}

const SIGN: &[&str] = &[
    "sign off",
    "signoff",
    "signed off by",
    "signed by",
    "signature",
    "approved by",
    "approval",
    "final approval",
    "التوقيع",
    "توقيع",
    "الاعتماد",
    "اعتماد",
    "الموافقه النهاييه",
];
const DATE: &[&str] = &[
    "date",
    "signed on",
    "date signed",
    "التاريخ",
    "تاريخ",
    "بتاريخ",
];

/// Decides.
pub fn decide(seen: &Seen<'_>) -> Shape {
    let text = seen.content[seen.body..].trim();
    if text.is_empty() && seen.boxes.is_empty() {
        return Shape::Empty;
    }
    if signs(seen) {
        return Shape::SignOff;
    }
    match (seen.boxes.len(), seen.blanks.len()) {
        (0, 0) => plain(seen, text),
        (0, _) => Shape::Fill,
        (1, _) => Shape::Item,
        _ if leads(seen) => Shape::Item,
        _ => Shape::Choice,
    }
}

/// `□ Restore: □ Yes □ No`: the first box stands for the line, the others are its choice.
pub fn leads(seen: &Seen<'_>) -> bool {
    let [first, _, _, ..] = seen.boxes else {
        return false;
    };
    let label = &seen.content[first.label.clone()];
    first.span.start == seen.body && label.trim_end_matches("**").ends_with([':', '：'])
}

/// A blank after words that ask for a signature, or a name with a date.
fn signs(seen: &Seen<'_>) -> bool {
    let Some(first) = seen.blanks.first() else {
        return false;
    };
    let label = normal(&first.label);
    let asks = |w: &&str| {
        label == **w || label.starts_with(&format!("{w} ")) || label.ends_with(&format!(" {w}"))
    };
    let dated = seen.blanks.get(1..).unwrap_or_default().iter();
    let dated = dated
        .map(|b| normal(&b.label))
        .any(|l| DATE.contains(&l.as_str()));
    SIGN.iter().any(asks) || (dated && !label.is_empty())
}

fn plain(seen: &Seen<'_>, text: &str) -> Shape {
    let bare = text.replace("**", "");
    if seen.shell && text.starts_with('#') {
        return Shape::Comment;
    }
    let drawn = seen.content.trim_start().starts_with(['├', '└']);
    if seen.code && !drawn {
        let heads = bare.ends_with(':') && bare.contains(' ') && !bare.contains(['"', '=', '(']);
        return match (seen.shell, heads) {
            (true, true) => Shape::Label,
            (true, false) => Shape::Command,
            (false, _) => Shape::Text,
        };
    }
    if bare.ends_with([':', '：']) {
        return Shape::Label;
    }
    if fact(&bare).is_some() {
        Shape::Fact
    } else {
        Shape::Text
    }
}

/// The two halves of `Label: value`. An address is no label.
pub fn fact(text: &str) -> Option<(&str, &str)> {
    let (label, value) = text.split_once([':', '：'])?;
    let short = !label.is_empty() && label.chars().count() <= 60 && !label.contains(['.', '|']);
    (short && value.starts_with([' ', '\t']) && !value.trim().is_empty())
        .then(|| (label.trim(), value.trim()))
}

/// The role of a line that asks for a signature: what stands in brackets at its end, else the name
/// before the blank.
pub fn role(seen: &Seen<'_>) -> Option<String> {
    let last = seen.blanks.last()?;
    let bracket = last.hint.as_deref().filter(|_| !last.placeholder);
    let first = normal(&seen.blanks.first()?.label);
    let asks = SIGN
        .iter()
        .any(|w| first == *w || first.starts_with(&format!("{w} ")));
    if let Some(hint) = bracket.filter(|h| !h.is_empty() && !DATE.contains(&normal(h).as_str())) {
        return Some(hint.to_owned());
    }
    if asks {
        return None;
    }
    let label = &seen.blanks.first()?.label;
    let end = SIGN.iter().find_map(|w| {
        let words = label.to_lowercase().replace('-', " ");
        words.strip_suffix(w).map(str::len)
    });
    let name = end.and_then(|e| label.get(..e)).unwrap_or(label).trim();
    (!name.is_empty()).then(|| name.to_owned())
}
