//! Finds the source files: what is vendored, ignored by git or hidden is left out.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::WalkBuilder;
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use super::error;
use crate::DebugConfig;

/// Folders of other people's code and of what tools make.
const VENDORED: &[&str] = &[
    "node_modules",
    "vendor",
    "third_party",
    "bower_components",
    "site-packages",
    "venv",
    "__pycache__",
    "Pods",
    "target",
    "dist",
    "build",
    "coverage",
    "__generated__",
];

/// A source file on disk, and as the user knows it.
pub(crate) struct SourceFile {
    /// Where it is.
    pub real: PathBuf,
    /// Relative to the folder of the config, with `/`.
    pub shown: String,
}

/// Visits the files below `path`, and what keeps it from a file or folder. A file that the config names itself is always visited.
pub(crate) fn files(
    path: &str,
    config: &DebugConfig,
    cx: &Cx,
    visit: &mut dyn FnMut(Result<&SourceFile, String>),
) -> Result<(), ProbeError> {
    let root = cx.resolve(path);
    if !root.exists() {
        return Err(error(ErrorKind::NoData, path, "nothing is at this path"));
    }
    let exclude = globs(&config.exclude).map_err(|e| error(ErrorKind::Internal, path, &e))?;
    let named = root.clone();
    let walk = WalkBuilder::new(&root)
        .require_git(false)
        .follow_links(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(move |entry| {
            let vendored = entry
                .file_name()
                .to_str()
                .is_some_and(|n| VENDORED.contains(&n));
            entry.path() == named || !(vendored && entry.file_type().is_some_and(|t| t.is_dir()))
        })
        .build();
    for entry in walk {
        if cx.is_over() {
            let message = "the time was over before all folders were seen";
            return Err(error(ErrorKind::Timeout, path, message));
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                visit(Err(problem.to_string()));
                continue;
            }
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let shown = shown(entry.path(), cx.directory());
        let minified = shown.ends_with(".min.js") || shown.ends_with(".d.ts");
        if !exclude.is_match(&shown) && !minified {
            visit(Ok(&SourceFile {
                real: entry.path().to_owned(),
                shown,
            }));
        }
    }
    Ok(())
}

fn shown(path: &Path, directory: &Path) -> String {
    let relative = path.strip_prefix(directory).unwrap_or(path);
    let text = relative.to_string_lossy().into_owned();
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

/// One matcher for several globs.
pub(crate) fn globs(globs: &[String]) -> Result<GlobSet, String> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob).map_err(|e| e.to_string())?);
    }
    builder.build().map_err(|e| e.to_string())
}

/// Whether a path is that of a test, by the habits of the languages.
pub(crate) fn is_test(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "test",
        "tests",
        "__tests__",
        "__mocks__",
        "spec",
        "specs",
        "e2e",
        "cypress",
        "fixtures",
        "testdata",
        "benches",
        "benchmarks",
        "examples",
        "androidTest",
        "testing",
    ];
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    parts.any(|folder| FOLDERS.contains(&folder))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".stories.")
        || name == "conftest.py"
        || stem.starts_with("test_")
        || ["_test", "_spec", "Test", "Tests", "Spec", "IT"]
            .iter()
            .any(|end| stem.ends_with(end))
}
