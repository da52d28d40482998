//! Config and selection to the gates that will run. Nothing has been contacted yet.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use readygate_sdk::Activity;

use crate::{
    config::{Config, Gate, nearest},
    record::Selection,
};

/// Stages that every config may use; others must be used by some gate to be selectable.
pub const STAGES: [&str; 6] = [
    "pre-merge",
    "nightly",
    "pre-deploy",
    "deploy",
    "post-deploy",
    "rollback",
];

/// Which gates run, by position in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One for each gate of the config.
    pub choices: Vec<Choice>,
}

/// What becomes of one gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Matches the selection.
    Selected,
    /// Does not match, but a selected gate needs it.
    Needed,
    /// Does not match.
    Left,
}

impl Choice {
    /// Whether the gate runs.
    pub fn runs(self) -> bool {
        self != Self::Left
    }
}

/// Why no plan could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A name on the command line matches nothing.
    #[error("{option} `{name}` matches no gate{hint}")]
    Unknown {
        /// `--only`, `--skip`, `--tag` or `--stage`.
        option: &'static str,
        /// As typed.
        name: String,
        /// "; did you mean ...?"
        hint: String,
    },
    /// The selection is empty.
    #[error(
        "nothing is selected: none of the {declared} declared gates matches; `readygate plan` shows what would run"
    )]
    Nothing {
        /// Gates in the config.
        declared: usize,
    },
    /// Disruptive gates that the target does not allow.
    #[error("{} may disrupt the target `{target}`, which does not allow {it}; to allow {it}, add to the config: target: {{ allow_disruptive: [{}] }}", quoted(.gates), .gates.join(", "), it = if .gates.len() == 1 { "it" } else { "them" })]
    Disruptive {
        /// Ids of the gates.
        gates: Vec<String>,
        /// Name of the target.
        target: String,
    },
}

fn quoted(ids: &[String]) -> String {
    ids.iter()
        .map(|id| format!("`{id}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Selects gates, and what they need, before anything runs.
///
/// # Errors
/// A name that matches nothing, an empty selection, a disruptive gate without consent.
pub fn plan(config: &Config, selection: &Selection) -> Result<Plan, PlanError> {
    let skip = matchers(config, "--skip", &selection.skip)?;
    let only = matchers(config, "--only", &selection.only)?;
    known(config, "--tag", &selection.tags, |gate| &gate.tags, &[])?;
    known(
        config,
        "--stage",
        &selection.stages,
        |gate| &gate.stages,
        &STAGES,
    )?;
    let matches = |gate: &Gate| {
        (only.is_empty() || only.iter().any(|m| m.is_match(&gate.id)))
            && !skip.iter().any(|m| m.is_match(&gate.id))
            && (selection.tags.is_empty() || gate.tags.iter().any(|t| selection.tags.contains(t)))
            && (selection.stages.is_empty()
                || gate.stages.is_empty()
                || gate.stages.iter().any(|s| selection.stages.contains(s)))
    };
    let selected: BTreeSet<&str> = config
        .gates
        .iter()
        .filter(|g| matches(g))
        .map(|g| g.id.as_str())
        .collect();
    if selected.is_empty() {
        return Err(PlanError::Nothing {
            declared: config.gates.len(),
        });
    }
    let needed = needed_by(config, &selected, &skip);
    let choice = |gate: &Gate| match () {
        () if selected.contains(gate.id.as_str()) => Choice::Selected,
        () if needed.contains(gate.id.as_str()) => Choice::Needed,
        () => Choice::Left,
    };
    let plan = Plan {
        choices: config.gates.iter().map(choice).collect(),
    };
    refuse_disruption(config, &plan)?;
    Ok(plan)
}

fn matchers(
    config: &Config,
    option: &'static str,
    names: &[String],
) -> Result<Vec<GlobMatcher>, PlanError> {
    names
        .iter()
        .map(|name| {
            let matcher = Glob::new(name).map(|glob| glob.compile_matcher());
            match matcher {
                Ok(matcher) if config.gates.iter().any(|g| matcher.is_match(&g.id)) => Ok(matcher),
                _ => {
                    let ids: Vec<&str> = config.gates.iter().map(|g| g.id.as_str()).collect();
                    Err(unknown(option, name, &ids))
                }
            }
        })
        .collect()
}

/// A name that no gate carries is a typo: the gates it was meant for would silently not run.
fn known(
    config: &Config,
    option: &'static str,
    names: &[String],
    of: fn(&Gate) -> &Vec<String>,
    also: &[&str],
) -> Result<(), PlanError> {
    let mut carried: Vec<&str> = config
        .gates
        .iter()
        .flat_map(of)
        .map(String::as_str)
        .collect();
    carried.extend(also);
    match names.iter().find(|name| !carried.contains(&name.as_str())) {
        Some(name) => Err(unknown(option, name, &carried)),
        None => Ok(()),
    }
}

fn unknown(option: &'static str, name: &str, known: &[&str]) -> PlanError {
    let hint = nearest(name, known).map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
    PlanError::Unknown {
        option,
        name: name.to_owned(),
        hint,
    }
}

fn needed_by<'a>(
    config: &'a Config,
    selected: &BTreeSet<&'a str>,
    skip: &[GlobMatcher],
) -> BTreeSet<&'a str> {
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = selected.iter().copied().collect();
    while let Some(id) = open.pop() {
        let gate = config.gates.iter().find(|g| g.id == id);
        for need in gate.map(|g| g.needs.as_slice()).unwrap_or_default() {
            // What the user skips by name stays skipped; the gate that needs it then cannot tell.
            if !skip.iter().any(|m| m.is_match(need)) && needed.insert(need) {
                open.push(need);
            }
        }
    }
    needed
}

fn refuse_disruption(config: &Config, plan: &Plan) -> Result<(), PlanError> {
    let refused: Vec<String> = config
        .gates
        .iter()
        .zip(&plan.choices)
        .filter(|(gate, choice)| {
            choice.runs()
                && gate.probe.footprint().activity == Activity::Disruptive
                && !config.allow_disruptive.contains(&gate.id)
        })
        .map(|(gate, _)| gate.id.clone())
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(PlanError::Disruptive {
        gates: refused,
        target: config.target.name.clone(),
    })
}
