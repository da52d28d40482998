//! Why a probe could not tell, and why a probe's config cannot work.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The classes of could-not-tell. Each becomes `unmeasured`, never `passed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Name resolution or connection failed, or the program could not be started.
    Connect,
    /// The peer refused our credentials or our rights.
    Refused,
    /// The deadline passed.
    Timeout,
    /// The peer broke its protocol.
    Protocol,
    /// What came back, or what was on disk, is not readable as what it should be.
    BadData,
    /// Nothing was there to measure: no file matched, no sample was taken.
    NoData,
    /// The run was interrupted.
    Cancelled,
    /// A bug in the probe.
    Internal,
}

impl ErrorKind {
    /// The name in reports: `connect`, `refused`, `timeout`, ...
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::BadData => "bad-data",
            Self::NoData => "no-data",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// Whether trying again can help: refused credentials stay refused.
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Timeout | Self::Protocol | Self::BadData | Self::NoData
        )
    }
}

/// A probe could not measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{subject}: {message} (while {phase})")]
pub struct ProbeError {
    /// Which class of failure.
    pub kind: ErrorKind,
    /// Which host, file or command.
    pub subject: String,
    /// What was being done, as it reads after "while": `connecting`, `reading the report`.
    pub phase: String,
    /// What went wrong, a lowercase fragment.
    pub message: String,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ProbeError {
    /// A failure of `kind` on `subject` while `phase`.
    pub fn new(
        kind: ErrorKind,
        subject: impl Into<String>,
        phase: impl Into<String>,
        message: impl fmt::Display,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            phase: phase.into(),
            message: message.to_string(),
            hint: None,
        }
    }

    /// Adds how to fix it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One thing wrong in a probe's `with`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// JSON pointer into `with` (`/nodes/2`), empty for the whole block.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}

/// A probe's config that cannot work; holds every problem found, not the first only.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// No problem yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One problem at a JSON pointer into `with`.
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new();
        error.add(pointer, message, None);
        error
    }

    /// Adds a problem.
    pub fn add(
        &mut self,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: Option<&str>,
    ) -> &mut Self {
        self.problems.push(ConfigProblem {
            pointer: pointer.into(),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
        self
    }

    /// `Ok` when nothing was added.
    pub fn into_result(self) -> Result<(), Self> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self)
        }
    }
}
