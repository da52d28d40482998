//! Judges alert rules and alerts. Pure.

use readygate_sdk::{Checks, Unit, count_of};

use crate::{
    config::{AlertsConfig, Firing, PrometheusConfig, RulesConfig},
    glob::{fits, shown},
    judge::{LISTED, SETTLES_S},
    measurement::{
        AlertRecord, AlertingRecord, PrometheusMeasurement, RuleRecord, Silences, State,
    },
    rules,
};

/// Whether a rule can fire an alert that counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Surely,
    /// The label may come from the series that the expression gives.
    Perhaps,
    Not,
}

pub(crate) fn judge(
    config: &PrometheusConfig,
    record: &PrometheusMeasurement,
    checks: &mut Checks,
) {
    if config.alerts.is_none() && config.rules.is_none() {
        return;
    }
    let Some(alerting) = &record.alerting else {
        checks
            .check(&rules::NOTHING_ALERTS, &record.url)
            .unmeasured("the rules of the server were not asked for");
        return;
    };
    let fresh = record.server.up_s.is_some_and(|up| up < SETTLES_S);
    let mut concerned = Vec::new();
    if let Some(alerts) = &config.alerts {
        let scope = in_scope(alerts, alerting);
        concerned.extend(scope.iter().copied());
        concerned.extend(watchdog(alerts, alerting, checks));
        judge_alerts(alerts, alerting, &scope, &record.url, checks);
    }
    if let Some(wanted) = &config.rules {
        concerned.extend(configured(wanted, alerting, &record.url, fresh, checks));
        blind(wanted, alerting, &record.url, checks);
        alertmanager(record, fresh, checks);
    }
    evaluated(&concerned, &record.url, checks);
}

/// The rules that can fire what counts; those that only perhaps can, where none surely can.
fn in_scope<'a>(alerts: &AlertsConfig, alerting: &'a AlertingRecord) -> Vec<&'a RuleRecord> {
    let of = |wanted: Scope| {
        let rules = alerting.rules.iter();
        rules
            .filter(|rule| scope(alerts, rule) == wanted)
            .collect::<Vec<_>>()
    };
    let surely = of(Scope::Surely);
    if surely.is_empty() {
        of(Scope::Perhaps)
    } else {
        surely
    }
}

fn scope(alerts: &AlertsConfig, rule: &RuleRecord) -> Scope {
    if alerts
        .watchdog
        .as_ref()
        .is_some_and(|w| fits(w, &rule.name))
    {
        return Scope::Not;
    }
    if rule.asked {
        return Scope::Surely;
    }
    let mut all = Scope::Surely;
    for (label, pattern) in &alerts.labels {
        let value = match label.as_str() {
            "alertname" => Some(&rule.name),
            _ => rule.labels.get(label),
        };
        match value {
            Some(value) if fits(pattern, value) => {}
            // A template: its value is known when it fires.
            Some(value) if value.contains("{{") => all = Scope::Perhaps,
            Some(_) => return Scope::Not,
            None => all = Scope::Perhaps,
        }
    }
    all
}

/// Gives the rules of the dead man's switch.
fn watchdog<'a>(
    alerts: &AlertsConfig,
    alerting: &'a AlertingRecord,
    checks: &mut Checks,
) -> Vec<&'a RuleRecord> {
    let Some(name) = &alerts.watchdog else {
        return Vec::new();
    };
    let found: Vec<_> = alerting
        .rules
        .iter()
        .filter(|r| fits(name, &r.name))
        .collect();
    let firing = found
        .iter()
        .any(|rule| rule.firing > 0 && rule.state() == State::Fine);
    let actual = match found.as_slice() {
        [] => "no rule has this name",
        _ if firing => "it fires",
        rules if rules.iter().any(|r| r.firing > 0) => {
            "it fired before, and its last evaluation failed or is too long ago"
        }
        _ => "it does not fire",
    };
    let stale = !found.is_empty() && found.iter().all(|rule| rule.state() == State::Stale);
    let check = checks
        .check(&rules::WATCHDOG_SILENT, format!("alert {name}"))
        .expected("it fires")
        .actual(actual)
        .message(format!("the dead man's switch `{name}`: {actual}"));
    if firing {
        check.pass();
    } else if !is_complete(alerting) {
        check.unmeasured(INCOMPLETE);
    } else if stale {
        check.unmeasured(format!("the rule `{name}` was not evaluated lately"));
    } else {
        check.fail();
    }
    found
}

const INCOMPLETE: &str = "the list of rules is not complete";

fn is_complete(alerting: &AlertingRecord) -> bool {
    alerting.partial.is_empty() && alerting.rules_left_out == 0
}

