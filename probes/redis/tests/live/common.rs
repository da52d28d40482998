//! What the live tests share.

use std::time::{Duration, Instant};

use readygate_redis::{Redis, RedisConfig, RedisMeasurement};
use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Level, Metrics, Probe as _};
use serde_json::{Value, json};

/// What one run of the probe came to.
pub struct Seen {
    pub measurement: RedisMeasurement,
    pub checks: Vec<Check>,
    pub metrics: Metrics,
    pub took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Pass,
    Warn,
    Unmeasured,
    Fail,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unmeasured => "could not tell",
            Self::Fail => "fail",
        }
    }
}

impl Seen {
    pub fn verdict(&self) -> Verdict {
        verdict(&self.checks)
    }

    /// Failed or unmeasured checks of a rule.
    pub fn of(&self, rule: &str) -> Vec<&Check> {
        let rule = format!("redis/{rule}");
        let wrong = |c: &&Check| c.rule == rule && c.outcome != CheckOutcome::Passed;
        self.checks.iter().filter(wrong).collect()
    }

    pub fn number(&self, name: &str) -> f64 {
        match self.metrics.get(name).map(|m| &m.value) {
            Some(readygate_sdk::Value::Number(n)) => *n,
            other => panic!(
                "{name} is {other:?}: {:?}\n{}",
                self.metrics.why_absent(name),
                self.report()
            ),
        }
    }

    /// Every check that is not passed, one a line.
    pub fn report(&self) -> String {
        let wrong = self
            .checks
            .iter()
            .filter(|c| c.outcome != CheckOutcome::Passed && c.level != Level::Info);
        let lines = wrong.map(|c| {
            format!(
                "{:?} {:?} {} {}: {} {:?}",
                c.outcome, c.level, c.rule, c.subject, c.message, c.details
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    pub fn expect(&self, verdict: Verdict) -> &Self {
        assert_eq!(self.verdict(), verdict, "\n{}", self.report());
        self
    }

    /// A check of this rule fails (or cannot tell) and names the subject.
    #[track_caller]
    pub fn names(&self, rule: &str, subject: &str) -> &Self {
        let found = self.of(rule);
        let says = |c: &&&Check| {
            c.subject == subject
                || c.message.contains(subject)
                || c.details.iter().any(|d| d.contains(subject))
        };
        assert!(
            found.iter().any(|c| says(&c)),
            "{rule} does not name {subject}\n{}",
            self.report()
        );
        self
    }
}

pub fn verdict(checks: &[Check]) -> Verdict {
    let of = |check: &Check| match (check.outcome, check.level) {
        (CheckOutcome::Unmeasured, _) => Verdict::Unmeasured,
        (CheckOutcome::Failed, Level::Error) => Verdict::Fail,
        (CheckOutcome::Failed, Level::Warning) => Verdict::Warn,
        _ => Verdict::Pass,
    };
    assert!(!checks.is_empty(), "nothing was judged");
    checks.iter().map(of).max().unwrap()
}

/// A config of these nodes with what the test adds; no settling, no window.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller writes json!() in place"
)]
pub fn config(nodes: &[String], more: Value) -> RedisConfig {
    let mut with = json!({
        "nodes": nodes,
        "settle": "0s",
        "node_timeout": "1s",
        "hit_rate": {"window": "0s"},
    });
    for (name, value) in more.as_object().unwrap() {
        with[name] = value.clone();
    }
    let config: RedisConfig = serde_json::from_value(with).unwrap();
    Redis::validate(&config).unwrap();
    config
}

pub async fn run(config: &RedisConfig, timeout: Duration) -> Seen {
    let cx = Cx::builder(timeout).build();
    run_in(config, &cx).await
}

pub async fn run_in(config: &RedisConfig, cx: &Cx) -> Seen {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test times the probe from outside"
    )]
    let begun = Instant::now();
    let measured = Redis::measure(config, cx).await.unwrap();
    let took = begun.elapsed();
    let json = serde_json::to_string(&measured).unwrap();
    let measurement: RedisMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(measurement, measured, "the record must survive JSON");
    let mut checks = Checks::new();
    Redis::judge(config, &measurement, &mut checks);
    let metrics = Redis::metrics(&measurement);
    for spec in Redis::META.metrics {
        match metrics.get(spec.name) {
            Some(metric) => assert_eq!(metric.unit, spec.unit, "{}", spec.name),
            None => assert!(
                metrics.why_absent(spec.name).is_some(),
                "{} is not told",
                spec.name
            ),
        }
    }
    Seen {
        measurement,
        checks: checks.into_vec(),
        metrics,
        took,
    }
}

/// One look at these nodes.
pub async fn look(nodes: &[String], more: Value) -> Seen {
    let seen = run(&config(nodes, more), Duration::from_secs(10)).await;
    assert!(
        seen.took < Duration::from_millis(3_500),
        "took {:?}",
        seen.took
    );
    seen
}
