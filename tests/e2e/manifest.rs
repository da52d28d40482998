//! `readygate load manifest`.

use serde_json::Value;

use crate::support::readygate;

const CONFIG: &str = r"version: 1
target: {name: production, url: 'https://shop.example.com'}
gates:
- {id: load.api, probe: load, with: {source: k6, k6: {url: /items, rate: 900/s, for: 10m, segments: 3, bounds: {p95: 50ms}, headers: {Authorization: '${TOKEN}'}}}}
- {id: load.old, probe: load, with: {reports: [x.json]}}
- {id: files, probe: files, with: {paths: [x]}}
";

#[test]
fn a_gate_becomes_a_test_run() {
    let project = readygate().config(CONFIG);
    let ran = project.call("load manifest load.api --var TOKEN=canary-4711");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(!ran.stdout.contains("canary-4711"));
    let parts: Vec<Value> = ran
        .stdout
        .split("\n---\n")
        .map(|part| serde_saphyr::from_str(part).unwrap())
        .collect();
    assert_eq!(parts[1]["spec"]["parallelism"], 3);
    assert!(
        parts[0]["data"]["readygate.js"]
            .as_str()
            .unwrap()
            .contains("https://shop.example.com/items")
    );
}

#[test]
fn other_gates_have_none() {
    let project = readygate().config(CONFIG);
    for (gate, message) in [
        (
            "load.apj",
            "there is no gate `load.apj`, did you mean `load.api`?",
        ),
        ("load.old", "its source is not k6"),
        ("files", "a manifest is of a load gate"),
    ] {
        let ran = project.call(&format!("load manifest {gate} --var TOKEN=canary-4711"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
}
