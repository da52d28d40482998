//! Little's law: requests in flight = rate x time that each takes. Targets that contradict it are
//! refused before anything is sent.

use readygate_sdk::{Bound, Comparison, ConfigError, Unit};

use super::{
    LoadConfig,
    bounds::is_latency,
    check_shape::allowed,
    rate::{grouped, per_second},
    spec::STREAMS,
};

pub(crate) use super::bounds::tightest;

/// A hair for rounding.
const NEARLY: f64 = 1.0 + 1e-9;

/// Compares users, think time, rate, connections and what the gate expects.
pub(crate) fn check(config: &LoadConfig, error: &mut ConfigError) {
    if let Some(open) = &config.open {
        let rates = open.stages.iter().map(|stage| stage.rate.0);
        let rates: Vec<f64> = rates.chain(open.rate.map(|r| r.0)).collect();
        let peak = rates.iter().copied().fold(0.0, f64::max);
        offered(config, &rates, error);
        if let Some(connections) = open.connections {
            carried(config, peak, connections, error);
        }
    }
    if config.open.is_none() {
        held(config, error);
    }
    if let Some(users) = &config.users {
        let counts = users.stages.iter().map(|stage| stage.count);
        let counts: Vec<u32> = counts.chain(users.count).collect();
        let think = users.think.map_or(0.0, |think| think.0.as_secs_f64());
        if let Some(count) = counts.iter().max() {
            users_law(config, f64::from(*count), think, error);
        }
    }
}

/// The highest throughput that the gate expects at least.
fn wanted(config: &LoadConfig) -> Option<&Bound> {
    let floors = config
        .bounds
        .iter()
        .filter(|bound| bound.metric == "throughput" && bound.comparison != Comparison::Below);
    floors.max_by(|a, b| a.value.value.total_cmp(&b.value.value))
}

/// No more can come back than is sent.
fn offered(config: &LoadConfig, rates: &[f64], error: &mut ConfigError) {
    let steps = most_steps(config);
    let (Some(bound), Some(peak)) = (wanted(config), mean_rate(config, rates)) else {
        return;
    };
    let most = peak * steps;
    if bound.value.value > most * NEARLY {
        let message = format!(
            "the load is {}, and the gate expects a throughput of {}: no more comes back than is sent",
            per_second(most),
            per_second(bound.value.value)
        );
        let hint = format!("offer {} or more", per_second(bound.value.value));
        error.add("/open", message, Some(&hint));
    }
}

/// No more comes back than the target may get.
fn held(config: &LoadConfig, error: &mut ConfigError) {
    let allowed = allowed(config).rate;
    let Some(bound) = wanted(config).filter(|bound| bound.value.value > allowed * NEARLY) else {
        return;
    };
    let message = format!(
        "the gate expects a throughput of {}, and the load is held to the {} that it may send",
        per_second(bound.value.value),
        per_second(allowed)
    );
    let hint = format!(
        "if the target may get so much, add `allow: {{ rate: {:.0}/s }}`",
        bound.value.value.ceil()
    );
    error.add("/allow/rate", message, Some(&hint));
}

/// Requests that one arrival can make.
pub(super) fn most_steps(config: &LoadConfig) -> f64 {
    let steps = config.scenarios.iter().map(|s| s.steps.len()).max();
    steps.unwrap_or(1).max(1) as f64
}

/// The rate over all stages.
fn mean_rate(config: &LoadConfig, rates: &[f64]) -> Option<f64> {
    let stages = config.open.as_ref().map(|open| open.stages.as_slice())?;
    if stages.is_empty() {
        return rates.first().copied();
    }
    let length = |s: &super::Stage| s.length.0.as_secs_f64();
    let total: f64 = stages.iter().map(length).sum();
    let sum: f64 = stages.iter().map(|s| s.rate.0 * length(s)).sum();
    (total > 0.0).then(|| sum / total)
}

