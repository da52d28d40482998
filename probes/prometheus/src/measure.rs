//! Asks the server, one question after the other.

use std::collections::{BTreeMap, BTreeSet};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use tokio::time::Instant;

use crate::{
    answers::{
        Alert, AlertRule, Alertmanagers, BuildInfo, Labels, QueryData, RuleGroups, RuntimeInfo,
        Target, Targets,
    },
    api::{Api, Said},
    config::{PrometheusConfig, UpConfig},
    glob::{fit_labels, fits},
    measurement::{
        AlertRecord, AlertingRecord, JobRecord, PrometheusMeasurement, RuleRecord, ServerRecord,
        Silences, TargetRecord,
    },
    promql, queries,
    silences::{self, Managed},
    text::{milli, seconds, since_epoch, time},
};

/// What is kept of each kind; counts are of all.
const MOST_TARGETS: usize = 500;
const MOST_RULES: usize = 2_000;
const MOST_ALERTS: usize = 100;
/// Kept of one expression.
const MOST_NAMES: usize = 20;
/// Bytes of the names in one query.
const LONGEST_NAMES: usize = 3_000;

pub(crate) async fn measure(
    config: &PrometheusConfig,
    cx: &Cx,
) -> Result<PrometheusMeasurement, ProbeError> {
    let api = Api::prometheus(config, cx).await?;
    cx.progress(&format!("asking {}", api.shown()));
    api.ready().await?;
    let (server, clock) = server(&api, config, cx).await?;
    let jobs = jobs(&api, config, &clock).await?;
    let alerting = if config.alerts.is_some() || config.rules.is_some() {
        Some(alerting(&api, config, &clock, cx).await?)
    } else {
        None
    };
    let mut records = BTreeMap::new();
    for (name, query) in &config.queries {
        cx.progress(&format!("query {name}"));
        records.insert(name.clone(), queries::measure(&api, query, &clock).await?);
    }
    Ok(PrometheusMeasurement {
        url: api.shown(),
        taken_at: cx.now(),
        server,
        jobs,
        alerting,
        queries: records,
    })
}

/// The clock of the server: ages are by it, not by ours.
pub(crate) struct Clock {
    then: f64,
    since: Instant,
}

impl Clock {
    /// Seconds since the epoch.
    pub fn now(&self) -> f64 {
        self.then + self.since.elapsed().as_secs_f64()
    }
}

/// The server, and its clock.
async fn server(
    api: &Api<'_>,
    config: &PrometheusConfig,
    cx: &Cx,
) -> Result<(ServerRecord, Clock), ProbeError> {
    let (begun, here) = (Instant::now(), since_epoch(cx.now()));
    let said = api
        .ask::<QueryData>("api/v1/query", &[("query", "time()")])
        .await?;
    let half = begun.elapsed().as_secs_f64() / 2.0;
    let now = match &said {
        Said::Data(answer) => evaluated_at(&answer.data),
        Said::No(_) => None,
    };
    let Some(now) = now.filter(|now| *now > 0.0) else {
        let why = match said {
            Said::No(no) => format!("the server refuses `time()`: {}: {}", no.kind, no.text),
            Said::Data(_) => "the server does not answer `time()` as Prometheus does".to_owned(),
        };
        let phase = "asking for its time";
        return Err(ProbeError::new(ErrorKind::BadData, api.shown(), phase, why)
            .hint("`url` must be that of a Prometheus server, or of one that speaks its API"));
    };
    let build: Option<BuildInfo> = api.may("api/v1/status/buildinfo").await?;
    let runtime: Option<RuntimeInfo> = api.may("api/v1/status/runtimeinfo").await?;
    let managers: Option<Alertmanagers> = match config.rules {
        Some(_) => api.if_served("api/v1/alertmanagers").await?,
        None => None,
    };
    let active = managers.and_then(|m| m.active_alertmanagers);
    let runtime = runtime.as_ref();
    let started = runtime.and_then(|r| r.start_time.as_deref()).and_then(time);
    let record = ServerRecord {
        version: build.and_then(|b| b.version).map(|v| api.text(&v)),
        up_s: started.map(|started| milli(now - started)),
        reload_ok: runtime.and_then(|r| r.reload_config_success),
        retention: runtime
            .and_then(|r| r.storage_retention.as_deref())
            .map(|text| api.text(text)),
        skew_s: milli(now - (here + half)),
        skew_error_s: milli(half),
        alertmanagers: active.map(|list| list.len() as u64),
    };
    let clock = Clock {
        then: now,
        since: begun,
    };
    Ok((record, clock))
}

