//! What cannot work, found without I/O.

use readygate_sdk::ConfigError;

use super::{LoadConfig, SourceKind, check_parts, check_shape, littles_law};
use crate::{fleet, measurement::Model, observe};

/// Finds what cannot work.
pub(crate) fn validate(config: &LoadConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    if old_form(config, &mut error) {
        return error.into_result();
    }
    fleet::blocks(config, &mut error);
    match config.source() {
        source @ (SourceKind::Locust | SourceKind::K6) => {
            let name = if source == SourceKind::K6 {
                "k6"
            } else {
                "locust"
            };
            let keep = |field: &&(&str, bool)| !matches!(field.0, "allow" | "min_duration");
            let engine: Vec<_> = engine_fields(config).iter().filter(keep).copied().collect();
            strangers(&engine, name, "engine", &mut error);
            let import: Vec<_> = import_fields(config).iter().filter(keep).copied().collect();
            strangers(&import, name, "import", &mut error);
            fleet::validate(config, &mut error);
        }
        SourceKind::Import => {
            strangers(&engine_fields(config), "import", "engine", &mut error);
            import(config, &mut error);
        }
        SourceKind::Engine => {
            strangers(&import_fields(config), "engine", "import", &mut error);
            let before = error.problems.len();
            check_parts::target(config, &mut error);
            check_shape::check(config, &mut error);
            check_parts::check(config, &mut error);
            if let Some(watched) = &config.observe {
                observe::validate(watched, "/observe", Some(config.measured()), &mut error);
            }
            if error.problems.len() == before {
                littles_law::check(config, &mut error);
            }
        }
    }
    error.into_result()
}

/// `connections` and `duration` beside `url` said how many, and left open how fast.
fn old_form(config: &LoadConfig, error: &mut ConfigError) -> bool {
    if config.connections.is_none() && config.duration.is_none() {
        return false;
    }
    let connections = config.connections.unwrap_or(64);
    let length = config.duration.map_or_else(
        || "60s".to_owned(),
        |duration| format!("{}s", duration.0.as_secs_f64()),
    );
    let hint = format!(
        "write `open: {{ rate: 450/s, connections: {connections}, for: {length} }}` to send at a rate, or \
         `max: {{ connections: {connections}, for: {length} }}` to see how much the target can take"
    );
    let fields = [
        ("connections", config.connections.is_some()),
        ("duration", config.duration.is_some()),
    ];
    for (field, _) in fields.into_iter().filter(|(_, given)| *given) {
        let message = format!("`{field}` does not say how fast to send");
        error.add(format!("/{field}"), message, Some(&hint));
    }
    true
}

fn import(config: &LoadConfig, error: &mut ConfigError) {
    if config.reports.is_none() {
        error.add(
            "",
            "`reports` is not given, so there is nothing to measure",
            Some(
                "name the file that the load tool writes, `reports: [k6-summary.json]`, or what to put load on, `url: /`",
            ),
        );
    }
    if config.model == Some(Model::Unknown) {
        error.add(
            "/model",
            "`unknown` says nothing",
            Some("write `open` or `closed`, or leave it out"),
        );
    }
    config.plan().validate(error);
}

/// A field that the source does not look at would be obeyed by nobody.
fn strangers(fields: &[(&str, bool)], source: &str, other: &str, error: &mut ConfigError) {
    for (field, _) in fields.iter().filter(|(_, given)| *given) {
        let message = format!("`{field}` is not for `source: {source}`");
        let hint = format!("it goes with `source: {other}`; use two gates for both");
        error.add(format!("/{field}"), message, Some(&hint));
    }
}

fn import_fields(config: &LoadConfig) -> [(&'static str, bool); 9] {
    [
        ("run", config.run.is_some()),
        ("directory", config.directory.is_some()),
        ("env", !config.env.is_empty()),
        ("reports", config.reports.is_some()),
        ("format", config.format.is_some()),
        ("model", config.model.is_some()),
        ("latency_corrected", config.latency_corrected),
        ("min_duration", config.min_duration.is_some()),
        ("max_age", config.max_age.is_some()),
    ]
}

fn engine_fields(config: &LoadConfig) -> [(&'static str, bool); 27] {
    [
        ("url", config.url.is_some()),
        ("method", config.method != readygate_web::Method::Get),
        ("headers", !config.headers.is_empty()),
        ("secret_headers", !config.secret_headers.is_empty()),
        ("body", config.body.is_some()),
        ("json", config.json.is_some()),
        ("expect_status", config.expect_status.is_some()),
        ("contains", config.contains.iter().next().is_some()),
        ("not_contains", config.not_contains.iter().next().is_some()),
        ("scenarios", !config.scenarios.is_empty()),
        ("open", config.open.is_some()),
        ("users", config.users.is_some()),
        ("max", config.max.is_some()),
        ("timeout", config.timeout.is_some()),
        ("stress", config.stress.is_some()),
        ("windows", !config.windows.is_empty()),
        ("abort_on", !config.abort_on.is_empty()),
        ("safety_stop", config.safety_stop.is_some()),
        ("allow", config.allow.is_some()),
        ("sockets", config.sockets != super::Sockets::default()),
        ("tls", config.tls.is_some()),
        ("quantum", config.quantum.is_some()),
        ("max_requests", config.max_requests.is_some()),
        ("max_body", config.max_body.is_some()),
        ("max_backlog", config.max_backlog.is_some()),
        ("seed", config.seed.is_some()),
        ("observe", config.observe.is_some()),
    ]
}
