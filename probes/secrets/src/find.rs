//! Finds the reports that the patterns of a config name.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;

/// Most reports that are read.
const MOST: usize = 1_000;

/// One pattern of a config.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    base: PathBuf,
    glob: Option<GlobMatcher>,
}

impl Pattern {
    /// Reads a pattern; the error is a sentence.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("a pattern is empty".to_owned());
        }
        let parts: Vec<&str> = text.split('/').collect();
        let is_glob = |part: &&str| part.contains(['*', '?', '[', '{']);
        let split = parts.iter().position(is_glob).unwrap_or(parts.len());
        let base = match parts[..split].join("/") {
            base if base.is_empty() && text.starts_with('/') => "/".to_owned(),
            base => base,
        };
        let rest = parts[split..].join("/");
        let glob = (!rest.is_empty()).then(|| {
            let built = GlobBuilder::new(&rest).literal_separator(true).build();
            built
                .map(|g| g.compile_matcher())
                .map_err(|e| format!("`{text}` is not a glob: {}", e.kind()))
        });
        Ok(Self {
            text: text.to_owned(),
            base: base.into(),
            glob: glob.transpose()?,
        })
    }
}

/// The files, each once, and the patterns that match none.
pub(crate) fn find(
    directory: &Path,
    patterns: &[Pattern],
    stop: &dyn Fn() -> bool,
) -> (Vec<PathBuf>, Vec<String>) {
    let (mut files, mut unmatched) = (Vec::new(), Vec::new());
    for pattern in patterns {
        let before = files.len();
        let literal = directory.join(&pattern.text);
        if literal.is_file() {
            files.push(literal);
        } else if let Some(glob) = &pattern.glob {
            let base = directory.join(&pattern.base);
            let walk = WalkBuilder::new(&base)
                .standard_filters(false)
                .follow_links(true)
                .build();
            for entry in walk {
                if stop() || files.len() >= MOST {
                    break;
                }
                let Ok(entry) = entry else { continue };
                let inside = entry.path().strip_prefix(&base);
                if entry.path().is_file() && inside.is_ok_and(|rest| glob.is_match(rest)) {
                    files.push(entry.path().to_path_buf());
                }
            }
        }
        if files.len() == before {
            unmatched.push(pattern.text.clone());
        }
    }
    files.sort();
    files.dedup();
    (files, unmatched)
}
