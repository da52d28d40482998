//! `measure` against servers of this process, healthy and broken.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

mod answers;
mod faults;
mod hostile;
mod identity;
mod redirects;
mod samples;
mod secrets;
mod tls;

use std::time::Duration;

use readygate_http::{Http, HttpConfig, HttpMeasurement};
use readygate_sdk::{Check, Checks, Cx, Metrics, Probe, ProbeError, Target};

/// Long enough for any healthy exchange on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(yaml: &str) -> HttpConfig {
    let config = serde_saphyr::from_str(yaml).unwrap_or_else(|e| panic!("{yaml}: {e}"));
    Http::validate(&config).unwrap_or_else(|e| panic!("{yaml}: {e}"));
    config
}

fn cx(timeout: Duration) -> Cx {
    Cx::builder(timeout)
        .target(Target {
            name: "test".into(),
            version: Some("4.0.0".into()),
            ..Target::default()
        })
        .build()
}

/// Measures, and hands on what the engine would judge: the record after a trip through JSON.
async fn try_measure(yaml: &str) -> Result<HttpMeasurement, ProbeError> {
    measure_in(yaml, &cx(PATIENCE)).await
}

async fn measure_in(yaml: &str, cx: &Cx) -> Result<HttpMeasurement, ProbeError> {
    let record = Http::measure(&config(yaml), cx).await?;
    let json = serde_json::to_string(&record).unwrap();
    let read: HttpMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, record, "the record does not survive JSON");
    Ok(read)
}

async fn measure(yaml: &str) -> HttpMeasurement {
    try_measure(yaml)
        .await
        .unwrap_or_else(|e| panic!("{yaml}: {e}"))
}

async fn fails(yaml: &str) -> ProbeError {
    match try_measure(yaml).await {
        Err(error) => error,
        Ok(record) => panic!("{yaml}: measured {record:#?}"),
    }
}

fn judge(yaml: &str, record: &HttpMeasurement) -> Vec<Check> {
    let mut checks = Checks::new();
    Http::judge(&config(yaml), record, &mut checks);
    checks.into_vec()
}

/// `passed http/status`, one a check.
fn outcomes(yaml: &str, record: &HttpMeasurement) -> Vec<String> {
    judge(yaml, record)
        .iter()
        .map(|c| format!("{:?} {}", c.outcome, c.rule).to_lowercase())
        .collect()
}

fn metrics(record: &HttpMeasurement) -> Metrics {
    Http::metrics(record)
}

fn number(metrics: &Metrics, name: &str) -> f64 {
    match metrics.get(name).map(|m| &m.value) {
        Some(readygate_sdk::Value::Number(n)) => *n,
        other => panic!("{name} is {other:?} ({:?})", metrics.why_absent(name)),
    }
}
