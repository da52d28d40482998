//! What cannot work, found without any I/O.

use readygate_sdk::ConfigError;
use readygate_web::validate as web;

use crate::{
    config::{AccessConfig, Csrf, Injection, Input, RateLimit, TokenPlace, TokenSource},
    run::{AFTERWARDS, MOST_REQUESTS},
};

const MOST_CLAIMS: usize = 100;
const MOST_OVERSIZE: u64 = 16 << 20;

/// Every problem of `config`.
pub(crate) fn validate(config: &AccessConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    users(config, &mut error);
    let objects = config.authorization.as_ref();
    let rows = objects.map_or(0, |a| a.objects.len() + usize::from(a.matrix.is_some()));
    let claims = [
        config.cors.len(),
        config.authentication.len(),
        rows,
        config.rate_limit.len(),
        config.input.len(),
        config.xss.len(),
        config.csrf.len(),
        config.injection.len(),
    ];
    match claims.iter().sum() {
        0 => {
            let hint = "add `authentication`, `authorization`, `cors`, `rate_limit`, `input`, `xss`, `csrf` or `injection`";
            error.add("", "the gate claims nothing", Some(hint));
        }
        MOST_CLAIMS.. => {
            error.add(
                "",
                format!("more than {MOST_CLAIMS} claims"),
                Some("split the gate"),
            );
        }
        _ => {}
    }
    origins(config, &mut error);
    identity(config, &mut error);
    for (index, limit) in config.rate_limit.iter().enumerate() {
        rate_limit(&format!("/rate_limit/{index}"), limit, config, &mut error);
    }
    for (index, input) in config.input.iter().enumerate() {
        self::input(&format!("/input/{index}"), input, config, &mut error);
    }
    for (index, xss) in config.xss.iter().enumerate() {
        let at = format!("/xss/{index}");
        web::url(&format!("{at}/url"), &xss.url, &mut error);
        known(&at, xss.user.as_deref(), config, &mut error);
        filled(&format!("{at}/parameter"), &xss.parameter, &mut error);
    }
    for (index, csrf) in config.csrf.iter().enumerate() {
        self::csrf(&format!("/csrf/{index}"), csrf, config, &mut error);
    }
    for (index, injection) in config.injection.iter().enumerate() {
        self::injection(
            &format!("/injection/{index}"),
            injection,
            config,
            &mut error,
        );
    }
    error.into_result()
}

fn filled(at: &str, text: &str, error: &mut ConfigError) {
    if text.trim().is_empty() {
        error.add(at, "the value is empty", None);
    }
}

fn users(config: &AccessConfig, error: &mut ConfigError) {
    for (name, user) in &config.users {
        let at = format!("/users/{}", web::escape(name));
        if name == "anonymous" {
            error.add(
                &at,
                "`anonymous` is there already, and has no credentials",
                None,
            );
        }
        if user.auth.is_none() && user.secret_headers.is_empty() {
            error.add(
                &at,
                format!("`{name}` has no credentials"),
                Some("give `auth` or `secret_headers`"),
            );
        }
        if let Some(auth) = &user.auth {
            auth.validate(&format!("{at}/auth"), error);
        }
        for (header, value) in &user.secret_headers {
            let at = format!("{at}/secret_headers/{}", web::escape(header));
            web::request_header(&at, header, value.expose(), error);
            if value.expose().trim().is_empty() {
                error.add(at, "the value is empty", Some("is the variable set?"));
            }
        }
    }
}

fn known(at: &str, user: Option<&str>, config: &AccessConfig, error: &mut ConfigError) {
    if let Some(user) = user
        && user != "anonymous"
        && !config.users.contains_key(user)
    {
        error.add(
            format!("{at}/user"),
            format!("no user `{user}` in `users`"),
            None,
        );
    }
}

fn origins(config: &AccessConfig, error: &mut ConfigError) {
    for (index, cors) in config.cors.iter().enumerate() {
        let at = format!("/cors/{index}");
        web::url(&format!("{at}/url"), &cors.url, error);
        known(&at, cors.user.as_deref(), config, error);
        for (field, list) in [("allowed", &cors.allowed), ("denied", &cors.denied)] {
            for origin in list {
                let scheme = ["https://", "http://"]
                    .iter()
                    .find_map(|s| origin.strip_prefix(s));
                let good = origin == "null"
                    || scheme.is_some_and(|host| !host.is_empty() && !host.contains('/'));
                if !good {
                    let message = format!("`{origin}` is no origin");
                    error.add(
                        format!("{at}/{field}"),
                        message,
                        Some("write https://HOST, without a path"),
                    );
                }
            }
        }
        if !cors.methods.is_empty() && cors.allowed.iter().all(|origin| origin.contains('*')) {
            let message = "`methods` are asked for the origins of `allowed`, and there is none";
            error.add(format!("{at}/methods"), message, None);
        }
    }
}

