//! The rules, applied. Pure.

mod indexes;
mod members;
mod operations;
mod replication;
mod shape;
mod versions;
pub mod view;

use readygate_sdk::{Check, CheckOutcome, Checks, Level, Rule};

use crate::{
    config::MongodbConfig,
    measurement::{Answer, Login, MongodbMeasurement, NodeRecord},
    rules,
};
pub use indexes::wanting as wanting_indexes;
pub use members::healthy;
pub use operations::used;
pub use replication::window;
pub use versions::clock_spread;
use view::View;

pub fn judge(config: &MongodbConfig, measured: &MongodbMeasurement, checks: &mut Checks) {
    let view = View::new(measured);
    members::reach(config, &view, checks);
    if !view.anyone() {
        return;
    }
    members::membership(config, &view, checks);
    if view.only_routers() {
        return;
    }
    members::primary(&view, checks);
    members::states(&view, checks);
    members::peers(&view, checks);
    shape::majority(&view, checks);
    shape::shape(config, &view, checks);
    shape::names(config, &view, checks);
    replication::lag(config, &view, checks);
    replication::oplog(config, &view, checks);
    replication::elections(config, &view, checks);
    versions::versions(config, &view, checks);
    operations::operations(config, &view, checks);
    indexes::indexes(config, &view, checks);
    operations::uri(config, measured, checks);
    operations::migrations(config, measured, checks);
    operations::drill(config, measured, checks);
    settled(measured, checks);
}

/// What is wrong and could be over in a moment, one sentence each; empty when nothing is.
pub fn may_pass_by_itself(config: &MongodbConfig, measured: &MongodbMeasurement) -> Vec<String> {
    let passing = |code: &str| rules::PASSING.iter().any(|rule| rule.code == code);
    sentences(config, measured, |c| {
        c.level > Level::Info && passing(&c.rule)
    })
}

/// What fails or could not be told, one sentence each, the drill itself left out.
pub fn wrong(config: &MongodbConfig, measured: &MongodbMeasurement) -> Vec<String> {
    sentences(config, measured, |c| {
        c.level == Level::Error
            && c.rule != rules::DRILL.code
            && c.rule != rules::DRILL_NOT_BEGUN.code
    })
}

fn sentences(
    config: &MongodbConfig,
    measured: &MongodbMeasurement,
    of: impl Fn(&Check) -> bool,
) -> Vec<String> {
    let mut checks = Checks::new();
    judge(config, measured, &mut checks);
    let wrong = checks.into_vec().into_iter();
    wrong
        .filter(|c| c.outcome != CheckOutcome::Passed)
        .filter(of)
        .map(|c| format!("{}: {} ({})", c.subject, c.message, c.rule))
        .collect()
}

fn settled(measured: &MongodbMeasurement, checks: &mut Checks) {
    let settle = &measured.settle;
    let well = !checks
        .as_slice()
        .iter()
        .any(|c| c.outcome == CheckOutcome::Failed && c.level == Level::Error);
    if settle.at_first.is_empty() {
        if settle.looks > 0 {
            checks
                .check(&rules::SETTLED, "the set")
                .message("was as wanted at the first look")
                .pass();
        }
    } else if well {
        let message = format!(
            "passed after {:.1} s; not as wanted at first",
            settle.after_s
        );
        let details = settle.at_first.iter().cloned();
        checks
            .check(&rules::SETTLED, "the set")
            .message(message)
            .details(details)
            .fail();
    }
}

/// Says for a rule which members could not be asked, and why: never a pass.
fn not_measured<'a, T: 'a>(
    rule: &'static Rule,
    answers: impl Iterator<Item = (&'a NodeRecord, &'a Answer<T>)>,
    checks: &mut Checks,
) {
    let mut hosts = Vec::new();
    let mut reason = None;
    for (node, answer) in answers {
        let why = match answer {
            Answer::Got { .. } => continue,
            Answer::Refused { code: 13, .. } if matches!(node.login, Login::Rejected { .. }) => {
                "the credentials were rejected".to_owned()
            }
            Answer::Refused {
                code: 13, message, ..
            } => {
                format!("not permitted ({message}): the role clusterMonitor is enough")
            }
            Answer::Refused { name, message, .. } => format!("{name}: {message}"),
            Answer::Lost { message } => message.clone(),
        };
        hosts.push(node.host.as_str());
        reason.get_or_insert(why);
    }
    if let Some(reason) = reason {
        let message = format!("could not be measured: {reason}");
        checks.check(rule, hosts.join(", ")).unmeasured(message);
    }
}
