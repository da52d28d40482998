//! Applies the rules to a measurement.

mod debug;
mod documents;
mod environment;
mod git;

use readygate_sdk::{Checks, Rule};

use crate::{Answer, SourceConfig, SourceMeasurement};

/// Lines of evidence in one check.
const SHOWN: usize = 20;

pub(crate) fn judge(config: &SourceConfig, measurement: &SourceMeasurement, checks: &mut Checks) {
    if let Some(section) = &config.debug {
        let first = &crate::rules::DEBUG_CODE;
        if let Some(found) = measured(measurement.debug.as_ref(), first, "debug code", checks) {
            debug::judge(section, found, checks);
        }
    }
    if config.environment.is_some() {
        let first = &crate::rules::ENV_MISSING;
        if let Some(found) = measured(
            measurement.environment.as_ref(),
            first,
            "environment",
            checks,
        ) {
            environment::judge(found, checks);
        }
    }
    for document in &config.documents {
        documents::judge(document, measurement, checks);
    }
    if let Some(section) = &config.git {
        let first = &crate::rules::GIT_STATE;
        if let Some(found) = measured(measurement.git.as_ref(), first, &section.directory, checks) {
            git::judge(section, found, measurement.commit.as_deref(), checks);
        }
    }
}

/// What was found; a section that was not measured leaves a check that says so.
fn measured<'a, T>(
    answer: Option<&'a Answer<T>>,
    rule: &'static Rule,
    subject: &str,
    checks: &mut Checks,
) -> Option<&'a T> {
    match answer {
        Some(Answer::Measured(found)) => return Some(found),
        Some(Answer::Unmeasured(error)) => {
            let check = checks.check(rule, subject);
            match &error.hint {
                Some(hint) => check.hint(hint.clone()),
                None => check,
            }
            .unmeasured(error.to_string());
        }
        None => checks
            .check(rule, subject)
            .unmeasured("the measurement did not look at this section"),
    }
    None
}

/// The first lines, and how many more there are.
fn shown(lines: impl Iterator<Item = String>, total: u64) -> Vec<String> {
    let mut shown: Vec<String> = lines.take(SHOWN).collect();
    let more = total.saturating_sub(shown.len() as u64);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown
}
