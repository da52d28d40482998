//! Finds the files that the patterns of a config name.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;

/// Most files that are read.
const MOST_FILES: usize = 10_000;

/// One pattern of a config.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    /// The leading folders without glob characters.
    base: PathBuf,
    /// The glob below `base`; `None` where the pattern is a plain path.
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
        let is_glob = |part: &str| part.contains(['*', '?', '[', '{', '\\']);
        let parts: Vec<&str> = text.split('/').collect();
        let split = parts
            .iter()
            .position(|part| is_glob(part))
            .unwrap_or(parts.len());
        let base = match parts[..split].join("/") {
            base if base.is_empty() && text.starts_with('/') => "/".to_owned(),
            base => base,
        };
        let rest = parts[split..].join("/");
        let glob = (!rest.is_empty()).then(|| {
            GlobBuilder::new(&rest)
                .literal_separator(true)
                .build()
                .map(|glob| glob.compile_matcher())
                .map_err(|e| format!("`{text}` is not a glob: {}", e.kind()))
        });
        let depth = (!rest.contains("**") && !rest.contains('{')).then_some(parts.len() - split);
        Ok(Self {
            text: text.to_owned(),
            base: base.into(),
            glob: glob.transpose()?,
            depth,
        })
    }
}

/// What the patterns matched.
#[derive(Debug, Default)]
pub struct Found {
    /// In order of their paths, each file once.
    pub files: Vec<PathBuf>,
    /// Patterns without a match.
    pub unmatched: Vec<String>,
    /// Paths that could not be looked at, and why.
    pub troubles: Vec<(PathBuf, String)>,
}

/// Looks for files; `stop` ends the search early.
pub fn find(
    directory: &Path,
    patterns: &[Pattern],
    stop: &dyn Fn() -> bool,
) -> Result<Found, String> {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for pattern in patterns {
        let mut matched = false;
        let mut add = |path: PathBuf| {
            matched = true;
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                found.files.push(path);
            }
        };
        let literal = directory.join(&pattern.text);
        if literal.is_file() {
            add(literal);
        } else if let Some(glob) = &pattern.glob {
            let base = directory.join(&pattern.base);
            walk(
                &base,
                glob,
                pattern.depth,
                stop,
                &mut add,
                &mut found.troubles,
            )?;
        } else if let Ok(metadata) = literal.metadata() {
            let what = if metadata.is_dir() {
                format!(
                    "it is a folder; name the files in it: {}/**/*.xml",
                    pattern.text.trim_end_matches('/')
                )
            } else {
                "it is not a regular file".to_owned()
            };
            matched = true;
            found.troubles.push((literal, what));
        }
        if !matched {
            found.unmatched.push(pattern.text.clone());
        }
        if found.files.len() > MOST_FILES {
            return Err(format!(
                "`{}` matches more than {MOST_FILES} files",
                pattern.text
            ));
        }
    }
    found.files.sort();
    found.troubles.sort();
    found.troubles.dedup();
    Ok(found)
}

fn walk(
    base: &Path,
    glob: &GlobMatcher,
    depth: Option<usize>,
    stop: &dyn Fn() -> bool,
    add: &mut dyn FnMut(PathBuf),
    troubles: &mut Vec<(PathBuf, String)>,
) -> Result<(), String> {
    if !base.is_dir() {
        return Ok(());
    }
    let mut files = 0;
    // Reports are usually ignored by git and may lie in hidden folders, so no filter applies.
    let mut builder = WalkBuilder::new(base);
    builder
        .standard_filters(false)
        .follow_links(true)
        .max_depth(depth);
    for entry in builder.build() {
        if stop() {
            return Err("the time was over while looking for files".to_owned());
        }
        match entry {
            Ok(entry) => {
                let path = entry.path();
                let matches = path
                    .strip_prefix(base)
                    .is_ok_and(|rest| glob.is_match(rest));
                if !matches || path.is_dir() {
                    continue;
                }
                files += 1;
                if files > MOST_FILES {
                    return Err(format!(
                        "more than {MOST_FILES} files match below {}",
                        base.display()
                    ));
                }
                if path.is_file() {
                    add(path.to_path_buf());
                } else {
                    troubles.push((path.to_path_buf(), "it is not a regular file".to_owned()));
                }
            }
            Err(error) => troubles.extend(trouble(&error, base, glob)),
        }
    }
    Ok(())
}

/// An error that may hide a report: a folder without permission, or a dangling link that matches.
fn trouble(error: &ignore::Error, base: &Path, glob: &GlobMatcher) -> Option<(PathBuf, String)> {
    let path = path_of(error)?;
    let io = error.io_error()?;
    let matches = path
        .strip_prefix(base)
        .is_ok_and(|rest| glob.is_match(rest));
    let denied = io.kind() == std::io::ErrorKind::PermissionDenied;
    (matches || denied).then(|| (path.to_path_buf(), format!("it could not be read: {io}")))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}
