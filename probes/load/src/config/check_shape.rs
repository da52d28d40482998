//! How much load, for how long: what cannot work, and what the target does not allow.

use std::time::Duration;

use readygate_sdk::{ConfigError, Period};

use super::{
    LoadConfig, Stress, Wire,
    littles_law::most_steps,
    rate::{grouped, per_second},
};

/// What a gate may do to a target when its config says nothing.
const ALLOWED_RATE: f64 = 1_000.0;
const ALLOWED_CONNECTIONS: u32 = 1_000;
const MOST_CONNECTIONS: u32 = 1_000_000;
const MOST_RATE: f64 = 10_000_000.0;
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(86_400);
const MOST_STAGES: usize = 100;

/// The most that a target may get.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    pub rate: f64,
    pub connections: u32,
}

pub(crate) fn allowed(config: &LoadConfig) -> Allowed {
    let allow = config.allow.as_ref();
    Allowed {
        rate: allow
            .and_then(|allow| allow.rate)
            .map_or(ALLOWED_RATE, |rate| rate.0),
        connections: allow
            .and_then(|allow| allow.connections)
            .unwrap_or(ALLOWED_CONNECTIONS),
    }
}

/// The shape of the load.
pub(crate) fn check(config: &LoadConfig, error: &mut ConfigError) {
    let given = [
        ("open", config.open.is_some()),
        ("users", config.users.is_some()),
        ("max", config.max.is_some()),
    ];
    let given: Vec<&str> = given.iter().filter(|g| g.1).map(|g| g.0).collect();
    let hint = "write `open: { rate: 450/s, for: 60s }`; `users` are for closed systems, `max` is a search for capacity";
    match given.as_slice() {
        [] => {
            error.add("", "how much load to make is not said", Some(hint));
        }
        [_] => {}
        [_, second, ..] => {
            let message = format!("{} contradict each other", given.join(" and "));
            error.add(format!("/{second}"), message, Some("keep one of them"));
        }
    }
    open(config, error);
    users(config, error);
    max(config, error);
    if let Some(stress) = &config.stress {
        stressed(config, stress, error);
    }
    budget(config, error);
}

fn length(at: &str, period: Period, error: &mut ConfigError) {
    if !(SHORTEST..=LONGEST).contains(&period.0) {
        let hint = Some("write 60s; shorter than 100ms or longer than a day cannot be");
        error.add(at, format!("`for: {period}` is out of range"), hint);
    }
}

/// `one` and `for`, or else `stages`.
fn one_or_stages(
    block: &str,
    name: &str,
    one: bool,
    length_given: bool,
    stages: usize,
    error: &mut ConfigError,
) {
    let example = match name {
        "rate" => "{ rate: 450/s, for: 60s }",
        _ => "{ count: 100, for: 60s }",
    };
    match (one, length_given, stages) {
        (true, true, 0) | (false, false, 1..=MOST_STAGES) => {}
        (false, _, 0) => {
            let hint = format!("write `{block}: {example}`");
            error.add(
                format!("/{block}"),
                format!("`{name}` is missing"),
                Some(&hint),
            );
        }
        (true, false, 0) => {
            let hint = format!("write `{block}: {example}`");
            error.add(format!("/{block}"), "`for` is missing", Some(&hint));
        }
        (_, _, stages) if stages > MOST_STAGES => {
            let message = format!("{stages} stages are more than {MOST_STAGES}");
            error.add(format!("/{block}/stages"), message, None);
        }
        _ => {
            let message = format!("`stages` stand in place of `{name}` and `for`");
            let hint = format!("write `{block}: {example}`, or `stages: [{example}, ...]`");
            error.add(format!("/{block}/stages"), message, Some(&hint));
        }
    }
}

fn open(config: &LoadConfig, error: &mut ConfigError) {
    let Some(open) = &config.open else { return };
    let stages = open.stages.len();
    one_or_stages(
        "open",
        "rate",
        open.rate.is_some(),
        open.length.is_some(),
        stages,
        error,
    );
    if let Some(period) = open.length {
        length("/open/for", period, error);
    }
    for (index, stage) in open.stages.iter().enumerate() {
        length(&format!("/open/stages/{index}/for"), stage.length, error);
    }
    if let Some(connections) = open.connections {
        count("/open/connections", connections, error);
    }
}

