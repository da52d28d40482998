//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
//! Format: <https://docs.npmjs.com/cli/configuring-npm/package-lock-json>.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{LockFault, Locked, text};

/// How deep folders are nested at most; npm itself flattens.
const DEEPEST: usize = 100;

pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let tree: Value = serde_json::from_str(content)?;
    let version = tree
        .get("lockfileVersion")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let mut locked = Locked::new(format!("package-lock.json v{version}"), "npm");
    if let Some(packages) = tree.get("packages").and_then(Value::as_object) {
        flat(packages, &mut locked)?;
        return Ok(locked);
    }
    let name = text(&tree, "name").unwrap_or("the project").to_owned();
    if let Some(dependencies) = tree.get("dependencies").and_then(Value::as_object) {
        nested(name, dependencies, &mut locked)?;
        return Ok(locked);
    }
    if tree.get("lockfileVersion").is_some() {
        // A project without dependencies has neither.
        locked.local = 1;
        return Ok(locked);
    }
    Err(LockFault::new(
        "it has neither `packages` nor `dependencies` nor `lockfileVersion`",
    ))
}

/// Adds a package unless its version is an address. `npm:name@version` is an alias.
fn add(locked: &mut Locked, name: &str, version: &str, entry: &Value) -> Option<usize> {
    let dev = entry.get("dev").and_then(Value::as_bool).unwrap_or(false);
    let (name, version) = alias(name, version);
    if version.starts_with("file:") || version.starts_with("link:") {
        locked.local += 1;
        return None;
    }
    let resolved = text(entry, "resolved").unwrap_or_default();
    if resolved.starts_with("git")
        || version.contains("://")
        || version.starts_with("git")
        || version.contains('#')
    {
        locked.skip(name, "from git or an address", false);
        return None;
    }
    Some(locked.push(name, version, dev))
}

fn alias<'a>(name: &'a str, version: &'a str) -> (&'a str, &'a str) {
    match version
        .strip_prefix("npm:")
        .and_then(|real| real.rsplit_once('@'))
    {
        Some((real, version)) if !real.is_empty() => (real, version),
        _ => (name, version),
    }
}

/// Versions 2 and 3: a flat map of folders.
fn flat(packages: &Map<String, Value>, locked: &mut Locked) -> Result<(), LockFault> {
    let mut handles: HashMap<&str, usize> = HashMap::new();
    let mut roots: Vec<&str> = Vec::new();
    for (folder, entry) in packages {
        if entry.get("link").and_then(Value::as_bool).unwrap_or(false) {
            continue;
        }
        let Some((_, last)) = folder.rsplit_once("node_modules/") else {
            locked.local += 1;
            roots.push(folder);
            continue;
        };
        let name = text(entry, "name").unwrap_or(last);
        let Some(version) = text(entry, "version") else {
            if entry.get("extraneous").is_none() && text(entry, "resolved").is_some() {
                locked.skip(name, "it has no version", false);
            }
            continue;
        };
        if let Some(at) = add(locked, name, version, entry) {
            handles.insert(folder, at);
        }
    }
    for (folder, entry) in packages {
        let depends: Vec<usize> = wanted(entry)
            .filter_map(|name| resolve(folder, name, |path| handles.get(path).copied()))
            .collect();
        match handles.get(folder.as_str()) {
            Some(at) => locked.packages[*at].depends = depends,
            None if roots.contains(&folder.as_str()) => {
                let name = text(entry, "name").map_or(
                    if folder.is_empty() {
                        "the project"
                    } else {
                        folder
                    },
                    |n| n,
                );
                locked.roots.push((name.to_owned(), depends));
            }
            None => {}
        }
    }
    if packages.is_empty() {
        return Err(LockFault::new(
            "`packages` is empty; even a project without dependencies is in it",
        ));
    }
    Ok(())
}

fn wanted(entry: &Value) -> impl Iterator<Item = &str> {
    [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
    ]
    .into_iter()
    .filter_map(|kind| entry.get(kind)?.as_object())
    .flat_map(|map| map.keys().map(String::as_str))
}

/// Looks for a package as Node does: in the folder, then in each one above.
fn resolve<T>(folder: &str, name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut base = folder;
    for _ in 0..DEEPEST {
        let path = if base.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{base}/node_modules/{name}")
        };
        if let Some(found) = find(&path) {
            return Some(found);
        }
        if base.is_empty() {
            return None;
        }
        base = base
            .rsplit_once("/node_modules/")
            .map_or("", |(above, _)| above);
    }
    None
}

/// Version 1: a tree. It becomes the flat map of folders first.
fn nested(
    name: String,
    dependencies: &Map<String, Value>,
    locked: &mut Locked,
) -> Result<(), LockFault> {
    let mut folders: Vec<(String, &Value)> = Vec::new();
    let mut open: Vec<(String, &Map<String, Value>, usize)> =
        vec![(String::new(), dependencies, 0)];
    while let Some((base, map, depth)) = open.pop() {
        if depth > DEEPEST {
            return Err(LockFault::new(format!(
                "dependencies are nested more than {DEEPEST} deep"
            )));
        }
        for (name, entry) in map {
            let folder = if base.is_empty() {
                format!("node_modules/{name}")
            } else {
                format!("{base}/node_modules/{name}")
            };
            if let Some(inner) = entry.get("dependencies").and_then(Value::as_object) {
                open.push((folder.clone(), inner, depth + 1));
            }
            folders.push((folder, entry));
        }
    }
    let mut handles: HashMap<&str, usize> = HashMap::new();
    for (folder, entry) in &folders {
        let name = folder
            .rsplit_once("node_modules/")
            .map_or("", |(_, name)| name);
        let Some(version) = text(entry, "version") else {
            return Err(LockFault::new(format!("`{name}` has no version")));
        };
        if let Some(at) = add(locked, name, version, entry) {
            handles.insert(folder, at);
        }
    }
    let mut required = Vec::new();
    for (folder, entry) in &folders {
        let Some(requires) = entry.get("requires").and_then(Value::as_object) else {
            continue;
        };
        let depends: Vec<usize> = requires
            .keys()
            .filter_map(|name| resolve(folder, name, |path| handles.get(path).copied()))
            .collect();
        required.extend_from_slice(&depends);
        if let Some(at) = handles.get(folder.as_str()) {
            locked.packages[*at].depends = depends;
        }
    }
    // The file does not say what the project itself asks for: what nothing else requires.
    let direct = dependencies
        .keys()
        .filter_map(|name| {
            handles
                .get(format!("node_modules/{name}").as_str())
                .copied()
        })
        .filter(|at| !required.contains(at))
        .collect();
    locked.local += 1;
    locked.roots.push((name, direct));
    Ok(())
}
