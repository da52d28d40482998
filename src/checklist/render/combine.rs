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
    let mut all = (*last).clone();
    for run in before.iter().rev() {
        agree(run, last)?;
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
    match (&run.release, &last.release) {
        (Some(one), Some(other)) if one != other => {
            Err(CombineError::Releases(one.clone(), other.clone()))
        }
        _ => Ok(()),
    }
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
