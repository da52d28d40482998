//! Requests as generated files hold them.

use readygate_sdk::{ConfigError, ErrorKind, ProbeError, Secret};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _};

use super::config::{Request, Sent};
use crate::config::path;

/// Requests with absolute URLs, in the form that the templates read.
///
/// # Errors
/// A path without a target to resolve it against.
pub(crate) fn resolved(sent: Sent<'_>, target: Option<&str>) -> Result<Vec<Value>, String> {
    let single = sent.url.map(|url| Request {
        name: None,
        url: url.to_owned(),
        method: super::config::Method::Get,
        weight: 1,
        body: None,
        json: None,
        expect_status: Vec::new(),
    });
    let all = single.iter().chain(sent.requests);
    all.map(|request| one(request, target)).collect()
}

fn one(request: &Request, target: Option<&str>) -> Result<Value, String> {
    let url = if request.url.starts_with('/') {
        let base = target.ok_or_else(|| {
            format!(
                "`{}` is a path, and no URL of the target is known",
                request.url
            )
        })?;
        format!("{}{}", base.trim_end_matches('/'), request.url)
    } else {
        request.url.clone()
    };
    let mut headers = serde_json::Map::new();
    if request.json.is_some() {
        headers.insert("Content-Type".into(), json!("application/json"));
    }
    let body = request.body.clone();
    let body = body.or_else(|| request.json.as_ref().map(Value::to_string));
    let name = request.name.clone();
    let name = name.unwrap_or_else(|| format!("{} {}", request.method.name(), path(&request.url)));
    Ok(json!({
        "name": name,
        "method": request.method.name(),
        "url": url,
        "weight": request.weight,
        "headers": headers,
        "body": body,
        "expect_status": request.expect_status,
    }))
}

/// The same as an error of the measurement.
pub(crate) fn no_target(tool: &str, why: String) -> ProbeError {
    ProbeError::new(ErrorKind::NoData, tool, "planning the run", why)
        .hint("set `url` of the target in the config, or write the whole URL")
}

/// Headers for the environment of a process: a JSON object. The files hold their names only.
pub(crate) fn headers(headers: &BTreeMap<String, Secret>) -> String {
    let exposed: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(value.expose())))
        .collect();
    Value::Object(exposed).to_string()
}

/// Hosts that a run contacts, for its footprint.
pub(crate) fn contacts(sent: Sent<'_>) -> Vec<String> {
    let urls = sent.url.into_iter();
    let urls = urls.chain(sent.requests.iter().map(|request| request.url.as_str()));
    let mut hosts: Vec<String> = urls
        .map(|url| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            if host.is_empty() { "the target" } else { host }.to_owned()
        })
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Puts a plan into a template, where it stands as `"@PLAN@"`: JSON inside a string literal, which
/// Python and JavaScript read alike.
pub(crate) fn fill(template: &str, plan: &Value) -> String {
    let literal = Value::String(plan.to_string()).to_string();
    template.replacen("\"@PLAN@\"", &ascii(&literal), 1)
}

/// U+2028 ends a line in old JavaScript, and a file without other characters needs no encoding.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // The literal is read once by the language and once as JSON, so the escape is doubled.
            let _ = write!(out, "\\\\u{unit:04x}");
        }
    }
    out
}

/// Adds a problem where a duration is zero.
pub(crate) fn positive(period: readygate_sdk::Period, at: &str, error: &mut ConfigError) {
    if period.0.is_zero() {
        error.add(at, "it must be longer than 0", None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_the_template() {
        let plan = json!({ "a": "\"quoted\" \\ é \u{2028} 😀 \n '" });
        let filled = fill("x = parse(\"@PLAN@\")", &plan);
        let literal = filled
            .trim_start_matches("x = parse(")
            .trim_end_matches(')');
        assert!(literal.is_ascii(), "{literal}");
        let inner: String = serde_json::from_str(literal).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&inner).unwrap(), plan);
    }

    #[test]
    fn paths_need_a_target() {
        let headers = BTreeMap::new();
        let sent = Sent {
            url: Some("/a?b=1"),
            requests: &[],
            headers: &headers,
        };
        assert!(resolved(sent, None).is_err());
        let found = resolved(sent, Some("https://app.test/")).unwrap();
        assert_eq!(found[0]["url"], "https://app.test/a?b=1");
        assert_eq!(
            found[0]["name"], "GET /a",
            "one route, whatever is asked for"
        );
        assert_eq!(contacts(sent), ["the target"]);
        let sent = Sent {
            url: Some("http://u:p@h:8080/x"),
            ..sent
        };
        assert_eq!(contacts(sent), ["h:8080"]);
    }
}
