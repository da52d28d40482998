//! `yarn.lock`: version 1 has a format of its own, later ones are YAML.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{LockFault, Locked, text, yaml_tree};

/// An entry: what it answers to (`a@^1.0`), what it is, what it wants.
struct Entry {
    descriptors: Vec<String>,
    name: String,
    version: String,
    resolved: String,
    wants: Vec<String>,
}

pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    if content.contains("__metadata:") {
        return berry(content);
    }
    classic(content)
}

fn classic(content: &str) -> Result<Locked, LockFault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut in_dependencies = false;
    for (number, line) in content.lines().enumerate() {
        let fault = |reason: &str| LockFault::new(reason).at(number as u64 + 1);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        if depth == 0 {
            let Some(keys) = trimmed.strip_suffix(':') else {
                return Err(fault(
                    "an entry of yarn.lock ends with a colon; is the file whole?",
                ));
            };
            let descriptors: Vec<String> = keys
                .split(", ")
                .map(|key| key.trim_matches('"').to_owned())
                .collect();
            let Some(name) = descriptors.first().and_then(|first| name_of(first)) else {
                return Err(fault("an entry names no package"));
            };
            let entry = Entry {
                name: name.to_owned(),
                descriptors,
                version: String::new(),
                resolved: String::new(),
                wants: Vec::new(),
            };
            entries.push(entry);
            in_dependencies = false;
            continue;
        }
        let Some(entry) = entries.last_mut() else {
            return Err(fault("a property stands before any entry"));
        };
        if depth <= 2 {
            in_dependencies = matches!(trimmed, "dependencies:" | "optionalDependencies:");
        }
        let (key, value) = split_pair(trimmed);
        match (depth, key) {
            (2, "version") => value.clone_into(&mut entry.version),
            (2, "resolved") => value.clone_into(&mut entry.resolved),
            (4, _) if in_dependencies => entry.wants.push(format!("{key}@{value}")),
            _ => {}
        }
    }
    build(&entries, "yarn.lock v1")
}

/// `key value`, either of them in quotes.
fn split_pair(line: &str) -> (&str, &str) {
    let (key, value) = match line.strip_prefix('"') {
        Some(rest) => rest.split_once('"').unwrap_or((rest, "")),
        None => line.split_once(' ').unwrap_or((line, "")),
    };
    (key, value.trim().trim_matches('"'))
}

/// `@scope/name` of `@scope/name@^1.0`.
fn name_of(descriptor: &str) -> Option<&str> {
    let at = descriptor.get(1..)?.find('@')? + 1;
    Some(&descriptor[..at])
}

fn berry(content: &str) -> Result<Locked, LockFault> {
    let tree = yaml_tree(content)?;
    let Some(map) = tree.as_object() else {
        return Err(LockFault::new("it is no yarn.lock"));
    };
    let mut entries = Vec::new();
    for (key, entry) in map.iter().filter(|(key, _)| *key != "__metadata") {
        let descriptors: Vec<String> = key.split(", ").map(str::to_owned).collect();
        let resolution = text(entry, "resolution").unwrap_or_default();
        let Some(name) = name_of(if resolution.is_empty() {
            key
        } else {
            resolution
        }) else {
            return Err(LockFault::new(format!("`{key}` names no package")));
        };
        let version = match entry.get("version") {
            Some(Value::String(version)) => version.clone(),
            Some(Value::Number(version)) => version.to_string(),
            _ => return Err(LockFault::new(format!("`{key}` has no version"))),
        };
        let wants = ["dependencies", "optionalDependencies", "peerDependencies"]
            .iter()
            .filter_map(|kind| entry.get(*kind)?.as_object())
            .flatten()
            .filter_map(|(name, range)| {
                let range = range.as_str()?;
                Some(if range.contains(':') {
                    format!("{name}@{range}")
                } else {
                    format!("{name}@npm:{range}")
                })
            })
            .collect();
        entries.push(Entry {
            name: name.to_owned(),
            descriptors,
            version,
            resolved: resolution.to_owned(),
            wants,
        });
    }
    build(&entries, "yarn.lock berry")
}

fn build(entries: &[Entry], format: &str) -> Result<Locked, LockFault> {
    if entries.is_empty() && format.ends_with("berry") {
        return Err(LockFault::new("it holds no entry, not even the project's"));
    }
    let mut locked = Locked::new(format, "npm");
    let mut handles: Vec<Option<usize>> = Vec::new();
    let mut by_descriptor: HashMap<&str, usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        for descriptor in &entry.descriptors {
            by_descriptor.insert(descriptor, index);
        }
        if entry.version.is_empty() {
            return Err(LockFault::new(format!(
                "`{}` has no version; is the file whole?",
                entry.name
            )));
        }
        let handle = match place(entry) {
            Place::Local => {
                locked.local += 1;
                None
            }
            Place::Address => {
                locked.skip(&*entry.name, "from git or an address", false);
                None
            }
            Place::Registry(name) => Some(locked.push(name, &entry.version, false)),
        };
        handles.push(handle);
    }
    let mut wanted = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let depends: Vec<usize> = entry
            .wants
            .iter()
            .filter_map(|descriptor| handles[*by_descriptor.get(descriptor.as_str())?])
            .collect();
        match handles[index] {
            Some(at) => {
                wanted.extend(depends.iter().copied());
                locked.packages[at].depends = depends;
            }
            None if entry.version == "0.0.0-use.local" => {
                locked.roots.push((entry.name.clone(), depends));
            }
            None => {}
        }
    }
    if locked.roots.is_empty() {
        // Version 1 does not say what the project itself asks for: what nothing else wants.
        let direct = (0..locked.packages.len())
            .filter(|at| !wanted.contains(at))
            .collect();
        locked.roots.push(("the project".to_owned(), direct));
    }
    Ok(locked)
}

enum Place<'a> {
    Local,
    Address,
    Registry(&'a str),
}

fn place(entry: &Entry) -> Place<'_> {
    // `alias@npm:real@1.0` in version 1; in later ones the resolution has the real name.
    let first = entry.descriptors.first().map_or("", String::as_str);
    let range = name_of(first).map_or("", |name| &first[name.len() + 1..]);
    let local = ["workspace:", "link:", "portal:", "file:"];
    let reference = name_of(&entry.resolved).map_or("", |name| &entry.resolved[name.len() + 1..]);
    if local
        .iter()
        .any(|kind| range.starts_with(kind) || reference.starts_with(kind))
    {
        return Place::Local;
    }
    if reference.starts_with("npm:")
        || reference.starts_with("patch:")
        || reference.starts_with("virtual:")
    {
        return Place::Registry(&entry.name);
    }
    let archive = entry.resolved.contains("/-/")
        || entry.resolved.is_empty()
        || entry.resolved.contains(".tgz");
    if entry.resolved.starts_with("git")
        || entry.resolved.contains(".git#")
        || entry.resolved.contains("codeload.github.com")
        || !archive
    {
        return Place::Address;
    }
    match range
        .strip_prefix("npm:")
        .and_then(|real| Some((real, name_of(real)?)))
    {
        Some((_, real)) => Place::Registry(real),
        None => Place::Registry(&entry.name),
    }
}
