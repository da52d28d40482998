//! The `review` probe: what a forge says of a change before its release: who approved it, which
//! checks are green, which issues are open.

mod api;
mod approval;
mod config;
mod forge;
mod judge;
mod measurement;
mod metrics;
mod rules;

pub use config::{ForgeKind, IssueRule, ReviewConfig};
pub use measurement::{
    Answer, Change, CheckRun, CheckState, IssueCount, Issues, LastWord, ReviewMeasurement,
    ReviewVerdict,
};
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

/// Asks a forge about a change and the issues around it.
#[derive(Debug, Clone, Copy)]
pub struct Review;

impl Probe for Review {
    const META: Meta = Meta {
        id: "review",
        summary: "Code review: approvals of others on the last push, required checks, open issues",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = ReviewConfig;
    type Measurement = ReviewMeasurement;

    fn validate(config: &ReviewConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(config: &ReviewConfig) -> Footprint {
        Footprint {
            contacts: vec![config.api_shown()],
            credentials: config.token.iter().map(|_| "token".to_owned()).collect(),
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &ReviewConfig, cx: &Cx) -> Result<ReviewMeasurement, ProbeError> {
        forge::measure(config, cx).await
    }

    fn metrics(measurement: &ReviewMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &ReviewConfig, measurement: &ReviewMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
