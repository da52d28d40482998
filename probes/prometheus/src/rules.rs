//! The rules of the probe; their texts are user documentation.

use readygate_sdk::{Level, Rule};

const API: &str = "https://prometheus.io/docs/prometheus/latest/querying/api/";
const ALERTING: &str = "https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/";
const CONFIG: &str = "https://prometheus.io/docs/prometheus/latest/configuration/configuration/";

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $code:literal $level:ident $source:expr, $summary:literal, $why:literal, $fix:literal;)*) => {
        $($(#[$doc])* pub const $name: Rule = Rule {
            code: $code,
            level: Level::$level,
            summary: $summary,
            why: $why,
            fix: $fix,
            source: $source,
        };)*
        /// All rules, in the order of judgement.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    /// The running config is not the one on disk.
    RELOAD_FAILED "prometheus/reload-failed" Error CONFIG,
        "the last reload of the server's config failed",
        "The server goes on with an older config: jobs and alert rules that were added since are not there, and it will not come up after a restart.",
        "promtool check config prometheus.yml names the mistake; then reload with SIGHUP or a POST to /-/reload, and look at prometheus_config_last_reload_successful";
    /// The clocks do not agree.
    CLOCK_SKEW "prometheus/clock-skew" Warning "RFC 5905",
        "the clock of the server is not the one here",
        "Samples carry the server's time. With a wrong clock, graphs and logs do not match, and rules on certificates or backups are early or late.",
        "compare `date -u` there and here; look at chronyc tracking or timedatectl on the one that is wrong";
    /// Samples are not kept for as long as wanted.
    RETENTION_SHORT "prometheus/retention-short" Error "https://prometheus.io/docs/prometheus/latest/storage/",
        "the server keeps samples for a shorter time than the gate asks for",
        "What is gone when an incident is looked into, or a month is compared with the last, cannot be got back.",
        "set --storage.tsdb.retention.time (15d without it), leave room on the disk, or write to a long-term store";
    /// Nothing is scraped.
    TARGET_MISSING "prometheus/target-missing" Error CONFIG,
        "the job has no target: nothing is scraped",
        "What is not scraped has no metrics: alert rules on it see no data and stay silent, however ill it is.",
        "look at /targets and /service-discovery of the server; the job may have another name, or discovery finds nothing or drops it in relabel_configs";
    /// Fewer targets are up than must be.
    TARGET_DOWN "prometheus/target-down" Error CONFIG,
        "the last scrape of a target failed",
        "The service does not answer, or its monitoring is blind. Either way nobody would see it fail.",
        "curl the target's metrics page from the server; the error of the scrape is beside the target";
    /// A target was not scraped, or not lately.
    TARGET_STALE "prometheus/target-stale" Error CONFIG,
        "a target has not been scraped yet, or not for a few intervals",
        "The last state that is known may be long past.",
        "wait for one scrape interval after a start or a reload; if it stays, the server is overloaded: look at prometheus_target_interval_length_seconds";
    /// No rule could fire.
    NOTHING_ALERTS "prometheus/nothing-alerts" Error ALERTING,
        "no alert rule could fire what the gate asks about",
        "That no alert fires says something only where one could.",
        "give the alert rules the labels that `alerts.labels` names, or name those that they have; promtool check rules FILE, and look at rule_files of the config";
    /// An alert fires.
    ALERT_FIRING "prometheus/alert-firing" Error ALERTING,
        "an alert is firing",
        "The team's own rules say that something is wrong now. A release on top of it makes both harder to see.",
        "repair what it reports. An alert that is known and accepted is silenced in the Alertmanager (`alerts.alertmanager`); one that always fires is `alerts.watchdog`, or kept out by `alerts.labels`";
    /// An alert is about to fire.
    ALERT_PENDING "prometheus/alert-pending" Warning ALERTING,
        "an alert is pending: its condition holds, and will fire if it goes on",
        "What is pending now fires in a few minutes.",
        "look at the alert on /alerts of the server, and wait until it is gone or has fired";
    /// The dead man's switch is silent.
    WATCHDOG_SILENT "prometheus/watchdog-silent" Error ALERTING,
        "the alert that must always fire does not",
        "It is the proof that rules are evaluated. Without it silence may mean that alerting is broken.",
        "add a rule with `expr: vector(1)` under that name, and route it to a receiver that complains when it stops";
    /// A rule is not there.
    RULE_MISSING "prometheus/rule-missing" Error ALERTING,
        "an alert rule that must be there is not",
        "Nobody is told when it happens; the users notice first.",
        "write the rule, name its file in rule_files, and reload; the names that the server has are listed";
    /// A rule fails.
    RULE_BROKEN "prometheus/rule-broken" Error ALERTING,
        "the evaluation of an alert rule fails",
        "A rule that cannot be evaluated never fires.",
        "see the error on /rules of the server, and try the expression by hand: many-to-many matches and duplicate series are the usual causes";
    /// A rule is not evaluated.
    RULE_STALE "prometheus/rule-stale" Error ALERTING,
        "an alert rule has not been evaluated yet, or not for a few intervals",
        "The state of its alerts is that of the last evaluation, which is too long ago to count.",
        "look at prometheus_rule_group_iterations_missed_total and the evaluation time of the group; split the group, or make its queries recording rules";
    /// A rule looks at what is not there.
    RULE_BLIND "prometheus/rule-blind" Warning ALERTING,
        "no metric that an alert rule looks at has any series",
        "A rule on what is not there never fires. A metric that was renamed, or an exporter that is gone, leaves it in place and blind.",
        "run the expression without its comparison on /graph of the server. A counter that appears with the first event should be set to 0 at the start of the service";
    /// Alerts go nowhere.
    NO_ALERTMANAGER "prometheus/no-alertmanager" Error CONFIG,
        "the server sends its alerts to no Alertmanager",
        "Alerts fire on a page that nobody looks at at night.",
        "name the Alertmanager in alerting.alertmanagers of the config; /api/v1/alertmanagers shows those that are active";
    /// A query gives no number.
    QUERY_UNANSWERED "prometheus/query-unanswered" Error API,
        "a query gives no number that could be judged",
        "No data is not good news: a wrong name or label, a job that is not scraped, or no traffic look all the same.",
        "run the expression on /graph of the server";
    /// The server remarks on a query.
    QUERY_REMARK "prometheus/query-remark" Info API,
        "the server has a remark on a query",
        "A `rate()` of what is no counter, or a quantile of what is no histogram, gives a number that means nothing.",
        "follow the remark, and compare the number with the graph";
}
