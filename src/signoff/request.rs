//! Requests: what a role is asked to sign, for a person to read.
//!
//! A request is not trusted by anybody. Whoever edits one makes its signer vouch for something that
//! the verifier does not find, and the statement does not count.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use readygate_sdk::excerpt;
use readygate_signoff::{Answer, AnswerType};
use serde::{Deserialize, Serialize};

use super::{
    changes,
    config::{is_namespace, is_role},
    scene::{Inputs, Scene},
    statement::Subject,
    vector::{self, Status, shown},
};
use crate::{
    config::Gate,
    record::{FileError, GateRecord, Outcome, Run, SignDecision, Verdict, write_atomically},
};

/// Tells our requests from other files.
pub const SCHEMA: &str = "readygate/signoff-request/v1";
/// A request is a few pages.
const LARGEST: u64 = 16 << 20;

/// What a role is asked to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// In whose name.
    pub role: String,
    /// What a person calls the role.
    pub title: String,
    /// Who may sign.
    pub principals: Vec<String>,
    /// SSH namespace of the signature.
    pub namespace: String,
    /// How long the signature holds, in seconds.
    pub holds_for_s: u64,
    /// A hardware key must be touched.
    pub require_touch: bool,
    /// It is the final approval.
    pub is_final: bool,
    /// The run that is vouched for.
    pub run: String,
    /// When the run ended, UTC.
    pub made: Timestamp,
    /// The system to be released, with its version.
    pub target: String,
    /// What is released.
    pub subject: Vec<Subject>,
    /// Where it goes.
    pub environment: String,
    /// Which stages of the checklist, sorted.
    pub stages: Vec<String>,
    /// Which release.
    #[serde(default)]
    pub release: Option<String>,
    /// Digest of the policy.
    pub policy: String,
    /// Verdict of the run.
    pub verdict: String,
    /// What is vouched for.
    pub gates: Vec<Asked>,
    /// The evidence.
    pub items: Vec<Shown>,
    /// Exceptions that the run used.
    #[serde(default)]
    pub waivers: Vec<String>,
    /// What changed since the run that it was compared to; absent where there is none.
    #[serde(default)]
    pub changes: Option<Vec<String>>,
    /// Of the final approval: the statements that it covers.
    #[serde(default)]
    pub attestations: Vec<Attested>,
    /// Of the final approval: roles that have not signed yet.
    #[serde(default)]
    pub waiting_for: Vec<String>,
}

/// A sign-off gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// What is vouched for, in words.
    pub statement: String,
    /// What is to be filled in.
    #[serde(default)]
    pub answers: Vec<Question>,
}

/// A blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The id of the answer.
    pub id: String,
    /// The question.
    pub ask: String,
    /// What kind of answer.
    #[serde(rename = "type")]
    pub kind: AnswerType,
    /// Possible answers.
    #[serde(default)]
    pub choices: Vec<String>,
    /// It may stay open.
    #[serde(default)]
    pub optional: bool,
}

impl Question {
    /// What is wrong with an answer, as it reads after "the answer".
    pub fn complaint(&self, given: &str) -> Option<String> {
        let answer = Answer {
            id: self.id.clone(),
            ask: self.ask.clone(),
            kind: self.kind,
            choices: self.choices.clone(),
            max_age: None,
            optional: self.optional,
        };
        answer.complaint(given)
    }
}

/// A gate of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// How it ended.
    pub status: Status,
    /// How much it weighs.
    pub severity: String,
    /// Why, unless it simply passed.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A statement that the final approval covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// Its digest.
    pub sha256: String,
    /// In whose name.
    pub role: String,
    /// Who signed.
    pub principal: String,
    /// Its file.
    pub file: String,
}

/// The file of a role's request. The name of a role holds nothing but letters, digits and `-`.
pub fn path_of(directory: &Path, role: &str) -> PathBuf {
    directory.join("requests").join(format!("{role}.json"))
}

