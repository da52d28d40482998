//! What is sent.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use readygate_sdk::{ByteSize, Period, Secret, Texts};
use readygate_web::Statuses;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::engine::spec::CaptureFrom;

/// Requests in order, by one user over one connection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioConfig {
    /// Its name.
    pub name: Option<String>,
    /// How often it is chosen, relative to the others; 1 unless said otherwise.
    pub weight: Option<u32>,
    /// The requests. When one fails, the rest of them is left out.
    pub steps: Vec<StepConfig>,
    /// A CSV file with a header line, relative to the config. Each iteration takes the next row;
    /// `{{column}}` stands for its values.
    pub data: Option<PathBuf>,
}

/// One request. Exactly one of `get`, `post`, `put`, `patch`, `delete`, `head` and `options` names
/// its URL. URL, headers and body may hold `{{name}}`: a column of `data`, a value captured by an
/// earlier step, `{{$iteration}}` or `{{$random}}`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// Name of the route in metrics (`routes.NAME.latency.p95`); the path of the URL when left out.
    pub name: Option<String>,
    /// URL to GET.
    pub get: Option<String>,
    /// URL to POST to.
    pub post: Option<String>,
    /// URL to PUT.
    pub put: Option<String>,
    /// URL to PATCH.
    pub patch: Option<String>,
    /// URL to DELETE.
    pub delete: Option<String>,
    /// URL to ask for HEAD.
    pub head: Option<String>,
    /// URL to ask for OPTIONS.
    pub options: Option<String>,
    /// Request headers that are no secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request headers whose values are masked in every output.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, Secret>,
    /// Body, sent as it is.
    pub body: Option<String>,
    /// Body, sent as JSON.
    pub json: Option<serde_json::Value>,
    /// Status codes that are no error, in place of those of the gate.
    pub expect_status: Option<Statuses>,
    /// Text that the response must contain: one, or a list.
    #[serde(default)]
    pub contains: Texts,
    /// Text that it must not contain: one, or a list.
    #[serde(default)]
    pub not_contains: Texts,
    /// A regular expression that it must match.
    pub matches: Option<String>,
    /// What the values at these JSON pointers (RFC 6901) of it must be.
    #[serde(default)]
    pub body_json: BTreeMap<String, serde_json::Value>,
    /// Its shortest body.
    pub min_body: Option<ByteSize>,
    /// Values that later steps send, by name: `/token` or `$.token` (JSON), `header:X-Token`,
    /// `regex:token=(\w+)`.
    #[serde(default)]
    pub capture: BTreeMap<String, CaptureText>,
    /// Pause before the next step.
    pub pause: Option<Period>,
}

impl StepConfig {
    /// Methods and URLs that are given.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("get", &self.get),
            ("post", &self.post),
            ("put", &self.put),
            ("patch", &self.patch),
            ("delete", &self.delete),
            ("head", &self.head),
            ("options", &self.options),
        ];
        all.into_iter()
            .filter_map(|(method, url)| Some((method, url.as_deref()?)))
    }

    /// The name of the route: given, or the path of the URL.
    pub(crate) fn route(&self) -> String {
        let path = || self.requests().next().map(|(_, url)| path(url));
        self.name.clone().or_else(path).unwrap_or_default()
    }
}

/// The path of a URL, absolute or not, without its query.
pub(crate) fn path(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url,
    };
    if path.is_empty() { "/" } else { path }.to_owned()
}

/// Where a value is taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureText(pub(crate) CaptureFrom);

impl FromStr for CaptureText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("header:") {
            return Ok(Self(CaptureFrom::Header(name.trim().to_owned())));
        }
        if let Some(pattern) = text.strip_prefix("regex:") {
            return Ok(Self(CaptureFrom::Regex(pattern.to_owned())));
        }
        if text.starts_with('/') {
            return Ok(Self(CaptureFrom::Json(text.to_owned())));
        }
        let plain = |c: char| !"[]*?()'\"".contains(c);
        match text.strip_prefix("$.") {
            Some(path) if !path.is_empty() && path.chars().all(plain) && !path.contains("..") => {
                Ok(Self(CaptureFrom::Json(format!(
                    "/{}",
                    path.replace('.', "/")
                ))))
            }
            _ => Err(format!(
                "`{text}` does not say where the value is; write /token or $.token for JSON, \
                 header:X-Token, or regex:token=(\\w+)"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for CaptureText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for CaptureText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LoadCapture".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "/token or $.token (JSON), header:X-Token, regex:token=(\\w+)",
        })
    }
}
