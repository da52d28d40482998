//! What the probe brings back.

use jiff::Timestamp;
use readygate_sdk::Location;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was found at the configured paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FilesMeasurement {
    /// When it was looked at; ages count back from here.
    #[schemars(with = "String")]
    pub taken_at: Timestamp,
    /// Whether it was asked that nothing exists, so that folders count too.
    pub absence: bool,
    /// One record for each configured path or glob, in their order.
    pub paths: Vec<PathRecord>,
}

/// What one path or glob matched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathRecord {
    /// The path or glob, as configured.
    pub path: String,
    /// Regular files that it matched.
    pub matched: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// The files by path: all of them up to 200; of more, the smallest, the largest, the oldest
    /// and the newest twenty.
    pub files: Vec<FileRecord>,
    /// Things it matched that are no regular files, in total.
    pub others_total: u64,
    /// The first twenty of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherRecord>,
    /// Files that could not be read and folders that could not be looked into, in total.
    pub unreadable_total: u64,
    /// The first twenty of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// What was found of each text that the config asks about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextRecord>,
}

impl PathRecord {
    /// Whether `files` holds a selection only.
    pub(crate) fn is_selection(&self) -> bool {
        self.matched > self.files.len() as u64
    }
}

/// One regular file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileRecord {
    /// Its path as the config leads to it.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Last modification; missing where the file system gives none that a calendar can hold.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// SHA-256 in lowercase hex, where the config asks for it and this is the only file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Something that is there and is no regular file. It is never opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OtherRecord {
    /// Its path.
    pub path: String,
    /// What it is, as it reads in a sentence: `a directory`, `a FIFO`, `a broken symbolic link`.
    pub kind: String,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreadable {
    /// Its path.
    pub path: String,
    /// What the operating system says.
    pub problem: String,
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
pub struct TextRecord {
    /// Where the config has it.
    pub role: TextRole,
    /// The text or regular expression.
    pub text: String,
    /// Files that have it.
    pub files_with: u64,
    /// Files that were read to their end and do not have it.
    pub files_without: u64,
    /// Files for which it cannot be told.
    pub files_unjudged: u64,
    /// Occurrences of a plain text (not overlapping), or lines that match, in all files.
    pub occurrences: u64,
    /// The first twenty places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Location>,
    /// The first twenty files without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}
