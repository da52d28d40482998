//! Recall and false positives on a corpus of real files that is not part of the repository, and
//! agreement with the figures of other scanners' reports in it.
//!
//! `READYGATE_CORPUS=DIR cargo nextest run -p readygate-secrets --no-capture corpus` prints what is missed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that tells what it finds"
)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use readygate_sdk::{Cx, Probe as _};
use readygate_secrets::{Secrets, SecretsConfig, SecretsMeasurement};
use serde_json::{Value, json};

/// Files of each set in which something must be found, and in which at most something may be.
const LEAKY_FLOOR: usize = 38;
const SNAPSHOT_FLOOR: usize = 45;
const SNAPSHOT_CEILING: usize = 8;
const EXAMPLES_FLOOR: usize = 300;

#[tokio::test]
async fn the_corpus_is_scanned_as_well_as_before() {
    let Some((directory, manifest)) = corpus() else {
        return;
    };
    let folder = directory.join("secrets");
    let hit = files_hit(&folder).await;
    let risky = risky(&folder);
    let leaky = tell("leaky-repo", &risky, &hit);
    assert!(
        leaky >= LEAKY_FLOOR,
        "{leaky} of {} risky files",
        risky.len()
    );
    let (bad, good) = snapshots(&manifest);
    let found = tell("secretlint", &bad, &hit);
    assert!(found >= SNAPSHOT_FLOOR, "{found} of {}", bad.len());
    let wrong: Vec<_> = good.intersection(&hit).collect();
    println!(
        "secretlint: {} of {} clean files hit: {wrong:#?}",
        wrong.len(),
        good.len()
    );
    assert!(wrong.len() <= SNAPSHOT_CEILING, "{wrong:#?}");
}

fn tell(name: &str, wanted: &BTreeSet<String>, hit: &BTreeSet<String>) -> usize {
    let missed: Vec<_> = wanted.difference(hit).collect();
    println!(
        "{name}: {} of {} found; missed: {missed:#?}",
        wanted.len() - missed.len(),
        wanted.len()
    );
    wanted.len() - missed.len()
}

/// Paths, relative to the folder, in which something is found.
async fn files_hit(folder: &Path) -> BTreeSet<String> {
    let mut hit = BTreeSet::new();
    for set in std::fs::read_dir(folder).unwrap() {
        let set = set.unwrap().file_name().into_string().unwrap();
        let here = folder.join(&set);
        for file in std::fs::read_dir(&here).unwrap() {
            // One at a time: a measurement holds only so many findings.
            let file = file.unwrap().file_name().into_string().unwrap();
            let alone = tempfile::tempdir().unwrap();
            std::fs::copy(here.join(&file), alone.path().join(&file)).unwrap();
            if scanned(alone.path()).await {
                hit.insert(format!("{set}/{file}"));
            }
        }
    }
    hit
}

/// Whether something is found below a folder.
async fn scanned(folder: &Path) -> bool {
    let config: SecretsConfig = serde_json::from_value(json!({"directory": folder})).unwrap();
    let cx = Cx::builder(Duration::from_secs(60))
        .directory(folder)
        .build();
    Secrets::measure(&config, &cx)
        .await
        .unwrap()
        .counts
        .findings()
        > 0
}

/// What leaky-repo's own list calls a risk.
fn risky(folder: &Path) -> BTreeSet<String> {
    let list = std::fs::read_to_string(folder.join("Plazmaz.leaky-repo/.leaky-meta__secrets.csv"))
        .unwrap();
    let risk = |line: &str| {
        let mut parts = line.split(',');
        let (name, count) = (parts.next()?, parts.next()?);
        let flat = format!("Plazmaz.leaky-repo/{}", name.replace('/', "__"));
        let counts = count.parse::<u64>().is_ok_and(|n| n > 0);
        (counts && folder.join(&flat).exists()).then_some(flat)
    };
    list.lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(risk)
        .collect()
}

/// secretlint's inputs with and without messages of the rule that they belong to.
fn snapshots(manifest: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut bad, mut good) = (BTreeSet::new(), BTreeSet::new());
    for entry in manifest["entries"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        if let Some(name) = file
            .strip_prefix("secrets/")
            .filter(|n| n.starts_with("secretlint") && n.contains("__input"))
        {
            let messages = entry["expected"]["messages"].as_u64().unwrap_or(0);
            let into = if messages > 0 { &mut bad } else { &mut good };
            into.insert(name.to_owned());
        }
    }
    (bad, good)
}

#[tokio::test]
async fn the_examples_of_another_scanner_are_found() {
    let Some((directory, _)) = corpus() else {
        return;
    };
    let path = directory.join("secrets/praetorian-inc.noseyparker/rule-examples.json");
    let rules: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut found, mut wanted) = (0, 0);
    for rule in rules.as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        // Its negative examples are negative for one rule and often positive for another.
        for (number, example) in rule["positives"].as_array().unwrap().iter().enumerate() {
            let alone = tempfile::tempdir().unwrap();
            std::fs::write(alone.path().join("example.txt"), example.as_str().unwrap()).unwrap();
            wanted += 1;
            if scanned(alone.path()).await {
                found += 1;
            } else {
                println!("missed: {id} {number}");
            }
        }
    }
    println!("{found} of {wanted} examples found");
    assert!(found >= EXAMPLES_FLOOR, "{found} of {wanted}");
}

#[tokio::test]
async fn the_reports_hold_what_the_corpus_says() {
    let Some((directory, manifest)) = corpus() else {
        return;
    };
    let mut read = 0;
    for entry in manifest["entries"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let expected = &entry["expected"]["findings"];
        let (true, Some(expected)) = (file.starts_with("secrets/"), expected.as_u64()) else {
            continue;
        };
        let measured = reports(&directory, file).await;
        let report = measured.reports.unwrap();
        println!("{file}: expected {expected}, {report:?}");
        assert_eq!(report.files[0].findings, expected, "{file}");
        read += 1;
    }
    assert!(read >= 6, "{read} reports in the manifest");
}

async fn reports(directory: &Path, file: &str) -> SecretsMeasurement {
    let config: SecretsConfig = serde_json::from_value(json!({"reports": [file]})).unwrap();
    let cx = Cx::builder(Duration::from_secs(60))
        .directory(directory)
        .build();
    Secrets::measure(&config, &cx).await.unwrap()
}

/// The folder and its manifest, where the environment names one.
fn corpus() -> Option<(PathBuf, Value)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the corpus lies outside the repository"
    )]
    let Some(directory) = std::env::var_os("READYGATE_CORPUS") else {
        println!("not run: READYGATE_CORPUS names no folder");
        return None;
    };
    let directory = PathBuf::from(directory);
    let manifest = std::fs::read_to_string(directory.join("manifest.json")).unwrap();
    Some((directory, serde_json::from_str(&manifest).unwrap()))
}
