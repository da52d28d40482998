//! The load engine: makes HTTP load from this machine and reports what came of it.
//!
//! It knows no bound: it counts and times. The judge decides.

pub mod report;
pub mod spec;

/// Makes the load.
pub async fn run(
    spec: spec::Spec,
    _cx: &readygate_sdk::Cx,
) -> Result<report::Report, readygate_sdk::ProbeError> {
    let host = spec.base.host_str().unwrap_or_default().to_owned();
    let message = "this build has no engine";
    Err(readygate_sdk::ProbeError::new(
        readygate_sdk::ErrorKind::Internal,
        host,
        "starting the load",
        message,
    ))
}
