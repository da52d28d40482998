//! URLs: resolved against the target, and shown without what is secret in them.

use readygate_sdk::{ErrorKind, Masker, ProbeError, Target};
use url::Url;

/// The URL of the config, resolved against the target's (RFC 3986, section 5).
pub fn resolve(text: &str, target: &Target) -> Result<Url, ProbeError> {
    let fail = |message: String, hint: &str| {
        let subject = shown_text(text);
        ProbeError::new(ErrorKind::BadData, subject, "reading the config", message).hint(hint)
    };
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let Some(base) = &target.url else {
                let hint = "set `target.url`, or write the whole URL";
                return Err(fail("a relative URL, and the target has none".into(), hint));
            };
            let join = Url::parse(base).and_then(|base| base.join(text));
            join.map_err(|e| {
                fail(
                    format!("`target.url` is not a URL: {e}"),
                    "write https://HOST",
                )
            })?
        }
        Err(e) => return Err(fail(format!("not a URL: {e}"), "write https://HOST/PATH")),
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        let message = format!("`{}` is neither http nor https", url.scheme());
        return Err(fail(message, "write https://HOST/PATH"));
    }
    Ok(url)
}

/// Takes credentials and fragment off: neither is part of what a server is asked.
pub(crate) fn strip_userinfo(url: &mut Url) {
    // Both fail only for URLs without a host, which were refused before.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
}

/// Whether a URL of the config holds credentials.
pub fn has_userinfo(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

/// Query parameters whose values are credentials by their name.
const SECRET_PARAMETERS: [&str; 14] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "client_secret",
    "code",
    "key",
    "passwd",
    "password",
    "secret",
    "sig",
    "signature",
    "token",
    "x-amz-signature",
];

/// A URL as it may be shown: no userinfo, no fragment, no values of parameters that are secrets by
/// their name.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    strip_userinfo(&mut url);
    if let Some(query) = url.query() {
        let masked: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) if SECRET_PARAMETERS.contains(&&*name.to_ascii_lowercase()) => {
                    format!("{name}=***")
                }
                _ => pair.to_owned(),
            })
            .collect();
        url.set_query(Some(&masked.join("&")));
    }
    url.into()
}

/// A URL of the config as it may be shown, be it relative or not a URL at all.
pub fn shown_text(text: &str) -> String {
    if let Ok(url) = Url::parse(text)
        && url.has_host()
    {
        return shown(&url);
    }
    // A relative one: borrow a base for the query, and take it off again.
    let base = Url::parse("http://x").ok();
    match base.and_then(|base| base.join(text).ok()) {
        Some(url) if url.host_str() == Some("x") && url.query().is_some() => {
            let path = text.split(['?', '#']).next().unwrap_or_default();
            let shown = shown(&url);
            let query = shown.split_once('?').map_or("", |(_, query)| query);
            format!("{path}?{query}")
        }
        _ => {
            let text = text.split('#').next().unwrap_or_default();
            // Not a URL, and still it may hold what looks like a password.
            Masker::new([]).mask(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_urls_hold_no_credentials() {
        for (text, expected) in [
            ("https://u:p@h/x?a=1&token=t#f", "https://h/x?a=1&token=***"),
            ("/x?Api_Key=1&b", "/x?Api_Key=***&b"),
            ("/health", "/health"),
            ("health#x", "health"),
            ("http://u:p@:80/", "http://u:***@:80/"),
        ] {
            assert_eq!(shown_text(text), expected);
        }
    }
}
