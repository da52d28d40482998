//! The `access` probe: who gets in, who is kept out, and what is refused.
//!
//! [`Access`] asks every claim of the config two ways: with a *positive control*, which must be let
//! through, and with *negative controls*, which must not. A claim is `verified` only if both behaved;
//! a positive control that fails makes it `not-checked`, which is unmeasured and never a pass.

mod ask;
mod config;
mod grade;
mod grade_input;
mod grade_rate;
mod held;
mod judge;
mod matrix;
mod metrics;
mod record;
mod rules;
mod run;
mod users;
mod validate;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{
    AccessConfig, Authentication, Authorization, Cors, Csrf, CsrfToken, Injection, Input, Object,
    Part, RateLimit, TokenPlace, TokenSource, User, Xss,
};
pub use record::{AccessMeasurement, Claim, Control, Kind, RateFact, Reflection, Round, Saw, Try};

/// Asks who gets in.
#[derive(Debug, Clone, Copy)]
pub struct Access;

impl Probe for Access {
    const META: Meta = Meta {
        id: "access",
        summary: "Authentication, authorization, CORS, CSRF, rate limits and refusal of bad input, each with a positive and a negative control",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Disruptive,
        readme: include_str!("../README.md"),
    };

    type Config = AccessConfig;
    type Measurement = AccessMeasurement;

    fn validate(config: &AccessConfig) -> Result<(), ConfigError> {
        validate::validate(config)
    }

    fn footprint(config: &AccessConfig) -> Footprint {
        let mut contacts: Vec<_> = config.urls().map(readygate_web::shown_text).collect();
        contacts.extend(config.authorization.iter().filter_map(|a| a.matrix.clone()));
        contacts.dedup();
        Footprint {
            contacts,
            credentials: config.users.iter().flat_map(users::credentials).collect(),
            activity: if config.disrupts() {
                Activity::Disruptive
            } else {
                Activity::Active
            },
            duration: None,
        }
    }

    async fn measure(config: &AccessConfig, cx: &Cx) -> Result<AccessMeasurement, ProbeError> {
        run::measure(config, cx).await
    }

    fn metrics(measurement: &AccessMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &AccessConfig, measurement: &AccessMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
