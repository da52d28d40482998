//! HTTP Archive 1.2, as browsers and proxies save it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use url::Url;

use super::Captured;

/// The responses of one origin: that of `base` where some entry has it, or else that of the first.
pub(super) fn parse(bytes: &[u8], base: &Url) -> Result<Vec<Captured>, String> {
    let har: Value = serde_json::from_slice(bytes)
        .map_err(|e| format!("line {}, column {}: not JSON: {e}", e.line(), e.column()))?;
    let entries = har.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.ok_or("no HAR: `log.entries` is no list")?;
    let urls: Vec<Option<Url>> = entries.iter().map(url_of).collect();
    let known = urls
        .iter()
        .flatten()
        .any(|url| url.origin() == base.origin());
    let origin = if known {
        Some(base)
    } else {
        urls.iter().flatten().next()
    }
    .map(Url::origin);
    let mut found = Vec::new();
    let mut hops = Vec::new();
    for (index, (entry, url)) in entries.iter().zip(urls).enumerate() {
        let Some(url) = url.filter(|url| Some(url.origin()) == origin) else {
            continue;
        };
        let Some(mut response) = response(entry, url, index + 1)? else {
            continue;
        };
        let leads_on = matches!(response.status, 301 | 302 | 303 | 307 | 308)
            && entries[index + 1..]
                .iter()
                .filter_map(url_of)
                .any(|next| Some(next.origin()) == origin);
        if leads_on {
            hops.push(response);
        } else {
            response.hops = std::mem::take(&mut hops);
            found.push(response);
        }
    }
    Ok(found)
}

fn url_of(entry: &Value) -> Option<Url> {
    let text = entry.pointer("/request/url")?.as_str()?;
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// Status 0 stands for a request that got no answer.
fn response(entry: &Value, url: Url, number: usize) -> Result<Option<Captured>, String> {
    let place = |what: &str| format!("entry {number}: {what}");
    let response = entry
        .get("response")
        .ok_or_else(|| place("`response` is missing"))?;
    let status = response.get("status").and_then(Value::as_u64);
    let status = status
        .and_then(|s| u16::try_from(s).ok())
        .ok_or_else(|| place("`status` is no number"))?;
    if status == 0 {
        return Ok(None);
    }
    let headers = response.get("headers").and_then(Value::as_array);
    let headers = headers.ok_or_else(|| place("`headers` is no list"))?;
    let mut fields = Vec::new();
    for header in headers {
        let text = |key: &str| header.get(key).and_then(Value::as_str);
        let (Some(name), Some(value)) = (text("name"), text("value")) else {
            return Err(place("a header has no name or no value"));
        };
        // Browsers join repeated cookies with line feeds.
        for value in value.split('\n') {
            fields.push((
                name.trim().to_ascii_lowercase(),
                value.trim().as_bytes().to_vec(),
            ));
        }
    }
    let content = response.get("content");
    let text = content.and_then(|c| c.get("text")).and_then(Value::as_str);
    let encoded = content
        .and_then(|c| c.get("encoding"))
        .and_then(Value::as_str)
        == Some("base64");
    let body = match text {
        Some(text) if encoded => {
            let decoded = STANDARD.decode(text);
            Some(decoded.map_err(|e| place(&format!("the body is no base64: {e}")))?)
        }
        Some(text) => Some(text.as_bytes().to_vec()),
        None => None,
    };
    Ok(Some(Captured {
        url: Some(url),
        number,
        status,
        fields,
        body,
        hops: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_is_taken() {
        let har = r#"{"log": {"entries": [
            {"request": {"url": "https://a.example/"}, "response": {"status": 302, "headers": []}},
            {"request": {"url": "https://cdn.example/x.js"}, "response": {"status": 200, "headers": []}},
            {"request": {"url": "https://a.example/x"}, "response": {"status": 0, "headers": []}},
            {"request": {"url": "https://a.example/home"}, "response": {"status": 200,
              "headers": [{"name": "Set-Cookie", "value": "a=1\nb=2"}],
              "content": {"text": "PGh0bWw+", "encoding": "base64"}}}]}}"#;
        let elsewhere = Url::parse("https://captured.invalid/").unwrap();
        let found = parse(har.as_bytes(), &elsewhere).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].hops.len(), found[0].fields.len()), (1, 2));
        assert_eq!(found[0].body.as_deref(), Some(&b"<html>"[..]));
        let cdn = Url::parse("https://cdn.example/").unwrap();
        assert_eq!(parse(har.as_bytes(), &cdn).unwrap().len(), 1);
    }

    #[test]
    fn broken_archives_say_where() {
        let base = Url::parse("https://a.example/").unwrap();
        for (text, says) in [
            ("{", "line 1, column 1"),
            ("{}", "log.entries"),
            (
                r#"{"log": {"entries": [{"request": {"url": "https://a.example/"}}]}}"#,
                "entry 1",
            ),
            (
                r#"{"log": {"entries": [{"request": {"url": "https://a.example/"}, "response": {"status": 200}}]}}"#,
                "headers",
            ),
        ] {
            let error = parse(text.as_bytes(), &base).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
