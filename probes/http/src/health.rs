//! Health documents: what a service says of itself and of what it depends on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::grown::{HealthConfig, HealthFormat};

/// A health document, read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthFact {
    /// What the service says of itself; absent if it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<Dependency>,
    /// What it says of its dependencies; of more than 100 those that are not up first.
    pub dependencies: Vec<Dependency>,
}

/// One dependency, or the service itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// Its name; nested ones as `group/name`.
    pub name: String,
    /// Its status as it was written.
    pub said: String,
    /// What that means.
    pub state: State,
}

/// What a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Up,
    /// It works, with a concern.
    Warn,
    /// It does not work.
    Down,
}

const MOST: usize = 100;
const TEXT: usize = 100;
/// Spring nests groups of components; two levels are in use.
const DEPTH: usize = 4;

/// Reads `document`.
pub(crate) fn read(config: &HealthConfig, document: &Value) -> HealthFact {
    let mut fact = HealthFact::default();
    let overall = document.get("status").and_then(said);
    match config.format {
        HealthFormat::HealthJson => {
            fact.overall = overall.map(|said| dependency("", &said, health_json));
            if let Some(Value::Object(checks)) = document.get("checks") {
                for (name, list) in checks {
                    let one = std::slice::from_ref(list);
                    let items = list.as_array().map_or(one, Vec::as_slice);
                    for item in items {
                        // Without a status of its own a component says nothing (section 4.6).
                        if let Some(said) = item.get("status").and_then(said) {
                            fact.dependencies.push(dependency(name, &said, health_json));
                        }
                    }
                }
            }
        }
        HealthFormat::Spring => {
            fact.overall = overall.map(|said| dependency("", &said, spring));
            for key in ["components", "details"] {
                if let Some(Value::Object(components)) = document.get(key) {
                    nested("", components, DEPTH, &mut fact.dependencies);
                }
            }
        }
        HealthFormat::Map => {
            let pointer = config.at.as_deref().unwrap_or_default();
            if let Some(Value::Object(map)) = document.pointer(pointer) {
                for (name, value) in map {
                    let said = value.get("status").and_then(said).or_else(|| said(value));
                    let said = said.unwrap_or_else(|| "no status".to_owned());
                    let up = |word: &str| mapped(config, word);
                    fact.dependencies.push(dependency(name, &said, up));
                }
            }
        }
    }
    bounded(&mut fact.dependencies);
    fact
}

/// Of too many, what is down comes first: it must not be among those that are dropped.
fn bounded(dependencies: &mut Vec<Dependency>) {
    if dependencies.len() > MOST {
        dependencies.sort_by_key(|dependency| match dependency.state {
            State::Down => 0,
            State::Warn => 1,
            State::Up => 2,
        });
        dependencies.truncate(MOST);
    }
}

fn nested(prefix: &str, components: &Map<String, Value>, depth: usize, into: &mut Vec<Dependency>) {
    for (name, component) in components {
        let name = format!("{prefix}{name}");
        if let Some(said) = component.get("status").and_then(said) {
            into.push(dependency(&name, &said, spring));
        }
        if let (Some(Value::Object(inner)), true) = (component.get("components"), depth > 1) {
            nested(&format!("{name}/"), inner, depth - 1, into);
        }
    }
}

fn dependency(name: &str, said: &str, state: impl Fn(&str) -> State) -> Dependency {
    Dependency {
        name: name.chars().take(TEXT).collect(),
        said: said.to_owned(),
        state: state(&said.to_ascii_lowercase()),
    }
}

fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.chars().take(TEXT).collect()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// draft-inadarei-api-health-check-06, section 3.1.
fn health_json(word: &str) -> State {
    match word {
        "pass" | "ok" | "up" => State::Up,
        "warn" => State::Warn,
        _ => State::Down,
    }
}

/// `UNKNOWN` is what an indicator says that looked at nothing.
fn spring(word: &str) -> State {
    match word {
        "up" => State::Up,
        "unknown" => State::Warn,
        _ => State::Down,
    }
}

const UP: [&str; 9] = [
    "up",
    "ok",
    "pass",
    "healthy",
    "connected",
    "ready",
    "green",
    "true",
    "available",
];

fn mapped(config: &HealthConfig, word: &str) -> State {
    let up = match &config.up {
        Some(words) => words.iter().any(|up| up.eq_ignore_ascii_case(word)),
        None => UP.contains(&word),
    };
    if up { State::Up } else { State::Down }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn states(yaml: &str, document: &Value) -> Vec<(String, State)> {
        let config = serde_saphyr::from_str(yaml).unwrap();
        let fact = read(&config, document);
        let all = fact.overall.into_iter().chain(fact.dependencies);
        all.map(|d| (d.name, d.state)).collect()
    }

    #[test]
    fn what_is_down_is_kept_of_too_many() {
        let mut map: Map<String, Value> =
            (100..300).map(|n| (format!("d{n}"), json!("up"))).collect();
        map.insert("z".to_owned(), json!("down"));
        let states = states("{format: map, at: /deps}", &json!({"deps": map}));
        assert_eq!(states.len(), MOST);
        assert_eq!(states[0], ("z".to_owned(), State::Down));
        assert_eq!(states[1], ("d100".to_owned(), State::Up));
    }

    #[test]
    fn forms_are_read() {
        let own = |name: &str, state| (name.to_owned(), state);
        let document = json!({"status": "pass", "checks": {
            "db:responseTime": [{"status": "warn"}, {"status": "FAIL"}], "cpu": [{"observedValue": 3}]}});
        assert_eq!(
            states("{format: health-json}", &document),
            [
                own("", State::Up),
                own("db:responseTime", State::Warn),
                own("db:responseTime", State::Down)
            ]
        );
        let document = json!({"status": "UP", "components": {
            "db": {"status": "UP", "components": {"replica": {"status": "OUT_OF_SERVICE"}}}}});
        assert_eq!(
            states("{format: spring}", &document),
            [
                own("", State::Up),
                own("db", State::Up),
                own("db/replica", State::Down)
            ]
        );
        let document = json!({"deps": {"redis": true, "mongo": {"status": "connected"}, "mq": "degraded", "s3": null}});
        assert_eq!(
            states("{format: map, at: /deps}", &document),
            [
                own("redis", State::Up),
                own("mongo", State::Up),
                own("mq", State::Down),
                own("s3", State::Down)
            ]
        );
    }
}
