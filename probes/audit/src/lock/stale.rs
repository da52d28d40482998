//! Whether a lock file holds what its manifest asks for. A lock that was not updated says nothing
//! about what will be installed.

use std::collections::BTreeSet;

use semver::{Version, VersionReq};
use serde_json::Value;

use super::{Locked, text, toml_tree, yaml_tree};

/// What was compared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Staleness {
    pub(crate) manifest: &'static str,
    /// One sentence for each thing that is missing.
    pub(crate) missing: Vec<String>,
}

/// The manifest beside a lock file, where the two can be compared.
pub(crate) fn manifest_of(lock: &str) -> Option<&'static str> {
    match lock {
        "package-lock.json" | "npm-shrinkwrap.json" | "yarn.lock" | "pnpm-lock.yaml" => {
            Some("package.json")
        }
        "Cargo.lock" => Some("Cargo.toml"),
        "composer.lock" => Some("composer.json"),
        _ => None,
    }
}

/// Compares; an unreadable manifest is a sentence too.
pub(crate) fn compare(
    lock_name: &str,
    lock_text: &str,
    locked: &Locked,
    manifest: &str,
) -> Option<Staleness> {
    let name = manifest_of(lock_name)?;
    let missing = match lock_name {
        "Cargo.lock" => cargo(locked, manifest),
        "composer.lock" => composer(locked, manifest),
        _ => npm(lock_name, lock_text, locked, manifest),
    };
    let missing = missing.unwrap_or_else(|reason| vec![format!("{name} cannot be read: {reason}")]);
    Some(Staleness {
        manifest: name,
        missing,
    })
}

const KINDS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

/// What `package.json` asks for, by name.
fn wanted(manifest: &Value) -> Vec<(&'static str, &str, &str)> {
    let mut all = Vec::new();
    for kind in KINDS {
        let map = manifest.get(kind).and_then(Value::as_object);
        all.extend(
            map.into_iter()
                .flatten()
                .filter_map(|(name, range)| Some((kind, name.as_str(), range.as_str()?))),
        );
    }
    all
}

fn npm(
    lock_name: &str,
    lock_text: &str,
    locked: &Locked,
    manifest: &str,
) -> Result<Vec<String>, String> {
    let manifest: Value = serde_json::from_str(manifest).map_err(|e| e.to_string())?;
    let wanted = wanted(&manifest);
    Ok(match lock_name {
        "yarn.lock" => yarn(lock_text, &wanted),
        "pnpm-lock.yaml" => pnpm(lock_text, &wanted)?,
        _ => package_lock(lock_text, locked, &wanted)?,
    })
}

