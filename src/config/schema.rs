//! JSON Schemas: of the config, derived from the types and the registry, and of the record.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::model::File;
use crate::{record::Run, registry::PROBES};

/// Schema of `readygate.yaml`; `with` depends on `probe`.
pub fn config_schema() -> Schema {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let choices: Vec<Value> = PROBES
        .iter()
        .map(|probe| {
            let with = (probe.config_schema)(&mut generator);
            json!({
                "if": {"properties": {"probe": {"const": probe.meta.id}}, "required": ["probe"]},
                "then": {"properties": {"with": with}},
            })
        })
        .collect();
    let ids: Vec<&str> = PROBES.iter().map(|probe| probe.meta.id).collect();
    let mut schema = generator.into_root_schema_for::<File>();
    schema.insert("title".into(), "readygate.yaml".into());
    schema.insert("required".into(), json!(["version"]));
    if let Some(gate) = definition(&mut schema, "Gate") {
        gate.insert("allOf".into(), Value::Array(choices));
        if let Some(probe) = gate.get_mut("properties").and_then(|p| p.get_mut("probe")) {
            probe["enum"] = json!(ids);
        }
    }
    schema
}

/// Schema of `run.json`, with the measurement of every probe under `$defs`.
pub fn run_schema() -> Schema {
    let mut generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let choices: Vec<Value> = PROBES.iter().map(|probe| {
        let measurement = (probe.measurement_schema)(&mut generator);
        json!({
            "if": {"properties": {"probe": {"const": probe.meta.id}}, "required": ["probe", "measurement"]},
            "then": {"properties": {"measurement": measurement}},
        })
    }).collect();
    let mut schema = generator.into_root_schema_for::<Run>();
    schema.insert("title".into(), "readygate run record".into());
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties["schema"] = json!({"const": crate::record::SCHEMA});
    }
    if let Some(gate) = definition(&mut schema, "GateRecord") {
        gate.insert("allOf".into(), Value::Array(choices));
    }
    schema
}

fn definition<'a>(schema: &'a mut Schema, name: &str) -> Option<&'a mut Map<String, Value>> {
    schema.get_mut("$defs")?.get_mut(name)?.as_object_mut()
}
