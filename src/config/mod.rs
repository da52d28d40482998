//! `readygate.yaml` to a validated [`Config`], with every mistake in one go.

mod ad_hoc;
mod decode;
pub mod diagnostic;
mod environment;
mod gates;
mod load;
mod model;
mod schema;
mod variables;
mod yaml;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use readygate_sdk::{Level, Location, Target};
use readygate_signoff::SignoffConfig;

use crate::{
    checklist::source::Source,
    expect::Expectation,
    policy::{Origin, config::Policy},
    record::Severity,
    registry::BoundProbe,
    release::config::{Watch, Windows},
    signoff::config::{Role, Signoffs},
    waiver::Waivers,
};

pub use ad_hoc::{AdHoc, ad_hoc};
pub use decode::{Sink, decode};
pub use diagnostic::{Diagnostic, Sources, Span, nearest};
pub use environment::Environment;
pub use load::{Files, LoadError, load, load_from, read_files, windows};
pub use model::{Retry, RetryOn, Sustain};
pub use schema::{config_schema, run_schema};
pub use variables::Variables;
pub use yaml::{Entry, Kind, Node, parse as parse_yaml};

/// A policy that can be run.
pub struct Config {
    /// Every file read, for locations and the digest.
    pub sources: Sources,
    /// SHA-256 over the files, hex.
    pub digest: String,
    /// Where the files, and the lists of keys that they name, are read from.
    pub origin: Origin,
    /// Folder of the first file; relative paths of gates resolve against it.
    pub directory: PathBuf,
    /// The system to be released.
    pub target: Target,
    /// Digest of what is deployed: `sha256:...`.
    pub artifact: Option<String>,
    /// Ids of disruptive gates that may run.
    pub allow_disruptive: Vec<String>,
    /// Gates side by side.
    pub concurrency: usize,
    /// Time for the whole run.
    pub deadline: Option<Duration>,
    /// Ids that must be measured when selected.
    pub required: Vec<String>,
    /// Values that are masked in every output.
    pub secrets: Vec<String>,
    /// Roles that answer for gates.
    pub roles: BTreeMap<String, Role>,
    /// Where signatures are and who may make them.
    pub signoffs: Signoffs,
    /// Exceptions, and which gates allow any.
    pub waivers: Waivers,
    /// Who answers for the policy itself.
    pub policy: Policy,
    /// When deployments may start.
    pub windows: Windows,
    /// The watch after a deployment.
    pub watch: Watch,
    /// The gates, in the order of the files.
    pub gates: Vec<Gate>,
}

/// One gate, ready to run.
pub struct Gate {
    /// Unique name.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// Why it is there.
    pub description: Option<String>,
    /// Section of the checklist.
    pub section: Option<String>,
    /// Role that answers for it.
    pub owner: Option<String>,
    /// How much it weighs.
    pub severity: Severity,
    /// Whether a waiver may cover it.
    pub waivable: bool,
    /// When it applies.
    pub stages: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Gates that must pass first.
    pub needs: Vec<String>,
    /// Nothing else runs beside it.
    pub exclusive: bool,
    /// Deadline of one attempt.
    pub timeout: Duration,
    /// Retry policy.
    pub retry: Option<Retry>,
    /// Sustain policy.
    pub sustain: Option<Sustain>,
    /// Environment of its child processes.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Rules graded otherwise.
    pub rules: BTreeMap<String, Level>,
    /// The lines of a checklist that it answers.
    pub source: Option<Source>,
    /// The probe with its config.
    pub probe: Arc<dyn BoundProbe>,
    /// What its metrics must be.
    pub expect: Vec<Expectation>,
    /// Where it is declared.
    pub location: Location,
}

impl Gate {
    /// What is to be signed, where the gate is a sign-off.
    pub fn signoff(&self) -> Option<&SignoffConfig> {
        self.probe.config().downcast_ref()
    }
}
