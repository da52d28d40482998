//! Config types of both tools.

use std::collections::BTreeMap;

use readygate_sdk::{ConfigError, Quantity, Secret, Unit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A share, as `0.01%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let quantity: Quantity = text.parse().map_err(de::Error::custom)?;
        let good = quantity.unit == Unit::Percent && (0.0..=100.0).contains(&quantity.value);
        let wrong = format!("`{}` is not a share; write 0.01%", text.trim());
        good.then_some(Self(quantity.value))
            .ok_or_else(|| de::Error::custom(wrong))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "A share with its unit: 0.01%"})
    }
}

/// One kind of request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Name of the route in the results; method and path when left out.
    pub name: Option<String>,
    /// URL, or a path on the target.
    pub url: String,
    /// Method.
    #[serde(default)]
    pub method: Method,
    /// How often it is sent beside the others.
    #[serde(default = "one")]
    pub weight: u32,
    /// Body as it is sent.
    pub body: Option<String>,
    /// Body as JSON, sent with its content type.
    pub json: Option<serde_json::Value>,
    /// Statuses that are a success; 200 to 399 when left out.
    #[serde(default)]
    pub expect_status: Vec<u16>,
}

fn one() -> u32 {
    1
}

/// A request method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    #[default]
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What is sent: `url` alone, or `requests`.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub url: Option<&'a str>,
    pub requests: &'a [Request],
    pub headers: &'a BTreeMap<String, Secret>,
}

impl Sent<'_> {
    /// Finds what cannot work; `at` is the block of the tool.
    pub(crate) fn validate(&self, at: &str, error: &mut ConfigError) {
        match (self.url, self.requests.is_empty()) {
            (None, true) => {
                let hint = Some("add `url: /api/items`");
                error.add(at, "neither `url` nor `requests` says what to send", hint);
            }
            (Some(_), false) => {
                let hint = Some("keep `requests` alone");
                error.add(
                    format!("{at}/url"),
                    "`url` and `requests` are both given",
                    hint,
                );
            }
            _ => {}
        }
        if let Some(url) = self.url {
            check_url(url, &format!("{at}/url"), error);
        }
        if self.requests.len() > 200 {
            error.add(format!("{at}/requests"), "more than 200 requests", None);
        }
        for (i, request) in self.requests.iter().enumerate() {
            let at = format!("{at}/requests/{i}");
            check_url(&request.url, &format!("{at}/url"), error);
            if request.weight == 0 {
                let hint = Some("leave the request out");
                error.add(format!("{at}/weight"), "`0` means never", hint);
            }
            if request.body.is_some() && request.json.is_some() {
                error.add(
                    format!("{at}/json"),
                    "`body` and `json` are both given",
                    None,
                );
            }
            if request
                .expect_status
                .iter()
                .any(|s| !(100..=599).contains(s))
            {
                let message = "a status is a number from 100 to 599";
                error.add(format!("{at}/expect_status"), message, None);
            }
        }
        for (name, value) in self.headers {
            let token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
            let clean = !value.expose().contains(['\r', '\n', '\0']);
            if name.is_empty() || !name.bytes().all(token) || !clean {
                let at = format!("{at}/headers");
                error.add(at, format!("`{name}` is no header that can be sent"), None);
            }
        }
    }
}

fn check_url(url: &str, at: &str, error: &mut ConfigError) {
    let absolute = url.starts_with("http://") || url.starts_with("https://");
    if !absolute && !url.starts_with('/') {
        let message = format!("`{url}` is neither a URL nor a path on the target");
        error.add(at, message, Some("write `https://host/path` or `/path`"));
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        error.add(at, "white space in a URL", Some("write it as %20"));
    }
}
