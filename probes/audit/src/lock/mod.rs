//! Lock files: which packages, at which versions, and what leads to each.

mod cargo;
mod composer;
mod gems;
mod go;
mod jvm_dotnet;
mod npm;
mod pnpm;
mod python;
mod requirements;
mod stale;
mod yarn;

use std::{collections::VecDeque, path::Path};

use readygate_sdk::Masker;

use crate::{
    measurement::{Unmatched, cap},
    text::clip,
};

pub(crate) use stale::{Staleness, compare, manifest_of};

/// A package from a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LockedPackage {
    pub(crate) name: String,
    pub(crate) version: String,
    /// In OSV's spelling.
    pub(crate) ecosystem: String,
    pub(crate) dev: bool,
    /// Indices of what it depends on.
    pub(crate) depends: Vec<usize>,
}

impl LockedPackage {
    pub(crate) fn name_version(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// A lock file that was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locked {
    pub(crate) format: String,
    pub(crate) ecosystem: String,
    pub(crate) packages: Vec<LockedPackage>,
    /// The project's own packages: name and indices of what they depend on.
    pub(crate) roots: Vec<(String, Vec<usize>)>,
    pub(crate) local: u64,
    pub(crate) unmatched: Vec<Unmatched>,
}

/// What precedes a package on the shortest way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    Root(usize),
    Package(usize),
    Unknown,
}

impl Locked {
    fn new(format: impl Into<String>, ecosystem: &str) -> Self {
        Self {
            format: format.into(),
            ecosystem: ecosystem.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a package of the file's ecosystem; the index is its handle.
    fn push(&mut self, name: &str, version: &str, dev: bool) -> usize {
        self.packages.push(LockedPackage {
            name: bounded(name),
            version: bounded(version),
            ecosystem: self.ecosystem.clone(),
            dev,
            depends: Vec::new(),
        });
        self.packages.len() - 1
    }

    /// Notes a package that cannot be matched.
    fn skip(&mut self, package: impl Into<String>, reason: &str, from_registry: bool) {
        let package = bounded(&package.into());
        self.unmatched.push(Unmatched {
            package,
            reason: reason.to_owned(),
            from_registry,
        });
    }

    /// The shortest way to each package, from the roots.
    pub(crate) fn parents(&self) -> Vec<Parent> {
        let mut parents = vec![Parent::Unknown; self.packages.len()];
        let mut queue = VecDeque::new();
        for (root, (_, depends)) in self.roots.iter().enumerate() {
            for at in depends {
                visit(&mut parents, &mut queue, *at, Parent::Root(root));
            }
        }
        while let Some(at) = queue.pop_front() {
            for next in &self.packages[at].depends {
                visit(&mut parents, &mut queue, *next, Parent::Package(at));
            }
        }
        parents
    }

    /// `[app, a 1.0.0, b 2.0.0]`; the package alone where nothing leads to it.
    pub(crate) fn path_to(&self, package: usize, parents: &[Parent]) -> Vec<String> {
        let mut path = vec![self.packages[package].name_version()];
        let mut at = parents[package];
        while path.len() < cap::PATH {
            match at {
                Parent::Unknown => break,
                Parent::Root(root) => {
                    path.push(self.roots[root].0.clone());
                    break;
                }
                Parent::Package(parent) => {
                    path.push(self.packages[parent].name_version());
                    at = parents[parent];
                }
            }
        }
        path.reverse();
        path
    }
}

/// A name, without the password of any address in it. It is masked before it is cut: the rest of a
/// cut address no longer shows where its password ends.
fn bounded(text: &str) -> String {
    clip(&Masker::new([]).mask(text), cap::NAME)
}

fn visit(parents: &mut [Parent], queue: &mut VecDeque<usize>, at: usize, parent: Parent) {
    if let Some(known) = parents.get_mut(at)
        && *known == Parent::Unknown
    {
        *known = parent;
        queue.push_back(at);
    }
}

/// What is wrong with a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockFault {
    pub(crate) reason: String,
    pub(crate) line: Option<u64>,
    pub(crate) column: Option<u64>,
    pub(crate) hint: Option<&'static str>,
}

impl LockFault {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: Masker::new([]).mask(&reason.into()),
            line: None,
            column: None,
            hint: None,
        }
    }

    fn at(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

impl From<serde_json::Error> for LockFault {
    fn from(error: serde_json::Error) -> Self {
        let place = (error.line() > 0).then_some((error.line() as u64, error.column() as u64));
        let reason = format!("it is not well-formed JSON: {error}");
        Self {
            line: place.map(|p| p.0),
            column: place.map(|p| p.1),
            ..Self::new(reason)
        }
    }
}

/// TOML as a JSON tree, so that one set of accessors serves all.
fn toml_tree(text: &str) -> Result<serde_json::Value, LockFault> {
    toml::from_str(text).map_err(|error| {
        let mut fault = LockFault::new(format!("it is not well-formed TOML: {}", error.message()));
        if let Some(span) = error.span() {
            fault.line = Some(text[..span.start.min(text.len())].matches('\n').count() as u64 + 1);
        }
        fault
    })
}

/// YAML as a JSON tree.
fn yaml_tree(text: &str) -> Result<serde_json::Value, LockFault> {
    serde_saphyr::from_str(text).map_err(|error| {
        LockFault::new(format!(
            "it is not well-formed YAML: {}",
            clip(&Masker::new([]).mask(&error.to_string()), 200)
        ))
    })
}

/// Reads a lock file; its name says what it is.
pub(crate) fn read(path: &Path, text: &str) -> Result<Locked, LockFault> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    if text.trim().is_empty() {
        return Err(LockFault::new("the file is empty"));
    }
    if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
        return Err(LockFault::new("it holds an unresolved merge conflict")
            .hint("resolve it, and lock again"));
    }
    let ends = |suffix: &str| name.ends_with(suffix);
    match name.as_str() {
        _ if ends("package-lock.json") || ends("npm-shrinkwrap.json") => npm::read(text),
        _ if ends("yarn.lock") => yarn::read(text),
        _ if ends("pnpm-lock.yaml") => pnpm::read(text),
        _ if ends("poetry.lock") => python::poetry(text),
        _ if ends("uv.lock") => python::uv(text),
        _ if ends("pdm.lock") => python::pdm(text),
        _ if ends("pipfile.lock") => python::pipfile(text),
        _ if ends("composer.lock") => composer::read(text),
        _ if ends("gemfile.lock") || ends("gems.locked") => gems::read(text),
        _ if ends("gradle.lockfile") => jvm_dotnet::gradle(text),
        _ if ends("packages.lock.json") => jvm_dotnet::nuget(text),
        "pubspec.lock" => jvm_dotnet::pub_lock(text),
        _ if ends("go.mod") => go::read(text),
        _ if ends("go.sum") => Err(LockFault::new("go.sum is not the build list: it keeps versions that are not used")
            .hint("name go.mod")),
        _ if name.starts_with("pylock.") => python::pylock(text),
        _ if ends(".txt") || ends(".in") => requirements::read(text),
        _ if ends(".lock") && text.contains("[[package]]") => cargo::read(text),
        _ => Err(LockFault::new(format!("`{name}` is no lock file that is known"))
            .hint("the README of the probe lists the names; files keep their usual ending (`x-package-lock.json`)")),
    }
}

/// A text of a JSON tree.
fn text<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

#[cfg(test)]
mod tests;
