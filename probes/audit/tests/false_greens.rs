//! Auditors that are run for real where they reach no advisory: every one ends unmeasured.
//!
//! `cargo xtask setup` installs them below `target/tools`. That they reach nothing is made here:
//! npm and pnpm talk to a registry on loopback that refuses, cargo-audit to a closed port, and
//! pip-audit asks for a package that no index has.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use readygate_audit::AuditMeasurement;
use readygate_sdk::{ProbeError, process::Ended};
use serde_json::{Value, json};
use support::{Answer, Server, is_unmeasured, measure_with};

/// A program that the set-up installed; a test without it fails and says what to do.
fn tool(path: &str) -> String {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let program: PathBuf = tools.join(path);
    assert!(
        program.exists(),
        "{} is missing; install it: cargo xtask setup",
        program.display()
    );
    program.display().to_string()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tools need the machine's own environment"
)]
fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

/// A project with one dependency, locked.
fn npm_project() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let manifest =
        json!({"name": "app", "version": "1.0.0", "dependencies": {"lodash": "4.17.15"}});
    let lock = json!({
        "name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": manifest,
            "node_modules/lodash": {"version": "4.17.15", "resolved": "https://registry.npmjs.org/lodash/-/lodash-4.17.15.tgz"}
        }
    });
    fs::write(scratch.path().join("package.json"), manifest.to_string()).unwrap();
    fs::write(scratch.path().join("package-lock.json"), lock.to_string()).unwrap();
    let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      lodash:\n        specifier: 4.17.15\n        version: 4.17.15\n\
                packages:\n  lodash@4.17.15:\n    resolution: {integrity: sha512-8xOcRHvCjnocdS5cpwXQXVzmmh5e5+saE2QGoeQmbKmRS6J3VQppPOIt0MnmE+4xlZoumy0GPG0D0MVIQbNA1A==}\n\
                snapshots:\n  lodash@4.17.15: {}\n";
    fs::write(scratch.path().join("pnpm-lock.yaml"), pnpm).unwrap();
    scratch
}

/// The outcome of a gate that runs this.
async fn run(with: Value, folder: &Path) -> Result<AuditMeasurement, ProbeError> {
    measure_with(with, folder, Duration::from_secs(60), environment()).await
}

/// The gate ends unmeasured: by an error, or by a judgement that gives no count.
async fn unmeasured(argv: &[&str], folder: &Path, env: &[(&str, &str)]) -> String {
    let env: BTreeMap<&str, &str> = env.iter().copied().collect();
    let with = json!({"run": argv, "env": env});
    match run(with.clone(), folder).await {
        Err(error) => error.to_string(),
        Ok(measured) => {
            assert!(is_unmeasured(with, &measured), "{measured:#?}");
            "judged".to_owned()
        }
    }
}

async fn refusing() -> Server {
    Server::start(|_, _, _| Answer::text(405, "")).await
}

#[tokio::test]
async fn npm_audit_without_an_endpoint() {
    let (server, project) = (refusing().await, npm_project());
    let env = [
        ("npm_config_registry", &*server.url()),
        ("npm_config_fetch_retries", "0"),
    ];
    let said = unmeasured(&["npm", "audit", "--json"], project.path(), &env).await;
    assert!(said.contains("405"), "{said}");
    assert!(!server.requests().is_empty(), "npm asked nobody");
}

#[tokio::test]
async fn pnpm_audit_without_an_endpoint() {
    let (server, project) = (refusing().await, npm_project());
    let pnpm = tool("js/node_modules/.bin/pnpm");
    let env = [
        ("npm_config_registry", &*server.url()),
        ("npm_config_fetch_retries", "0"),
    ];
    let said = unmeasured(&[&pnpm, "audit", "--json"], project.path(), &env).await;
    assert!(said.contains("405") || said.contains("ERR_PNPM"), "{said}");
    assert!(!server.requests().is_empty(), "pnpm asked nobody");
}

#[tokio::test]
async fn pip_audit_that_skips_every_package_and_exits_with_0() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(
        scratch.path().join("requirements.txt"),
        "readygate-has-no-such-package==1.0.0\n",
    )
    .unwrap();
    let pip_audit = tool("bin/pip-audit");
    let argv = [
        &*pip_audit,
        "-f",
        "json",
        "--no-deps",
        "--disable-pip",
        "--progress-spinner=off",
        "-r",
        "requirements.txt",
    ];
    let with = json!({"run": argv});
    let measured = run(with.clone(), scratch.path()).await.unwrap();
    let command = measured.command.as_ref().unwrap();
    assert_eq!(command.ended, Ended::Code(0), "{}", command.output);
    assert!(
        command.output.contains("No known vulnerabilities found"),
        "{}",
        command.output
    );
    assert_eq!(measured.reports[0].skipped_total, 1);
    assert!(is_unmeasured(with, &measured), "{measured:#?}");
}

#[tokio::test]
async fn cargo_audit_that_cannot_fetch_its_database() {
    let scratch = tempfile::tempdir().unwrap();
    let lock = "version = 3\n\n[[package]]\nname = \"smallvec\"\nversion = \"0.6.9\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    fs::write(scratch.path().join("Cargo.lock"), lock).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/advisory-db.git", listener.local_addr().unwrap());
    drop(listener);
    let cargo_audit = tool("bin/cargo-audit");
    let argv = [
        &*cargo_audit,
        "audit",
        "--json",
        "--db",
        "advisory-db",
        "--url",
        &url,
    ];
    let said = unmeasured(&argv, scratch.path(), &[]).await;
    assert!(
        said.contains("exit code") && said.contains("empty"),
        "{said}"
    );
}

/// The same tool with a database that is there: an honest answer is still an answer.
#[tokio::test]
async fn an_auditor_that_works_is_measured() {
    let scratch = tempfile::tempdir().unwrap();
    let advisories = r#"{"database":{"advisory-count":734},"lockfile":{"dependency-count":1},"vulnerabilities":{"found":false,"count":0,"list":[]},"warnings":{}}"#;
    fs::write(scratch.path().join("answer.json"), advisories).unwrap();
    let with = json!({"run": ["cat", "answer.json"]});
    let measured = run(with.clone(), scratch.path()).await.unwrap();
    assert!(!is_unmeasured(with, &measured), "{measured:#?}");
}
