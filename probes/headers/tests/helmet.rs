//! A real Express app with Helmet's defaults, started with Node.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use readygate_headers::{Headers, HeadersConfig};
use readygate_sdk::{Check, CheckOutcome, Checks, Probe, testkit::cx};

/// Where `cargo xtask setup` puts the packages.
fn packages() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/helmet/node_modules")
}

struct App {
    child: Child,
    port: u16,
}

impl App {
    fn start() -> Self {
        let packages = packages();
        assert!(
            packages.join("helmet/package.json").exists(),
            "Helmet is not installed; run: cargo xtask setup"
        );
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/helmet/server.cjs");
        let mut child = Command::new("node")
            .arg(script)
            .env("NODE_PATH", packages)
            .env("NODE_ENV", "production")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn checks(&self, urls: &str) -> Vec<Check> {
        let yaml = format!("{{profile: helmet, {urls}}}");
        let config: HeadersConfig = serde_saphyr::from_str(&yaml).unwrap();
        Headers::validate(&config).unwrap();
        let record = Headers::measure(&config, &cx(Duration::from_secs(20)))
            .await
            .unwrap();
        let mut checks = Checks::new();
        Headers::judge(&config, &record, &mut checks);
        checks.into_vec()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The headers that Helmet 8 sends by default.
const SENT: [&str; 12] = [
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Origin-Agent-Cluster",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-DNS-Prefetch-Control",
    "X-Download-Options",
    "X-Frame-Options",
    "X-Permitted-Cross-Domain-Policies",
    "X-XSS-Protection",
];

#[tokio::test]
async fn a_default_app_passes_clean_and_every_missing_header_is_named() {
    let app = App::start();
    let (page, missing, fail) = (app.url("/"), app.url("/nope"), app.url("/fail"));
    let urls = format!("pages: '{page}', not_found: '{missing}', server_error: '{fail}'");
    let checks = app.checks(&urls).await;
    let not_passed: Vec<_> = checks
        .iter()
        .filter(|c| c.outcome != CheckOutcome::Passed)
        .collect();
    assert!(not_passed.is_empty(), "{not_passed:#?}");
    let wanted = checks
        .iter()
        .filter(|c| c.rule == "headers/profile-header")
        .count();
    assert_eq!(wanted, 3 * SENT.len());

    for name in SENT {
        let checks = app
            .checks(&format!("pages: '{}'", app.url(&format!("/?drop={name}"))))
            .await;
        let failed: Vec<_> = checks
            .iter()
            .filter(|c| c.outcome == CheckOutcome::Failed)
            .collect();
        let named: Vec<_> = failed
            .iter()
            .filter(|c| c.rule == "headers/profile-header")
            .collect();
        assert_eq!(named.len(), 1, "{name}: {named:#?}");
        assert!(
            named[0].subject.ends_with(name) && named[0].message.contains("missing"),
            "{named:#?}"
        );
    }
    let checks = app
        .checks(&format!("pages: '{}'", app.url("/?powered")))
        .await;
    let failed: Vec<_> = checks
        .iter()
        .filter(|c| c.outcome == CheckOutcome::Failed)
        .collect();
    assert!(
        matches!(failed.as_slice(), [one] if one.rule == "headers/leak"),
        "{failed:#?}"
    );
}
