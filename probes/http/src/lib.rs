//! The `http` probe: sends a request to one endpoint and judges the response.
//!
//! [`Http`] measures status, headers, body, version and the phases of the latency, every sample on a
//! connection of its own. See the README for the config and the rules.

mod address;
mod body;
mod client;
mod config;
mod exchange;
mod expect;
mod facts;
mod fault;
mod judge;
mod judge_body;
mod matcher;
mod measure;
mod metrics;
mod record;
mod request;
mod rules;
mod trace;
mod trust;
mod validate;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use config::{Auth, BasicAuth, HttpConfig, Method, VersionSource};
pub use expect::{Pattern, Statuses};
pub use matcher::Matcher;
pub use record::{
    Answer, Body, Facts, Found, HeaderFact, HeaderField, Hop, HttpMeasurement, JsonFact, Latency,
    Sample, Stop, TextFact, VersionFact,
};

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
        credentials.extend(match &config.auth {
            Some(Auth::Basic(basic)) => Some(format!("password of {}", basic.user)),
            Some(Auth::Bearer(_)) => Some("bearer token".to_owned()),
            None if address::has_userinfo(&config.url) => Some("credentials in the URL".to_owned()),
            None => None,
        });
        Footprint {
            contacts: vec![address::shown_text(&config.url)],
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
