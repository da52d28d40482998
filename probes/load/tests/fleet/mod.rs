//! What the tests of Locust and of k6 share.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use readygate_load::{Load, LoadConfig, LoadMeasurement};
use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Metrics, Probe as _, ProbeError, Value};
use serde_json::Value as Json;

/// A server with `/ok` and, for whatever else, 404.
pub fn server() -> readygate_stack::Server {
    let block = "location = /ok { return 200 'hello'; }\n location / { return 404; }";
    readygate_stack::nginx(block).unwrap()
}

/// The path of a tool.
pub fn tool(name: &str) -> String {
    readygate_stack::load_tool(name)
        .unwrap()
        .display()
        .to_string()
}

/// A program that runs `before` in a shell and then the tool in its place.
pub fn wrapped(folder: &Path, name: &str, before: &str) -> String {
    let path = folder.join("wrapper");
    let script = format!("#!/bin/sh\n{before}\nexec {} \"$@\"\n", tool(name));
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

pub fn config(with: Json) -> LoadConfig {
    let config: LoadConfig = serde_json::from_value(with).unwrap();
    Load::validate(&config).unwrap();
    config
}

/// Progress messages, which tests wait for.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    /// Those so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub fn cx(said: &Said) -> Cx {
    let said = said.clone();
    let environment = [("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())];
    Cx::builder(Duration::from_secs(180))
        .environment(environment.into())
        .progress(move |line| said.0.lock().unwrap().push(line.to_owned()))
        .build()
}

/// Measures, and shows what it was if the test fails.
pub async fn measure(with: Json) -> Result<Judged, ProbeError> {
    measure_with(with, &Said::default()).await
}

#[expect(clippy::print_stderr, reason = "shown where a test fails")]
pub async fn measure_with(with: Json, said: &Said) -> Result<Judged, ProbeError> {
    let config = config(with);
    let measurement = Load::measure(&config, &cx(said)).await?;
    // What is judged is what was recorded.
    let text = serde_json::to_string(&measurement).unwrap();
    let measurement: LoadMeasurement = serde_json::from_str(&text).unwrap();
    let mut checks = Checks::new();
    Load::judge(&config, &measurement, &mut checks);
    let judged = Judged {
        metrics: Load::metrics(&measurement),
        checks: checks.into_vec(),
        measurement,
    };
    eprintln!("{judged:#?}");
    Ok(judged)
}

#[derive(Debug)]
pub struct Judged {
    pub measurement: LoadMeasurement,
    pub metrics: Metrics,
    pub checks: Vec<Check>,
}

impl Judged {
    /// Codes of the rules with this outcome, each once.
    pub fn with(&self, outcome: CheckOutcome) -> Vec<&str> {
        let found = self.checks.iter().filter(|check| check.outcome == outcome);
        let mut codes: Vec<&str> = found.map(|check| check.rule.as_str()).collect();
        codes.dedup();
        codes
    }

    /// The first check of a rule with this outcome.
    pub fn check(&self, rule: &str, outcome: CheckOutcome) -> &Check {
        let mut all = self.checks.iter();
        let found = all.find(|check| check.rule == rule && check.outcome == outcome);
        found.unwrap_or_else(|| panic!("{rule} is not {outcome:?}: {:#?}", self.checks))
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        match self.metrics.get(name)?.value {
            Value::Number(number) => Some(number),
            Value::Text(_) => None,
        }
    }
}