/// When `time()` was evaluated. Prometheus answers it with a scalar, VictoriaMetrics with a vector of
/// one series.
fn evaluated_at(data: &QueryData) -> Option<f64> {
    let sample = match (
        data.result_type.as_str(),
        data.result.as_array()?.as_slice(),
    ) {
        ("scalar", _) => &data.result,
        ("vector", [one]) => one.get("value")?,
        _ => return None,
    };
    sample.get(0)?.as_f64()
}

async fn jobs(
    api: &Api<'_>,
    config: &PrometheusConfig,
    clock: &Clock,
) -> Result<Vec<JobRecord>, ProbeError> {
    if config.up.is_empty() {
        return Ok(Vec::new());
    }
    let answer = api
        .must::<Targets>("api/v1/targets", &[("state", "active")])
        .await?;
    let now = clock.now();
    let Some(targets) = answer.data.active_targets else {
        let message = "the answer names no `activeTargets`";
        let phase = "reading the targets";
        return Err(ProbeError::new(
            ErrorKind::BadData,
            api.shown(),
            phase,
            message,
        ));
    };
    let record = |wanted: &UpConfig| job(api, wanted, &targets, now, &answer.warnings);
    Ok(config.up.iter().map(record).collect())
}

fn job(
    api: &Api<'_>,
    wanted: &UpConfig,
    targets: &[Target],
    now: f64,
    partial: &[String],
) -> JobRecord {
    let fitting = targets.iter().filter(|target| {
        let job = target.labels.get("job").unwrap_or(&target.scrape_pool);
        fits(&wanted.job, job) && fit_labels(&wanted.labels, &target.labels)
    });
    // Every server scrapes itself: where any job will do, that would make something of nothing.
    let any = wanted.labels.is_empty() && wanted.job.split('|').any(|one| one.trim() == "*");
    let (own, others): (Vec<_>, Vec<_>) =
        fitting.partition(|target| any && api.is_itself(&target.scrape_url));
    let others = others.into_iter();
    let mut records: Vec<_> = others.map(|target| of_target(api, target, now)).collect();
    records.sort_by_key(TargetRecord::state);
    let left_out = records.len().saturating_sub(MOST_TARGETS) as u64;
    records.truncate(MOST_TARGETS);
    JobRecord {
        job: wanted.job.clone(),
        targets: records,
        left_out,
        own: own.len() as u64,
        partial: partial.to_vec(),
    }
}

fn of_target(api: &Api<'_>, target: &Target, now: f64) -> TargetRecord {
    let label = |name: &str| target.labels.get(name).map(|text| api.text(text));
    TargetRecord {
        job: label("job").unwrap_or_else(|| api.text(&target.scrape_pool)),
        instance: label("instance").unwrap_or_default(),
        health: api.text(&target.health),
        error: api.text(&target.last_error),
        age_s: time(&target.last_scrape).map(|at| milli(now - at)),
        interval_s: seconds(&target.scrape_interval),
    }
}

async fn alerting(
    api: &Api<'_>,
    config: &PrometheusConfig,
    clock: &Clock,
    cx: &Cx,
) -> Result<AlertingRecord, ProbeError> {
    let answer = api
        .must::<RuleGroups>("api/v1/rules", &[("type", "alert")])
        .await?;
    let now = clock.now();
    let mut record = AlertingRecord {
        alerts_asked: config.alerts.is_some(),
        partial: answer.warnings,
        ..AlertingRecord::default()
    };
    if answer.data.group_next_token.is_some_and(|t| !t.is_empty()) {
        let message = "the server gave only a page of the rules";
        record.partial.push(message.to_owned());
    }
    let mut asked: Vec<(&Alert, &str)> = Vec::new();
    let groups = answer.data.groups.as_deref().unwrap_or_default();
    for group in groups {
        let rules = group.rules.as_deref().unwrap_or_default();
        for rule in rules.iter().filter(|r| matches!(&*r.kind, "alerting" | "")) {
            let alerts = rule.alerts.as_deref().unwrap_or_default();
            let of_gate = alerts
                .iter()
                .filter(|a| is_asked(config, &a.labels, &rule.name));
            let before = asked.len();
            asked.extend(of_gate.map(|alert| (alert, rule.name.as_str())));
            let mut of_rule = of_rule(api, &group.name, group.interval, rule, now);
            of_rule.asked = asked.len() > before;
            record.rules.push(of_rule);
        }
    }
    record.unseen = unseen(api, config, &record.rules).await?;
    record.rules.sort_by_key(RuleRecord::state);
    record.rules_left_out = record.rules.len().saturating_sub(MOST_RULES) as u64;
    record.rules.truncate(MOST_RULES);
    let manager = config.alerts.as_ref().and_then(|a| a.alertmanager.as_ref());
    let managed = match manager {
        Some(manager) => match silences::ask(api, config, manager, cx).await {
            Ok(managed) => {
                record.silences = Silences::Known;
                managed
            }
            // Cut off by the deadline, it is the gate that could not tell.
            Err(error) if cx.is_over() => return Err(error),
            Err(error) => {
                record.silences = Silences::Unknown(error.to_string());
                Managed::default()
            }
        },
        None => Managed::default(),
    };
    count(api, &mut record, &asked, &managed, now);
    Ok(record)
}

