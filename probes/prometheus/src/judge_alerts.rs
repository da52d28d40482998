//! Judges alerts, and whether any could fire. Pure.

use readygate_sdk::{Checks, Unit, count_of};

use crate::{
    config::{AlertsConfig, Firing, PrometheusConfig},
    glob::{fits, shown},
    judge::{LISTED, SETTLES_S},
    judge_rules,
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
        concerned.extend(judge_rules::configured(
            wanted,
            alerting,
            &record.url,
            fresh,
            checks,
        ));
        judge_rules::blind(wanted, alerting, &record.url, checks);
        judge_rules::alertmanager(record, fresh, checks);
    }
    judge_rules::evaluated(&concerned, &record.url, checks);
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

pub(crate) const INCOMPLETE: &str = "the list of rules is not complete";

pub(crate) fn is_complete(alerting: &AlertingRecord) -> bool {
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
