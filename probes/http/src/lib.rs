//! The `http` probe: sends a request to one endpoint and judges the response.
//!
//! [`Http`] measures status, headers, body, version and the phases of the latency, every sample on a
//! connection of its own. See the README for the config and the rules.

mod cache;
mod capture;
mod config;
mod exchange;
mod facts;
mod grown;
mod health;
mod judge;
mod judge_body;
mod judge_cache;
mod judge_grown;
mod matcher;
mod measure;
mod metrics;
mod openapi;
mod record;
mod request;
mod rules;
mod rules_grown;
mod spread;
mod template;
mod validate;
mod validate_grown;

use readygate_web as web;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use cache::{CacheFact, CacheState};
pub use config::{HttpConfig, VersionSource};
pub use grown::{Capture, CdnConfig, HealthConfig, HealthFormat, Provider, SpreadConfig, Step};
pub use health::{Dependency, HealthFact, State};
pub use matcher::Matcher;
pub use record::{
    Answer, Body, CaptureFact, Facts, Found, HeaderFact, HeaderField, Hop, HttpMeasurement,
    Instance, JsonFact, Latency, OpenApiRecord, Operation, Sample, SpreadRecord, StepRecord,
    StickyRecord, TextFact, VersionFact,
};

pub use web::{Auth, BasicAuth, Method, Pattern, Statuses, Stop};

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
        let steps: Vec<_> = config.steps.iter().map(|step| step.alone(config)).collect();
        let requests = if steps.is_empty() {
            std::slice::from_ref(config)
        } else {
            &steps
        };
        let mut contacts: Vec<_> = requests.iter().map(|r| web::shown_text(&r.url)).collect();
        contacts.dedup();
        let mut credentials: Vec<_> = requests.iter().flat_map(credentials).collect();
        credentials.dedup();
        Footprint {
            contacts,
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

fn credentials(config: &HttpConfig) -> Vec<String> {
    let headers = config.secret_headers.keys();
    let mut credentials: Vec<_> = headers.map(|name| format!("header {name}")).collect();
    match &config.auth {
        Some(auth) => credentials.push(auth.shown()),
        None if web::has_userinfo(&config.url) => {
            credentials.push("credentials in the URL".to_owned());
        }
        None => {}
    }
    credentials
}
