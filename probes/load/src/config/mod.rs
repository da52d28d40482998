//! The `with` block.

mod bounds;
mod check;
mod check_parts;
pub(crate) mod check_shape;
mod data;
mod engine;
mod format;
mod k6;
pub(crate) mod littles_law;
mod phases;
pub(crate) mod rate;
mod scenario;
mod spec;
mod target;

use std::{collections::BTreeMap, path::PathBuf};

use readygate_reports::plan::Plan;
use readygate_sdk::{Bound, ByteSize, Period, Secret, Texts};
use readygate_web::{Method, Statuses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use bounds::hear;
pub(crate) use check::validate;
pub use engine::{
    AbortOn, Allow, MaxLoad, OpenLoad, Reuse, Sockets, Spread, Stage, Stress, TlsConfig, UserLoad,
    UserStage, Wire,
};
pub use format::Format;
pub(crate) use k6::alias;
pub use rate::Rate;
pub(crate) use scenario::path;
pub use scenario::{CaptureText, ScenarioConfig, StepConfig};
pub(crate) use spec::spec;

use crate::{
    k6::config::K6Config, locust::config::LocustConfig, measurement::Model, observe::ObserveConfig,
};

/// Makes load itself (`url` or `scenarios`), or reads what a load tool measured (`reports`) and can
/// run the tool first.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadConfig {
    /// Where the numbers come from; `engine` if `url` or `scenarios` is given, `locust` or `k6` if that
    /// block is, `import` else.
    #[serde(default)]
    pub source: Option<SourceKind>,

    /// Import: program and arguments of the load tool, without a shell. It runs before the results
    /// are read, and an exit code other than 0 fails the gate.
    pub run: Option<Vec<String>>,
    /// Import: folder that the command runs in; the folder of the config when left out.
    pub directory: Option<PathBuf>,
    /// Import: environment variables for the command, added to those that the gate passes on. List a
    /// name under `secrets` when its value must be masked.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Import: result files: paths or globs, relative to the folder of the config or absolute.
    /// Several files must be parts of one run (workers, segments) in one format; their counts are
    /// added.
    pub reports: Option<Vec<String>>,
    /// Import: format of the files; recognised by their content when left out.
    pub format: Option<Format>,
    /// Import: how the tool made its load, where the file does not say: `open` (a rate) or `closed`
    /// (users that wait for each answer).
    pub model: Option<Model>,
    /// Import: whether the tool counted latency from the time at which a request was due, as with
    /// `oha --latency-correction`; no file of such a tool says so.
    #[serde(default)]
    pub latency_corrected: bool,
    /// Accepts latency that coordinated omission may flatter: of a tool or of `users` without a
    /// warning, of `max` at all.
    #[serde(default)]
    pub accept_closed_model: bool,
    /// Import: shortest run that counts: `10m`.
    pub min_duration: Option<Period>,
    /// Import: how old the results may be: `24h`.
    pub max_age: Option<Period>,

    /// What is requested: an absolute URL, or one relative to the target's. For more than one kind of
    /// request there are `scenarios`.
    pub url: Option<String>,
    /// Method of the request to `url`.
    #[serde(default)]
    pub method: Method,
    /// Request headers that are no secret, of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request headers whose values are masked in every output, of every request.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, Secret>,
    /// Body of the request to `url`, sent as it is.
    pub body: Option<String>,
    /// Body of the request to `url`, sent as JSON.
    pub json: Option<serde_json::Value>,
    /// Status codes that are no error: a code, a class (`2xx`), or a list of them; 200 to 399 unless
    /// said otherwise. Redirects are not followed.
    pub expect_status: Option<Statuses>,
    /// Text that the response to `url` must contain: one, or a list.
    #[serde(default)]
    pub contains: Texts,
    /// Text that it must not contain: one, or a list.
    #[serde(default)]
    pub not_contains: Texts,
    /// Sequences of requests, one of which is chosen by weight for each arrival or iteration.
    #[serde(default)]
    pub scenarios: Vec<ScenarioConfig>,

    /// Requests at a rate, whatever the target does. What gates should use.
    pub open: Option<OpenLoad>,
    /// Users that wait for each response, and think before they go on.
    pub users: Option<UserLoad>,
    /// As fast as the target answers: a search for capacity.
    pub max: Option<MaxLoad>,
    /// Longest time from the send to the end of a response, 5s unless said otherwise. What takes
    /// longer is an error.
    pub timeout: Option<Period>,
    /// More and more load after the measured one, until the target breaks, and whether it recovers.
    pub stress: Option<Stress>,
    /// Lengths of windows to measure beside the whole run, whole seconds. Those that `expect` asks
    /// for (`for every 10s`) are measured anyway.
    #[serde(default)]
    pub windows: Vec<Period>,
    /// When to stop early; the gate then fails.
    #[serde(default)]
    pub abort_on: Vec<AbortOn>,
    /// Stops when more than half of the requests fail for ten seconds, or nothing can be connected;
    /// true unless said otherwise.
    pub safety_stop: Option<bool>,
    /// How much load the target may get from this gate at most; 1000/s and 1000 connections unless
    /// said otherwise.
    pub allow: Option<Allow>,
    /// Connections.
    #[serde(default)]
    pub sockets: Sockets,
    /// TLS beyond the defaults.
    pub tls: Option<TlsConfig>,
    /// Granularity of sending; a hundredth of the tightest latency in `expect` unless said
    /// otherwise, within 100us to 1ms.
    pub quantum: Option<Period>,
    /// The run ends after so many requests. It has then not lasted as long as it should.
    pub max_requests: Option<u64>,
    /// Longest response body; 64 MiB unless said otherwise, 1 MiB where it is checked or captured from, since
    /// each connection then keeps one. A longer one is an error.
    pub max_body: Option<ByteSize>,
    /// The run is stopped when the oldest request that is due has waited for longer; 60s unless said
    /// otherwise.
    pub max_backlog: Option<Period>,
    /// Seed of all random choices.
    pub seed: Option<u64>,
    /// What to watch of the target from this machine while the load runs.
    pub observe: Option<ObserveConfig>,

    /// Locust makes the load: a master here, workers here and on other machines.
    pub locust: Option<LocustConfig>,
    /// k6 makes the load: segments here, or a manifest for a cluster.
    pub k6: Option<K6Config>,

    /// Of an earlier format; refused with the way to write it now.
    #[schemars(skip)]
    pub connections: Option<u64>,
    /// Of an earlier format; refused with the way to write it now.
    #[schemars(skip)]
    pub duration: Option<Period>,

    /// What the gate expects, told by the core.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) bounds: Vec<Bound>,
}

/// Where the numbers come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Files that another tool wrote.
    #[default]
    Import,
    /// The engine of this probe.
    Engine,
    /// Locust, driven by this probe as the block `locust` says.
    Locust,
    /// k6, driven by this probe as the block `k6` says.
    K6,
}

impl LoadConfig {
    /// Where the numbers come from.
    pub fn source(&self) -> SourceKind {
        let engine = self.url.is_some() || !self.scenarios.is_empty();
        self.source.unwrap_or(if self.locust.is_some() {
            SourceKind::Locust
        } else if self.k6.is_some() {
            SourceKind::K6
        } else if engine {
            SourceKind::Engine
        } else {
            SourceKind::Import
        })
    }

    /// The fields that name a command and reports.
    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan {
            run: self.run.as_deref(),
            directory: self.directory.as_deref(),
            env: &self.env,
            reports: self.reports.as_deref(),
            max_age: self.max_age,
        }
    }
}
