//! The `locust` block.

use std::{collections::BTreeMap, time::Duration};

use readygate_sdk::{ConfigError, Period, Secret, count_of};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::Rate;
use crate::fleet::{
    config::{Request, Sent},
    request,
};

/// A run of Locust: a master here, workers here and on other machines. Its model is closed: each
/// user waits for an answer before it sends again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocustConfig {
    /// URL, or a path on the target, that is fetched; or `requests`.
    pub url: Option<String>,
    /// Several kinds of requests, by weight.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// Headers of every request. They reach workers in the variable `READYGATE_HEADERS`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Users at the same time, over all workers.
    pub users: u32,
    /// Requests in a second that all users together try to make: `1000/s`; or `think`.
    pub rate: Option<Rate>,
    /// Pause of a user after each answer; or `rate`.
    pub think: Option<Period>,
    /// How long to measure, after ramp and warm-up: `10m`.
    #[serde(rename = "for")]
    pub duration: Period,
    /// Users started in a second; all within ten seconds when left out.
    pub spawn_rate: Option<Rate>,
    /// Load before the measurement, which does not count.
    pub warmup: Option<Period>,
    /// Time for a connection and for an answer; 10 s when left out.
    pub timeout: Option<Period>,
    /// Worker processes on this machine. One takes one core and makes some 1,500 requests a second
    /// before its own queueing shows in the latency.
    #[serde(default = "one")]
    pub workers: u32,
    /// Workers on other machines, which are joined by the command that is shown at the start.
    #[serde(default)]
    pub remote_workers: u32,
    /// Address and port of the master for workers: `0.0.0.0:5557`, which is taken where workers are
    /// remote; a free port of loopback where they are not. Whoever reaches it can join.
    pub bind: Option<String>,
    /// Name or address under which other machines reach this one.
    pub master_host: Option<String>,
    /// How long to wait for all workers; 60 s when left out.
    pub wait: Option<Period>,
    /// Path of the program, if it is not `locust` on PATH.
    pub program: Option<String>,
}

fn one() -> u32 {
    1
}

impl LocustConfig {
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent {
            url: self.url.as_deref(),
            requests: &self.requests,
            headers: &self.headers,
        }
    }

    pub(crate) fn expected(&self) -> u32 {
        self.workers + self.remote_workers
    }

    pub(crate) fn spawn_rate(&self) -> f64 {
        let all_soon = (f64::from(self.users) / 10.0).max(1.0);
        self.spawn_rate.map_or(all_soon, |rate| rate.0)
    }

    pub(crate) fn warmup(&self) -> Duration {
        self.warmup.map_or(Duration::ZERO, |period| period.0)
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
            .map_or(Duration::from_secs(10), |period| period.0)
    }

    pub(crate) fn wait(&self) -> Duration {
        self.wait.map_or(Duration::from_secs(60), |period| period.0)
    }

    /// From the first user to the end of the measurement.
    pub(crate) fn load(&self) -> Duration {
        let ramp = f64::from(self.users) / self.spawn_rate();
        Duration::from_secs_f64(ramp) + self.warmup() + self.duration.0
    }

    /// The longest that a run can take which goes well.
    pub(crate) fn longest(&self) -> Duration {
        let start_and_end = Duration::from_secs(10);
        let waiting = if self.remote_workers > 0 {
            self.wait()
        } else {
            Duration::from_secs(5)
        };
        waiting + self.load() + self.timeout() + start_and_end
    }

    /// The address that the master binds: `None` for a free port of loopback.
    pub(crate) fn address(&self) -> Option<(&str, &str)> {
        let given = self.bind.as_deref();
        let remote = (self.remote_workers > 0).then_some("0.0.0.0:5557");
        given.or(remote)?.rsplit_once(':')
    }

    /// What one types on another machine. The file comes from the master.
    pub(crate) fn join(&self) -> Option<String> {
        let port = self.address().map_or("5557", |(_, port)| port);
        let host = self.master_host.as_deref().unwrap_or("THIS_MACHINE");
        let headers = if self.headers.is_empty() {
            ""
        } else {
            "READYGATE_HEADERS='{…}' "
        };
        (self.remote_workers > 0).then(|| {
            format!(
                "{headers}locust -f - --worker --master-host {host} --master-port {port} --processes -1"
            )
        })
    }
}

pub(crate) fn validate(config: &LocustConfig, error: &mut ConfigError) {
    config.sent().validate("/locust", error);
    request::positive(config.duration, "/locust/for", error);
    if let Some(timeout) = config.timeout {
        request::positive(timeout, "/locust/timeout", error);
    }
    if config.users == 0 {
        error.add("/locust/users", "`0` users send nothing", None);
    }
    match (config.rate, config.think) {
        (None, None) => {
            let hint = Some("write `rate: 1000/s`, or `think: 1s` between the requests of a user");
            error.add(
                "/locust",
                "neither `rate` nor `think` says how often users send",
                hint,
            );
        }
        (Some(_), Some(_)) => {
            error.add("/locust/think", "`rate` and `think` are both given", None);
        }
        _ => {}
    }
    workers(config, error);
    contradiction(config, error);
}

fn workers(config: &LocustConfig, error: &mut ConfigError) {
    if config.expected() == 0 {
        let hint = Some("write `workers: 2`, or `remote_workers: 12`");
        error.add("/locust/workers", "without workers nothing is sent", hint);
    }
    if config.workers > 256 || config.remote_workers > 10_000 {
        let hint = Some("one worker for each core, the others on other machines");
        error.add("/locust/workers", "more workers than can be meant", hint);
    }
    if config.expected() > config.users {
        let (workers, users) = (u64::from(config.expected()), u64::from(config.users));
        let message = format!(
            "{} share {}",
            count_of(workers, "worker", "workers"),
            count_of(users, "user", "users")
        );
        error.add("/locust/users", message, Some("give each worker a user"));
    }
    if config.remote_workers > 0 && config.master_host.is_none() {
        let hint = Some("write `master_host: load-1.example.com`");
        let message = "`remote_workers` need a name under which they reach this machine";
        error.add("/locust/master_host", message, hint);
    }
    let odd =
        |name: &str| name.contains(|c: char| !(c.is_ascii_alphanumeric() || ".-:[]".contains(c)));
    if config.master_host.as_deref().is_some_and(odd) {
        error.add("/locust/master_host", "this is no name of a machine", None);
    }
    if let Some(bind) = &config.bind {
        let port = bind
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            error.add(
                "/locust/bind",
                "this is no address with a port",
                Some("write `0.0.0.0:5557`"),
            );
        }
    }
}

/// Little's law: users that wait for each answer cannot exceed users / latency.
fn contradiction(config: &LocustConfig, error: &mut ConfigError) {
    let Some(rate) = config.rate else { return };
    // Each user sends at most every millisecond or so, whatever the target does.
    let ceiling = f64::from(config.users) * 1_000.0;
    if rate.0 > ceiling {
        let message = format!(
            "{} cannot make {}/s: by Little's law each answer would have to take {:.3} ms",
            count_of(u64::from(config.users), "user", "users"),
            rate.0,
            1e3 * f64::from(config.users) / rate.0
        );
        error.add("/locust/rate", message, Some("give more users"));
    }
}
