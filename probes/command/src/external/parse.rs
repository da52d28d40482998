//! Writes the request and reads the reply, strictly: a field that is misspelled is not overlooked.

use std::{collections::BTreeMap, fmt};

use readygate_sdk::{Cx, Level, Unit, excerpt};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};

use super::{ExternalMetric, PROTOCOL, Reply};
use crate::{CommandConfig, config::is_name};

/// Metrics, and checks, of one reply.
const MOST: usize = 1000;
/// Characters of one text of a reply.
const LONGEST: usize = 2000;

/// What the program gets on its standard input.
pub fn request(config: &CommandConfig, cx: &Cx) -> Value {
    let target = cx.target();
    json!({
        "protocol": PROTOCOL,
        "target": {
            "name": target.name,
            "url": target.url,
            "environment": target.environment,
            "version": target.version,
            "commit": target.commit,
        },
        "with": config.with,
        "timeout_s": (cx.remaining().as_secs_f64() * 1e3).floor() / 1e3,
    })
}

/// Reads what a program printed; the error says what is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Reply, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("it printed nothing on its standard output".to_owned());
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => format!("its answer is no JSON object: {e}"),
        _ => format!("its answer is not JSON: {e}"),
    })?;
    match head.protocol.as_ref() {
        Some(Value::String(name)) if name == PROTOCOL => {}
        Some(other) => {
            return Err(format!(
                "it speaks protocol {}, and the gate {PROTOCOL}",
                excerpt(&other.to_string(), 100)
            ));
        }
        None => return Err(format!("its answer lacks `\"protocol\": \"{PROTOCOL}\"`")),
    }
    let mut reply: Reply = serde_json::from_slice(bytes)
        .map_err(|e| format!("its answer does not fit {PROTOCOL}: {e}"))?;
    check_metrics(&reply)?;
    check_checks(&reply)?;
    shorten(&mut reply);
    Ok(reply)
}

/// Read first, so that a later version is named and not blamed for its new fields.
#[derive(Deserialize)]
struct Head {
    protocol: Option<Value>,
}

fn check_metrics(reply: &Reply) -> Result<(), String> {
    if reply.metrics.len() > MOST {
        return Err(format!(
            "it reports {} metrics, and {MOST} is the limit",
            reply.metrics.len()
        ));
    }
    for (name, metric) in &reply.metrics {
        if !is_name(name) {
            return Err(format!(
                "`{}` cannot name a metric: letters, digits, `.`, `_` and `-` can",
                excerpt(name, 100)
            ));
        }
        match (metric.unit, &metric.value) {
            (Unit::Text, Value::String(_)) => {}
            (Unit::Text, _) => return Err(format!("metric `{name}` has unit `text` and no text")),
            (_, Value::Number(_)) => {}
            (unit, _) => {
                let unit = unit.name();
                return Err(format!("metric `{name}` has unit `{unit}` and no number"));
            }
        }
    }
    Ok(())
}

fn check_checks(reply: &Reply) -> Result<(), String> {
    if reply.checks.len() > MOST {
        return Err(format!(
            "it reports {} checks, and {MOST} is the limit",
            reply.checks.len()
        ));
    }
    for (index, check) in reply.checks.iter().enumerate() {
        if !is_rule(&check.rule) {
            return Err(format!(
                "checks[{index}]: `{}` is not a rule; write `name/problem` in lowercase letters, digits and `-`",
                excerpt(&check.rule, 100)
            ));
        }
        if check.subject.trim().is_empty() || check.message.trim().is_empty() {
            return Err(format!(
                "checks[{index}]: `subject` and `message` must say something"
            ));
        }
    }
    Ok(())
}

fn is_rule(text: &str) -> bool {
    let part = |part: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=50).contains(&part.len()) && part.chars().all(fits) && !part.starts_with('-')
    };
    text.split_once('/')
        .is_some_and(|(name, problem)| part(name) && part(problem))
}

fn shorten(reply: &mut Reply) {
    let cut = |text: &mut String| *text = excerpt(text, LONGEST);
    for metric in reply.metrics.values_mut() {
        if let Value::String(text) = &mut metric.value {
            cut(text);
        }
    }
    reply.each_text(cut);
}

impl Reply {
    /// Calls `change` for every text that people will read.
    pub(crate) fn each_text(&mut self, mut change: impl FnMut(&mut String)) {
        for check in &mut self.checks {
            change(&mut check.subject);
            change(&mut check.message);
            let optional = [&mut check.expected, &mut check.actual, &mut check.hint];
            optional.into_iter().flatten().for_each(&mut change);
            if let Some(location) = &mut check.location {
                change(&mut location.file);
            }
        }
        if let Some(error) = &mut self.error {
            change(&mut error.message);
            let optional = [&mut error.subject, &mut error.phase, &mut error.hint];
            optional.into_iter().flatten().for_each(&mut change);
        }
    }
}

