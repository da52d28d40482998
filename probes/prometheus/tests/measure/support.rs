//! A Prometheus of a few fixed answers, and the way from a config to checks.

use std::{collections::BTreeMap, time::Duration};

use readygate_prometheus::{Prometheus, PrometheusConfig, PrometheusMeasurement};
use readygate_sdk::{Check, CheckOutcome, Checks, Level, Metrics, Probe as _, ProbeError, testkit};
use readygate_web::testkit::{Act, Seen, Server, respond};
use serde_json::{Value, json};

pub const LONG: Duration = Duration::from_secs(20);

/// Seconds since the epoch.
pub fn now() -> f64 {
    let now = testkit::cx(LONG).now();
    f64::from(u32::try_from(now.as_second()).unwrap())
}

/// A time some seconds ago, as Prometheus writes it.
pub fn ago(seconds: i64) -> String {
    let now = testkit::cx(LONG).now();
    (now - Duration::from_secs(seconds.unsigned_abs())).to_string()
}

/// Answers by the first part of the request target that fits.
#[derive(Clone, Default)]
pub struct Fake(BTreeMap<String, Vec<Act>>);

impl Fake {
    /// What a healthy server without jobs says.
    pub fn new() -> Self {
        let started = ago(3_600);
        Self::default()
            .acts("/-/ready", respond("200 OK", "", "Prometheus Server is Ready.\n"))
            .data("/api/v1/query?query=time%28%29", &json!({"resultType": "scalar", "result": [now(), format!("{}", now())]}))
            .data("/api/v1/status/buildinfo", &json!({"version": "2.53.0"}))
            .data("/api/v1/status/runtimeinfo", &json!({"startTime": started, "reloadConfigSuccess": true, "storageRetention": "15d"}))
            .data("/api/v1/query?query=count+by", &json!({"resultType": "vector", "result": [
                {"metric": {"__name__": "up"}, "value": [now(), "3"]},
            ]}))
            .data("/api/v1/alertmanagers", &json!({"activeAlertmanagers": [{"url": "http://am/api/v2/alerts"}]}))
    }

    pub fn acts(mut self, path: &str, acts: Vec<Act>) -> Self {
        self.0.insert(path.to_owned(), acts);
        self
    }

    pub fn answer(self, path: &str, status: &str, body: &Value) -> Self {
        let headers = "Content-Type: application/json\r\n";
        let acts = respond(status, headers, body.to_string());
        self.acts(path, acts)
    }

    pub fn data(self, path: &str, data: &Value) -> Self {
        self.answer(path, "200 OK", &json!({"status": "success", "data": data}))
    }

    pub async fn start(self) -> Server {
        let find = move |seen: &Seen| {
            let target = seen.line.split(' ').nth(1).unwrap_or_default();
            let fitting = self
                .0
                .iter()
                .filter(|(path, _)| target.starts_with(path.as_str()));
            let acts = fitting
                .max_by_key(|(path, _)| path.len())
                .map(|(_, acts)| acts.clone());
            acts.unwrap_or_else(|| respond("404 Not Found", "", "404 page not found\n"))
        };
        Server::start(find).await
    }
}

pub fn config(with: Value) -> PrometheusConfig {
    let config: PrometheusConfig = serde_json::from_value(with).unwrap();
    Prometheus::validate(&config).unwrap();
    config
}

/// What came of a gate.
pub struct Judged {
    pub record: PrometheusMeasurement,
    pub checks: Vec<Check>,
    pub metrics: Metrics,
}

pub async fn run_within(
    timeout: Duration,
    url: &str,
    mut with: Value,
) -> Result<Judged, ProbeError> {
    with["url"] = json!(url);
    let config = config(with);
    let record = Prometheus::measure(&config, &testkit::cx(timeout)).await?;
    // What is judged is what was recorded.
    let text = serde_json::to_string(&record).unwrap();
    let read: PrometheusMeasurement = serde_json::from_str(&text).unwrap();
    assert_eq!(read, record);
    let mut checks = Checks::new();
    Prometheus::judge(&config, &record, &mut checks);
    let metrics = Prometheus::metrics(&record);
    Ok(Judged {
        checks: checks.into_vec(),
        metrics,
        record,
    })
}

pub async fn run(url: &str, with: Value) -> Result<Judged, ProbeError> {
    run_within(LONG, url, with).await
}

impl Judged {
    /// How a rule ended, on the first subject that holds a text.
    pub fn outcome(&self, rule: &str, subject: &str) -> Option<(CheckOutcome, Level)> {
        let check = self.check(rule, subject)?;
        Some((check.outcome, check.level))
    }

    pub fn check(&self, rule: &str, subject: &str) -> Option<&Check> {
        let code = format!("prometheus/{rule}");
        let mut checks = self.checks.iter();
        checks.find(|c| c.rule == code && c.subject.contains(subject))
    }

    /// Rules that did not pass, without those that only warn.
    pub fn wrong(&self) -> Vec<String> {
        let weighs = |check: &&Check| match check.outcome {
            CheckOutcome::Passed => false,
            CheckOutcome::Failed => check.level == Level::Error,
            CheckOutcome::Unmeasured => true,
        };
        let wrong = self.checks.iter().filter(weighs);
        wrong
            .map(|c| c.rule.trim_start_matches("prometheus/").to_owned())
            .collect()
    }

    /// Number of a metric.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.metrics.get(name)?.value {
            readygate_sdk::Value::Number(number) => Some(number),
            readygate_sdk::Value::Text(_) => None,
        }
    }
}
