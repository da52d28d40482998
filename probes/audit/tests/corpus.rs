//! Real files with known figures: version orders, lock files with the findings of cargo-audit,
//! reports of auditors. Run with `READYGATE_CORPUS` and `READYGATE_OSV`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "a test that tells what it finds"
)]

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use readygate_audit::{Audit, AuditConfig, AuditMeasurement, BySeverity, version::Order};
use readygate_sdk::{Probe as _, ProbeError};
use serde_json::{Value, json};

/// The corpus and its manifest, where they are given.
#[expect(clippy::disallowed_methods, reason = "the switch of a test")]
fn corpus() -> Option<(PathBuf, Vec<Value>)> {
    let Some(folder) = std::env::var_os("READYGATE_CORPUS").map(PathBuf::from) else {
        println!("not run: READYGATE_CORPUS is not set");
        return None;
    };
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    Some((folder, manifest["entries"].as_array().unwrap().clone()))
}

#[expect(clippy::disallowed_methods, reason = "the switch of a test")]
fn database() -> Option<PathBuf> {
    let found = std::env::var_os("READYGATE_OSV").map(PathBuf::from);
    if found.is_none() {
        println!("not run: READYGATE_OSV is not set");
    }
    found
}

fn order(ecosystem: &str) -> Order {
    match ecosystem {
        "alpine" => Order::Alpine,
        "cran" => Order::Cran,
        "debian" => Order::Debian,
        "hackage" => Order::Hackage,
        "maven" => Order::Maven,
        "nuget" => Order::NuGet,
        "packagist" => Order::Packagist,
        "pub" => Order::Pub,
        "pypi" => Order::PyPi,
        "redhat" => Order::Rpm,
        "rubygems" => Order::RubyGems,
        "semver" => Order::SemVer,
        other => panic!("no order for {other}"),
    }
}

#[test]
fn versions_are_ordered_as_the_lists_say() {
    let Some((folder, entries)) = corpus() else {
        return;
    };
    let (mut lists, mut compared, mut wrong) = (0, 0, Vec::new());
    for entry in entries
        .iter()
        .filter(|entry| entry["format"] == "version-order")
    {
        let order = order(entry["expected"]["ecosystem"].as_str().unwrap());
        let text = fs::read_to_string(folder.join(entry["file"].as_str().unwrap())).unwrap();
        lists += 1;
        let before = compared;
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [a, sign, b] = words[..] else {
                panic!("{line}")
            };
            let wanted = match sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                _ => panic!("{line}"),
            };
            compared += 1;
            let (there, back) = (order.compare(a, b), order.compare(b, a));
            if there != Some(wanted) || back != Some(wanted.reverse()) {
                wrong.push(format!(
                    "{order:?}: {line}, but {there:?} and back {back:?}"
                ));
            }
        }
        assert_eq!(
            entry["expected"]["comparisons"],
            compared - before,
            "{}",
            entry["file"]
        );
    }
    println!(
        "{lists} lists, {compared} comparisons, {} agree",
        compared - wrong.len()
    );
    assert!(lists > 0, "no list in the corpus");
    assert!(
        wrong.is_empty(),
        "{} of {compared} disagree:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn measure(with: Value, folder: &Path) -> Result<AuditMeasurement, ProbeError> {
    let config: AuditConfig = serde_json::from_value(with).unwrap();
    Audit::validate(&config).unwrap();
    let cx = readygate_sdk::Cx::builder(Duration::from_secs(60))
        .directory(folder)
        .build();
    Audit::measure(&config, &cx).await
}

type Triples = BTreeSet<(String, String, String)>;

fn triples(value: &Value) -> Triples {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (text(&t[0]), text(&t[1]), text(&t[2])))
        .collect()
}

