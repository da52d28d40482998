//! Applies the rules to a measurement.

mod contact;
mod drill;
mod nodes;
mod replication;
mod serving;
mod slots;
mod views;

use readygate_sdk::{CheckOutcome, Checks, Level, Rule, Unit, count_of};

use crate::{
    address::Entry,
    config::{Mode, RedisConfig},
    measurement::RedisMeasurement,
    picture::Picture,
    rules,
};

/// Checks of one rule, and lines of evidence in one check.
const SHOWN: usize = 20;

/// What the rules look at.
struct Case<'a> {
    config: &'a RedisConfig,
    measurement: &'a RedisMeasurement,
    picture: Picture<'a>,
}

/// Someone that breaks a rule.
struct Offender {
    subject: String,
    /// The node whose answer shows it, where that is not the subject.
    witness: Option<String>,
    message: String,
    expected: Option<String>,
    actual: Option<String>,
    level: Option<Level>,
    details: Vec<String>,
}

impl Offender {
    fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            witness: None,
            message: message.into(),
            expected: None,
            actual: None,
            level: None,
            details: Vec::new(),
        }
    }

    fn seen_on(mut self, node: &str) -> Self {
        self.witness = Some(node.to_owned());
        self
    }

    fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    fn actual(mut self, actual: impl Into<String>) -> Self {
        self.actual = Some(actual.into());
        self
    }

    fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details.into_iter().take(SHOWN));
        self
    }
}

/// The rule's fix, with the node that the check names: what a person can paste.
fn fix(rule: &Rule, subject: &str) -> String {
    let address = Entry::parse(subject).ok().map(|entry| entry.address);
    match address.filter(|_| subject.contains(':')) {
        Some(address) => rule
            .fix
            .replacen(
                "redis-cli ",
                &format!("redis-cli -h {} -p {} ", address.host, address.port),
                1,
            )
            .replace("HOST:PORT", subject),
        None => rule.fix.to_owned(),
    }
}

/// One failed check for each offender, or one passed check for all.
fn each(checks: &mut Checks, rule: &'static Rule, well: &str, offenders: Vec<Offender>) {
    let total = offenders.len();
    if total == 0 {
        return checks.check(rule, "all nodes").message(well).pass();
    }
    for offender in offenders.into_iter().take(SHOWN) {
        let hint = fix(rule, offender.witness.as_ref().unwrap_or(&offender.subject));
        let mut check = checks
            .check(rule, offender.subject)
            .message(offender.message)
            .hint(hint);
        if let Some(expected) = offender.expected {
            check = check.expected(expected);
        }
        if let Some(actual) = offender.actual {
            check = check.actual(actual);
        }
        if let Some(level) = offender.level {
            check = check.level(level);
        }
        check.details(offender.details).fail();
    }
    if total > SHOWN {
        let rest = format!("and {} more", total - SHOWN);
        checks.check(rule, "other nodes").message(rest).fail();
    }
}

/// One check for a setting that nodes tend to share, with their names as evidence.
fn together(
    checks: &mut Checks,
    rule: &'static Rule,
    (well, ill): (&str, &str),
    level: Level,
    names: &[&str],
) {
    let check = checks.check(rule, "all nodes").level(level);
    if names.is_empty() {
        return check.message(well).pass();
    }
    let count = count_of(names.len() as u64, "node", "nodes");
    let shown = names.iter().take(SHOWN).map(|name| (*name).to_owned());
    check
        .message(format!("{ill}: {count}"))
        .details(shown)
        .fail();
}

pub(crate) fn judge(config: &RedisConfig, measurement: &RedisMeasurement, checks: &mut Checks) {
    if measurement.mode != config.topology.mode {
        return checks
            .check(&rules::WRONG_MODE, "the measurement")
            .unmeasured("it was taken with another `topology: { mode: ... }`");
    }
    let case = Case {
        config,
        measurement,
        picture: Picture::of(measurement),
    };
    contact::judge(&case, checks);
    match measurement.mode {
        Mode::Cluster => cluster(&case, checks),
        Mode::Replication => replication::without_cluster(&case, checks),
        Mode::Standalone => replication::alone(&case, checks),
    }
    serving::judge(&case, checks);
    steady(&case, checks);
    drill::judge(&case, checks);
}

/// How many different pictures of the cluster its nodes have.
pub(crate) fn distinct_views(picture: &Picture<'_>) -> usize {
    views::distinct(picture.observers.iter().map(|(_, peers)| *peers))
}

fn cluster(case: &Case<'_>, checks: &mut Checks) {
    if case.picture.observers.is_empty() {
        return checks
            .check(&rules::NODE_MISSING, "the cluster")
            .expected(format!("{} nodes", case.config.wanted_nodes()))
            .unmeasured("no node told who belongs to the cluster");
    }
    nodes::judge(case, checks);
    slots::judge(case, checks);
    views::judge(case, checks);
    replication::in_cluster(case, checks);
}

/// Whether anything so far fails the gate, or keeps it from being told.
fn is_well(checks: &Checks) -> bool {
    checks.as_slice().iter().all(|check| match check.outcome {
        CheckOutcome::Passed => true,
        CheckOutcome::Failed => check.level != Level::Error,
        CheckOutcome::Unmeasured => false,
    })
}

fn steady(case: &Case<'_>, checks: &mut Checks) {
    let settle = &case.measurement.settle;
    if !is_well(checks) || settle.looks == 0 {
        return;
    }
    let check = checks.check(&rules::UNSTEADY, "all nodes");
    if settle.first.is_empty() && settle.seconds == 0.0 {
        check.message("well from the first look on").pass();
    } else {
        let after = Unit::Seconds.format((settle.seconds * 10.0).ceil() / 10.0);
        check
            .message(format!(
                "passed after {after}; at first something was wrong"
            ))
            .details(settle.first.iter().cloned())
            .fail();
    }
}
