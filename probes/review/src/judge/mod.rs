//! Applies the rules to a measurement.

mod change;

use readygate_sdk::{Checks, ProbeError, Rule, count_of};

use crate::{CheckRun, CheckState, IssueRule, ReviewConfig, ReviewMeasurement, rules};

pub(crate) fn judge(config: &ReviewConfig, measurement: &ReviewMeasurement, checks: &mut Checks) {
    if config.asks_change() {
        match measurement.change.as_ref().map(crate::Answer::found) {
            Some(Ok(found)) => change::judge(config, found, measurement.commit.as_deref(), checks),
            other => unmeasured(
                &rules::NOT_APPROVED,
                "the change",
                other.and_then(Result::err),
                checks,
            ),
        }
    }
    if !config.checks.is_empty() {
        match measurement.checks.as_ref().map(crate::Answer::found) {
            Some(Ok(runs)) => config
                .checks
                .iter()
                .for_each(|name| required(name, runs, checks)),
            other => unmeasured(
                &rules::CHECK_MISSING,
                "required checks",
                other.and_then(Result::err),
                checks,
            ),
        }
    }
    for rule in &config.issues {
        issues(rule, measurement, checks);
    }
}

/// A part of which nothing is known; `None` says that nobody looked.
fn unmeasured(rule: &'static Rule, subject: &str, error: Option<&ProbeError>, checks: &mut Checks) {
    let check = checks.check(rule, subject);
    match error {
        Some(error) => match &error.hint {
            Some(hint) => check.hint(hint.clone()),
            None => check,
        }
        .unmeasured(error.to_string()),
        None => check.unmeasured("the measurement did not look at it"),
    }
}

fn required(name: &str, runs: &[CheckRun], checks: &mut Checks) {
    // One name may have several runs (a matrix, a check run and a status): the worst one decides.
    let worst = runs
        .iter()
        .filter(|run| run.name == name)
        .max_by_key(|run| run.state);
    let Some(run) = worst else {
        let known: Vec<&str> = runs.iter().map(|run| run.name.as_str()).take(20).collect();
        let actual = if known.is_empty() {
            "no check at all".to_owned()
        } else {
            known.join(", ")
        };
        checks
            .check(&rules::CHECK_MISSING, name)
            .expected("a check of this name on the commit")
            .actual(actual)
            .message(format!("no check `{name}` ran on the commit"))
            .fail();
        return;
    };
    let rule = if run.state == CheckState::Pending {
        &rules::CHECK_PENDING
    } else {
        &rules::CHECK_FAILED
    };
    let check = checks
        .check(rule, name)
        .expected("passed")
        .actual(run.said.clone());
    match run.state {
        CheckState::Passed => check.message("the check passed").pass(),
        CheckState::Neutral => {
            check
                .message(format!(
                    "the check ended as {}: it proves nothing",
                    run.said
                ))
                .fail();
        }
        CheckState::Pending => check.unmeasured("the check has not ended yet"),
        CheckState::Failed => check
            .message(format!("the check ended as {}", run.said))
            .fail(),
    }
}

fn issues(rule: &IssueRule, measurement: &ReviewMeasurement, checks: &mut Checks) {
    let name = rule.name();
    let found = measurement.issues.iter().find(|count| count.rule == name);
    match found.map(|count| count.open.found()) {
        Some(Ok(open)) => {
            let check = checks
                .check(&rules::OPEN_ISSUES, &name)
                .expected(format!("at most {} open", rule.at_most))
                .actual(format!("{} open", open.total));
            if open.total > u64::from(rule.at_most) {
                let more = open.total.saturating_sub(open.first.len() as u64);
                let more = (more > 0).then(|| format!("and {more} more"));
                check
                    .message(format!(
                        "{} open: {name}",
                        count_of(open.total, "issue is", "issues are")
                    ))
                    .details(open.first.iter().cloned().chain(more))
                    .fail();
            } else {
                check
                    .message(format!(
                        "{} open",
                        count_of(open.total, "such issue is", "such issues are")
                    ))
                    .pass();
            }
        }
        other => unmeasured(
            &rules::OPEN_ISSUES,
            &name,
            other.and_then(Result::err),
            checks,
        ),
    }
}
