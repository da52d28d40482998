//! `cargo xtask demo`: a production-like gate against real servers on loopback.

mod story;

use std::{
    fs,
    process::{Command, ExitStatus},
};

use readygate_stack::{Authority, Server, nginx_tls, node};

use crate::{Done, stores::Stores, workspace};

pub use story::main as story;

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
    let (app, front, authority) = start(version)?;
    let ca = out.join("ca.pem");
    workspace::write(&ca, &authority.pem())?;
    let url = front.url().replace("http://", "https://");
    println!(
        "started the catalogue {version} at {} behind nginx at {url}",
        app.url()
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
        .env("APP_URL", &url)
        .env("APP_ADDRESS", url.trim_start_matches("https://"))
        .env("BEHIND_URL", app.url())
        .env("CA", &ca)
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

/// The service, nginx with TLS and security headers before it, and whom to trust.
fn start(version: &str) -> Result<(Server, Server, Authority), String> {
    let script = workspace::root().join("fixtures/demo/app/server.mjs");
    let app = node(&script, &[("APP_VERSION", version)]).map_err(|e| e.to_string())?;
    let authority = Authority::new().map_err(|e| e.to_string())?;
    let identity = authority.issue(&["127.0.0.1", "localhost"], 90);
    let block = format!(
        "    server_tokens off;
    location / {{
      proxy_pass {};
      proxy_http_version 1.1;
      add_header Strict-Transport-Security 'max-age=31536000; includeSubDomains' always;
      add_header Content-Security-Policy \"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\" always;
      add_header X-Content-Type-Options nosniff always;
      add_header Referrer-Policy no-referrer always;
      add_header Cross-Origin-Opener-Policy same-origin always;
      add_header Cross-Origin-Resource-Policy same-origin always;
      add_header Cache-Control no-store always;
    }}",
        app.url()
    );
    let front = nginx_tls(&block, &identity.map_err(|e| e.to_string())?);
    Ok((app, front.map_err(|e| e.to_string())?, authority))
}
