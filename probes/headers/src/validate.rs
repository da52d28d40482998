//! What cannot work, found without any I/O.

use readygate_sdk::{ConfigError, Texts};
use readygate_web::validate::{escape, request_header, url};
use url::Url;

use crate::config::HeadersConfig;

/// URLs of one gate; bounds the record and the requests.
const MOST_URLS: usize = 100;
/// Origins and methods of one gate, of each.
const MOST_ORIGINS: usize = 10;
/// URLs that are asked as other origins; each takes a dozen requests or more.
const MOST_CORS_URLS: usize = 20;
const MOST_REDIRECTS: u8 = 10;
const MOST_BODY: u64 = 16 << 20;

/// Every problem of `config`.
pub(crate) fn validate(config: &HeadersConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    sources(config, &mut error);
    lists(config, &mut error);
    private(config, &mut error);
    http_url(config, &mut error);
    origins(config, &mut error);
    let open = config
        .headers
        .iter()
        .map(|(n, v)| ("headers", n, v.as_str()));
    let secret = config
        .secret_headers
        .iter()
        .map(|(n, v)| ("secret_headers", n, v.expose()));
    for (block, name, value) in open.chain(secret) {
        request_header(
            &format!("/{block}/{}", escape(name)),
            name,
            value,
            &mut error,
        );
        if name.eq_ignore_ascii_case("origin") {
            let message = "`Origin` is set by the probe, which asks as several";
            error.add(
                format!("/{block}/{}", escape(name)),
                message,
                Some("see `cors`"),
            );
        }
    }
    if config.redirects > MOST_REDIRECTS {
        let message = format!("{} redirects; 0 to {MOST_REDIRECTS} work", config.redirects);
        error.add("/redirects", message, None);
    }
    if !(1..=MOST_BODY).contains(&config.max_body.0) {
        error.add(
            "/max_body",
            format!("{} of body; 1 B to 16 MiB work", config.max_body),
            None,
        );
    }
    error.into_result()
}

fn sources(config: &HeadersConfig, error: &mut ConfigError) {
    let urls = config.urls().count();
    if urls == 0 && config.from_file.is_empty() {
        let hint = Some(
            "name at least one URL in `pages`, `api`, `not_found`, `server_error` or `static`, or a capture in `from_file`",
        );
        error.add("", "nothing to look at", hint);
    }
    if urls > 0 && !config.from_file.is_empty() {
        let hint = Some("use two gates, one for each");
        error.add("/from_file", "URLs and captures in one gate", hint);
    }
    if config.from_file.iter().any(|file| file.trim().is_empty()) {
        error.add("/from_file", "the name of a file is empty", None);
    }
    if urls > MOST_URLS {
        error.add(
            "",
            format!("{urls} URLs; at most {MOST_URLS}"),
            Some("split the gate"),
        );
    }
    if let Some(captured) = &config.captured_url {
        url("/captured_url", captured, error);
    }
}

fn lists(config: &HeadersConfig, error: &mut ConfigError) {
    let lists: [(&str, &Texts); 6] = [
        ("/pages", &config.pages),
        ("/api", &config.api),
        ("/not_found", &config.not_found),
        ("/server_error", &config.server_error),
        ("/static", &config.r#static),
        ("/cors/urls", &config.cors.urls),
    ];
    let mut seen: Vec<&str> = Vec::new();
    for (at, texts) in lists {
        for text in texts.iter() {
            url(at, text, error);
            if at != "/cors/urls" && seen.contains(&text) {
                error.add(
                    at,
                    format!("`{}` is declared twice", readygate_web::shown_text(text)),
                    None,
                );
            }
            seen.push(text);
        }
    }
    if config.cors_urls().len() > MOST_CORS_URLS {
        let message = format!("more than {MOST_CORS_URLS} URLs are asked as other origins");
        error.add("/cors/urls", message, Some("name the ones that matter"));
    }
}

fn private(config: &HeadersConfig, error: &mut ConfigError) {
    if !config.from_file.is_empty() {
        return;
    }
    for text in config.private.iter().filter(|text| *text != "all") {
        if !config.urls().any(|(_, declared)| declared == text) {
            let message = format!(
                "`{}` is none of the declared URLs",
                readygate_web::shown_text(text)
            );
            error.add(
                "/private",
                message,
                Some("write it as it stands in the other list, or `all`"),
            );
        }
    }
}

fn http_url(config: &HeadersConfig, error: &mut ConfigError) {
    let Some(text) = config.http_url.as_deref().filter(|text| *text != "none") else {
        return;
    };
    let hint = Some("write http://HOST/, or `none` when nothing listens on plain HTTP");
    if !Url::parse(text).is_ok_and(|url| url.scheme() == "http" && url.has_host()) {
        error.add("/http_url", "not a whole http:// URL", hint);
    }
    if !config.from_file.is_empty() {
        let hint = Some("leave it out, or write `none`");
        error.add(
            "/http_url",
            "captures contact nothing, and `http_url` would have to be",
            hint,
        );
    }
}

fn origins(config: &HeadersConfig, error: &mut ConfigError) {
    let cors = &config.cors;
    for (at, texts) in [
        ("/cors/allowed", &cors.allowed),
        ("/cors/denied", &cors.denied),
    ] {
        for text in texts.iter() {
            let wildcard = at == "/cors/allowed" && (text == "*" || text.contains("://*."));
            if !wildcard && !is_origin(text) {
                let message = format!("`{}` is no origin", readygate_web::shown_text(text));
                error.add(at, message, Some("write scheme and host, and the port where it is not the usual one: https://app.example.com"));
            }
        }
    }
    for text in cors.denied.iter().filter(|text| config.allows(text)) {
        error.add(
            "/cors/denied",
            format!("`{text}` is both allowed and denied"),
            None,
        );
    }
    for method in cors.methods.iter() {
        if http::Method::from_bytes(method.as_bytes()).is_err()
            || method != method.to_ascii_uppercase()
        {
            error.add(
                "/cors/methods",
                format!("`{method}` is no method"),
                Some("write GET, PUT, DELETE"),
            );
        }
    }
    let plain = cors
        .allowed
        .iter()
        .filter(|text| !text.contains('*'))
        .count();
    if !cors.methods.is_empty() && plain == 0 {
        let hint = Some("name the origin in `cors.allowed`");
        error.add(
            "/cors/methods",
            "methods are granted to an allowed origin, and there is none",
            hint,
        );
    }
    for (at, texts) in [
        ("/cors/allowed", &cors.allowed),
        ("/cors/denied", &cors.denied),
        ("/cors/methods", &cors.methods),
    ] {
        if texts.iter().count() > MOST_ORIGINS {
            error.add(at, format!("more than {MOST_ORIGINS}"), None);
        }
    }
}

/// As a browser serializes one: no path, no default port, lower case.
fn is_origin(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == text)
}
