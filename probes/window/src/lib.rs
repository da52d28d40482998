//! The `window` probe: whether a deployment may start now, by windows and freezes.
//!
//! The rule is that of Argo CD's sync windows: without any allowed window it may; with some only
//! inside of one; an active freeze always wins.

mod calendar;
mod config;
mod cron;
mod judge;
mod measure;
mod metrics;
mod rules;

use jiff::Timestamp;
use readygate_sdk::{
    Activity, Check, CheckOutcome, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe,
    ProbeError,
};

pub use config::{Recurring, Reserve, WindowConfig};
pub use measure::{RecurringState, WindowMeasurement};

/// The name of the probe.
pub const ID: &str = "window";
/// The variable that GitLab sets to `true` in jobs that run in a deploy freeze of the project.
pub const GITLAB: &str = "CI_DEPLOY_FREEZE";

/// Looks at the clock.
#[derive(Debug, Clone, Copy)]
pub struct Window;

impl Probe for Window {
    const META: Meta = Meta {
        id: ID,
        summary: "Whether a deployment may start now, by maintenance windows and freezes",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Passive,
        readme: include_str!("../README.md"),
    };

    type Config = WindowConfig;
    type Measurement = WindowMeasurement;

    fn validate(config: &WindowConfig) -> Result<(), ConfigError> {
        config.validate()
    }

    fn footprint(_config: &WindowConfig) -> Footprint {
        Footprint {
            contacts: Vec::new(),
            credentials: Vec::new(),
            activity: Activity::Passive,
            duration: None,
        }
    }

    async fn measure(config: &WindowConfig, cx: &Cx) -> Result<WindowMeasurement, ProbeError> {
        let freeze = cx.environment().get(GITLAB).map(String::as_str);
        let state = std::future::ready(measure::state(config, cx.now(), freeze));
        cx.within("the clock", "looking at the windows", state)
            .await?
    }

    fn metrics(measurement: &WindowMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &WindowConfig, measurement: &WindowMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}

/// What [`Window`] measures, at any moment. No I/O.
///
/// # Errors
/// A zone that is not known here.
pub fn state(
    config: &WindowConfig,
    at: Timestamp,
    gitlab: Option<&str>,
) -> Result<WindowMeasurement, ProbeError> {
    measure::state(config, at, gitlab)
}

/// What keeps a deployment from starting at a moment; nothing means that it may start.
///
/// # Errors
/// A zone that is not known here.
pub fn hindrances(
    config: &WindowConfig,
    at: Timestamp,
    gitlab: Option<&str>,
) -> Result<Vec<Check>, ProbeError> {
    let state = measure::state(config, at, gitlab)?;
    let mut checks = Checks::new();
    judge::judge(config, &state, &mut checks);
    let failed = checks.into_vec().into_iter();
    Ok(failed
        .filter(|c| c.outcome == CheckOutcome::Failed)
        .collect())
}
