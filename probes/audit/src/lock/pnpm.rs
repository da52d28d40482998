//! `pnpm-lock.yaml`, versions 5 to 9. Format: <https://github.com/pnpm/spec>.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{LockFault, Locked, text, yaml_tree};

const KINDS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

#[expect(
    clippy::single_match_else,
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let tree = yaml_tree(content)?;
    let version = match tree.get("lockfileVersion") {
        Some(Value::String(version)) => version.clone(),
        Some(Value::Number(version)) => version.to_string(),
        _ => return Err(LockFault::new("it has no `lockfileVersion`")),
    };
    let mut locked = Locked::new(format!("pnpm-lock.yaml v{version}"), "npm");
    let empty = Map::new();
    let packages = tree
        .get("packages")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let mut handles: HashMap<String, usize> = HashMap::new();
    for (key, entry) in packages {
        let resolution = entry.get("resolution");
        let address = resolution
            .is_some_and(|r| r.get("repo").is_some() || text(r, "type") == Some("git"))
            || key.contains("://")
            || key.contains("codeload.github.com");
        let local = resolution.is_some_and(|r| text(r, "type") == Some("directory"))
            || key.starts_with("file:")
            || key.contains("@file:");
        let Some((name, version)) = split(key, &version).filter(|_| !address && !local) else {
            if local {
                locked.local += 1;
            } else {
                locked.skip(key.trim_start_matches('/'), "from git or an address", false);
            }
            continue;
        };
        let name = text(entry, "name").unwrap_or(name);
        let version = text(entry, "version").unwrap_or(version);
        let dev = entry.get("dev").and_then(Value::as_bool).unwrap_or(false);
        let at = locked.push(name, version, dev);
        handles.insert(key.clone(), at);
    }
    let edges = tree
        .get("snapshots")
        .and_then(Value::as_object)
        .unwrap_or(packages);
    for (key, entry) in edges {
        let Some(at) = find(&handles, key) else {
            continue;
        };
        let depends = dependencies(entry, &handles);
        locked.packages[at].depends.extend(depends);
    }
    match tree.get("importers").and_then(Value::as_object) {
        Some(importers) => {
            for (name, importer) in importers {
                locked.local += 1;
                let shown = if name == "." { "the project" } else { name };
                locked
                    .roots
                    .push((shown.to_owned(), dependencies(importer, &handles)));
            }
        }
        None => {
            locked.local += 1;
            locked
                .roots
                .push(("the project".to_owned(), dependencies(&tree, &handles)));
        }
    }
    missing(&tree, edges, packages, &mut locked);
    let nine = version
        .split('.')
        .next()
        .and_then(|v| v.parse::<u32>().ok());
    if nine >= Some(9) && !packages.is_empty() && tree.get("snapshots").is_none() {
        locked.skip("snapshots", "the lock has none; is the file whole?", true);
    }
    let named = locked
        .roots
        .iter()
        .map(|(_, depends)| depends.len())
        .sum::<usize>();
    if packages.is_empty()
        && (named > 0
            || tree.get("importers").is_none()
                && !KINDS.iter().any(|kind| tree.get(*kind).is_some())
                && tree.get("specifiers").is_none())
    {
        return Err(LockFault::new(
            "it has neither `packages` nor `importers`; is the file whole?",
        ));
    }
    Ok(locked)
}

/// `/@a/b/1.0.0_peer@2`, `/@a/b@1.0.0(peer@2)`, `@a/b@1.0.0`.
fn split<'a>(key: &'a str, lockfile: &str) -> Option<(&'a str, &'a str)> {
    let old = lockfile
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major < 6);
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.split('(').next()?;
    let (name, version) = if old {
        let (name, version) = key.rsplit_once('/')?;
        (name, version.split('_').next()?)
    } else {
        let at = key.get(1..)?.find('@')? + 1;
        (&key[..at], &key[at + 1..])
    };
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some((name, version))
}

/// Notes what the project or a package asks for and the lock does not hold: it was cut off, or badly
/// merged.
fn missing(
    tree: &Value,
    edges: &Map<String, Value>,
    packages: &Map<String, Value>,
    locked: &mut Locked,
) {
    let importers = tree.get("importers").and_then(Value::as_object);
    let roots = importers.map_or_else(|| vec![tree], |importers| importers.values().collect());
    let wanted = roots.into_iter().chain(edges.values()).flat_map(|block| {
        KINDS
            .iter()
            .filter_map(|kind| block.get(*kind)?.as_object())
            .flatten()
    });
    let absent: BTreeSet<String> = wanted
        .filter_map(|(name, wanted)| {
            let Some(version) = wanted.as_str().or_else(|| text(wanted, "version")) else {
                return Some(name.clone());
            };
            let local = ["link:", "file:", "workspace:"];
            let known = keys(name, version).iter().any(|key| {
                let bare = key.split('(').next().unwrap_or(key);
                packages.contains_key(key) || packages.contains_key(bare)
            });
            let skip = known || local.iter().any(|prefix| version.starts_with(prefix));
            (!skip).then(|| format!("{name} {version}"))
        })
        .collect();
    for package in absent {
        locked.skip(
            package,
            "the lock asks for it and does not hold it; is the file whole?",
            true,
        );
    }
}

/// How `packages` may name what a block asks for, oldest lock files first.
fn keys(name: &str, version: &str) -> [String; 4] {
    [
        version.to_owned(),
        format!("/{name}/{version}"),
        format!("/{name}@{version}"),
        format!("{name}@{version}"),
    ]
}

/// What a block depends on: `{name: "1.0.0"}` or `{name: {specifier, version}}`.
fn dependencies(block: &Value, handles: &HashMap<String, usize>) -> Vec<usize> {
    KINDS
        .iter()
        .filter_map(|kind| block.get(*kind)?.as_object())
        .flatten()
        .filter_map(|(name, wanted)| {
            let version = wanted.as_str().or_else(|| text(wanted, "version"))?;
            keys(name, version)
                .iter()
                .find_map(|key| find(handles, key))
        })
        .collect()
}

/// With the peers in brackets, or without.
fn find(handles: &HashMap<String, usize>, key: &str) -> Option<usize> {
    let bare = key.split('(').next().unwrap_or(key);
    handles.get(key).or_else(|| handles.get(bare)).copied()
}
