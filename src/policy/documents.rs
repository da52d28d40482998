//! A policy as its files say it: parsed and put together, neither bound to probes nor to values of
//! one machine, so that two can be compared anywhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{Origin, OriginError};
use crate::{
    config::{self, LoadError, Node, Sources, Span},
    record::TrustRecord,
};

/// The most bytes of a list of keys.
const LARGEST_LIST: u64 = 1024 * 1024;

/// All files of one policy.
pub struct Documents {
    /// What the user called it.
    pub name: String,
    /// Texts, for places.
    pub sources: Sources,
    /// One tree for each file, variables that have a default in the files put in.
    pub roots: Vec<Node>,
    /// Of every value that uses variables, by its place: its text without their defaults.
    templates: BTreeMap<Span, String>,
    /// Lists of keys that the policy names, in their order: the key in `signoffs`, path, text.
    pub lists: Vec<List>,
    /// The ref that it is from.
    pub trusted: Option<TrustRecord>,
    /// SHA-256 over all of it, hex.
    pub sha256: String,
}

/// A list of keys.
pub struct List {
    /// Its key in `signoffs`: `allowed_signers` or `revoked`.
    pub key: &'static str,
    /// As messages name it.
    pub name: String,
    /// Its text; `None` when there is no such file.
    pub text: Option<String>,
}

impl Documents {
    /// Reads the files at `paths` and what they include.
    pub fn read(name: &str, origin: &Origin, paths: &[PathBuf]) -> Result<Self, LoadError> {
        let read = config::read_files(paths, origin)?;
        let mut hash = Sha256::new();
        hash.update(read.digest.as_bytes());
        let folder = paths.first().and_then(|p| p.parent());
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        let mut lists = Vec::new();
        for key in ["allowed_signers", "revoked"] {
            let named = read
                .roots
                .iter()
                .filter_map(|r| r.get("signoffs")?.get(key));
            for path in named.filter_map(Node::text) {
                let path = folder.join(path);
                let text = text(origin, &path);
                hash.update(format!("\n{key} {}\n", path.display()));
                hash.update(text.as_deref().unwrap_or("(missing)"));
                lists.push(List {
                    key,
                    name: origin.shown(&path),
                    text,
                });
            }
        }
        let bytes = hash.finalize();
        Ok(Self {
            name: name.to_owned(),
            sources: read.sources,
            roots: read.roots,
            templates: read.templates,
            lists,
            trusted: origin.record(),
            sha256: bytes
                .iter()
                .fold(String::new(), |hex, b| hex + &format!("{b:02x}")),
        })
    }

    /// The value under a key of the file that has it. Nothing (`~`) is no value.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.roots.iter().find_map(|root| root.said(key))
    }

    /// How a value is written that uses variables: its text without their defaults.
    pub fn template(&self, value: &Node) -> Option<&str> {
        value.text()?;
        self.templates.get(&value.span).map(String::as_str)
    }

    /// Whether any value uses a variable.
    pub fn uses_variables(&self) -> bool {
        !self.templates.is_empty()
    }

    /// The items under a key of all files.
    pub fn items(&self, key: &str) -> impl Iterator<Item = &Node> {
        let lists = self.roots.iter().filter_map(move |root| root.get(key));
        lists.flat_map(Node::items)
    }

    /// The keys of all files, each once.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let all = self.roots.iter().flat_map(Node::entries);
        all.map(|entry| entry.key.as_str())
    }

    /// File, line and column.
    pub fn place(&self, span: Span) -> readygate_sdk::Location {
        self.sources.locate(span)
    }
}

/// A missing list is a list without keys; whether that is a mistake, the run says.
fn text(origin: &Origin, path: &Path) -> Option<String> {
    let bytes: Result<_, OriginError> = origin.read(path, LARGEST_LIST);
    bytes.ok().map(|b| String::from_utf8_lossy(&b).into_owned())
}