/// Which metrics have no series, of those that the rules named in the gate look at: a rule on what
/// is not there stays silent for ever.
async fn unseen(
    api: &Api<'_>,
    config: &PrometheusConfig,
    rules: &[RuleRecord],
) -> Result<Option<Vec<String>>, ProbeError> {
    let Some(wanted) = &config.rules else {
        return Ok(None);
    };
    let named = rules.iter().filter(|rule| wanted.names(rule));
    let names: BTreeSet<&str> = named.flat_map(|r| &r.watches).map(String::as_str).collect();
    let mut asked: Vec<&str> = Vec::new();
    let mut length = 0;
    for name in names {
        length += name.len() + 1;
        if length > LONGEST_NAMES {
            break;
        }
        asked.push(name);
    }
    if asked.is_empty() {
        return Ok(None);
    }
    // Names of metrics hold nothing that a pattern would take for its own.
    let expr = format!(
        "count by (__name__) ({{__name__=~\"{}\"}})",
        asked.join("|")
    );
    let Some(there) = queries::names(api, &expr).await? else {
        return Ok(None);
    };
    let missing = asked.into_iter().filter(|name| !there.contains(*name));
    Ok(Some(missing.map(str::to_owned).collect()))
}

/// Whether an alert counts. The dead man's switch always fires and is no alert.
fn is_asked(config: &PrometheusConfig, labels: &Labels, name: &str) -> bool {
    let Some(alerts) = &config.alerts else {
        return false;
    };
    let watchdog = alerts.watchdog.as_ref();
    !watchdog.is_some_and(|pattern| fits(pattern, name)) && fit_labels(&alerts.labels, labels)
}

fn of_rule(api: &Api<'_>, group: &str, interval: f64, rule: &AlertRule, now: f64) -> RuleRecord {
    let names = promql::metric_names(&rule.query);
    let alerts = rule.alerts.as_deref().unwrap_or_default();
    RuleRecord {
        group: api.text(group),
        name: api.text(&rule.name),
        labels: api.labels(rule.labels.as_ref().unwrap_or(&Labels::new())),
        watches: names
            .iter()
            .take(MOST_NAMES)
            .map(|name| api.text(name))
            .collect(),
        health: api.text(&rule.health),
        error: api.text(&rule.last_error),
        age_s: time(&rule.last_evaluation).map(|at| milli(now - at)),
        interval_s: interval,
        firing: alerts.iter().filter(|a| a.state == "firing").count() as u64,
        asked: false,
    }
}

fn count(
    api: &Api<'_>,
    record: &mut AlertingRecord,
    asked: &[(&Alert, &str)],
    managed: &Managed,
    now: f64,
) {
    for (alert, name) in asked {
        let mut labels = alert.labels.clone();
        labels
            .entry("alertname".to_owned())
            .or_insert_with(|| (*name).to_owned());
        let firing = alert.state == "firing";
        let is_silenced = firing
            && managed.silences(&labels).unwrap_or_else(|why| {
                record.silences = Silences::Unknown(why);
                false
            });
        match alert.state.as_str() {
            "firing" => record.firing += 1,
            "pending" => record.pending += 1,
            _ => continue,
        }
        record.silenced += u64::from(is_silenced);
        record.alerts.push(AlertRecord {
            labels: api.labels(&labels),
            state: api.text(&alert.state),
            active_s: alert
                .active_at
                .as_deref()
                .and_then(time)
                .map(|at| milli(now - at)),
            silenced: is_silenced,
        });
    }
    // What counts must not be pushed out by what does not.
    record
        .alerts
        .sort_by_key(|alert| (alert.silenced, alert.state == "pending"));
    record.alerts.truncate(MOST_ALERTS);
}
