//! Poetry, uv, PDM, Pipenv and `pylock.toml` (PEP 751).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{LockFault, Locked, text, toml_tree};
use crate::osv::api_name as normal;

fn packages<'a>(tree: &'a Value, key: &str) -> Result<&'a Vec<Value>, LockFault> {
    match tree.get(key) {
        Some(Value::Array(list)) => Ok(list),
        _ => Err(LockFault::new(format!("it holds no `[[{key}]]`"))),
    }
}

/// The packages, their names normalised, and for each what it wants by name.
fn build(mut locked: Locked, wants: &[(Option<usize>, String, Vec<String>)]) -> Locked {
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (at, package) in locked.packages.iter().enumerate() {
        by_name.insert(normal(&package.name), at);
    }
    let mut wanted = HashSet::new();
    let resolve = |names: &[String]| -> Vec<usize> {
        names
            .iter()
            .filter_map(|name| by_name.get(&normal(name)).copied())
            .collect()
    };
    for (at, name, names) in wants {
        let depends = resolve(names);
        match at {
            Some(at) => {
                wanted.extend(depends.iter().copied());
                locked.packages[*at].depends = depends;
            }
            None => locked.roots.push((name.clone(), depends)),
        }
    }
    if locked.roots.is_empty() {
        let direct = (0..locked.packages.len())
            .filter(|at| !wanted.contains(at))
            .collect();
        locked.roots.push(("the project".to_owned(), direct));
    }
    locked
}

pub(super) fn poetry(content: &str) -> Result<Locked, LockFault> {
    let tree = toml_tree(content)?;
    let mut locked = Locked::new("poetry.lock", "PyPI");
    if tree.get("metadata").is_none() {
        return Err(LockFault::new(
            "it has no `[metadata]`, with which Poetry ends the file; is it whole?",
        ));
    }
    let empty = Vec::new();
    let list = if tree.get("package").is_some() {
        packages(&tree, "package")?
    } else {
        &empty
    };
    let mut wants = Vec::new();
    for package in list {
        let (Some(name), Some(version)) = (text(package, "name"), text(package, "version")) else {
            return Err(LockFault::new("a package has no name or no version"));
        };
        let kind = package
            .get("source")
            .and_then(|source| text(source, "type"));
        match kind {
            Some("directory" | "file") => locked.local += 1,
            Some("git" | "url") => {
                locked.skip(format!("{name} {version}"), "from git or an address", false);
            }
            _ => {
                let groups = package.get("groups").and_then(Value::as_array);
                let main = groups.is_none_or(|groups| groups.iter().any(|group| group == "main"));
                let dev = text(package, "category") == Some("dev") || !main;
                let at = locked.push(name, version, dev);
                let names = package.get("dependencies").and_then(Value::as_object);
                let names = names
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect();
                wants.push((Some(at), name.to_owned(), names));
            }
        }
    }
    Ok(build(locked, &wants))
}

pub(super) fn uv(content: &str) -> Result<Locked, LockFault> {
    let tree = toml_tree(content)?;
    let mut locked = Locked::new("uv.lock", "PyPI");
    let mut wants = Vec::new();
    let names = |list: Option<&Value>| -> Vec<String> {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|item| Some(text(item, "name")?.to_owned()))
            .collect()
    };
    for package in packages(&tree, "package")? {
        let Some(name) = text(package, "name") else {
            return Err(LockFault::new("a package has no name"));
        };
        let source = package.get("source").and_then(Value::as_object);
        let from = source
            .and_then(|source| source.keys().next())
            .map_or("registry", String::as_str);
        let mut needed = names(package.get("dependencies"));
        match (from, text(package, "version")) {
            ("registry", Some(version)) => {
                let at = locked.push(name, version, false);
                wants.push((Some(at), name.to_owned(), needed));
            }
            ("virtual" | "editable" | "directory" | "path", _) => {
                locked.local += 1;
                let more = ["dev-dependencies", "optional-dependencies"]
                    .iter()
                    .filter_map(|kind| package.get(*kind)?.as_object());
                needed.extend(more.flatten().flat_map(|(_, list)| names(Some(list))));
                wants.push((None, name.to_owned(), needed));
            }
            ("registry", None) => return Err(LockFault::new(format!("`{name}` has no version"))),
            _ => locked.skip(name, "from git or an address", false),
        }
    }
    Ok(build(locked, &wants))
}

pub(super) fn pdm(content: &str) -> Result<Locked, LockFault> {
    let tree = toml_tree(content)?;
    let mut locked = Locked::new("pdm.lock", "PyPI");
    let mut wants = Vec::new();
    for package in packages(&tree, "package")? {
        let Some(name) = text(package, "name") else {
            return Err(LockFault::new("a package has no name"));
        };
        let elsewhere = ["git", "url", "path"]
            .iter()
            .any(|kind| package.get(*kind).is_some());
        let Some(version) = text(package, "version").filter(|_| !elsewhere) else {
            locked.skip(name, "from git, a path or an address", false);
            continue;
        };
        let at = locked.push(name, version, false);
        let needed = package.get("dependencies").and_then(Value::as_array);
        let needed = needed
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(name_of_requirement);
        wants.push((Some(at), name.to_owned(), needed.collect()));
    }
    Ok(build(locked, &wants))
}

/// `requests[socks]>=2; python_version > "3"` is `requests`.
fn name_of_requirement(requirement: &str) -> String {
    requirement
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .collect()
}

pub(super) fn pylock(content: &str) -> Result<Locked, LockFault> {
    let tree = toml_tree(content)?;
    let mut locked = Locked::new("pylock.toml", "PyPI");
    if text(&tree, "lock-version").is_none() {
        return Err(LockFault::new("it has no `lock-version`"));
    }
    for package in packages(&tree, "packages")? {
        let Some(name) = text(package, "name") else {
            return Err(LockFault::new("a package has no name"));
        };
        if package.get("directory").is_some() {
            locked.local += 1;
            continue;
        }
        match text(package, "version").filter(|_| package.get("vcs").is_none()) {
            Some(version) => {
                locked.push(name, version, false);
            }
            None => locked.skip(name, "from git or without a version", false),
        }
    }
    Ok(build(locked, &[]))
}

pub(super) fn pipfile(content: &str) -> Result<Locked, LockFault> {
    let tree: Value = serde_json::from_str(content)?;
    let mut locked = Locked::new("Pipfile.lock", "PyPI");
    if tree.get("_meta").is_none() {
        return Err(LockFault::new("it has no `_meta`"));
    }
    for (kind, dev) in [("default", false), ("develop", true)] {
        let map = tree.get(kind).and_then(Value::as_object);
        for (name, entry) in map.into_iter().flatten() {
            match text(entry, "version").and_then(|version| version.strip_prefix("==")) {
                Some(version) => {
                    locked.push(name, version, dev);
                }
                None if entry.get("path").is_some() => locked.local += 1,
                None => locked.skip(name, "from git or not pinned", entry.get("git").is_none()),
            }
        }
    }
    Ok(build(locked, &[]))
}
