//! What cannot work, found without any I/O.

use readygate_sdk::ConfigError;
use readygate_web::{Method, validate as web};

use crate::{
    config::{HttpConfig, VersionSource},
    validate_grown,
};

const MOST_SAMPLES: u8 = 100;
const MOST_REDIRECTS: u8 = 20;
/// Every gate may hold one body of this size in memory.
const MOST_BODY: u64 = 64 << 20;
/// Headers, pointers and texts asked of one response, of each; bounds the record.
const MOST_ASKED: usize = 50;

/// Every problem of `config`.
pub(crate) fn validate(config: &HttpConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    numbers(config, &mut error);
    validate_grown::gate(config, &mut error);
    if config.steps.is_empty() {
        request(config, &mut error);
    }
    error.into_result()
}

/// Every problem of one request.
pub(crate) fn request(config: &HttpConfig, error: &mut ConfigError) {
    url(config, error);
    request_headers(config, error);
    if let Some(auth) = &config.auth {
        auth.validate("/auth", error);
    }
    bodies(config, error);
    expectations(config, error);
    validate_grown::request(config, error);
}

fn url(config: &HttpConfig, error: &mut ConfigError) {
    web::url("/url", &config.url, error);
    if config.auth.is_some() && readygate_web::has_userinfo(&config.url) {
        let message = "credentials are given twice: in the URL and in `auth`";
        error.add("/url", message, Some("leave them out of the URL"));
    }
}

fn numbers(config: &HttpConfig, error: &mut ConfigError) {
    if !(1..=MOST_SAMPLES).contains(&config.samples) {
        let message = format!("{} samples; 1 to {MOST_SAMPLES} work", config.samples);
        error.add("/samples", message, Some("the `load` probe sends more"));
    }
    if config.redirects > MOST_REDIRECTS {
        let message = format!("{} redirects; 0 to {MOST_REDIRECTS} work", config.redirects);
        error.add("/redirects", message, None);
    }
    if !(1..=MOST_BODY).contains(&config.max_body.0) {
        let message = format!("{} of body; 1 B to 64 MiB work", config.max_body);
        error.add("/max_body", message, None);
    }
}

fn request_headers(config: &HttpConfig, error: &mut ConfigError) {
    let open = config
        .headers
        .iter()
        .map(|(n, v)| ("headers", n, v.as_str()));
    let secret = config
        .secret_headers
        .iter()
        .map(|(n, v)| ("secret_headers", n, v.expose()));
    let mut seen = Vec::new();
    for (block, name, value) in open.chain(secret) {
        let pointer = format!("/{block}/{}", web::escape(name));
        let lower = name.to_ascii_lowercase();
        web::request_header(&pointer, name, value, error);
        if lower == "authorization" && config.auth.is_some() {
            let message = format!("`{name}` and `auth` set the same header");
            error.add(&pointer, message, Some("keep `auth`"));
        }
        if seen.contains(&lower) {
            error.add(
                &pointer,
                format!("the header `{name}` is given twice"),
                None,
            );
        }
        seen.push(lower);
    }
}

fn bodies(config: &HttpConfig, error: &mut ConfigError) {
    let given = [
        ("body", config.body.is_some()),
        ("json", config.json.is_some()),
        ("form", config.form.is_some()),
    ];
    let given: Vec<_> = given
        .iter()
        .filter(|(_, is)| *is)
        .map(|(n, _)| *n)
        .collect();
    if let [_, second, ..] = given.as_slice() {
        let message = format!("more than one request body: {}", given.join(", "));
        error.add(format!("/{second}"), message, Some("keep one of them"));
    }
    if config.method == Method::Head && config.asks_body() {
        let message = "the response to HEAD has no body, yet something is asked of it";
        error.add("/method", message, Some("use GET"));
    }
}

/// A header whose value is shown.
pub(crate) fn shown_header(at: &str, name: &str, error: &mut ConfigError) {
    web::header_name(at, name, error);
    if name.eq_ignore_ascii_case("set-cookie") {
        let message = "a cookie's value is a secret";
        error.add(at, message, Some("name another header"));
    }
}

fn expectations(config: &HttpConfig, error: &mut ConfigError) {
    for (name, matcher) in &config.response_headers {
        let at = format!("/response_headers/{}", web::escape(name));
        web::header_name(&at, name, error);
        // YAML reads 1.10 as 1.1, and headers are text.
        if matcher.is_decimal() {
            error.add(
                at,
                "a header is text, and this is a decimal number",
                Some("put it in quotes"),
            );
        }
    }
    for pointer in config.body_json.keys() {
        web::json_pointer(
            &format!("/body_json/{}", web::escape(pointer)),
            pointer,
            error,
        );
    }
    for (block, texts) in [
        ("contains", &config.contains),
        ("not_contains", &config.not_contains),
    ] {
        if texts.iter().any(str::is_empty) {
            error.add(
                format!("/{block}"),
                "every body contains the empty text",
                None,
            );
        }
    }
    match &config.version {
        Some(VersionSource::Header(name)) => shown_header("/version/header", name, error),
        Some(VersionSource::Json(pointer)) => web::json_pointer("/version/json", pointer, error),
        Some(VersionSource::Text(_)) | None => {}
    }
    for (block, asked) in [
        ("response_headers", config.response_headers.len()),
        ("body_json", config.body_json.len()),
        ("contains", config.texts().count()),
    ] {
        if asked > MOST_ASKED {
            let message = format!("{asked} things asked of one response; at most {MOST_ASKED}");
            error.add(format!("/{block}"), message, Some("split the gate"));
        }
    }
}
