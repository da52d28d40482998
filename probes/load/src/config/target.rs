//! URLs of requests, split into the server and what it is asked.

use readygate_sdk::{ErrorKind, ProbeError, Target};
use url::Url;

/// Whether the target's URL comes before it.
pub(crate) fn is_relative(url: &str) -> bool {
    !url.starts_with("http://") && !url.starts_with("https://")
}

/// Scheme, host and port of an absolute URL; its path may hold variables.
pub(crate) fn origin(url: &str) -> Option<String> {
    let (server, _) = split(url)?;
    Some(Url::parse(server).ok()?.origin().ascii_serialization())
}

/// An absolute URL cut behind its authority.
fn split(url: &str) -> Option<(&str, &str)> {
    let from = url.find("://")? + 3;
    let end = url[from..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| from + at);
    Some(url.split_at(end))
}

/// The server that load is put on, and the path and query that it is asked for.
pub(crate) fn resolve(url: &str, target: &Target) -> Result<(Url, String), ProbeError> {
    let bad = |message: String, hint: &str| {
        let subject = readygate_web::shown_text(url);
        ProbeError::new(ErrorKind::BadData, subject, "reading the config", message).hint(hint)
    };
    let url = url.split('#').next().unwrap_or_default();
    let (server, asked) = if is_relative(url) {
        let base = readygate_web::resolve("/", target).map_err(|_| {
            bad(
                "a relative URL, and the target has none".to_owned(),
                "set `target.url`, or write the whole URL",
            )
        })?;
        if url.starts_with('/') {
            (base, url.to_owned())
        } else {
            // `api/items` below the target's own path, as browsers resolve it.
            let whole = readygate_web::resolve(url, target)?;
            let asked = &whole[url::Position::BeforePath..url::Position::AfterQuery];
            (base, asked.replace("%7B", "{").replace("%7D", "}"))
        }
    } else {
        let Some((server, asked)) = split(url) else {
            return Err(bad("not a URL".to_owned(), "write https://HOST/PATH"));
        };
        let server = Url::parse(server)
            .map_err(|e| bad(format!("not a URL: {e}"), "write https://HOST/PATH"))?;
        (server, asked.to_owned())
    };
    let asked = match asked.as_str() {
        "" => "/".to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        _ => encoded(&asked),
    };
    Ok((server, asked))
}

/// What no request line may hold is encoded (RFC 3986, section 2.1); the rest stays as written.
fn encoded(asked: &str) -> String {
    let mut out = String::with_capacity(asked.len());
    for byte in asked.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`') {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_server_and_what_it_is_asked() {
        let target = Target {
            url: Some("https://shop.example.com/base/".to_owned()),
            ..Target::default()
        };
        for (url, server, asked) in [
            ("/a?b=1#c", "https://shop.example.com/", "/a?b=1"),
            ("a/{{id}}", "https://shop.example.com/", "/base/a/{{id}}"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", "/"),
            ("http://h?x", "http://h/", "/?x"),
            ("http://h/u/{{id}}/ä b", "http://h/", "/u/{{id}}/%C3%A4%20b"),
        ] {
            let (found, path) = resolve(url, &target).unwrap();
            assert_eq!((found.as_str(), path.as_str()), (server, asked), "{url}");
        }
        assert!(resolve("/a", &Target::default()).is_err());
        assert_eq!(origin("http://h:80/{{x}}").as_deref(), Some("http://h"));
    }
}