pub(super) fn error_level() -> Level {
    Level::Error
}

/// A map that refuses a name that comes twice; JSON parsers mostly keep the last one silently.
pub(super) fn unique<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, ExternalMetric>, D::Error> {
    struct Unique;
    impl<'de> de::Visitor<'de> for Unique {
        type Value = BTreeMap<String, ExternalMetric>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of metrics")
        }
        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut metrics = BTreeMap::new();
            while let Some(name) = map.next_key::<String>()? {
                let metric = map.next_value()?;
                if metrics.contains_key(&name) {
                    return Err(de::Error::custom(format!("metric `{name}` comes twice")));
                }
                metrics.insert(name, metric);
            }
            Ok(metrics)
        }
    }
    deserializer.deserialize_map(Unique)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(reply: &str) -> String {
        parse(reply.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_full_reply_is_read() {
        let reply = parse(
            br#"{"protocol": "readygate/1",
                "metrics": {"queue.length": {"value": 3, "unit": "count"}, "v": {"value": "4.0", "unit": "text"}},
                "checks": [{"rule": "queue/too-long", "subject": "mail", "outcome": "failed", "level": "warning",
                    "message": "too long", "expected": "2", "actual": "3", "hint": "wait",
                    "location": {"file": "a.sql", "line": 3}}],
                "error": null}"#,
        )
        .unwrap();
        assert_eq!(
            (reply.metrics.len(), reply.checks[0].level),
            (2, Level::Warning)
        );
        assert_eq!(
            serde_json::from_str::<Reply>(&serde_json::to_string(&reply).unwrap()).unwrap(),
            reply
        );
    }

    /// Replies, and what must be said of them.
    const WRONG: &[(&str, &str)] = &[
        ("", "printed nothing"),
        ("hello", "not JSON"),
        ("[]", "no JSON object"),
        ("{}", "lacks `\"protocol\""),
        (
            r#"{"protocol":"readygate/2","new":1}"#,
            "speaks protocol \"readygate/2\"",
        ),
        (
            r#"{"protocol":"readygate/1","cheks":[]}"#,
            "unknown field `cheks`",
        ),
        (r#"{"protocol":"readygate/1"} more"#, "trailing characters"),
        (
            r#"{"protocol":"readygate/1","metrics":{"a":{"value":1,"unit":"s"},"a":{"value":2,"unit":"s"}}}"#,
            "metric `a` comes twice",
        ),
        (
            r#"{"protocol":"readygate/1","metrics":{"a":{"value":1,"unit":"kg"}}}"#,
            "unknown variant `kg`",
        ),
        (
            r#"{"protocol":"readygate/1","metrics":{"a":{"value":"1","unit":"s"}}}"#,
            "no number",
        ),
        (
            r#"{"protocol":"readygate/1","metrics":{"a":{"value":1,"unit":"text"}}}"#,
            "no text",
        ),
        (
            r#"{"protocol":"readygate/1","metrics":{"a":{"value":1e999,"unit":"s"}}}"#,
            "out of range",
        ),
        (
            r#"{"protocol":"readygate/1","metrics":{"a":{"value":NaN,"unit":"s"}}}"#,
            "not JSON",
        ),
        (
            r#"{"protocol":"readygate/1","metrics":{"a b":{"value":1,"unit":"s"}}}"#,
            "cannot name a metric",
        ),
        (
            r#"{"protocol":"readygate/1","checks":[{"rule":"Q","subject":"s","outcome":"passed","message":"m"}]}"#,
            "checks[0]: `Q`",
        ),
        (
            r#"{"protocol":"readygate/1","checks":[{"rule":"a/b","subject":" ","outcome":"passed","message":"m"}]}"#,
            "must say something",
        ),
        (
            r#"{"protocol":"readygate/1","checks":[{"rule":"a/b","subject":"s","outcome":"ok","message":"m"}]}"#,
            "unknown variant `ok`",
        ),
        (
            r#"{"protocol":"readygate/1","error":{"kind":"internal","message":"m"}}"#,
            "unknown variant `internal`",
        ),
    ];

    #[test]
    fn everything_wrong_is_named() {
        for (reply, wanted) in WRONG {
            let said = problem(reply);
            assert!(said.contains(wanted), "{reply}: {said}");
        }
    }

    #[test]
    fn a_flood_is_refused() {
        let check = r#"{"rule":"a/b","subject":"s","outcome":"passed","message":"m"}"#;
        let checks = vec![check; MOST + 1].join(",");
        let said = problem(&format!(
            r#"{{"protocol":"readygate/1","checks":[{checks}]}}"#
        ));
        assert!(said.contains("1001 checks"), "{said}");
    }
}
