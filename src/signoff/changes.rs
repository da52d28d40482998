//! What changed since an earlier run, in sentences.

use super::vector::Status;
use crate::record::Run;

/// More than a person reads.
const MOST: usize = 200;

/// Differences that a signer should know of: version, commit, policy, and gates that ended otherwise.
pub fn since(before: &Run, now: &Run) -> Vec<String> {
    let mut changes = Vec::new();
    let none = || "none".to_owned();
    let mut differs = |what: &str, before: Option<&String>, now: Option<&String>| {
        if before != now {
            let (before, now) = (before.cloned(), now.cloned());
            let (before, now) = (before.unwrap_or_else(none), now.unwrap_or_else(none));
            changes.push(format!("{what}: {before} before, {now} now"));
        }
    };
    let (old, new) = (&before.target, &now.target);
    differs("version", old.version.as_ref(), new.version.as_ref());
    differs("commit", old.commit.as_ref(), new.commit.as_ref());
    differs("artifact", old.artifact.as_ref(), new.artifact.as_ref());
    let (old, new) = (&before.config.sha256, &now.config.sha256);
    differs("policy", Some(old), Some(new));
    let evidence = |run: &Run, id: &str| {
        let gate = run.gates.iter().find(|gate| gate.id == id)?;
        (gate.probe != readygate_signoff::ID).then(|| Status::of(gate))
    };
    for gate in &now.gates {
        let Some(status) = evidence(now, &gate.id) else {
            continue;
        };
        match evidence(before, &gate.id) {
            None => changes.push(format!("{}: new, {}", gate.id, status.name())),
            Some(then) if then != status => {
                let (then, now) = (then.name(), status.name());
                changes.push(format!("{}: {then} before, {now} now", gate.id));
            }
            Some(_) => {}
        }
    }
    for gate in &before.gates {
        let is_gone = now.gates.iter().all(|g| g.id != gate.id);
        if is_gone && evidence(before, &gate.id).is_some() {
            changes.push(format!("{}: removed", gate.id));
        }
    }
    if changes.len() > MOST {
        let more = changes.len() - MOST;
        changes.truncate(MOST);
        changes.push(format!("... and {more} more changes"));
    }
    changes
}