/// Versions 2 and 3 repeat what the manifest asked for when it was locked.
#[expect(
    clippy::single_match_else,
    reason = "the two versions of the format side by side"
)]
fn package_lock(
    lock: &str,
    locked: &Locked,
    wanted: &[(&str, &str, &str)],
) -> Result<Vec<String>, String> {
    let lock: Value = serde_json::from_str(lock).map_err(|e| e.to_string())?;
    let root = lock.get("packages").and_then(|packages| packages.get(""));
    let mut missing = Vec::new();
    for (kind, name, range) in wanted {
        match root {
            Some(root) => {
                // npm moves a name that is in two lists to `optionalDependencies`.
                let noted = KINDS.iter().find_map(|kind| text(root.get(*kind)?, name));
                match noted {
                    None => missing.push(format!("`{name}` of `{kind}` is not in the lock")),
                    Some(noted) if noted != *range => {
                        missing.push(format!(
                            "`{name}` is asked for as `{range}` and was locked for `{noted}`"
                        ));
                    }
                    Some(_) => {}
                }
            }
            None => {
                let entry = lock.get("dependencies").and_then(|map| map.get(*name));
                let version = entry.and_then(|entry| text(entry, "version"));
                match version {
                    None => missing.push(format!("`{name}` of `{kind}` is not in the lock")),
                    Some(version) if !may_satisfy(range, version) => {
                        missing.push(format!(
                            "`{name}` is asked for as `{range}` and locked at {version}"
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    if let Some(root) = root {
        let asked: BTreeSet<&str> = wanted.iter().map(|(_, name, _)| *name).collect();
        let noted = KINDS
            .iter()
            .filter_map(|kind| root.get(*kind)?.as_object())
            .flatten();
        for (name, _) in noted.filter(|(name, _)| !asked.contains(name.as_str())) {
            missing.push(format!("`{name}` is locked and no longer asked for"));
        }
    }
    let _ = locked;
    Ok(missing)
}

/// Ranges of npm in Cargo's terms, where that is possible; all else may satisfy.
fn may_satisfy(range: &str, version: &str) -> bool {
    let Ok(version) = Version::parse(version) else {
        return true;
    };
    range.split("||").any(|part| {
        let part = part.trim();
        if part.contains(" - ") || part.contains(':') || part.contains('/') {
            return true;
        }
        // A bare version is exact for npm and a caret for Cargo.
        let part = match Version::parse(part.trim_start_matches(['v', '='])) {
            Ok(exact) => format!("={exact}"),
            Err(_) => part.split_whitespace().collect::<Vec<_>>().join(", "),
        };
        VersionReq::parse(&part).map_or(true, |range| range.matches(&version))
    })
}

/// Every descriptor of the manifest is a key.
fn yarn(lock: &str, wanted: &[(&str, &str, &str)]) -> Vec<String> {
    let keys: BTreeSet<String> = lock
        .lines()
        .filter(|line| !line.starts_with([' ', '#']) && line.trim_end().ends_with(':'))
        .flat_map(|line| {
            line.trim_end()
                .trim_end_matches(':')
                .trim_matches('"')
                .split(", ")
                .map(|key| key.trim_matches('"').to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let local = [
        "workspace:",
        "link:",
        "portal:",
        "file:",
        "patch:",
        "catalog:",
    ];
    let open = wanted.iter().filter(|(_, name, range)| {
        let known = keys.contains(&format!("{name}@{range}"))
            || keys.contains(&format!("{name}@npm:{range}"));
        !known && !local.iter().any(|kind| range.starts_with(kind))
    });
    open.map(|(kind, name, range)| format!("`{name}@{range}` of `{kind}` is not in the lock"))
        .collect()
}

/// The importer `.` repeats the specifiers.
fn pnpm(lock: &str, wanted: &[(&str, &str, &str)]) -> Result<Vec<String>, String> {
    let tree = yaml_tree(lock).map_err(|fault| fault.reason)?;
    let importer = tree
        .get("importers")
        .and_then(|importers| importers.get("."))
        .unwrap_or(&tree);
    let noted = |kind: &str, name: &str| -> Option<String> {
        let specifier = importer
            .get(kind)
            .and_then(|map| text(map.get(name)?, "specifier"));
        let old = importer.get("specifiers").and_then(|map| text(map, name));
        specifier.or(old).map(str::to_owned)
    };
    let mut missing = Vec::new();
    for (kind, name, range) in wanted {
        let found = KINDS.iter().find_map(|kind| noted(kind, name));
        match found {
            None => missing.push(format!("`{name}` of `{kind}` is not in the lock")),
            // An entry of a catalog is noted under its name, and an override under what it became.
            Some(found) if found != *range && tree.get("overrides").is_none() => {
                missing.push(format!(
                    "`{name}` is asked for as `{range}` and was locked for `{found}`"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

/// Each dependency of `Cargo.toml` with a version is satisfied by some package of that name.
fn cargo(locked: &Locked, manifest: &str) -> Result<Vec<String>, String> {
    let tree = toml_tree(manifest).map_err(|fault| fault.reason)?;
    let mut tables: Vec<&Value> = Vec::new();
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    tables.extend(kinds.iter().filter_map(|kind| tree.get(*kind)));
    let targets = tree.get("target").and_then(Value::as_object);
    for target in targets.into_iter().flatten().map(|(_, target)| target) {
        tables.extend(kinds.iter().filter_map(|kind| target.get(*kind)));
    }
    let mut missing = Vec::new();
    for (key, entry) in tables
        .iter()
        .filter_map(|table| table.as_object())
        .flatten()
    {
        let requirement = entry.as_str().or_else(|| text(entry, "version"));
        let elsewhere = ["git", "path", "registry", "registry-index"]
            .iter()
            .any(|kind| entry.get(*kind).is_some());
        let Some(requirement) = requirement.filter(|_| !elsewhere) else {
            continue;
        };
        let name = text(entry, "package").unwrap_or(key);
        let Ok(range) = VersionReq::parse(requirement) else {
            return Err(format!("`{name} = \"{requirement}\"` is no requirement"));
        };
        let versions: Vec<&str> = locked
            .packages
            .iter()
            .filter(|p| p.name == name)
            .map(|p| p.version.as_str())
            .collect();
        let patched = tree.get("patch").is_some() && versions.is_empty();
        let fits = versions
            .iter()
            .any(|version| Version::parse(version).is_ok_and(|version| range.matches(&version)));
        if !fits && !patched {
            let found = if versions.is_empty() {
                "not in the lock".to_owned()
            } else {
                format!("locked at {}", versions.join(", "))
            };
            missing.push(format!("`{name} = \"{requirement}\"` is {found}"));
        }
    }
    Ok(missing)
}

fn composer(locked: &Locked, manifest: &str) -> Result<Vec<String>, String> {
    let manifest: Value = serde_json::from_str(manifest).map_err(|e| e.to_string())?;
    let known: BTreeSet<String> = locked
        .packages
        .iter()
        .map(|package| package.name.to_lowercase())
        .chain(
            locked
                .unmatched
                .iter()
                .filter_map(|u| Some(u.package.split(' ').next()?.to_lowercase())),
        )
        .collect();
    let asked = ["require", "require-dev"]
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_object())
        .flatten();
    // Without a slash it is the platform: `php`, `ext-json`.
    let open =
        asked.filter(|(name, _)| name.contains('/') && !known.contains(&name.to_lowercase()));
    let local = locked.local > 0;
    Ok(open
        .filter(|_| !local)
        .map(|(name, _)| format!("`{name}` is not in the lock"))
        .collect())
}
