//! `go.mod` (<https://go.dev/ref/mod#go-mod-file>). From Go 1.17 on it lists every module that the
//! build can need.

use std::collections::HashMap;

use super::{LockFault, Locked};

/// Name, and version where it is of one only, to what takes its place; a folder has no version.
type Replaced = HashMap<(String, Option<String>), Option<(String, String)>>;

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let mut locked = Locked::new("go.mod", "Go");
    let mut block = String::new();
    let mut module = None;
    let mut language = None;
    let mut required: Vec<(String, String, bool)> = Vec::new();
    let mut replaced = Replaced::new();
    for (number, line) in content.lines().enumerate() {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let mut words: Vec<&str> = code.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        if words == [")"] {
            block.clear();
            continue;
        }
        if words.last() == Some(&"(") {
            words[0].trim_end_matches('(').clone_into(&mut block);
            continue;
        }
        let verb = if block.is_empty() {
            words.remove(0).to_owned()
        } else {
            block.clone()
        };
        let fault = || {
            LockFault::new(format!(
                "`{}` is not what follows `{verb}`",
                words.join(" ")
            ))
            .at(number as u64 + 1)
        };
        match verb.as_str() {
            "module" => module = words.first().map(|name| name.trim_matches('"').to_owned()),
            "go" => language = words.first().map(|version| (*version).to_owned()),
            "require" => {
                let [name, version] = words[..] else {
                    return Err(fault());
                };
                required.push((
                    name.trim_matches('"').to_owned(),
                    version.to_owned(),
                    comment.contains("indirect"),
                ));
            }
            "replace" => {
                let at = words
                    .iter()
                    .position(|word| *word == "=>")
                    .ok_or_else(fault)?;
                let to = match words[at + 1..] {
                    [_] => None,
                    [name, version] => Some((name.to_owned(), version.to_owned())),
                    _ => return Err(fault()),
                };
                let from = match words[..at] {
                    [name] => (name, None),
                    [name, version] => (name, Some(version.to_owned())),
                    _ => return Err(fault()),
                };
                replaced.insert((from.0.trim_matches('"').to_owned(), from.1), to);
            }
            _ => {}
        }
    }
    if !block.is_empty() {
        return Err(LockFault::new(format!(
            "`{block} (` is not closed; is the file whole?"
        )));
    }
    let Some(module) = module else {
        return Err(LockFault::new("it names no module"));
    };
    locked.local = 1;
    let mut direct = Vec::new();
    for (name, version, indirect) in required {
        let replacement = replaced
            .get(&(name.clone(), Some(version.clone())))
            .or_else(|| replaced.get(&(name.clone(), None)));
        let (name, version) = match replacement {
            None => (name, version),
            Some(Some((name, version))) => (name.clone(), version.clone()),
            Some(None) => {
                locked.local += 1;
                continue;
            }
        };
        let at = locked.push(&name, &version, false);
        if !indirect {
            direct.push(at);
        }
    }
    locked.roots.push((module, direct));
    if !lists_all(language.as_deref()) && !locked.packages.is_empty() {
        let reason = "this go.mod is of a Go before 1.17 and does not list all modules; set `go 1.17` or later and run `go mod tidy`";
        locked.skip("indirect modules", reason, true);
    }
    Ok(locked)
}

fn lists_all(language: Option<&str>) -> bool {
    let mut parts = language.unwrap_or_default().split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().unwrap_or(0)
    });
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    major > 1 || (major == 1 && minor >= 17)
}
