//! Whose approvals count.

use crate::{Change, LastWord, ReviewConfig, ReviewVerdict};

/// Why an approval does or does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It counts.
    Counts,
    /// The reviewer wrote some of it.
    Author,
    /// It was given before the last push.
    Stale,
    /// The reviewer may not write to the repository.
    Outsider,
    /// The reviewer is a program.
    Bot,
    /// Whether it is current, or of a writer, cannot be told.
    Unknown(&'static str),
}

impl Standing {
    /// As it reads behind the reviewer's name.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Author => "does not count: wrote some of the change",
            Self::Stale => "does not count: given before the last push",
            Self::Outsider => "does not count: has no write access",
            Self::Bot => "does not count: a program",
            Self::Unknown(why) => why,
        }
    }
}

/// The standing of one approval.
pub(crate) fn standing(review: &LastWord, change: &Change, any_reviewer: bool) -> Standing {
    let same = |login: &String| login.eq_ignore_ascii_case(&review.reviewer);
    if same(&change.author) || change.commit_authors.iter().any(same) {
        Standing::Author
    } else if review.bot {
        Standing::Bot
    } else if review.current == Some(false) {
        Standing::Stale
    } else if review.writer == Some(false) && !any_reviewer {
        Standing::Outsider
    } else if review.current.is_none() {
        Standing::Unknown("cannot be told to be of the last push")
    } else if review.writer.is_none() && !any_reviewer {
        Standing::Unknown("cannot be told to be of a person with write access")
    } else {
        Standing::Counts
    }
}

/// Approvals that count, and those that might.
pub(crate) fn count(change: &Change, any_reviewer: bool) -> (u64, u64) {
    let approvals = change
        .reviews
        .iter()
        .filter(|r| r.verdict == ReviewVerdict::Approved);
    let standings: Vec<Standing> = approvals
        .map(|r| standing(r, change, any_reviewer))
        .collect();
    let sure = standings.iter().filter(|s| **s == Standing::Counts).count() as u64;
    let maybe = standings
        .iter()
        .filter(|s| matches!(s, Standing::Unknown(_)))
        .count() as u64;
    (sure, maybe)
}

/// Reviewers who keep it back. An author cannot keep their own change back, nor can a program that
/// nobody listens to; anybody else can.
pub(crate) fn objections(change: &Change, config: &ReviewConfig) -> Vec<String> {
    let asks = change
        .reviews
        .iter()
        .filter(|r| r.verdict == ReviewVerdict::ChangesRequested);
    let counted = asks.filter(|r| config.any_reviewer || r.writer != Some(false));
    counted.map(|r| r.reviewer.clone()).collect()
}
