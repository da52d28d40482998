//! An approval against the record that it counts in: what was signed is what is on record. Pure.

use readygate_sdk::defang;

use crate::{
    record::{GATED, GateRecord, Run, SignoffRecord},
    signoff::{
        statement::Statement,
        vector::{self, Status},
    },
};

/// What stands in a record for a secret.
const MASK: &str = "***";
/// The shortest start of a hash that names a commit.
const SHORTEST: usize = 7;

/// Says what the record claims beyond what was signed.
///
/// # Errors
/// One sentence.
pub fn agree(statement: &Statement, record: &SignoffRecord, run: &Run) -> Result<(), String> {
    subject(statement, record, run)?;
    stages(statement, run)?;
    gates(statement, record)?;
    answers(statement, record)?;
    evidence(statement, record, run)
}

/// The artifact where one is known, whatever commit it is of, else the commit. That another commit is
/// the same release is the record's word; [`moved`] tells of it.
fn subject(statement: &Statement, record: &SignoffRecord, run: &Run) -> Result<(), String> {
    if let Some(artifact) = &run.target.artifact {
        let now = artifact.strip_prefix("sha256:").unwrap_or(artifact);
        return match statement.artifact() {
            Some(then) if then == now => Ok(()),
            then => Err(format!(
                "it is for artifact {}, the record is of {now}",
                then.unwrap_or("none")
            )),
        };
    }
    let (then, now) = (statement.commit(), run.target.commit.as_deref());
    let taken = then.is_some() && record.commit.as_deref() == then;
    if taken || then.zip(now).is_some_and(|(then, now)| is_same(then, now)) {
        return Ok(());
    }
    let name = |commit: Option<&str>| commit.unwrap_or("none").to_owned();
    Err(format!(
        "it is for commit {}, the record is of {}",
        name(then),
        name(now)
    ))
}

/// The commit that was signed, where it is another than that of the record and nothing else says that
/// the two are one release.
pub fn moved<'a>(statement: &'a Statement, run: &Run) -> Option<&'a str> {
    let then = statement.commit()?;
    let now = run.target.commit.as_deref();
    let same = now.is_some_and(|now| is_same(then, now));
    (run.target.artifact.is_none() && !same).then_some(then)
}

/// The config may name a commit by the start of its hash.
fn is_same(then: &str, now: &str) -> bool {
    let now = now.to_ascii_lowercase();
    then == now || (now.len() >= SHORTEST && then.starts_with(&now))
}

fn stages(statement: &Statement, run: &Run) -> Result<(), String> {
    let mut now = run.selection.stages.clone();
    now.sort();
    now.dedup();
    let then = &statement.predicate.stages;
    if *then == now {
        return Ok(());
    }
    let name = |stages: &[String]| match stages {
        [] => "no stage".to_owned(),
        stages => format!("stage {}", stages.join(", ")),
    };
    Err(format!(
        "it is for {}, the record is of {}",
        name(then),
        name(&now)
    ))
}

fn gates(statement: &Statement, record: &SignoffRecord) -> Result<(), String> {
    let vouched = |id: &&String| statement.predicate.gates.iter().any(|g| g.id == **id);
    match record.gates.iter().find(|id| !vouched(id)) {
        Some(id) => Err(format!("it does not vouch for {id}, the record says so")),
        None => Ok(()),
    }
}

/// A record is sealed: what a terminal would obey is made harmless, and secrets are masked.
fn answers(statement: &Statement, record: &SignoffRecord) -> Result<(), String> {
    let said = &statement.predicate.answers;
    let same = |id: &String, then: &String| {
        let now = record.answers.get(id);
        now.is_some_and(|now| *now == defang(then) || now.contains(MASK))
    };
    let changed = said.iter().find(|(id, then)| !same(id, then));
    let added = record.answers.keys().find(|id| !said.contains_key(*id));
    match changed.map(|(id, _)| id).or(added) {
        Some(id) => Err(format!("its answer to {id} is not that of the record")),
        None => Ok(()),
    }
}

/// What the signer was shown of each gate is what the record holds of it.
fn evidence(statement: &Statement, record: &SignoffRecord, run: &Run) -> Result<(), String> {
    let said = &statement.predicate;
    let listed = said.verdict.digest.get("sha256").map(String::as_str);
    if listed != Some(vector::digest(&said.items).as_str()) {
        return Err("its verdict digest is not that of the items it lists".to_owned());
    }
    // What got worse speaks against the gates that rest on it, which need not be all.
    let whole = said.gates.iter().all(|g| record.gates.contains(&g.id));
    let later = is_later(origin(&run.id), origin(&said.run));
    for item in &said.items {
        let Some(gate) = run.gates.iter().find(|gate| gate.id == item.id) else {
            return Err(format!("it lists {}, which the record lacks", item.id));
        };
        if vector::is_by_the_clock(gate) {
            continue;
        }
        let (then, now) = (item.status, Status::of(gate));
        // Somebody may have accepted the failure since.
        let waived = then == Status::Failed && now == Status::Waived;
        let better = now < then && !later && !waived;
        if better || (now > then && whole) {
            return Err(format!(
                "its signer was shown {} as {}, the record says {}",
                item.id,
                then.name(),
                now.name()
            ));
        }
    }
    Ok(())
}

/// A window that was otherwise when it was signed for. Which gate is one is the record's word.
pub fn by_the_clock<'r>(statement: &Statement, run: &'r Run) -> Option<&'r str> {
    let items = &statement.predicate.items;
    let otherwise = |gate: &&GateRecord| {
        let then = items.iter().find(|item| item.id == gate.id);
        vector::is_by_the_clock(gate) && then.is_some_and(|item| item.status != Status::of(gate))
    };
    run.gates
        .iter()
        .find(otherwise)
        .map(|gate| gate.id.as_str())
}

/// Ids begin with the time of the start.
fn is_later(now: &str, then: &str) -> bool {
    let time = |id: &str| id.split('-').next().unwrap_or_default().to_owned();
    now != then && time(now) >= time(then)
}

/// The run whose evidence it is.
fn origin(id: &str) -> &str {
    id.split_once(GATED).map_or(id, |(origin, _)| origin)
}
