//! What the probe brings back. Arguments, standard input and values of variables stay out.

use std::collections::BTreeMap;

use readygate_sdk::process::Ended;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Reply;

/// What a program did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandMeasurement {
    /// The program, as configured, without its arguments: they may hold secrets.
    pub program: String,
    /// Names of the secret variables it got.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_variables: Vec<String>,
    /// How it ended.
    pub ended: Ended,
    /// From start to end, in microseconds.
    pub duration_us: u64,
    /// Its standard output.
    pub stdout: StreamRecord,
    /// Its standard error.
    pub stderr: StreamRecord,
    /// What its standard output holds as JSON, where the config asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonRecord>,
    /// What it said as a plugin (protocol `nagios`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginRecord>,
    /// What it answered as a probe (protocol `json`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
}

/// One output stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamRecord {
    /// Bytes that the program wrote.
    pub bytes: u64,
    /// Whether bytes were left out because there were more than `output_limit`.
    pub truncated: bool,
    /// What was kept, as text of at most 64 Ki characters, secret values masked.
    pub text: String,
    /// What was found of each text that the config asks about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextFact>,
}

/// Why a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TextRole {
    /// A plain text from `contains`.
    Contains,
    /// A plain text from `not_contains`.
    NotContains,
    /// A regular expression from `matches`.
    Matches,
}

/// What was found of one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextFact {
    /// Where the config has it.
    pub role: TextRole,
    /// The text or regular expression.
    pub text: String,
    /// Whether it is there; missing where that cannot be told because output was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<bool>,
    /// The line it was first found in, where all lines before are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// That line, cut to 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
}

/// Standard output, read as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JsonRecord {
    /// Why it is not JSON; everything below is then missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is at each pointer that the config asks about.
    pub values: BTreeMap<String, JsonFound>,
    /// What is at the pointers that the config names as metrics, by name.
    pub metrics: BTreeMap<String, JsonFound>,
}

/// What is at a JSON pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JsonFound {
    /// Nothing.
    Missing,
    /// A text (cut to 4096 characters), number, truth value or null.
    Scalar(Value),
    /// A list.
    Array {
        /// Number of its items.
        length: u64,
    },
    /// An object.
    Object {
        /// Number of its members.
        length: u64,
    },
}

/// What a Nagios plugin said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginRecord {
    /// The text of the first line, without performance data, cut to 1000 characters.
    pub summary: String,
    /// Performance data, at most a thousand.
    pub perfdata: Vec<PerfDatum>,
    /// Parts of the performance data that could not be read, at most twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub malformed: Vec<String>,
}

/// One `'label'=value[UOM];[warn];[crit];[min];[max]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerfDatum {
    /// The label, without quotes.
    pub label: String,
    /// The value in the plugin's own unit; missing for `U`, which means "could not tell".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Unit of measurement as printed: empty, `s`, `ms`, `%`, `MB`, `c`, ...
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The range outside of which the plugin warns, as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<String>,
    /// The range outside of which it is critical, as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crit: Option<String>,
    /// The smallest possible value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest possible value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}
