//! `measure` against services of this process, careful ones and ones with one fault each.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

mod input;
mod origins;
mod rates;
mod refusal;
mod sign_in;

use std::time::Duration;

use readygate_access::{Access, AccessConfig, AccessMeasurement};
use readygate_sdk::{Checks, Cx, Probe, ProbeError, Target};

/// Long enough for any healthy exchange on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(yaml: &str) -> AccessConfig {
    let config = serde_saphyr::from_str(yaml).unwrap_or_else(|e| panic!("{yaml}: {e}"));
    Access::validate(&config).unwrap_or_else(|e| panic!("{yaml}: {e}"));
    config
}

fn cx(environment: &str, url: &str) -> Cx {
    Cx::builder(PATIENCE)
        .target(Target {
            name: environment.to_owned(),
            url: Some(url.to_owned()),
            ..Target::default()
        })
        .build()
}

/// Measures, and hands on what the engine would judge: the record after a trip through JSON.
async fn measure_in(yaml: &str, cx: &Cx) -> Result<AccessMeasurement, ProbeError> {
    let record = Access::measure(&config(yaml), cx).await?;
    let json = serde_json::to_string(&record).unwrap();
    let read: AccessMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, record, "the record does not survive JSON");
    Ok(read)
}

/// `Failed access/cors: message`, one a check.
async fn outcomes(yaml: &str, url: &str) -> Vec<String> {
    let record = measure_in(yaml, &cx("staging", url))
        .await
        .unwrap_or_else(|e| panic!("{yaml}: {e}"));
    judge(yaml, &record)
}

fn judge(yaml: &str, record: &AccessMeasurement) -> Vec<String> {
    let mut checks = Checks::new();
    Access::judge(&config(yaml), record, &mut checks);
    let checks = checks.into_vec();
    checks
        .iter()
        .map(|c| format!("{:?} {}: {}", c.outcome, c.rule, c.message))
        .collect()
}

/// One of the outcomes begins so.
fn has(outcomes: &[String], start: &str) {
    assert!(
        outcomes.iter().any(|o| o.starts_with(start)),
        "no `{start}` in {outcomes:#?}"
    );
}
