//! `gradle.lockfile`, `packages.lock.json` of NuGet, `pubspec.lock`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{LockFault, Locked, text, yaml_tree};

pub(super) fn gradle(content: &str) -> Result<Locked, LockFault> {
    let mut locked = Locked::new("gradle.lockfile", "Maven");
    for (number, line) in content.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let coordinate = line.split('=').next().unwrap_or_default();
        let [group, artifact, version] = coordinate.split(':').collect::<Vec<_>>()[..] else {
            return Err(LockFault::new(format!(
                "`{line}` is not `group:artifact:version=configurations`"
            ))
            .at(number as u64 + 1));
        };
        locked.push(&format!("{group}:{artifact}"), version, false);
    }
    roots(&mut locked);
    Ok(locked)
}

pub(super) fn nuget(content: &str) -> Result<Locked, LockFault> {
    let tree: Value = serde_json::from_str(content)?;
    let mut locked = Locked::new("packages.lock.json", "NuGet");
    let Some(frameworks) = tree.get("dependencies").and_then(Value::as_object) else {
        return Err(LockFault::new("it has no `dependencies`"));
    };
    let mut seen = BTreeSet::new();
    for (name, entry) in frameworks.values().filter_map(Value::as_object).flatten() {
        match text(entry, "resolved") {
            Some(version) if seen.insert((name.clone(), version.to_owned())) => {
                locked.push(name, version, false);
            }
            Some(_) => {}
            None if text(entry, "type") == Some("Project") => locked.local += 1,
            None => return Err(LockFault::new(format!("`{name}` has no version"))),
        }
    }
    roots(&mut locked);
    Ok(locked)
}

pub(super) fn pub_lock(content: &str) -> Result<Locked, LockFault> {
    let tree = yaml_tree(content)?;
    let mut locked = Locked::new("pubspec.lock", "Pub");
    let Some(packages) = tree.get("packages").and_then(Value::as_object) else {
        return Err(LockFault::new("it has no `packages`"));
    };
    for (name, entry) in packages {
        let dev = text(entry, "dependency") == Some("direct dev");
        match (text(entry, "source"), text(entry, "version")) {
            (Some("hosted"), Some(version)) => {
                locked.push(name, version, dev);
            }
            (Some("path" | "sdk"), _) => locked.local += 1,
            _ => locked.skip(name, "from git", false),
        }
    }
    roots(&mut locked);
    Ok(locked)
}

fn roots(locked: &mut Locked) {
    let all = (0..locked.packages.len()).collect();
    locked.roots.push(("the project".to_owned(), all));
}
