//! What cannot work, found without any I/O.

use std::collections::BTreeMap;

use readygate_sdk::ConfigError;
use readygate_web::{Auth, has_userinfo, validate as web};

use crate::{
    config::{PrometheusConfig, QueryConfig, QueryUnit},
    promql,
};

/// Of entries of `up`, patterns and queries, of each.
const MOST: usize = 100;
/// A longer one does not fit into the URL that proxies let through.
const LONGEST_EXPR: usize = 4_096;

/// What to write in place of a calculation on a quantile.
const QUANTILE: &str = "write `histogram_quantile(0.95, ...)` alone and name its unit in `unit`; or the share within a bound that is the end of a bucket: `sum(rate(NAME_bucket{le=\"0.05\"}[10m])) / sum(rate(NAME_count[10m]))`, `unit: ratio`";

pub(crate) fn validate(config: &PrometheusConfig) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    endpoint("", &config.url, config.auth.as_ref(), &mut error);
    headers(config, &mut error);
    up(config, &mut error);
    alerting(config, &mut error);
    for (name, query) in &config.queries {
        query_name(name, &mut error);
        one_query(
            &format!("/queries/{}", web::escape(name)),
            query,
            &mut error,
        );
    }
    too_many("/queries", config.queries.len(), &mut error);
    error.into_result()
}

fn endpoint(at: &str, url: &str, auth: Option<&Auth>, error: &mut ConfigError) {
    let place = format!("{at}/url");
    web::url(&place, url, error);
    if url.contains('?') {
        let hint = Some("give the address of the server only, and PromQL in `queries`");
        error.add(&place, "the URL of a server has no query", hint);
    }
    if let Some(auth) = auth {
        auth.validate(&format!("{at}/auth"), error);
        if has_userinfo(url) {
            let message = "credentials are given twice: in the URL and in `auth`";
            error.add(place, message, Some("leave them out of the URL"));
        }
    }
}

fn headers(config: &PrometheusConfig, error: &mut ConfigError) {
    let open = config.headers.iter();
    let open = open.map(|(name, value)| ("headers", name, value.as_str()));
    let secret = config.secret_headers.iter();
    let secret = secret.map(|(name, value)| ("secret_headers", name, value.expose()));
    let mut seen = Vec::new();
    for (block, name, value) in open.chain(secret) {
        let at = format!("/{block}/{}", web::escape(name));
        web::request_header(&at, name, value, error);
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" && config.auth.is_some() {
            let message = format!("`{name}` and `auth` set the same header");
            error.add(&at, message, Some("keep `auth`"));
        }
        if seen.contains(&lower) {
            error.add(&at, format!("the header `{name}` is given twice"), None);
        }
        seen.push(lower);
    }
}

fn up(config: &PrometheusConfig, error: &mut ConfigError) {
    for (index, wanted) in config.up.iter().enumerate() {
        let at = format!("/up/{index}");
        pattern(&format!("{at}/job"), &wanted.job, error);
        labels(&format!("{at}/labels"), &wanted.labels, error);
        if wanted.at_least == Some(0) {
            let message = "no target at all would be enough";
            error.add(format!("{at}/at_least"), message, Some("write 1 or more"));
        }
    }
    too_many("/up", config.up.len(), error);
}

fn alerting(config: &PrometheusConfig, error: &mut ConfigError) {
    if let Some(alerts) = &config.alerts {
        labels("/alerts/labels", &alerts.labels, error);
        if let Some(watchdog) = &alerts.watchdog {
            pattern("/alerts/watchdog", watchdog, error);
        }
        if let Some(manager) = &alerts.alertmanager {
            let auth = manager.auth.as_ref();
            endpoint("/alerts/alertmanager", &manager.url, auth, error);
        }
    }
    let Some(rules) = &config.rules else {
        return;
    };
    for (list, patterns) in [
        ("configured", &rules.configured),
        ("watching", &rules.watching),
    ] {
        for (index, text) in patterns.iter().enumerate() {
            pattern(&format!("/rules/{list}/{index}"), text, error);
        }
        too_many(&format!("/rules/{list}"), patterns.len(), error);
    }
}

fn labels(at: &str, patterns: &BTreeMap<String, String>, error: &mut ConfigError) {
    for (name, text) in patterns {
        pattern(&format!("{at}/{}", web::escape(name)), text, error);
    }
}

/// An empty alternative fits only the empty name, which nothing has: a slip.
fn pattern(at: &str, text: &str, error: &mut ConfigError) {
    if text.split('|').any(|one| one.trim().is_empty()) {
        let hint = Some("`*` stands for any text, `|` for or");
        error.add(at, "an empty pattern", hint);
    }
}

/// The name becomes the end of `query.NAME`.
fn query_name(name: &str, error: &mut ConfigError) {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if !name.split('.').all(word) {
        let at = format!("/queries/{}", web::escape(name));
        let message = format!("`{name}` cannot be the name of a metric");
        let hint = Some("write lower-case letters, digits, `_` and `.`: error_rate, latency.p95");
        error.add(at, message, hint);
    }
}

fn one_query(at: &str, query: &QueryConfig, error: &mut ConfigError) {
    let trials = query.trials.as_deref();
    for (field, expr) in [("expr", Some(query.expr.as_str())), ("trials", trials)] {
        let Some(expr) = expr else { continue };
        let at = format!("{at}/{field}");
        if expr.trim().is_empty() {
            error.add(&at, "the query is empty", None);
        }
        if expr.len() > LONGEST_EXPR {
            let message = format!("{} bytes of PromQL; {LONGEST_EXPR} work", expr.len());
            error.add(&at, message, Some("make it a recording rule"));
        }
    }
    let quantile = promql::quantile(&query.expr);
    if quantile.is_err() {
        let message = "what `histogram_quantile()` gives is an estimate, and how far off it may be is known only where it is the outermost function, with a plain number";
        error.add(format!("{at}/expr"), message, Some(QUANTILE));
    }
    let is_rate = matches!(query.unit, QueryUnit::Percent | QueryUnit::Ratio);
    if query.trials.is_some() && !is_rate && quantile == Ok(None) {
        let message = "only a percentage or a quantile rests on trials";
        let hint = Some("set `unit: ratio` or `unit: \"%\"`");
        error.add(format!("{at}/trials"), message, hint);
    }
    if query.max_age.0.is_zero() {
        let message = "no sample is that fresh";
        error.add(format!("{at}/max_age"), message, Some("max_age: 5m"));
    }
}

fn too_many(at: &str, count: usize, error: &mut ConfigError) {
    if count > MOST {
        error.add(
            at,
            format!("{count} entries; at most {MOST}"),
            Some("split the gate"),
        );
    }
}
