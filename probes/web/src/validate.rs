//! What cannot work in a config, found without any I/O.

use http::{HeaderName, HeaderValue};
use readygate_sdk::ConfigError;
use url::Url;

/// Headers that frame the message: the HTTP library sets them, and a wrong one splits requests.
const FRAMING: [&str; 6] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// An absolute URL, or one relative to the target's.
pub fn url(at: &str, text: &str, error: &mut ConfigError) {
    let hint = Some("write https://HOST/PATH, or /PATH to take the host from `target.url`");
    if text.trim().is_empty() {
        error.add(at, "the URL is empty", hint);
        return;
    }
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            let message = format!("`{}` is neither http nor https", url.scheme());
            error.add(at, message, hint);
        }
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => {}
        Err(cause) => {
            error.add(at, format!("not a URL: {cause}"), hint);
        }
    }
}

/// A header of a request.
pub fn request_header(at: &str, name: &str, value: &str, error: &mut ConfigError) {
    header_name(at, name, error);
    if FRAMING.contains(&name.to_ascii_lowercase().as_str()) {
        error.add(at, format!("`{name}` is set by the HTTP library"), None);
    }
    if HeaderValue::try_from(value).is_err() {
        let message = format!("the value of `{name}` holds characters that no header may hold");
        error.add(at, message, Some("is there a line feed at its end?"));
    }
}

/// The name of a header.
pub fn header_name(at: &str, name: &str, error: &mut ConfigError) {
    if HeaderName::try_from(name).is_err() {
        error.add(at, format!("`{name}` is not the name of a header"), None);
    }
}

/// A JSON pointer (RFC 6901).
pub fn json_pointer(at: &str, pointer: &str, error: &mut ConfigError) {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        let message = format!("`{pointer}` is not a JSON pointer, which starts with `/`");
        let path = pointer.trim_start_matches("$.").replace('.', "/");
        error.add(at, message, Some(&format!("write `/{path}`")));
    }
}

/// A key as a token of a JSON pointer (RFC 6901, section 3).
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
