//! The `with` block of an `http` gate.

use std::{collections::BTreeMap, net::IpAddr};

use readygate_sdk::{ByteSize, Secret, Texts};
use readygate_web::Auth;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    expect::{Pattern, Statuses},
    matcher::Matcher,
};

/// One request, and what its response must look like.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Absolute URL, or one relative to the target's: `/health`.
    pub url: String,
    /// Request method.
    #[serde(default)]
    pub method: Method,
    /// Request headers that are no secret. Another origin that the target redirects to gets
    /// `Accept`, `Accept-Language` and `User-Agent` of them only.
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
    /// How many redirects are followed at most, 0 to 20. With 0 the redirect itself is judged.
    #[serde(default)]
    pub redirects: u8,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    #[serde(default)]
    pub ca: Option<String>,
    /// Addresses of names, in place of a look-up: tests one node before the name points to it.
    #[serde(default)]
    pub resolve: BTreeMap<String, IpAddr>,
    /// How often the request is sent, one after the other, each on a connection of its own;
    /// 1 to 100. Every response must meet every expectation; latencies are medians.
    #[serde(default = "one")]
    pub samples: u8,
    /// Bytes of the (decompressed) response body that are read at most, up to 64 MiB. A longer
    /// body is cut there, and what the cut hides is unmeasured.
    #[serde(default = "one_mebibyte")]
    pub max_body: ByteSize,
    /// Status codes that are right: a code, a class (`2xx`), or a list of them.
    #[serde(default)]
    pub status: Statuses,
    /// What response headers must be. Of a header that comes more than once, every value must.
    #[serde(default)]
    pub response_headers: BTreeMap<String, Matcher>,
    /// What the values at these JSON pointers (RFC 6901) of the body must be.
    #[serde(default)]
    pub body_json: BTreeMap<String, Matcher>,
    /// Text that the body must contain: one, or a list.
    #[serde(default)]
    pub contains: Texts,
    /// Text that the body must not contain: one, or a list.
    #[serde(default)]
    pub not_contains: Texts,
    /// Where the response names the running version; it must be the target's `version`.
    #[serde(default)]
    pub version: Option<VersionSource>,
}

const fn one() -> u8 {
    1
}

const fn one_mebibyte() -> ByteSize {
    ByteSize(1 << 20)
}

impl HttpConfig {
    /// Whether something is asked of the response body.
    pub(crate) fn asks_body(&self) -> bool {
        self.asks_json()
            || self.texts().next().is_some()
            || matches!(self.version, Some(VersionSource::Text(_)))
    }

    /// Whether the response body must be JSON.
    pub(crate) fn asks_json(&self) -> bool {
        !self.body_json.is_empty() || matches!(self.version, Some(VersionSource::Json(_)))
    }

    /// Every text that is looked for in the body.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.contains.iter().chain(self.not_contains.iter())
    }
}

/// Request methods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads the headers only.
    Head,
    /// Sends.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
    /// Asks what is allowed.
    Options,
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
            Method::Options => Self::OPTIONS,
        }
    }
}

/// Where a response names the version that is running.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VersionSource {
    /// At this JSON pointer of the body.
    Json(String),
    /// In this response header.
    Header(String),
    /// In the body: the first group of this regular expression, or all that it matches.
    Text(Pattern),
}

impl std::fmt::Display for VersionSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(pointer) => write!(f, "JSON pointer {pointer}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Text(pattern) => write!(f, "text matching {}", pattern.as_str()),
        }
    }
}
