//! `Gemfile.lock` (<https://bundler.io/man/gemfile.5.html>).

use std::collections::HashMap;

use super::{LockFault, Locked};

pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let mut locked = Locked::new("Gemfile.lock", "RubyGems");
    let mut section = "";
    let mut handles: HashMap<String, usize> = HashMap::new();
    let mut wants: Vec<(usize, String)> = Vec::new();
    let mut direct = Vec::new();
    let mut current = None;
    let mut sections = 0;
    for (number, line) in content.lines().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if depth == 0 {
            section = trimmed;
            sections += 1;
            continue;
        }
        let name = trimmed.split([' ', '!']).next().unwrap_or_default();
        match (section, depth) {
            ("GEM", 4) => {
                let version = trimmed
                    .split_once('(')
                    .and_then(|(_, rest)| rest.strip_suffix(')'));
                let Some(version) = version else {
                    return Err(LockFault::new(format!(
                        "`{trimmed}` has no version; is the file whole?"
                    ))
                    .at(number as u64 + 1));
                };
                // A platform may follow: `1.15.0-x86_64-linux`.
                let version = version.split('-').next().unwrap_or(version);
                let known = handles
                    .get(name)
                    .copied()
                    .filter(|at| locked.packages[*at].version == version);
                let at = known.unwrap_or_else(|| locked.push(name, version, false));
                handles.insert(name.to_owned(), at);
                current = Some(at);
            }
            ("GEM", 6) => wants.extend(current.map(|at| (at, name.to_owned()))),
            ("GIT", 4) => locked.skip(trimmed, "from git", false),
            ("PATH", 4) => locked.local += 1,
            ("DEPENDENCIES", 2) => direct.push(name.to_owned()),
            _ => {}
        }
    }
    if sections == 0 || (handles.is_empty() && direct.is_empty() && !content.contains("GEM")) {
        return Err(LockFault::new("it has no section `GEM`"));
    }
    for (at, name) in wants {
        if let Some(to) = handles.get(&name) {
            locked.packages[at].depends.push(*to);
        }
    }
    let direct = direct
        .iter()
        .filter_map(|name| handles.get(name).copied())
        .collect();
    locked.roots.push(("the project".to_owned(), direct));
    Ok(locked)
}
