//! What a run by a trusted ref says of the policy in the working tree, which it does not use.

use std::{fmt::Write as _, fs, path::PathBuf};

use readygate_sdk::{count_of, defang};

use super::{Documents, Origin, diff};

/// Changes that are listed; `readygate diff-policy` lists all.
const MOST: usize = 20;

/// Which ref decides, and how the working tree's policy differs. `None` for the working tree itself.
pub fn notice(reference: &str, origin: &Origin, paths: &[PathBuf]) -> Option<String> {
    let trusted = origin.record()?;
    let short: String = trusted.commit.chars().take(7).collect();
    let mut out = format!("policy: {reference} ({short}) decides");
    // What is wrong with the trusted policy itself, the run is about to say.
    let Ok(base) = Documents::read(reference, origin, paths) else {
        return Some(out);
    };
    // A link to a pipe or a device in the working tree could keep the run waiting.
    let odd = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| !found.is_file());
    if paths.iter().any(odd) {
        out += "; the one in the working tree is not a regular file";
        return Some(out);
    }
    let Ok(head) = Documents::read("the working tree", &Origin::Disk, paths) else {
        out += "; the one in the working tree is not readable";
        return Some(out);
    };
    let diff = diff::diff(&base, &head);
    if diff.changes.is_empty() {
        return Some(out);
    }
    let _ = write!(
        out,
        "; the one in the working tree differs and is not used: {}",
        diff::sum(&diff)
    );
    for change in diff.changes.iter().take(MOST) {
        let line = defang(&diff::one_line(change));
        let _ = write!(out, "\n  {:<9} {line}", change.weight.name());
    }
    if let Some(more @ 1..) = diff.changes.len().checked_sub(MOST) {
        let more = count_of(more as u64, "more", "more");
        let _ = write!(
            out,
            "\n  ... and {more}: readygate diff-policy {reference}: ."
        );
    }
    Some(out)
}
