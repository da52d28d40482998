//! Several records of one release as one: before, during and after the deployment.

use crate::record::{Run, WaiverRecord};

/// Why records do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// There is none.
    #[error("no record is given")]
    None,
    /// They are of different targets.
    #[error("the records are of different targets: `{0}` and `{1}`")]
    Targets(String, String),
    /// They are of different releases.
    #[error("the records are of different releases: `{0}` and `{1}`")]
    Releases(String, String),
    /// One belongs to a release, the other to none, and nothing shows that they are of one commit.
    #[error(
        "one record is of the release `{0}`, the other of none, and they do not name the same commit"
    )]
    NoRelease(String),
    /// They are of different commits.
    #[error("the records are of different commits: `{0}` and `{1}`")]
    Commits(String, String),
    /// They were made under different policies.
    #[error(
        "the records were made under different policies: sha256 {0} and {1}; run the gates again under one"
    )]
    Policies(String, String),
    /// The same record twice.
    #[error("the record of run `{0}` is given twice")]
    Twice(String),
}

/// Puts records together. Of a gate that several of them measured, the latest one speaks; one that
/// a run left out says nothing. Verdict, waivers and counts are those of the latest run.
///
/// # Errors
/// The records do not belong together.
pub fn combine(runs: &[Run]) -> Result<Run, CombineError> {
    let mut sorted: Vec<&Run> = runs.iter().collect();
    sorted.sort_by_key(|run| run.finished);
    let Some((last, before)) = sorted.split_last() else {
        return Err(CombineError::None);
    };
    for (at, run) in sorted.iter().enumerate() {
        for other in &sorted[at + 1..] {
            agree(run, other)?;
        }
    }
    let mut all = (*last).clone();
    for run in before.iter().rev() {
        add(&mut all, run);
    }
    let ids: Vec<&str> = sorted.iter().map(|run| run.id.as_str()).collect();
    if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(CombineError::Twice(twice[0].to_owned()));
    }
    all.id = ids.join("+");
    Ok(all)
}

fn agree(run: &Run, last: &Run) -> Result<(), CombineError> {
    let name = |run: &Run| {
        let environment = run.target.environment.as_deref().unwrap_or_default();
        format!("{} {environment}", run.target.name)
            .trim_end()
            .to_owned()
    };
    if name(run) != name(last) {
        return Err(CombineError::Targets(name(run), name(last)));
    }
    let commits = run.target.commit.as_ref().zip(last.target.commit.as_ref());
    let same = commits.map(|(one, other)| same_commit(one, other));
    if let (Some((one, other)), Some(false)) = (commits, same) {
        return Err(CombineError::Commits(one.clone(), other.clone()));
    }
    let (one, other) = (&run.config.sha256, &last.config.sha256);
    if !one.is_empty() && !other.is_empty() && one != other {
        return Err(CombineError::Policies(one.clone(), other.clone()));
    }
    match (&run.release, &last.release) {
        (Some(one), Some(other)) if one != other => {
            Err(CombineError::Releases(one.clone(), other.clone()))
        }
        (Some(one), None) | (None, Some(one)) if same != Some(true) => {
            Err(CombineError::NoRelease(one.clone()))
        }
        _ => Ok(()),
    }
}

/// A commit may be named by the start of its hash.
fn same_commit(one: &str, other: &str) -> bool {
    const SHORTEST: usize = 7;
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let short = one.len().min(other.len());
    one == other || (short >= SHORTEST && (one.starts_with(&other) || other.starts_with(&one)))
}

/// Adds what an earlier run knows and the later ones do not.
fn add(all: &mut Run, run: &Run) {
    for gate in &run.gates {
        match all.gates.iter_mut().find(|g| g.id == gate.id) {
            Some(known) if !known.is_selected() && gate.is_selected() => *known = gate.clone(),
            Some(_) => {}
            None => all.gates.push(gate.clone()),
        }
    }
    for signed in &run.signoffs {
        if !all.signoffs.iter().any(|s| s.sha256 == signed.sha256) {
            all.signoffs.push(signed.clone());
        }
    }
    for waiver in &run.waivers {
        let same = |w: &WaiverRecord| w.covers == waiver.covers && w.expires == waiver.expires;
        if !all.waivers.iter().any(same) {
            all.waivers.push(waiver.clone());
        }
    }
    if all.target.observed_versions.is_empty() {
        all.target
            .observed_versions
            .clone_from(&run.target.observed_versions);
    }
    all.release = all.release.take().or_else(|| run.release.clone());
}
