//! What is sent and how: what cannot work.

use std::collections::BTreeSet;

use readygate_sdk::{ConfigError, Period, Secret};
use readygate_web::validate::{self, escape};
use regex::Regex;

use super::{
    AbortOn, LoadConfig, ScenarioConfig, StepConfig,
    bounds::{MOST_LENGTHS, longer, uneven},
    spec::abort,
    target::{is_relative, origin},
};
use crate::engine::{
    LONGEST_WINDOW,
    spec::{BUILT_IN_VARIABLES, CaptureFrom, Template},
};

const MOST_SCENARIOS: usize = 100;
const MOST_STEPS: usize = 100;
const MOST_ROUTES: usize = 200;
/// Windows of one length in a run.
const MOST_WINDOWS: u64 = 5_000;

/// Either a URL or scenarios.
pub(crate) fn target(config: &LoadConfig, error: &mut ConfigError) {
    match (&config.url, config.scenarios.is_empty()) {
        (None, true) => {
            error.add(
                "",
                "neither `url` nor `scenarios` says what to request",
                Some("write `url: /api/items`"),
            );
        }
        (Some(_), false) => {
            let hint =
                Some("move the request into a scenario: `scenarios: [{ steps: [{ get: /x }] }]`");
            error.add("/url", "`url` and `scenarios` contradict each other", hint);
        }
        (Some(url), true) => request(config, url, error),
        (None, false) => scenarios(config, error),
    }
    let headers = config.headers.iter();
    for (name, value) in headers {
        header("/headers", name, value, error);
    }
    secrets("", &config.secret_headers, error);
}

fn request(config: &LoadConfig, url: &str, error: &mut ConfigError) {
    address("/url", url, error);
    bodies("", config.body.as_deref(), config.json.as_ref(), error);
    variables("/url", url, &BTreeSet::new(), false, error);
}

fn address(at: &str, url: &str, error: &mut ConfigError) {
    // Braces of a template are no URL yet.
    let plain = url.replace("{{", "").replace("}}", "").replace('$', "");
    validate::url(at, &plain, error);
    if readygate_web::has_userinfo(&plain) {
        let hint = Some("use `secret_headers: { authorization: ... }`");
        error.add(at, "a URL must not hold a password", hint);
    }
}

fn header(at: &str, name: &str, value: &str, error: &mut ConfigError) {
    let at = format!("{at}/{}", escape(name));
    if name.eq_ignore_ascii_case("host") {
        validate::header_name(&at, name, error);
    } else {
        validate::request_header(&at, name, value, error);
    }
}

fn secrets(
    at: &str,
    headers: &std::collections::BTreeMap<String, Secret>,
    error: &mut ConfigError,
) {
    for (name, value) in headers {
        header(&format!("{at}/secret_headers"), name, value.expose(), error);
    }
}

fn bodies(at: &str, body: Option<&str>, json: Option<&serde_json::Value>, error: &mut ConfigError) {
    if body.is_some() && json.is_some() {
        error.add(
            format!("{at}/json"),
            "`body` and `json` contradict each other",
            Some("keep one of them"),
        );
    }
}

fn scenarios(config: &LoadConfig, error: &mut ConfigError) {
    let whole = [
        ("body", config.body.is_some()),
        ("json", config.json.is_some()),
        ("method", config.method != readygate_web::Method::Get),
        ("contains", config.contains.iter().next().is_some()),
        ("not_contains", config.not_contains.iter().next().is_some()),
    ];
    for (field, _) in whole.iter().filter(|(_, given)| *given) {
        let message = format!("`{field}` belongs to `url`");
        error.add(
            format!("/{field}"),
            message,
            Some("move it into the steps of the scenarios"),
        );
    }
    if config.scenarios.len() > MOST_SCENARIOS {
        error.add(
            "/scenarios",
            format!("more than {MOST_SCENARIOS} scenarios"),
            None,
        );
    }
    for (index, scenario) in config.scenarios.iter().enumerate() {
        let at = format!("/scenarios/{index}");
        if scenario.weight == Some(0) {
            error.add(
                format!("{at}/weight"),
                "a scenario of weight 0 is never chosen",
                Some("remove it"),
            );
        }
        if scenario.steps.is_empty() || scenario.steps.len() > MOST_STEPS {
            let message = format!("a scenario has 1 to {MOST_STEPS} steps");
            error.add(
                format!("{at}/steps"),
                message,
                Some("write `steps: [{ get: /x }]`"),
            );
        }
        steps(scenario, &at, error);
    }
    routes(config, error);
    one_origin(config, error);
}

fn steps(scenario: &ScenarioConfig, at: &str, error: &mut ConfigError) {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let at = format!("{at}/steps/{index}");
        one_step(step, &at, &known, scenario.data.is_some(), error);
        for (name, capture) in &step.capture {
            let at = format!("{at}/capture/{}", escape(name));
            if let CaptureFrom::Regex(pattern) = &capture.0 {
                pattern_at(&at, pattern, error);
            }
            known.insert(name.clone());
        }
    }
}

