//! Takes values out of a response, for later steps.

use readygate_web::Response;
use serde_json::Value;

use crate::{facts::parse, grown::Capture};

/// Captured values are tokens, not documents.
const LONGEST: usize = 16 << 10;

/// The value at `source`, or why there is none.
pub(crate) fn capture(source: &Capture, response: &Response) -> Result<String, String> {
    let found = match source {
        Capture::Json(pointer) => json(pointer, response)?,
        Capture::Header(name) => {
            let value = response.values(name).next();
            let value = value.ok_or("the response has no such header")?;
            String::from_utf8(value.to_vec()).map_err(|_| "the header is not UTF-8")?
        }
        Capture::Text(pattern) => {
            let text = text(response)?;
            let found = pattern.find(&text).ok_or("nothing in the body matches")?;
            found.to_owned()
        }
        Capture::Cookie(name) => {
            cookie(name, response).ok_or("the response sets no such cookie")?
        }
    };
    if found.trim().is_empty() {
        return Err("the value is empty".to_owned());
    }
    if found.len() > LONGEST {
        return Err(format!(
            "the value has {} bytes; at most {LONGEST}",
            found.len()
        ));
    }
    Ok(found)
}

fn text(response: &Response) -> Result<std::borrow::Cow<'_, str>, String> {
    let text = response.body.text();
    text.ok_or_else(|| "the body has an encoding that was not asked for".to_owned())
}

fn json(pointer: &str, response: &Response) -> Result<String, String> {
    text(response)?;
    if response.body.truncated {
        return Err("the body is longer than `max_body`".to_owned());
    }
    let document = parse(&response.body.bytes).map_err(|_| "the body is not JSON")?;
    match document.pointer(pointer) {
        None | Some(Value::Null) => Err("the body has no such value".to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(_) => Err("the value is a list or an object".to_owned()),
    }
}

/// The last one of this name, as a browser keeps it (RFC 6265, section 5.3).
fn cookie(name: &str, response: &Response) -> Option<String> {
    let cookies = response.values("set-cookie");
    let pairs = cookies.filter_map(|value| {
        let text = std::str::from_utf8(value).ok()?;
        let (found, value) = text.split(';').next()?.split_once('=')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    });
    pairs.last()
}
