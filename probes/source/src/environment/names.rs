//! Reads variables from the files that declare or set them.

use std::{ffi::OsStr, path::Path};

use readygate_sdk::{ErrorKind, ProbeError};
use serde_json::Value;

/// A variable as a file has it. The value goes no further than this probe's judgement of its looks.
pub(crate) struct Named {
    pub name: String,
    pub value: String,
    pub optional: bool,
    /// The file names it and gets the value from elsewhere (`valueFrom`).
    pub opaque: bool,
    pub line: Option<u64>,
}

/// Reads a file by its content: JSON, YAML, or lines of `NAME=VALUE`.
pub(crate) fn read(path: &str, text: &str, declares: bool) -> Result<Vec<Named>, ProbeError> {
    let bad = |message: String| {
        ProbeError::new(ErrorKind::BadData, path, "reading the variables", message)
            .hint("lines of NAME=VALUE, a JSON object or schema, or Kubernetes or Compose YAML")
    };
    let extension = Path::new(path)
        .extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    if text.trim_start().starts_with('{') {
        let value: Value = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        return if declares {
            schema(&value)
        } else {
            object(&value)
        }
        .map_err(bad);
    }
    if ["yaml", "yml"]
        .iter()
        .any(|e| extension.eq_ignore_ascii_case(e))
    {
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(text).map_err(|e| bad(e.to_string()))?;
        let mut found = Vec::new();
        for document in &documents {
            yaml(document, &mut found);
        }
        return Ok(found);
    }
    lines(text).map_err(bad)
}

/// A JSON Schema of an object, or an object whose keys are the names.
fn schema(value: &Value) -> Result<Vec<Named>, String> {
    let Some(properties) = value.get("properties").and_then(Value::as_object) else {
        return object(value);
    };
    let required: Vec<&str> = value["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut found: Vec<Named> = properties
        .keys()
        .map(|name| Named {
            optional: !required.contains(&name.as_str()),
            ..named(name, "")
        })
        .collect();
    let bare = required
        .iter()
        .filter(|name| !properties.contains_key(**name));
    found.extend(bare.map(|name| named(name, "")));
    Ok(found)
}

fn object(value: &Value) -> Result<Vec<Named>, String> {
    let object = value.as_object().ok_or("not a JSON object")?;
    Ok(object
        .iter()
        .map(|(name, value)| named(name, &scalar(value)))
        .collect())
}

fn named(name: &str, value: &str) -> Named {
    Named {
        name: name.to_owned(),
        value: value.to_owned(),
        optional: false,
        opaque: false,
        line: None,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `data` and `stringData` of ConfigMap and Secret, `env` of containers, `environment` of Compose
/// services; any depth, since lists of manifests and templates wrap them.
fn yaml(value: &Value, found: &mut Vec<Named>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| yaml(item, found)),
        Value::Object(map) => {
            let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default();
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("data" | "stringData", Value::Object(pairs))
                        if matches!(kind, "ConfigMap" | "Secret") =>
                    {
                        // A Secret's data is base64: its name is all that is looked at.
                        let opaque = kind == "Secret" && key == "data";
                        found.extend(pairs.iter().map(|(name, value)| Named {
                            opaque: opaque && !scalar(value).is_empty(),
                            ..named(name, &scalar(value))
                        }));
                    }
                    ("env" | "environment", Value::Object(pairs)) => {
                        found.extend(
                            pairs
                                .iter()
                                .map(|(name, value)| named(name, &scalar(value))),
                        );
                    }
                    ("env" | "environment", Value::Array(items)) => {
                        found.extend(items.iter().filter_map(item));
                    }
                    _ => yaml(inner, found),
                }
            }
        }
        _ => {}
    }
}

