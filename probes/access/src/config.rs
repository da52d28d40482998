//! The `with` block of an `access` gate.

use std::{collections::BTreeMap, net::IpAddr};

use readygate_sdk::{ByteSize, Period, Secret};
use readygate_web::{Auth, Method, Pattern, Statuses};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Claims on who gets in and what is refused; at least one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessConfig {
    /// Test users by name; `anonymous` is always there and has no credentials.
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    #[serde(default)]
    pub ca: Option<String>,
    /// Addresses of names, in place of a look-up.
    #[serde(default)]
    pub resolve: BTreeMap<String, IpAddr>,
    /// Which origins may read.
    #[serde(default)]
    pub cors: Vec<Cors>,
    /// What wants a valid sign-in.
    #[serde(default)]
    pub authentication: Vec<Authentication>,
    /// Which role may do what, and whose objects are whose.
    #[serde(default)]
    pub authorization: Option<Authorization>,
    /// How many requests are let through. Disruptive.
    #[serde(default)]
    pub rate_limit: Vec<RateLimit>,
    /// What is refused as malformed. Disruptive: the valid control writes.
    #[serde(default)]
    pub input: Vec<Input>,
    /// What is not echoed as markup.
    #[serde(default)]
    pub xss: Vec<Xss>,
    /// What is refused when another site asks. Disruptive: the valid control writes.
    #[serde(default)]
    pub csrf: Vec<Csrf>,
    /// What a database is not made to run. Disruptive.
    #[serde(default)]
    pub injection: Vec<Injection>,
    /// Disruptive parts that may run although the target is production.
    #[serde(default)]
    pub allow_production: Vec<Part>,
}

/// A part that writes or sends bursts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// `rate_limit`
    RateLimit,
    /// `input`
    Input,
    /// `csrf`
    Csrf,
    /// `injection`
    Injection,
    /// Rows and objects of `authorization` whose method is none of GET, HEAD and OPTIONS.
    Authorization,
}

/// Credentials of a test user.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Credentials, sent in the `Authorization` header.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Headers whose values are masked: `Cookie`, an API key.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, Secret>,
}

/// Which origins may read a URL.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// The user whose credentials are sent along.
    #[serde(default)]
    pub user: Option<String>,
    /// Origins that must be allowed: the positive control. `https://*.example.com` stands for all
    /// below it, which are then not tried as strangers.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// Origins that must not be allowed, beside those that the probe makes up.
    #[serde(default)]
    pub denied: Vec<String>,
    /// Methods that a preflight must allow to the origins of `allowed`.
    #[serde(default)]
    pub methods: Vec<Method>,
    /// Whether strangers may not read it even without credentials.
    #[serde(default)]
    pub private: bool,
}

/// A URL that wants a valid sign-in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authentication {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Whose credentials are valid: the positive control.
    pub user: String,
    /// Status codes that let the user in.
    #[serde(default)]
    pub status: Statuses,
    /// Status codes that keep others out; 401 and 403 by default.
    #[serde(default)]
    pub refused: Option<Statuses>,
    /// Path of the sign-in page; a redirect to it keeps out too.
    #[serde(default)]
    pub login: Option<String>,
    /// A token of the user that has expired.
    #[serde(default)]
    pub expired: Option<Secret>,
    /// A token of the user that was signed out.
    #[serde(default)]
    pub logged_out: Option<Secret>,
}

/// Which role may do what.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// A matrix of roles and routes: CSV with the columns `method`, `path` and one for each user, or
    /// a YAML list of `{method, path, roles: {USER: STATUS}}`.
    #[serde(default)]
    pub matrix: Option<String>,
    /// Whether the matrix may hold methods other than GET, HEAD and OPTIONS. Disruptive.
    #[serde(default)]
    pub writes: bool,
    /// Objects that belong to one user.
    #[serde(default)]
    pub objects: Vec<Object>,
}

/// An object of one user, and another user who must not get it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// URL of the owner's object.
    pub url: String,
    /// Request method; one that writes makes the gate disruptive.
    #[serde(default)]
    pub method: Method,
    /// Whose it is.
    pub owner: String,
    /// Who must not get it.
    pub other: String,
    /// URL that the other user may get: it shows that their credentials work.
    pub others_own: String,
    /// Status codes that keep the other one out; 403 and 404 by default.
    #[serde(default)]
    pub refused: Option<Statuses>,
}

