//! The `with` block of a `command` gate.

mod codes;
mod validate;

use std::collections::BTreeMap;

pub use codes::ExitCodes;
use readygate_sdk::{ByteSize, Secret, Texts};
use schemars::JsonSchema;
use serde::Deserialize;
pub(crate) use validate::is_name;

use crate::Matcher;

/// Which program to run, and what it must do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandConfig {
    /// Program and arguments, each an item of its own. No shell sees them: no quoting, no `$`, no
    /// `*`. A program with a slash in it is looked for from `directory`, any other in `PATH`.
    #[serde(default)]
    pub argv: Vec<String>,
    /// A text for `/bin/sh -c`, in place of `argv`, where pipes or `&&` are needed. The exit code
    /// is that of the last command; never put a value from outside into the text.
    pub shell: Option<String>,
    /// Working folder, relative to the folder of the config, which is the default.
    pub directory: Option<String>,
    /// Variables for the program, added to the short list that every program gets (`PATH`,
    /// `HOME`, `LANG`, ...).
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables whose values are masked wherever the program prints them, and never recorded.
    #[serde(default)]
    pub secret_env: BTreeMap<String, Secret>,
    /// Text for its standard input; without it that is empty.
    pub stdin: Option<String>,
    /// How its result is read.
    #[serde(default)]
    pub protocol: Protocol,
    /// The exit code, or several, that mean success: `0` unless set. For protocol `exit` only.
    pub exit_code: Option<ExitCodes>,
    /// What its standard output must be like.
    #[serde(default)]
    pub stdout: StreamConfig,
    /// What its standard error must be like.
    #[serde(default)]
    pub stderr: StreamConfig,
    /// What its standard output, read as JSON, must hold: JSON pointer (RFC 6901) to expected
    /// value, as in `/replicas: ">= 3"`. For protocol `exit` only.
    #[serde(default)]
    pub json: BTreeMap<String, Matcher>,
    /// Numbers and texts to draw out of its standard output, read as JSON, as metrics: name to JSON
    /// pointer. `queue: /jobs/waiting` becomes the metric `json.queue`. For protocol `exit` only.
    #[serde(default)]
    pub metrics: BTreeMap<String, String>,
    /// What a program of protocol `json` gets as `with`. Secrets belong into `secret_env`.
    #[serde(default)]
    pub with: serde_json::Map<String, serde_json::Value>,
    /// How much is kept of each output stream, half from its start and half from its end: 64KiB
    /// unless set, 16MiB at most. All output is read and counted; what was left out cannot be
    /// judged.
    pub output_limit: Option<ByteSize>,
}

/// How the result of a program is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// By its exit code.
    #[default]
    Exit,
    /// As a Nagios or Icinga plugin: 0 ok, 1 warning, 2 critical, 3 unknown; performance data
    /// become metrics.
    Nagios,
    /// As a readygate probe in another language (`readygate/1`): JSON in, JSON out.
    Json,
}

/// What one output stream must be like.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// Plain texts that it must contain, each of them.
    #[serde(default)]
    pub contains: Texts,
    /// Plain texts that it must not contain.
    #[serde(default)]
    pub not_contains: Texts,
    /// Regular expressions (Rust `regex` syntax) that it must match somewhere; `^` and `$` stand
    /// for the start and end of a line.
    #[serde(default)]
    pub matches: Texts,
    /// `true`: not one byte may come; `false`: something must come.
    pub empty: Option<bool>,
}

impl StreamConfig {
    pub(crate) fn is_unset(&self) -> bool {
        !self.has_texts() && self.empty.is_none()
    }

    fn has_texts(&self) -> bool {
        !(self.contains.is_empty() && self.not_contains.is_empty() && self.matches.is_empty())
    }
}

impl CommandConfig {
    /// Bytes to keep of each stream.
    pub(crate) fn keep(&self) -> usize {
        let limit = self.output_limit.map_or(64 * 1024, |limit| limit.0);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Whether standard output is read as JSON.
    pub(crate) fn reads_json(&self) -> bool {
        !(self.json.is_empty() && self.metrics.is_empty())
    }
}