/// `{name, value}` of Kubernetes, `NAME=VALUE` or `NAME` of Compose.
fn item(item: &Value) -> Option<Named> {
    if let Some(text) = item.as_str() {
        return Some(match text.split_once('=') {
            Some((name, value)) => named(name, value),
            None => Named {
                opaque: true,
                ..named(text, "")
            },
        });
    }
    let name = item.get("name")?.as_str()?;
    Some(match item.get("value") {
        Some(value) => named(name, &scalar(value)),
        None => Named {
            opaque: item.get("valueFrom").is_some(),
            ..named(name, "")
        },
    })
}

/// Lines of `NAME=VALUE`, as dotenv, Compose and systemd read them.
fn lines(text: &str) -> Result<Vec<Named>, String> {
    let mut found: Vec<Named> = Vec::new();
    let mut rest = text.lines().enumerate();
    while let Some((index, line)) = rest.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with(';') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!(
                "line {}: neither NAME=VALUE nor a comment",
                index + 1
            ));
        };
        let name = name.trim();
        let good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(good) {
            return Err(format!("line {}: not the name of a variable", index + 1));
        }
        let mut value = value.trim().to_owned();
        if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            while !closed(&value, quote) {
                let Some((_, more)) = rest.next() else {
                    return Err(format!(
                        "line {}: the quote of {name} never ends",
                        index + 1
                    ));
                };
                value.push('\n');
                value.push_str(more);
            }
            value = unquoted(&value, quote);
        } else if let Some((before, _)) = value.split_once(" #") {
            value = before.trim_end().to_owned();
        }
        // The last one counts, as it does for the programs that read such files.
        found.retain(|earlier| earlier.name != name);
        found.push(Named {
            line: Some(index as u64 + 1),
            ..named(name, &value)
        });
    }
    Ok(found)
}

fn closed(value: &str, quote: char) -> bool {
    value
        .char_indices()
        .skip(1)
        .any(|(at, c)| c == quote && !value[..at].ends_with('\\'))
}

fn unquoted(value: &str, quote: char) -> String {
    let inner = &value[1..];
    let end = inner
        .char_indices()
        .find(|(at, c)| *c == quote && !inner[..*at].ends_with('\\'));
    inner[..end.map_or(inner.len(), |(at, _)| at)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str, declares: bool) -> Vec<String> {
        let found = read(path, text, declares).unwrap();
        let mark = |n: &Named| {
            if n.opaque {
                "?"
            } else if n.optional {
                "-"
            } else {
                ""
            }
        };
        found
            .iter()
            .map(|n| format!("{}={}{}", n.name, n.value, mark(n)))
            .collect()
    }

    #[test]
    fn lines_are_read_as_dotenv_does() {
        let text = "# c\nexport A=1\nB = \"two # three\" \nC='x\ny'\nA=4 # later\n\nD=\n";
        assert_eq!(
            shown(".env", text, false),
            ["B=two # three", "C=x\ny", "A=4", "D="]
        );
        for broken in ["A", "A B=1", "A=\"x"] {
            let error = read(".env", &format!("\n{broken}"), false).err().unwrap();
            assert!(error.message.contains("line 2"), "{}", error.message);
        }
    }

    #[test]
    fn schemas_and_objects_are_read() {
        let schema = r#"{"properties": {"A": {}, "B": {}}, "required": ["A", "C"]}"#;
        assert_eq!(shown("s.json", schema, true), ["A=", "B=-", "C="]);
        assert_eq!(
            shown("s.json", r#"{"A": 1, "B": null}"#, false),
            ["A=1", "B="]
        );
        assert!(read("s.json", "{", true).is_err());
    }

    #[test]
    fn manifests_are_read() {
        let text = "kind: ConfigMap\ndata: { A: one }\n---\nkind: Secret\ndata: { B: eA== }\n---\n\
            kind: Deployment\nspec: { containers: [{ env: [{ name: C, value: x }, { name: D, valueFrom: {} }] }] }\n\
            ---\nservices: { web: { environment: [E=1, F] } }\n";
        assert_eq!(
            shown("k.yaml", text, false),
            ["A=one", "B=eA==?", "C=x", "D=?", "E=1", "F=?"]
        );
    }
}
