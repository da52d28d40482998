//! Monitoring plugins: twins of them made here, and those of Debian's `monitoring-plugins-basic`
//! where they are installed.

use std::path::Path;

use crate::common::{Seen, run, script};
use readygate_sdk::CheckOutcome::{Failed, Passed, Unmeasured};
use serde_json::json;
use tempfile::TempDir;

const INSTALLED: &str = "/usr/lib/nagios/plugins";

/// What the real plugins print, word for word, for machines that do not have them.
const TWINS: &[(&str, &str)] = &[
    (
        "check_disk",
        "echo 'DISK OK - free space: / 77810MiB (83% inode=97%);| /=15982395392B;243497277849;257024904396;0;270552530944'",
    ),
    (
        "check_load",
        "echo 'LOAD OK - total load average: 0.45, 0.45, 0.43|load1=0.450;50.000;90.000;0; load5=0.450;50.000;90.000;0; load15=0.430;50.000;90.000;0; '",
    ),
    (
        "check_procs",
        "echo 'PROCS OK: 71 processes | procs=71;1:9999;;0;'",
    ),
    (
        "check_dummy",
        "case $1 in 0) echo OK: $2;; 1) echo WARNING: $2;; 2) echo CRITICAL: $2;; *) echo UNKNOWN: $2;; esac; exit $1",
    ),
];

/// The real plugins or their twins: one of the two is always tested. Says which on stderr, where
/// nextest shows it with `--no-capture`.
struct Plugins {
    folder: String,
    _twins: Option<TempDir>,
}

impl Plugins {
    fn find() -> Self {
        if TWINS
            .iter()
            .all(|(name, _)| Path::new(INSTALLED).join(name).exists())
        {
            Self {
                folder: INSTALLED.to_owned(),
                _twins: None,
            }
        } else {
            Self::twins()
        }
    }

    fn twins() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in TWINS {
            script(folder.path(), name, &format!("#!/bin/sh\n{text}\n"));
        }
        Self {
            folder: folder.path().display().to_string(),
            _twins: Some(folder),
        }
    }

    async fn run(&self, plugin: &str, arguments: &[&str]) -> Seen {
        let mut argv = vec![format!("{}/{plugin}", self.folder)];
        argv.extend(arguments.iter().map(|&a| a.to_owned()));
        run(json!({"protocol": "nagios", "argv": argv})).await
    }
}

async fn plugins_work_unchanged(plugins: &Plugins) {
    let disk = plugins
        .run("check_disk", &["-w", "1%", "-c", "0%", "-p", "/"])
        .await;
    assert_eq!(
        disk.outcomes("command/critical"),
        [Passed],
        "{:?}",
        disk.measured
    );
    let used = disk.metrics.get("perf./").unwrap();
    assert_eq!(used.unit, readygate_sdk::Unit::Bytes);
    let load = plugins
        .run("check_load", &["-w", "500,500,500", "-c", "900,900,900"])
        .await;
    assert_eq!(load.outcomes("command/warning"), [Passed]);
    for name in ["perf.load1", "perf.load5", "perf.load15"] {
        assert!(load.metrics.get(name).is_some(), "{name}");
    }
    let procs = plugins.run("check_procs", &["-w", "1:99999"]).await;
    assert!(
        procs.metrics.get("perf.procs").is_some(),
        "{:?}",
        procs.measured
    );
    let datum = &procs.measured.plugin.as_ref().unwrap().perfdata[0];
    assert!(
        datum
            .warn
            .as_deref()
            .is_some_and(|w| w.starts_with("1:9999"))
    );
    for seen in [disk, load, procs] {
        let malformed = seen.measured.plugin.unwrap().malformed;
        assert_eq!(malformed, Vec::<String>::new());
    }
    for (code, outcomes) in [
        ("0", vec![Passed, Passed]),
        ("1", vec![Passed, Failed]),
        ("2", vec![Failed, Passed]),
    ] {
        let seen = plugins.run("check_dummy", &[code, "dummy"]).await;
        let got = [
            seen.outcomes("command/critical"),
            seen.outcomes("command/warning"),
        ]
        .concat();
        assert_eq!(got, outcomes, "{code}");
        assert!(seen.checks[0].message.contains("dummy"));
    }
    let seen = plugins.run("check_dummy", &["3", "dummy"]).await;
    assert_eq!(seen.outcomes("command/unknown"), [Unmeasured]);
    assert_eq!(seen.checks.len(), 1);
}

#[tokio::test]
async fn installed_plugins_work_unchanged() {
    let plugins = Plugins::find();
    eprintln!("plugins under test: {}", plugins.folder);
    plugins_work_unchanged(&plugins).await;
}

#[tokio::test]
async fn twins_of_the_plugins_work_unchanged() {
    plugins_work_unchanged(&Plugins::twins()).await;
}

#[tokio::test]
async fn the_code_is_the_status_and_the_text_never() {
    for (text, code, rule, outcome) in [
        ("CRITICAL - all is lost", 0, "command/critical", Passed),
        ("OK - fine", 2, "command/critical", Failed),
        ("OK - fine", 1, "command/warning", Failed),
        ("OK - fine", 3, "command/unknown", Unmeasured),
        ("OK - fine", 4, "command/unknown", Unmeasured),
        ("OK - fine", 127, "command/unknown", Unmeasured),
    ] {
        let shell = format!("echo '{text}'; exit {code}");
        let seen = run(json!({"protocol": "nagios", "shell": shell})).await;
        assert_eq!(seen.outcomes(rule), [outcome], "{text} {code}");
    }
    let seen = run(json!({"protocol": "nagios", "shell": "echo OK; kill -15 $$"})).await;
    assert_eq!(seen.outcomes("command/unknown"), [Unmeasured]);
}

#[tokio::test]
async fn performance_data_become_metrics_in_base_units() {
    let shell = "echo \"OK | time=41ms;;;0 'used space'=80% rta=5us;; size=2KB n=7c t=1.5 x=U twice=1 twice=2\"";
    let seen = run(json!({"protocol": "nagios", "shell": shell})).await;
    for (name, shown) in [
        ("perf.time", "41 ms"),
        ("perf.used space", "80 %"),
        ("perf.rta", "5 µs"),
        ("perf.size", "1.9531 KiB"),
        ("perf.n", "7"),
        ("perf.t", "1.5"),
    ] {
        assert_eq!(seen.shown(name), shown);
    }
    assert!(seen.shown("perf.x").contains("could not tell"));
    assert!(seen.shown("perf.twice").contains("twice"));
}

#[tokio::test]
async fn a_plugin_that_contradicts_itself_is_pointed_out() {
    let seen =
        run(json!({"protocol": "nagios", "shell": "echo 'OK | load=9;5;8 size=5;0;0'"})).await;
    assert_eq!(seen.outcomes("command/critical"), [Passed]);
    assert_eq!(seen.outcomes("command/perfdata-range"), [Failed]);
    assert_eq!(seen.checks[2].level, readygate_sdk::Level::Info);
    assert_eq!(seen.checks[2].details, ["load=9"]);
    let seen =
        run(json!({"protocol": "nagios", "shell": "echo 'CRITICAL | load=9;5;8'; exit 2"})).await;
    assert_eq!(seen.outcomes("command/perfdata-range"), []);
}