#[tokio::test]
async fn lock_files_match_as_cargo_audit_matches_them() {
    let (Some((folder, entries)), Some(database)) = (corpus(), database()) else {
        return;
    };
    let mut files = 0;
    for entry in entries
        .iter()
        .filter(|entry| entry["format"] == "cargo-lock")
    {
        let file = entry["file"].as_str().unwrap();
        let with = json!({"lockfiles": [file], "database": [database]});
        let measured = measure(with, &folder).await.unwrap();
        let expected = &entry["expected"];
        let of = |notice: Option<&str>| -> Triples {
            let findings = measured
                .findings
                .iter()
                .filter(|finding| finding.notice.as_deref() == notice);
            findings
                .map(|f| (f.id.clone(), f.package.clone(), f.version.clone()))
                .collect()
        };
        assert_eq!(of(None), triples(&expected["vulnerable"]), "{file}");
        for (kind, wanted) in expected["informational"].as_object().unwrap() {
            assert_eq!(of(Some(kind)), triples(wanted), "{file}: {kind}");
        }
        let lock = &measured.locks[0];
        assert_eq!(
            expected["packages"],
            lock.packages + lock.local + lock.unmatched_total,
            "{file}"
        );
        for finding in &measured.findings {
            assert!(
                finding.path.len() > 1,
                "{file}: no path to {}",
                finding.package
            );
        }
        files += 1;
    }
    println!("{files} lock files, all as cargo-audit has them");
    assert!(files > 0, "no lock file in the corpus");
}

/// `{critical, high, moderate, low, none, unknown}` of a map that may say `medium` and `info`.
fn by_severity(map: &Value) -> BySeverity {
    let mut counts = BySeverity::default();
    for (name, n) in map.as_object().unwrap() {
        let n = n.as_u64().unwrap();
        match name.as_str() {
            "critical" => counts.critical += n,
            "high" => counts.high += n,
            "medium" | "moderate" => counts.moderate += n,
            "low" => counts.low += n,
            "none" | "info" | "negligible" => counts.none += n,
            "unknown" => counts.unknown += n,
            other => panic!("severity {other}"),
        }
    }
    counts
}

fn sum(a: BySeverity, b: BySeverity) -> BySeverity {
    BySeverity {
        critical: a.critical + b.critical,
        high: a.high + b.high,
        moderate: a.moderate + b.moderate,
        low: a.low + b.low,
        none: a.none + b.none,
        unknown: a.unknown + b.unknown,
    }
}

/// What disagrees between a measurement and the expected figures of a format.
fn disagreements(format: &str, measured: &AuditMeasurement, expected: &Value) -> Vec<String> {
    let report = &measured.reports[0];
    let mut wrong = Vec::new();
    let mut same = |what: &str, got: Value, wanted: Value| {
        if got != wanted {
            wrong.push(format!("{what}: {got}, expected {wanted}"));
        }
    };
    let counts = |counts: BySeverity| serde_json::to_value(counts).unwrap();
    let wanted = |map: &Value| counts(by_severity(map));
    match format {
        "npm-audit-v1" | "npm-audit-v2" | "yarn1-audit" => {
            same(
                "advisories",
                counts(report.advisories),
                wanted(&expected["unique_advisories_by_severity"]),
            );
            same(
                "unique",
                json!(report.advisories.total()),
                expected["unique_advisories"].clone(),
            );
            if format == "npm-audit-v2" {
                same(
                    "entries",
                    counts(report.entries),
                    wanted(&expected["packages_by_severity"]),
                );
                same(
                    "packages",
                    json!(report.packages),
                    expected["packages"].clone(),
                );
            }
            if format == "yarn1-audit" {
                same(
                    "entries",
                    json!(report.entries.total()),
                    expected["advisory_lines"].clone(),
                );
            }
        }
        "yarn-berry-audit" => same(
            "entries",
            counts(report.entries),
            wanted(&expected["by_severity"]),
        ),
        "trivy" | "grype" => {
            same(
                "entries",
                counts(report.entries),
                wanted(&expected["by_severity"]),
            );
            same(
                "unique",
                json!(report.advisories.total()),
                expected["unique_ids"].clone(),
            );
            if format == "grype" {
                same(
                    "ignored",
                    json!(report.suppressed.total()),
                    expected["ignored"].clone(),
                );
            }
        }
        "cargo-audit" => {
            let ids: BTreeSet<&str> = measured
                .findings
                .iter()
                .filter(|f| f.notice.is_none())
                .map(|f| f.id.as_str())
                .collect();
            same("ids", json!(ids), expected["ids"].clone());
            same(
                "entries",
                json!(report.entries.total()),
                expected["count"].clone(),
            );
            let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
            for finding in &measured.findings {
                if let Some(kind) = &finding.notice {
                    *kinds.entry(kind).or_default() += 1;
                }
            }
            same("warnings", json!(kinds), expected["warnings"].clone());
        }
        "osv-scanner" => {
            same(
                "groups",
                counts(report.entries),
                wanted(&expected["groups_by_max_severity"]),
            );
            same(
                "packages",
                json!(report.packages),
                expected["vulnerable_packages"].clone(),
            );
        }
        "snyk" => {
            let projects = expected["projects"].as_array().unwrap();
            let total = |key: &str| {
                projects
                    .iter()
                    .map(|p| p[key].as_u64().unwrap())
                    .sum::<u64>()
            };
            same(
                "unique",
                json!(report.advisories.total()),
                json!(total("unique") - total("licence_issues")),
            );
            let lines = projects.iter().fold(BySeverity::default(), |all, p| {
                sum(all, by_severity(&p["unique_by_severity"]))
            });
            same("advisories", counts(report.advisories), counts(lines));
        }
        "cyclonedx-json" => {
            same(
                "vulnerabilities",
                counts(sum(report.entries, report.suppressed)),
                wanted(&expected["by_max_severity"]),
            );
        }
        "openvex" => {
            let by = &expected["by_status"];
            let n = |status: &str| by[status].as_u64().unwrap_or(0);
            same(
                "suppressed",
                json!(report.suppressed.total()),
                json!(n("fixed") + n("not_affected")),
            );
            same(
                "entries",
                json!(report.entries.total()),
                json!(n("affected") + n("under_investigation")),
            );
        }
        "pip-audit" => {
            same(
                "vulns",
                json!(report.entries.total()),
                expected["vulns"].clone(),
            );
            same(
                "skipped",
                json!(report.skipped_total),
                expected["skipped"].clone(),
            );
        }
        other => panic!("no comparison for {other}"),
    }
    wrong
}

