//! What the gate expects, as far as it says how finely to measure.

use std::time::Duration;

use readygate_sdk::{Bound, Comparison, ConfigError, Period, Unit};
use readygate_web::validate::escape;

use super::{LoadConfig, SourceKind};

/// Lengths of windows that one run is cut into.
pub(crate) const MOST_LENGTHS: usize = 4;

/// Takes the bounds in: windows are measured as they are asked for.
pub(crate) fn hear(config: &mut LoadConfig, bounds: &[Bound]) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    for bound in bounds {
        let place = format!("/{}", escape(&bound.metric));
        if config.source() == SourceKind::Engine {
            route(config, bound, &place, &mut error);
            window(config, bound, &place, &mut error);
        } else if bound.every.or(bound.lasting).is_some() {
            let message = format!("`{}` of a report is not measured in windows", bound.metric);
            let hint = Some("leave `for ...` out, or let this probe make the load (`url`)");
            error.add(place, message, hint);
        }
    }
    config.bounds = bounds.to_vec();
    error.into_result()
}

/// Adds the windows that an expectation needs.
fn window(config: &mut LoadConfig, bound: &Bound, place: &str, error: &mut ConfigError) {
    let Some(asked) = bound.every.or(bound.lasting) else {
        return;
    };
    if !has_windows(&bound.metric) {
        let message = format!("`{}` is not measured in windows", bound.metric);
        let hint = Some("`throughput`, `error_rate` and the percentiles of `latency` are");
        error.add(place, message, hint);
        return;
    }
    if asked.subsec_nanos() != 0 || asked.is_zero() {
        let message = "windows are whole seconds".to_owned();
        error.add(place, message, Some("write `for every 10s`"));
        return;
    }
    let length = match bound.lasting {
        Some(lasting) => part(config, lasting),
        None => asked,
    };
    if !config.windows.iter().any(|known| known.0 == length) {
        config.windows.push(Period(length));
    }
}

/// What a breach that lasts is made of: windows of the config's own, or else 10 s, 5 s, 2 s or 1 s.
fn part(config: &LoadConfig, lasting: Duration) -> Duration {
    let seconds = lasting.as_secs();
    let fits = |part: &u64| *part > 0 && seconds.is_multiple_of(*part) && seconds / part >= 2;
    let own = config.windows.iter().map(|w| w.0.as_secs());
    let own = own.filter(fits).max();
    let part = own.or_else(|| [10, 5, 2, 1].into_iter().find(fits));
    part.map_or(lasting, Duration::from_secs)
}

fn has_windows(metric: &str) -> bool {
    let own = match metric.strip_prefix("routes.") {
        Some(rest) => ["latency.", "error_rate", "throughput"]
            .iter()
            .find_map(|name| rest.rfind(&format!(".{name}")).map(|at| &rest[at + 1..])),
        None => Some(metric),
    };
    own.is_some_and(|own| {
        matches!(
            own,
            "throughput" | "error_rate" | "latency.mean" | "latency.max"
        ) || own.starts_with("latency.p")
    })
}

/// A metric of a route must be one of a route that is sent.
fn route(config: &LoadConfig, bound: &Bound, place: &str, error: &mut ConfigError) {
    let Some(rest) = bound.metric.strip_prefix("routes.") else {
        return;
    };
    let routes = config.routes();
    let known = routes.iter().any(|route| {
        rest.strip_prefix(route.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|metric| crate::metrics::ROUTE.contains(&metric))
    });
    if !known {
        let routes: Vec<String> = routes.iter().map(|r| format!("`{r}`")).collect();
        let message = format!("`{}` is no metric of a route of this gate", bound.metric);
        let hint = format!(
            "write routes.NAME.latency.p95; the routes are {}, their metrics {}",
            routes.join(", "),
            crate::metrics::ROUTE.join(", ")
        );
        error.add(place, message, Some(&hint));
    }
}

/// Whether a metric is a time that a response took.
pub(crate) fn is_latency(metric: &str) -> bool {
    metric.starts_with("latency.") || metric.starts_with("routes.") && metric.contains(".latency.")
}

/// The shortest latency that the gate still accepts, in seconds.
pub(crate) fn tightest(bounds: &[Bound]) -> Option<f64> {
    bounds
        .iter()
        .filter(|bound| is_latency(&bound.metric) && bound.value.unit == Unit::Seconds)
        .filter(|bound| bound.comparison != Comparison::Above && bound.value.value > 0.0)
        .filter(|bound| !bound.metric.ends_with(".stddev"))
        .map(|bound| bound.value.value)
        .min_by(f64::total_cmp)
}

impl LoadConfig {
    /// Names of the routes, in order, each once.
    pub(crate) fn routes(&self) -> Vec<String> {
        let mut routes: Vec<String> = Vec::new();
        let own = self.url.as_deref().map(super::scenario::path);
        let steps = self.scenarios.iter().flat_map(|s| &s.steps);
        for route in own.into_iter().chain(steps.map(super::StepConfig::route)) {
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
        routes
    }
}
