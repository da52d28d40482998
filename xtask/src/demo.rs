//! `cargo xtask demo`: a production-like gate against real servers on loopback.

use std::{
    fs,
    process::{Command, ExitStatus},
};

use readygate_stack::{Server, nginx, node};

use crate::{Done, stores::Stores, workspace};

/// The version that the demo releases, and the one that still runs when a failure is planted.
const RELEASED: &str = "4.0.0";
const STILL_RUNNING: &str = "3.9.2";

/// Starts the servers, runs the gate, says where the reports are. `Ok(true)` is GO.
pub fn main(healthy: bool) -> Done {
    crate::setup::need_program("nginx", "nginx-light")?;
    crate::setup::need_program("node", "nodejs")?;
    let root = workspace::root();
    let out = root.join("target/demo");
    fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    build()?;

    let version = if healthy { RELEASED } else { STILL_RUNNING };
    println!("starting a replica set of three, a Redis cluster of six, the catalogue and nginx");
    let stores = Stores::start()?;
    let (app, front) = start(version)?;
    println!(
        "started the catalogue {version} at {} behind nginx at {}",
        app.url(),
        front.url()
    );
    if healthy {
        println!("nothing is planted: the verdict should be GO\n");
    } else {
        println!(
            "planted: {STILL_RUNNING} still runs where {RELEASED} is to be released; the verdict should be NO-GO\n"
        );
    }

    let report = |format: &str, file: &str| format!("{format}={}", out.join(file).display());
    let status = Command::new(root.join("target/debug/readygate"))
        .args(["run", "-c", "fixtures/demo/readygate.yaml"])
        .args(["--report", &report("json", "run.json")])
        .args(["--report", &report("junit", "readygate.xml")])
        .args(["--report", &report("console", "readygate.txt")])
        .env("APP_URL", front.url())
        .env("OUT", &out)
        .envs(stores.variables())
        .current_dir(&root)
        .status()
        .map_err(|e| format!("readygate could not be started: {e}"))?;
    drop((front, app, stores));

    println!(
        "\nreports: target/demo/run.json, target/demo/readygate.xml, target/demo/readygate.txt"
    );
    println!("next: cargo run -- explain http/version-mismatch");
    verdict(status)
}

/// 0 and 1 are verdicts; anything else means that the demo itself is broken.
fn verdict(status: ExitStatus) -> Done {
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!(
            "readygate ended with {status}, which is no verdict"
        )),
    }
}

fn build() -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "readygate"])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(workspace::root())
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("the build failed".to_owned())
    }
}

fn start(version: &str) -> Result<(Server, Server), String> {
    let script = workspace::root().join("fixtures/demo/app/server.mjs");
    let app = node(&script, &[("APP_VERSION", version)]).map_err(|e| e.to_string())?;
    let front = nginx(&format!(
        "    location / {{
      proxy_pass {};
      proxy_http_version 1.1;
      add_header X-Content-Type-Options nosniff always;
    }}",
        app.url()
    ));
    Ok((app, front.map_err(|e| e.to_string())?))
}