fn one_step(
    step: &StepConfig,
    at: &str,
    known: &BTreeSet<String>,
    data: bool,
    error: &mut ConfigError,
) {
    let requests: Vec<_> = step.requests().collect();
    match requests.as_slice() {
        [] => {
            error.add(
                at,
                "the step requests nothing",
                Some("write `get: /x`, or post, put, patch, delete, head, options"),
            );
        }
        [(method, url)] => {
            let at = format!("{at}/{method}");
            address(&at, url, error);
            variables(&at, url, known, data, error);
        }
        [_, (second, _), ..] => {
            error.add(
                format!("{at}/{second}"),
                "a step is one request",
                Some("make it the next step"),
            );
        }
    }
    bodies(at, step.body.as_deref(), step.json.as_ref(), error);
    let json = step.json.as_ref().map(ToString::to_string);
    for (field, text) in [("body", step.body.as_ref()), ("json", json.as_ref())] {
        if let Some(text) = text {
            variables(&format!("{at}/{field}"), text, known, data, error);
        }
    }
    for (name, value) in &step.headers {
        header(&format!("{at}/headers"), name, value, error);
        variables(
            &format!("{at}/headers/{}", escape(name)),
            value,
            known,
            data,
            error,
        );
    }
    secrets(at, &step.secret_headers, error);
    if let Some(pattern) = &step.matches {
        pattern_at(&format!("{at}/matches"), pattern, error);
    }
    for pointer in step.body_json.keys() {
        validate::json_pointer(
            &format!("{at}/body_json/{}", escape(pointer)),
            pointer,
            error,
        );
    }
    let name = step.route();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        let hint = Some("give the step a `name` of up to 200 characters");
        error.add(at, "the route has no usable name", hint);
    }
}

fn pattern_at(at: &str, pattern: &str, error: &mut ConfigError) {
    if let Err(cause) = Regex::new(pattern) {
        let message = format!("`{pattern}` is not a regular expression: {cause}");
        error.add(at, message, None);
    }
}

fn variables(at: &str, text: &str, known: &BTreeSet<String>, data: bool, error: &mut ConfigError) {
    let template = Template(text.to_owned());
    match template.variables() {
        Err(_) => {
            error.add(at, "`{{` without `}}`", Some("write `{{name}}`"));
        }
        Ok(names) => {
            for name in names {
                let fine = data || known.contains(name) || BUILT_IN_VARIABLES.contains(&name);
                if !fine {
                    let message = format!("`{{{{{name}}}}}` stands for nothing");
                    let hint = "capture it in an earlier step, or name a column of `data`; `{{$iteration}}` and `{{$random}}` are there anyway";
                    error.add(at, message, Some(hint));
                }
            }
        }
    }
}

/// Two requests under one name would be counted together without anybody wanting it.
fn routes(config: &LoadConfig, error: &mut ConfigError) {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for (s, scenario) in config.scenarios.iter().enumerate() {
        for (i, step) in scenario.steps.iter().enumerate() {
            let Some((method, _)) = step.requests().next() else {
                continue;
            };
            let name = step.route();
            let other = seen.iter().find(|(n, m)| *n == name && *m != method);
            if let Some((_, other)) = other.filter(|_| step.name.is_none()) {
                let message = format!(
                    "`{name}` is {} here and {} before, and both would be counted as one route",
                    method.to_uppercase(),
                    other.to_uppercase()
                );
                error.add(
                    format!("/scenarios/{s}/steps/{i}"),
                    message,
                    Some("give the steps a `name`"),
                );
            }
            seen.push((name, method));
        }
    }
    if config.routes().len() > MOST_ROUTES {
        let message = format!("more than {MOST_ROUTES} routes");
        error.add(
            "/scenarios",
            message,
            Some("give steps that belong together one `name`"),
        );
    }
}

/// One gate puts load on one server.
fn one_origin(config: &LoadConfig, error: &mut ConfigError) {
    let mut first: Option<Option<String>> = None;
    for (s, scenario) in config.scenarios.iter().enumerate() {
        for (i, step) in scenario.steps.iter().enumerate() {
            let Some((method, url)) = step.requests().next() else {
                continue;
            };
            let own = if is_relative(url) { None } else { origin(url) };
            match &first {
                None => first = Some(own),
                Some(known) if *known == own => {}
                Some(_) => {
                    let hint =
                        Some("use one gate for each server; relative URLs go to `target.url`");
                    error.add(
                        format!("/scenarios/{s}/steps/{i}/{method}"),
                        "the step goes to another server than the ones before",
                        hint,
                    );
                    return;
                }
            }
        }
    }
}

