//! The protocol `readygate/1` for probes in other languages: one JSON object in, one out.

mod parse;

use std::collections::BTreeMap;

pub use parse::{parse, request};
use readygate_sdk::{CheckOutcome, ErrorKind, Level, Location, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name and version of the protocol.
pub const PROTOCOL: &str = "readygate/1";

/// What a program answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Always `readygate/1`.
    pub protocol: String,
    /// Metrics by name; each becomes `ext.NAME`.
    #[serde(default, deserialize_with = "parse::unique")]
    pub metrics: BTreeMap<String, ExternalMetric>,
    /// Checks; each rule becomes `ext/RULE`.
    #[serde(default)]
    pub checks: Vec<ExternalCheck>,
    /// Why it could not measure, or not all.
    #[serde(default)]
    pub error: Option<ExternalError>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalMetric {
    /// A number in the base unit; a text where the unit is `text`.
    pub value: serde_json::Value,
    /// `count`, `s`, `B`, `%`, `/s`, `B/s` or `text`.
    pub unit: Unit,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalCheck {
    /// `name/problem` in lowercase letters, digits and `-`: `queue/too-long`.
    pub rule: String,
    /// What was judged: a host, a file, a queue.
    pub subject: String,
    /// `passed`, `failed` or `unmeasured`.
    pub outcome: CheckOutcome,
    /// What a failure weighs: `error` (the default), `warning` or `info`.
    #[serde(default = "parse::error_level")]
    pub level: Level,
    /// One sentence: what is so.
    pub message: String,
    /// What was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The place in a file: `{"file": "a.sql", "line": 3}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// Why a program could not measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalError {
    /// Which class of failure.
    pub kind: ExternalKind,
    /// What went wrong.
    pub message: String,
    /// Which host, file or command; the program itself unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was being done, as it reads after "while"; `measuring` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The classes of could-not-tell that a program may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExternalKind {
    /// Name resolution or connection failed.
    Connect,
    /// The peer refused our credentials or rights.
    Refused,
    /// It took too long.
    Timeout,
    /// The peer broke its protocol.
    Protocol,
    /// What came back is not readable as what it should be.
    BadData,
    /// Nothing was there to measure.
    NoData,
}

impl From<ExternalKind> for ErrorKind {
    fn from(kind: ExternalKind) -> Self {
        match kind {
            ExternalKind::Connect => Self::Connect,
            ExternalKind::Refused => Self::Refused,
            ExternalKind::Timeout => Self::Timeout,
            ExternalKind::Protocol => Self::Protocol,
            ExternalKind::BadData => Self::BadData,
            ExternalKind::NoData => Self::NoData,
        }
    }
}
