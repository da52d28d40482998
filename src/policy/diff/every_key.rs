//! Every key of the config is compared, or has a reason not to be: the schema says which there are.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{Documents, Weight, diff};
use crate::{config::config_schema, policy::Origin};

/// Keys whose change alone is no difference, and why.
const SILENT: [(&str, &str); 3] = [
    ("version", "there is one"),
    ("include", "the files that it names are compared"),
    ("target.variables", "compared where they are used"),
];

/// Keys that decide nothing.
const NEUTRAL: [&str; 12] = [
    "concurrency",
    "deadline",
    "gates.description",
    "gates.exclusive",
    "gates.section",
    "gates.source.file",
    "gates.source.line",
    "gates.title",
    "roles.title",
    "target.artifact",
    "target.commit",
    "target.version",
];

/// A policy that says everything that one can say. What the second gate does not say comes from the
/// defaults.
const FULL: &str = r#"{
  "version": 1,
  "target": {
    "name": "n", "url": "https://a.example", "environment": "e", "version": "1.0.0",
    "commit": "0123abc", "artifact": "sha256:01", "variables": {"A": "b"},
    "allow_disruptive": ["a"]
  },
  "defaults": {
    "timeout": "30s", "retry": {"attempts": 2, "delay": "1s", "on": ["failed"]},
    "severity": "major"
  },
  "concurrency": 8,
  "deadline": "1h",
  "require": {"min_gates": 2, "ids": ["a"]},
  "secrets": ["S"],
  "pass_env": ["P"],
  "include": [],
  "roles": {"qa": {
    "title": "t", "principals": ["ann"], "max_age": "72h", "may_waive": ["a"],
    "require_touch": true, "author_may_sign": false
  }},
  "signoffs": {
    "allowed_signers": "keys", "revoked": "revoked", "directory": "d",
    "namespace": "signoff@a.example", "may_also": {"ann": ["qa"]}, "authors": "v1..",
    "also_known_as": {"ann": ["ann@home.example"]}
  },
  "waivers": [{
    "gate": "a", "rule": "files/missing", "subject": "s", "reason": "r", "owner": "o",
    "approver": "qa", "ticket": "T-1", "expires": "2026-12-31"
  }],
  "policy": {"owner": "qa"},
  "windows": {
    "allow": [{"schedule": "0 22 * * *", "duration": "4h", "zone": "UTC", "reason": "r"}],
    "freeze": [{"schedule": "0 0 20 12 *", "duration": "16d", "zone": "UTC", "reason": "r"}],
    "reserve": {"deploy": "1m", "watch": "1m", "rollback": "1m"}
  },
  "watch": {
    "for": "15m", "every": "30s", "initial_delay": "10s", "failure_limit": 3,
    "consecutive_error_limit": 4, "inconclusive_limit": 1, "rollback_within": "15m",
    "warn_after": "10m", "availability": ["a"], "control": ["a"]
  },
  "gates": [
    {
      "id": "a", "title": "t", "description": "d", "section": "s", "owner": "qa",
      "severity": "major", "waivable": true, "stages": ["pre-deploy"], "tags": ["t"],
      "needs": ["b"], "exclusive": false, "timeout": "30s",
      "retry": {"attempts": 2, "delay": "1s", "on": ["failed"]},
      "sustain": {
        "for": "1m", "every": "10s", "failure_limit": 1, "consecutive_error_limit": 2
      },
      "pass_env": ["P"], "rules": {"files/missing": "warning"},
      "source": {
        "file": "c.md", "line": 3, "anchor": "t/a", "also": ["t/b"],
        "fills": [{"anchor": "t/c", "blank": 1, "metric": "m", "answer": "a", "fact": "f"}]
      },
      "probe": "files", "with": {"paths": ["x"]}, "expect": {"bytes.total": "> 1B"}
    },
    {"id": "b", "probe": "files", "with": {"paths": ["x"]}}
  ]
}"#;

fn full() -> Value {
    serde_json::from_str(FULL).unwrap()
}

/// The keys that a schema has, with those above them: `gates.retry.delay`.
fn keys(schema: &Value, root: &Value, path: &str, into: &mut BTreeSet<String>) {
    let go = |schema: &Value, into: &mut BTreeSet<String>| keys(schema, root, path, into);
    if let Some(name) = schema["$ref"].as_str() {
        return go(root.pointer(&name[1..]).unwrap(), into);
    }
    if let Some(kinds) = schema["anyOf"].as_array() {
        return go(kinds.iter().find(|k| k["type"] != "null").unwrap(), into);
    }
    for below in ["items", "additionalProperties"] {
        if schema[below].is_object() {
            return go(&schema[below], into);
        }
    }
    let Some(properties) = schema["properties"].as_object() else {
        into.insert(path.to_owned());
        return;
    };
    for (name, property) in properties {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        keys(property, root, &path, into);
    }
}

/// Changes a key; of lists and of what has names of its own, the first.
fn change_at(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else {
        return change(value);
    };
    match value {
        Value::Array(items) => change_at(&mut items[0], path),
        Value::Object(map) => {
            if let Some(found) = map.get_mut(*first) {
                return change_at(found, rest);
            }
            let below = map.values_mut().find(|v| v.is_object());
            let below = below.unwrap_or_else(|| panic!("add `{first}` to the policy of this test"));
            change_at(below, path);
        }
        _ => panic!("add `{first}` to the policy of this test"),
    }
}

fn change(value: &mut Value) {
    match value {
        Value::Array(items) => drop(items.pop()),
        Value::Object(map) => change(map.values_mut().next().unwrap()),
        Value::String(text) => text.push('x'),
        Value::Number(number) => *value = (number.as_u64().unwrap() + 1).into(),
        Value::Bool(switch) => *switch = !*switch,
        Value::Null => panic!("a value that is none"),
    }
}

fn read(policy: &Value, folder: &Path) -> Documents {
    let file = folder.join("readygate.yaml");
    fs::write(&file, policy.to_string()).unwrap();
    Documents::read("policy", &Origin::Disk, &[file]).unwrap()
}

#[test]
fn every_key_of_the_config_is_compared() {
    let schema = config_schema().to_value();
    let mut all = BTreeSet::new();
    keys(&schema, &schema, "", &mut all);
    assert!(all.len() > 80, "{all:?}");
    let folder = tempfile::tempdir().unwrap();
    let base = read(&full(), folder.path());
    let (mut silent, mut neutral) = (Vec::new(), Vec::new());
    for key in &all {
        let mut policy = full();
        let path: Vec<&str> = key.split('.').collect();
        change_at(&mut policy, &path);
        let changes = diff(&base, &read(&policy, folder.path())).changes;
        if changes.is_empty() {
            silent.push(key.as_str());
        } else if changes.iter().all(|c| c.weight == Weight::Neutral) {
            neutral.push(key.as_str());
        }
    }
    let mut meant = SILENT.map(|(key, _)| key);
    meant.sort_unstable();
    assert_eq!(silent, meant);
    assert_eq!(neutral, NEUTRAL);
}