/// Windows, aborts, sockets, TLS and times.
pub(crate) fn check(config: &LoadConfig, error: &mut ConfigError) {
    times(config, error);
    windows(config, error);
    for (index, condition) in config.abort_on.iter().enumerate() {
        aborts(config, condition, index, error);
    }
    let sockets = &config.sockets;
    if sockets.streams.is_some() && sockets.protocol != super::Wire::Http2 {
        let hint = Some("write `protocol: http2` beside it");
        error.add("/sockets/streams", "HTTP/1.1 has no streams", hint);
    }
    if sockets.keepalive == Some(false) && sockets.protocol == super::Wire::Http2 {
        let hint = Some("leave `keepalive` out, or write `protocol: http1`");
        let message =
            "over HTTP/2 a connection serves many requests, so this would be obeyed by nobody";
        error.add("/sockets/keepalive", message, hint);
    }
    for (name, n, most) in [
        ("streams", sockets.streams, 1_000),
        ("processes", sockets.processes, 64),
        ("threads", sockets.threads, 64),
    ] {
        if n.is_some_and(|n| !(1..=most).contains(&n)) {
            error.add(
                format!("/sockets/{name}"),
                format!("out of range: 1 to {most}"),
                None,
            );
        }
    }
    if sockets.source_ips.len() > 256 {
        error.add("/sockets/source_ips", "more than 256 addresses", None);
    }
    if let Some(tls) = &config.tls
        && tls.client_cert.is_some() != tls.client_key.is_some()
    {
        let hint = Some("give `client_cert` and `client_key`");
        error.add(
            "/tls",
            "a client certificate takes a certificate and its key",
            hint,
        );
    }
}

fn times(config: &LoadConfig, error: &mut ConfigError) {
    for (name, period) in [
        ("timeout", config.timeout),
        ("quantum", config.quantum),
        ("max_backlog", config.max_backlog),
    ] {
        if period.is_some_and(|period| period.0.is_zero()) {
            error.add(
                format!("/{name}"),
                "a time of 0 lets nothing be measured",
                None,
            );
        }
    }
    if config.timeout.is_some_and(|t| t.0.as_secs() > 600) {
        error.add("/timeout", "longer than ten minutes", Some("write 5s"));
    }
    if config.quantum.is_some_and(|q| q.0.as_millis() > 100) {
        error.add("/quantum", "coarser than 100ms", Some("write 500us"));
    }
    if config.max_requests == Some(0) {
        error.add("/max_requests", "no request at all", None);
    }
}

fn windows(config: &LoadConfig, error: &mut ConfigError) {
    let run = config.measured();
    for (index, Period(length)) in config.windows.iter().enumerate() {
        let at = format!("/windows/{index}");
        let place = if at_config(config, index) {
            at.as_str()
        } else {
            ""
        };
        if length.is_zero() || length.subsec_nanos() != 0 {
            error.add(place, "windows are whole seconds", Some("write 10s"));
        } else if *length > run {
            error.add(
                place,
                longer(*length, run),
                Some("make `for` longer, or the window shorter"),
            );
        } else if let Some((message, hint)) = uneven(*length, run) {
            error.add(place, message, Some(&hint));
        } else if run.as_secs() / length.as_secs() > MOST_WINDOWS {
            let message = format!("more than {MOST_WINDOWS} windows");
            error.add(place, message, Some("make them longer"));
        }
    }
    if config.windows.len() > MOST_LENGTHS {
        let message = format!("windows of more than {MOST_LENGTHS} lengths");
        error.add("/windows", message, Some("those of `expect` count as well"));
    }
}

/// Windows that `expect` asked for have no place in `with`.
fn at_config(config: &LoadConfig, index: usize) -> bool {
    let asked = config.windows.get(index);
    !config
        .bounds
        .iter()
        .any(|bound| bound.every == asked.map(|window| window.0))
}

fn aborts(config: &LoadConfig, condition: &AbortOn, index: usize, error: &mut ConfigError) {
    let at = format!("/abort_on/{index}");
    match abort(condition) {
        Err((field, message)) => {
            let hint = "write { metric: error_rate, above: 5%, window: 10s, after: 30s }";
            error.add(format!("{at}/{field}"), message, Some(hint));
        }
        Ok(abort) => {
            if let Some(route) = &abort.route
                && !config.routes().contains(route)
            {
                let message = format!("`{route}` is no route of this gate");
                error.add(format!("{at}/metric"), message, None);
            }
            let window = abort.window.unwrap_or_default();
            if window.subsec_nanos() != 0 {
                error.add(
                    format!("{at}/window"),
                    "whole seconds only",
                    Some("write 10s"),
                );
            }
            if window > LONGEST_WINDOW {
                error.add(
                    format!("{at}/window"),
                    "an hour at most: each of its seconds is kept",
                    Some("write 1h"),
                );
            }
            let run = config.measured();
            if abort.after + window > run {
                let message = format!(
                    "it looks after {} for the first time, when the load of {} is over",
                    Period(abort.after + window),
                    Period(run)
                );
                error.add(at, message, Some("lower `after` or `window`"));
            }
        }
    }
}
