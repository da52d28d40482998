//! Judges whether alert rules are there, see something, are evaluated, and reach somebody. Pure.

use readygate_sdk::{Checks, Level, Unit, count_of};

use crate::{
    config::RulesConfig,
    glob::fits,
    judge::LISTED,
    judge_alerts::{INCOMPLETE, is_complete},
    measurement::{AlertingRecord, PrometheusMeasurement, RuleRecord, State},
    rules,
};

/// Gives the rules that the lists name; all of them where there are no lists.
pub(crate) fn configured<'a>(
    wanted: &RulesConfig,
    alerting: &'a AlertingRecord,
    url: &str,
    fresh: bool,
    checks: &mut Checks,
) -> Vec<&'a RuleRecord> {
    let mut found = Vec::new();
    for pattern in &wanted.configured {
        let rules = alerting.rules.iter();
        let fitting: Vec<_> = rules.filter(|r| fits(pattern, &r.name)).collect();
        present(
            alerting,
            &format!("alert {pattern}"),
            &fitting,
            fresh,
            checks,
        );
        found.extend(fitting);
    }
    for pattern in &wanted.watching {
        let rules = alerting.rules.iter();
        let fitting: Vec<_> = rules.filter(|r| r.looks_at(pattern)).collect();
        let subject = format!("alert on {pattern}");
        present(alerting, &subject, &fitting, fresh, checks);
        found.extend(fitting);
    }
    if wanted.configured.is_empty() && wanted.watching.is_empty() {
        found.extend(alerting.rules.iter());
        present(alerting, url, &found, fresh, checks);
    }
    found
}

fn present(
    alerting: &AlertingRecord,
    subject: &str,
    found: &[&RuleRecord],
    fresh: bool,
    checks: &mut Checks,
) {
    let check = checks
        .check(&rules::RULE_MISSING, subject)
        .expected("1 rule or more")
        .actual(count_of(found.len() as u64, "rule", "rules"));
    if let Some(first) = found.first() {
        let message = match found.len() {
            1 => format!("the rule `{}` is there", first.name),
            n => format!(
                "`{}` and {} are there",
                first.name,
                count_of(n as u64 - 1, "other rule", "other rules")
            ),
        };
        check.message(message).pass();
    } else if !is_complete(alerting) {
        check
            .details(alerting.partial.clone())
            .unmeasured(INCOMPLETE);
    } else if fresh && alerting.rules.is_empty() {
        check.unmeasured("the server has no rules yet: it has just been started");
    } else {
        let mut names: Vec<_> = alerting.rules.iter().map(|r| r.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let more = names.len().saturating_sub(3 * LISTED);
        names.truncate(3 * LISTED);
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        let has = format!("the server has: {}{more}", names.join(", "));
        check.details((!names.is_empty()).then_some(has)).fail();
    }
}

/// A rule that the gate names, on metrics that are not there.
pub(crate) fn blind(
    wanted: &RulesConfig,
    alerting: &AlertingRecord,
    url: &str,
    checks: &mut Checks,
) {
    let Some(unseen) = &alerting.unseen else {
        return;
    };
    let is_blind = |rule: &&RuleRecord| {
        let gone = rule.watches.iter().all(|name| unseen.contains(name));
        // `absent(...)` fires for what is not there.
        gone && !rule.watches.is_empty() && rule.firing == 0 && wanted.names(rule)
    };
    let blind: Vec<_> = alerting.rules.iter().filter(is_blind).collect();
    let count = blind.len() as u64;
    let check = checks
        .check(&rules::RULE_BLIND, url)
        .expected("0 rules that see nothing")
        .actual(count_of(count, "rule", "rules"));
    if count == 0 {
        check
            .message("the rules look at metrics that are there")
            .pass();
        return;
    }
    let lines = blind.iter().take(LISTED);
    let lines = lines.map(|r| {
        format!(
            "{} (group {}) looks at {}",
            r.name,
            r.group,
            r.watches.join(", ")
        )
    });
    let message = format!(
        "{} at metrics without any series",
        count_of(count, "rule looks", "rules look")
    );
    check.message(message).details(lines).fail();
}

pub(crate) fn alertmanager(record: &PrometheusMeasurement, fresh: bool, checks: &mut Checks) {
    let Some(active) = record.server.alertmanagers else {
        let check = checks.check(&rules::NO_ALERTMANAGER, &record.url);
        check.level(Level::Warning).unmeasured(
            "the server does not say to which Alertmanagers it sends alerts: whether anybody gets them is not known",
        );
        return;
    };
    let check = checks
        .check(&rules::NO_ALERTMANAGER, &record.url)
        .expected("1 Alertmanager or more")
        .actual(count_of(active, "Alertmanager", "Alertmanagers"));
    if active > 0 {
        check.message("alerts are sent to an Alertmanager").pass();
    } else if fresh {
        check.unmeasured("the server has found no Alertmanager yet: it has just been started");
    } else {
        check.fail();
    }
}

/// The rules that the gate rests on must be evaluated.
pub(crate) fn evaluated(concerned: &[&RuleRecord], url: &str, checks: &mut Checks) {
    let mut rules: Vec<&RuleRecord> = Vec::new();
    for rule in concerned {
        if !rules.iter().any(|known| std::ptr::eq(*known, *rule)) {
            rules.push(rule);
        }
    }
    let all = rules.len() as u64;
    if all == 0 {
        return;
    }
    let of = |state: State| rules.iter().filter(move |r| r.state() == state);
    let (broken, stale) = (
        of(State::Bad).count() as u64,
        of(State::Stale).count() as u64,
    );
    let check = checks
        .check(&rules::RULE_BROKEN, url)
        .expected("0 rules that fail")
        .actual(count_of(broken, "rule", "rules"));
    if broken > 0 {
        let message = format!(
            "the evaluation of {} fails",
            count_of(broken, "rule", "rules")
        );
        let lines = of(State::Bad).take(LISTED);
        let lines = lines.map(|r| format!("{} (group {}): {}", r.name, r.group, r.error));
        check.message(message).details(lines).fail();
    } else if stale == all {
        check.unmeasured("no rule was evaluated lately");
    } else {
        check.message("no rule that the gate rests on fails").pass();
    }
    if stale == 0 {
        let message = format!(
            "{} evaluated in time",
            count_of(all, "rule is", "rules are")
        );
        checks
            .check(&rules::RULE_STALE, url)
            .message(message)
            .pass();
        return;
    }
    let lines = of(State::Stale).take(LISTED).map(|r| match r.age_s {
        Some(age) => {
            let [age, interval] = [age, r.interval_s].map(|s| Unit::Seconds.format(s));
            format!(
                "{} (group {}): evaluated {age} ago, every {interval}",
                r.name, r.group
            )
        }
        None => format!("{} (group {}): never evaluated", r.name, r.group),
    });
    checks
        .check(&rules::RULE_STALE, url)
        .details(lines.collect::<Vec<_>>())
        .unmeasured(format!(
            "{} not been evaluated yet, or not for a few intervals",
            count_of(stale, "rule has", "rules have")
        ));
}
