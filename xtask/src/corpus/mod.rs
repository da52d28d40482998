//! `cargo xtask corpus`: the reports of a corpus, each through `readygate probe --json`, beside the
//! figures that its manifest expects.
//!
//! The corpus is no part of the repository: `READYGATE_CORPUS` names its folder, or it lies in
//! `target/corpus`. A disagreement that `docs/corpus.md` names (by the file in backticks) is
//! explained; any other fails.

mod families;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{Done, workspace};
use families::{Expected, FAMILIES, Family};

/// What came of the entries of one format.
#[derive(Default)]
struct Row {
    agreed: usize,
    disagreed: usize,
    explained: usize,
    /// Expected to be unreadable, and so.
    unreadable: usize,
}

/// How an entry compares.
enum Outcome {
    Agreed,
    Unreadable,
    Disagreed(String),
}

/// Compares every entry of the manifest for which there is a family.
pub fn main(only: Option<&str>) -> Done {
    let root = workspace::root();
    let corpus = folder(&root);
    let manifest = workspace::read(&corpus.join("manifest.json"))
        .map_err(|e| format!("{e}; READYGATE_CORPUS names the folder of the corpus"))?;
    let manifest: Value = serde_json::from_str(&manifest).map_err(|e| e.to_string())?;
    let entries = manifest["entries"].as_array().cloned().unwrap_or_default();
    let program = build(&root)?;
    let explained = workspace::read(&root.join("docs/corpus.md")).unwrap_or_default();
    // Away from any repository, so that no commit is found to compare the times with.
    let neutral = tempfile_folder()?;
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut absent: BTreeMap<&str, usize> = BTreeMap::new();
    for family in FAMILIES {
        let format = |entry: &&Value| entry["format"] == family.format;
        let wanted = only.is_none_or(|only| only == family.probe || only == family.format);
        for entry in entries.iter().filter(format).filter(|_| wanted) {
            if !readygate::registry::ids().any(|id| id == family.probe) {
                *absent.entry(family.probe).or_default() += 1;
                continue;
            }
            let row = rows.entry((family.probe, family.format)).or_default();
            match compare(family, entry, &corpus, &program, &neutral)? {
                Outcome::Agreed => row.agreed += 1,
                Outcome::Unreadable => row.unreadable += 1,
                Outcome::Disagreed(why) => {
                    let file = entry["file"].as_str().unwrap_or_default();
                    let known = explained.contains(&format!("`{file}`"));
                    row.explained += usize::from(known);
                    row.disagreed += usize::from(!known);
                    let mark = if known { "explained" } else { "DISAGREED" };
                    lines.push(format!("{mark} {} {file}: {why}", family.format));
                }
            }
        }
    }
    let _ = std::fs::remove_dir_all(&neutral);
    print(&rows, &lines, &absent);
    let compared = rows.values().any(|row| row.agreed > 0);
    if !compared {
        return Err("nothing was compared".to_owned());
    }
    Ok(rows.values().all(|row| row.disagreed == 0))
}

fn folder(root: &Path) -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the corpus lies outside the repository"
    )]
    let named = std::env::var_os("READYGATE_CORPUS");
    named.map_or_else(|| root.join("target/corpus"), PathBuf::from)
}

fn tempfile_folder() -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("readygate-corpus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

fn build(root: &Path) -> Result<PathBuf, String> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "readygate"])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(root)
        .status();
    if built.is_ok_and(|status| status.success()) {
        Ok(root.join("target/debug/readygate"))
    } else {
        Err("the build failed".to_owned())
    }
}

fn compare(
    family: &Family,
    entry: &Value,
    corpus: &Path,
    program: &Path,
    neutral: &Path,
) -> Result<Outcome, String> {
    let file = corpus.join(entry["file"].as_str().unwrap_or_default());
    let output = Command::new(program)
        .args(["probe", family.probe, "--json", "--timeout", "120s"])
        .arg(format!("reports=[{:?}]", file.display().to_string()))
        .current_dir(neutral)
        .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
        .output()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let Ok(document) = serde_json::from_slice::<Value>(&output.stdout) else {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.lines().next().unwrap_or_default();
        return Ok(Outcome::Disagreed(format!("no JSON came back: {words}")));
    };
    Ok(judge(&(family.expected)(entry), &document))
}

fn judge(expected: &Expected, document: &Value) -> Outcome {
    let passed = document["outcome"] == "passed";
    let reason = document["reason"].as_str().unwrap_or_default();
    if expected.unreadable {
        return if passed {
            Outcome::Disagreed("it passes, and should not be readable".to_owned())
        } else {
            Outcome::Unreadable
        };
    }
    let mut wrong = Vec::new();
    for (metric, wanted) in &expected.figures {
        let got = figure(document, metric);
        // Of nothing there is no percentage and no count: absent is what zero should be.
        let same = match got {
            Some(got) => (got - wanted).abs() < 1e-4,
            None => *wanted == 0.0,
        };
        if !same {
            let got = got.map_or_else(|| format!("nothing ({reason})"), |got| got.to_string());
            wrong.push(format!("{metric}: expected {wanted}, got {got}"));
        }
    }
    if expected.must_not_pass && passed {
        wrong.push("it passes, and should not".to_owned());
    }
    if wrong.is_empty() {
        Outcome::Agreed
    } else {
        Outcome::Disagreed(wrong.join("; "))
    }
}

/// A metric by its name, or the sum of what JSON pointers into the measurement lead to
/// (`/reports/0/entries/high+/reports/0/suppressed/high`).
fn figure(document: &Value, name: &str) -> Option<f64> {
    if !name.starts_with('/') {
        return document["metrics"][name]["value"].as_f64();
    }
    let parts = name.split('+');
    let found = parts.map(|part| document["measurement"].pointer(part)?.as_f64());
    found.sum()
}

fn print(rows: &BTreeMap<(&str, &str), Row>, lines: &[String], absent: &BTreeMap<&str, usize>) {
    for line in lines {
        println!("{line}");
    }
    println!("| probe | format | agreed | unreadable as expected | explained | disagreed |");
    println!("|---|---|---|---|---|---|");
    for ((probe, format), row) in rows {
        println!(
            "| {probe} | {format} | {} | {} | {} | {} |",
            row.agreed, row.unreadable, row.explained, row.disagreed
        );
    }
    let sum = |part: fn(&Row) -> usize| rows.values().map(part).sum::<usize>();
    println!(
        "| **all** | | {} | {} | {} | {} |",
        sum(|r| r.agreed),
        sum(|r| r.unreadable),
        sum(|r| r.explained),
        sum(|r| r.disagreed)
    );
    for (probe, count) in absent {
        println!("not compared: {count} entries of `{probe}`, which is not in this build");
    }
}
