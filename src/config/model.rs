//! The shape of `readygate.yaml`. Doc comments are the user documentation and go into the schema.

use std::collections::BTreeMap;

use readygate_sdk::{Level, Period};
use schemars::JsonSchema;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny},
};

use crate::{
    checklist::source::Source,
    policy::config::Policy,
    record::Severity,
    release::config::{Watch, Windows},
    signoff::config::{Role, Signoffs},
    waiver::config::WaiverFields,
};

/// The file as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: Option<u32>,
    /// The system to be released.
    pub target: Option<TargetFields>,
    /// Values for gates that do not say otherwise.
    pub defaults: Option<Defaults>,
    /// Gates that run side by side; 8 unless said otherwise.
    #[schemars(range(min = 1, max = 256))]
    pub concurrency: Option<usize>,
    /// Time for the whole run. What has not ended by then is unmeasured.
    pub deadline: Option<Period>,
    /// What must be declared, so that deleting gates cannot pass.
    pub require: Option<Require>,
    /// Names of variables whose values are masked in every output.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Names of environment variables that child processes get besides PATH, HOME, LANG and the like.
    #[serde(default)]
    pub pass_env: Vec<String>,
    /// Other config files, relative to this one. Gates are put together; ids must stay unique.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub include: Vec<String>,
    /// Roles that answer for gates, by name: `security-lead`.
    pub roles: Option<BTreeMap<String, Role>>,
    /// Where signatures are and who may make them.
    pub signoffs: Option<Signoffs>,
    /// Exceptions. The check still runs and is shown as waived.
    #[serde(default)]
    #[schemars(with = "Vec<WaiverFields>")]
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub waivers: Later,
    /// Who answers for the policy itself.
    pub policy: Option<Policy>,
    /// When deployments may start.
    pub windows: Option<Windows>,
    /// The watch after a deployment.
    pub watch: Option<Watch>,
    /// The gates.
    #[serde(default)]
    #[schemars(with = "Vec<GateFields>")]
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub gates: Later,
}

/// A block that is read on its own, so that a mistake in it hides no other.
#[derive(Debug, Default, Clone, Copy)]
pub struct Later;

impl<'de> Deserialize<'de> for Later {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The system to be released.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFields {
    /// Its name: `production`.
    pub name: Option<String>,
    /// Base URL; relative URLs of gates resolve against it.
    pub url: Option<String>,
    /// Environment, if it differs from the name.
    pub environment: Option<String>,
    /// The version being released.
    pub version: Option<String>,
    /// The commit being released.
    pub commit: Option<String>,
    /// Digest of what is deployed, for what is signed: `sha256:` and 64 hex digits.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$|\$\{"))]
    pub artifact: Option<String>,
    /// Defaults for `${NAME}`; the environment and `--var` outrank them.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub variables: BTreeMap<String, String>,
    /// Ids of the disruptive gates (load, bursts, drills) that may run against this target.
    #[serde(default)]
    pub allow_disruptive: Vec<String>,
}

/// Values for gates that do not say otherwise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Deadline of one attempt; 30s unless said otherwise.
    pub timeout: Option<Period>,
    /// Retry policy.
    pub retry: Option<Retry>,
    /// Severity.
    pub severity: Option<Severity>,
}

/// What must be declared.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Require {
    /// At least so many gates.
    #[serde(default)]
    pub min_gates: usize,
    /// Gates with these ids; one that is selected must also be measured, whatever its severity.
    #[serde(default)]
    pub ids: Vec<String>,
}

/// One gate, without `with` and `expect`, which depend on the probe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Gate")]
pub struct GateFields {
    /// Unique name: lower-case letters, digits, `.`, `-` and `_`.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9._-]*$"))]
    pub id: String,
    /// What a person calls it; the id unless said otherwise.
    pub title: Option<String>,
    /// Why this gate is there; shown by `readygate explain`.
    pub description: Option<String>,
    /// Section of the checklist.
    pub section: Option<String>,
    /// Role that answers for it.
    pub owner: Option<String>,
    /// `blocker` and `major` keep the run from GO, `minor` warns, `info` only reports.
    pub severity: Option<Severity>,
    /// Whether a waiver may cover its failures. Unless said otherwise a blocker is not waivable and
    /// everything else is.
    pub waivable: Option<bool>,
    /// When it applies: `pre-merge`, `nightly`, `pre-deploy`, `deploy`, `post-deploy`, `rollback`,
    /// or names of your own. Without stages it always applies.
    #[serde(default)]
    pub stages: Vec<String>,
    /// Labels for `--tag`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Ids of gates that must pass first.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Nothing else runs beside it.
    #[serde(default)]
    pub exclusive: bool,
    /// Deadline of one attempt.
    pub timeout: Option<Period>,
    /// Try again when it did not pass; every attempt stays in the record.
    pub retry: Option<Retry>,
    /// Measure again and again for a while, and pass only if it keeps passing.
    pub sustain: Option<Sustain>,
    /// Names of environment variables that this gate's child processes get.
    #[serde(default)]
    pub pass_env: Vec<String>,
    /// Grades rules of the probe otherwise: `{ "http/redirected": error }`.
    #[serde(default)]
    pub rules: BTreeMap<String, Level>,
    /// The lines of a checklist that it answers; `readygate import` writes it.
    pub source: Option<Source>,
    /// Which probe measures.
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub probe: String,
    /// The probe's config.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub with: Later,
    /// What its metrics must be: `{ latency.p95: "< 50ms", failed: "== 0" }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ExpectSchema>")]
    #[expect(
        dead_code,
        reason = "read from the tree; here for the schema and the list of known keys"
    )]
    pub expect: Later,
}

/// One expectation or several on the same metric.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "Expectation")]
#[expect(dead_code, reason = "stands for the expectation grammar in the schema")]
enum ExpectSchema {
    One(String),
    Several(Vec<String>),
}

/// Try again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all, the first included.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// Pause between two attempts; 1s unless said otherwise.
    pub delay: Option<Period>,
    /// After which outcomes; both unless said otherwise. Refused credentials are never retried.
    #[serde(default = "both")]
    pub on: Vec<RetryOn>,
}

fn both() -> Vec<RetryOn> {
    vec![RetryOn::Failed, RetryOn::Unmeasured]
}

/// An outcome that is worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetryOn {
    /// A check failed.
    Failed,
    /// It could not be told.
    Unmeasured,
}

/// Keep passing, with the budgets of Argo Rollouts' analysis.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sustain {
    /// How long.
    #[serde(rename = "for")]
    pub duration: Period,
    /// From one measurement's start to the next.
    pub every: Period,
    /// Failed measurements that are tolerated; one more fails the gate. 0 unless said otherwise.
    #[serde(default)]
    pub failure_limit: u32,
    /// Measurements in a row that could not tell and are tolerated; one more ends the gate
    /// unmeasured. 4 unless said otherwise.
    #[serde(default = "four")]
    pub consecutive_error_limit: u32,
}

fn four() -> u32 {
    4
}
