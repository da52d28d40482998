//! `readygate init`

use std::{fmt::Write as _, fs, path::PathBuf};

use clap::Args;

use super::output::Terminal;
use crate::{exit, record::write_atomically};

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Repository to look at.
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Where to write; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "readygate.yaml")]
    output: PathBuf,
    /// Overwrite an existing file.
    #[arg(long)]
    force: bool,
}

/// What was found in the repository.
#[derive(Debug, Default)]
struct Found {
    name: String,
    node: bool,
    node_scripts: Vec<&'static str>,
    cargo: bool,
    go: bool,
    python: bool,
    reports: Vec<String>,
    changelog: Option<&'static str>,
}

/// Writes a starter config.
pub fn main(args: &InitArgs, terminal: &Terminal) -> u8 {
    if !args.directory.is_dir() {
        return terminal.usage_error(&format!("{} is not a folder", args.directory.display()));
    }
    let text = starter(&look(&args.directory));
    if args.output.as_os_str() == "-" {
        return terminal.result(text.as_bytes(), exit::GO);
    }
    let path = args.directory.join(&args.output);
    if path.exists() && !args.force {
        return terminal.usage_error(&format!(
            "{} exists already; overwrite it with --force",
            path.display()
        ));
    }
    match write_atomically(&path, text.as_bytes()) {
        Ok(()) => {
            terminal.note(&format!(
                "wrote {}; next: readygate plan, then readygate run",
                path.display()
            ));
            exit::GO
        }
        Err(error) => terminal.usage_error(&error.to_string()),
    }
}

fn look(directory: &std::path::Path) -> Found {
    let has = |name: &str| directory.join(name).exists();
    let package = fs::read_to_string(directory.join("package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap_or_default();
    let script = |name: &&&str| package["scripts"][**name].is_string();
    let folder = fs::canonicalize(directory)
        .ok()
        .and_then(|d| Some(d.file_name()?.to_string_lossy().into_owned()));
    let name = package["name"]
        .as_str()
        .map(str::to_owned)
        .or(folder)
        .unwrap_or_else(|| "service".into());
    let report_folders = [
        "reports/junit",
        "reports",
        "test-results",
        "junit",
        "build/test-results/test",
        "target/surefire-reports",
        "target/nextest",
    ];
    Found {
        name: name
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_.@/".contains(*c))
            .collect(),
        node: has("package.json"),
        node_scripts: ["test", "lint", "build"]
            .iter()
            .filter(script)
            .copied()
            .collect(),
        cargo: has("Cargo.toml"),
        go: has("go.mod"),
        python: has("pyproject.toml") || has("setup.py"),
        reports: report_folders
            .iter()
            .filter(|f| has_xml(&directory.join(f)))
            .map(|f| format!("{f}/*.xml"))
            .collect(),
        changelog: ["CHANGELOG.md", "CHANGES.md", "HISTORY.md"]
            .into_iter()
            .find(|f| has(f)),
    }
}

fn has_xml(folder: &std::path::Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .take(1_000)
        .any(|e| e.path().extension().is_some_and(|x| x == "xml"))
}

fn starter(found: &Found) -> String {
    let mut out = format!(
        "# yaml-language-server: $schema=./readygate.schema.json
# The readiness policy of {name}. `readygate schema > readygate.schema.json` gives your editor the
# schema; `readygate plan` shows what would run; `readygate explain ID` explains a gate or a probe.
version: 1

target:
  name: production
  # url: https://shop.example.com    # relative URLs of gates resolve against it
  # version: ${{VERSION}}              # what is being released

defaults:
  timeout: 30s

# Deleting gates must not make a run pass.
require:
  min_gates: 1

gates:
",
        name = found.name
    );
    tests(found, &mut out);
    commands(found, &mut out);
    if let Some(changelog) = found.changelog {
        gate(
            &mut out,
            "docs.changelog",
            "The changelog is there",
            "files",
            &format!("{{ paths: [{changelog}] }}"),
            None,
        );
    }
    gate(
        &mut out,
        "docs.readme",
        "The README is there",
        "files",
        "{ paths: [README.md] }",
        None,
    );
    out.push_str(
        "
  # Once the target runs, ask it:
  # - id: deploy.health
  #   title: The service answers
  #   stages: [post-deploy]
  #   probe: http
  #   with: { url: /health }
  #   expect: { latency.total: \"< 1s\" }
",
    );
    out
}

fn tests(found: &Found, out: &mut String) {
    let run = match found {
        _ if found.node_scripts.contains(&"test") => "[npm, test]",
        Found { cargo: true, .. } => "[cargo, test]",
        Found { go: true, .. } => "[go, test, ./...]",
        Found { python: true, .. } => "[python3, -m, pytest, -q]",
        _ => return,
    };
    let (probe, with, expect) = if found.reports.is_empty() {
        ("command", format!("{{ argv: {run} }}"), None)
    } else {
        let reports = found
            .reports
            .iter()
            .map(|r| format!("\"{r}\""))
            .collect::<Vec<_>>()
            .join(", ");
        (
            "tests",
            format!("{{ run: {run}, reports: [{reports}] }}"),
            Some("{ failed: \"== 0\", errors: \"== 0\" }"),
        )
    };
    gate(out, "quality.tests", "All tests pass", probe, &with, expect);
    out.push_str("    timeout: 15m\n");
}

fn commands(found: &Found, out: &mut String) {
    let mut add = |id: &str, title: &str, argv: &str| {
        gate(
            out,
            id,
            title,
            "command",
            &format!("{{ argv: {argv} }}"),
            None,
        );
        out.push_str("    timeout: 10m\n");
    };
    if found.node && found.node_scripts.contains(&"lint") {
        add("quality.lint", "Linting passes", "[npm, run, lint]");
    }
    if found.node && found.node_scripts.contains(&"build") {
        add("quality.build", "The build succeeds", "[npm, run, build]");
    }
    if found.cargo {
        add(
            "quality.lint",
            "Clippy is content",
            "[cargo, clippy, --all-targets, --, -D, warnings]",
        );
    }
    if found.go {
        add("quality.lint", "go vet is content", "[go, vet, ./...]");
    }
}

fn gate(out: &mut String, id: &str, title: &str, probe: &str, with: &str, expect: Option<&str>) {
    let _ = write!(
        out,
        "
  - id: {id}
    title: {title}
    severity: blocker
    stages: [pre-merge, nightly, pre-deploy]
    probe: {probe}
    with: {with}
"
    );
    if let Some(expect) = expect {
        let _ = writeln!(out, "    expect: {expect}");
    }
}
