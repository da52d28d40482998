//! Whether a record may be decided on: it is of this policy, whole, of what the config releases, and
//! of everything that was to be measured. Errors are sentences that begin after the record's name.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::Masker;

use super::{SelectArgs, commit};
use crate::{
    config::Config,
    evidence::policy,
    plan,
    record::{JUDGED, Run, Selection},
    signoff::{Inputs, vector::shown},
};

/// A record from so far in the future is one of a wrong clock.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What the caller says of the record.
pub struct Claim<'a> {
    /// Which gates it should be of.
    pub select: &'a SelectArgs,
    /// Which release it should be of.
    pub release: Option<&'a str>,
}

/// Looks at all of it.
pub fn admit(run: &Run, claim: &Claim<'_>, inputs: &Inputs<'_>) -> Result<(), String> {
    no_watch(run)?;
    no_judged(run)?;
    of_this_policy(run, inputs.config)?;
    if let Some(signal) = &run.interrupted {
        return Err(format!("is partial: the run was ended by {signal}"));
    }
    of_the_past(run, inputs.now)?;
    of_this_release(run, claim.release)?;
    of_this_target(run, inputs)?;
    of_this_selection(run, inputs.config, claim.select)
}

/// The gates of a watch hold its last samples, which say less than the watch does.
pub fn no_watch(run: &Run) -> Result<(), String> {
    let Some(watch) = &run.watch else {
        return Ok(());
    };
    Err(format!(
        "is of a watch, which decided by itself: {}; name the record of `readygate run`",
        watch.decision.name()
    ))
}

/// `judge` gives a record of what another policy says to old measurements. What that policy asks
/// beyond them was never measured.
fn no_judged(run: &Run) -> Result<(), String> {
    // Before the field was there, the id told.
    let marked = run.judged.as_deref();
    let Some(id) = marked.or_else(|| run.id.split_once(JUDGED).map(|(id, _)| id)) else {
        return Ok(());
    };
    Err(format!(
        "is of `readygate judge`, which measured nothing: it judged the run {id} again; name the \
         record of `readygate run`, or run the gates again"
    ))
}

fn of_this_policy(run: &Run, config: &Config) -> Result<(), String> {
    if run.config.sha256 != config.digest {
        return Err(format!(
            "was made by another policy: sha256 {}, and that of {} is {}; run the gates again",
            run.config.sha256,
            config.sources.names().collect::<Vec<_>>().join(", "),
            config.digest
        ));
    }
    policy::declared(run, config)
}

fn of_the_past(run: &Run, now: Timestamp) -> Result<(), String> {
    let limit = now.checked_add(SKEW);
    if limit.is_ok_and(|limit| limit < run.finished) {
        return Err(format!("is from the future: {}", run.finished));
    }
    Ok(())
}

/// A record is of the release that it was made for.
pub fn of_this_release(run: &Run, asked: Option<&str>) -> Result<(), String> {
    let Some(asked) = asked.filter(|asked| run.release.as_deref() != Some(*asked)) else {
        return Ok(());
    };
    Err(match &run.release {
        Some(recorded) => format!("is of release {recorded}, not {asked}"),
        None => format!(
            "is of no release by name, and this is {asked}; run the gates again with `--release \
             {asked}`"
        ),
    })
}

/// The digest of the policy is over its files; values that come from `${NAME}` are not in it.
fn of_this_target(run: &Run, inputs: &Inputs<'_>) -> Result<(), String> {
    let (config, was) = (inputs.config, &run.target);
    let masker = Masker::new(config.secrets.iter().map(String::as_str));
    let target = &config.target;
    for (what, was, is) in [
        ("name", Some(&was.name), Some(&target.name)),
        ("url", was.url.as_ref(), target.url.as_ref()),
        (
            "environment",
            was.environment.as_ref(),
            target.environment.as_ref(),
        ),
        ("version", was.version.as_ref(), target.version.as_ref()),
        ("artifact", was.artifact.as_ref(), config.artifact.as_ref()),
    ] {
        let is = is.map(|text| shown(text, &masker));
        if was != is.as_ref() {
            let name = |text: Option<&String>| text.map_or("not set", String::as_str).to_owned();
            return Err(format!(
                "is of another target: target.{what} was {}, and is {} in the config; run the \
                 gates again",
                name(was),
                name(is.as_ref())
            ));
        }
    }
    commit::of_this_commit(run, inputs, &masker)
}

/// A record of a part must not pass for one of the whole: what was left out was not even asked.
fn of_this_selection(run: &Run, config: &Config, select: &SelectArgs) -> Result<(), String> {
    let made = &run.selection;
    let mut asked: Selection = select.into();
    if asked.stages.is_empty() {
        asked.stages.clone_from(&made.stages);
    }
    for (option, made, asked) in [
        ("--stage", &made.stages, &asked.stages),
        ("--tag", &made.tags, &asked.tags),
        ("--only", &made.only, &asked.only),
        ("--skip", &made.skip, &asked.skip),
    ] {
        if made.iter().collect::<BTreeSet<_>>() != asked.iter().collect() {
            let name = |list: &[String]| match list {
                [] => format!("without `{option}`"),
                list => format!("with `{option} {}`", list.join(",")),
            };
            return Err(format!(
                "was made {}, and is to be decided on {}: other gates may be left out; run the \
                 gates again, or name the same to decide on that part",
                name(made),
                name(asked)
            ));
        }
    }
    let plan = plan::plan(config, &asked).map_err(|e| format!("is of no plan: {e}"))?;
    policy::planned(run, config, &plan)
}
