//! The checked-in schemas accept what the program accepts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    readme::examples,
    support::{none, probes, root},
};

fn schema(name: &str) -> Validator {
    let text = fs::read_to_string(root().join("schema").join(name)).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::meta::validate(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
    jsonschema::draft202012::new(&schema).unwrap()
}

fn complaints(schema: &Validator, name: &str, value: &Value) -> Vec<String> {
    let errors = schema.iter_errors(value);
    errors
        .map(|e| format!("{name}: {}: {e}", e.instance_path()))
        .collect()
}

/// Config files below a folder; those in a folder named `invalid` are not meant to be valid.
fn configs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if path.is_dir() {
            if entry.file_name() != "invalid" {
                configs(&path, found);
            }
        } else if matches!(extension, Some("yaml" | "yml")) {
            found.push(path);
        }
    }
}

/// A config has `version` and `gates` or `include`; other YAML is none of ours.
fn is_config(value: &Value) -> bool {
    value.get("gates").is_some() || value.get("include").is_some()
}

#[test]
fn configs_of_the_repository_fit_the_schema() {
    let schema = schema("readygate.schema.json");
    let mut paths = Vec::new();
    for folder in ["fixtures", "examples", "tests"] {
        configs(&root().join(folder), &mut paths);
    }
    let own = root().join("readygate.yaml");
    paths.extend(own.exists().then_some(own));
    let mut problems = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        match serde_saphyr::from_str::<Value>(&text) {
            Ok(value) if is_config(&value) => {
                problems.extend(complaints(&schema, &path.display().to_string(), &value));
            }
            Ok(_) => {}
            Err(error) => problems.push(format!("{}: {error}", path.display())),
        }
    }
    none(&problems);
}

#[test]
fn examples_of_readmes_fit_the_schema() {
    let schema = schema("readygate.schema.json");
    let mut problems = Vec::new();
    for probe in probes() {
        for text in examples(probe) {
            let value = serde_saphyr::from_str(&text).unwrap();
            problems.extend(complaints(&schema, probe.meta.id, &value));
        }
    }
    none(&problems);
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = schema("readygate.schema.json");
    let gate = json!({"id": "a", "probe": "files", "with": {"paths": ["x"]}});
    let config = |gate: &Value| json!({"version": 1, "gates": [gate]});
    assert!(schema.is_valid(&config(&gate)));
    for (pointer, wrong) in [
        ("/probe", json!("fils")),
        ("/id", json!("A")),
        ("/with", json!({"path": ["x"]})),
        ("/with", json!({})),
        ("/severity", json!("fatal")),
        ("/colour", json!("red")),
    ] {
        let mut gate = gate.clone();
        gate[&pointer[1..]] = wrong;
        assert!(!schema.is_valid(&config(&gate)), "{gate}");
    }
    assert!(
        !schema.is_valid(&json!({"gates": [gate]})),
        "without a version"
    );
}

#[test]
fn records_fit_the_schema() {
    let schema = schema("run.schema.json");
    let mut problems = Vec::new();
    for entry in fs::read_dir(root().join("fixtures/records")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let record = serde_json::from_str(&text).unwrap();
        problems.extend(complaints(&schema, &path.display().to_string(), &record));
    }
    none(&problems);
}
