//! The verdict vector: what the signer was shown of each gate, and whether it has got worse.
//!
//! Timings change with every run; statuses seldom do. So statuses are what a signature binds.

use readygate_sdk::{Masker, defang};
use serde::{Deserialize, Serialize};

use super::statement::sha256;
use crate::{
    config::Gate,
    record::{GateRecord, Outcome, Run, SkipReason, Verdict},
};

/// How a gate ended, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Passed.
    Passed,
    /// Passed, but for failures that are waived.
    Waived,
    /// Was not part of the run.
    NotSelected,
    /// Could not be told, or not be tried.
    Unmeasured,
    /// Failed.
    Failed,
}

impl Status {
    /// Of a gate.
    pub fn of(gate: &GateRecord) -> Self {
        match gate.standing() {
            Outcome::Passed if gate.is_waived() => Self::Waived,
            Outcome::Passed => Self::Passed,
            Outcome::Failed => Self::Failed,
            Outcome::Skipped if gate.skipped == Some(SkipReason::NotSelected) => Self::NotSelected,
            Outcome::Unmeasured | Outcome::Skipped | Outcome::Pending => Self::Unmeasured,
        }
    }

    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Waived => "waived",
            Self::NotSelected => "not-selected",
            Self::Unmeasured => "unmeasured",
            Self::Failed => "failed",
        }
    }
}

/// A gate as the signer was shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// How it ended.
    pub status: Status,
}

/// SHA-256 over the sorted lines `id TAB status`, hex.
pub fn digest(items: &[Item]) -> String {
    let line = |item: &Item| format!("{}\t{}\n", item.id, item.status.name());
    let mut lines: Vec<String> = items.iter().map(line).collect();
    lines.sort();
    sha256(lines.concat().as_bytes())
}

/// Text as it may be shown: no secrets, nothing that a terminal obeys.
pub fn shown(text: &str, masker: &Masker) -> String {
    defang(&masker.mask(text))
}

/// The gates that a sign-off speaks for: those it lists, else those of its section, else all.
/// Sign-offs are no evidence.
pub fn scope<'r>(signoff: &Gate, gates: &[&Gate], run: &'r Run) -> Vec<&'r GateRecord> {
    let Some(config) = signoff.signoff() else {
        return Vec::new();
    };
    let measured = |record: &&GateRecord| record.probe != readygate_signoff::ID;
    let records = || run.gates.iter().filter(measured);
    if !config.items.is_empty() {
        return records().filter(|r| config.items.contains(&r.id)).collect();
    }
    let section = signoff.section.as_ref().filter(|_| !config.is_final);
    let has_section = |gate: &&Gate| gate.signoff().is_none() && gate.section.as_ref() == section;
    if section.is_some() && gates.iter().any(has_section) {
        let of_section = records().filter(|r| r.section.as_ref() == section);
        return of_section.collect();
    }
    records().collect()
}

/// Why the verdict that the signer was shown is no longer one: a sentence. A signer who was shown GO
/// has not seen that a blocking gate stands on a waiver, in whatever section it is. What is worse
/// than that keeps the release from going by itself.
pub fn outdated(seen: &str, run: &Run) -> Option<String> {
    let all = [
        Verdict::Go,
        Verdict::GoWithWaivers,
        Verdict::NoGo,
        Verdict::Inconclusive,
        Verdict::Pending,
    ];
    if !all.iter().any(|verdict| verdict.name() == seen) {
        return Some(format!(
            "the signer was shown `{seen}`, which is no verdict"
        ));
    }
    let waived = |gate: &&GateRecord| gate.severity.blocks() && gate.is_waived();
    let gate = run.gates.iter().find(waived)?;
    (seen == Verdict::Go.name()).then(|| {
        format!(
            "it is stale: {} is waived now, and the verdict was {seen} when it was signed",
            gate.id
        )
    })
}

/// Whether the clock alone says how a gate ended. A window opens and closes by itself: what the
/// signer was shown of it is no evidence, and it is looked at anew each time. A waiver is a person's
/// word, and what was held back was not looked at.
pub fn is_by_the_clock(gate: &GateRecord) -> bool {
    let was_looked_at = gate.outcome != Outcome::Skipped;
    gate.probe == readygate_window::ID && was_looked_at && !gate.is_waived()
}

/// Why what was shown then is no longer what is: a sentence for the first gate that is worse. A
/// window that closed keeps from GO by itself, and nobody has to sign anew for it.
pub fn worse(seen: &[Item], now: &[&GateRecord]) -> Option<String> {
    let mut evidence = now.iter().filter(|gate| !is_by_the_clock(gate));
    evidence.find_map(|gate| {
        let then = seen.iter().find(|item| item.id == gate.id);
        let then = then.map_or(Status::NotSelected, |item| item.status);
        let now = Status::of(gate);
        // Who was not shown a gate has not seen a failure of it, waived or not.
        let unseen = then == Status::NotSelected && now == Status::Waived;
        (now > then || unseen).then(|| {
            format!(
                "it is stale: {} is {} now, and was {} when it was signed",
                gate.id,
                now.name(),
                then.name()
            )
        })
    })
}
