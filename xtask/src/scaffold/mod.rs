//! `cargo xtask new-probe ID`: a probe that compiles, keeps every promise of the conformance suite
//! and never passes, to start from.

mod check;
mod edits;

use std::path::Path;

pub use check::main as check;

use crate::{
    Done,
    exec::{cargo, must},
    workspace::{read, root, write},
};

macro_rules! templates {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/probe/", $path)))),*]
    };
}

/// The files of a new probe.
const FILES: &[(&str, &str)] = templates![
    "Cargo.toml",
    "README.md",
    "conformance.yaml",
    "src/lib.rs",
    "src/config.rs",
    "src/judge.rs",
    "src/measure.rs",
    "src/metrics.rs",
    "src/rules.rs",
    "cases/basics.md",
    "tests/cases.rs",
    "tests/measure.rs",
];

/// Names whose type would hide one that every probe imports.
const RESERVED: &[&str] = &[
    "activity",
    "checks",
    "cx",
    "footprint",
    "meta",
    "metrics",
    "option",
    "probe",
    "reports",
    "result",
    "sdk",
    "secret",
    "self",
    "string",
    "vec",
];

/// Scaffolds, and generates what derives from it.
pub fn main(id: &str) -> Done {
    let root = root();
    for path in scaffold(&root, id)? {
        println!("wrote {path}");
    }
    let package = format!("readygate-{id}");
    must(
        "cargo fmt",
        cargo(&root).args(["fmt", "--package", &package]),
    )?;
    must(
        "cargo xtask generate",
        cargo(&root).args(["xtask", "generate"]),
    )?;
    println!("next: cargo nextest run -p {package}; then write what it measures and judges");
    Ok(true)
}

/// Writes the files of the probe and the lines that name it; gives the paths.
fn scaffold(root: &Path, id: &str) -> Result<Vec<String>, String> {
    validate(id)?;
    if root.join("probes").join(id).exists() {
        return Err(format!("probes/{id} exists already"));
    }
    // Every edit is made before any file is written: half a probe would not compile.
    let (manifest, registry) = ("Cargo.toml", "src/registry.rs");
    let mut texts = vec![
        (
            manifest.to_owned(),
            edits::manifest(&read(&root.join(manifest))?, id)?,
        ),
        (
            registry.to_owned(),
            edits::registry(&read(&root.join(registry))?, id)?,
        ),
    ];
    let own = FILES.iter().map(|(path, template)| {
        let path = format!("probes/{id}/{path}");
        (path, fill(template, id))
    });
    texts.extend(own);
    for (path, text) in &texts {
        write(&root.join(path), text)?;
    }
    Ok(texts.into_iter().map(|(path, _)| path).collect())
}

fn validate(id: &str) -> Result<(), String> {
    let letters = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let words = id.split('-').all(|word| !word.is_empty());
    if !letters || !words || !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(format!(
            "`{id}` cannot name a probe: lowercase letters, digits and single hyphens, a letter first"
        ));
    }
    if RESERVED.contains(&id) {
        return Err(format!(
            "`{id}` is taken by the SDK or by Rust; choose another name"
        ));
    }
    Ok(())
}

fn fill(template: &str, id: &str) -> String {
    template
        .replace("@ID@", id)
        .replace("@CRATE@", &edits::crate_name(id))
        .replace("@TYPE@", &edits::type_name(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_validated() {
        for id in ["tls", "dns-sec", "s3", "a1-b2"] {
            assert_eq!(validate(id), Ok(()), "{id}");
        }
        for id in [
            "", "Tls", "1a", "a_b", "a--b", "-a", "a-", "ä", "a/b", "..", "self", "sdk",
        ] {
            assert!(validate(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_scaffold_leaves_no_placeholder_and_no_half_work() {
        let copy = tempfile::tempdir().unwrap();
        for path in ["Cargo.toml", "src/registry.rs"] {
            write(&copy.path().join(path), &read(&root().join(path)).unwrap()).unwrap();
        }
        let paths = scaffold(copy.path(), "zz-new").unwrap();
        assert_eq!(paths.len(), FILES.len() + 2);
        for path in paths {
            let text = read(&copy.path().join(&path)).unwrap();
            for placeholder in ["@ID@", "@CRATE@", "@TYPE@"] {
                assert!(!text.contains(placeholder), "{path}");
            }
        }
        let again = scaffold(copy.path(), "zz-new").unwrap_err();
        assert_eq!(again, "probes/zz-new exists already");
        let before = read(&copy.path().join("Cargo.toml")).unwrap();
        write(&copy.path().join("src/registry.rs"), "nothing").unwrap();
        assert!(scaffold(copy.path(), "zz-other").is_err());
        assert_eq!(read(&copy.path().join("Cargo.toml")).unwrap(), before);
        assert!(!copy.path().join("probes/zz-other").exists());
    }
}
