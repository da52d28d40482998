//! What one measurement brings back: what was tried, and what came back; no secrets.

use readygate_sdk::ProbeError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every claim that was tried.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccessMeasurement {
    /// The claims, in the order of the config.
    pub claims: Vec<Claim>,
}

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Which origins may read.
    Cors,
    /// What wants a valid sign-in.
    Authentication,
    /// Which role may do what.
    Authorization,
    /// How many requests are let through.
    RateLimit,
    /// What is refused as malformed.
    Input,
    /// What is not echoed as markup.
    Xss,
    /// What is refused when another site asks.
    Csrf,
    /// What a database is not made to run.
    Injection,
}

/// One claim and its controls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// What it is about.
    pub kind: Kind,
    /// Method and URL.
    pub subject: String,
    /// Why it was not tried, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What the config leaves untried, for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untried: Vec<String>,
    /// Whether strangers may not read it even without credentials (CORS).
    #[serde(default)]
    pub private: bool,
    /// The controls, in order.
    pub tries: Vec<Try>,
    /// The burst of a rate limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateFact>,
}

/// Whether a control must be let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// It must.
    Positive,
    /// It must not.
    Negative,
}

/// One control: a request, and what came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Try {
    /// What was tried: `no credentials`.
    pub name: String,
    /// What it is.
    pub control: Control,
    /// Whose credentials went along; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Status codes that are right, as text: `401|403`.
    pub wanted: String,
    /// The origin that asked (CORS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Status code; absent without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProbeError>,
    /// What the response showed.
    #[serde(default)]
    pub saw: Saw,
}

/// What a response showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Saw {
    /// `Location`, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The body is HTML by `Content-Type`, or has none and looks like it.
    pub html: bool,
    /// The body holds a field for a password.
    pub login_form: bool,
    /// `WWW-Authenticate` is there.
    pub www_authenticate: bool,
    /// `Access-Control-Allow-Origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origin: Option<String>,
    /// `Access-Control-Allow-Credentials: true`.
    pub allow_credentials: bool,
    /// `Access-Control-Allow-Methods`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_methods: Option<String>,
    /// `Vary` names `Origin`, or is `*`.
    pub vary_origin: bool,
    /// Names of the headers that tell about a limit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limit_headers: Vec<String>,
    /// Whose error message the body holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_error: Option<String>,
    /// `X-Content-Type-Options: nosniff`.
    pub nosniff: bool,
    /// A Content-Security-Policy is enforced that lets no inline script run.
    pub strict_csp: bool,
    /// How what was sent came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reflection: Option<Reflection>,
    /// Length of the body, after decompression.
    pub bytes: u64,
}

/// How a canary came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reflection {
    /// Not at all.
    Absent,
    /// Without its markup characters, or with them encoded.
    Encoded,
    /// As it was sent.
    Raw,
}

/// One burst.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateFact {
    /// Requests that may pass.
    pub limit: u64,
    /// How many more may.
    pub tolerance: u64,
    /// Requests of the burst.
    pub sent: u64,
    /// Answers that were neither a refusal nor a fault of the server.
    pub passed: u64,
    /// Refusals.
    pub limited: u64,
    /// Answers of 500 and above that are no refusal.
    pub faults: u64,
    /// Requests without an answer, and why the first one had none.
    pub unanswered: u64,
    /// Why the first of them had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProbeError>,
    /// Headers on refusals that tell about the limit.
    pub headers: Vec<String>,
    /// Rounds of a request, the same with a made-up `X-Forwarded-For`, and the first one again:
    /// whether each was refused.
    pub rounds: Vec<Round>,
    /// Whether a request passed after the time of `recovers_after`; absent if not asked or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<bool>,
    /// Whether that was asked.
    #[serde(default)]
    pub recovery_asked: bool,
}

/// Whether each request of a round was refused; absent without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// As it is.
    pub before: Option<bool>,
    /// With a made-up `X-Forwarded-For`.
    pub spoofed: Option<bool>,
    /// As it is, again.
    pub after: Option<bool>,
}
