//! The parts of the `with` block beyond a single request: steps, caches, health documents, instances.

use std::collections::BTreeMap;

use readygate_sdk::{Secret, Texts};
use readygate_web::{Auth, Method, Pattern, Statuses};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{HttpConfig, VersionSource},
    matcher::Matcher,
};

/// One request of several. `{{name}}` in URL, headers, bodies and `auth` stands for what an earlier step
/// captured.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, unique within the gate.
    pub name: String,
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Request method.
    #[serde(default)]
    pub method: Method,
    /// Request headers that are no secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request headers whose values are masked in every output.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, Secret>,
    /// Request body, sent as it is.
    #[serde(default)]
    pub body: Option<String>,
    /// Request body, sent as JSON.
    #[serde(default)]
    pub json: Option<serde_json::Value>,
    /// Request body, sent as an HTML form.
    #[serde(default)]
    pub form: Option<BTreeMap<String, String>>,
    /// Credentials, sent in the `Authorization` header.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// How many redirects are followed at most, 0 to 20.
    #[serde(default)]
    pub redirects: u8,
    /// Status codes that are right.
    #[serde(default)]
    pub status: Statuses,
    /// What response headers must be.
    #[serde(default)]
    pub response_headers: BTreeMap<String, Matcher>,
    /// What the values at these JSON pointers of the body must be.
    #[serde(default)]
    pub body_json: BTreeMap<String, Matcher>,
    /// Text that the body must contain.
    #[serde(default)]
    pub contains: Texts,
    /// Text that the body must not contain.
    #[serde(default)]
    pub not_contains: Texts,
    /// Where the response names the running version.
    #[serde(default)]
    pub version: Option<VersionSource>,
    /// The response must come from the cache of a CDN.
    #[serde(default)]
    pub cdn: Option<CdnConfig>,
    /// The body is a health document.
    #[serde(default)]
    pub health: Option<HealthConfig>,
    /// Values that later steps send, by name. They are secrets, masked in every output.
    #[serde(default)]
    pub capture: BTreeMap<String, Capture>,
}

/// Where a response holds a value for later steps.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capture {
    /// At this JSON pointer of the body: a text, a number or a truth value.
    Json(String),
    /// In this response header.
    Header(String),
    /// In the body: the first group of this regular expression, or all that it matches.
    Text(Pattern),
    /// The value of this cookie.
    Cookie(String),
}

impl std::fmt::Display for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(pointer) => write!(f, "JSON pointer {pointer}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Text(pattern) => write!(f, "text matching {}", pattern.as_str()),
            Self::Cookie(name) => write!(f, "cookie {name}"),
        }
    }
}

/// What is asked of a CDN. A response that is not in the cache yet is asked for again, three times
/// in all, 300 ms apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CdnConfig {
    /// Whose CDN it must be.
    #[serde(default)]
    pub provider: Provider,
    /// Whether a response that is still not in the cache after three requests fails the gate; by
    /// default it is a warning, since another node of the CDN may have answered each time.
    #[serde(default)]
    pub must_hit: bool,
}

/// A CDN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Any that says what its cache did: `CF-Cache-Status`, `Cache-Status`, `X-Vercel-Cache`,
    /// `X-Cache` or `Age`.
    #[default]
    Any,
    /// Cloudflare, by `CF-Cache-Status`.
    Cloudflare,
}

/// How a health document is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Its form.
    pub format: HealthFormat,
    /// JSON pointer of the map of dependencies, for `format: map`.
    #[serde(default)]
    pub at: Option<String>,
    /// Words that mean up, for `format: map`, in any case.
    #[serde(default)]
    pub up: Option<Vec<String>>,
    /// Dependencies that the document must name.
    #[serde(default)]
    pub require: Vec<String>,
}

/// Forms of health documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HealthFormat {
    /// `application/health+json`: `status` and `checks` (draft-inadarei-api-health-check).
    HealthJson,
    /// Spring Boot Actuator: `status` and `components`.
    Spring,
    /// A map of names to statuses, texts, truth values or objects with a `status`.
    Map,
}

/// How requests spread over instances.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpreadConfig {
    /// Where a response names the instance that made it.
    pub by: VersionSource,
    /// How many instances must answer, at least 2.
    pub at_least: u8,
    /// Requests that are sent, up to 100. By default so many that a balancer which picks at random
    /// leaves an instance out once in 1000 runs.
    #[serde(default)]
    pub requests: Option<u8>,
    /// Whether requests that carry the cookies of the first response must all reach one instance;
    /// as many again are sent.
    #[serde(default)]
    pub sticky: bool,
}

impl SpreadConfig {
    /// The chance that a balancer that picks among `at_least` instances at random leaves one out
    /// (an upper bound, by the union of the events).
    pub(crate) fn chance_of_missing(&self, requests: u8) -> f64 {
        let k = f64::from(self.at_least.max(1));
        k * (1.0 - 1.0 / k).powi(i32::from(requests))
    }

    /// The fewest requests for a chance of at most `chance`; 101 where no number up to 100 does.
    pub(crate) fn enough(&self, chance: f64) -> u8 {
        (1..=101)
            .find(|n| *n == 101 || self.chance_of_missing(*n) <= chance)
            .unwrap_or(101)
    }

    /// How many requests are sent.
    pub(crate) fn planned(&self) -> u8 {
        self.requests.unwrap_or_else(|| self.enough(1e-3).min(100))
    }
}

impl Step {
    /// The gate of one request that this step is, with what the whole gate says.
    pub(crate) fn alone(&self, gate: &HttpConfig) -> HttpConfig {
        HttpConfig {
            url: self.url.clone(),
            steps: Vec::new(),
            method: self.method,
            headers: self.headers.clone(),
            secret_headers: self.secret_headers.clone(),
            body: self.body.clone(),
            json: self.json.clone(),
            form: self.form.clone(),
            auth: self.auth.clone(),
            redirects: self.redirects,
            ca: gate.ca.clone(),
            resolve: gate.resolve.clone(),
            samples: 1,
            max_body: gate.max_body,
            status: self.status.clone(),
            response_headers: self.response_headers.clone(),
            body_json: self.body_json.clone(),
            contains: self.contains.clone(),
            not_contains: self.not_contains.clone(),
            version: self.version.clone(),
            cdn: self.cdn,
            health: self.health.clone(),
            spread: None,
            openapi: None,
        }
    }
}
