//! What the gate expects, as far as it says how finely to measure.

use std::time::Duration;

use readygate_sdk::{Bound, Comparison, ConfigError, Period, Unit};
use readygate_web::validate::escape;

use super::{LoadConfig, SourceKind};
use crate::{k6::config::K6Config, locust::config::LocustConfig};

/// Lengths of windows that one run is cut into.
pub(crate) const MOST_LENGTHS: usize = 4;

/// Takes the bounds in: windows are measured as they are asked for.
pub(crate) fn hear(config: &mut LoadConfig, bounds: &[Bound]) -> Result<(), ConfigError> {
    let mut error = ConfigError::new();
    let timeout = config.timeout_of_answers();
    for bound in bounds {
        let place = format!("/{}", escape(&bound.metric));
        if let Some(timeout) = timeout {
            breakable(bound, timeout, &place, &mut error);
        }
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

/// A slower answer is given up at `timeout`, and counts as an error with that time: it could break no
/// bound above it.
fn breakable(bound: &Bound, timeout: Duration, place: &str, error: &mut ConfigError) {
    let time = is_latency(&bound.metric) && !bound.metric.ends_with(".stddev")
        || bound.metric.starts_with("service.")
        || bound.metric.starts_with("ttfb.");
    let upper = bound.comparison != Comparison::Above && bound.value.unit == Unit::Seconds;
    if !time || !upper || bound.value.value <= timeout.as_secs_f64() * (1.0 + 1e-9) {
        return;
    }
    let message = format!(
        "{} is above `timeout`, {}, at which an answer is given up: no answer could break it",
        bound.value,
        Period(timeout)
    );
    let hint = format!("set `timeout: {:.0}s` or more", bound.value.value.ceil());
    error.add(place, message, Some(&hint));
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
    let run = config.measured();
    // Without a load at all, that is what is said.
    if !run.is_zero() && asked > run {
        let message = match bound.lasting {
            Some(_) => format!(
                "a breach of {} cannot show in a measured load of {}",
                Period(asked),
                Period(run)
            ),
            None => longer(asked, run),
        };
        let hint = Some("make `for` of the load longer, or that of the expectation shorter");
        error.add(place, message, hint);
        return;
    }
    let length = match bound.lasting {
        Some(lasting) => part(config, lasting),
        None => asked,
    };
    if let Some((message, hint)) = uneven(length, run) {
        error.add(place, message, Some(&hint));
        return;
    }
    if !config.windows.iter().any(|known| known.0 == length) {
        config.windows.push(Period(length));
    }
}

/// What is wrong with windows that are longer than the run.
pub(crate) fn longer(window: Duration, run: Duration) -> String {
    format!(
        "a window of {} is longer than the measured load of {}",
        Period(window),
        Period(run)
    )
}

/// What is wrong with windows that leave a part of the run out, which nobody would judge, and how to
/// mend it.
pub(crate) fn uneven(window: Duration, run: Duration) -> Option<(String, String)> {
    if window.is_zero() || is_multiple(run, window) {
        return None;
    }
    let whole = run.as_nanos() / window.as_nanos();
    let times = |n: u128| u32::try_from(n).ok().and_then(|n| window.checked_mul(n));
    let fitting: Vec<String> = [whole, whole + 1]
        .into_iter()
        .filter(|n| *n > 0)
        .filter_map(|n| Some(Period(times(n)?).to_string()))
        .collect();
    let message = format!(
        "windows of {} do not divide the measured load of {}: its end would lie in none",
        Period(window),
        Period(run)
    );
    let hint = format!("let the load measure for {}", fitting.join(" or "));
    Some((message, hint))
}

fn is_multiple(run: Duration, window: Duration) -> bool {
    run.as_nanos().is_multiple_of(window.as_nanos())
}

/// What a breach that lasts is made of: windows of the config's own, or else 10 s, 5 s, 2 s or 1 s.
fn part(config: &LoadConfig, lasting: Duration) -> Duration {
    let seconds = lasting.as_secs();
    let run = config.measured();
    let fits = |part: &u64| {
        *part > 0
            && seconds.is_multiple_of(*part)
            && seconds / part >= 2
            && is_multiple(run, Duration::from_secs(*part))
    };
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
    /// How long an answer is waited for; nothing where another tool has done so.
    fn timeout_of_answers(&self) -> Option<Duration> {
        match self.source() {
            SourceKind::Engine => Some(self.response_timeout()),
            SourceKind::K6 => self.k6.as_ref().map(K6Config::timeout),
            SourceKind::Locust => self.locust.as_ref().map(LocustConfig::timeout),
            SourceKind::Import => None,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of `latency.p95: < 50ms for ...`, and the windows that are measured for it.
    fn heard(load: &str, every: Option<u64>, lasting: Option<u64>) -> (String, Vec<u64>) {
        let text = format!("{{url: /, open: {{rate: 10/s, for: {load}}}}}");
        let mut config: LoadConfig = serde_saphyr::from_str(&text).unwrap();
        let bound = Bound {
            metric: "latency.p95".to_owned(),
            comparison: Comparison::Below,
            value: "50ms".parse().unwrap(),
            every: every.map(Duration::from_secs),
            lasting: lasting.map(Duration::from_secs),
        };
        let said = hear(&mut config, &[bound])
            .err()
            .map_or_else(String::new, |error| {
                let problem = &error.problems[0];
                let hint = problem.hint.as_deref().unwrap_or_default();
                format!("{}; {hint}", problem.message)
            });
        let windows = config.windows.iter().map(|window| window.0.as_secs());
        (said, windows.collect())
    }

    #[test]
    fn a_breach_needs_a_load_in_which_it_can_show() {
        assert_eq!(heard("30s", None, Some(30)), (String::new(), vec![10]));
        let (said, windows) = heard("20s", None, Some(30));
        assert!(
            said.starts_with("a breach of 30 s cannot show in a measured load of 20 s"),
            "{said}"
        );
        assert!(windows.is_empty());
    }

    #[test]
    fn windows_cover_the_whole_load() {
        let (said, windows) = heard("59s", Some(30), None);
        assert!(
            said.ends_with("let the load measure for 30 s or 60 s"),
            "{said}"
        );
        assert!(windows.is_empty());
        assert_eq!(heard("60s", Some(30), None), (String::new(), vec![30]));
        // What a lasting breach is made of is chosen so that it fits.
        assert_eq!(heard("65s", None, Some(30)), (String::new(), vec![5]));
        assert_eq!(heard("61s", None, Some(30)), (String::new(), vec![1]));
        assert!(!heard("1500ms", None, Some(1)).0.is_empty());
    }
}
