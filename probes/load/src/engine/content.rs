//! What a response says: checks of its body and values taken from it.

use std::cell::OnceCell;

use serde_json::Value;

use super::plan::{Check, Shot, Source, Take};

/// Whether a response is as it should be; takes the captures on the way.
pub(super) fn accept(
    shot: &Shot,
    head: &[u8],
    body: &[u8],
    variables: &mut [Option<String>],
) -> bool {
    let json = OnceCell::new();
    for check in &shot.checks {
        if !holds(check, body, &json) {
            return false;
        }
    }
    shot.captures.iter().all(|take| {
        let value = value(take, head, body, &json);
        let found = value.is_some();
        if let Some(variable) = variables.get_mut(take.variable) {
            *variable = value;
        }
        found
    })
}

/// The JSON of a body, parsed when first asked for; nothing if it is none.
type Json = OnceCell<Option<Value>>;

fn parsed<'a>(body: &[u8], json: &'a Json) -> Option<&'a Value> {
    json.get_or_init(|| serde_json::from_slice(body).ok())
        .as_ref()
}

fn holds(check: &Check, body: &[u8], json: &Json) -> bool {
    match check {
        Check::Contains(finder) => finder.find(body).is_some(),
        Check::Lacks(finder) => finder.find(body).is_none(),
        Check::Matches(pattern) => pattern.is_match(body),
        Check::Json(pointer, equals) => {
            let found = parsed(body, json).and_then(|v| v.pointer(pointer));
            found.is_some_and(|found| equals.as_ref().is_none_or(|e| e == found))
        }
        Check::Length(min, max) => {
            let length = body.len() as u64;
            length >= *min && max.is_none_or(|max| length <= max)
        }
    }
}

fn value(take: &Take, head: &[u8], body: &[u8], json: &Json) -> Option<String> {
    match &take.from {
        Source::Json(pointer) => match parsed(body, json)?.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
        Source::Regex(pattern) => {
            let found = pattern.captures(body)?;
            let found = found.get(1).or_else(|| found.get(0))?;
            Some(String::from_utf8_lossy(found.as_bytes()).into_owned())
        }
        Source::Header(name) => header(head, name),
    }
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let mut headers = [httparse::EMPTY_HEADER; super::http1::MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(head).ok()?;
    let found = response
        .headers
        .iter()
        .find(|h| h.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(found.value).into_owned())
}