#[tokio::test]
async fn reports_hold_the_figures_of_the_manifest() {
    let Some((folder, entries)) = corpus() else {
        return;
    };
    let mut table: BTreeMap<String, (u32, u32, u32)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in entries
        .iter()
        .filter(|entry| entry["file"].as_str().unwrap().starts_with("audit/"))
    {
        let (file, format) = (
            entry["file"].as_str().unwrap(),
            entry["format"].as_str().unwrap(),
        );
        let row = table.entry(format.to_owned()).or_default();
        let measured = measure(json!({"reports": [file]}), &folder).await;
        let expected = &entry["expected"];
        if expected.is_null() || format == "npm-audit-error" {
            // No figure can be right: it must be an error.
            if measured.is_ok() {
                row.1 += 1;
                wrong.push(format!("{file}: was read"));
            } else {
                row.0 += 1;
            }
            continue;
        }
        match measured {
            Err(error) => {
                row.2 += 1;
                wrong.push(format!("{file} ({format}): {error}"));
            }
            Ok(measured) => {
                let found = disagreements(format, &measured, expected);
                if found.is_empty() {
                    row.0 += 1;
                } else {
                    row.1 += 1;
                    wrong.extend(
                        found
                            .into_iter()
                            .map(|line| format!("{file} ({format}): {line}")),
                    );
                }
            }
        }
    }
    for (format, (agreed, disagreed, unreadable)) in &table {
        println!("{format}: {agreed} agreed, {disagreed} disagreed, {unreadable} unreadable");
    }
    assert!(!table.is_empty(), "no report in the corpus");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_database_without_the_ecosystem_says_nothing() {
    let Some(database) = database() else { return };
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("requirements.txt"), "jinja2==2.0\n").unwrap();
    let with = json!({"lockfiles": ["requirements.txt"], "database": [database]});
    let measured = measure(with.clone(), scratch.path()).await.unwrap();
    assert_eq!(measured.databases[0].missing, ["PyPI"]);
    let config: AuditConfig = serde_json::from_value(with).unwrap();
    let mut checks = readygate_sdk::Checks::new();
    Audit::judge(&config, &measured, &mut checks);
    assert!(
        checks
            .as_slice()
            .iter()
            .any(|c| c.rule == "audit/missing-ecosystem"
                && c.outcome == readygate_sdk::CheckOutcome::Unmeasured)
    );
    assert!(Audit::metrics(&measured).get("total").is_none());
}