/// At the slowest mean that the gate still accepts, that many requests are in flight. (A bound on a
/// high percentile says nothing of the mean.)
fn carried(config: &LoadConfig, rate: f64, connections: u32, error: &mut ConfigError) {
    let middle = |bound: &&Bound| matches!(bound.metric.as_str(), "latency.mean" | "latency.p50");
    let middle: Vec<Bound> = config.bounds.iter().filter(middle).cloned().collect();
    let Some(latency) = tightest(&middle) else {
        return;
    };
    let streams = match config.sockets.protocol {
        super::Wire::Http2 => config.sockets.streams.unwrap_or(STREAMS),
        super::Wire::Http1 | super::Wire::Auto => 1,
    };
    let lanes = f64::from(connections) * f64::from(streams);
    let needed = (rate * latency).ceil();
    if lanes < needed {
        let message = format!(
            "{} at a latency of {} keep {} requests in flight (Little's law: rate x latency), and \
             {} connections carry {} at a time",
            per_second(rate),
            Unit::Seconds.format(latency),
            grouped(&format!("{needed:.0}")),
            grouped(&connections.to_string()),
            grouped(&format!("{lanes:.0}")),
        );
        let hint = format!("set `connections` to {needed:.0} or more, or leave it out");
        error.add("/open/connections", message, Some(&hint));
    }
}

/// Users, think time and latency fix the rate: users / (think + latency).
fn users_law(config: &LoadConfig, users: f64, think: f64, error: &mut ConfigError) {
    let shown = grouped(&format!("{users:.0}"));
    let bound = wanted(config).map(|bound| bound.value.value);
    if let Some(wanted) = bound
        && think > 0.0
        && wanted > users / think * most_steps(config) * NEARLY
    {
        let message = format!(
            "{shown} users that think for {} send {} at most (Little's law: users / think), and \
             the gate expects {}",
            Unit::Seconds.format(think),
            per_second(users / think),
            per_second(wanted)
        );
        let hint = "more users, or less think time";
        error.add("/users", message, Some(hint));
        return;
    }
    let allowed = allowed(config).rate;
    let Some(latency) = tightest(&config.bounds) else {
        return;
    };
    let sent = users / (think + latency);
    if sent <= allowed * NEARLY {
        return;
    }
    let pace = bound.unwrap_or(allowed).min(allowed);
    let pause = if think > 0.0 {
        format!("that think for {}", Unit::Seconds.format(think))
    } else {
        "without think time".to_owned()
    };
    let least = users / pace - latency;
    let message = format!(
        "{shown} users {pause}, answered within {}, send {}, and this gate may send {}: at {} Little's \
         law gives each request {} (users / rate - think)",
        Unit::Seconds.format(latency),
        per_second(sent),
        per_second(allowed),
        per_second(pace),
        nearest(users / pace - think),
    );
    let hint = format!(
        "let the users think for {} or more, or use the open model: open: {{ rate: {:.0}/s, \
         connections: {users:.0}, for: ... }}",
        rounded(least.max(0.0)),
        pace
    );
    error.add("/users", message, Some(&hint));
}

/// Seconds to the hundredth.
fn nearest(seconds: f64) -> String {
    Unit::Seconds.format((seconds * 100.0).round() / 100.0)
}

/// Seconds to the hundredth, rounded up: a think time that is just enough.
fn rounded(seconds: f64) -> String {
    if seconds >= 0.1 {
        Unit::Seconds.format((seconds * 100.0 - 1e-6).ceil() / 100.0)
    } else {
        Unit::Seconds.format(seconds)
    }
}

/// Connections that a rate needs when nothing is said: enough for the latency that the gate expects,
/// a quarter of a second where it expects none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped on the same line"
)]
pub(crate) fn connections(config: &LoadConfig, rate: f64) -> u32 {
    const LEAST: f64 = 64.0;
    let latency = tightest(&config.bounds).unwrap_or(0.25).clamp(0.05, 0.25);
    let limit = f64::from(allowed(config).connections);
    (rate * latency * 2.0).ceil().max(LEAST).min(limit) as u32
}

/// Whether any latency is judged.
pub(crate) fn judges_latency(bounds: &[Bound]) -> bool {
    bounds.iter().any(|bound| is_latency(&bound.metric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(sockets: &str) -> usize {
        let text = format!(
            "{{url: /, open: {{rate: 1000/s, connections: 20, for: 10s}}, sockets: {{{sockets}}}}}"
        );
        let mut config: LoadConfig = serde_saphyr::from_str(&text).unwrap();
        config.bounds = vec![Bound {
            metric: "latency.mean".to_owned(),
            comparison: Comparison::Below,
            value: "50ms".parse().unwrap(),
            every: None,
            lasting: None,
        }];
        let mut error = ConfigError::new();
        check(&config, &mut error);
        error.problems.len()
    }

    #[test]
    fn connections_of_http2_carry_many_requests() {
        assert_eq!(problems(""), 1);
        assert_eq!(problems("protocol: http2"), 0, "100 streams each");
        assert_eq!(problems("protocol: http2, streams: 2"), 1);
        assert_eq!(problems("protocol: http2, streams: 3"), 0);
    }
}
