//! `requirements.txt` (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>): only
//! pinned versions (`==`) can be matched.

use super::{LockFault, Locked};

pub(super) fn read(content: &str) -> Result<Locked, LockFault> {
    let mut locked = Locked::new("requirements.txt", "PyPI");
    let mut joined = String::new();
    for (number, line) in content.lines().enumerate() {
        let line = without_comment(line);
        if let Some(start) = line.strip_suffix('\\') {
            joined.push_str(start);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        let whole = std::mem::take(&mut joined);
        requirement(whole.trim(), &mut locked)
            .map_err(|reason| LockFault::new(reason).at(number as u64 + 1))?;
    }
    if !joined.trim().is_empty() {
        return Err(LockFault::new(
            "it ends in a continuation (`\\`); is the file whole?",
        ));
    }
    if locked.packages.is_empty() && locked.unmatched.is_empty() && locked.local == 0 {
        return Err(LockFault::new("no requirement is in it"));
    }
    let direct = (0..locked.packages.len()).collect();
    locked.roots.push(("the project".to_owned(), direct));
    Ok(locked)
}

/// A comment starts the line or stands after white space.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.split(" #")
        .next()
        .unwrap_or(line)
        .split("\t#")
        .next()
        .unwrap_or(line)
        .trim_end()
}

fn requirement(line: &str, locked: &mut Locked) -> Result<(), String> {
    if line.is_empty() {
        return Ok(());
    }
    if let Some(option) = line.strip_prefix('-') {
        let word = option
            .trim_start_matches('-')
            .split([' ', '='])
            .next()
            .unwrap_or_default();
        match word {
            "r" | "requirement" => locked.skip(
                line,
                "another file is included; name the compiled one under `lockfiles`",
                true,
            ),
            "e" | "editable" => locked.local += 1,
            _ => {}
        }
        return Ok(());
    }
    let whole = line;
    // Markers and hashes say nothing of the version.
    let line = line.split(';').next().unwrap_or(line);
    let line = line.split(" --").next().unwrap_or(line).trim();
    if line.contains("://")
        || line.contains(" @ ")
        || line.starts_with('.')
        || line.starts_with('/')
    {
        // An address stays whole: a part of one hides its password from the masking.
        let name = whole.split_once(" @ ").map_or(whole, |(name, _)| name);
        locked.skip(name.trim(), "from a path or an address", false);
        return Ok(());
    }
    let end = line
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return Err(format!("`{line}` is no requirement"));
    }
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']').ok_or("extras are not closed")?.1,
        None => rest,
    };
    let rest = rest
        .trim()
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim();
    let pin = rest.strip_prefix("===").or_else(|| rest.strip_prefix("=="));
    match pin.map(str::trim) {
        Some(version) if !version.is_empty() && !version.contains([',', '*', ' ']) => {
            locked.push(name, version, false);
            Ok(())
        }
        _ if rest.is_empty() || rest.starts_with(['=', '>', '<', '~', '!']) => {
            locked.skip(line, "not pinned to one version", true);
            Ok(())
        }
        _ => Err(format!("`{line}` is no requirement")),
    }
}
