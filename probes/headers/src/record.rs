//! The record of a measurement: facts, and no opinion.

use readygate_sdk::ProbeError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::{cookie::Cookie, html::Document};

/// What every declared URL answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadersMeasurement {
    /// One for each declared URL, or for each response of the files.
    pub pages: Vec<Page>,
    /// What was allowed to other origins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cors: Vec<CorsAnswer>,
    /// Where plain HTTP leads; absent when the config names no `http_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<Plain>,
    /// Whether the responses were captured before, and nothing was contacted.
    #[serde(default)]
    pub captured: bool,
}

/// What a URL is declared to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A document that people see.
    #[default]
    Page,
    /// What programs read: JSON, mostly.
    Api,
    /// A URL that does not exist: 404 or 410.
    NotFound,
    /// A URL that fails: 5xx.
    ServerError,
    /// A script, a style sheet, an image.
    Static,
}

impl Kind {
    /// As messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "API",
            Self::NotFound => "page that does not exist",
            Self::ServerError => "server error",
            Self::Static => "static file",
        }
    }
}

/// One declared URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// As the config writes it; for a capture, the file and the number of the response.
    pub declared: String,
    /// The whole URL, without credentials.
    pub url: String,
    /// What it is declared to be.
    #[serde(default)]
    pub kind: Kind,
    /// What it answered; absent when there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProbeError>,
}

/// One response, after redirects on the same origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The URL that answered.
    pub url: String,
    /// Status code.
    pub status: u16,
    /// The fields that some rule looks at, in order, repeated ones too.
    pub fields: Vec<Field>,
    /// Fields of the response, those left out counted.
    #[serde(default)]
    pub fields_total: u64,
    /// Cookies, those of the redirects first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<Cookie>,
    /// What the HTML says; absent when the response is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// URLs that redirected here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<String>,
    /// Where the response redirects to, when that was not followed: another origin, or one too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
    /// The nonces of the same URL, asked a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// In lower case.
    pub name: String,
    /// Its value; bytes that are no UTF-8 are replaced.
    pub value: String,
    /// Bytes of the value, when it was too long to be kept whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_from: Option<u64>,
}

/// A second look at the same URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// The nonces of its policies.
    pub nonces: Vec<String>,
    /// Why there was no second answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Which origin asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A name that nobody has.
    Foreign,
    /// `null`, which sandboxed frames and local files send.
    Null,
    /// The host's own name as the beginning of another.
    Prefix,
    /// The host's own name as the end of another, without a dot between.
    Suffix,
    /// The host over plain HTTP.
    Insecure,
    /// Another name below the host's parent domain.
    Sibling,
    /// An origin that the config allows.
    Allowed,
    /// An origin that the config denies.
    Denied,
}

/// What one cross-origin request was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorsAnswer {
    /// As the config writes it.
    pub declared: String,
    /// The whole URL.
    pub url: String,
    /// `GET`, or `OPTIONS` for a preflight.
    pub method: String,
    /// The method that a preflight asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_for: Option<String>,
    /// Why this origin was chosen.
    pub origin: Origin,
    /// The `Origin` that was sent.
    pub sent: String,
    /// Status code; absent when there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Access-Control-Allow-Origin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_origin: Option<String>,
    /// Whether `Access-Control-Allow-Credentials` is `true`.
    #[serde(default)]
    pub allow_credentials: bool,
    /// `Access-Control-Allow-Methods`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_methods: Option<String>,
    /// Whether `Vary` names `Origin`, or is `*`.
    #[serde(default)]
    pub varies: bool,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl CorsAnswer {
    /// Whether the origin that asked may read the answer.
    pub fn lets_in(&self) -> bool {
        self.allow_origin.as_deref() == Some(self.sent.as_str())
    }
}

/// Where a plain HTTP URL leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    /// The `http_url`; `none` when the config says that nothing listens there.
    pub url: String,
    /// What answered, in order; the last one redirects no further, or is where following ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Whether nothing listens there.
    #[serde(default)]
    pub closed: bool,
    /// Why the end is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProbeError>,
    /// Whether redirects went on when following ended.
    #[serde(default)]
    pub endless: bool,
}

/// One request on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The URL that was asked.
    pub url: String,
    /// Status code.
    pub status: u16,
}

impl Answer {
    /// The values of a field, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |f| f.name == name)
            .map(|f| f.value.as_str())
    }

    /// The first value of a field.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|f| f.name == name)
            .map(|f| f.value.as_str())
    }

    /// All values of a field as one list, as RFC 9110, section 5.3 joins them.
    pub fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether some value of the field was cut.
    pub fn is_cut(&self, name: &str) -> bool {
        self.fields
            .iter()
            .any(|f| f.name == name && f.cut_from.is_some())
    }

    /// Whether it came over TLS.
    pub fn is_https(&self) -> bool {
        self.url
            .get(..6)
            .is_some_and(|s| s.eq_ignore_ascii_case("https:"))
    }

    /// The media type, in lower case, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.all("content-type").last()?;
        let kind = value.split(';').next().unwrap_or_default();
        Some(kind.trim().to_ascii_lowercase())
    }

    /// Whether the status redirects.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }
}
