//! One probe run, judged as the engine judges it.

use std::{fmt, time::Duration};

use readygate_mongodb::{Mongodb, MongodbConfig, MongodbMeasurement};
use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Level, Metrics, Probe, ProbeError, Value};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

/// What came of one run.
pub struct Seen {
    pub metrics: Metrics,
    pub checks: Vec<Check>,
    pub took: Duration,
}

/// How a gate ends, without expectations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    Unmeasured,
}

/// A config: `uri`, a short settle time, and what `with` adds or replaces.
pub fn config(uri: &str, with: Json) -> MongodbConfig {
    let mut config = json!({ "uri": uri, "settle": "0s", "node_timeout": "3s" });
    let Json::Object(with) = with else {
        panic!("a config is an object");
    };
    config.as_object_mut().unwrap().extend(with);
    let config: MongodbConfig = serde_json::from_value(config).unwrap();
    Mongodb::validate(&config).unwrap();
    config
}

/// Three ordinary members, as the tests declare them.
pub fn three() -> Json {
    json!({ "topology": { "members": 3, "voting": 3, "arbiters": 0, "hidden": 0, "delayed": 0 } })
}

pub async fn look(uri: &str, with: Json) -> Seen {
    look_within(Duration::from_secs(30), uri, with)
        .await
        .unwrap()
}

pub async fn look_within(timeout: Duration, uri: &str, with: Json) -> Result<Seen, ProbeError> {
    let config = config(uri, with);
    let cx = Cx::builder(timeout).build();
    let started = Instant::now();
    let measured = Mongodb::measure(&config, &cx).await;
    let took = started.elapsed();
    assert!(
        took < timeout + Duration::from_millis(500),
        "took {took:?} of {timeout:?}"
    );
    let measured = measured?;
    let json = serde_json::to_string(&measured).unwrap();
    let read: MongodbMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, measured, "the record must survive JSON");
    let mut checks = Checks::new();
    Mongodb::judge(&config, &read, &mut checks);
    let checks = checks.into_vec();
    for check in &checks {
        let known = Mongodb::META
            .rules
            .iter()
            .any(|rule| rule.code == check.rule);
        assert!(known, "{} is not documented", check.rule);
    }
    let metrics = Mongodb::metrics(&read);
    for (name, metric) in metrics.iter() {
        let spec = Mongodb::META.metrics.iter().find(|spec| spec.covers(name));
        assert_eq!(spec.map(|spec| spec.unit), Some(metric.unit), "{name}");
    }
    Ok(Seen {
        metrics,
        checks,
        took,
    })
}

impl Seen {
    pub fn verdict(&self) -> Verdict {
        let any = |outcome| {
            let weighs = |c: &&Check| c.outcome == outcome && c.level == Level::Error;
            self.checks.iter().any(|c| weighs(&c))
        };
        if any(CheckOutcome::Failed) {
            Verdict::Failed
        } else if any(CheckOutcome::Unmeasured) {
            Verdict::Unmeasured
        } else {
            Verdict::Passed
        }
    }

    #[track_caller]
    pub fn ends(&self, verdict: Verdict) -> &Self {
        assert_eq!(self.verdict(), verdict, "{self}");
        self
    }

    /// A failed check of this rule on this subject, whose text holds `text`.
    #[track_caller]
    pub fn fails(&self, rule: &str, subject: &str, text: &str) -> &Self {
        self.has(CheckOutcome::Failed, rule, subject, text)
    }

    #[track_caller]
    pub fn cannot_tell(&self, rule: &str, subject: &str, text: &str) -> &Self {
        self.has(CheckOutcome::Unmeasured, rule, subject, text)
    }

    #[track_caller]
    pub fn passes(&self, rule: &str, subject: &str) -> &Self {
        self.has(CheckOutcome::Passed, rule, subject, "")
    }

    #[track_caller]
    fn has(&self, outcome: CheckOutcome, rule: &str, subject: &str, text: &str) -> &Self {
        let found = self.checks.iter().any(|c| {
            let all = format!("{} {:?} {:?} {:?}", c.message, c.actual, c.hint, c.details);
            c.rule == format!("mongodb/{rule}")
                && c.outcome == outcome
                && c.subject.contains(subject)
                && all.contains(text)
        });
        assert!(
            found,
            "no {outcome:?} {rule} on {subject} with `{text}`:\n{self}"
        );
        self
    }

    /// No check of this rule failed.
    #[track_caller]
    pub fn silent(&self, rule: &str) -> &Self {
        let rule = format!("mongodb/{rule}");
        let failed = self
            .checks
            .iter()
            .any(|c| c.rule == rule && c.outcome == CheckOutcome::Failed);
        assert!(!failed, "{rule} failed:\n{self}");
        self
    }

    /// Codes of the failed checks that weigh something, sorted.
    pub fn wrong(&self) -> Vec<&str> {
        let weighs = |c: &&Check| c.outcome == CheckOutcome::Failed && c.level > Level::Info;
        let codes = self.checks.iter().filter(weighs);
        let mut codes: Vec<_> = codes
            .map(|c| c.rule.trim_start_matches("mongodb/"))
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    #[track_caller]
    pub fn number(&self, metric: &str) -> f64 {
        match self.metrics.get(metric).map(|m| &m.value) {
            Some(Value::Number(n)) => *n,
            _ => panic!(
                "{metric} is absent: {:?}\n{self}",
                self.metrics.why_absent(metric)
            ),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} after {:?}", self.verdict(), self.took)?;
        for check in self
            .checks
            .iter()
            .filter(|c| c.outcome != CheckOutcome::Passed)
        {
            writeln!(
                f,
                "{:?} {:?} {} {}: {} {:?} {:?}",
                check.outcome,
                check.level,
                check.rule,
                check.subject,
                check.message,
                check.actual,
                check.details
            )?;
        }
        writeln!(f, "{:?}", self.metrics)
    }
}

/// `base` with the fields of `more` added or replaced.
pub fn with(mut base: Json, more: Json) -> Json {
    let Json::Object(more) = more else {
        panic!("a config is an object");
    };
    base.as_object_mut().unwrap().extend(more);
    base
}
