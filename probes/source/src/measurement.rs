//! What the probe brings back.

use readygate_sdk::{Location, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DebugKind;

/// What was found, by section; a section that was not asked for is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceMeasurement {
    /// The version being released, that documents must name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The commit being released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Debug code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug: Option<Answer<DebugRecord>>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Answer<EnvironmentRecord>>,
    /// Documents, in the order of the config.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentRecord>,
    /// The state of git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Answer<GitRecord>>,
}

/// A section that was measured, or why it could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer<T> {
    /// What was found.
    Measured(T),
    /// Why nothing can be said.
    Unmeasured(ProbeError),
}

impl<T> Answer<T> {
    pub(crate) fn from_result(result: Result<T, ProbeError>) -> Self {
        match result {
            Ok(found) => Self::Measured(found),
            Err(error) => Self::Unmeasured(error),
        }
    }
}

/// Debug code that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DebugRecord {
    /// Source files that were read to their end.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// All findings, by kind.
    pub breakpoints: u64,
    /// Debug prints.
    pub prints: u64,
    /// Focused tests.
    pub focused: u64,
    /// Lines that match the config's own patterns.
    pub patterns: u64,
    /// Findings that a comment on their line allows.
    pub allowed: u64,
    /// Allowing comments that give no reason.
    pub unreasoned: Vec<Location>,
    /// The first fifty findings of each kind.
    pub findings: Vec<Finding>,
    /// The first twenty files that could not be read, with the reason.
    pub unread: Vec<String>,
    /// All files that could not be read.
    pub unread_total: u64,
}

/// One piece of debug code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is.
    pub kind: DebugKind,
    /// The call or statement, as it is known: `console.log`.
    pub what: String,
    /// Where it is.
    pub location: Location,
}

/// Variables that are wanted, and variables that are set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentRecord {
    /// Every variable that is declared or deployed, by name. No value is kept.
    pub variables: Vec<Variable>,
}

/// One variable, without its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether the program declares it.
    pub declared: bool,
    /// Whether the declaration lets it be left out.
    pub optional: bool,
    /// What the deployment does with it; missing where it does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Where it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// How a variable is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// To a value that looks like one.
    Set,
    /// By other means; only the name is known.
    Named,
    /// To nothing.
    Empty,
    /// To a text that stands for a value still to come: `changeme`, `<token>`, `xxx`.
    Placeholder,
    /// To the very value of the example file, under a name that tells of a secret.
    Example,
}

/// One document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentRecord {
    /// Its path, as configured.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
    /// Why it could not be read, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Characters other than white space.
    pub characters: u64,
    /// Whether it names the target's version; missing where the target has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names_version: Option<bool>,
    /// All headings, in order.
    pub headings: Vec<Heading>,
    /// Links within the repository that do not resolve, and the number of all.
    pub links: Links,
}

/// One heading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heading {
    /// Its text.
    pub text: String,
    /// 1-based line.
    pub line: u64,
    /// Whether there is text below it, before the next heading of its level or a higher one.
    pub filled: bool,
}

/// The links of a document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// Links to files and headings, all of them.
    pub local: u64,
    /// Links to other hosts, which are not followed.
    pub external: u64,
    /// The first twenty local ones that do not resolve.
    pub dead: Vec<Link>,
    /// All local ones that do not resolve.
    pub dead_total: u64,
}

/// A link that does not resolve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// As written.
    pub target: String,
    /// What is wrong.
    pub state: LinkState,
    /// 1-based line.
    pub line: u64,
}

/// Why a link does not resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// No file is there.
    NoFile,
    /// The file has no such heading.
    NoHeading,
}

/// The state of a git work tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GitRecord {
    /// Commit of HEAD, in full.
    pub head: String,
    /// Whether history is cut off.
    pub shallow: bool,
    /// Changed and untracked files, all of them; missing where they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty_total: Option<u64>,
    /// The first twenty, as `git status --porcelain` shows them.
    pub dirty: Vec<String>,
    /// Tags on HEAD, the first hundred; missing where they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Commits whose signature was looked at.
    pub commits: u64,
    /// Those without a good signature: abbreviated commit and what git says (`%G?`).
    pub unsigned: Vec<Signature>,
    /// All of those.
    pub unsigned_total: u64,
    /// Whether HEAD contains the ref that it should; missing where none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<bool>,
    /// Why signatures or containment could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_problem: Option<String>,
}

/// A commit's signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// The commit, in full.
    pub commit: String,
    /// Git's letter: `N` none, `B` bad, `E` cannot be checked, `X` `Y` expired, `R` revoked.
    pub state: String,
    /// First line of its message.
    pub subject: String,
}
