//! Which item of the dictionary a line says.

use super::section::Part;
use crate::checklist::{
    dictionary::{self, Item, Kind, On, Section, words},
    scan::Line,
    shape::{self, Shape},
};

/// An item that a line says.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    /// Where it stands in the dictionary.
    pub section: &'static Section,
    /// The item.
    pub item: &'static Item,
    /// 1 for the words of the dictionary and nothing else.
    pub score: f64,
}

/// In its own section a line needs fewer words.
const AT_HOME: f64 = 0.65;
const ELSEWHERE: f64 = 0.75;

/// What kind of line it is for the dictionary.
pub fn on(line: &Line) -> Option<On> {
    Some(match line.shape {
        Shape::Item => On::Item,
        Shape::Choice => On::Choice,
        Shape::Fill => On::Fill,
        Shape::Fact => On::Fact,
        Shape::Command | Shape::Comment => On::Command,
        _ => return None,
    })
}

/// What a line is about: its text, or the words before its first box or blank.
pub fn subject(line: &Line) -> String {
    let of_blanks = || {
        let labels: Vec<&str> = line.blanks.iter().map(|b| b.label.as_str()).collect();
        labels
            .iter()
            .filter(|l| !l.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let context = || line.context.as_deref().unwrap_or_default().to_owned();
    match line.shape {
        Shape::Choice => {
            let first = line.boxes.first().map_or(0, |b| b.span.start);
            let before = line.content().get(..first).unwrap_or_default();
            let label = before.split('_').next().unwrap_or_default();
            let label = label
                .trim()
                .trim_end_matches([':', '：', ' '])
                .replace("**", "");
            if label.is_empty() { context() } else { label }
        }
        // `1. ____ (Owner: ____)` is about what stands above it.
        Shape::Fill if line.blanks.first().is_some_and(|b| b.label.is_empty()) => context(),
        Shape::Fill => of_blanks(),
        Shape::Fact => {
            let fact = shape::fact(&line.text);
            fact.map_or_else(|| line.text.clone(), |(label, _)| label.to_owned())
        }
        Shape::Command | Shape::Comment => line.content().trim().to_owned(),
        _ => line.text.clone(),
    }
}

/// The item that a line says best.
pub fn best(line: &Line, part: &Part) -> Option<Match> {
    if let Some(pinned) = line.pin.as_deref().and_then(dictionary::item) {
        return Some(Match {
            section: pinned.0,
            item: pinned.1,
            score: 1.0,
        });
    }
    let on = on(line)?;
    let subject = words(&subject(line));
    let mut best: Option<(f64, Match)> = None;
    for section in dictionary::sections().ok()? {
        let home = part.known.is_some_and(|known| known.key == section.key);
        // Commands and facts mean something only where the dictionary expects them.
        if !home && matches!(on, On::Command | On::Fact) {
            continue;
        }
        for item in section.items.iter().filter(|i| i.is_on(on)) {
            let raw = item.score(&subject);
            let score = match on {
                On::Command if raw > 0.0 => 0.5 + raw / 2.0,
                _ => raw,
            };
            let enough = if home { AT_HOME } else { ELSEWHERE };
            // An alias is a second name at home; elsewhere the item itself is meant.
            let meant = home || !matches!(item.kind, Kind::Alias | Kind::Private);
            let rank = score + if home { 0.3 } else { 0.0 };
            if score >= enough && meant && best.as_ref().is_none_or(|(r, _)| rank > *r) {
                best = Some((
                    rank,
                    Match {
                        section,
                        item,
                        score,
                    },
                ));
            }
        }
    }
    best.map(|(_, found)| found)
}
