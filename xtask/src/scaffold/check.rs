//! Whether a scaffold keeps what it promises: it is made in a copy of the workspace, linted and
//! tested there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::scaffold;
use crate::{
    Done,
    exec::{cargo, must},
};

const ID: &str = "zz-scaffold";

/// Makes, lints, generates and tests a probe in `target/scaffold`.
///
/// The copy keeps its place and its unchanged files their times, and builds into the build
/// directory of the workspace itself, so that only what differs is compiled.
pub fn main(root: &Path) -> Done {
    let scratch = root.join("target/scaffold");
    let copy = scratch.join("workspace");
    mirror(root, &copy)?;
    scaffold(&copy, ID)?;
    let package = format!("readygate-{ID}");
    let build = target_directory(root)?;
    let cargo = |arguments: &[&str]| {
        let mut command = cargo(&copy);
        command
            .env("CARGO_TARGET_DIR", scratch.join("target"))
            .env("CARGO_BUILD_BUILD_DIR", &build)
            .env("CARGO_NET_OFFLINE", "true")
            .env("READYGATE_PROBE", ID)
            .args(arguments);
        must(&format!("cargo {}", arguments.join(" ")), &mut command)
    };
    cargo(&["fmt", "--package", &package])?;
    cargo(&["xtask", "generate"])?;
    cargo(&["xtask", "generate", "--check"])?;
    let lint = ["clippy", "--quiet", "--all-targets", "--package"];
    cargo(&[&lint[..], &[&package, "--", "-D", "warnings"]].concat())?;
    cargo(&["test", "--quiet", "--package", &package])?;
    cargo(&["test", "--quiet", "--test", "conformance"])?;
    Ok(true)
}

/// Copies what git knows or would add; leaves files alone that are the same, removes what is gone.
fn mirror(root: &Path, copy: &Path) -> Result<(), String> {
    let mut list = Command::new("git");
    list.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let output = list.current_dir(root).output();
    let output = output.map_err(|e| format!("git: {e}"))?;
    if !output.status.success() {
        return Err("git ls-files failed".to_owned());
    }
    let names = String::from_utf8_lossy(&output.stdout);
    let wanted: BTreeSet<PathBuf> = names
        .split('\0')
        .filter(|name| !name.is_empty() && root.join(name).is_file())
        .map(PathBuf::from)
        .collect();
    for path in &wanted {
        same(&root.join(path), &copy.join(path))?;
    }
    prune(copy, copy, &wanted)
}

fn same(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", to.display());
    let bytes = fs::read(from).map_err(|e| format!("{}: {e}", from.display()))?;
    if fs::read(to).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::copy(from, to).map(drop).map_err(failed)
}

fn prune(copy: &Path, folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.strip_prefix(copy).unwrap_or(&path);
        if path.is_dir() {
            prune(copy, &path, wanted)?;
            // Fails on purpose where something is left in it.
            let _ = fs::remove_dir(&path);
        } else if !wanted.contains(name) {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

fn target_directory(root: &Path) -> Result<PathBuf, String> {
    let mut ask = cargo(root);
    ask.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = ask.output().map_err(|e| format!("cargo: {e}"))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let folder = metadata["target_directory"].as_str();
    folder
        .map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "builds the workspace a second time; `cargo xtask test --full` does the same"]
    fn a_scaffold_conforms() {
        assert_eq!(main(&crate::workspace::root()), Ok(true));
    }

    #[test]
    fn a_copy_follows_and_touches_nothing_that_is_the_same() {
        let scratch = tempfile::tempdir().unwrap();
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        let write = |path: PathBuf, text: &str| crate::workspace::write(&path, text).unwrap();
        write(from.join("a/kept"), "1");
        same(&from.join("a/kept"), &to.join("a/kept")).unwrap();
        let time = || fs::metadata(to.join("a/kept")).unwrap().modified().unwrap();
        let before = time();
        same(&from.join("a/kept"), &to.join("a/kept")).unwrap();
        assert_eq!(time(), before);
        write(to.join("b/gone"), "2");
        prune(&to, &to, &BTreeSet::from([PathBuf::from("a/kept")])).unwrap();
        assert!(to.join("a/kept").exists() && !to.join("b").exists());
    }
}
