//! One gate, measured and judged.

use std::time::Duration;

use readygate_dns::{Dns, DnsConfig, DnsMeasurement, Ended};
use readygate_sdk::{Check, CheckOutcome, Checks, Level, Metrics, Probe as _, testkit};
use serde_json::{Value, json};

use crate::stub::{Stub, Zone};

/// Long enough for an answer on loopback on a busy machine.
pub const PATIENCE: &str = "2s";

/// For where nobody answers, which takes as long and longer.
const IMPATIENCE: &str = "300ms";

pub struct Gate {
    pub measurement: DnsMeasurement,
    pub metrics: Metrics,
    pub checks: Vec<Check>,
}

impl Gate {
    pub async fn run(with: Value) -> Self {
        let config: DnsConfig = serde_json::from_value(with).unwrap();
        Dns::validate(&config).unwrap();
        let cx = testkit::cx(Duration::from_secs(20));
        let measured = Dns::measure(&config, &cx).await.unwrap();
        let json = serde_json::to_string(&measured).unwrap();
        let measurement: DnsMeasurement = serde_json::from_str(&json).unwrap();
        assert_eq!(measurement, measured);
        let mut checks = Checks::new();
        Dns::judge(&config, &measurement, &mut checks);
        Self {
            metrics: Dns::metrics(&measurement),
            checks: checks.into_vec(),
            measurement,
        }
    }

    /// One record, asked of stubs.
    pub async fn record(servers: &[&Stub], record: Value) -> Self {
        Self::waiting(PATIENCE, servers, record).await
    }

    /// The same of servers that give no answer.
    pub async fn silence(servers: &[&Stub], record: Value) -> Self {
        Self::waiting(IMPATIENCE, servers, record).await
    }

    async fn waiting(patience: &str, servers: &[&Stub], record: Value) -> Self {
        let servers: Vec<String> = servers.iter().map(|s| s.text()).collect();
        Self::run(json!({
            "servers": servers, "query_timeout": patience, "allow_private": true,
            "records": [record],
        }))
        .await
    }

    /// `failed rule`, `unmeasured rule` for all that did not pass and weighs.
    pub fn problems(&self) -> Vec<String> {
        let bad = |c: &&Check| c.outcome != CheckOutcome::Passed && c.level != Level::Info;
        let shown = |c: &Check| {
            let how = match c.outcome {
                CheckOutcome::Unmeasured => "unmeasured",
                _ => "failed",
            };
            format!("{how} {}", c.rule.trim_start_matches("dns/"))
        };
        self.checks.iter().filter(bad).map(shown).collect()
    }

    pub fn ended(&self) -> Ended {
        self.measurement.records[0].answers[0].ended
    }

    pub fn text(&self) -> String {
        let shown = |c: &Check| format!("{} {:?} {:?}", c.message, c.actual, c.details);
        let lines: Vec<String> = self.checks.iter().map(shown).collect();
        lines.join(
            "
",
        )
    }
}

pub fn resolver() -> Zone {
    Zone {
        follows: true,
        ..Zone::default()
    }
}

pub fn shop(kind: &str) -> Value {
    json!({"name": "shop.example.com", "type": kind})
}