fn users(config: &LoadConfig, error: &mut ConfigError) {
    let Some(users) = &config.users else { return };
    let stages = users.stages.len();
    if config.sockets.protocol == Wire::Http2 {
        one_stream_each(config, error);
    }
    one_or_stages(
        "users",
        "count",
        users.count.is_some(),
        users.length.is_some(),
        stages,
        error,
    );
    if let Some(period) = users.length {
        length("/users/for", period, error);
    }
    if let Some(users) = users.count {
        count("/users/count", users, error);
    }
    for (index, stage) in users.stages.iter().enumerate() {
        length(&format!("/users/stages/{index}/for"), stage.length, error);
        count(&format!("/users/stages/{index}/count"), stage.count, error);
    }
}

/// Over HTTP/2 each stream of each connection would be a user, in every phase.
fn one_stream_each(config: &LoadConfig, error: &mut ConfigError) {
    if config.sockets.streams.is_some_and(|streams| streams != 1) {
        let message = "a user has a connection of its own, and one request at a time";
        let hint = Some("leave `streams` out, or use `open`, whose requests share connections");
        error.add("/sockets/streams", message, hint);
    }
    let stages = config
        .users
        .as_ref()
        .is_some_and(|users| !users.stages.is_empty());
    for (at, given) in [
        ("/users/stages", stages),
        ("/stress", config.stress.is_some()),
    ] {
        if given {
            let message = "over HTTP/2 the number of users cannot change";
            let hint = Some("use `open`, or `sockets: { protocol: http1 }`");
            error.add(at, message, hint);
        }
    }
}

fn max(config: &LoadConfig, error: &mut ConfigError) {
    let Some(max) = &config.max else { return };
    length("/max/for", max.length, error);
    count("/max/connections", max.connections, error);
    if config.stress.is_some() {
        let hint = Some("stress goes with `open` or `users`");
        error.add(
            "/stress",
            "`max` is all that the target takes already",
            hint,
        );
    }
}

fn count(at: &str, n: u32, error: &mut ConfigError) {
    if !(1..=MOST_CONNECTIONS).contains(&n) {
        error.add(at, format!("{n} is out of range: 1 to 1000000"), None);
    }
}

fn stressed(config: &LoadConfig, stress: &Stress, error: &mut ConfigError) {
    if !(1..=20).contains(&stress.steps) {
        let message = format!("{} steps are out of range: 1 to 20", stress.steps);
        error.add("/stress/steps", message, None);
    }
    if !(stress.factor > 1.0 && stress.factor <= 10.0) {
        let message = format!("a factor of {} is no more load", stress.factor);
        error.add(
            "/stress/factor",
            message,
            Some("write 1.2; it may be up to 10"),
        );
    }
    length("/stress/for", stress.length, error);
    if let Some(period) = stress.recover_within {
        length("/stress/recover_within", period, error);
    }
    let thinks = |users: &super::UserLoad| users.think.is_some_and(|think| !think.0.is_zero());
    if config.users.as_ref().is_some_and(|users| !thinks(users)) {
        error.add(
            "/stress",
            "users without think time are held to `allow.rate`: more of them are no more load",
            Some("use `open`, or give the users `think` time"),
        );
    }
    if config.stress.is_some() && config.max_requests.is_some() {
        let hint = Some("leave one of them out");
        error.add(
            "/max_requests",
            "it would end the run before the stress",
            hint,
        );
    }
}

/// How much more the last step of stress is.
pub(crate) fn growth(config: &LoadConfig) -> f64 {
    config.stress.as_ref().map_or(1.0, |stress| {
        stress
            .factor
            .powi(i32::try_from(stress.steps.min(20)).unwrap_or(20))
    })
}

