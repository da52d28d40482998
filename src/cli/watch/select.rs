//! Which gates a watch looks at: those of the time after a deployment that may run again and again.

use readygate_sdk::Activity;

use crate::{
    config::{Config, Gate},
    plan::{self, Choice, Plan},
    record::Selection,
    release::watch::Settings,
};

/// The stage that is watched unless said otherwise.
const STAGE: &str = "post-deploy";
/// A signature is no measurement.
const SIGNOFF: &str = "signoff";

/// Selects, and looks whether these gates can be watched with these settings.
///
/// # Errors
/// Nothing to watch, a gate that is disruptive, ids that are not watched.
pub fn select(
    config: &Config,
    wanted: &Selection,
    settings: &Settings,
) -> Result<(Selection, Plan), String> {
    let (selection, plan) = plan(config, wanted)?;
    check(config, &plan, settings)?;
    Ok((selection, plan))
}

/// Selects. Gates of no stage run in every `run`, but not in a watch that nobody put them in.
///
/// # Errors
/// Nothing to watch, a gate that is disruptive.
pub fn plan(config: &Config, wanted: &Selection) -> Result<(Selection, Plan), String> {
    let named = !wanted.only.is_empty() || !wanted.tags.is_empty();
    let mut selection = wanted.clone();
    if selection.stages.is_empty() && !named {
        selection.stages = vec![STAGE.to_owned()];
    }
    let stages = selection.stages.clone();
    let fits = |gate: &Gate| {
        let staged = named || gate.stages.iter().any(|s| stages.contains(s));
        let calm = gate.probe.footprint().activity != Activity::Disruptive;
        staged && calm && gate.probe.meta().id != SIGNOFF
    };
    refuse_disruptive(config, wanted)?;
    // What does not fit is left out by name, so that what it would do is known from the start.
    let needed = needed_by(config, &fits);
    let unfit = config.gates.iter().filter(|g| !fits(g));
    let unfit = unfit.filter(|g| !needed.contains(&g.id.as_str()) || is_disruptive(config, &g.id));
    let unfit: Vec<String> = unfit.map(|g| g.id.clone()).collect();
    let internal = Selection {
        skip: selection.skip.iter().cloned().chain(unfit).collect(),
        ..selection.clone()
    };
    let plan = plan::plan(config, &internal).map_err(|e| match e {
        plan::PlanError::Nothing { .. } => format!(
            "nothing to watch: no gate that may run again and again has the stage {}; give gates `stages: [{STAGE}]`, or name them with --only",
            stages.join(", ")
        ),
        other => other.to_string(),
    })?;
    Ok((selection, plan))
}

/// What the fitting gates need, and what that needs.
fn needed_by<'a>(config: &'a Config, fits: &impl Fn(&Gate) -> bool) -> Vec<&'a str> {
    let fitting = config.gates.iter().filter(|g| fits(g));
    let mut needed: Vec<&str> = fitting.flat_map(|g| &g.needs).map(String::as_str).collect();
    let mut next = 0;
    while let Some(id) = needed.get(next).copied() {
        next += 1;
        for need in config
            .gates
            .iter()
            .filter(|g| g.id == id)
            .flat_map(|g| &g.needs)
        {
            if !needed.contains(&need.as_str()) {
                needed.push(need);
            }
        }
    }
    needed
}

fn is_disruptive(config: &Config, id: &str) -> bool {
    let gate = config.gates.iter().find(|g| g.id == id);
    gate.is_some_and(|g| g.probe.footprint().activity == Activity::Disruptive)
}

/// Named outright, it is a mistake to be told of; that a stage has one besides others is not.
fn refuse_disruptive(config: &Config, wanted: &Selection) -> Result<(), String> {
    match wanted.only.iter().find(|id| is_disruptive(config, id)) {
        Some(id) => Err(format!(
            "`{id}` may disrupt the target; a watch runs its gates again and again and never takes such a gate"
        )),
        None => Ok(()),
    }
}

fn check(config: &Config, plan: &Plan, settings: &Settings) -> Result<(), String> {
    let runs: Vec<&Gate> = watched(config, plan).collect();
    if !runs.iter().any(|g| g.severity.blocks()) {
        return Err("nothing watched can fail the watch: every gate is minor or info".to_owned());
    }
    let blocking = |id: &&String| runs.iter().any(|g| g.id == **id && g.severity.blocks());
    let too_long = |g: &&&Gate| {
        g.probe
            .footprint()
            .duration
            .is_some_and(|d| d > settings.every)
    };
    if let Some(gate) = runs.iter().find(too_long) {
        return Err(format!(
            "`{}` is meant to take longer than the time from one sample to the next, so that the watch would take a part of its samples; make `--every` longer, or leave it out with --skip",
            gate.id
        ));
    }
    if let Some(id) = settings.availability.iter().find(|id| !blocking(id)) {
        return Err(format!(
            "watch.availability: `{id}` is no blocking gate of this watch"
        ));
    }
    if let Some(id) = settings
        .control
        .iter()
        .find(|id| !runs.iter().any(|g| g.id == **id))
    {
        return Err(format!("watch.control: `{id}` is no gate of this watch"));
    }
    Ok(())
}

/// The gates that run.
pub fn watched<'a>(config: &'a Config, plan: &'a Plan) -> impl Iterator<Item = &'a Gate> {
    let all = config.gates.iter().zip(&plan.choices);
    all.filter(|(_, choice)| choice.runs())
        .map(|(gate, _)| gate)
}

/// The plan for a look at some gates and what they need.
pub fn only(gates: &[std::sync::Arc<Gate>], plan: &Plan, ids: &[String]) -> Plan {
    let mut wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut next = 0;
    while let Some(id) = wanted.get(next).copied() {
        next += 1;
        for need in gates.iter().filter(|g| g.id == id).flat_map(|g| &g.needs) {
            if !wanted.contains(&need.as_str()) {
                wanted.push(need);
            }
        }
    }
    let choice = |(gate, choice): (&std::sync::Arc<Gate>, &Choice)| match choice {
        Choice::Left => Choice::Left,
        _ if ids.contains(&gate.id) => Choice::Selected,
        _ if wanted.contains(&gate.id.as_str()) => Choice::Needed,
        _ => Choice::Left,
    };
    Plan {
        choices: gates.iter().zip(&plan.choices).map(choice).collect(),
    }
}
