//! The script of a gate.

use readygate_sdk::Period;
use serde_json::{Map, Value, json};

use super::config::K6Config;
use crate::fleet::request;

const TEMPLATE: &str = include_str!("script.js");

/// The script, with absolute URLs; headers come from the environment. All segments together send at
/// most `allowed` requests in a second.
///
/// # Errors
/// A path without a target to resolve it against.
pub(super) fn script(
    config: &K6Config,
    allowed: f64,
    target: Option<&str>,
) -> Result<String, String> {
    let mut requests = request::resolved(config.sent(), target)?;
    for request in &mut requests {
        let expected = request.get("expect_status").cloned().unwrap_or_default();
        let given = expected.as_array().is_some_and(|list| !list.is_empty());
        let any = json!([{ "min": 200, "max": 399 }]);
        if let Some(request) = request.as_object_mut() {
            request.remove("expect_status");
            request.insert("expected".into(), if given { expected } else { any });
        }
    }
    let plan = json!({
        "requests": requests,
        "headers": config.headers.keys().collect::<Vec<_>>(),
        "timeout_ms": ms(config.timeout().as_secs_f64()),
        "bounds": bounds(config).iter().map(|(ms, _)| json!(ms)).collect::<Vec<_>>(),
        "period": config.rate.map(|rate| 1e3 / rate.0),
        "options": options(config, allowed),
    });
    Ok(request::fill(TEMPLATE, &plan))
}

fn ms(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

/// Bounds in milliseconds with the name of their rate, each once.
pub(super) fn bounds(config: &K6Config) -> Vec<(f64, String)> {
    let mut all: Vec<f64> = config
        .bounds
        .values()
        .map(|Period(p)| ms(p.as_secs_f64()))
        .collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all.into_iter().map(|ms| (ms, rate_of(ms))).collect()
}

/// The name of the rate that counts requests within a bound.
pub(super) fn rate_of(ms: f64) -> String {
    format!("lt_{ms}ms").replace('.', "_")
}

fn options(config: &K6Config, allowed: f64) -> Value {
    let mut scenarios = Map::new();
    let warmup = config.warmup();
    if !warmup.is_zero() {
        let scenario = scenario(config, warmup.as_secs_f64(), 0.0, "0s");
        scenarios.insert("warmup".into(), scenario);
    }
    let grace = format!("{}s", (config.timeout().as_secs_f64() + 1.0).ceil());
    let length = config.duration.0.as_secs_f64();
    let measured = scenario(config, length, warmup.as_secs_f64(), &grace);
    scenarios.insert("measure".into(), measured);
    let mut options = json!({
        "discardResponseBodies": true,
        "summaryTrendStats": ["count", "min", "avg", "med", "p(90)", "p(95)", "p(99)", "p(99.9)", "max"],
        "scenarios": scenarios,
        "thresholds": thresholds(config),
    });
    // With a rate there is nothing to hold, and a limit would delay what is due.
    if config.rate.is_none() {
        options["rps"] = json!(config.each(allowed).max(1));
    }
    options
}

fn scenario(config: &K6Config, seconds: f64, start: f64, grace: &str) -> Value {
    let vus = config.vus();
    let mut scenario = match config.rate {
        // Only whole numbers are taken; users are made beforehand, since making one in the run
        // drops what is due meanwhile.
        Some(rate) => json!({
            "executor": "constant-arrival-rate",
            "rate": whole(rate.0).0,
            "timeUnit": whole(rate.0).1,
            "preAllocatedVUs": vus,
            "maxVUs": vus,
        }),
        None => json!({ "executor": "constant-vus", "vus": vus }),
    };
    scenario["duration"] = json!(period(seconds));
    scenario["startTime"] = json!(period(start));
    scenario["gracefulStop"] = json!(grace);
    scenario
}

fn period(seconds: f64) -> String {
    format!("{}ms", (seconds * 1e3).round())
}

/// A rate as a whole number and its unit of time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and at most 1e8"
)]
fn whole(rate: f64) -> (u64, &'static str) {
    if rate >= 1.0 && (rate - rate.round()).abs() < 1e-9 {
        (rate.round() as u64, "1s")
    } else {
        (((rate * 1e3).round() as u64).max(1), "1000s")
    }
}

/// k6's own thresholds hold in each process alone. They are what a cluster goes by; here the merged
/// counts decide.
fn thresholds(config: &K6Config) -> Value {
    let mut all = Map::new();
    let least = config.rate.map_or(1.0, |rate| {
        // Segments get equal shares, give or take one request.
        let each = rate.0 * config.duration.0.as_secs_f64() / f64::from(config.segments);
        (each * 0.99 - 1.0).floor().max(1.0)
    });
    if config.rate.is_some() {
        all.insert(
            "dropped_iterations{scenario:measure}".into(),
            json!(["count<1"]),
        );
    }
    all.insert(
        "http_reqs{scenario:measure}".into(),
        json!([format!("count>={least}")]),
    );
    all.insert("rg_done".into(), json!([format!("count>={least}")]));
    let errors = config.max_error_rate.map_or(1.0, |share| share.0 / 100.0);
    // A run in which all failed never passes.
    let errors = if errors < 1.0 {
        format!("rate<={errors}")
    } else {
        "rate<1".to_owned()
    };
    all.insert("rg_failed".into(), json!([errors]));
    for (percentile, Period(bound)) in &config.bounds {
        let name = rate_of(ms(bound.as_secs_f64()));
        let share = format!("rate>={}", round(percentile.percent() / 100.0));
        let list = all.entry(name).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(json!(share));
        }
    }
    Value::Object(all)
}

fn round(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_a_rate_are_held_to_what_the_target_may_get() {
        let rps = |text: &str, allowed: f64| {
            let config: K6Config = serde_saphyr::from_str(text).unwrap();
            options(&config, allowed).get("rps").cloned()
        };
        let users = "{url: /, users: 1000, for: 10s, segments: 3}";
        assert_eq!(rps(users, 1_000.0), Some(json!(333)));
        assert_eq!(rps("{url: /, users: 1, for: 10s}", 50.0), Some(json!(50)));
        assert_eq!(rps("{url: /, rate: 10/s, for: 10s}", 50.0), None);
    }
}