fn judge_alerts(
    alerts: &AlertsConfig,
    alerting: &AlertingRecord,
    scope_rules: &[&RuleRecord],
    url: &str,
    checks: &mut Checks,
) {
    let subject = if alerts.labels.is_empty() {
        url.to_owned()
    } else {
        format!("alerts with {}", shown(&alerts.labels))
    };
    let surely = scope_rules
        .iter()
        .any(|rule| scope(alerts, rule) == Scope::Surely);
    nothing_alerts(alerting, surely, scope_rules.len(), &subject, checks);
    // Where nothing could fire, that nothing fires says nothing.
    if alerts.firing == Firing::Any || !surely {
        return;
    }
    let sound = scope_rules.iter().all(|rule| rule.state() == State::Fine);
    firing(alerting, scope_rules, &subject, checks);
    let pending = checks
        .check(&rules::ALERT_PENDING, &subject)
        .expected("0 pending")
        .actual(format!("{} pending", alerting.pending));
    if alerting.pending > 0 {
        let message = format!(
            "{} pending",
            count_of(alerting.pending, "alert is", "alerts are")
        );
        pending
            .message(message)
            .details(listed(alerting, "pending"))
            .fail();
    } else if sound && is_complete(alerting) {
        pending.message("no alert is pending").pass();
    } else {
        pending.unmeasured("whether alerts are pending is not known");
    }
}

fn nothing_alerts(
    alerting: &AlertingRecord,
    surely: bool,
    perhaps: usize,
    subject: &str,
    checks: &mut Checks,
) {
    let all = alerting.rules.len() as u64 + alerting.rules_left_out;
    let check = checks
        .check(&rules::NOTHING_ALERTS, subject)
        .expected("a rule that can fire")
        .actual(count_of(all, "alert rule in all", "alert rules in all"));
    if surely {
        check
            .message("alert rules can fire what the gate asks about")
            .pass();
    } else if !is_complete(alerting) {
        check
            .details(alerting.partial.clone())
            .unmeasured(INCOMPLETE);
    } else if perhaps > 0 {
        check.details(labels_of(alerting)).unmeasured(
            "no alert rule has these labels itself; whether the series that they look at give them is not known",
        );
    } else {
        check.details(labels_of(alerting)).fail();
    }
}

/// The labels that rules have, to see what `alerts.labels` could name.
fn labels_of(alerting: &AlertingRecord) -> Vec<String> {
    let pairs = alerting.rules.iter().flat_map(|rule| &rule.labels);
    let mut pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.sort();
    pairs.dedup();
    pairs.truncate(LISTED);
    match pairs.as_slice() {
        [] => Vec::new(),
        _ => vec![format!("labels of the rules: {}", pairs.join(", "))],
    }
}

fn firing(
    alerting: &AlertingRecord,
    scope_rules: &[&RuleRecord],
    subject: &str,
    checks: &mut Checks,
) {
    let count = alerting.firing.saturating_sub(alerting.silenced);
    let silenced = match alerting.silenced {
        0 => String::new(),
        n => format!(", {n} silenced"),
    };
    let check = checks
        .check(&rules::ALERT_FIRING, subject)
        .expected("0 firing")
        .actual(format!("{count} firing{silenced}"));
    let unsound = scope_rules
        .iter()
        .filter(|r| r.state() != State::Fine)
        .count() as u64;
    if count > 0 {
        let message = format!("{} firing", count_of(count, "alert is", "alerts are"));
        let mut details = listed(alerting, "firing");
        if let Silences::Unknown(why) = &alerting.silences {
            details.push(format!("whether they are silenced is not known: {why}"));
        }
        check.message(message).details(details).fail();
    } else if !is_complete(alerting) {
        check
            .details(alerting.partial.clone())
            .unmeasured(INCOMPLETE);
    } else if unsound > 0 {
        let rules = count_of(unsound, "rule that could is", "rules that could are");
        check.unmeasured(format!(
            "no alert fires, but {rules} not evaluated as it should be"
        ));
    } else {
        check
            .message(format!("no alert is firing{silenced}"))
            .pass();
    }
}

fn listed(alerting: &AlertingRecord, state: &str) -> Vec<String> {
    let alerts = alerting.alerts.iter();
    let of_state = alerts.filter(|a| a.state == state && !a.silenced);
    of_state.take(LISTED).map(described).collect()
}

fn described(alert: &AlertRecord) -> String {
    let name = alert.labels.get("alertname").map_or("", String::as_str);
    let rest = alert
        .labels
        .iter()
        .filter(|(label, _)| *label != "alertname");
    let pairs: Vec<_> = rest
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    let since = alert.active_s.map_or_else(String::new, |s| {
        format!(", for {}", Unit::Seconds.format(s.max(0.0)))
    });
    format!("{name}{{{}}}{since}", pairs.join(", "))
}

/// Gives the rules that the lists name; all of them where there are no lists.
fn configured<'a>(
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
fn blind(wanted: &RulesConfig, alerting: &AlertingRecord, url: &str, checks: &mut Checks) {
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

fn alertmanager(record: &PrometheusMeasurement, fresh: bool, checks: &mut Checks) {
    let Some(active) = record.server.alertmanagers else {
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
fn evaluated(concerned: &[&RuleRecord], url: &str, checks: &mut Checks) {
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
