//! `composer.lock`.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{LockFault, Locked, text};

pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let tree: Value = serde_json::from_str(content)?;
    let mut locked = Locked::new("composer.lock", "Packagist");
    let Some(production) = tree.get("packages").and_then(Value::as_array) else {
        return Err(LockFault::new("it has no list `packages`"));
    };
    let development = tree.get("packages-dev").and_then(Value::as_array);
    let all = production.iter().map(|package| (package, false));
    let all = all.chain(
        development
            .into_iter()
            .flatten()
            .map(|package| (package, true)),
    );
    let mut handles: HashMap<String, usize> = HashMap::new();
    let mut entries = Vec::new();
    for (package, dev) in all {
        let (Some(name), Some(version)) = (text(package, "name"), text(package, "version")) else {
            return Err(LockFault::new("a package has no name or no version"));
        };
        if package.get("dist").and_then(|dist| text(dist, "type")) == Some("path") {
            locked.local += 1;
        } else if version.starts_with("dev-") || version.ends_with("-dev") {
            locked.skip(
                format!("{name} {version}"),
                "a branch, not a version",
                false,
            );
        } else {
            let at = locked.push(name, version, dev);
            handles.insert(name.to_lowercase(), at);
            entries.push((at, package));
        }
    }
    let mut wanted = HashSet::new();
    for (at, package) in entries {
        let requires = package.get("require").and_then(Value::as_object);
        for (name, _) in requires.into_iter().flatten() {
            if let Some(to) = handles.get(&name.to_lowercase()) {
                wanted.insert(*to);
                locked.packages[at].depends.push(*to);
            }
        }
    }
    let direct = (0..locked.packages.len())
        .filter(|at| !wanted.contains(at))
        .collect();
    locked.roots.push(("the project".to_owned(), direct));
    Ok(locked)
}
