//! Makes paths of reports comparable: with each other, with git's, and with the globs of a config.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use crate::model::{FileCoverage, Report};

/// Deepest path that is looked up.
const DEEPEST: usize = 64;

/// The files of the report `name` by paths relative to `directory`, where they lie below it.
pub(crate) fn normalise(report: &mut Report, name: &str, directory: &Path) {
    let module = go_module(directory);
    // A package of a repository of many names its files from its own folder, and its report lies
    // below that. What a report says itself about its roots is no guess and comes first.
    let above: Vec<&str> = Path::new(name)
        .ancestors()
        .skip(1)
        .take(DEEPEST)
        .filter_map(Path::to_str)
        .filter(|folder| !folder.is_empty() && report.roots.is_empty())
        .collect();
    let files = std::mem::take(&mut report.files);
    let mut users: HashMap<String, usize> = HashMap::new();
    let mut renamed = Vec::new();
    for (raw, file) in files {
        let path = one(&raw, &report.roots, &above, module.as_deref(), directory);
        *users.entry(path.clone()).or_default() += 1;
        renamed.push((clean(&raw), path, file));
    }
    let mut merged: BTreeMap<String, FileCoverage> = BTreeMap::new();
    for (raw, path, file) in renamed {
        // Two files of one report that seem to be one file are not: the guess was wrong.
        let unique = users.get(&path) == Some(&1);
        let path = if unique { path } else { raw };
        merged.entry(path).or_default().merge(file);
    }
    report.files = merged;
}

fn one(
    raw: &str,
    roots: &[String],
    above: &[&str],
    module: Option<&str>,
    directory: &Path,
) -> String {
    let path = clean(raw);
    if let Some(inside) = module.and_then(|m| path.strip_prefix(m)?.strip_prefix('/')) {
        return inside.to_owned();
    }
    if is_absolute(&path) {
        return inside(&path, directory).unwrap_or(path);
    }
    let nearest = above
        .iter()
        .map(|folder| clean(&format!("{folder}/{path}")))
        .find(|path| directory.join(path).is_file());
    if let Some(path) = nearest {
        return path;
    }
    if directory.join(&path).is_file() {
        return path;
    }
    let joined = roots.iter().map(|root| {
        let root = clean(root);
        clean(&format!("{root}/{path}"))
    });
    for candidate in joined {
        let found = if is_absolute(&candidate) {
            inside(&candidate, directory)
        } else {
            directory.join(&candidate).is_file().then_some(candidate)
        };
        if let Some(found) = found {
            return found;
        }
    }
    path
}

/// An absolute path relative to `directory`. A path of another machine is so by its longest end
/// of at least two parts that exists.
fn inside(path: &str, directory: &Path) -> Option<String> {
    let absolute = std::path::absolute(directory).ok()?;
    let absolute = clean(&absolute.display().to_string());
    let direct = path
        .strip_prefix(&absolute)
        .and_then(|p| p.strip_prefix('/'));
    if let Some(direct) = direct {
        return Some(direct.to_owned());
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.len() > DEEPEST {
        return None;
    }
    (1..parts.len().saturating_sub(1))
        .map(|start| parts[start..].join("/"))
        .find(|end| directory.join(end).is_file())
}

fn is_absolute(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    path.starts_with('/') || drive
}

/// With `/`, without `.`, and `..` taken back where that is possible.
pub(crate) fn clean(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    let path = path.strip_prefix("file://").unwrap_or(&path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if path.starts_with('/') {
        format!("/{joined}")
    } else {
        joined
    }
}

/// The module path of a `go.mod`, which starts the paths of Go's profiles.
fn go_module(directory: &Path) -> Option<String> {
    let text = std::fs::read_to_string(directory.join("go.mod")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("module "))?;
    Some(line.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_comparable() {
        for (raw, expected) in [
            ("./src/a.rs", "src/a.rs"),
            ("src\\b\\..\\a.cs", "src/a.cs"),
            ("/x//y/./z", "/x/y/z"),
            ("../a", "../a"),
        ] {
            assert_eq!(clean(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_path_of_another_machine_is_found_by_its_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/a.rs"), "").unwrap();
        std::fs::write(folder.path().join("go.mod"), "module example.com/m\n").unwrap();
        let mut report = Report::default();
        report.file("/home/runner/work/x/src/a.rs").line(1, true);
        report.file("example.com/m/log/log.go").line(1, true);
        report.file("/elsewhere/b.rs").line(1, true);
        normalise(&mut report, "lcov.info", folder.path());
        let paths: Vec<_> = report.files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/elsewhere/b.rs", "log/log.go", "src/a.rs"]);
    }

    #[test]
    fn two_files_never_become_one_by_a_guess() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/a.rs"), "").unwrap();
        let mut report = Report::default();
        report.file("/ci/one/src/a.rs").line(1, true);
        report.file("/ci/two/src/a.rs").line(1, false);
        normalise(&mut report, "lcov.info", folder.path());
        assert_eq!(report.files.len(), 2);
    }
}
