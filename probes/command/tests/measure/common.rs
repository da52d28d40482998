//! What the tests of `measure` share.

use std::{
    collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration,
};

use readygate_command::{Command, CommandConfig, CommandMeasurement};
use readygate_sdk::{
    Check, CheckOutcome, Checks, Cx, CxBuilder, Metrics, Probe, ProbeError, Target,
};
use serde_json::Value;

pub fn config(with: Value) -> CommandConfig {
    let config: CommandConfig = serde_json::from_value(with).unwrap();
    Command::validate(&config).unwrap();
    config
}

pub fn cx(timeout: Duration) -> CxBuilder {
    let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned();
    let target = Target {
        name: "staging".to_owned(),
        version: Some("4.0.0".to_owned()),
        ..Target::default()
    };
    Cx::builder(timeout)
        .environment(BTreeMap::from([("PATH".to_owned(), path)]))
        .target(target)
}

pub struct Seen {
    pub measured: CommandMeasurement,
    pub metrics: Metrics,
    pub checks: Vec<Check>,
}

impl Seen {
    /// How the checks of a rule ended, in order.
    pub fn outcomes(&self, rule: &str) -> Vec<CheckOutcome> {
        let checks = self.checks.iter().filter(|c| c.rule == rule);
        checks.map(|c| c.outcome).collect()
    }

    pub fn shown(&self, metric: &str) -> String {
        let reason = || {
            self.metrics
                .why_absent(metric)
                .unwrap_or("not named")
                .to_owned()
        };
        self.metrics
            .get(metric)
            .map_or_else(reason, readygate_sdk::Metric::display)
    }
}

pub async fn fails(with: Value, cx: &Cx) -> ProbeError {
    Command::measure(&config(with), cx).await.unwrap_err()
}

pub async fn run(with: Value) -> Seen {
    run_in(with, &cx(Duration::from_secs(60)).build()).await
}

/// Measures, sends the record through JSON, and judges.
pub async fn run_in(with: Value, cx: &Cx) -> Seen {
    let config = config(with);
    let first = Command::measure(&config, cx).await.unwrap();
    let json = serde_json::to_string(&first).unwrap();
    let measured: CommandMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(measured, first, "the record must survive JSON");
    let metrics = Command::metrics(&measured);
    for (name, metric) in metrics.iter() {
        let spec = Command::META.metrics.iter().find(|s| s.covers(name));
        let spec = spec.unwrap_or_else(|| panic!("{name} is not documented"));
        assert!(spec.is_family() || spec.unit == metric.unit, "{name}");
    }
    let mut checks = Checks::new();
    Command::judge(&config, &measured, &mut checks);
    Seen {
        measured,
        metrics,
        checks: checks.into_vec(),
    }
}

/// Writes an executable script.
pub fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}
