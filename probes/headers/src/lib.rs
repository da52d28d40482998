//! The `headers` probe: judges the security headers of every declared URL.
//!
//! [`Headers`] records the raw header fields, cookies and the few things of a document that matter, and
//! judges them by what browsers do. See the README for the config and the rules.

mod capture;
mod config;
#[doc(hidden)]
pub mod entry;
mod facts;
mod judge;
mod leaks;
mod measure;
mod metrics;
pub mod observatory;
pub mod parse;
mod record;
mod rules;
mod validate;
mod words;

use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, Footprint, Meta, Metrics, Probe, ProbeError,
};

pub use capture::answer_of;
pub use config::{CorsConfig, HeadersConfig, Profile};
pub use record::{
    Again, Answer, CorsAnswer, Field, HeadersMeasurement, Kind, Origin, Page, Plain, Step,
};

/// Judges the security headers of a web server.
#[derive(Debug, Clone, Copy)]
pub struct Headers;

impl Probe for Headers {
    const META: Meta = Meta {
        id: "headers",
        summary: "Security headers, Content Security Policy, cookies, CORS and the way from HTTP to HTTPS, on every declared URL",
        rules: rules::RULES,
        metrics: metrics::METRICS,
        activity: Activity::Active,
        readme: include_str!("../README.md"),
    };

    type Config = HeadersConfig;
    type Measurement = HeadersMeasurement;

    fn validate(config: &HeadersConfig) -> Result<(), ConfigError> {
        validate::validate(config)
    }

    fn footprint(config: &HeadersConfig) -> Footprint {
        let urls = config.urls().map(|(_, url)| url);
        let others = config
            .cors
            .urls
            .iter()
            .chain(config.http_url.as_deref().filter(|url| *url != "none"));
        let mut contacts: Vec<String> = urls.chain(others).map(readygate_web::shown_text).collect();
        contacts.extend(config.from_file.iter().map(str::to_owned));
        contacts.dedup();
        let mut credentials: Vec<String> = config
            .secret_headers
            .keys()
            .map(|name| format!("header {name}"))
            .collect();
        if config
            .urls()
            .any(|(_, url)| readygate_web::has_userinfo(url))
        {
            credentials.push("credentials in the URL".to_owned());
        }
        Footprint {
            contacts,
            credentials,
            activity: if config.from_file.is_empty() {
                Activity::Active
            } else {
                Activity::Passive
            },
            duration: None,
        }
    }

    async fn measure(config: &HeadersConfig, cx: &Cx) -> Result<HeadersMeasurement, ProbeError> {
        measure::measure(config, cx).await
    }

    fn metrics(measurement: &HeadersMeasurement) -> Metrics {
        metrics::metrics(measurement)
    }

    fn judge(config: &HeadersConfig, measurement: &HeadersMeasurement, checks: &mut Checks) {
        judge::judge(config, measurement, checks);
    }
}
