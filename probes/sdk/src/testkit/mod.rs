//! Helpers for the tests of probes.

mod black_hole;
mod cases;

pub use black_hole::BlackHole;
pub use cases::run_cases;

/// A value that must never show up in a measurement, a check or a report.
pub const CANARY: &str = "canary-5ecr3t/+ \"q\"";

/// A context with a deadline, the repository's own folder and an ordinary `PATH`.
pub fn cx(timeout: std::time::Duration) -> crate::Cx {
    let environment = [("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())];
    crate::Cx::builder(timeout)
        .environment(environment.into())
        .build()
}
