//! One line of the history of a release.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What happened. The words are those of the flow: opened, deployed, watched, decided, closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Type {
    /// The release was named; always the first line.
    #[serde(rename = "release.opened")]
    ReleaseOpened,
    /// A run decided: `{verdict, exit_code, run, sha256, stages}`.
    #[serde(rename = "gate.verdict")]
    GateVerdict,
    /// A deployment may start now.
    #[serde(rename = "window.ok")]
    WindowOk,
    /// A deployment may not start now: `{reason}`.
    #[serde(rename = "window.refused")]
    WindowRefused,
    /// The deployment started.
    #[serde(rename = "deploy.started")]
    DeployStarted,
    /// The deployment finished.
    #[serde(rename = "deploy.finished")]
    DeployFinished,
    /// A watch started: `{for_s, every_s, gates}`.
    #[serde(rename = "watch.started")]
    WatchStarted,
    /// One look at the target: `{n, failed, unknown, down}`.
    #[serde(rename = "watch.sample")]
    WatchSample,
    /// Blocking gates failed for the first time: `{gates}`.
    #[serde(rename = "breach.suspected")]
    BreachSuspected,
    /// They failed again at once: `{gates, deadline}`.
    #[serde(rename = "breach.confirmed")]
    BreachConfirmed,
    /// They passed when looked at again.
    #[serde(rename = "breach.cleared")]
    BreachCleared,
    /// A watch ended: the facts of `decision.json`.
    #[serde(rename = "decision")]
    Decision,
    /// The rollback started.
    #[serde(rename = "rollback.started")]
    RollbackStarted,
    /// The rollback finished.
    #[serde(rename = "rollback.finished")]
    RollbackFinished,
    /// The release was accepted.
    #[serde(rename = "accepted")]
    Accepted,
    /// Nothing follows.
    #[serde(rename = "closed")]
    Closed,
}

impl Type {
    /// Every type, in the order of the flow.
    pub const ALL: [Self; 16] = [
        Self::ReleaseOpened,
        Self::GateVerdict,
        Self::WindowOk,
        Self::WindowRefused,
        Self::DeployStarted,
        Self::DeployFinished,
        Self::WatchStarted,
        Self::WatchSample,
        Self::BreachSuspected,
        Self::BreachConfirmed,
        Self::BreachCleared,
        Self::Decision,
        Self::RollbackStarted,
        Self::RollbackFinished,
        Self::Accepted,
        Self::Closed,
    ];

    /// The word in the file and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReleaseOpened => "release.opened",
            Self::GateVerdict => "gate.verdict",
            Self::WindowOk => "window.ok",
            Self::WindowRefused => "window.refused",
            Self::DeployStarted => "deploy.started",
            Self::DeployFinished => "deploy.finished",
            Self::WatchStarted => "watch.started",
            Self::WatchSample => "watch.sample",
            Self::BreachSuspected => "breach.suspected",
            Self::BreachConfirmed => "breach.confirmed",
            Self::BreachCleared => "breach.cleared",
            Self::Decision => "decision",
            Self::RollbackStarted => "rollback.started",
            Self::RollbackFinished => "rollback.finished",
            Self::Accepted => "accepted",
            Self::Closed => "closed",
        }
    }

    /// The type of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// The command that records it, where that is not `readygate event`: a decision that somebody
    /// typed in is no decision.
    pub const fn recorded_by(self) -> Option<&'static str> {
        match self {
            Self::GateVerdict => Some("readygate run --state"),
            Self::WindowOk | Self::WindowRefused => Some("readygate event deploy.started"),
            Self::WatchStarted
            | Self::WatchSample
            | Self::BreachSuspected
            | Self::BreachConfirmed
            | Self::BreachCleared
            | Self::Decision => Some("readygate watch"),
            _ => None,
        }
    }
}

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When it happened, UTC.
    pub at: Timestamp,
    /// What happened.
    pub event: Type,
    /// Id of the release.
    pub release: String,
    /// Facts of this type of event, and what the caller added.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// When it was written down, where the caller gave another time as `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Timestamp>,
    /// SHA-256 of the previous line's bytes without its line end, hex; zeros in the first line.
    pub prev: String,
}

impl Event {
    /// When it was written down.
    pub fn recorded(&self) -> Timestamp {
        self.recorded.unwrap_or(self.at)
    }

    /// A fact that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str()
    }

    /// A fact that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.data.get(key)?.as_f64()
    }

    /// A fact that is a time, RFC 3339.
    pub fn time(&self, key: &str) -> Option<Timestamp> {
        self.text(key)?.parse().ok()
    }

    /// A fact that is a list of texts.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let items = self.data.get(key).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }
}
