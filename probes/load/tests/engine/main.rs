//! The load engine against servers that behave, and servers that do not.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "tests, whose servers are threads that stall on purpose"
)]

mod faults;
mod http2;
mod pacing;
mod scenarios;
mod server;
mod shapes;
mod tls;

use std::time::Duration;

use readygate_load::engine::{
    report::Report,
    run,
    spec::{Phase, PhaseKind, Shape, Spec},
};
use readygate_sdk::{Cx, ProbeError};

/// A measure phase.
pub fn measure(rate: f64, millis: u64) -> Phase {
    Phase {
        name: "measure".to_owned(),
        kind: PhaseKind::Measure,
        rate: Some(rate),
        users: None,
        duration: Duration::from_millis(millis),
    }
}

/// An open model on `connections`.
pub fn open(base: url::Url, connections: u32, rate: f64, millis: u64) -> Spec {
    let mut spec = Spec::get(base, "/");
    spec.connections = connections;
    spec.phases = vec![measure(rate, millis)];
    // What is slow on a busy machine is no fault.
    spec.timeout = Duration::from_secs(5);
    spec.drain = Duration::from_secs(5);
    spec.connect.timeout = Duration::from_secs(5);
    spec.threads = Some(1);
    spec
}

/// As many requests as `n`, one after the other on each connection.
pub fn exactly(base: url::Url, connections: u32, n: u64) -> Spec {
    let mut spec = open(base, connections, 1.0, 10_000);
    spec.shape = Shape::Max;
    spec.max_requests = Some(n);
    spec
}

/// Runs within 20 s.
pub async fn load(spec: Spec) -> Result<Report, ProbeError> {
    run(spec, &Cx::builder(Duration::from_secs(20)).build()).await
}
