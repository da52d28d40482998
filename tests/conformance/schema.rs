//! Schemas of configs and measurements: closed, and described field by field.

use readygate::registry::Entry;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::support::{none, probes};

/// The definitions that a schema leads to, by name.
pub fn definitions(of: fn(&mut SchemaGenerator) -> Schema) -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let own = of(&mut generator);
    let mut definitions = generator.take_definitions(true);
    if own.get("$ref").is_none() {
        definitions.insert("(root)".to_owned(), own.to_value());
    }
    definitions
}

/// Names of the fields that hold a secret, or a map or list of them.
pub fn secret_fields(probe: &Entry) -> Vec<String> {
    fn walk(value: &Value, field: Option<&str>, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let is_secret = map.get("$ref").and_then(Value::as_str) == Some("#/$defs/Secret");
                if let (true, Some(field)) = (is_secret, field) {
                    found.push(field.to_owned());
                }
                for (key, value) in map {
                    if let ("properties", Value::Object(fields)) = (key.as_str(), value) {
                        for (name, schema) in fields {
                            walk(schema, Some(name), found);
                        }
                    } else {
                        walk(value, field, found);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, field, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for schema in definitions(probe.config_schema).values() {
        walk(schema, None, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// What is open or undescribed below `value`.
fn gaps(place: &str, value: &Value, problems: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(fields)) = map.get("properties") {
                if map.get("additionalProperties") != Some(&Value::Bool(false)) {
                    problems.push(format!(
                        "{place}: unknown fields pass; add #[serde(deny_unknown_fields)]"
                    ));
                }
                // A variant with content is an object with one field, described as a whole.
                let variant = fields.len() == 1 && map.contains_key("description");
                for (name, schema) in fields {
                    if schema.get("description").is_none() && !variant {
                        problems.push(format!("{place}.{name}: add a doc comment"));
                    }
                }
            }
            for (key, inner) in map {
                gaps(&format!("{place}/{key}"), inner, problems);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gaps(&format!("{place}/{index}"), item, problems);
            }
        }
        _ => {}
    }
}

#[test]
fn configs_are_closed_and_every_field_is_described() {
    let mut problems = Vec::new();
    for probe in probes() {
        let definitions = definitions(probe.config_schema);
        assert!(!definitions.is_empty(), "{}: no schema", probe.meta.id);
        for (name, schema) in &definitions {
            gaps(&format!("{}: {name}", probe.meta.id), schema, &mut problems);
        }
    }
    none(&problems);
}

/// Two types of one name would become `Config` and `Config2`, in an order that depends on the rest.
#[test]
fn configs_are_named_after_their_probe() {
    for probe in probes() {
        let own = probe.meta.id.replace('-', "");
        let definitions = definitions(probe.config_schema);
        let wanted = |name: &String| name.to_lowercase() == format!("{own}config");
        assert!(
            definitions.keys().any(wanted),
            "{own}: name the config {own}Config in camel case"
        );
    }
}

#[test]
fn measurements_have_a_schema() {
    for probe in probes() {
        let definitions = definitions(probe.measurement_schema);
        let fields = definitions
            .values()
            .filter_map(|schema| schema["properties"].as_object());
        assert!(
            fields.flatten().next().is_some(),
            "{}: a measurement without fields",
            probe.meta.id
        );
    }
}

#[test]
fn gaps_are_found() {
    let schema = serde_json::json!({"properties": {"a": {}, "b": {"description": "x"}}});
    let mut problems = Vec::new();
    gaps("x", &schema, &mut problems);
    assert_eq!(problems.len(), 2, "{problems:?}");
}
