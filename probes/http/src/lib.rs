//! The `http` probe: sends a request to one endpoint and judges the response.
//!
//! [`Http`] measures status, headers, body, version and the phases of the latency, every sample on a
//! connection of its own. See the README for the config and the rules.

mod config;
mod exchange;
mod expect;
mod facts;
mod judge;
mod judge_body;
mod matcher;
mod measure;
mod metrics;
mod record;
mod request;
mod rules;
mod validate;

use readygate_web as web;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{HttpConfig, Method, VersionSource};
pub use expect::{Pattern, Statuses};
pub use matcher::Matcher;
pub use record::{
    Answer, Body, Facts, Found, HeaderFact, HeaderField, Hop, HttpMeasurement, JsonFact, Latency,
    Sample, TextFact, VersionFact,
};

pub use web::{Auth, BasicAuth, Stop};

/// Smoke-tests one HTTP endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Http;

impl Probe for Http {
    const META: Meta = Meta {
        id: "http",
        summary: "Sends a request to an HTTP endpoint and checks status, headers, body, version and latency",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = HttpConfig;
    type Measurement = HttpMeasurement;

    fn validate(config: &HttpConfig) -> Result<(), ConfigError> {
        validate::validate(config)
    }

    fn footprint(config: &HttpConfig) -> Footprint {
        let mut credentials: Vec<_> = config
            .secret_headers
            .keys()
            .map(|name| format!("header {name}"))
            .collect();
        match &config.auth {
            Some(auth) => credentials.push(auth.shown()),
            None if web::has_userinfo(&config.url) => {
                credentials.push("credentials in the URL".to_owned());
            }
            None => {}
        }
        Footprint {
            contacts: vec![web::shown_text(&config.url)],
            credentials,
            activity: Activity::Active,
            duration: None,
        }
    }

    async fn measure(config: &HttpConfig, cx: &Cx) -> Result<HttpMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &HttpMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &HttpConfig, measurement: &HttpMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