/// How many requests are let through in one burst.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Request method.
    #[serde(default)]
    pub method: Method,
    /// The user who asks.
    #[serde(default)]
    pub user: Option<String>,
    /// Request body, sent as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// Requests that are let through, 1 to 35: with everything else at most 50 are sent.
    pub limit: u8,
    /// How many more may pass while the limit refills; 10 % of the limit, at least 1, by default.
    #[serde(default)]
    pub tolerance: Option<u8>,
    /// Status codes that refuse; 429 by default.
    #[serde(default)]
    pub refused: Option<Statuses>,
    /// After this time a request must pass again.
    #[serde(default)]
    pub recovers_after: Option<Period>,
}

/// A URL that takes JSON.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Request method.
    #[serde(default = "post")]
    pub method: Method,
    /// The user who asks.
    #[serde(default)]
    pub user: Option<String>,
    /// A valid body: the positive control. It is sent once.
    pub json: Value,
    /// Fields of it (top level) that must be there and have their type.
    pub required: Vec<String>,
    /// Status codes of the valid body.
    #[serde(default)]
    pub status: Statuses,
    /// A text of this many bytes in the first required field must be refused, up to 16 MiB.
    #[serde(default)]
    pub oversize: Option<ByteSize>,
}

const fn post() -> Method {
    Method::Post
}

/// A URL that shows what it was asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Xss {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Query parameter that is shown.
    pub parameter: String,
    /// The user who asks.
    #[serde(default)]
    pub user: Option<String>,
}

/// A URL that changes state for a session in a cookie.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csrf {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Request method.
    #[serde(default = "post")]
    pub method: Method,
    /// A user with a `Cookie` in `secret_headers`.
    pub user: String,
    /// Form that is sent.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// Status codes of the request with its token: the positive control; 2xx and 3xx by default.
    #[serde(default)]
    pub status: Option<Statuses>,
    /// The token that makes it valid; without one, `Origin` of the service itself is all there is.
    #[serde(default)]
    pub token: Option<CsrfToken>,
}

/// Where the token of a form comes from, and where it goes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsrfToken {
    /// URL that hands it out, asked with the user's session.
    pub url: String,
    /// Where the response holds it.
    pub from: TokenSource,
    /// Where the request carries it.
    pub to: TokenPlace,
}

/// Where a response holds a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenSource {
    /// In this header.
    Header(String),
    /// At this JSON pointer.
    Json(String),
    /// In the body: the first group of this regular expression.
    Text(Pattern),
}

/// Where a request carries a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenPlace {
    /// In this header.
    Header(String),
    /// In this field of the form.
    Field(String),
}

/// A value that goes into a query.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// Absolute URL, or one relative to the target's.
    pub url: String,
    /// Request method.
    #[serde(default)]
    pub method: Method,
    /// The user who asks.
    #[serde(default)]
    pub user: Option<String>,
    /// Query parameter, or with `json` the field (top level) that carries the value.
    pub parameter: String,
    /// Body that carries it.
    #[serde(default)]
    pub json: Option<Value>,
    /// A harmless value: the positive control.
    pub value: String,
    /// Status codes of the harmless value.
    #[serde(default)]
    pub status: Statuses,
}

/// Whether a method is only meant to read (RFC 9110, section 9.2.1).
pub(crate) fn reads(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head | Method::Options)
}

impl AccessConfig {
    /// Whether a part writes or sends bursts.
    pub(crate) fn disrupts(&self) -> bool {
        !self.rate_limit.is_empty()
            || !self.input.is_empty()
            || !self.csrf.is_empty()
            || !self.injection.is_empty()
            || self
                .authorization
                .as_ref()
                .is_some_and(|a| a.writes || a.objects.iter().any(|o| !reads(o.method)))
    }

    /// Every URL, as it was written.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        let objects = self.authorization.iter().flat_map(|a| &a.objects);
        let tokens = self.csrf.iter().flat_map(|c| &c.token);
        (self.cors.iter().map(|c| c.url.as_str()))
            .chain(self.authentication.iter().map(|c| c.url.as_str()))
            .chain(objects.flat_map(|o| [o.url.as_str(), o.others_own.as_str()]))
            .chain(self.rate_limit.iter().map(|c| c.url.as_str()))
            .chain(self.input.iter().map(|c| c.url.as_str()))
            .chain(self.xss.iter().map(|c| c.url.as_str()))
            .chain(self.csrf.iter().map(|c| c.url.as_str()))
            .chain(tokens.map(|t| t.url.as_str()))
            .chain(self.injection.iter().map(|c| c.url.as_str()))
    }
}
