//! The `signoff` probe: what a person vouches for with a signature, in the name of a role.
//!
//! It does no I/O. The gate finds and verifies signed statements after every other gate has ended,
//! puts what it found into a [`SignoffMeasurement`], and this crate judges it like any other.

mod config;
mod judge;
mod measurement;
mod metrics;
mod rules;

pub use config::{Answer, AnswerType, SignoffConfig};
pub use measurement::{Decision, SignoffMeasurement, StatementRecord};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, ErrorKind, Footprint, Meta, Metrics, Probe, ProbeError,
};
pub use rules::{ANSWER, MISSING};

/// The name of the probe.
pub const ID: &str = "signoff";

/// Waits for the signature of a role.
#[derive(Debug, Clone, Copy)]
pub struct Signoff;

impl Probe for Signoff {
    const META: Meta = Meta {
        id: ID,
        summary: "The signature of a person who vouches for the release in the name of a role",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Passive,
        readme: include_str!("../README.md"),
    };

    type Config = SignoffConfig;
    type Measurement = SignoffMeasurement;

    fn validate(config: &SignoffConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &SignoffConfig) -> Footprint {
        Footprint {
            contacts: vec![format!("a person in the role {}", config.role)],
            credentials: Vec::new(),
            activity: Activity::Passive,
            duration: None,
        }
    }

    /// The gate puts the measurement together by itself, when everything else is known. This is for
    /// whoever calls the probe alone: it never takes a signature on trust.
    async fn measure(config: &SignoffConfig, cx: &Cx) -> Result<SignoffMeasurement, ProbeError> {
        let error = |kind, message| {
            let subject = format!("role {}", config.role);
            ProbeError::new(kind, subject, "looking for statements", message)
        };
        if cx.cancellation().is_cancelled() {
            return Err(error(ErrorKind::Cancelled, "the run was interrupted"));
        }
        let message = "statements are verified at the end of `readygate run` and `readygate gate`";
        Err(error(ErrorKind::NoData, message))
    }

    fn metrics(measurement: &SignoffMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &SignoffConfig, measurement: &SignoffMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