/// Why a request could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is something else in its place.
    #[error("{} is not a request of readygate, and stays as it is: {why}; move it away", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

/// Writes a request for each role that has not signed yet, from a sealed record. Gives the files.
pub fn write(
    run: &Run,
    inputs: &Inputs<'_>,
    baseline: Option<&Run>,
) -> Result<Vec<PathBuf>, RequestError> {
    let scene = Scene::new(run, inputs);
    let mut written = Vec::new();
    let link = scene.link();
    for role in missing(run, &scene) {
        let path = path_of(&scene.directory, &role);
        let io = |error| RequestError::Io {
            path: path.clone(),
            error,
        };
        if let Some(link) = &link {
            return Err(linked(link));
        }
        let request = request(&role, run, &scene, baseline);
        let mut text = serde_json::to_vec_pretty(&request).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
            spare_links(folder)?;
        }
        spare_others(&path)?;
        write_atomically(&path, &text)?;
        written.push(path);
    }
    Ok(written)
}

/// A link may lead anywhere, and what is written would go there.
fn spare_links(path: &Path) -> Result<(), RequestError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => Err(linked(path)),
        _ => Ok(()),
    }
}

fn linked(path: &Path) -> RequestError {
    RequestError::Foreign {
        path: path.to_owned(),
        why: "it is a symbolic link".to_owned(),
    }
}

/// Nothing but an earlier request may be replaced.
fn spare_others(path: &Path) -> Result<(), RequestError> {
    spare_links(path)?;
    if !path.exists() {
        return Ok(());
    }
    match read(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(RequestError::Foreign {
            path: path.to_owned(),
            why: error,
        }),
    }
}

/// Reads a request.
pub fn read(path: &Path) -> Result<Request, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    if !fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
        return Err("not a file".to_owned());
    }
    fs::File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
        .map_err(|e| e.to_string())?;
    let request: Request = serde_json::from_slice(&bytes).map_err(|e| {
        format!(
            "not a request: line {}, column {}: {e}",
            e.line(),
            e.column()
        )
    })?;
    if request.schema != SCHEMA {
        return Err(format!(
            "its schema is `{}`, not `{SCHEMA}`",
            request.schema
        ));
    }
    if !is_role(&request.role) {
        return Err(format!("`{}` is not the name of a role", request.role));
    }
    if !is_namespace(&request.namespace) {
        let namespace = &request.namespace;
        return Err(format!("`{namespace}` is not a namespace for sign-offs"));
    }
    Ok(request)
}

/// Gates that wait for a signature of their own, and not for another gate.
fn waiting<'s>(
    run: &'s Run,
    scene: &'s Scene<'_>,
) -> impl Iterator<Item = (&'s Gate, &'s GateRecord)> {
    let pairs = scene.gates.iter().copied().zip(&run.gates);
    pairs.filter(|(gate, record)| {
        let can = record
            .measurement
            .as_ref()
            .is_some_and(|m| m.get("impossible").is_none());
        gate.signoff().is_some() && record.outcome == Outcome::Pending && can
    })
}

fn missing(run: &Run, scene: &Scene<'_>) -> BTreeSet<String> {
    let roles = waiting(run, scene).filter_map(|(gate, _)| gate.signoff());
    roles.map(|config| config.role.clone()).collect()
}

