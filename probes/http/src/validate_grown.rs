//! What cannot work in steps, captures, health documents and spreads.

use readygate_sdk::ConfigError;
use readygate_web::{Method, Statuses, validate as web};

use crate::{
    config::{HttpConfig, VersionSource},
    grown::{Capture, HealthConfig, HealthFormat, SpreadConfig, Step},
    template, validate,
};

const MOST_STEPS: usize = 50;
const MOST_CAPTURES: usize = 20;
const MOST_REQUESTS: u8 = 100;
/// A gate that cries wolf more often than this is not believed.
const FALSE_ALARMS: f64 = 0.01;

/// What concerns the gate as a whole.
pub(crate) fn gate(config: &HttpConfig, error: &mut ConfigError) {
    if config
        .openapi
        .as_deref()
        .is_some_and(|path| path.trim().is_empty())
    {
        error.add("/openapi", "the path is empty", None);
    }
    if config.steps.is_empty() {
        return;
    }
    let single = [
        ("url", !config.url.is_empty()),
        ("method", config.method != Method::default()),
        ("status", config.status != Statuses::default()),
        ("headers", !config.headers.is_empty()),
        ("secret_headers", !config.secret_headers.is_empty()),
        ("body", config.body.is_some()),
        ("json", config.json.is_some()),
        ("form", config.form.is_some()),
        ("auth", config.auth.is_some()),
        ("redirects", config.redirects != 0),
        ("samples", config.samples != 1),
        ("response_headers", !config.response_headers.is_empty()),
        ("body_json", !config.body_json.is_empty()),
        ("contains", !config.contains.is_empty()),
        ("not_contains", !config.not_contains.is_empty()),
        ("version", config.version.is_some()),
        ("cdn", config.cdn.is_some()),
        ("health", config.health.is_some()),
        ("spread", config.spread.is_some()),
    ];
    for (field, given) in single {
        if given {
            let message =
                format!("`{field}` belongs to a single request, and this gate has `steps`");
            error.add(format!("/{field}"), message, Some("move it into a step"));
        }
    }
    if config.steps.len() > MOST_STEPS {
        let message = format!("{} steps; at most {MOST_STEPS}", config.steps.len());
        error.add("/steps", message, Some("split the gate"));
    }
    steps(config, error);
}

fn steps(config: &HttpConfig, error: &mut ConfigError) {
    let mut names: Vec<&str> = Vec::new();
    let mut captured: Vec<&str> = Vec::new();
    for (index, step) in config.steps.iter().enumerate() {
        let at = format!("/steps/{index}");
        if step.name.trim().is_empty() {
            error.add(format!("{at}/name"), "the name is empty", None);
        }
        if names.contains(&step.name.as_str()) {
            let message = format!("two steps are named `{}`", step.name);
            error.add(format!("{at}/name"), message, None);
        }
        names.push(&step.name);
        let alone = step.alone(config);
        for (field, text) in template::texts(&alone) {
            for name in template::names(&text) {
                if !captured.contains(&name) {
                    let message =
                        format!("`{{{{{name}}}}}` was captured by no step before this one");
                    error.add(
                        format!("{at}/{field}"),
                        message,
                        Some("capture it with `capture`"),
                    );
                }
            }
        }
        let mut own = ConfigError::new();
        // Names stand in place of values that no check can know.
        let values = captured
            .iter()
            .map(|name| ((*name).to_owned(), "x".to_owned()));
        let filled = template::filled(&alone, &values.collect()).unwrap_or(alone);
        validate::request(&filled, &mut own);
        captures(step, &mut own);
        for mut problem in own.problems {
            problem.pointer = format!("{at}{}", problem.pointer);
            error.problems.push(problem);
        }
        captured.extend(step.capture.keys().map(String::as_str));
    }
}

fn captures(step: &Step, error: &mut ConfigError) {
    if step.capture.len() > MOST_CAPTURES {
        let message = format!("{} captures; at most {MOST_CAPTURES}", step.capture.len());
        error.add("/capture", message, None);
    }
    for (name, source) in &step.capture {
        let at = format!("/capture/{}", web::escape(name));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(plain) {
            let message = format!("`{name}` is no name: letters, digits, `_` and `-` make one");
            error.add(&at, message, None);
        }
        match source {
            Capture::Json(pointer) => web::json_pointer(&format!("{at}/json"), pointer, error),
            Capture::Header(header) => web::header_name(&format!("{at}/header"), header, error),
            Capture::Cookie(cookie) => web::header_name(&format!("{at}/cookie"), cookie, error),
            Capture::Text(_) => {}
        }
    }
}

/// What concerns one request.
pub(crate) fn request(config: &HttpConfig, error: &mut ConfigError) {
    if let Some(health) = &config.health {
        health_config(health, error);
    }
    if let Some(spread) = &config.spread {
        spread_config(spread, error);
    }
}

fn health_config(health: &HealthConfig, error: &mut ConfigError) {
    match (health.format, &health.at) {
        (HealthFormat::Map, Some(pointer)) => web::json_pointer("/health/at", pointer, error),
        (HealthFormat::Map, None) => {
            let message = "`format: map` needs to know where the map is";
            error.add(
                "/health/at",
                message,
                Some("write a JSON pointer, `/dependencies`"),
            );
        }
        (_, Some(_)) => {
            error.add("/health/at", "only `format: map` looks at a place", None);
        }
        (_, None) => {}
    }
    if health.up.is_some() && health.format != HealthFormat::Map {
        error.add(
            "/health/up",
            "only `format: map` has words of its own",
            None,
        );
    }
    if health.up.as_ref().is_some_and(Vec::is_empty) {
        error.add("/health/up", "with no word for up nothing is", None);
    }
}

fn spread_config(spread: &SpreadConfig, error: &mut ConfigError) {
    match &spread.by {
        VersionSource::Header(name) => {
            validate::shown_header("/spread/by/header", name, error);
        }
        VersionSource::Json(pointer) => web::json_pointer("/spread/by/json", pointer, error),
        VersionSource::Text(_) => {}
    }
    if spread.at_least < 2 {
        let message = "one instance is no spread";
        error.add("/spread/at_least", message, Some("write 2 or more"));
        return;
    }
    let planned = spread.planned();
    if !(1..=MOST_REQUESTS).contains(&planned) {
        let message = format!("{planned} requests; 1 to {MOST_REQUESTS} work");
        error.add("/spread/requests", message, None);
        return;
    }
    let chance = spread.chance_of_missing(planned);
    if chance > FALSE_ALARMS {
        let enough = spread.enough(FALSE_ALARMS);
        let hint = if enough <= MOST_REQUESTS {
            format!("send at least {enough}")
        } else {
            "ask for fewer instances".to_owned()
        };
        let message = format!(
            "{planned} requests are too few for {} instances: a balancer that picks at random leaves one out in up to {:.0} % of the runs",
            spread.at_least,
            (100.0 * chance).clamp(1.0, 100.0)
        );
        error.add("/spread/requests", message, Some(&hint));
    }
}
