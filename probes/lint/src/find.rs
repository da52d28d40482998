//! Finds the files that the patterns of a config name.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;

/// Most files that are read.
const MOST_FILES: usize = 2_000;

/// One pattern of a config: a plain path, or folders and a glob below them.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    base: PathBuf,
    glob: Option<GlobMatcher>,
    /// How deep below `base` a match can lie.
    depth: Option<usize>,
}

impl Pattern {
    /// Reads a pattern; the error is a sentence for the user.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("a pattern is empty".to_owned());
        }
        let parts: Vec<&str> = text.split('/').collect();
        let is_glob = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
        let split = parts.iter().position(is_glob).unwrap_or(parts.len());
        let base = parts[..split].join("/");
        let base = if base.is_empty() && text.starts_with('/') {
            "/".to_owned()
        } else {
            base
        };
        let rest = parts[split..].join("/");
        let mut glob = None;
        if !rest.is_empty() {
            let built = GlobBuilder::new(&rest).literal_separator(true).build();
            let built = built.map_err(|e| format!("`{text}` is not a glob: {}", e.kind()))?;
            glob = Some(built.compile_matcher());
        }
        let bounded = !rest.contains("**") && !rest.contains('{');
        Ok(Self {
            text: text.to_owned(),
            base: base.into(),
            glob,
            depth: bounded.then_some(parts.len() - split),
        })
    }
}

/// Files in order, each once, and patterns without any.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub files: Vec<PathBuf>,
    pub unmatched: Vec<String>,
}

/// Looks for files; `stop` ends the search early. The error is a sentence for the user.
pub(crate) fn find(
    directory: &Path,
    patterns: &[Pattern],
    stop: &dyn Fn() -> bool,
) -> Result<Found, String> {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for pattern in patterns {
        let matches = of_pattern(directory, pattern, stop)?;
        if matches.is_empty() {
            found.unmatched.push(pattern.text.clone());
        }
        for path in matches {
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                found.files.push(path);
            }
        }
        if found.files.len() > MOST_FILES {
            return Err(format!("more than {MOST_FILES} files match"));
        }
    }
    found.files.sort();
    Ok(found)
}

fn of_pattern(
    directory: &Path,
    pattern: &Pattern,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<PathBuf>, String> {
    let literal = directory.join(&pattern.text);
    if literal.is_file() {
        return Ok(vec![literal]);
    }
    let base = directory.join(&pattern.base);
    let (Some(glob), true) = (&pattern.glob, base.is_dir()) else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    // Reports are usually ignored by git and may lie in hidden folders, so no filter applies.
    let mut walk = WalkBuilder::new(&base);
    walk.standard_filters(false)
        .follow_links(true)
        .max_depth(pattern.depth);
    for entry in walk.build() {
        if stop() {
            return Err("the time was over while looking for files".to_owned());
        }
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        let matches = path
            .strip_prefix(&base)
            .is_ok_and(|rest| glob.is_match(rest));
        if matches && path.is_file() {
            files.push(path.to_path_buf());
            if files.len() > MOST_FILES {
                return Err(format!(
                    "`{}` matches more than {MOST_FILES} files",
                    pattern.text
                ));
            }
        }
    }
    Ok(files)
}