/// What the target may get.
fn budget(config: &LoadConfig, error: &mut ConfigError) {
    let allowed = allowed(config);
    let growth = growth(config);
    let steps = most_steps(config);
    if let Some(open) = &config.open {
        let rates = open.stages.iter().map(|stage| stage.rate.0);
        let arrivals = rates.chain(open.rate.map(|r| r.0)).fold(0.0, f64::max);
        let peak = arrivals * growth * steps;
        too_fast("/open", peak, config, error);
        if peak > MOST_RATE {
            error.add(
                "/open",
                "that rate is out of range: 10000000/s at most",
                None,
            );
        }
        too_many(
            config,
            "/open/connections",
            open.connections.unwrap_or(0),
            error,
        );
        let total = sent(config) * steps;
        if let Some(most) = config.max_requests.filter(|most| (*most as f64) < total) {
            let message = format!(
                "`max_requests` would end the run early: {}{} requests are due, and {} may be made",
                if steps > 1.0 { "up to " } else { "" },
                grouped(&format!("{total:.0}")),
                grouped(&most.to_string())
            );
            error.add(
                "/max_requests",
                message,
                Some("raise it, or lower `rate` or `for`"),
            );
        }
    }
    if let Some(users) = &config.users {
        let counts = users.stages.iter().map(|stage| stage.count);
        let most = counts.chain(users.count).max().unwrap_or(0);
        too_many(config, "/users", scaled(most, growth), error);
        let think = users.think.map_or(0.0, |think| think.0.as_secs_f64());
        if think > 0.0 {
            let rate = f64::from(most) * growth * steps / think;
            too_fast("/users", rate, config, error);
        } else {
            unpaced("/users", "users without think time send", config, error);
        }
    }
    if let Some(max) = &config.max {
        too_many(config, "/max/connections", max.connections, error);
        unpaced("/max", "`max` sends", config, error);
    }
    if allowed.connections > MOST_CONNECTIONS {
        error.add("/allow/connections", "out of range: 1000000 at most", None);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "both are positive; what is out of range saturates"
)]
pub(crate) fn scaled(count: u32, factor: f64) -> u32 {
    (f64::from(count) * factor).ceil() as u32
}

/// Requests due in the measured phases and before them.
fn sent(config: &LoadConfig) -> f64 {
    let Some(open) = &config.open else { return 0.0 };
    let stages = open
        .stages
        .iter()
        .map(|s| s.rate.0 * s.length.0.as_secs_f64());
    let first = open.rate.or(open.stages.first().map(|s| s.rate));
    let first = first.map_or(0.0, |rate| rate.0);
    let warm = open.warmup.map_or(0.0, |w| w.0.as_secs_f64());
    let own = open.length.map_or(0.0, |l| l.0.as_secs_f64());
    let own = if open.stages.is_empty() {
        first * own
    } else {
        0.0
    };
    first * warm + own + stages.sum::<f64>()
}

/// What a tool that is driven may send, and open.
pub(crate) fn fits(
    at: &str,
    rate: Option<f64>,
    connections: u32,
    config: &LoadConfig,
    error: &mut ConfigError,
) {
    match rate {
        Some(rate) if rate.is_infinite() => {
            let message =
                "users that do not think send as fast as the target answers, whatever it may get";
            let hint = Some("write `rate: 1000/s`, or `think: 1s` between the requests of a user");
            error.add(format!("{at}/think"), message, hint);
        }
        Some(rate) => {
            too_fast(at, rate, config, error);
            if rate > MOST_RATE {
                error.add(at, "that rate is out of range: 10000000/s at most", None);
            }
        }
        None => {}
    }
    too_many(config, at, connections, error);
}

fn too_fast(at: &str, rate: f64, config: &LoadConfig, error: &mut ConfigError) {
    let allowed = allowed(config).rate;
    if rate <= allowed * (1.0 + 1e-9) {
        return;
    }
    let steps = match most_steps(config) {
        steps if steps > 1.0 => format!(" with {steps} requests in a scenario"),
        _ => String::new(),
    };
    let stress = if config.stress.is_some() {
        " at the last step of stress"
    } else {
        ""
    };
    let message = format!(
        "{}{steps}{stress} are more than the {} that this gate may send",
        per_second(rate),
        per_second(allowed)
    );
    let hint = format!(
        "if the target may get so much, add `allow: {{ rate: {:.0}/s }}`",
        rate.ceil()
    );
    error.add(at, message, Some(&hint));
}

fn too_many(config: &LoadConfig, at: &str, connections: u32, error: &mut ConfigError) {
    let allowed = allowed(config).connections;
    if connections > allowed {
        let message = format!(
            "{} connections are more than the {} that this gate may open",
            grouped(&connections.to_string()),
            grouped(&allowed.to_string())
        );
        let hint =
            format!("if the target may get so many, add `allow: {{ connections: {connections} }}`");
        error.add(at, message, Some(&hint));
    }
}

/// A load that is as fast as the target answers is held to the rate that the target may get. That
/// must be said: at what is allowed without a word it would tell little of most targets.
pub(crate) fn unpaced(at: &str, what: &str, config: &LoadConfig, error: &mut ConfigError) {
    let allow = config.allow.as_ref();
    if allow.is_none_or(|allow| allow.rate.is_none()) {
        let message = format!(
            "{what} as fast as the target answers, and `allow.rate` does not say how fast that may be"
        );
        let hint = "add `allow: { rate: 5000/s }`, to which the load is held, or use `open`";
        error.add(at, message, Some(hint));
    }
}
