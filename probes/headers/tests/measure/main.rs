//! `measure` against servers of this process, healthy and broken.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

mod files;
mod hostile;
mod https;
mod origins;
mod pages;

use std::time::Duration;

use readygate_headers::{Headers, HeadersConfig, HeadersMeasurement};
use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Probe, ProbeError};

/// Long enough for any healthy exchange on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(yaml: &str) -> HeadersConfig {
    let config = serde_saphyr::from_str(yaml).unwrap_or_else(|e| panic!("{yaml}: {e}"));
    Headers::validate(&config).unwrap_or_else(|e| panic!("{yaml}: {e}"));
    config
}

async fn measure_in(yaml: &str, cx: &Cx) -> Result<HeadersMeasurement, ProbeError> {
    let record = Headers::measure(&config(yaml), cx).await?;
    let json = serde_json::to_string(&record).unwrap();
    let read: HeadersMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, record, "the record does not survive JSON");
    Ok(read)
}

async fn measure(yaml: &str) -> HeadersMeasurement {
    let cx = readygate_sdk::testkit::cx(PATIENCE);
    measure_in(yaml, &cx)
        .await
        .unwrap_or_else(|e| panic!("{yaml}: {e}"))
}

async fn fails(yaml: &str) -> ProbeError {
    let cx = readygate_sdk::testkit::cx(PATIENCE);
    measure_in(yaml, &cx)
        .await
        .map(|r| panic!("{r:?}"))
        .unwrap_err()
}

fn judge(yaml: &str, record: &HeadersMeasurement) -> Vec<Check> {
    let mut checks = Checks::new();
    Headers::judge(&config(yaml), record, &mut checks);
    checks.into_vec()
}

/// How the checks of one rule ended.
fn outcomes(checks: &[Check], rule: &str) -> Vec<CheckOutcome> {
    checks
        .iter()
        .filter(|c| c.rule == rule)
        .map(|c| c.outcome)
        .collect()
}