fn identity(config: &AccessConfig, error: &mut ConfigError) {
    for (index, one) in config.authentication.iter().enumerate() {
        let at = format!("/authentication/{index}");
        web::url(&format!("{at}/url"), &one.url, error);
        if one.user == "anonymous" {
            error.add(
                format!("{at}/user"),
                "`anonymous` has no credentials to be valid",
                None,
            );
        }
        known(&at, Some(&one.user), config, error);
    }
    let Some(authorization) = &config.authorization else {
        return;
    };
    if authorization.matrix.is_none() && authorization.objects.is_empty() {
        error.add("/authorization", "neither a `matrix` nor `objects`", None);
    }
    for (index, object) in authorization.objects.iter().enumerate() {
        let at = format!("/authorization/objects/{index}");
        web::url(&format!("{at}/url"), &object.url, error);
        web::url(&format!("{at}/others_own"), &object.others_own, error);
        for (field, user) in [("owner", &object.owner), ("other", &object.other)] {
            if !config.users.contains_key(user) {
                error.add(
                    format!("{at}/{field}"),
                    format!("no user `{user}` in `users`"),
                    None,
                );
            }
        }
        if object.owner == object.other {
            error.add(format!("{at}/other"), "the owner is no other user", None);
        }
    }
}

fn rate_limit(at: &str, limit: &RateLimit, config: &AccessConfig, error: &mut ConfigError) {
    web::url(&format!("{at}/url"), &limit.url, error);
    known(at, limit.user.as_deref(), config, error);
    let most = MOST_REQUESTS - AFTERWARDS;
    if limit.limit == 0 {
        error.add(
            format!("{at}/limit"),
            "a limit of 0 lets nobody through",
            None,
        );
    } else if u64::from(limit.limit) + limit.slack() >= most {
        let message = format!(
            "a limit of {} with a tolerance of {} cannot be shown: the burst has at most {most} requests",
            limit.limit,
            limit.slack()
        );
        error.add(
            format!("{at}/limit"),
            message,
            Some("the `load` probe sends more"),
        );
    }
}

fn input(at: &str, input: &Input, config: &AccessConfig, error: &mut ConfigError) {
    web::url(&format!("{at}/url"), &input.url, error);
    known(at, input.user.as_deref(), config, error);
    if !input.json.is_object() {
        error.add(
            format!("{at}/json"),
            "the valid body is no JSON object",
            None,
        );
    }
    if input.required.is_empty() {
        error.add(
            format!("{at}/required"),
            "no field is required, so none can be missing",
            None,
        );
    }
    for field in &input.required {
        if input.json.get(field).is_none() {
            error.add(
                format!("{at}/required"),
                format!("the valid body has no field `{field}`"),
                None,
            );
        }
    }
    if input
        .oversize
        .is_some_and(|size| !(1..=MOST_OVERSIZE).contains(&size.0))
    {
        error.add(format!("{at}/oversize"), "1 B to 16 MiB work", None);
    }
}

fn csrf(at: &str, csrf: &Csrf, config: &AccessConfig, error: &mut ConfigError) {
    web::url(&format!("{at}/url"), &csrf.url, error);
    known(at, Some(&csrf.user), config, error);
    let cookie = |user: &crate::User| {
        user.secret_headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("cookie"))
    };
    if config
        .users
        .get(&csrf.user)
        .is_some_and(|user| !cookie(user))
    {
        let message = format!(
            "`{}` has no `Cookie`: no other site can send an `Authorization` header",
            csrf.user
        );
        error.add(
            format!("{at}/user"),
            message,
            Some("without a session in a cookie there is no CSRF to check"),
        );
    }
    if let Some(token) = &csrf.token {
        web::url(&format!("{at}/token/url"), &token.url, error);
        match &token.from {
            TokenSource::Header(name) => {
                web::header_name(&format!("{at}/token/from/header"), name, error);
            }
            TokenSource::Json(pointer) => {
                web::json_pointer(&format!("{at}/token/from/json"), pointer, error);
            }
            TokenSource::Text(_) => {}
        }
        if let TokenPlace::Header(name) = &token.to {
            web::header_name(&format!("{at}/token/to/header"), name, error);
        }
    }
}

fn injection(at: &str, injection: &Injection, config: &AccessConfig, error: &mut ConfigError) {
    web::url(&format!("{at}/url"), &injection.url, error);
    known(at, injection.user.as_deref(), config, error);
    filled(&format!("{at}/parameter"), &injection.parameter, error);
    filled(&format!("{at}/value"), &injection.value, error);
    if injection
        .json
        .as_ref()
        .is_some_and(|json| !json.is_object())
    {
        error.add(format!("{at}/json"), "the body is no JSON object", None);
    }
}