fn request(role: &str, run: &Run, scene: &Scene<'_>, baseline: Option<&Run>) -> Request {
    let settings = scene.roles().get(role).cloned().unwrap_or_default();
    let of_role = |gate: &Gate| gate.signoff().is_some_and(|c| c.role == role);
    let own: Vec<&Gate> = waiting(run, scene)
        .map(|(gate, _)| gate)
        .filter(|gate| of_role(gate))
        .collect();
    let is_final = own.iter().any(|g| g.signoff().is_some_and(|c| c.is_final));
    let show = |text: &str| shown(text, &scene.masker);
    let target = match &run.target.version {
        Some(version) => format!("{} {version}", run.target.name),
        None => run.target.name.clone(),
    };
    let title = settings.title.as_deref().unwrap_or(role);
    Request {
        schema: SCHEMA.to_owned(),
        role: role.to_owned(),
        title: show(title),
        principals: settings.principals.clone(),
        namespace: scene.config.signoffs.namespace().to_owned(),
        holds_for_s: settings.holds_for().as_secs(),
        require_touch: settings.require_touch,
        is_final,
        run: run.id.clone(),
        made: run.finished,
        target: show(&target),
        subject: scene.subject(),
        environment: scene.environment.clone(),
        stages: scene.stages.clone(),
        release: scene.release.clone(),
        policy: scene.policy.clone(),
        verdict: before_signoffs(run, scene).name().to_owned(),
        gates: own.iter().filter_map(|gate| asked(gate, scene)).collect(),
        items: items(&own, run, scene),
        waivers: waivers(run),
        changes: baseline.map(|before| changes::since(before, run)),
        attestations: if is_final {
            attestations(run)
        } else {
            Vec::new()
        },
        waiting_for: if is_final {
            let others = missing(run, scene).into_iter();
            others.filter(|other| other != role).collect()
        } else {
            Vec::new()
        },
    }
}

/// The verdict on the evidence alone: signatures that are missing are what the request is for.
fn before_signoffs(run: &Run, scene: &Scene<'_>) -> Verdict {
    let evidence = run.gates.iter();
    let evidence = evidence.filter(|gate| gate.probe != readygate_signoff::ID);
    let evidence: Vec<GateRecord> = evidence.cloned().collect();
    crate::verdict::decide(&evidence, &scene.config.required).verdict
}

fn asked(gate: &Gate, scene: &Scene<'_>) -> Option<Asked> {
    let config = gate.signoff()?;
    let question = |answer: &Answer| Question {
        id: answer.id.clone(),
        ask: shown(&answer.ask, &scene.masker),
        kind: answer.kind,
        choices: answer
            .choices
            .iter()
            .map(|c| shown(c, &scene.masker))
            .collect(),
        optional: answer.optional,
    };
    Some(Asked {
        id: gate.id.clone(),
        title: shown(&gate.title, &scene.masker),
        statement: scene.vouched(gate, config),
        answers: config.answers.iter().map(question).collect(),
    })
}

/// Every gate that one of the sign-offs speaks for, once, in the order of the config.
fn items(own: &[&Gate], run: &Run, scene: &Scene<'_>) -> Vec<Shown> {
    let scopes = own
        .iter()
        .flat_map(|gate| vector::scope(gate, scene.gates, run));
    let ids: BTreeSet<&str> = scopes.map(|record| record.id.as_str()).collect();
    let wanted = run
        .gates
        .iter()
        .filter(|record| ids.contains(record.id.as_str()));
    let shown = wanted
        .filter(|record| record.is_selected())
        .map(|record| Shown {
            id: record.id.clone(),
            title: shown(&record.title, &scene.masker),
            status: Status::of(record),
            severity: record.severity.name().to_owned(),
            reason: record.reason.as_ref().map(|reason| excerpt(reason, 600)),
        });
    shown.collect()
}

fn waivers(run: &Run) -> Vec<String> {
    let used = run.waivers.iter().filter(|w| w.valid && !w.used.is_empty());
    used.map(|waiver| {
        format!(
            "{}: {} (owner {}, approved by {}, until {}); covers {}",
            waiver.covers,
            waiver.reason,
            waiver.owner,
            waiver.approver,
            waiver.expires,
            waiver.used.join(", ")
        )
    })
    .collect()
}

fn attestations(run: &Run) -> Vec<Attested> {
    let counting = run.signoffs.iter();
    let counting = counting.filter(|s| s.accepted && s.decision == SignDecision::Approve);
    counting
        .map(|statement| Attested {
            sha256: statement.sha256.clone(),
            role: statement.role.clone(),
            principal: statement.principal.clone(),
            file: statement.file.clone(),
        })
        .collect()
}
