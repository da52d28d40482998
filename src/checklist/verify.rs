//! Finds edits that were made to a checklist after it was filled in. Pure.

use super::render::{Evidence, RestoreError, fill, line_hash, restore};

/// A line that is not as it was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Line of the document at hand, from 1.
    pub line: usize,
    /// What it says now; `None` for lines that are missing.
    pub now: Option<String>,
    /// What it said, where that is known; `None` for a line that was added.
    pub was: Option<String>,
}

impl Difference {
    /// One line for people.
    pub fn sentence(&self) -> String {
        let at = self.line;
        match (&self.now, &self.was) {
            (Some(now), Some(was)) => {
                format!("line {at} was edited\n  filled in: {was}\n  now:       {now}")
            }
            (Some(now), None) => format!("line {at} was added or edited: {now}"),
            (None, Some(was)) => format!("line {at}: missing: {was}"),
            (None, None) => format!("line {at}: lines are missing here"),
        }
    }
}

/// Why a document cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It holds no evidence.
    #[error(
        "the document was not filled in by readygate, or its evidence was removed: there is nothing to compare"
    )]
    NotFilledIn,
    /// It was filled in from another record.
    #[error(
        "the document was filled in from the run `{found}`, the record is of the run `{given}`"
    )]
    OtherRun {
        /// Named in the document.
        found: String,
        /// Of the record.
        given: String,
    },
    /// Its own account was edited.
    #[error(transparent)]
    Account(#[from] RestoreError),
}

/// Compares a filled-in document with what the record gives. With the `original` at hand, edits of
/// lines that filling in did not touch are found with what they said.
///
/// # Errors
/// There is nothing to compare.
pub fn verify(
    text: &str,
    original: Option<&str>,
    evidence: Evidence<'_>,
) -> Result<Vec<Difference>, VerifyError> {
    let restored = restore(text)?;
    let run = restored.run.as_deref().ok_or(VerifyError::NotFilledIn)?;
    if run != evidence.run.id {
        return Err(VerifyError::OtherRun {
            found: run.to_owned(),
            given: evidence.run.id.clone(),
        });
    }
    let base = original.or(restored.intact.then_some(restored.text.as_str()));
    if let Some(base) = base {
        return Ok(compare(text, &fill(base, evidence)?.text));
    }
    Ok(by_hash(&restored.lines, &restored.hashes))
}

/// Line by line where both have as many, else what lies between the common ends.
fn compare(now: &str, wanted: &str) -> Vec<Difference> {
    let (now, wanted): (Vec<&str>, Vec<&str>) = (now.lines().collect(), wanted.lines().collect());
    let (start, end) = ends(&now, &wanted, |a, b| a == b);
    let (middle, gone) = (
        &now[start..now.len() - end],
        &wanted[start..wanted.len() - end],
    );
    let paired = middle.len() == gone.len();
    let mut found = Vec::new();
    for (index, line) in middle.iter().enumerate() {
        let was = gone.get(index).filter(|_| paired);
        if was != Some(line) {
            found.push(Difference {
                line: start + index + 1,
                now: Some((*line).to_owned()),
                was: was.map(|w| (*w).to_owned()),
            });
        }
    }
    for line in gone.iter().filter(|_| !paired) {
        found.push(Difference {
            line: start + 1,
            now: None,
            was: Some((*line).to_owned()),
        });
    }
    found
}

/// Without the original only hashes are left of lines that filling in did not touch.
fn by_hash(lines: &[String], hashes: &[String]) -> Vec<Difference> {
    let now: Vec<String> = lines.iter().map(|line| line_hash(line)).collect();
    let (start, end) = ends(&now, hashes, |a, b| a == b);
    let mut found: Vec<Difference> = (start..now.len() - end)
        .filter(|index| now.len() != hashes.len() || now[*index] != hashes[*index])
        .map(|index| Difference {
            line: index + 1,
            now: lines.get(index).map(|l| l.trim_end().to_owned()),
            was: None,
        })
        .collect();
    if now.len() < hashes.len() || found.is_empty() {
        found.push(Difference {
            line: start + 1,
            now: None,
            was: None,
        });
    }
    found
}

/// Lengths of the common start and of the common end, which do not overlap.
fn ends<T>(now: &[T], wanted: &[T], same: impl Fn(&T, &T) -> bool) -> (usize, usize) {
    let start = now
        .iter()
        .zip(wanted)
        .take_while(|(a, b)| same(a, b))
        .count();
    let most = now.len().min(wanted.len()) - start;
    let tails = now.iter().rev().zip(wanted.iter().rev());
    let end = tails.take(most).take_while(|(a, b)| same(a, b)).count();
    (start, end)
}
